//! Detectors of defects: what is planted is found, what is held out was not seen, and nothing depends on threads.

use linalg::{Cell, Matrix, Seed, random};
use tune::TuneError;
use tune::detect::{
    Bank, MemoryConfig, MilInput, PatchLogit, PatchMemory, Patches, Scaling, Subspace, SubspaceKind,
    balanced_weights, fit_patches, fit_without_masks,
};

const DIM: usize = 24;
/// Patches of a photo: a grid of 6 by 8.
const TALL: u16 = 6;
const WIDE: u16 = 8;
const PER_PHOTO: usize = (TALL * WIDE) as usize;

const KINDS: [SubspaceKind; 2] =
    [SubspaceKind::Residual { explained: 0.95 }, SubspaceKind::Mahalanobis { shrinkage: 0.01 }];

/// Features with photo numbers and places.
#[derive(Clone)]
struct Set {
    x: Matrix,
    photos: Vec<u32>,
    cells: Vec<Cell>,
}

impl Set {
    fn patches(&self) -> Patches<'_> {
        Patches { x: self.x.view(), photos: &self.photos, cells: &self.cells }
    }

    fn rows(&self, keep: impl Fn(usize) -> bool) -> (Self, Vec<usize>) {
        let rows: Vec<usize> = (0..self.x.rows()).filter(|row| keep(*row)).collect();
        let set = Self {
            x: self.x.select_rows(&rows),
            photos: rows.iter().map(|row| self.photos[*row]).collect(),
            cells: rows.iter().map(|row| self.cells[*row]).collect(),
        };
        (set, rows)
    }
}

/// Photos of one part: what a patch looks like depends on its place; all vary in four directions, and a little in all.
fn good(n_photos: usize, seed: u64) -> Set {
    let mut common = Seed(77).rng();
    let mut draw = |n: usize| -> Vec<f64> { (0..n).map(|_| random::normal(&mut common)).collect() };
    let (places, directions) = (draw(PER_PHOTO * 3), draw(4 * DIM));
    let mut rng = Seed(seed).rng();
    let mut set = Set { x: Matrix::zeros(n_photos * PER_PHOTO, DIM), photos: Vec::new(), cells: Vec::new() };
    for photo in 0..n_photos {
        for place in 0..PER_PHOTO {
            let inside = [
                places[place * 3],
                places[place * 3 + 1],
                places[place * 3 + 2],
                0.15 * random::normal(&mut rng),
            ];
            let row = set.x.row_mut(photo * PER_PHOTO + place);
            for (col, value) in row.iter_mut().enumerate() {
                let sum: f64 = (0..4).map(|j| inside[j] * directions[j * DIM + col]).sum();
                *value = (2.0 + sum + 0.05 * random::normal(&mut rng)) as f32;
            }
            set.photos.push(10 + photo as u32);
            let place = place as u16;
            set.cells.push(Cell { row: place / WIDE, col: place % WIDE });
        }
    }
    set
}

/// Spoils some patches of a set; returns 1 for those.
fn spoil(set: &mut Set, rows: &[usize]) -> Vec<f32> {
    let mut rng = Seed(5).rng();
    let dent: Vec<f64> = (0..DIM).map(|_| random::normal(&mut rng)).collect();
    let mut spoiled = vec![0.0; set.x.rows()];
    for row in rows {
        set.x.row_mut(*row).iter_mut().zip(&dent).for_each(|(value, dent)| *value += 1.2 * *dent as f32);
        spoiled[*row] = 1.0;
    }
    spoiled
}

/// Every spoiled patch scores above every good one.
#[track_caller]
fn apart(scores: &[f32], spoiled: &[f32]) {
    let of =
        |kind: f32| scores.iter().zip(spoiled).filter(move |(_, s)| **s == kind).map(|(score, _)| *score);
    let (least, most) = (of(1.0).fold(f32::INFINITY, f32::min), of(0.0).fold(f32::NEG_INFINITY, f32::max));
    assert!(least > most, "spoiled from {least}, good up to {most}");
}

fn everything(scaling: Scaling) -> MemoryConfig {
    MemoryConfig { scaling, share: 1.0, most: usize::MAX, projection: 0 }
}

#[test]
fn planted_defects_are_found() {
    let train = good(8, 1);
    let mut test = good(3, 2);
    let spoiled = spoil(&mut test, &[4, 60, 61, 100]);
    // A tenth of these few patches would be fewer than there are places.
    let configs = [
        MemoryConfig { share: 0.3, ..MemoryConfig::default() },
        everything(Scaling::None),
        MemoryConfig { projection: 8, share: 0.3, ..MemoryConfig::default() },
        MemoryConfig { scaling: Scaling::Columns, share: 0.3, ..MemoryConfig::default() },
    ];
    for config in configs {
        let memory = PatchMemory::fit(&train.patches(), &config, Seed(0)).unwrap();
        apart(&memory.distances(test.x.view()).unwrap(), &spoiled);
        apart(&memory.distances_near(test.x.view(), &test.cells, 2).unwrap(), &spoiled);
    }
    for kind in KINDS {
        let subspace = Subspace::fit(&train.patches(), kind).unwrap();
        apart(&subspace.scores(test.x.view()).unwrap(), &spoiled);
    }
}

#[test]
fn a_good_patch_in_the_wrong_place_is_found_by_place_only() {
    let train = good(8, 1);
    let test = good(1, 3);
    let mut moved = test.clone();
    let other = test.x.row(PER_PHOTO - 1).to_vec();
    moved.x.row_mut(0).copy_from_slice(&other);
    let memory = PatchMemory::fit(&train.patches(), &everything(Scaling::Unit), Seed(0)).unwrap();
    let anywhere = memory.distances(moved.x.view()).unwrap();
    let near = memory.distances_near(moved.x.view(), &moved.cells, 0).unwrap();
    assert!(near[0] > 3.0 * anywhere[0], "{} {}", near[0], anywhere[0]);
    // Beyond the grid there is nothing near, and the nearest of all counts.
    let outside = vec![Cell { row: 60, col: 60 }; PER_PHOTO];
    assert_eq!(memory.distances_near(moved.x.view(), &outside, 1).unwrap(), anywhere);
}

#[test]
fn held_out_distances_are_those_by_a_memory_without_the_photo() {
    let set = good(5, 1);
    for scaling in [Scaling::None, Scaling::Unit, Scaling::Columns] {
        let scored = PatchMemory::fit_scored(&set.patches(), &everything(scaling), Seed(0)).unwrap();
        for photo in set.patches().distinct_photos() {
            let (others, _) = set.rows(|row| set.photos[row] != photo);
            let (own, rows) = set.rows(|row| set.photos[row] == photo);
            let memory = PatchMemory::fit(&others.patches(), &everything(scaling), Seed(0)).unwrap();
            let held_out: Vec<f32> = rows.iter().map(|row| scored.held_out[*row]).collect();
            assert_eq!(memory.distances(own.x.view()).unwrap(), held_out, "{scaling:?} {photo}");
        }
    }
}

#[test]
fn held_out_scores_are_those_by_a_subspace_without_the_part() {
    /// Of scores: means and products are added in another order, and the map is rounded to single precision.
    const ROUNDING: f32 = 1e-3;
    for n_photos in [4, 23] {
        let set = good(n_photos, 1);
        for kind in KINDS {
            let scored = Subspace::fit_scored(&set.patches(), kind).unwrap();
            let parts = if n_photos > 16 { 10 } else { n_photos as u32 };
            for part in 0..parts {
                let (others, _) = set.rows(|row| (set.photos[row] - 10) % parts != part);
                let (own, rows) = set.rows(|row| (set.photos[row] - 10) % parts == part);
                let slow = Subspace::fit(&others.patches(), kind).unwrap().scores(own.x.view()).unwrap();
                for (row, slow) in rows.iter().zip(slow) {
                    let fast = scored.held_out[*row];
                    assert!((fast - slow).abs() <= ROUNDING * slow, "{kind:?} {row}: {fast} {slow}");
                }
            }
        }
    }
}

#[test]
fn nothing_depends_on_threads_or_on_company() {
    let set = good(20, 1);
    let targets = spoil(&mut set.clone(), &[3, 700]);
    let weights = balanced_weights(&targets, &set.photos);
    let config = MemoryConfig { scaling: Scaling::Columns, ..MemoryConfig::default() };
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let memory = PatchMemory::fit_scored(&set.patches(), &config, Seed(1)).unwrap();
            let subspace = Subspace::fit_scored(&set.patches(), KINDS[1]).unwrap();
            let logit = fit_patches(set.x.view(), &targets, &weights, 1.0).unwrap();
            let logits = logit.logits(set.x.view()).unwrap();
            (memory.detector.to_tensors(), memory.held_out, subspace, logit, logits)
        })
    };
    let expected = run(1);
    assert_eq!(run(2), expected);
    assert_eq!(run(3), expected);
    let memory = PatchMemory::fit(&set.patches(), &config, Seed(1)).unwrap();
    let together = memory.distances(set.x.view()).unwrap();
    let scores = expected.2.detector.scores(set.x.view()).unwrap();
    for row in [0, 77, 959] {
        let alone = set.x.select_rows(&[row]);
        assert_eq!(memory.distances(alone.view()).unwrap(), together[row..=row]);
        assert_eq!(expected.2.detector.scores(alone.view()).unwrap(), scores[row..=row]);
        assert_eq!(expected.3.logits(alone.view()).unwrap(), expected.4[row..=row]);
    }
}

#[test]
fn half_precision_changes_no_distance_by_more_than_a_thousandth_of_the_length() {
    let (train, test) = (good(4, 1), good(1, 2));
    let memory = PatchMemory::fit(&train.patches(), &everything(Scaling::None), Seed(0)).unwrap();
    let rounded = memory.distances(test.x.view()).unwrap();
    let index = linalg::NearestIndex::new(train.x.view());
    let exact = index.nearest(train.x.view(), test.x.view(), linalg::Limits::default());
    for (row, (rounded, exact)) in rounded.iter().zip(exact).enumerate() {
        let length = linalg::dot(test.x.row(row), test.x.row(row)).sqrt() as f32;
        assert!((rounded - exact.unwrap().distance).abs() < 1e-3 * length);
    }
    let mut large = train.clone();
    large.x.row_mut(3)[2] = 1e6;
    let error = PatchMemory::fit(&large.patches(), &everything(Scaling::None), Seed(0)).unwrap_err();
    assert_eq!(error, TuneError::TooLargeForHalf { row: 3 });
}

#[test]
fn copies_and_sameness_are_at_distance_zero() {
    let mut set = good(3, 1);
    for row in 0..set.x.rows() {
        set.x.row_mut(row).fill(0.5);
    }
    for scaling in [Scaling::None, Scaling::Unit, Scaling::Columns] {
        let config = MemoryConfig { scaling, share: 0.5, ..MemoryConfig::default() };
        let memory = PatchMemory::fit(&set.patches(), &config, Seed(0)).unwrap();
        assert_eq!(memory.len(), 1);
        assert!(memory.distances(set.x.view()).unwrap().iter().all(|distance| *distance < 1e-3));
        // All of the bank is from one photo, so that this one has nothing to be compared with.
        let error = PatchMemory::fit_scored(&set.patches(), &config, Seed(0)).unwrap_err();
        assert_eq!(error, TuneError::OnePhoto);
        let whole = everything(scaling);
        let scored = PatchMemory::fit_scored(&set.patches(), &whole, Seed(0)).unwrap();
        assert!(scored.held_out.iter().all(|distance| *distance < 1e-3));
    }
    for kind in KINDS {
        let scored = Subspace::fit_scored(&set.patches(), kind).unwrap();
        assert!(scored.held_out.iter().all(|score| *score < 1e-6));
    }
}

#[test]
fn one_photo_makes_detectors_but_cannot_be_held_out() {
    let set = good(1, 1);
    let config = MemoryConfig::default();
    assert!(PatchMemory::fit(&set.patches(), &config, Seed(0)).is_ok());
    assert_eq!(PatchMemory::fit_scored(&set.patches(), &config, Seed(0)).unwrap_err(), TuneError::OnePhoto);
    for kind in KINDS {
        assert!(Subspace::fit(&set.patches(), kind).is_ok());
        assert_eq!(Subspace::fit_scored(&set.patches(), kind).unwrap_err(), TuneError::OnePhoto);
    }
}

#[test]
fn what_is_no_number_or_does_not_fit_is_refused() {
    let fine = good(2, 1);
    let mut set = fine.clone();
    set.x.row_mut(7)[1] = f32::NAN;
    let not_finite = TuneError::NotFinite { set: "patches".into(), row: 7 };
    assert_eq!(not_finite.to_string(), "feature set `patches` has a value that is not finite in row 7");
    let (config, kind) = (MemoryConfig::default(), KINDS[0]);
    assert_eq!(PatchMemory::fit(&set.patches(), &config, Seed(0)).unwrap_err(), not_finite);
    assert_eq!(Subspace::fit(&set.patches(), kind).unwrap_err(), not_finite);
    let memory = PatchMemory::fit(&fine.patches(), &config, Seed(0)).unwrap();
    assert_eq!(memory.distances(set.x.view()).unwrap_err(), not_finite);
    let narrow = Matrix::zeros(1, 3);
    let columns = TuneError::PatchColumns { got: 3, expected: DIM };
    assert_eq!(memory.distances(narrow.view()).unwrap_err(), columns);
    let short = Patches { photos: &fine.photos[1..], ..fine.patches() };
    let sizes = TuneError::Patches { what: "the photo numbers", got: 95, expected: 96 };
    assert_eq!(Subspace::fit(&short, kind).unwrap_err(), sizes);
    let none = fine.rows(|_| false).0;
    assert_eq!(PatchMemory::fit(&none.patches(), &config, Seed(0)).unwrap_err(), TuneError::Empty);
    for config in [MemoryConfig { share: 0.0, ..config.clone() }, MemoryConfig { most: 0, ..config }] {
        let error = PatchMemory::fit(&fine.patches(), &config, Seed(0)).unwrap_err();
        assert!(matches!(error, TuneError::Setting { .. }));
    }
}

#[test]
fn detectors_come_back_from_their_tensors() {
    let set = good(4, 1);
    let test = good(1, 9);
    for scaling in [Scaling::None, Scaling::Unit, Scaling::Columns] {
        let config = MemoryConfig { scaling, ..MemoryConfig::default() };
        let memory = PatchMemory::fit(&set.patches(), &config, Seed(0)).unwrap();
        let (structure, tensors) = memory.to_tensors();
        let bank = |rows: usize| {
            let bytes = memory.bank().bytes();
            Bank::from_bytes(&[rows, DIM], bytes.slice(..2 * rows * DIM)).unwrap()
        };
        let back = PatchMemory::from_tensors(&structure, &tensors, bank(memory.len())).unwrap();
        assert_eq!(back.distances(test.x.view()).unwrap(), memory.distances(test.x.view()).unwrap());
        let damaged = PatchMemory::from_tensors(&structure, &tensors, bank(memory.len() - 1)).unwrap_err();
        assert!(matches!(damaged, TuneError::Detector { .. }), "{damaged}");
    }
    for kind in KINDS {
        let subspace = Subspace::fit(&set.patches(), kind).unwrap();
        let (structure, mut tensors) = subspace.to_tensors();
        assert_eq!(Subspace::from_tensors(&structure, &tensors).unwrap(), subspace);
        tensors.get_mut("mean").unwrap().1[0] = f32::NAN;
        assert!(Subspace::from_tensors(&structure, &tensors).is_err());
    }
    let logit = PatchLogit { weight: vec![1.0, -2.0], bias: 0.5 };
    let (structure, mut tensors) = logit.to_tensors();
    assert_eq!(PatchLogit::from_tensors(&structure, &tensors).unwrap(), logit);
    tensors.remove("bias");
    assert!(PatchLogit::from_tensors(&structure, &tensors).is_err());
}

#[test]
fn marked_defects_are_learned_and_each_photo_counts_once() {
    let mut set = good(6, 1);
    let rows: Vec<usize> = (0..20).chain([PER_PHOTO + 5]).collect();
    let targets = spoil(&mut set, &rows);
    let weights = balanced_weights(&targets, &set.photos);
    let sum = |kind: f32, photo: u32| -> f32 {
        let rows = (0..targets.len()).filter(|row| targets[*row] == kind && set.photos[*row] == photo);
        rows.map(|row| weights[row]).sum()
    };
    assert!((sum(1.0, 10) - 1.0).abs() < 1e-5 && (sum(1.0, 11) - 1.0).abs() < 1e-5);
    let good_weight: f32 = (10..16).map(|photo| sum(0.0, photo)).sum();
    assert!((good_weight - 2.0).abs() < 1e-4);
    let logit = fit_patches(set.x.view(), &targets, &weights, 0.1).unwrap();
    let mut test = good(2, 4);
    let spoiled = spoil(&mut test, &[9, 50]);
    apart(&logit.logits(test.x.view()).unwrap(), &spoiled);
    // A row of weight 0 is as good as absent.
    let mut odd = set.clone();
    let mut without = weights.clone();
    without[40] = 0.0;
    let expected = fit_patches(odd.x.view(), &targets, &without, 0.1).unwrap();
    let mut flipped = targets.clone();
    flipped[40] = 1.0;
    assert_eq!(fit_patches(odd.x.view(), &flipped, &without, 0.1).unwrap(), expected);
    odd.x.row_mut(0)[0] = f32::INFINITY;
    assert!(fit_patches(odd.x.view(), &targets, &weights, 0.1).is_err());
}

#[test]
fn targets_and_weights_out_of_range_are_refused() {
    let x = Matrix::from_rows(&[[1.0], [2.0], [3.0]]);
    let fit = |targets: [f32; 3], weights: [f32; 3]| fit_patches(x.view(), &targets, &weights, 1.0);
    assert!(fit([0.0, 0.4, 1.0], [1.0; 3]).is_ok());
    assert!(matches!(fit([0.0, 1.5, 1.0], [1.0; 3]), Err(TuneError::Soft { row: 1, .. })));
    assert!(matches!(fit([0.0, f32::NAN, 1.0], [1.0; 3]), Err(TuneError::Soft { row: 1, .. })));
    assert!(matches!(fit([0.0, 0.5, 1.0], [1.0, 1.0, -1.0]), Err(TuneError::Soft { row: 2, .. })));
    assert!(matches!(fit([0.0; 3], [1.0; 3]), Err(TuneError::OneKind { .. })));
    assert!(matches!(fit([0.0, 1.0, 1.0], [0.0, 1.0, 1.0]), Err(TuneError::OneKind { .. })));
    assert!(matches!(fit_patches(x.view(), &[0.0, 1.0], &[1.0; 3], 1.0), Err(TuneError::Patches { .. })));
}

#[test]
fn soft_targets_are_met_on_average() {
    let x = Matrix::from_vec(4, 1, vec![0.0; 4]);
    let logit = fit_patches(x.view(), &[0.2, 0.4, 0.9, 0.5], &[1.0; 4], 1.0).unwrap();
    let p = linalg::logits::sigmoid(f64::from(logit.bias));
    assert!((p - 0.5).abs() < 1e-4, "{p}");
}

#[test]
fn defects_are_learned_without_marks() {
    let mut set = good(8, 1);
    spoil(&mut set, &[7, PER_PHOTO + 30]);
    let clean = good(8, 6);
    let memory = PatchMemory::fit(&clean.patches(), &everything(Scaling::Unit), Seed(0)).unwrap();
    let suspicion = memory.distances(set.x.view()).unwrap();
    let input = MilInput { patches: set.patches(), defects: &[10, 11], suspicion: &suspicion };
    let logit = fit_without_masks(&input, 0.1).unwrap();
    let logits = logit.logits(set.x.view()).unwrap();
    let top = |photo: usize| {
        let rows = photo * PER_PHOTO..(photo + 1) * PER_PHOTO;
        rows.max_by(|a, b| logits[*a].total_cmp(&logits[*b])).unwrap()
    };
    assert_eq!([top(0), top(1)], [7, PER_PHOTO + 30]);
    assert!((2..8).all(|photo| logits[top(photo)] < 0.0) && logits[7] > 0.0);
    for defects in [&[][..], &[10, 11, 12, 13, 14, 15, 16, 17]] {
        let error = fit_without_masks(&MilInput { defects, ..input }, 0.1).unwrap_err();
        assert!(matches!(error, TuneError::OneKind { .. }));
    }
}
