//! What every sense says of labels, out of fold, and what all of them say together.
//!
//! The weights of the pool, by which each sense is made as sure as it should be, are fitted on all rows, those that are judged among them;
//! what each sense says is out of fold. What is said of labels is out of fold throughout.

use curate::{Heard, HeardSense, Pairing, pairing};
use linalg::Matrix;
use tune::fuse::{FuseInput, LatePool, Sense, choose};

use super::super::labels::{self, Labels, Said, View, ViewSays};
use super::super::material::{Material, Nearness};
use super::alone::Alone;
use crate::assess::argmax;
use crate::senses::stoppable;
use crate::{PipelineError, Run};

/// The least probability that a logarithm is taken of.
const SMALLEST: f64 = 1e-12;

/// What the senses say of the labelled examples of which any says something.
pub(super) struct HeardAll {
    /// Which examples these are, ascending.
    pub(super) rows: Vec<usize>,
    /// `[rows]`.
    labels: Vec<u32>,
    /// `[rows, k]`: by the way of joining that was chosen, out of fold.
    joined: Matrix<f64>,
    /// Those that say anything at all.
    pub(super) senses: Vec<String>,
    of_senses: Vec<HeardSense>,
}

/// What one sense says of the rows that are judged.
struct Voice {
    name: String,
    /// `[judged, k]`
    log_probs: Matrix<f64>,
    present: Vec<bool>,
}

/// Asks every sense about the labels, out of fold; `None` where there are no two classes to compare.
pub(super) fn heard(
    material: &Material,
    nearness: &Nearness,
    alone: &[Alone<'_>],
    run: &Run<'_>,
) -> Result<Option<HeardAll>, PipelineError> {
    let judged = material.judged();
    let voices = alone.iter().map(|sense| voice(material, &judged, sense, run));
    let mut voices: Vec<Voice> = voices.collect::<Result<_, _>>()?;
    voices.retain(|voice| voice.present.contains(&true));
    let asked: Vec<usize> =
        (0..judged.len()).filter(|at| voices.iter().any(|voice| voice.present[*at])).collect();
    let rows: Vec<usize> = asked.iter().map(|at| judged[*at]).collect();
    let labels: Vec<u32> = rows.iter().filter_map(|row| material.labels[*row]).collect();
    if labels.iter().all(|label| *label == labels[0]) {
        return Ok(None);
    }
    for voice in &mut voices {
        voice.log_probs = voice.log_probs.select_rows(&asked);
        voice.present = asked.iter().map(|at| voice.present[*at]).collect();
    }
    let groups: Vec<u32> = rows.iter().map(|row| nearness.groups[*row]).collect();
    let senses: Vec<Sense<'_>> = voices.iter().map(Voice::sense).collect();
    let n_classes = material.classes.len();
    let input = FuseInput { senses: &senses, labels: &labels, n_classes, groups: &groups };
    let pool = LatePool::fit(&input)?;
    let mut heard = HeardAll::by(&pool, &voices, rows, labels.clone());
    let choice = stoppable(choose(&input, material.seed, run.cancel_flag()))?;
    for row in &choice.validated {
        let said = choice.log_probs.row(*row).iter().map(|value| value.exp());
        let sum: f64 = said.clone().sum();
        heard.joined.row_mut(*row).iter_mut().zip(said).for_each(|(to, p)| *to = p / sum);
    }
    Ok(Some(heard))
}

/// What a sense says of the rows that are judged. Of a class that it never saw it says nothing: such a class keeps its share.
fn voice(
    material: &Material,
    judged: &[usize],
    sense: &Alone<'_>,
    run: &Run<'_>,
) -> Result<Voice, PipelineError> {
    let k = material.classes.len();
    let mut log_probs = Matrix::zeros(judged.len(), k);
    let mut present = vec![false; judged.len()];
    let name = sense.one.sense.name.clone();
    let Some(said) = labels::together(&sense.material, &sense.nearness, run.cancel_flag())? else {
        return Ok(Voice { name, log_probs, present });
    };
    let mut probs = vec![0.0; k];
    judged.iter().filter_map(|row| material.labels[*row]).for_each(|label| probs[label as usize] += 1.0);
    probs.iter_mut().for_each(|share| *share /= judged.len() as f64);
    let number = |class: &String| material.classes.binary_search(class);
    let known: Vec<usize> = sense.material.classes.iter().filter_map(|class| number(class).ok()).collect();
    let share: f64 = known.iter().map(|class| probs[*class]).sum();
    for (row, said) in sense.material.judged().into_iter().zip(said.iter_rows()) {
        let Ok(at) = judged.binary_search(&sense.one.places[row]) else { continue };
        present[at] = true;
        known.iter().zip(said).for_each(|(class, p)| probs[*class] = share * p);
        let to = log_probs.row_mut(at);
        to.iter_mut().zip(&probs).for_each(|(to, p)| *to = p.max(SMALLEST).ln());
    }
    Ok(Voice { name, log_probs, present })
}

impl Voice {
    fn sense(&self) -> Sense<'_> {
        Sense { name: &self.name, log_probs: &self.log_probs, features: None, present: &self.present }
    }
}

impl HeardAll {
    /// What a pool of these voices says, and each alone.
    fn by(pool: &LatePool, voices: &[Voice], rows: Vec<usize>, labels: Vec<u32>) -> Self {
        let k = pool.log_prior().len();
        let trust = vec![1.0; voices.len()];
        let table = |speaks: &dyn Fn(usize) -> bool| {
            let mut table = Matrix::zeros(rows.len(), k);
            for row in 0..rows.len() {
                let said = voices.iter().enumerate();
                let said = said.map(|(place, voice)| {
                    (voice.present[row] && speaks(place)).then(|| voice.log_probs.row(row))
                });
                let said = pool.log_probs(&said.collect::<Vec<_>>(), &trust);
                table.row_mut(row).iter_mut().zip(said).for_each(|(to, value)| *to = value.exp());
            }
            table
        };
        let of_senses = voices.iter().enumerate().map(|(place, voice)| HeardSense {
            probs: table(&|other| other == place),
            present: voice.present.clone(),
        });
        Self {
            of_senses: of_senses.collect(),
            joined: table(&|_| true),
            senses: voices.iter().map(|voice| voice.name.clone()).collect(),
            rows,
            labels,
        }
    }

    /// Whether senses belong to their examples.
    pub(super) fn pairing(&self) -> Result<Pairing, PipelineError> {
        let n_classes = self.joined.cols();
        Ok(pairing(&Heard { labels: &self.labels, n_classes, senses: &self.of_senses })?)
    }

    /// The labels that all senses together doubt, with what each says of them; `None` where none is judged.
    pub(super) fn labels(&self, material: &Material) -> Result<Option<Labels>, PipelineError> {
        let judged = material.judged();
        let k = material.classes.len();
        // Where no sense says anything, no label is doubted.
        let mut values = Matrix::zeros(judged.len(), k);
        for (at, row) in judged.iter().enumerate() {
            let to = values.row_mut(at);
            match self.rows.binary_search(row) {
                Ok(place) => to.copy_from_slice(self.joined.row(place)),
                Err(_) => to[material.labels[*row].expect("what is judged has a label") as usize] = 1.0,
            }
        }
        let said = vec![Said { view: View::Senses, values }];
        let Some(mut labels) = labels::labels(material, said, None)? else { return Ok(None) };
        for row in labels.checked.flagged.clone() {
            if let Ok(place) = self.rows.binary_search(&row) {
                let each = self.says(material, place);
                labels.says[row].splice(0..0, each);
            }
        }
        Ok(Some(labels))
    }

    /// What each sense says of one of the rows.
    pub(super) fn says(&self, material: &Material, place: usize) -> Vec<ViewSays> {
        let there = self.senses.iter().zip(&self.of_senses).filter(|(_, sense)| sense.present[place]);
        there
            .map(|(name, sense)| {
                let probs = sense.probs.row(place);
                let class = argmax(probs);
                ViewSays {
                    view: View::Sense,
                    sense: Some(name.clone()),
                    label: material.classes[class as usize].clone(),
                    probability: Some(probs[class as usize]),
                    contradicts: class != self.labels[place],
                }
            })
            .collect()
    }
}
