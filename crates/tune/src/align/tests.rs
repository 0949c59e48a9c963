//! Facts about alignment on made pairs.

use linalg::{Matrix, Seed, matmul, random};

use super::retrieval::{Place, places};
use super::*;

/// Nobody asks to stop.
static NEVER: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);

/// Both sides show the same hidden values through fixed random maps, under noise of their own.
struct Made {
    left: Matrix,
    right: Matrix,
}

/// Hidden dimensions.
const HIDDEN: usize = 8;

impl Made {
    /// `n` pairs of 60 and 80 columns; `seed` draws rows, the maps are always the same.
    fn new(n: usize, noise: f64, seed: u64) -> Self {
        let hidden = normal(n, HIDDEN, 1.0, Seed(seed));
        let side = |d: usize| {
            let map = normal(HIDDEN, d, 1.0, Seed(77).nth(d));
            let mut x = matmul(hidden.view(), map.view());
            let noise = normal(n, d, noise, Seed(seed).nth(d));
            x.data_mut().iter_mut().zip(noise.data()).for_each(|(x, noise)| *x += noise);
            x
        };
        Self { left: side(60), right: side(80) }
    }

    fn align(&self, seed: u64) -> Aligned {
        align(&self.left, &self.right, &groups(self.left.rows()), Seed(seed), &NEVER).unwrap()
    }

    /// The share of partners among the ten best of these pairs.
    fn found(&self, alignment: &Alignment) -> f64 {
        let places: Vec<Place> =
            places(&alignment.left.turned_rows(&self.left), &alignment.right.turned_rows(&self.right));
        places.iter().map(|place| place.found).sum::<f64>() / places.len() as f64
    }

    /// Partners moved on by one among the rows named.
    fn with_wrong(mut self, wrong: &[usize]) -> Self {
        let right = self.right.clone();
        for (place, row) in wrong.iter().enumerate() {
            let other = wrong[(place + 1) % wrong.len()];
            self.right.row_mut(*row).copy_from_slice(right.row(other));
        }
        self
    }

    fn shuffled(mut self, seed: u64) -> Self {
        let mut order: Vec<usize> = (0..self.right.rows()).collect();
        random::shuffle(&mut order, &mut Seed(seed).rng());
        self.right = self.right.select_rows(&order);
        self
    }
}

fn normal(rows: usize, cols: usize, scale: f64, seed: Seed) -> Matrix {
    let mut rng = seed.rng();
    let value = |_| (scale * random::normal(&mut rng)) as f32;
    Matrix::from_vec(rows, cols, (0..rows * cols).map(value).collect())
}

fn groups(n: usize) -> Vec<u32> {
    (0..n as u32).collect()
}

#[test]
fn few_pairs_find_nearly_what_many_do() {
    let test = Made::new(500, 3.0, 1);
    let many = Made::new(4000, 3.0, 2);
    let (x, y) = (Space::new(&many.left.map(f64::from)), Space::new(&many.right.map(f64::from)));
    let best = test.found(&cca::fit(&x, &y, cca::RIDGE, Seed(0)).unwrap());
    let few = Made::new(150, 3.0, 3);
    let aligned = few.align(1);
    let ours = test.found(&aligned.alignment.clone().unwrap());
    assert!(best > 0.5 && ours > 0.75 * best, "{ours} of {best}");
    assert!(ours > 10.0 * 10.0 / 500.0, "chance is 0.02: {ours}");
    let (x, y) = (Space::new(&few.left.map(f64::from)), Space::new(&few.right.map(f64::from)));
    let found =
        |ridge: f64| cca::fit(&x, &y, ridge, Seed(0)).map_or(0.02, |alignment| test.found(&alignment));
    let (ridge, plain) = (found(cca::RIDGE), found(0.0));
    assert!(ours > 3.0 * plain && ridge > 1.5 * plain, "{ours}, with a ridge {ridge}, without {plain}");
    for tried in &aligned.tried {
        assert!(tried.reciprocal_rank > 3.0 * aligned.chance.0, "{tried:?}");
    }
}

#[test]
fn shuffled_pairs_share_nothing() {
    let none = (0..10).filter(|seed| Made::new(120, 1.0, 4).shuffled(*seed).align(*seed).alignment.is_none());
    // One in twenty passes by chance.
    assert!(none.count() >= 8);
    let kept = Made::new(120, 1.0, 4).align(1);
    assert!(kept.alignment.is_some() && kept.wrong_pairs.is_some());
}

#[test]
fn planted_wrong_pairs_are_found() {
    let wrong: Vec<usize> = (0..300).step_by(10).collect();
    let aligned = Made::new(300, 2.0, 5).with_wrong(&wrong).align(2);
    let told = aligned.wrong_pairs.unwrap();
    let (mut above, mut pairs) = (0.0, 0.0);
    for bad in &wrong {
        for good in (0..300_usize).filter(|row| !row.is_multiple_of(10)) {
            pairs += 1.0;
            above += f64::from(u8::from(told.scores[*bad] < told.scores[good]));
        }
    }
    assert!(above / pairs > 0.95, "AUROC {}", above / pairs);
    let right = told.suspicious.iter().filter(|row| row.is_multiple_of(10)).count();
    assert!(right >= 20 && right as f64 > 0.7 * told.suspicious.len() as f64, "{:?}", told.suspicious);
    assert!((told.share - 0.1).abs() < 0.07, "{}", told.share);
}

#[test]
fn right_pairs_are_not_suspected() {
    let told = Made::new(200, 1.0, 6).align(3).wrong_pairs.unwrap();
    assert!(told.suspicious.len() <= 2, "{:?}", told.suspicious);
}

#[test]
fn stored_alignments_rank_the_same_and_damage_is_noticed() {
    let made = Made::new(80, 1.0, 7);
    let alignment = made.align(4).alignment.unwrap();
    let (structure, mut tensors) = alignment.to_tensors();
    assert_eq!(Alignment::from_tensors(&structure, &tensors).unwrap(), alignment);
    let alike = alignment.similarity(made.left.row(0), made.right.row(0)).unwrap();
    assert!(alike > 0.5 && alike <= 1.0 + 1e-6, "{alike}");
    tensors.remove("left.mean");
    assert!(matches!(Alignment::from_tensors(&structure, &tensors), Err(TuneError::Head { .. })));
}

#[test]
fn the_same_on_any_number_of_threads() {
    let made = Made::new(100, 2.0, 8);
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| made.align(5))
    };
    assert_eq!(on(1), on(3));
}

#[test]
fn what_cannot_be_aligned_is_refused() {
    let made = Made::new(60, 1.0, 9);
    let refused = |left: &Matrix, right: &Matrix, groups: &[u32]| {
        align(left, right, groups, Seed(0), &NEVER).unwrap_err()
    };
    let few = Made::new(49, 1.0, 9);
    assert_eq!(refused(&few.left, &few.right, &groups(49)), TuneError::FewPairs { n: 49, fewest: 50 });
    assert_eq!(refused(&made.left, &made.right, &[0; 60]), TuneError::FewPairs { n: 1, fewest: 50 });
    assert!(matches!(refused(&made.left, &few.right, &groups(60)), TuneError::Rows { .. }));
    let mut bad = made.left.clone();
    bad.row_mut(3)[2] = f32::NAN;
    assert_eq!(
        refused(&bad, &made.right, &groups(60)),
        TuneError::NotFinite { set: "left".to_owned(), row: 3 }
    );
    let same = Matrix::from_vec(60, 4, vec![1.0; 240]);
    let aligned = align(&same, &made.right, &groups(60), Seed(0), &NEVER).unwrap();
    assert!(aligned.alignment.is_none(), "rows that are all the same share nothing");
    let alignment = made.align(1).alignment.unwrap();
    assert!(matches!(alignment.left.project(&[1.0]), Err(TuneError::Columns { .. })));
    assert!(matches!(alignment.left.project(&[f32::NAN; 60]), Err(TuneError::NotFinite { .. })));
}
