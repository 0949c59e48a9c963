//! A joint base comes in as a hub lays it out, and gives what transformers gives.
//!
//! `reference/clip.py` made the folder and the values; the weights are made by the formula.

use std::fs;
use std::path::{Path, PathBuf};

use base::Base;
use base::cache::{Cache, MODEL, TOKENIZER};
use base::open::{BaseError, EngineChoice, Input};
use base::tokenizer::Tokenizer;
use base::transfer::{TransferError, import};
use dataset::Modality;
use serde::Deserialize;

use crate::made;

/// A text's vector goes through some layers in another order of sums, and is kept in half precision.
const TOLERANCE: f32 = 1e-3;
/// A picture is also scaled: the reference scales all of it and rounds to bytes, then cuts the middle out.
const SEEN: f32 = 2e-2;

#[derive(Deserialize)]
struct Expected {
    weights: Vec<(String, Vec<usize>)>,
    picture: Vec<f32>,
    texts: Vec<Text>,
}

#[derive(Deserialize)]
struct Text {
    text: String,
    ids: Vec<u32>,
    joint: Vec<f32>,
}

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/clip")
}

fn expected() -> Expected {
    serde_json::from_slice(&fs::read(data().join("expected.json")).unwrap()).unwrap()
}

/// The folder as a person has it.
fn folder(dir: &Path) -> PathBuf {
    let folder = dir.join("Tiny CLIP");
    fs::create_dir_all(&folder).unwrap();
    for name in ["config.json", "preprocessor_config.json", TOKENIZER] {
        fs::copy(data().join(name), folder.join(name)).unwrap();
    }
    let expected = expected();
    let shapes = expected.weights.iter().map(|(name, shape)| (name.as_str(), shape.as_slice()));
    made::weights(shapes).save(&folder.join(MODEL)).unwrap();
    folder
}

#[track_caller]
fn check(base: &Base, input: &Input, expected: &[f32], tolerance: f32) {
    let features = base.embed(input).unwrap();
    let joint = base.split(&features)["joint"];
    assert_eq!(joint.len(), expected.len());
    let worst = joint.iter().zip(expected).map(|(got, expected)| (got - expected).abs()).fold(0.0, f32::max);
    assert!(worst <= tolerance, "{input:?}: off by {worst}");
}

#[test]
fn both_towers_are_those_of_transformers() {
    let dir = tempfile::tempdir().unwrap();
    let cache = Cache::new(dir.path().join("cache"));
    let at = import(&cache, &folder(dir.path())).unwrap();
    let expected = expected();
    let (looks, reads) =
        (Base::open(&at, &EngineChoice::Auto).unwrap(), Base::open_reader(&at, &EngineChoice::Auto).unwrap());
    assert_eq!((looks.id(), reads.id()), ("tiny-clip", "tiny-clip.text"));
    assert_eq!((looks.modality(), reads.modality()), (Modality::Image, Modality::Text));
    assert_eq!(looks.space(), reads.space());
    assert!(looks.space().is_some() && looks.hash() != reads.hash());
    let picture = fs::read(data().join("picture.png")).unwrap();
    check(&looks, &Input::Image(picture), &expected.picture, SEEN);
    let tokenizer = Tokenizer::from_file(&at.join(TOKENIZER), 24).unwrap();
    for Text { text, ids, joint } in &expected.texts {
        assert_eq!(&tokenizer.encode(text).unwrap(), ids, "{text}");
        check(&reads, &Input::Text(text.clone()), joint, TOLERANCE);
    }
    let texts: Vec<&str> = expected.texts.iter().map(|text| text.text.as_str()).collect();
    for (text, together) in texts.iter().zip(reads.embed_texts(&texts)) {
        assert_eq!(together.unwrap(), reads.embed(&Input::Text((*text).to_owned())).unwrap(), "{text}");
    }
}

#[test]
fn a_folder_that_is_no_joint_base_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let cache = Cache::new(dir.path().join("cache"));
    let from = folder(dir.path());
    let refused = || match import(&cache, &from) {
        Err(error @ TransferError::Checkpoint { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let weights = fs::read(from.join(MODEL)).unwrap();
    fs::write(from.join(MODEL), &weights[..weights.len() / 2]).unwrap();
    let broken = import(&cache, &from).unwrap_err().to_string();
    assert!(broken.contains(from.join(MODEL).to_str().unwrap()), "{broken}");
    fs::write(from.join(MODEL), weights).unwrap();
    fs::remove_file(from.join(TOKENIZER)).unwrap();
    assert!(refused().contains("no `tokenizer.json`"), "{}", refused());
    fs::write(from.join("config.json"), "{\"model_type\": \"siglip\"}").unwrap();
    assert!(refused().contains("`siglip`"), "{}", refused());
    fs::write(from.join("config.json"), vec![b' '; 2 << 20]).unwrap();
    assert!(refused().contains("longer than"), "{}", refused());
    assert_eq!(cache.list().unwrap().len(), 0, "nothing half-written");
}

#[test]
fn a_base_with_one_network_has_no_reader() {
    let dir = tempfile::tempdir().unwrap();
    let cache = Cache::new(dir.path().join("cache"));
    let at = import(&cache, &folder(dir.path())).unwrap();
    let card = fs::read_to_string(at.join("base.toml")).unwrap();
    let vit = "[network]\nfamily = \"vit\"\nheads = 3\nimage_size = 32\n[preprocess]";
    let (start, rest) = card.split_once("[network]").unwrap();
    let rest = rest.split_once("[preprocess]").unwrap().1;
    fs::write(at.join("base.toml"), format!("{start}{vit}{rest}")).unwrap();
    let error = Base::open_reader(&at, &EngineChoice::Auto).unwrap_err();
    assert!(matches!(error, BaseError::OneTower { .. }), "{error:?}");
    // What the two towers share is a matter of both.
    let wrong = card.replace("text_heads = 2", "text_heads = 5");
    fs::write(at.join("base.toml"), wrong).unwrap();
    assert!(matches!(Base::open_reader(&at, &EngineChoice::Auto), Err(BaseError::Arch { .. })));
}
