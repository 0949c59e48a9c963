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
        align(self.pairs(&groups(self.left.rows()), Spaces::Two), Seed(seed), &NEVER).unwrap()
    }

    fn pairs<'a>(&'a self, groups: &'a [u32], spaces: Spaces) -> Pairs<'a> {
        Pairs { left: &self.left, right: &self.right, groups, spaces }
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
        align(Pairs { left, right, groups, spaces: Spaces::Two }, Seed(0), &NEVER).unwrap_err()
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
    let all = groups(60);
    let pairs = Pairs { left: &same, right: &made.right, groups: &all, spaces: Spaces::Two };
    let aligned = align(pairs, Seed(0), &NEVER).unwrap();
    assert!(aligned.alignment.is_none(), "rows that are all the same share nothing");
    let one = |n: usize| align(Pairs { groups: &all[..n], spaces: Spaces::One, ..pairs }, Seed(0), &NEVER);
    assert!(matches!(one(60), Err(TuneError::Columns { .. })), "one space has one length");
    let alignment = made.align(1).alignment.unwrap();
    assert!(matches!(alignment.left.project(&[1.0]), Err(TuneError::Columns { .. })));
    assert!(matches!(alignment.left.project(&[f32::NAN; 60]), Err(TuneError::NotFinite { .. })));
}

/// Pairs of which both sides see the same thing in one space, `noise` apart.
fn towers(n: usize, noise: f64, seed: u64) -> Made {
    let (things, dim) = (normal(n, 24, 1.0, Seed(seed)), 24);
    let side = |side: usize| {
        let off = normal(n, dim, noise, Seed(seed).nth(side));
        let mut x = things.clone();
        x.data_mut().iter_mut().zip(off.data()).for_each(|(x, off)| *x += off);
        x
    };
    Made { left: side(0), right: side(1) }
}

#[test]
fn one_space_is_used_as_it_is_where_pairs_teach_nothing() {
    let (few, nine) = (towers(9, 0.5, 3), groups(9));
    let refused = align(few.pairs(&nine, Spaces::One), Seed(1), &NEVER).unwrap_err();
    assert_eq!(refused, TuneError::FewPairs { n: 9, fewest: 10 });
    for n in [10, 20, 120] {
        let (made, groups) = (towers(n, 0.5, 3), groups(n));
        let aligned = align(made.pairs(&groups, Spaces::One), Seed(1), &NEVER).unwrap();
        assert_eq!(aligned.method, Method::AsItIs, "{n} pairs");
        assert_eq!(aligned.tried.len(), if n < FEWEST_PAIRS { 1 } else { 3 });
        assert_eq!(aligned.alignment, Some(Alignment::as_it_is(24)));
        assert!(aligned.tried[0].reciprocal_rank > 0.9, "{n}: {:?}", aligned.tried[0]);
    }
    // A side that was turned away is turned back.
    let made = towers(300, 0.5, 4);
    let turned = Made {
        right: Matrix::from_rows(
            &made
                .right
                .iter_rows()
                .map(|row| row.iter().rev().copied().collect::<Vec<_>>())
                .collect::<Vec<_>>(),
        ),
        ..made
    };
    let aligned = align(turned.pairs(&groups(300), Spaces::One), Seed(1), &NEVER).unwrap();
    assert!(aligned.method > Method::AsItIs && aligned.alignment.is_some(), "{:?}", aligned.method);
    // Pairs that are none share nothing, however good the base.
    let none = towers(120, 0.5, 5).shuffled(1);
    assert!(align(none.pairs(&groups(120), Spaces::One), Seed(1), &NEVER).unwrap().alignment.is_none());
}

#[test]
fn projectors_find_partners_and_repeat_themselves() {
    let made = Made::new(400, 2.0, 11);
    let [x, y] = [&made.left, &made.right].map(|side| Space::new(&side.map(f64::from)));
    let test = Made::new(500, 2.0, 12);
    let learned = projectors::fit(&x, &y, Seed(1));
    let (ours, plain) = (test.found(&learned), test.found(&cca::fit(&x, &y, cca::RIDGE, Seed(1)).unwrap()));
    assert!(ours > 0.75 * plain, "{ours}, correlations {plain}");
    assert_eq!(projectors::fit(&x, &y, Seed(1)), learned, "the same seed learns the same");
}
