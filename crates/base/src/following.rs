//! The base that follows sensors over time: fixed transforms instead of a network ([`crate::series`]).

use store::Hasher;

use crate::cache::Card;
use crate::open::{BaseError, Embedded, FeatureSpec};
use crate::prep::Preprocess;
use crate::series::{Fault, KERNEL_FEATURES, SPECTRAL_FEATURES, Sensors, Series, damage, n_views};
use dataset::Modality;

/// Its name on the command line and in bundles.
pub const SERIES_BASE: &str = "series-kernels";
/// What decides the arithmetic; to be counted up with every change of the transforms.
pub(crate) const ENGINE: &str = "series 2";

/// What is known about it.
pub(crate) fn card() -> Card {
    Card {
        id: SERIES_BASE.to_owned(),
        title: "fixed kernels and spectra of sensors over time; built in".to_owned(),
        modality: Modality::Series,
        licence: "Apache-2.0 OR MIT".to_owned(),
        source: "built in".to_owned(),
        network: toml::Table::new(),
        preprocess: toml::Table::new(),
        files: Default::default(),
    }
}

/// Transforms and sensors: features of others are never mixed.
pub(crate) fn identity(preprocess: &Preprocess) -> store::Hash {
    let sensors = serde_json::to_vec(preprocess).expect("sensors have names and finite rates");
    let mut hasher = Hasher::new("dianjing.base.1");
    hasher.field("transforms", ENGINE.as_bytes()).field("sensors", &sensors).finish()
}

/// Forms, then rhythms and sizes.
pub(crate) fn layout(preprocess: &Preprocess) -> Vec<FeatureSpec> {
    let Preprocess::Series(Sensors { channels, .. }) = preprocess else { return Vec::new() };
    let set = |name: &str, dim| FeatureSpec { name: name.to_owned(), dim };
    vec![
        set("kernels", n_views(channels.len()) * KERNEL_FEATURES),
        set("spectral", channels.len() * SPECTRAL_FEATURES),
    ]
}

/// Both kinds one after the other, and what was lost of the series.
pub(crate) fn features(
    sensors: &Sensors,
    series: Series,
    mut faults: Vec<Fault>,
) -> Result<Embedded, BaseError> {
    let (features, more) = sensors.features(series)?;
    faults.extend(more);
    Ok(Embedded { features, damage: damage(&faults) })
}
