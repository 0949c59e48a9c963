//! Parts of the data where a model fails more than elsewhere (methods 4.5): neighbourhoods, classes, and what attributes say.
//!
//! Every part is tested against random parts of the same size. Parts that only repeat what a more telling one says are left
//! out.

use linalg::{Matrix, MatrixView, Seed, kmeans, kmeans_once, random, squared_distance};
use rayon::prelude::*;

use super::{Checked, Fault};
use crate::CurateError;
use crate::attributes::{Attribute, AttributeValues, rows_by_name};
use crate::nearest::unit_rows;
use crate::significance::{discoveries, permutation_p};

/// Into how many neighbourhoods the rows are divided, coarse to fine.
const NEIGHBOURHOODS: [usize; 3] = [5, 10, 20];
/// Of more rows the middles of neighbourhoods are found among so many.
const SAMPLED: usize = 4096;
/// Into how many parts of equal size the values of a number are divided.
const QUANTILES: usize = 4;
/// Rows of average loss that each part is imagined to have besides its own: a few bad rows are no bad part.
const PRIOR_ROWS: f64 = 10.0;
/// A smaller part is not looked at.
const FEWEST: usize = 10;
/// How much larger than everywhere the loss must be.
const WORSE: f64 = 1.5;
/// Share of the parts shown that may be chance.
const FALSE_SHARE: f64 = 0.1;
/// Random orders, at least and at most; between them, ten for each part tested.
const ORDERS: (usize, usize) = (999, 4999);
/// Rows shown of each part.
const SHOWN: usize = 5;

/// What makes a part.
#[derive(Debug, Clone, PartialEq)]
pub enum SliceOf {
    /// Rows alike, of so many neighbourhoods.
    Neighbourhood {
        /// How many there are.
        of: usize,
    },
    /// The rows of a class.
    Class(u32),
    /// The rows with this value.
    Name {
        /// Of which attribute.
        attribute: String,
        /// Which value.
        value: String,
    },
    /// The rows with a number in this range, both ends included.
    Range {
        /// Of which attribute.
        attribute: String,
        /// The smallest number.
        from: f64,
        /// The largest number.
        to: f64,
    },
}

/// A part of the data where a model fails.
#[derive(Debug, Clone, PartialEq)]
pub struct Slice {
    /// What makes the part.
    pub of: SliceOf,
    /// Its rows that have a loss, ascending.
    pub rows: Vec<usize>,
    /// Up to five of them, the most typical first: those nearest to the middle of the part.
    pub typical: Vec<usize>,
    /// The class or value that is most over-represented in it, with its share here and everywhere; for neighbourhoods only.
    pub described: Option<(SliceOf, f64, f64)>,
    /// Mean loss of its rows.
    pub loss: f64,
    /// Its loss, drawn toward the mean, over the mean loss of all rows.
    pub ratio: f64,
    /// How often a random part of the same size has as much loss.
    pub p_value: f64,
}

/// What is needed to look for such parts.
#[derive(Debug, Clone, Copy)]
pub struct SlicesInput<'a> {
    /// `[n, d]`, finite.
    pub features: MatrixView<'a>,
    /// `[n]`, not negative, **out of fold**: the log loss of the label, for instance; `None` without a label.
    pub losses: &'a [Option<f64>],
    /// `[n]`: the given or the predicted class.
    pub classes: &'a [Option<u32>],
    /// What else is known, `[n]` each.
    pub attributes: &'a [Attribute],
}

/// Parts with at least ten rows whose loss is more than 1.5 times the usual one and surely not by chance, the most telling first.
///
/// # Errors
/// When a feature or a loss is not finite, or the parts of the input differ in length.
pub fn slices(input: &SlicesInput<'_>, seed: Seed) -> Result<Vec<Slice>, CurateError> {
    check(input)?;
    let rows: Vec<usize> = (0..input.losses.len()).filter(|row| input.losses[*row].is_some()).collect();
    let losses: Vec<f64> = input.losses.iter().flatten().copied().collect();
    let mean = losses.iter().sum::<f64>() / losses.len() as f64;
    let x = unit_rows(input.features).select_rows(&rows);
    let parts = parts(input, &rows, x.view(), seed);
    if parts.is_empty() || mean <= 0.0 {
        return Ok(Vec::new());
    }
    let p_values = p_values(&parts, &losses, seed);
    let sure = discoveries(&p_values, FALSE_SHARE);
    let mut found: Vec<(f64, &Part, f64)> = Vec::new();
    for ((part, p), sure) in parts.iter().zip(p_values).zip(sure) {
        if sure && ratio(&part.places, &losses, mean) > WORSE {
            found.push((excess(&part.places, &losses, mean), part, p));
        }
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut told = vec![false; losses.len()];
    let mut slices = Vec::new();
    for (_, part, p_value) in found {
        let fresh: Vec<usize> = part.places.iter().copied().filter(|place| !told[*place]).collect();
        if fresh.len() < FEWEST || ratio(&fresh, &losses, mean) <= WORSE {
            continue;
        }
        part.places.iter().for_each(|place| told[*place] = true);
        slices.push(Slice {
            of: part.of.clone(),
            rows: part.places.iter().map(|place| rows[*place]).collect(),
            typical: typical(x.view(), &part.places).into_iter().map(|place| rows[place]).collect(),
            described: described(part, &parts, losses.len()),
            loss: part.places.iter().map(|place| losses[*place]).sum::<f64>() / part.places.len() as f64,
            ratio: ratio(&part.places, &losses, mean),
            p_value,
        });
    }
    Ok(slices)
}

/// Flags the rows of these parts among `n`. The score is one over the worst ratio of a part the row is in, 1 outside all.
pub fn weak_slices(found: &[Slice], n: usize) -> Checked {
    let mut scores = vec![1.0_f64; n];
    for slice in found {
        slice.rows.iter().for_each(|row| scores[*row] = scores[*row].min(1.0 / slice.ratio));
    }
    Checked::below(Fault::WeakSlice, scores, 1.0)
}

/// Some of the rows that have a loss, by their places among these, ascending.
struct Part {
    of: SliceOf,
    places: Vec<usize>,
}

fn check(input: &SlicesInput<'_>) -> Result<(), CurateError> {
    let n = input.losses.len();
    let lengths = [
        ("rows of features", input.features.rows()),
        ("classes", input.classes.len()),
        (
            "values of an attribute",
            input.attributes.iter().map(|of| of.values.len()).find(|len| *len != n).unwrap_or(n),
        ),
    ];
    if let Some((what, got)) = lengths.into_iter().find(|(_, got)| *got != n) {
        return Err(CurateError::Shape { what, got, expected: n });
    }
    let bad = |row: &usize| {
        let loss = input.losses[*row].is_some_and(|loss| !(loss.is_finite() && loss >= 0.0));
        loss || input.features.row(*row).iter().any(|value| !value.is_finite())
    };
    (0..n).find(bad).map_or(Ok(()), |row| Err(CurateError::NotFinite { row }))
}

/// Everything that is tested, each part once.
fn parts(input: &SlicesInput<'_>, rows: &[usize], x: MatrixView<'_>, seed: Seed) -> Vec<Part> {
    let mut parts = Vec::new();
    let classes: Vec<Option<u32>> = rows.iter().map(|row| input.classes[*row]).collect();
    let n_classes = classes.iter().flatten().max().map_or(0, |class| class + 1);
    parts.extend((0..n_classes).map(|class| Part {
        of: SliceOf::Class(class),
        places: (0..rows.len()).filter(|place| classes[*place] == Some(class)).collect(),
    }));
    for attribute in input.attributes {
        match &attribute.values {
            AttributeValues::Names(names) => {
                let names: Vec<Option<String>> = rows.iter().map(|row| names[*row].clone()).collect();
                parts.extend(rows_by_name(&names).into_iter().map(|(value, places)| Part {
                    of: SliceOf::Name { attribute: attribute.name.clone(), value: value.to_owned() },
                    places,
                }));
            }
            AttributeValues::Numbers(numbers) | AttributeValues::Times(numbers) => {
                let numbers: Vec<Option<f64>> = rows.iter().map(|row| numbers[*row]).collect();
                parts.extend(ranges(&attribute.name, &numbers));
            }
        }
    }
    for of in NEIGHBOURHOODS.into_iter().filter(|of| of * FEWEST <= rows.len() && x.cols() > 0) {
        let places = neighbourhoods(x, of, seed.nth(of)).into_iter();
        parts.extend(places.map(|places| Part { of: SliceOf::Neighbourhood { of }, places }));
    }
    parts.retain(|part| part.places.len() >= FEWEST && part.places.len() < rows.len());
    parts
}

/// The rows by the nearest of so many centroids, which a sample of them has.
fn neighbourhoods(x: MatrixView<'_>, of: usize, seed: Seed) -> Vec<Vec<usize>> {
    if x.rows() <= SAMPLED {
        return kmeans(x, of, seed).members();
    }
    let mut rng = seed.derive("sample").rng();
    let sample = random::sample_without_replacement(x.rows(), SAMPLED, &mut rng);
    let sample: Vec<&[f32]> = sample.into_iter().map(|row| x.row(row)).collect();
    let centroids = kmeans_once(Matrix::from_rows(&sample).view(), of, seed).centroids;
    let distance = |row: usize, centroid: usize| squared_distance(x.row(row), centroids.row(centroid));
    let nearest = |row: usize| {
        (0..centroids.rows()).min_by(|a, b| distance(row, *a).total_cmp(&distance(row, *b))).unwrap_or(0)
    };
    let nearest: Vec<usize> = (0..x.rows()).into_par_iter().map(nearest).collect();
    let mut members = vec![Vec::new(); centroids.rows()];
    nearest.into_iter().enumerate().for_each(|(row, centroid)| members[centroid].push(row));
    members
}

/// The rows in order of their number, cut into parts of about equal size; equal numbers are never divided.
fn ranges(attribute: &str, numbers: &[Option<f64>]) -> Vec<Part> {
    let mut order: Vec<(f64, usize)> = numbers
        .iter()
        .enumerate()
        .filter_map(|(place, number)| {
            number.filter(|number| number.is_finite()).map(|number| (number, place))
        })
        .collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let quantile =
        |group: &[(f64, usize)], before: usize| (before + group.len() / 2) * QUANTILES / order.len();
    let mut parts: Vec<(usize, Part)> = Vec::new();
    let mut before = 0;
    for group in order.chunk_by(|a, b| a.0 == b.0) {
        let (number, places) = (group[0].0, group.iter().map(|(_, place)| *place));
        let at = quantile(group, before);
        before += group.len();
        match parts.last_mut() {
            Some((last, Part { of: SliceOf::Range { to, .. }, places: so_far })) if *last == at => {
                *to = number;
                so_far.extend(places);
            }
            _ => {
                let of = SliceOf::Range { attribute: attribute.to_owned(), from: number, to: number };
                parts.push((at, Part { of, places: places.collect() }));
            }
        }
    }
    let sorted = |(_, mut part): (usize, Part)| {
        part.places.sort_unstable();
        part
    };
    parts.into_iter().map(sorted).collect()
}

/// How often random rows, as many as each part has, have as much loss: the first of a random order, which serves every part.
fn p_values(parts: &[Part], losses: &[f64], seed: Seed) -> Vec<f64> {
    let orders = (10 * parts.len()).clamp(ORDERS.0, ORDERS.1);
    let largest = parts.iter().map(|part| part.places.len()).max().unwrap_or(0);
    // A sum in another order differs in its last digits, and equal losses must count as equal.
    let seen = |part: &Part| part.places.iter().map(|place| losses[*place]).sum::<f64>() * (1.0 - 1e-12);
    let seen: Vec<(usize, f64)> = parts.iter().map(|part| (part.places.len(), seen(part))).collect();
    let as_bad = (0..orders)
        .into_par_iter()
        .map(|order| {
            let mut rng = seed.derive("slices").nth(order).rng();
            let mut sums = vec![0.0];
            for row in random::sample_without_replacement(losses.len(), largest, &mut rng) {
                sums.push(sums[sums.len() - 1] + losses[row]);
            }
            seen.iter().map(|(size, seen)| usize::from(sums[*size] >= *seen)).collect()
        })
        .reduce(
            || vec![0_usize; parts.len()],
            |a: Vec<usize>, b: Vec<usize>| a.iter().zip(&b).map(|(a, b)| a + b).collect(),
        );
    as_bad.into_iter().map(|as_bad| permutation_p(as_bad, orders)).collect()
}

fn ratio(places: &[usize], losses: &[f64], mean: f64) -> f64 {
    let sum: f64 = places.iter().map(|place| losses[*place]).sum();
    (sum + PRIOR_ROWS * mean) / (places.len() as f64 + PRIOR_ROWS) / mean
}

/// By how much the loss of a part exceeds that of a random one, in standard deviations up to a constant.
fn excess(places: &[usize], losses: &[f64], mean: f64) -> f64 {
    let (n, all) = (places.len() as f64, losses.len() as f64);
    let sum: f64 = places.iter().map(|place| losses[*place] - mean).sum();
    sum / (n * (all - n)).sqrt()
}

/// The places nearest to the mean of their rows.
fn typical(x: MatrixView<'_>, places: &[usize]) -> Vec<usize> {
    let mut middle = vec![0.0_f64; x.cols()];
    for place in places {
        middle.iter_mut().zip(x.row(*place)).for_each(|(sum, value)| *sum += f64::from(*value));
    }
    let n = places.len() as f64;
    let from_middle = |place: usize| -> f64 {
        x.row(place).iter().zip(&middle).map(|(value, sum)| (f64::from(*value) - sum / n).powi(2)).sum()
    };
    let mut order: Vec<(f64, usize)> = places.iter().map(|place| (from_middle(*place), *place)).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    order.into_iter().take(SHOWN).map(|(_, place)| place).collect()
}

/// The named part whose share in a neighbourhood exceeds its share everywhere the most.
fn described(part: &Part, parts: &[Part], n: usize) -> Option<(SliceOf, f64, f64)> {
    let is_neighbourhood = |of: &SliceOf| matches!(of, SliceOf::Neighbourhood { .. });
    if !is_neighbourhood(&part.of) {
        return None;
    }
    let mut inside = vec![false; n];
    part.places.iter().for_each(|place| inside[*place] = true);
    let shares = parts.iter().filter(|other| !is_neighbourhood(&other.of)).map(|other| {
        let both = other.places.iter().filter(|place| inside[**place]).count();
        (other, both as f64 / part.places.len() as f64, other.places.len() as f64 / n as f64)
    });
    let most = shares.max_by(|a, b| (a.1 - a.2).total_cmp(&(b.1 - b.2)));
    most.filter(|(_, here, everywhere)| here > everywhere)
        .map(|(other, here, everywhere)| (other.of.clone(), here, everywhere))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows in six blobs, with losses around 0.3; `bad` says which rows have four times as much.
    fn made(n: usize, bad: impl Fn(usize) -> bool) -> (Matrix, Vec<Option<f64>>) {
        let mut rng = Seed(3).rng();
        let mut x = Matrix::zeros(n, 6);
        let mut losses = Vec::new();
        for row in 0..n {
            for (place, value) in x.row_mut(row).iter_mut().enumerate() {
                let centre = if place == row % 6 { 5.0 } else { 0.0 };
                *value = (centre + random::normal(&mut rng)) as f32;
            }
            let usual = 0.6 * random::uniform(&mut rng);
            losses.push(Some(if bad(row) { 4.0 * usual } else { usual }));
        }
        (x, losses)
    }

    fn site(n: usize) -> Attribute {
        let of = |row: usize| Some(if row % 7 == 2 { "north" } else { "south" }.to_owned());
        Attribute { name: "site".to_owned(), values: AttributeValues::Names((0..n).map(of).collect()) }
    }

    fn found(x: &Matrix, losses: &[Option<f64>], attributes: &[Attribute]) -> Vec<Slice> {
        let classes: Vec<Option<u32>> = (0..losses.len()).map(|row| Some(row as u32 % 5)).collect();
        let input = SlicesInput { features: x.view(), losses, classes: &classes, attributes };
        slices(&input, Seed(1)).unwrap()
    }

    #[test]
    fn a_bad_neighbourhood_is_found_once() {
        let (x, losses) = made(360, |row| row % 6 == 4);
        let found = found(&x, &losses, &[site(360)]);
        assert_eq!(found.len(), 1, "{:?}", found.iter().map(|slice| &slice.of).collect::<Vec<_>>());
        let right = found[0].rows.iter().filter(|row| *row % 6 == 4).count();
        assert!(right >= 54 && right as f64 >= 0.9 * found[0].rows.len() as f64);
        assert!(found[0].typical.iter().all(|row| row % 6 == 4) && found[0].typical.len() == 5);
        let checked = weak_slices(&found, 360);
        assert_eq!(checked.flagged.len(), found[0].rows.len());
        assert!(checked.scores[checked.flagged[0]].unwrap() < 1.0 / WORSE);
    }

    #[test]
    fn of_many_rows_a_bad_neighbourhood_is_found_by_a_sample() {
        let n = SAMPLED + 1_000;
        let (x, losses) = made(n, |row| row % 6 == 4);
        let told: Vec<usize> = found(&x, &losses, &[]).into_iter().flat_map(|slice| slice.rows).collect();
        let right = told.iter().filter(|row| *row % 6 == 4).count();
        assert!(right as f64 >= 0.9 * (n / 6) as f64, "{right} of {}", n / 6);
        assert!(right as f64 >= 0.9 * told.len() as f64, "{right} of {}", told.len());
    }

    #[test]
    fn a_bad_value_class_or_range_is_named() {
        let (x, losses) = made(350, |row| row % 7 == 2);
        let by_site = found(&x, &losses, &[site(350)]);
        assert_eq!(by_site.len(), 1);
        assert_eq!(by_site[0].of, SliceOf::Name { attribute: "site".to_owned(), value: "north".to_owned() });
        let (x, losses) = made(350, |row| row % 5 == 2);
        assert_eq!(found(&x, &losses, &[])[0].of, SliceOf::Class(2));
        let (x, losses) = made(350, |row| row * 31 % 350 >= 262);
        let hour = AttributeValues::Numbers((0..350).map(|row| Some((row * 31 % 350) as f64)).collect());
        let by_hour = found(&x, &losses, &[Attribute { name: "hour".to_owned(), values: hour }]);
        assert!(
            matches!(&by_hour[0].of, SliceOf::Range { from: 262.0 | 263.0, to: 349.0, .. }),
            "{:?}",
            by_hour[0].of
        );
    }

    #[test]
    fn nothing_is_found_where_nothing_is() {
        for seed_like in 0..4 {
            let (x, losses) = made(300 + seed_like, |_| false);
            assert!(found(&x, &losses, &[site(300 + seed_like)]).is_empty());
        }
        let (x, _) = made(40, |_| false);
        assert!(found(&x, &[None; 40], &[]).is_empty());
        assert!(found(&x, &[Some(0.0); 40], &[]).is_empty());
        assert!(found(&x, &[Some(0.7); 40], &[site(40)]).is_empty());
    }

    #[test]
    fn losses_that_are_none_are_refused() {
        let (x, mut losses) = made(40, |_| false);
        losses[7] = Some(f64::NAN);
        let input =
            SlicesInput { features: x.view(), losses: &losses, classes: &[None; 40], attributes: &[] };
        assert_eq!(slices(&input, Seed(1)), Err(CurateError::NotFinite { row: 7 }));
        let input = SlicesInput { classes: &[None; 39], ..input };
        assert!(matches!(slices(&input, Seed(1)), Err(CurateError::Shape { got: 39, .. })));
    }
}
