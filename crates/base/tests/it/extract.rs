//! Features of files: cached, aligned, the same on any number of threads, and broken files told, not fatal.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use base::Base;
use base::extract::{Features, Progress, extract};
use base::open::EngineChoice;
use base::weights::{Tensor, Weights};
use dataset::{Content, Example, ExampleId, Origin, Problem, ProblemKind, Target};
use store::VectorStore;
use tempfile::TempDir;

const DIM: usize = 32;

/// Numbers that differ from each other; which ones does not matter here.
fn weight(shape: &[usize]) -> Tensor {
    let values = (0..shape.iter().product()).map(|at: usize| (at as f32 * 0.7).sin() * 0.3);
    Tensor::new(shape.to_vec(), values.collect())
}

/// A ViT of one layer on four patches.
fn tiny_base(dir: &Path) -> Base {
    let linear = |name: &str, out: usize, input: usize| {
        [(format!("{name}.weight"), vec![out, input]), (format!("{name}.bias"), vec![out])]
    };
    let norm = |name: &str| [(format!("{name}.weight"), vec![DIM]), (format!("{name}.bias"), vec![DIM])];
    let layer = |part: &str| format!("encoder.layer.0.{part}");
    let mut shapes = vec![
        ("embeddings.cls_token".to_owned(), vec![1, 1, DIM]),
        ("embeddings.position_embeddings".to_owned(), vec![1, 5, DIM]),
        ("embeddings.patch_embeddings.projection.weight".to_owned(), vec![DIM, 3, 8, 8]),
        ("embeddings.patch_embeddings.projection.bias".to_owned(), vec![DIM]),
    ];
    for part in [
        "attention.attention.query",
        "attention.attention.key",
        "attention.attention.value",
        "attention.output.dense",
    ] {
        shapes.extend(linear(&layer(part), DIM, DIM));
    }
    shapes.extend(linear(&layer("mlp.fc1"), 4 * DIM, DIM));
    shapes.extend(linear(&layer("mlp.fc2"), DIM, 4 * DIM));
    for name in [layer("norm1"), layer("norm2"), "layernorm".to_owned()] {
        shapes.extend(norm(&name));
    }
    let weights: Weights = shapes.into_iter().map(|(name, shape)| (name, weight(&shape))).collect();
    let model = dir.join("model.safetensors");
    weights.save(&model).unwrap();
    let size = fs::metadata(&model).unwrap().len();
    let card = format!(
        "id = \"tiny\"\ntitle = \"A tiny ViT\"\nmodality = \"image\"\nlicence = \"MIT\"\n\
         network = {{ family = \"vit\", heads = 2, image_size = 16 }}\n\
         files = {{ \"model.safetensors\" = {{ size = {size}, sha256 = \"{}\" }} }}\n",
        "0".repeat(64)
    );
    fs::write(dir.join("base.toml"), card).unwrap();
    Base::open(dir, &EngineChoice::Auto).unwrap()
}

/// Twelve good pictures, then a copy of the first, an empty file, a text, half a picture and a file that is not there.
fn examples(dir: &Path) -> Vec<Example> {
    let mut paths: Vec<PathBuf> = (0..12).map(|number| dir.join(format!("{number}.png"))).collect();
    for (number, path) in paths.iter().enumerate() {
        let pixel = |x: u32, y: u32| image::Rgb([(x * 9) as u8, (y * 7) as u8, (number * 20) as u8]);
        image::RgbImage::from_fn(30, 20, pixel).save(path).unwrap();
    }
    let whole = fs::read(&paths[1]).unwrap();
    let odd: [(&str, &[u8]); 4] = [
        ("copy.png", &fs::read(&paths[0]).unwrap()),
        ("empty.jpg", b""),
        ("text.jpg", b"not a picture"),
        ("half.png", &whole[..60]),
    ];
    for (name, bytes) in odd {
        paths.push(dir.join(name));
        fs::write(dir.join(name), bytes).unwrap();
    }
    paths.push(dir.join("gone.png"));
    paths.into_iter().map(example).collect()
}

fn example(path: PathBuf) -> Example {
    Example {
        id: ExampleId(path.display().to_string()),
        content: Content::Image(path.clone()),
        target: Target::Unlabelled,
        votes: Vec::new(),
        group: None,
        part: None,
        details: std::collections::BTreeMap::new(),
        origin: Origin { path, row: None },
    }
}

struct World {
    dir: TempDir,
    base: Base,
    examples: Vec<Example>,
}

impl World {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self { base: tiny_base(dir.path()), examples: examples(dir.path()), dir }
    }

    fn store(&self, name: &str) -> VectorStore {
        VectorStore::open(&self.dir.path().join(name), self.base.dim()).unwrap()
    }

    fn run(&self, store: &VectorStore) -> (Features, Vec<Problem>) {
        let examples: Vec<&Example> = self.examples.iter().collect();
        extract(&self.base, &examples, store, &AtomicBool::new(false), &|_| {}).unwrap()
    }
}

#[test]
fn broken_files_are_told_in_order_and_the_rest_is_computed() {
    let world = World::new();
    let (features, problems) = world.run(&world.store("features"));
    let there: Vec<bool> = features.rows.iter().map(Option::is_some).collect();
    assert_eq!(there, [[true; 13].as_slice(), &[false; 4]].concat());
    let told: Vec<(&str, bool)> = problems
        .iter()
        .map(|problem| {
            let name = problem.path.file_name().unwrap().to_str().unwrap();
            let fits = match problem.kind {
                ProblemKind::EmptyFile => name == "empty.jpg",
                ProblemKind::NotAnImage { .. } => name == "text.jpg",
                ProblemKind::BrokenImage { .. } => name == "half.png",
                ProblemKind::Unreadable { .. } => name == "gone.png",
                _ => false,
            };
            (name, fits)
        })
        .collect();
    assert_eq!(told, [("empty.jpg", true), ("text.jpg", true), ("half.png", true), ("gone.png", true)]);
    assert_eq!(features.rows[12], features.rows[0], "a copy has the features of its original");
    assert_ne!(features.rows[1], features.rows[0]);
}

#[test]
fn a_second_run_finds_everything_and_the_same() {
    let world = World::new();
    let (fresh, _) = world.run(&world.store("features"));
    let (found, problems) = world.run(&world.store("features"));
    assert_eq!((fresh.cached, found.cached), (0, 13));
    assert_eq!(found.rows, fresh.rows);
    assert_eq!(problems.len(), 4, "a broken file is told again");
    assert_eq!(world.store("features").len(), 12, "equal contents are kept once");
    let embedded =
        world.base.embed(&base::open::Input::Image(fs::read(world.dir.path().join("3.png")).unwrap()));
    assert_eq!(Some(embedded.unwrap()), found.rows[3], "one by one is the same");
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let world = World::new();
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| world.run(&world.store(&format!("features-{threads}"))))
    };
    let (alone, problems) = run(1);
    for threads in [2, 7] {
        assert_eq!(run(threads), (alone.clone(), problems.clone()), "{threads} threads");
    }
}

#[test]
fn a_cancelled_run_keeps_what_it_has() {
    let world = World::new();
    let store = world.store("features");
    let cancel = AtomicBool::new(false);
    let seen = Mutex::new(Vec::new());
    let progress = |progress: Progress| {
        // One file that is not there is done before the work begins.
        cancel.store(progress.done >= 4, Ordering::Relaxed);
        seen.lock().unwrap().push(progress.done);
    };
    let examples: Vec<&Example> = world.examples.iter().collect();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let (features, _) = pool.install(|| extract(&world.base, &examples, &store, &cancel, &progress).unwrap());
    let computed = features.rows.iter().flatten().count();
    assert!((1..13).contains(&computed), "{computed}");
    let seen = seen.into_inner().unwrap();
    assert!(seen.is_sorted() && *seen.last().unwrap() < world.examples.len(), "{seen:?}");
    assert!(
        world.run(&world.store("features")).0.cached >= computed.min(3),
        "the next run goes on from there"
    );
}
