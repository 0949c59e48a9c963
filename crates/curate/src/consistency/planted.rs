//! Made data with a conflict that is known, by which the search is measured.
//!
//! Classes are clusters of few dimensions inside many, as features of a base are. Between two of them lies a region whose
//! examples follow two rules; where they part is what an attribute says. The other attributes say nothing.

use linalg::{Matrix, Seed, matmul, random};

use crate::attributes::{Attribute, AttributeValues};

/// Dimensions in which examples vary, inside those of the features.
const INNER: usize = 12;
/// How far class centres are from the middle in each inner dimension, in standard deviations of a class.
const APART: f64 = 1.6;
/// Standard deviation of the region, in those of a class, and of what each feature adds.
const REGION: f64 = 0.6;
const FLOOR: f64 = 0.05;
/// Examples larger than this have another class where size decides.
const LARGE: f64 = 50.0;

/// What parts the labels in the region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// One annotator says always the first class, the other two the second.
    Annotator,
    /// Small ones have the first class, large ones the second.
    Size,
    /// A coin that nothing known foretells.
    Coin,
    /// Where an example lies between the two classes: a boundary that is hard to see, and no conflict of rules.
    Place,
}

/// How data are made.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Number of examples.
    pub n: usize,
    /// Number of classes, at least 2.
    pub n_classes: usize,
    /// Number of features.
    pub dim: usize,
    /// Share of labels that are replaced by another class at random, anywhere.
    pub noise: f64,
    /// How many of the examples lie in the region, and what parts them; without a region there is no conflict.
    pub region: Option<(usize, Rule)>,
}

/// Made data.
pub struct Made {
    /// `[n, dim]`
    pub x: Matrix,
    /// `[n]`
    pub labels: Vec<Option<u32>>,
    /// "annotator" and "camera" (names), "size" and "brightness" (numbers).
    pub attributes: Vec<Attribute>,
    /// Rows of the region, which lies between classes 0 and 1.
    pub region: Vec<usize>,
}

/// Makes data; the same plan and seed give the same.
///
/// # Panics
/// With fewer than two classes, or a region larger than the data.
pub fn planted(plan: Plan, seed: Seed) -> Made {
    assert!(plan.n_classes >= 2, "a conflict needs two classes");
    let (n_region, rule) = plan.region.unwrap_or((0, Rule::Coin));
    let mut rng = seed.derive("planted").rng();
    let mut normal = |deviation: f64| deviation * random::normal(&mut rng);
    let centres: Vec<Vec<f64>> =
        (0..plan.n_classes).map(|_| (0..INNER).map(|_| normal(APART)).collect()).collect();
    let spread =
        Matrix::from_vec(INNER, plan.dim, (0..INNER * plan.dim).map(|_| normal(1.0) as f32).collect());
    let mut inner = Matrix::zeros(plan.n, INNER);
    let mut between = vec![0.0; plan.n];
    for row in 0..plan.n {
        let in_region = row < n_region;
        between[row] = 0.5 + 0.15 * normal(1.0);
        let (own, t) = (&centres[row % plan.n_classes], between[row]);
        for (column, value) in inner.row_mut(row).iter_mut().enumerate() {
            let middle = (1.0 - t) * centres[0][column] + t * centres[1][column];
            let at = if in_region { middle + normal(REGION) } else { own[column] + normal(1.0) };
            *value = at as f32;
        }
    }
    let mut x = matmul(inner.view(), spread.view());
    x.data_mut().iter_mut().for_each(|value| *value += normal(FLOOR * (INNER as f64).sqrt()) as f32);
    let mut rng = seed.derive("labels").rng();
    let annotators: Vec<usize> = (0..plan.n).map(|_| random::below(&mut rng, 3)).collect();
    let sizes: Vec<f64> = (0..plan.n).map(|_| 100.0 * random::uniform(&mut rng)).collect();
    let labels = (0..plan.n)
        .map(|row| {
            let second = match rule {
                Rule::Annotator => annotators[row] != 0,
                Rule::Size => sizes[row] > LARGE,
                Rule::Coin => random::below(&mut rng, 2) == 1,
                Rule::Place => between[row] + 0.15 * random::normal(&mut rng) > 0.5,
            };
            let own = if row < n_region { usize::from(second) } else { row % plan.n_classes };
            let wrong = random::uniform(&mut rng) < plan.noise;
            let other = (own + 1 + random::below(&mut rng, plan.n_classes - 1)) % plan.n_classes;
            Some(if wrong { other } else { own } as u32)
        })
        .collect();
    let mut names = |of: &str, count: usize| -> Vec<Option<String>> {
        (0..plan.n).map(|_| Some(format!("{of} {}", random::below(&mut rng, count)))).collect()
    };
    let cameras = AttributeValues::Names(names("camera", 4));
    let annotators = annotators.into_iter().map(|who| Some(format!("annotator {who}"))).collect();
    let brightness = (0..plan.n).map(|_| Some(random::uniform(&mut rng))).collect();
    let attributes = [
        ("annotator", AttributeValues::Names(annotators)),
        ("camera", cameras),
        ("size", AttributeValues::Numbers(sizes.into_iter().map(Some).collect())),
        ("brightness", AttributeValues::Numbers(brightness)),
    ]
    .map(|(name, values)| Attribute { name: name.to_owned(), values });
    Made { x, labels, attributes: attributes.to_vec(), region: (0..n_region).collect() }
}
