//! Two senses on their bases: vectors in one space.

use std::sync::Arc;

use base::Base;
use base::open::Input;
use dataset::Sense;
use tune::align::{Alignment, Side};

use super::JointBundle;
use crate::{BundleError, Golden, GoldenRow, golden};

/// One of the two sides of pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The left one.
    Left,
    /// The right one.
    Right,
}

/// Two senses in one space, ready to search with.
#[derive(Debug)]
pub struct JointPredictor {
    names: [String; 2],
    alignment: Alignment,
    bases: [Arc<Base>; 2],
}

impl End {
    /// The side across.
    pub fn other(self) -> Self {
        match self {
            Self::Left => Self::Right,
            Self::Right => Self::Left,
        }
    }

    fn of(self, alignment: &Alignment) -> &Side {
        match self {
            Self::Left => &alignment.left,
            Self::Right => &alignment.right,
        }
    }
}

impl JointPredictor {
    /// Puts a bundle on its bases, left and right, and runs the self-tests.
    ///
    /// # Errors
    /// [`BundleError::WrongBase`] for another base than the bundle's, [`BundleError::SelfTest`] when golden vectors differ.
    pub fn new(bundle: JointBundle, bases: [Arc<Base>; 2]) -> Result<Self, BundleError> {
        for ((end, base), sense) in
            [End::Left, End::Right].into_iter().zip(&bases).zip(&bundle.manifest.senses)
        {
            sense.base.expect(base)?;
            bundle.golden[end as usize].check_on(base, Self::record_golden(&bundle.alignment, end, base)?)?;
        }
        let names = [0, 1].map(|end: usize| bundle.manifest.senses[end].name.clone());
        Ok(Self { names, alignment: bundle.alignment, bases })
    }

    /// The two towers of a joint base, whose space is one as they are: no pairs are needed.
    ///
    /// # Panics
    /// When the two are not of one space ([`Base::space`]).
    pub fn as_they_are(bases: [Arc<Base>; 2]) -> Self {
        let space = bases[0].space();
        assert!(space.is_some() && space == bases[1].space(), "both towers are of one base");
        let names = [0, 1].map(|end: usize| bases[end].modality().to_string());
        Self { names, alignment: Alignment::as_it_is(bases[0].layout()[0].dim), bases }
    }

    /// Records the self-test of one side of an alignment that is about to be bundled.
    pub fn record_golden(alignment: &Alignment, end: End, base: &Base) -> Result<Golden, BundleError> {
        let probes = golden::probes(base);
        let rows = probes.iter().map(|probe| {
            let vector = end.of(alignment).project(&Self::looked_at(base, &base.embed(probe)?))?;
            Ok(GoldenRow { logits: vector.into_iter().map(f64::from).collect() })
        });
        Ok(Golden { engine: base.engine_name(), rows: rows.collect::<Result<_, BundleError>>()? })
    }

    /// The part of a base's features that is aligned: its first set, at length 1.
    pub fn looked_at(base: &Base, features: &[f32]) -> Vec<f32> {
        let set = &features[..base.layout()[0].dim];
        let length = linalg::dot(set, set).sqrt();
        let inverse = if length > 0.0 { 1.0 / length } else { 0.0 };
        set.iter().map(|value| (f64::from(*value) * inverse) as f32).collect()
    }

    /// The base of one side.
    pub fn base(&self, end: End) -> &Arc<Base> {
        &self.bases[end as usize]
    }

    /// The sense of one side.
    pub fn sense(&self, end: End) -> Sense {
        Sense { name: self.names[end as usize].clone(), modality: self.base(end).modality() }
    }

    /// The vector of one input, of length 1; dot products across rank what belongs together.
    ///
    /// # Errors
    /// [`BundleError::Base`] when the base cannot prepare it.
    pub fn embed(&self, end: End, input: &Input) -> Result<Vec<f32>, BundleError> {
        self.project(end, &self.base(end).embed(input)?)
    }

    /// The same from features that were already computed: all sets of the base's layout, concatenated.
    ///
    /// # Errors
    /// [`BundleError::Tune`] when a value is not finite.
    pub fn project(&self, end: End, features: &[f32]) -> Result<Vec<f32>, BundleError> {
        Ok(end.of(&self.alignment).project(&Self::looked_at(self.base(end), features))?)
    }
}
