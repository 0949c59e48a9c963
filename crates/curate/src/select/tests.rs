//! What holds for every method, and what each is for.

use linalg::{Matrix, Seed, random, squared_distance};

use super::*;

/// `k` clouds of unequal sizes far apart: cloud `c` has every `c + 2`-nd share; rows of one cloud do not follow each other.
fn clouds(n: usize, d: usize, k: usize) -> (Matrix, Vec<u32>) {
    let mut rng = Seed(4).rng();
    let centres: Vec<f64> = (0..k * d).map(|_| 4.0 * random::normal(&mut rng)).collect();
    let of: Vec<u32> =
        (0..n).map(|_| random::below(&mut rng, k).min(random::below(&mut rng, k)) as u32).collect();
    let values = (0..n * d)
        .map(|at| (centres[of[at / d] as usize * d + at % d] + 0.4 * random::normal(&mut rng)) as f32);
    let x = Matrix::from_vec(n, d, values.collect());
    (x, of)
}

fn pool<'a>(x: &'a Matrix, known: &'a [bool]) -> Pool<'a> {
    Pool { x: x.view(), known, margins: None, n_classes: None }
}

fn rows(selection: &Selection) -> Vec<usize> {
    selection.picks.iter().map(|pick| pick.row).collect()
}

#[track_caller]
fn chosen(pool: Pool<'_>, method: Method, count: usize) -> Selection {
    let found = select(pool, method, Budget::Examples(count), Halves::Chosen, Seed(1)).unwrap();
    let mut distinct = rows(&found);
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), found.picks.len(), "{}", method.name());
    assert!(distinct.iter().all(|row| !pool.known[*row]));
    found
}

#[test]
fn every_method_fills_the_budget_with_unknown_rows_in_the_same_way_on_any_number_of_threads() {
    let (x, _) = clouds(300, 12, 6);
    let known: Vec<bool> = (0..300).map(|row| row % 29 == 0).collect();
    let margins: Vec<f64> = (0..300).map(|row| f64::from(row * 7 % 300) / 300.0).collect();
    for method in Method::ALL {
        let pool = Pool { margins: Some(&margins), n_classes: Some(6), ..pool(&x, &known) };
        let expected = chosen(pool, method, 20);
        assert_eq!(expected.picks.len(), 20, "{}", method.name());
        for threads in [1, 3] {
            let workers = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            assert_eq!(workers.install(|| chosen(pool, method, 20)), expected);
        }
    }
}

#[test]
fn groups_get_one_example_each_and_what_is_known_counts() {
    let (x, of) = clouds(400, 10, 5);
    for method in [Method::Centroids, Method::Typiclust, Method::FacilityLocation] {
        let nothing = [false; 400];
        let found = chosen(Pool { n_classes: Some(5), ..pool(&x, &nothing) }, method, 5);
        let mut met: Vec<u32> = rows(&found).iter().map(|row| of[*row]).collect();
        met.sort_unstable();
        assert_eq!(met, [0, 1, 2, 3, 4], "{}", method.name());
        // With three clouds labelled, the two others come first.
        let mut known = [false; 400];
        for cloud in [0, 2, 4] {
            let row = of.iter().position(|own| *own == cloud).unwrap();
            known[row] = true;
        }
        let found = chosen(Pool { n_classes: Some(5), ..pool(&x, &known) }, method, 2);
        let mut met: Vec<u32> = rows(&found).iter().map(|row| of[*row]).collect();
        met.sort_unstable();
        assert_eq!(met, [1, 3], "{}", method.name());
    }
}

#[test]
fn balls_that_cover_most_reach_all_groups_but_perhaps_the_smallest() {
    // How large balls are follows from groups that k-means sees: one of 16 examples beside one of 150 may not be among them.
    let (x, of) = clouds(400, 10, 5);
    let found = chosen(Pool { n_classes: Some(5), ..pool(&x, &[false; 400]) }, Method::Probcover, 5);
    let mut met: Vec<u32> = rows(&found).iter().map(|row| of[*row]).collect();
    met.sort_unstable();
    met.dedup();
    assert!(met.starts_with(&[0, 1, 2, 3]), "{met:?}");
}

#[test]
fn the_first_centroid_is_that_of_the_largest_group_and_says_so() {
    let (x, of) = clouds(400, 10, 5);
    let found = chosen(pool(&x, &[false; 400]), Method::Centroids, 5);
    let largest = of.iter().filter(|own| **own == 0).count();
    assert_eq!(of[found.picks[0].row], 0);
    let Why::Middle { group, known: 0 } = found.picks[0].why else { panic!("{:?}", found.picks[0]) };
    assert!(group.abs_diff(largest) <= 2, "{group} {largest}");
}

#[test]
fn unsure_examples_are_picked_from_different_places() {
    let (x, of) = clouds(400, 10, 5);
    // Two clouds are unsure, one of them in one place a little more.
    let mut margins: Vec<f64> = of.iter().map(|own| [0.9, 0.1, 0.9, 0.1, 0.9][*own as usize]).collect();
    let least = of.iter().position(|own| *own == 1).unwrap();
    margins[least] = 0.05;
    let known = [false; 400];
    let found = chosen(Pool { margins: Some(&margins), ..pool(&x, &known) }, Method::Margin, 2);
    let met: Vec<u32> = rows(&found).iter().map(|row| of[*row]).collect();
    assert!(met == [1, 3] || met == [3, 1], "{met:?}");
    assert!(matches!(found.picks[0].why, Why::Unsure { margin, group } if margin <= 0.1 && group > 1));
}

#[test]
fn the_random_half_does_not_depend_on_the_method_and_alternates() {
    let (x, _) = clouds(200, 8, 4);
    let known = [false; 200];
    let half = |method, half| -> Vec<usize> {
        let found = select(pool(&x, &known), method, Budget::Examples(11), Halves::Mixed, Seed(3)).unwrap();
        let halves: Vec<Half> = found.picks.iter().map(|pick| pick.half).collect();
        assert_eq!(&halves[..3], [Half::Chosen, Half::Random, Half::Chosen]);
        found.picks.iter().filter(|pick| pick.half == half).map(|pick| pick.row).collect()
    };
    assert_eq!(half(Method::Centroids, Half::Random), half(Method::KCentre, Half::Random));
    assert_eq!(
        (half(Method::Centroids, Half::Chosen).len(), half(Method::Centroids, Half::Random).len()),
        (6, 5)
    );
}

#[test]
fn the_random_half_is_even() {
    let (x, _) = clouds(40, 8, 4);
    let mut times = [0; 40];
    for seed in 0..400 {
        let budget = Budget::Examples(10);
        let found =
            select(pool(&x, &[false; 40]), Method::KCentre, budget, Halves::Mixed, Seed(seed)).unwrap();
        found.picks.iter().filter(|pick| pick.half == Half::Random).for_each(|pick| times[pick.row] += 1);
    }
    // 50 are expected of each; 5 standard deviations are 33.
    assert!(times.iter().all(|times| (17..84).contains(times)), "{times:?}");
}

#[test]
fn copies_of_labelled_and_of_picked_rows_are_left_out() {
    let (x, _) = clouds(60, 8, 3);
    // The last thirty are copies of the first: of labelled rows the first ten.
    let order: Vec<usize> = (0..60).chain(0..30).collect();
    let x = x.select_rows(&order);
    let known: Vec<bool> = (0..90).map(|row| row < 10).collect();
    for method in [Method::Centroids, Method::KCentre, Method::Random] {
        let found = chosen(pool(&x, &known), method, 90);
        assert_eq!((found.picks.len(), found.n_copies), (50, 30), "{}", method.name());
        assert!(rows(&found).iter().all(|row| *row < 60));
    }
}

/// The plain greedy algorithm for facility location on all cosines.
fn plain_greedy(x: &Matrix, count: usize) -> Vec<usize> {
    let unit = |row: &[f32]| {
        let length = row.iter().map(|value| value * value).sum::<f32>().sqrt();
        row.iter().map(|value| value / length).collect::<Vec<f32>>()
    };
    let rows: Vec<Vec<f32>> = x.iter_rows().map(unit).collect();
    let mean = |col: usize| rows.iter().map(|row| row[col]).sum::<f32>() / rows.len() as f32;
    let mean: Vec<f32> = (0..x.cols()).map(mean).collect();
    let centred =
        |row: &Vec<f32>| unit(&row.iter().zip(&mean).map(|(value, mean)| value - mean).collect::<Vec<_>>());
    let rows: Vec<Vec<f32>> = rows.iter().map(centred).collect();
    let like = |a: usize, b: usize| f64::from(1.0 - 0.5 * squared_distance(&rows[a], &rows[b])).max(0.0);
    let (mut picks, mut best) = (Vec::new(), vec![0.0_f64; rows.len()]);
    for _ in 0..count {
        let gain =
            |place: usize| (0..rows.len()).map(|at| (like(at, place) - best[at]).max(0.0)).sum::<f64>();
        let gains: Vec<f64> =
            (0..rows.len()).map(|place| if picks.contains(&place) { -1.0 } else { gain(place) }).collect();
        let top = (0..rows.len()).fold(0, |top, place| if gains[place] > gains[top] { place } else { top });
        picks.push(top);
        (0..rows.len()).for_each(|at| best[at] = best[at].max(like(at, top)));
    }
    picks
}

#[test]
fn facility_location_picks_what_the_plain_algorithm_picks() {
    let (x, _) = clouds(90, 6, 4);
    assert_eq!(rows(&chosen(pool(&x, &[false; 90]), Method::FacilityLocation, 12)), plain_greedy(&x, 12));
}

#[test]
fn costs_are_kept_to_and_cheap_examples_come_first() {
    let (x, _) = clouds(120, 6, 4);
    let known = [false; 120];
    let costs: Vec<f64> = (0..120).map(|row| if row % 2 == 0 { 1.0 } else { 50.0 }).collect();
    let spent = |selection: &Selection| selection.picks.iter().map(|pick| costs[pick.row]).sum::<f64>();
    let budget = Budget::Cost { limit: 20.0, of: &costs };
    for halves in [Halves::Chosen, Halves::Mixed] {
        let found = select(pool(&x, &known), Method::FacilityLocation, budget, halves, Seed(1)).unwrap();
        assert!(spent(&found) <= 20.0 && spent(&found) >= 10.0, "{}", spent(&found));
        let of_method = found.picks.iter().filter(|pick| pick.half == Half::Chosen);
        assert!(of_method.clone().count() >= 10 && of_method.clone().all(|pick| pick.row % 2 == 0));
    }
    // One example that stands for all is better than the cheap one that stands for itself.
    let x = Matrix::from_rows(&[[1.0, 0.0, 0.0], [-0.2, 1.0, 0.3], [-0.2, 1.0, 0.0], [-0.2, 1.0, -0.3]]);
    let costs = [1.0, 9.5, 9.6, 9.5];
    let budget = Budget::Cost { limit: 10.0, of: &costs };
    let found =
        select(pool(&x, &[false; 4]), Method::FacilityLocation, budget, Halves::Chosen, Seed(1)).unwrap();
    assert_eq!(rows(&found), [2]);
}

#[test]
fn what_cannot_be_is_refused() {
    let (x, _) = clouds(10, 3, 2);
    let ask =
        |pool: Pool<'_>, method, budget| select(pool, method, budget, Halves::Chosen, Seed(0)).unwrap_err();
    let all = Budget::Examples(3);
    let open = [false; 10];
    assert_eq!(
        ask(pool(&x, &[true; 10]), Method::Centroids, all),
        CurateError::Empty { what: "examples without a label" }
    );
    assert_eq!(ask(pool(&x, &open), Method::Margin, all), CurateError::NoMargins);
    assert!(matches!(ask(pool(&x, &[false; 9]), Method::KCentre, all), CurateError::Shape { got: 9, .. }));
    let margins = [0.5, f64::NAN, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5];
    let unsure = Pool { margins: Some(&margins), ..pool(&x, &open) };
    assert!(matches!(ask(unsure, Method::Margin, all), CurateError::NotAProbability { row: 1, .. }));
    let costs = [1.0, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0];
    let budget = Budget::Cost { limit: 5.0, of: &costs };
    assert_eq!(
        ask(pool(&x, &open), Method::FacilityLocation, budget),
        CurateError::BadCost { row: 2, cost: 0.0 }
    );
    let budget = Budget::Cost { limit: 5.0, of: &[1.0; 10] };
    assert_eq!(
        ask(pool(&x, &open), Method::KCentre, budget),
        CurateError::CostsNeedFacility { method: "k-centre" }
    );
    let mut bad = x.clone();
    bad.row_mut(4)[1] = f32::NAN;
    assert_eq!(ask(pool(&bad, &open), Method::Centroids, all), CurateError::NotFinite { row: 4 });
}

#[test]
fn one_row_equal_rows_and_too_large_a_budget_are_defined() {
    let margins = [0.2; 6];
    let same = Matrix::from_vec(6, 2, vec![0.5; 12]);
    let zeros = Matrix::zeros(1, 4);
    for method in Method::ALL {
        let equal = Pool { margins: Some(&margins), ..pool(&same, &[false; 6]) };
        let found = chosen(equal, method, 4);
        assert_eq!((rows(&found), found.n_copies), (vec![0], 5), "{}", method.name());
        let alone = Pool { margins: Some(&margins[..1]), ..pool(&zeros, &[false]) };
        assert_eq!(rows(&chosen(alone, method, 9)), [0], "{}", method.name());
        assert!(chosen(alone, method, 0).picks.is_empty());
    }
}

#[test]
fn large_pools_are_picked_from_in_parts_about_as_well_as_from_the_whole() {
    // Small vectors, many of them: three parts.
    let (x, of) = clouds(41_000, 4, 12);
    let known = vec![false; 41_000];
    let found = chosen(pool(&x, &known), Method::Centroids, 12);
    let mut met: Vec<u32> = rows(&found).iter().map(|row| of[*row]).collect();
    met.sort_unstable();
    met.dedup();
    assert!(found.picks.len() == 12 && met.len() >= 9, "{met:?}");
    let field = Field::of(pool(&x, &known), Budget::Examples(40)).centred();
    let amount = Amount::Count(40);
    let judges: Vec<usize> = (0..41_000).step_by(7).collect();
    let whole = chunks::once(&field, Method::Centroids, amount, None, Seed(1));
    let least = chunks::uncovered(&field, &whole, &judges);
    let mut first_only = 0;
    for seed in (1..=6).map(Seed) {
        let picks = chunks::pick(&field, Method::Centroids, amount, None, seed);
        let far = chunks::uncovered(&field, &picks, &judges);
        assert!(least >= 0.95 * far, "{far} in parts, {least} of the whole");
        let parts = chunks::parts(&field, seed);
        assert_eq!(parts.len(), 3);
        let is_of_first = |(place, _): &(usize, Why)| parts[0].binary_search(place).is_ok();
        first_only += usize::from(picks.iter().all(is_of_first));
    }
    // The best is taken wherever it is found, not always in the first part.
    assert!(first_only < 6, "{first_only} of 6");
}
