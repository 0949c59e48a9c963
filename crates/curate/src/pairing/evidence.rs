//! How well each explanation of an example goes with what its senses say.

use linalg::Matrix;
use rayon::prelude::*;

use super::{Heard, HeardSense};

/// A head that learned from faults says of no class that it is out of the question. What is taken off leaves this much at least.
const LEFT: f64 = 0.1;

/// What is heard, and how common each class is.
pub(super) struct Evidence<'a> {
    heard: &'a Heard<'a>,
    /// Which examples are looked at.
    rows: Vec<usize>,
    /// `[k]`
    prior: Vec<f64>,
    /// Nobody can call anything less probable than this, on the evidence of so many examples.
    doubt: f64,
}

/// How a sense is read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Reading {
    /// The power that makes it as sure as it should be: 1 as it says, more where it is too modest.
    pub(super) power: f64,
    /// The share of examples of which it, or the label, was wrong when its head learned.
    pub(super) faults: f64,
}

/// How well each explanation goes with one example, beside labels and senses that have nothing to do with each other.
#[derive(Debug, Clone)]
pub(super) struct Likely {
    pub(super) right: f64,
    pub(super) label: f64,
    /// As well as that all is right for a sense that is not there, and where no other is.
    pub(super) senses: Vec<f64>,
}

impl<'a> Evidence<'a> {
    pub(super) fn new(heard: &'a Heard<'a>, rows: Vec<usize>) -> Self {
        let (n, k) = (heard.labels.len(), heard.n_classes);
        let mut prior = vec![1.0; k];
        heard.labels.iter().for_each(|label| prior[*label as usize] += 1.0);
        prior.iter_mut().for_each(|share| *share /= (n + k) as f64);
        Self { heard, rows, prior, doubt: 0.5 / n as f64 }
    }

    pub(super) fn n_senses(&self) -> usize {
        self.heard.senses.len()
    }

    /// `[rows, k]`: the logarithm of how much more often than usual what a sense says comes with each class; 0 where it is not there.
    pub(super) fn log_ratios(&self, sense: usize, reading: Reading) -> Matrix<f64> {
        let HeardSense { probs, present } = &self.heard.senses[sense];
        let k = self.prior.len();
        let mut ratios = Matrix::zeros(self.rows.len(), k);
        let rows = ratios.data_mut().par_chunks_mut(k).zip(&self.rows).filter(|(_, row)| present[**row]);
        rows.for_each(|(to, row)| {
            let mut sum = 0.0;
            for ((to, p), prior) in to.iter_mut().zip(probs.row(*row)).zip(&self.prior) {
                let clean = (p - reading.faults * prior).max(LEFT * p).max(f64::MIN_POSITIVE);
                *to = prior * (clean / prior).powf(reading.power);
                sum += *to;
            }
            for (to, prior) in to.iter_mut().zip(&self.prior) {
                *to = ((1.0 - self.doubt) * *to / (sum * prior) + self.doubt).ln();
            }
        });
        ratios
    }

    /// How well each explanation goes with each example, by what each sense says of it.
    pub(super) fn likely(&self, ratios: &[Matrix<f64>]) -> Vec<Likely> {
        let of = |(place, row): (usize, &usize)| {
            let given = self.heard.labels[*row] as usize;
            let sum = |class: usize| ratios.iter().map(|of| of.row(place)[class]).sum();
            let joint: Vec<f64> = (0..self.prior.len()).map(sum).collect();
            let others = joint.iter().zip(&self.prior).enumerate().filter(|(class, _)| *class != given);
            let other: f64 = others.map(|(_, (log, prior))| prior * log.exp()).sum();
            let alone = self.heard.senses.iter().filter(|sense| sense.present[*row]).count() < 2;
            let without = |of: &Matrix<f64>| if alone { 0.0 } else { of.row(place)[given] };
            let foreign = ratios.iter().map(|of| (joint[given] - without(of)).exp());
            Likely {
                right: joint[given].exp(),
                // Where there is no other class no label is wrong.
                label: if self.prior.len() < 2 { 0.0 } else { other / (1.0 - self.prior[given]) },
                senses: foreign.collect(),
            }
        };
        self.rows.par_iter().enumerate().map(of).collect()
    }
}
