//! Which examples to label next (methods 5). What each method is for and what it brought is in `docs/selection.md`.
//!
//! Start at [`select`]. Near copies of what is labelled or picked are never picked. Half of the picks may be drawn at random:
//! only those are like the rest, so only they can say how good a model is.

mod chunks;
mod clusters;
mod cover;
mod facility;
mod field;
mod spread;
mod unsure;

use linalg::{MatrixView, Seed, random};
use serde::Serialize;

use crate::CurateError;
use field::Field;

/// What there is to choose from, and what is known of it. All lists are `[n]`.
#[derive(Debug, Clone, Copy)]
pub struct Pool<'a> {
    /// `[n, d]` features; only their directions matter.
    pub x: MatrixView<'a>,
    /// Whether the label is known already.
    pub known: &'a [bool],
    /// How sure a model is, in [0, 1]: the probability of its first class less that of its second. Absent without a model.
    pub margins: Option<&'a [f64]>,
    /// The number of classes, where it is known.
    pub n_classes: Option<usize>,
}

/// How much may be labelled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Budget<'a> {
    /// So many examples.
    Examples(usize),
    /// Examples that cost no more than this together.
    Cost {
        /// The limit, positive.
        limit: f64,
        /// `[n]`: what labelling each example costs, positive.
        of: &'a [f64],
    },
}

/// How examples are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// As many groups as examples are wanted, and the middle of each: for the first labels (arXiv 2401.14555).
    Centroids,
    /// The same, but of each group the example with the closest neighbours (TypiClust, arXiv 2202.02794).
    Typiclust,
    /// Examples whose near neighbours are many and not covered yet (ProbCover, arXiv 2205.11320).
    Probcover,
    /// Again and again the one farthest from all others (Gonzalez 1985).
    KCentre,
    /// Examples that every other one resembles (Minoux 1978): for a summary, and for costs.
    FacilityLocation,
    /// What a model is least sure of, no two alike (methods 5.1).
    Margin,
    /// Evenly at random.
    Random,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Centroids,
        Self::Typiclust,
        Self::Probcover,
        Self::KCentre,
        Self::FacilityLocation,
        Self::Margin,
        Self::Random,
    ];

    /// Its name on the command line and in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Centroids => "centroids",
            Self::Typiclust => "typiclust",
            Self::Probcover => "probcover",
            Self::KCentre => "k-centre",
            Self::FacilityLocation => "facility-location",
            Self::Margin => "margin",
            Self::Random => "random",
        }
    }
}

/// Whether some picks are drawn at random.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Halves {
    /// All are chosen by the method.
    Chosen,
    /// Every second one is drawn at random.
    Mixed,
}

/// Which half a pick belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Half {
    /// Chosen by the method: good to learn from, too hard or too easy to measure on.
    Chosen,
    /// Drawn evenly at random: good to measure on.
    Random,
}

/// Why an example was picked.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[allow(missing_docs, reason = "each variant names its fields")]
pub enum Why {
    /// Nearest to the mean of a group of so many examples, of which so many are labelled or picked already.
    Middle { group: usize, known: usize },
    /// With the closest neighbours in such a group.
    Typical { group: usize, known: usize },
    /// Near so many examples that nothing labelled or picked is near.
    Covers { examples: usize },
    /// At this distance (of unit vectors seen from the middle of the pool, in [0, 2]) from everything labelled or picked; absent for the very first.
    Farthest { distance: Option<f64> },
    /// More like so many examples than anything labelled or picked.
    Represents { examples: usize },
    /// The first class of a model leads by so little probability; stands for so many examples that are as unsure.
    Unsure { margin: f64, group: usize },
    /// Drawn at random.
    Drawn,
}

/// One example to label.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pick {
    /// Its row.
    pub row: usize,
    /// Which half it belongs to.
    pub half: Half,
    /// Why.
    pub why: Why,
}

/// What to label, the most useful first.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection {
    /// In order: whoever stops early has labelled the best ones, and as many of both halves.
    pub picks: Vec<Pick>,
    /// Rows without a label that are near copies of others, and were left out.
    pub n_copies: usize,
}

/// The method for what is known: with a model (or labels enough to make one) what it is unsure of, without one the middle of
/// groups.
pub fn suited(pool: Pool<'_>) -> Method {
    if pool.margins.is_some() { Method::Margin } else { Method::Centroids }
}

/// Picks rows to label: at most as many as the budget allows, and all that are not copies when it allows more.
///
/// # Errors
/// Lists of different lengths, features, margins or costs that are not finite, a cost that is not positive,
/// [`CurateError::Empty`] when every row is known, [`CurateError::NoMargins`] for [`Method::Margin`] without margins, and
/// [`CurateError::CostsNeedFacility`] for a cost with a method that does not weigh it.
pub fn select(
    pool: Pool<'_>,
    method: Method,
    budget: Budget<'_>,
    halves: Halves,
    seed: Seed,
) -> Result<Selection, CurateError> {
    check(pool, method, budget)?;
    let whole = Field::of(pool, budget);
    let n_open = whole.n_open();
    let field = chunks::distinct(&whole, seed)?.centred();
    let n_copies = n_open - field.n_open();
    let budget = match budget {
        Budget::Examples(count) => Amount::Count(count.min(field.n_open())),
        Budget::Cost { limit, .. } => Amount::Cost(limit),
    };
    let (for_method, at_random) = match (halves, method) {
        (_, Method::Random) => (budget.none(), budget),
        (Halves::Chosen, _) => (budget, budget.none()),
        (Halves::Mixed, _) => budget.halved(),
    };
    // The random half is drawn first and from everything, so that the method has no say in it.
    let drawn = draw(&field, at_random, seed);
    let field = field.with_known(&drawn);
    let chosen = chunks::pick(&field, method, for_method, pool.n_classes, seed);
    let chosen = chosen.into_iter().map(|(place, why)| (field.rows[place], Half::Chosen, why));
    let drawn = drawn.iter().map(|row| (*row, Half::Random, Why::Drawn));
    let picks = alternating(chosen.collect(), drawn.collect());
    Ok(Selection {
        picks: picks.into_iter().map(|(row, half, why)| Pick { row, half, why }).collect(),
        n_copies,
    })
}

fn check(pool: Pool<'_>, method: Method, budget: Budget<'_>) -> Result<(), CurateError> {
    let n = pool.x.rows();
    let fits = |what, got| if got == n { Ok(()) } else { Err(CurateError::Shape { what, got, expected: n }) };
    fits("known labels", pool.known.len())?;
    if let Some(row) = pool.x.iter_rows().position(|row| row.iter().any(|value| !value.is_finite())) {
        return Err(CurateError::NotFinite { row });
    }
    if let Some(margins) = pool.margins {
        fits("margins", margins.len())?;
        if let Some(row) = margins.iter().position(|margin| !(0.0..=1.0).contains(margin)) {
            return Err(CurateError::NotAProbability { row, value: margins[row] });
        }
    } else if method == Method::Margin {
        return Err(CurateError::NoMargins);
    }
    if let Budget::Cost { of, .. } = budget {
        fits("costs", of.len())?;
        let bad = (0..n).find(|row| !(pool.known[*row] || of[*row].is_finite() && of[*row] > 0.0));
        if let Some(row) = bad {
            return Err(CurateError::BadCost { row, cost: of[row] });
        }
        if !matches!(method, Method::FacilityLocation | Method::Random) {
            return Err(CurateError::CostsNeedFacility { method: method.name() });
        }
    }
    if pool.known.iter().all(|known| *known) {
        return Err(CurateError::Empty { what: "examples without a label" });
    }
    Ok(())
}

/// A budget, or a part of one.
#[derive(Debug, Clone, Copy)]
enum Amount {
    Count(usize),
    Cost(f64),
}

impl Amount {
    /// The method's half and the random one; the method gets the odd example.
    fn halved(self) -> (Self, Self) {
        match self {
            Self::Count(count) => (Self::Count(count.div_ceil(2)), Self::Count(count / 2)),
            Self::Cost(limit) => (Self::Cost(limit / 2.0), Self::Cost(limit / 2.0)),
        }
    }

    /// The same kind of budget, but empty.
    fn none(self) -> Self {
        match self {
            Self::Count(_) => Self::Count(0),
            Self::Cost(_) => Self::Cost(0.0),
        }
    }
}

/// Rows drawn evenly; with costs, until the first that no longer fits.
fn draw(field: &Field, amount: Amount, seed: Seed) -> Vec<usize> {
    let mut rng = seed.derive("random half").rng();
    let n = field.n_open();
    let count = if let Amount::Count(count) = amount { count } else { n };
    let drawn = random::sample_without_replacement(n, count, &mut rng);
    let places = drawn.into_iter().map(|place| field.n_known + place);
    let rows = |places: &[usize]| places.iter().map(|place| field.rows[*place]).collect();
    match amount {
        Amount::Count(_) => rows(&places.collect::<Vec<_>>()),
        Amount::Cost(limit) => {
            let mut spent = 0.0;
            let within = places.take_while(|place| {
                spent += field.costs[*place];
                spent <= limit
            });
            rows(&within.collect::<Vec<_>>())
        }
    }
}

/// One of each in turn, then what is left.
fn alternating<T>(first: Vec<T>, second: Vec<T>) -> Vec<T> {
    let mut all = Vec::with_capacity(first.len() + second.len());
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    loop {
        let pair = [first.next(), second.next()];
        if pair.iter().all(Option::is_none) {
            return all;
        }
        all.extend(pair.into_iter().flatten());
    }
}

#[cfg(test)]
mod tests;
