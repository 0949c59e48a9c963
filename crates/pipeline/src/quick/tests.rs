use linalg::random;

use super::*;

const D: usize = 8;

/// `n` rows of noise; where a label of the row's set is, its own column is higher by `signal`.
fn marked(sets: &[Vec<u32>], signal: f64, seed: u64) -> Matrix {
    let mut rng = Seed(seed).rng();
    let mut x = Matrix::from_vec(
        sets.len(),
        D,
        (0..sets.len() * D).map(|_| random::normal(&mut rng) as f32).collect(),
    );
    for (row, set) in sets.iter().enumerate() {
        set.iter().for_each(|label| x.row_mut(row)[*label as usize] += signal as f32);
    }
    x
}

/// Sets of three labels: half have the first, three of ten the second, one of ten the third.
fn sets(n: usize, seed: u64) -> Vec<Vec<u32>> {
    let mut rng = Seed(seed).derive("sets").rng();
    let set = |_| {
        [0.5, 0.3, 0.1]
            .iter()
            .zip(0..)
            .filter(|(share, _)| random::uniform(&mut rng) < **share)
            .map(|(_, label)| label)
            .collect()
    };
    (0..n).map(set).collect()
}

fn alone(x: Matrix) -> Quick {
    let groups = Groups::singletons(x.rows());
    in_groups(x, &groups)
}

fn in_groups(x: Matrix, groups: &Groups) -> Quick {
    let mut order: Vec<usize> = (0..x.rows()).collect();
    random::shuffle(&mut order, &mut Seed(1).derive("order").rng());
    let parts = vec![Part { sense: String::new(), base: "made".to_owned(), columns: 0..x.cols() }];
    Quick::of(parts, x, groups, order, Seed(1))
}

#[test]
fn of_several_senses_examples_are_alike_by_those_that_are_asked_about() {
    let x =
        Matrix::from_rows(&[[1.0_f32, 0.0, 0.0, 1.0], [0.0, 1.0, 1.0, 0.0], [1.0, 0.0, 1.0, 0.0], [0.0; 4]]);
    let mut quick = alone(x);
    let part = |sense: &str, columns| Part { sense: sense.to_owned(), base: "made".to_owned(), columns };
    quick.parts = vec![part("left", 0..2), part("right", 2..4)];
    let seen = |sense: &str, vector: [f32; 2]| (sense.to_owned(), "made".to_owned(), vector.to_vec());
    let first = |seen: &[_]| quick.like_senses(seen, 4).first().copied();
    assert_eq!(first(&[seen("left", [0.0, 3.0])]), Some(1));
    assert_eq!(first(&[seen("left", [2.0, 0.0]), seen("right", [9.0, 0.0])]), Some(2), "each counts as much");
    assert_eq!(first(&[seen("smell", [2.0, 0.0])]), None);
    assert_eq!(first(&[("left".to_owned(), "another".to_owned(), vec![2.0, 0.0])]), None);
}

/// Two clouds, one after the other; every row a group of its own.
fn clouds(n: usize) -> (Quick, Vec<Option<u32>>) {
    let sets: Vec<Vec<u32>> =
        (0..n).map(|row| if row < n / 2 { (0..D as u32).collect() } else { Vec::new() }).collect();
    (alone(marked(&sets, 2.0, 3)), (0..n).map(|row| Some(u32::from(row >= n / 2))).collect())
}

/// Numbers that follow the first two columns, with this much noise.
fn numbers(n: usize, noise: f64, seed: u64) -> (Quick, Vec<f64>) {
    let x = marked(&vec![Vec::new(); n], 0.0, seed);
    let mut rng = Seed(seed).derive("numbers").rng();
    let of = |row: &[f32]| 20.0 + f64::from(3.0 * row[0] - row[1]) + noise * random::normal(&mut rng);
    let y = x.iter_rows().map(of).collect();
    (alone(x), y)
}

/// The first so many are answered.
fn first<T: Clone>(all: &[T], n: usize) -> Vec<Option<T>> {
    all.iter().enumerate().map(|(row, one)| (row < n).then(|| one.clone())).collect()
}

fn probs(judged: &Judged) -> &Matrix<f64> {
    let Says::Sets(probs) = &judged.says else { panic!("sets are said: {:?}", judged.says) };
    probs
}

#[track_caller]
fn measure(judged: &Judged, metric: &str) -> evaluate::Estimate {
    let found = judged.measures.iter().find(|measure| measure.metric == metric);
    found.unwrap_or_else(|| panic!("{metric} is measured: {:?}", judged.measures)).estimate
}

#[test]
fn accuracy_is_measured_on_what_chance_picked() {
    let (quick, mut labels) = clouds(60);
    // What chance would ask for first stays open.
    let open = quick.order[0];
    let asked = labels[open].take();
    let judge =
        |labels: &[Option<u32>], drawn: &[bool]| quick.judge(&Answers::Classes(labels.to_vec()), drawn);
    let drawn: Vec<bool> = (0..60).map(|row| row % 2 == open % 2).collect();
    let fair = judge(&labels, &drawn);
    assert_eq!(judge(&[Some(0); 60], &drawn).measures.len(), 0, "one class is nothing to tell apart");
    let nine: Vec<bool> = (0..60).map(|row| (1..10).contains(&((row + 60 - open) % 60))).collect();
    assert_eq!(judge(&labels, &nine).measures.len(), 0, "nine are too few");
    let mut fewer = labels.clone();
    [2, 32].into_iter().for_each(|after| fewer[(open + after) % 60] = None);
    assert_eq!((fair.n_labelled, fair.n_drawn, judge(&fewer, &drawn).n_drawn), (59, 29, 27));
    let accuracy = measure(&fair, "accuracy");
    assert!(accuracy.n == 29 && accuracy.value > 0.9, "{accuracy:?}");
    labels[open] = asked;
    assert_eq!(judge(&labels, &[false; 60]).n_drawn, 60, "all that there is is a fair draw");
}

#[test]
fn accuracy_does_not_rise_because_what_is_doubted_was_labelled() {
    const SETS: u64 = 10;
    let truth: Vec<u32> = (0..400).map(|row| u32::from(row >= 200)).collect();
    let sets: Vec<Vec<u32>> =
        truth.iter().map(|class| if *class == 0 { (0..D as u32).collect() } else { Vec::new() }).collect();
    let mut off = 0.0;
    for seed in 0..SETS {
        let quick = alone(marked(&sets, 0.5, seed + 200));
        let (mut labels, mut drawn) = (vec![None; 400], vec![false; 400]);
        let mut judged = quick.judge(&Answers::Classes(labels.clone()), &drawn);
        while labels.iter().flatten().count() < 320 {
            let answers = Answers::Classes(labels.clone());
            for (row, half) in quick.next(&answers, &judged, 20).expect("there is more to label") {
                labels[row] = Some(truth[row]);
                drawn[row] = half == Half::Random;
            }
            judged = quick.judge(&Answers::Classes(labels.clone()), &drawn);
        }
        let Says::Classes(told) = &judged.says else { panic!("classes are said: {:?}", judged.says) };
        let is_right =
            |(told, truth): &(&Option<(u32, f64)>, &u32)| told.is_some_and(|(class, _)| class == **truth);
        let right = told.iter().zip(&truth).filter(is_right).count() as f64 / 400.0;
        off += (measure(&judged, "accuracy").value - right) / SETS as f64;
    }
    assert!(off.abs() < 0.02, "{off} off what is true of all");
}

#[test]
fn labels_are_suggested_with_their_probability_and_contradicted_where_they_are_wrong() {
    let truth = sets(200, 1);
    let quick = alone(marked(&truth, 6.0, 2));
    let mut given = truth.clone();
    (given[3], given[4]) = (Vec::new(), vec![0, 1, 2]);
    let judged = quick.judge(&Answers::Sets(first(&given, 120)), &[true; 200]);
    let accuracy = measure(&judged, "label-accuracy");
    assert!(accuracy.n == 120 && accuracy.value > 0.95 && accuracy.low > 0.9, "{accuracy:?}");
    assert!(measure(&judged, "micro-f1").value > 0.93 && measure(&judged, "subset-accuracy").n == 120);
    assert!((0.6..0.85).contains(&judged.chance), "{}", judged.chance);
    let probs = probs(&judged);
    let mut wrong = 0;
    for (row, set) in truth.iter().enumerate() {
        for label in 0..3 {
            let (p, has) = (probs.row(row)[label as usize], set.contains(&label));
            wrong += usize::from((p >= 0.5) != has);
            // What was given against it is contradicted, by a model that has not seen it.
            let is_mistake = [3, 4].contains(&row) && has != given[row].contains(&label);
            assert!(!is_mistake || (if has { p } else { 1.0 - p }) > 0.9, "{row} {label} {p}");
        }
    }
    assert!(wrong <= 6, "{wrong} of 600 are wrong");
}

#[test]
fn where_nothing_can_be_told_each_label_is_as_probable_as_it_is_common() {
    let truth = sets(400, 3);
    let quick = alone(marked(&truth, 0.0, 4));
    let judged = quick.judge(&Answers::Sets(first(&truth, 200)), &[true; 400]);
    let probs = probs(&judged);
    for (label, share) in [0.5, 0.3, 0.1].into_iter().enumerate() {
        let told = (0..400).map(|row| probs.row(row)[label]);
        let (sum, far) =
            (told.clone().sum::<f64>() / 400.0, told.filter(|p| (p - share).abs() > 0.2).count());
        assert!((sum - share).abs() < 0.08 && far < 20, "{label}: {sum}, {far} far off");
    }
    let accuracy = measure(&judged, "label-accuracy");
    assert!(accuracy.low < judged.chance && (accuracy.value - judged.chance).abs() < 0.06, "{accuracy:?}");
}

/// So many rows of 256 columns of noise, with one label that chance gave to half of them.
fn noise(n: usize, seed: u64) -> (Quick, Vec<Vec<u32>>) {
    let mut rng = Seed(seed).derive("noise").nth(n).rng();
    let sets = (0..n).map(|_| if random::uniform(&mut rng) < 0.5 { vec![0] } else { Vec::new() }).collect();
    let x = Matrix::from_vec(n, 256, (0..256 * n).map(|_| random::normal(&mut rng) as f32).collect());
    (alone(x), sets)
}

#[test]
fn more_columns_of_noise_than_rows_tell_nothing_of_labels() {
    const SETS: u64 = 20;
    for n in [12, 18, 24, 30] {
        let (mut accuracy, mut chance, mut off) = (0.0, 0.0, 0.0);
        for seed in 0..SETS {
            let (quick, sets) = noise(2 * n, seed);
            let judged = quick.judge(&Answers::Sets(first(&sets, n)), &vec![true; 2 * n]);
            if matches!(judged.says, Says::Nothing) {
                continue;
            }
            let probs = probs(&judged);
            let told = (n..2 * n).map(|row| probs.row(row)[0]).sum::<f64>() / n as f64;
            let share = sets[..n].iter().filter(|set| !set.is_empty()).count() as f64 / n as f64;
            accuracy += measure(&judged, "label-accuracy").value / SETS as f64;
            chance += judged.chance / SETS as f64;
            off += (told - share).abs() / SETS as f64;
        }
        assert!(accuracy < chance + 0.05, "{n} rows: {accuracy} of labels are right, {chance} by chance");
        assert!(off < 0.2, "{n} rows: suggestions are {off} off the share of the label");
    }
}

#[test]
fn scores_that_fall_where_labels_rise_are_taken_for_none() {
    let of = |turned: f64| {
        let scores = Matrix::from_rows(&(0..20).map(|row| [turned * f64::from(row)]).collect::<Vec<_>>());
        let has = Matrix::from_vec(20, 1, (0..20).map(|row| row >= 8).collect());
        sets::certainty(&scores, &has, &(0..20).collect::<Vec<_>>(), 0)
    };
    assert!(of(0.1).probability(1.9) > 0.9);
    let flat = of(-0.1);
    assert!([-1.9, 0.0, 1.9].iter().all(|score| (flat.probability(*score) - 13.0 / 22.0).abs() < 1e-9));
}

#[test]
fn labels_that_nobody_gave_earn_nothing() {
    let truth = sets(100, 3);
    let quick = alone(marked(&truth, 1.0, 4));
    let judge = |factor: u32| {
        let given: Vec<Vec<u32>> =
            truth.iter().map(|set| set.iter().map(|label| factor * label).collect()).collect();
        quick.judge(&Answers::Sets(first(&given, 100)), &[true; 100])
    };
    let (all, sparse) = (judge(1), judge(9));
    let [value, same] = [&all, &sparse].map(|judged| measure(judged, "label-accuracy").value);
    assert!((value - same).abs() < 1e-9, "{value} and {same}");
    assert!((all.chance - sparse.chance).abs() < 1e-9, "{} and {}", all.chance, sparse.chance);
}

#[test]
fn chance_is_of_the_examples_that_are_measured() {
    // Eight of ten answers are of one kind, and half of those that count.
    let truth: Vec<u32> = (0..100).map(|row| u32::from(row % 10 < 2)).collect();
    let sets: Vec<Vec<u32>> = truth.iter().map(|class| vec![0; *class as usize]).collect();
    let quick = alone(marked(&sets, 1.0, 4));
    let open = quick.order[0];
    let drawn: Vec<bool> = (0..100).map(|row| row % 10 < 4 && row / 10 != open / 10).collect();
    let chance = |mut answers: Answers| {
        match &mut answers {
            Answers::Classes(all) => all[open] = None,
            Answers::Sets(all) => all[open] = None,
            Answers::Numbers(all) => all[open] = None,
        }
        quick.judge(&answers, &drawn).chance
    };
    assert_eq!(chance(Answers::Classes(first(&truth, 100))), 0.5);
    assert_eq!(chance(Answers::Sets(first(&sets, 100))), 0.5);
    let numbers: Vec<f64> = truth.iter().map(|class| f64::from(*class)).collect();
    assert_eq!(chance(Answers::Numbers(first(&numbers, 100))), 0.5);
}

#[test]
fn an_example_is_most_like_itself_even_among_copies() {
    let quick = alone(marked(&vec![Vec::new(); 3], 0.0, 1).select_rows(&[0, 0, 0, 0, 1, 2]));
    for row in 0..4 {
        let found = quick.similar(row, 3);
        assert!(found[0] == row && found.len() == 3 && !found[1..].contains(&row), "{row}: {found:?}");
    }
    assert!(quick.similar(2, 0).is_empty());
}

#[test]
fn copies_do_not_tell_what_was_said_of_each_other() {
    let mut rng = Seed(9).rng();
    // Pairs of rows that are the same, with answers that chance gave to both.
    let of_pairs: Vec<Vec<u32>> =
        (0..60).map(|_| if random::uniform(&mut rng) < 0.5 { vec![0] } else { vec![] }).collect();
    let half = marked(&vec![Vec::new(); 60], 0.0, 5);
    let pairs: Vec<usize> = (0..120).map(|row| row / 2).collect();
    let names: Vec<String> = pairs.iter().map(|pair| format!("pair {pair}")).collect();
    let groups = Groups::from_names(names.iter().map(|name| Some(name.as_str())));
    let quick = in_groups(half.select_rows(&pairs), &groups);
    let given: Vec<Option<Vec<u32>>> = pairs.iter().map(|pair| Some(of_pairs[*pair].clone())).collect();
    let judged = quick.judge(&Answers::Sets(given), &[true; 120]);
    assert!(measure(&judged, "label-accuracy").value < 0.65, "{:?}", judged.measures);
    let numbers: Vec<Option<f64>> = pairs.iter().map(|pair| Some(of_pairs[*pair].len() as f64)).collect();
    let judged = quick.judge(&Answers::Numbers(numbers), &[true; 120]);
    assert!(measure(&judged, "r2").value < 0.1, "{:?}", judged.measures);
}

#[test]
fn nothing_is_said_of_labels_before_some_have_one_and_some_have_not() {
    let quick = alone(marked(&sets(30, 1), 2.0, 2));
    for given in [vec![vec![0]; 12], vec![Vec::new(); 12], Vec::new()] {
        let judged = quick.judge(
            &Answers::Sets(first(&given, 12).into_iter().chain(vec![None; 30 - given.len()]).collect()),
            &[true; 30],
        );
        assert!(
            matches!(judged.says, Says::Nothing) && judged.measures.is_empty() && judged.margins.is_empty()
        );
        assert_eq!(judged.n_labelled, given.len());
    }
}

#[test]
fn numbers_come_with_intervals_and_the_error_of_guessing() {
    let (quick, truth) = numbers(300, 0.5, 1);
    let judged = quick.judge(&Answers::Numbers(first(&truth, 100)), &[true; 300]);
    let error = measure(&judged, "mae");
    assert!(error.n == 100 && (0.35..0.55).contains(&error.value) && error.low < error.value, "{error:?}");
    assert!(judged.chance > 2.0 && measure(&judged, "r2").value > 0.95, "{judged:?}");
    let Says::Numbers { likely, possible, .. } = judged.says else { panic!("numbers are said") };
    assert!(
        (0.7..1.1).contains(&likely.unwrap()) && (1.0..2.2).contains(&possible.unwrap()),
        "{likely:?} {possible:?}"
    );
    let few = quick.judge(&Answers::Numbers(first(&truth, 8)), &[true; 300]);
    assert!(
        matches!(few.says, Says::Numbers { likely: None, possible: None, .. }) && few.measures.is_empty()
    );
    let same = quick.judge(&Answers::Numbers(first(&[7.0; 300], 20)), &[true; 300]);
    assert!(
        measure(&same, "mae").value.abs() < 1e-9
            && same.margins.iter().all(|margin| (0.0..=1.0).contains(margin))
    );
}

/// Over many data sets: how often the interval of the first measure holds what is true of the examples nobody answered about.
#[track_caller]
fn check_intervals(one: impl Fn(u64) -> (evaluate::Estimate, f64)) {
    let held = (0..60).map(one).filter(|(estimate, truth)| (estimate.low..=estimate.high).contains(truth));
    let held = held.count();
    assert!(held >= 53, "{held} of 60 intervals of 95 % hold the truth");
}

#[test]
fn the_share_of_labels_right_is_within_its_interval() {
    check_intervals(|seed| {
        let truth = sets(1000, seed);
        let quick = alone(marked(&truth, 1.5, seed + 100));
        let judged = quick.judge(&Answers::Sets(first(&truth, 40)), &[true; 1000]);
        let probs = probs(&judged);
        let right = |row: usize| {
            (0..3)
                .filter(|label| {
                    // A label that nobody gave is never suggested.
                    let said = probs.row(row).get(*label as usize).is_some_and(|prob| *prob >= 0.5);
                    said == truth[row].contains(label)
                })
                .count()
        };
        let share = (40..1000).map(right).sum::<usize>() as f64 / 2880.0;
        (measure(&judged, "label-accuracy"), share)
    });
}

#[test]
fn the_error_of_numbers_is_within_its_interval_and_numbers_within_theirs() {
    let (mut likely_holds, mut possible_holds) = (0, 0);
    let all: Vec<(evaluate::Estimate, f64)> = (0..60)
        .map(|seed| {
            let (quick, truth) = numbers(400, 1.0, seed);
            let judged = quick.judge(&Answers::Numbers(first(&truth, 40)), &[true; 400]);
            let error = measure(&judged, "mae");
            let Says::Numbers { told, likely: Some(likely), possible: Some(possible) } = judged.says else {
                panic!("all is said")
            };
            let off: Vec<f64> = (40..400).map(|row| (told[row] - truth[row]).abs()).collect();
            likely_holds += off.iter().filter(|off| **off <= likely).count();
            possible_holds += off.iter().filter(|off| **off <= possible).count();
            (error, off.iter().sum::<f64>() / 360.0)
        })
        .collect();
    check_intervals(|seed| all[seed as usize]);
    let share = |holds: usize| holds as f64 / (60.0 * 360.0);
    assert!((0.88..0.93).contains(&share(likely_holds)), "{}", share(likely_holds));
    assert!((0.98..0.998).contains(&share(possible_holds)), "{}", share(possible_holds));
}

#[test]
fn whoever_labels_the_random_half_labels_a_fair_draw() {
    let (quick, truth) = clouds(400);
    let all_of = |labels: &[Option<u32>]| {
        let set = |label: &u32| (0..*label).collect();
        [
            Answers::Classes(labels.to_vec()),
            Answers::Sets(labels.iter().map(|label| label.as_ref().map(set)).collect()),
            Answers::Numbers(labels.iter().map(|label| label.map(f64::from)).collect()),
        ]
    };
    for kind in 0..3 {
        let mut labels = vec![None; 400];
        let mut blocks = [0; 10];
        for _ in 0..30 {
            let answers = &all_of(&labels)[kind];
            let judged = quick.judge(answers, &[false; 400]);
            let next = quick.next(answers, &judged, 8).expect("there is more to label");
            assert_eq!(next.iter().filter(|(_, half)| *half == Half::Random).count(), 4);
            // Two labels between one queue and the next, as a person gives them.
            for (row, half) in next.into_iter().take(2) {
                labels[row] = truth[row];
                blocks[row / 40] += usize::from(half == Half::Random);
            }
        }
        assert_eq!(blocks.iter().sum::<usize>(), 30);
        assert!(blocks.iter().filter(|count| **count > 0).count() >= 8, "drawn from everywhere: {blocks:?}");
    }
}

#[test]
fn what_is_chosen_is_what_is_doubted() {
    let truth = sets(300, 6);
    let quick = alone(marked(&truth, 3.0, 7));
    let answers = Answers::Sets(first(&truth, 60));
    let judged = quick.judge(&answers, &[true; 300]);
    let next = quick.next(&answers, &judged, 20).expect("there is more to label");
    let mean = |rows: &[usize]| rows.iter().map(|row| judged.margins[*row]).sum::<f64>() / rows.len() as f64;
    let of = |half| next.iter().filter(|pick| pick.1 == half).map(|pick| pick.0).collect::<Vec<_>>();
    assert!(mean(&of(Half::Chosen)) + 0.2 < mean(&of(Half::Random)), "{:?}", judged.margins);
    // Of numbers, what lies far from everything that was answered is known least.
    let mut x = marked(&vec![Vec::new(); 50], 0.0, 8);
    x.row_mut(49).iter_mut().for_each(|value| *value += 9.0);
    let quick = alone(x);
    let judged =
        quick.judge(&Answers::Numbers(first(&(0..50).map(f64::from).collect::<Vec<_>>(), 20)), &[true; 50]);
    let least = judged.margins.iter().enumerate().min_by(|a, b| a.1.total_cmp(b.1)).map(|(row, _)| row);
    assert_eq!(least, Some(49));
}
