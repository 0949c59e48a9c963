//! What a check saw of an example that it flags: the value beside the limit, the place, the name.

use super::PersonalData;
use super::texts::Tongue;

/// What a check saw of an example that it flags. Which unit a number has follows from the fault.
#[derive(Debug, Clone, PartialEq)]
pub enum Evidence {
    /// A value, and the limit that it passes.
    Limit {
        /// What was measured.
        value: f64,
        /// From where on it is flagged.
        limit: f64,
    },
    /// A value far from the usual one of the set.
    Usual {
        /// What was measured.
        value: f64,
        /// The median of the set.
        usual: f64,
        /// From where on it is flagged, on the side where the value lies.
        limit: f64,
    },
    /// So many places, of which one is enough.
    Count(usize),
    /// It shares a group with examples outside the test part.
    Group {
        /// The name of the group.
        name: String,
        /// How many of them there are.
        outside: usize,
    },
    /// Its name belongs together with those of examples outside the test part.
    Names {
        /// The first of them, as a row.
        first: usize,
        /// How many of them there are.
        outside: usize,
    },
    /// Fields that it lacks and most have.
    Fields(Vec<String>),
    /// What its text gives away, and where; never what is written there.
    Personal(Vec<PersonalData>),
    /// What its text is written in, and what the others are.
    Language {
        /// Of this text.
        found: Tongue,
        /// Of the set.
        usual: Vec<Tongue>,
    },
    /// Where a limit of length cuts texts.
    Cut {
        /// The length of the longest texts.
        length: usize,
        /// What it is counted in.
        unit: LengthUnit,
        /// How many texts end there.
        texts: usize,
    },
    /// Characters of only one variant of Chinese.
    Variants {
        /// How many are simplified.
        simplified: usize,
        /// How many are traditional.
        traditional: usize,
    },
    /// Which way up EXIF says the photo is, 2 to 8.
    Orientation(u8),
    /// How far the hum of the mains stands out.
    Hum {
        /// In decibels.
        decibels: f64,
        /// From where on it is flagged.
        limit: f64,
        /// The frequency of the mains, in hertz.
        hertz: u32,
    },
    /// What sensors of a series show.
    Sensors {
        /// Which sensors.
        names: Vec<String>,
        /// What was measured of the worst of them.
        value: f64,
        /// From where on it is flagged.
        limit: f64,
    },
}

/// What the length of a text is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LengthUnit {
    /// Unicode characters.
    Characters,
    /// Bytes of UTF-8.
    Bytes,
    /// What stands between spaces.
    Words,
}
