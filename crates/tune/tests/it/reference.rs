//! Comparison with a reference: motions are recovered, parts that do not lie alike are told, and what is planted stands out.

use linalg::{Seed, random};
use tune::TuneError;
use tune::detect::{Aligner, Evened, Fill, Grey, PIXEL_SIDE, PixelReference, Rigid, Size, photo_score};

const SIZE: Size = Size { height: 340, width: 480 };
/// Pixels of 256, and degrees: what registering may be off by.
const MOST_OFF: f32 = 0.3;
const MOST_DEGREES_OFF: f32 = 0.1;

/// Something that is printed or grown: blocks and strokes about the centre, in units of the long side.
struct Pattern {
    /// Centre, half sizes and brightness.
    blocks: Vec<([f32; 2], [f32; 2], f32)>,
    paper: f32,
}

impl Pattern {
    fn new(seed: u64) -> Self {
        let mut rng = Seed(seed).rng();
        let mut within = |from: f32, to: f32| from + (to - from) * random::uniform(&mut rng) as f32;
        let mut blocks: Vec<([f32; 2], [f32; 2], f32)> = (0..8)
            .map(|_| {
                (
                    [within(-0.4, 0.4), within(-0.3, 0.3)],
                    [within(0.02, 0.12), within(0.02, 0.08)],
                    within(30.0, 200.0),
                )
            })
            .collect();
        // Strokes as thin as print.
        blocks.extend((0..60).map(|at| {
            let long = within(0.01, 0.03);
            let half = if at % 2 == 0 { [long, 0.003] } else { [0.003, long] };
            ([within(-0.42, 0.42), within(-0.3, 0.3)], half, within(10.0, 90.0))
        }));
        Self { blocks, paper: 235.0 }
    }

    /// The brightness at a place; edges are as wide as a pixel.
    fn at(&self, x: f32, y: f32, pixel: f32) -> f32 {
        self.blocks.iter().fold(self.paper, |under, (centre, half, brightness)| {
            let cover = |at: f32, centre: f32, half: f32| {
                ((half - (at - centre).abs()) / pixel + 0.5).clamp(0.0, 1.0)
            };
            let part = cover(x, centre[0], half[0]) * cover(y, centre[1], half[1]);
            under + part * (brightness - under)
        })
    }

    /// A photo on which the part lies as `rigid` says, drawn from the pattern itself and not by the code that is tested.
    fn photo(&self, size: Size, rigid: Rigid) -> Grey {
        let long = size.long_side() as f32;
        let (sin, cos) = rigid.turn.sin_cos();
        let value = |at: usize| {
            let centred = |at: usize, side: usize| (at as f32 - (side as f32 - 1.0) / 2.0) / long;
            let x = centred(at % size.width, size.width) - rigid.shift_x;
            let y = centred(at / size.width, size.height) - rigid.shift_y;
            self.at(cos * x + sin * y, cos * y - sin * x, 1.0 / long)
        };
        Grey { height: size.height, width: size.width, values: (0..size.area()).map(value).collect() }
    }
}

/// Another exposure, a slope of light and noise.
fn taken(mut photo: Grey, seed: u64) -> Grey {
    let mut rng = Seed(seed).rng();
    let (gain, slope) = (0.8 + 0.3 * random::uniform(&mut rng) as f32, 0.1 * random::normal(&mut rng) as f32);
    for at in 0..photo.values.len() {
        let light = gain * (1.0 + slope * ((at % photo.width) as f32 / photo.width as f32 - 0.5));
        photo.values[at] =
            (photo.values[at] * light + 3.0 * random::normal(&mut rng) as f32).clamp(0.0, 255.0);
    }
    photo
}

fn jitter(seed: u64, shift: f32, turn: f32) -> Rigid {
    let mut rng = Seed(seed).derive("jitter").rng();
    let mut around = |most: f32| most * (2.0 * random::uniform(&mut rng) as f32 - 1.0);
    Rigid { shift_x: around(shift), shift_y: around(shift), turn: around(turn) }
}

/// Good photos of one print that lie nearly alike.
fn prints(n: u64) -> Vec<Grey> {
    let pattern = Pattern::new(1);
    (0..n).map(|at| taken(pattern.photo(SIZE, jitter(at, 0.02, 0.03)), at)).collect()
}

fn aligner(photos: &[Grey]) -> Aligner {
    let (aligner, correlation) = Aligner::fit(photos).unwrap();
    aligner.unwrap_or_else(|| panic!("the gate is shut at {correlation}"))
}

/// Photos laid over the reference at the size for comparing pixels.
fn registered(aligner: &Aligner, photos: &[Grey]) -> Vec<Grey> {
    let lay = |photo: &Grey| {
        let photo = photo.resized_to(aligner.size_at(PIXEL_SIDE));
        aligner.register(&photo).0.warp(&photo, Fill::Unknown)
    };
    photos.iter().map(lay).collect()
}

#[track_caller]
fn check_gate(photos: &[Grey], is_open: bool) -> f32 {
    let (aligner, correlation) = Aligner::fit(photos).unwrap();
    assert_eq!(aligner.is_some(), is_open, "correlation {correlation}");
    correlation
}

/// Compares what registering a photo on which the part lies as `truth` gives with it.
#[track_caller]
fn check_motion(aligner: &Aligner, photo: &Grey, truth: Rigid) -> f32 {
    let (got, correlation) = aligner.register(photo);
    let apart = 256.0 * (got.shift_x - truth.shift_x).hypot(got.shift_y - truth.shift_y);
    let degrees = (got.turn - truth.turn).abs().to_degrees();
    assert!(
        apart < MOST_OFF && degrees < MOST_DEGREES_OFF,
        "{apart} px, {degrees} degrees: {truth:?} {got:?}"
    );
    correlation
}

#[test]
fn known_motions_are_recovered() {
    for seed in 1..4 {
        let pattern = Pattern::new(seed);
        let still = pattern.photo(SIZE, Rigid::default());
        let aligner = aligner(&vec![still.clone(); 4]);
        for seed in 0..8 {
            let truth = jitter(seed, 0.06, 0.1);
            assert!(check_motion(&aligner, &taken(pattern.photo(SIZE, truth), seed), truth) > 0.9);
        }
        assert!(check_motion(&aligner, &still, Rigid::default()) > 0.9999);
    }
}

#[test]
fn white_paper_without_noise_does_not_hide_the_print() {
    let mut pattern = Pattern::new(7);
    pattern.blocks.truncate(3);
    let truth = Rigid { shift_x: 0.02, shift_y: -0.015, turn: 0.03 };
    let aligner = aligner(&vec![pattern.photo(SIZE, Rigid::default()); 4]);
    check_motion(&aligner, &pattern.photo(SIZE, truth), truth);
}

#[test]
fn a_defect_does_not_pull() {
    let pattern = Pattern::new(1);
    let aligner = aligner(&vec![pattern.photo(SIZE, Rigid::default()); 4]);
    let truth = jitter(3, 0.02, 0.03);
    let mut photo = pattern.photo(SIZE, truth);
    // A hundredth of the photo.
    (100..130).for_each(|y| photo.values[y * 480 + 200..][..60].fill(5.0));
    check_motion(&aligner, &photo, truth);
}

#[test]
fn the_gate_opens_for_prints_even_when_the_first_lies_upside_down() {
    let mut photos = prints(8);
    assert!(check_gate(&photos, true) > 0.97);
    photos[0].values.reverse();
    check_gate(&photos, true);
}

#[test]
fn the_gate_opens_for_sizes_that_differ_a_little_and_not_for_more() {
    let mut photos = prints(5);
    photos[2] = photos[2].resized_to(Size { height: 350, width: 466 });
    check_gate(&photos, true);
    photos[2] = photos[2].resized_to(Size { height: 380, width: 480 });
    assert_eq!(check_gate(&photos, false), 0.0);
    // One of a dozen is left aside, two are too many.
    let mut photos = prints(12);
    photos[2] = photos[2].resized_to(Size { height: 380, width: 480 });
    check_gate(&photos, true);
    photos[7] = photos[7].resized_to(Size { height: 380, width: 480 });
    assert_eq!(check_gate(&photos, false), 0.0);
}

#[test]
fn the_gate_stays_shut_for_textures_and_for_parts_in_free_orientation() {
    let texture = |seed: u64| {
        let mut rng = Seed(seed).rng();
        let coarse = Size { height: 30, width: 42 };
        let values = (0..coarse.area()).map(|_| 255.0 * random::uniform(&mut rng) as f32).collect();
        Grey { height: 30, width: 42, values }.resized_to(SIZE)
    };
    assert!(check_gate(&(0..6).map(texture).collect::<Vec<_>>(), false) < 0.85);
    let pattern = Pattern::new(1);
    let free = |seed: u64| taken(pattern.photo(SIZE, jitter(seed, 0.02, 3.1)), seed);
    assert!(check_gate(&(0..8).map(free).collect::<Vec<_>>(), false) < 0.85);
}

#[test]
fn a_planted_defect_is_the_brightest_spot_and_is_laid_back_where_it_was() {
    let good = prints(12);
    let aligner = aligner(&good);
    let (held_out, fitted) = good.split_first().unwrap();
    let reference = PixelReference::fit(&registered(&aligner, fitted)).unwrap();
    let mut broken = held_out.clone();
    // A scratch of 3 by 30 pixels on the photo.
    (150..153).for_each(|y| broken.values[y * 480 + 230..][..30].iter_mut().for_each(|v| *v *= 0.6));
    let maps: Vec<Grey> = registered(&aligner, &[held_out.clone(), broken.clone()])
        .iter()
        .map(|photo| reference.map(photo).unwrap())
        .collect();
    let (good, bad) = (photo_score(&maps[0]), photo_score(&maps[1]));
    assert!(bad > 2.0 * good, "{good} {bad}");
    let (rigid, _) = aligner.register(&broken.resized_to(aligner.size_at(PIXEL_SIDE)));
    let back = rigid.unwarp(&maps[1], broken.size());
    let brightest =
        (0..back.values.len()).max_by(|a, b| back.values[*a].total_cmp(&back.values[*b])).unwrap();
    let (y, x) = (brightest / 480, brightest % 480);
    assert!((149..=153).contains(&y) && (229..=260).contains(&x), "{y} {x}");
}

#[test]
fn light_and_missing_edges_do_not_score() {
    let good = prints(12);
    let aligner = aligner(&good);
    let reference = PixelReference::fit(&registered(&aligner, &good[2..])).unwrap();
    let usual = photo_score(&reference.map(&registered(&aligner, &good[..1])[0]).unwrap());
    let mut darker = good[0].clone();
    darker.values.iter_mut().for_each(|value| *value *= 0.7);
    let shifted = taken(Pattern::new(1).photo(SIZE, Rigid { shift_x: 0.05, ..Rigid::default() }), 99);
    let maps: Vec<(Grey, Grey)> = registered(&aligner, &[darker, shifted])
        .into_iter()
        .map(|photo| (reference.map(&photo).unwrap(), photo))
        .collect();
    for (map, _) in &maps {
        assert!(photo_score(map) < 2.0 * usual, "{} {usual}", photo_score(map));
    }
    let (map, photo) = &maps[1];
    let outside: Vec<f32> = photo
        .values
        .iter()
        .zip(&map.values)
        .filter(|(value, _)| value.is_nan())
        .map(|(_, score)| *score)
        .collect();
    assert!(!outside.is_empty() && outside.iter().all(|score| *score == 0.0));
}

#[test]
fn photos_evened_once_give_the_same_as_photos() {
    let photos: Vec<Grey> = prints(4).iter().map(|photo| photo.resized(90)).collect();
    let evened: Vec<Evened> = photos.iter().map(|photo| Evened::new(photo).unwrap()).collect();
    let reference = PixelReference::fit(&photos).unwrap();
    assert_eq!(PixelReference::fit_evened(&evened.iter().collect::<Vec<_>>()).unwrap(), reference);
    assert_eq!(reference.map_evened(&evened[1]), reference.map(&photos[1]));
}

#[test]
fn degenerate_photos_are_defined() {
    let constant = Grey { height: 60, width: 80, values: vec![77.0; 4800] };
    assert_eq!(check_gate(&vec![constant.clone(); 5], false), 0.0);
    let reference = PixelReference::fit(std::slice::from_ref(&constant)).unwrap();
    assert!(reference.map(&constant).unwrap().values.iter().all(|value| *value == 0.0));
    assert_eq!(check_gate(&prints(3), false), 0.0);
    assert_eq!(check_gate(&[], false), 0.0);
    let print = prints(1).remove(0);
    let aligner = aligner(&vec![print.clone(); 4]);
    assert_eq!(aligner.register(&constant), (Rigid::default(), 0.0));
    let mut broken = print.clone();
    broken.values[7] = f32::NAN;
    assert_eq!(aligner.register(&broken), (Rigid::default(), 0.0));
    assert!(matches!(
        Aligner::fit(&[print.clone(), broken.clone()]),
        Err(TuneError::NotFinite { row: 1, .. })
    ));
    let stripes = Grey { height: 60, width: 80, values: (0..4800).map(|at| (at % 9) as f32).collect() };
    check_gate(&vec![stripes; 4], true);
    for (height, width) in [(1, 1), (1, 300), (2, 9)] {
        let values = (0..height * width).map(|at| (at * 37 % 11) as f32).collect();
        Aligner::fit(&vec![Grey { height, width, values }; 4]).unwrap();
    }
    assert_eq!(PixelReference::fit(&[]), Err(TuneError::Empty));
    let other = print.resized(40);
    assert!(matches!(PixelReference::fit(&[print, other]), Err(TuneError::PhotoSize { photo: 1, .. })));
}

#[test]
fn nothing_depends_on_threads() {
    let photos = prints(5);
    let all = || {
        let aligner = aligner(&photos);
        let registered = registered(&aligner, &photos);
        let reference = PixelReference::fit(&registered).unwrap();
        let map = reference.map(&registered[0]).unwrap();
        (aligner, reference, map)
    };
    let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    assert_eq!(pool(1).install(all), pool(3).install(all));
}

#[test]
fn both_are_stored_whole_and_checked_on_load() {
    let photos = prints(4);
    let aligner = aligner(&photos);
    let (structure, tensors) = aligner.to_tensors();
    assert_eq!(Aligner::from_tensors(&structure, &tensors).unwrap(), aligner);
    assert!(Aligner::from_tensors(&serde_json::json!({"height": 10, "width": 480}), &tensors).is_err());
    let reference = PixelReference::fit(&registered(&aligner, &photos)).unwrap();
    let (structure, mut tensors) = reference.to_tensors();
    assert_eq!(PixelReference::from_tensors(&structure, &tensors).unwrap(), reference);
    tensors.get_mut("deviation").unwrap().1[3] = 0.0;
    assert!(PixelReference::from_tensors(&structure, &tensors).is_err());
    tensors.remove("deviation");
    assert!(PixelReference::from_tensors(&structure, &tensors).is_err());
}
