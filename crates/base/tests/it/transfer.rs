//! The cache and the way in and out of it by file.

use std::fs;
use std::path::Path;

use base::cache::{CARD, Cache, CacheError, MODEL, PICTURE_MODEL};
use base::transfer::{TransferError, export, import};
use base::weights::{Tensor, Weights};
use proptest::prelude::*;

const BASE_TOML: &str = "id = \"tiny\"\ntitle = \"Tiny\"\nmodality = \"image\"\nlicence = \"MIT\"\n[network]\nfamily = \"onnx\"\n";

/// A folder of a person's own: a card without files, and weights.
fn folder(dir: &Path) {
    fs::create_dir_all(dir).unwrap();
    fs::write(dir.join(CARD), BASE_TOML).unwrap();
    let weights: Weights = [("w".to_owned(), Tensor::new(vec![2], vec![1.0, 2.0]))].into_iter().collect();
    weights.save(&dir.join(MODEL)).unwrap();
}

/// A cache with one base, and a tar file of it.
fn exported(dir: &Path) -> (Cache, Vec<u8>) {
    let cache = Cache::new(dir.join("one"));
    folder(&dir.join("mine"));
    import(&cache, &dir.join("mine")).unwrap();
    export(&cache, "tiny", &dir.join("tiny.tar")).unwrap();
    (cache, fs::read(dir.join("tiny.tar")).unwrap())
}

#[test]
fn a_base_survives_the_journey_and_the_file_is_always_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let (first, tar) = exported(dir.path());
    let second = Cache::new(dir.path().join("two"));
    import(&second, &dir.path().join("tiny.tar")).unwrap();
    assert_eq!(first.find("tiny").unwrap().card, second.find("tiny").unwrap().card);
    second.verify("tiny").unwrap();
    export(&second, "tiny", &dir.path().join("again.tar")).unwrap();
    assert_eq!(fs::read(dir.path().join("again.tar")).unwrap(), tar);
}

#[test]
fn a_base_of_two_networks_takes_both_along() {
    let dir = tempfile::tempdir().unwrap();
    let (mine, tar) = (dir.path().join("mine"), dir.path().join("tiny.tar"));
    folder(&mine);
    fs::copy(mine.join(MODEL), mine.join(PICTURE_MODEL)).unwrap();
    let (first, second) = (Cache::new(dir.path().join("one")), Cache::new(dir.path().join("two")));
    import(&first, &mine).unwrap();
    export(&first, "tiny", &tar).unwrap();
    import(&second, &tar).unwrap();
    second.verify("tiny").unwrap();
    assert!(second.path_of("tiny").join(PICTURE_MODEL).is_file());
}

#[test]
fn tar_itself_can_read_an_exported_base() {
    let dir = tempfile::tempdir().unwrap();
    exported(dir.path());
    let listed =
        std::process::Command::new("tar").arg("tf").arg(dir.path().join("tiny.tar")).output().unwrap();
    assert_eq!(String::from_utf8(listed.stdout).unwrap(), "base.toml\nmodel.safetensors\n");
}

#[test]
fn a_changed_file_is_found_and_a_short_one_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let (cache, _) = exported(dir.path());
    let path = cache.path_of("tiny").join(MODEL);
    let mut bytes = fs::read(&path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&path, &bytes).unwrap();
    cache.find("tiny").unwrap();
    assert!(matches!(cache.verify("tiny"), Err(CacheError::Checksum { .. })));
    fs::write(&path, &bytes[..last]).unwrap();
    assert!(matches!(cache.find("tiny"), Err(CacheError::Size { .. })));
    assert!(cache.list().unwrap()[0].is_err());
}

#[test]
fn a_removed_base_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let (cache, _) = exported(dir.path());
    cache.remove("tiny").unwrap();
    assert!(matches!(cache.find("tiny"), Err(CacheError::Missing { .. })));
    assert!(matches!(cache.remove("tiny"), Err(CacheError::Missing { .. })));
    assert!(matches!(cache.remove("../one"), Err(CacheError::Missing { .. })));
}

#[test]
fn an_archive_cannot_name_a_path() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join("in/sub")).unwrap();
    fs::write(dir.path().join("in/sub/evil"), "x").unwrap();
    let tar = dir.path().join("evil.tar");
    let made = std::process::Command::new("tar")
        .arg("cf")
        .arg(&tar)
        .arg("-C")
        .arg(dir.path())
        .arg("in/sub/evil")
        .status();
    assert!(made.unwrap().success());
    let error = import(&Cache::new(dir.path().join("cache")), &tar).unwrap_err().to_string();
    assert!(error.contains("it holds `in/sub/evil`"), "{error}");
}

#[test]
fn a_card_cannot_name_a_path() {
    for (card, wrong) in [
        (BASE_TOML.replace("tiny", "../up"), "../up"),
        (format!("{BASE_TOML}[files.\"../../x\"]\nsize = 1\nsha256 = \"{}\"\n", "0".repeat(64)), "../../x"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        folder(&dir.path().join("mine"));
        fs::write(dir.path().join("mine").join(CARD), card).unwrap();
        let error =
            import(&Cache::new(dir.path().join("cache")), &dir.path().join("mine")).unwrap_err().to_string();
        assert!(error.contains(wrong), "{error}");
    }
}

#[test]
fn a_folder_without_a_network_says_so() {
    let dir = tempfile::tempdir().unwrap();
    folder(dir.path());
    fs::remove_file(dir.path().join(MODEL)).unwrap();
    let error = import(&Cache::new(dir.path().join("cache")), dir.path()).unwrap_err();
    assert!(matches!(error, TransferError::NoModel { .. }), "{error}");
}

#[test]
fn an_archive_cut_anywhere_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (_, tar) = exported(dir.path());
    let cache = Cache::new(dir.path().join("two"));
    let path = dir.path().join("cut.tar");
    // The last record is the second of two end marks.
    for end in (0..tar.len() - 1024).step_by(37) {
        fs::write(&path, &tar[..end]).unwrap();
        assert!(import(&cache, &path).is_err(), "cut at {end}");
        assert!(cache.list().unwrap().is_empty(), "cut at {end}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_archive_is_refused_or_the_same(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let dir = tempfile::tempdir().unwrap();
        let (first, mut tar) = exported(dir.path());
        let at = at.index(tar.len());
        tar[at] = byte;
        fs::write(dir.path().join("changed.tar"), &tar).unwrap();
        let second = Cache::new(dir.path().join("two"));
        if import(&second, &dir.path().join("changed.tar")).is_ok() {
            let found = second.list().unwrap().remove(0).unwrap();
            prop_assert_eq!(found.card.files, first.find("tiny").unwrap().card.files);
        }
    }
}
