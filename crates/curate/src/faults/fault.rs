//! The names of everything that can be wrong.

use serde::Serialize;

/// What can be wrong. The order is that of the harm it does: first what makes measurements false.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The same example teaches and judges.
    Leak,
    /// Examples of one group teach and judge.
    GroupLeak,
    /// Files whose names belong together teach and judge.
    NameLeak,
    /// The name of a file gives its label away.
    LabelInName,
    /// The label contradicts a rule of the label book.
    RuleBroken,
    /// The label is probably wrong.
    Label,
    /// One sense of the example contradicts the others: it belongs to another example, or is broken.
    SenseConflict,
    /// Examples that look alike follow two rules.
    Conflict,
    /// The same example more than once.
    Duplicate,
    /// A property that should not matter tells the label by itself.
    SpuriousCorrelation,
    /// The example is of a part of the data where models fail.
    WeakSlice,
    /// The example misleads those that look like it.
    LowValue,
    /// The example is like no other.
    Outlier,
    /// A class has far fewer examples than the others.
    ClassImbalance,
    /// Examples that follow each other are alike.
    NonIid,
    /// The text names a person's number, address or account.
    PersonalData,
    /// A field that most examples have is missing.
    MissingValue,
    /// A column only numbers or names the examples.
    IdentifierColumn,
    /// There is hardly anything to read.
    ShortText,
    /// Characters that could not be read, or that nobody types.
    BrokenCharacters,
    /// The text was decoded with the wrong encoding.
    Mojibake,
    /// The text is in another language or script than the others.
    OtherLanguage,
    /// The text ends where a limit of length cut it.
    Truncated,
    /// Remains of HTML or JSON.
    Markup,
    /// Most of the text is shared with many others.
    Template,
    /// The same lines again and again.
    RepeatedLines,
    /// Simplified and traditional characters in one text.
    MixedChinese,
    /// Words far shorter or longer than those of a language.
    OddWordLength,
    /// Hardly any letters among the characters.
    FewLetters,
    /// Hash signs and ellipses instead of words.
    ManySymbols,
    /// Even the brightest parts are dark.
    Dark,
    /// Even the darkest parts are bright.
    Bright,
    /// Much darker or brighter than the other pictures.
    OddBrightness,
    /// There are no sharp edges, where the other pictures have some.
    Blurry,
    /// The picture was made larger: it has fewer details than pixels.
    Upscaled,
    /// So strongly compressed that it shows.
    LowJpegQuality,
    /// A border of one colour takes much of the picture.
    Border,
    /// It lies or is mirrored in its file, and EXIF says how to show it upright.
    ExifTurned,
    /// Much larger or smaller than the other pictures.
    OddSize,
    /// Much longer than wide, or the other way round.
    OddAspectRatio,
    /// Hardly anything but one tone.
    LowInformation,
    /// Grey among pictures in colour.
    Grey,
    /// The recording was too loud for its format.
    Clipped,
    /// Most of the recording is silence.
    Silent,
    /// The loud parts are hardly louder than the quiet ones.
    Noisy,
    /// The hum of the mains is in the recording.
    Hum,
    /// The sample rate promises frequencies that are not there.
    Upsampled,
    /// The waveform is not centred on zero.
    DcOffset,
    /// All channels hold the same, where other recordings have several.
    SameChannels,
    /// Much longer or shorter than the other recordings.
    OddDuration,
    /// Half of the video or more is black.
    BlackFrames,
    /// The video stands still for most of its length.
    Frozen,
    /// Frames are given twice or more often while things move.
    RepeatedFrames,
    /// A sensor of the series stands still, or has no value, where those of other series move.
    FlatSensor,
    /// A sensor of the series is at the end of its range for long.
    SaturatedSensor,
    /// Values of a sensor of the series are missing.
    MissingSensor,
    /// The clock of the series goes back or leaps.
    ClockJumps,
}

impl Fault {
    /// All of them, the most harmful first.
    pub const ALL: [Self; 57] = [
        Self::Leak,
        Self::GroupLeak,
        Self::NameLeak,
        Self::LabelInName,
        Self::RuleBroken,
        Self::Label,
        Self::SenseConflict,
        Self::Conflict,
        Self::Duplicate,
        Self::SpuriousCorrelation,
        Self::WeakSlice,
        Self::LowValue,
        Self::Outlier,
        Self::ClassImbalance,
        Self::NonIid,
        Self::PersonalData,
        Self::MissingValue,
        Self::IdentifierColumn,
        Self::ShortText,
        Self::BrokenCharacters,
        Self::Mojibake,
        Self::OtherLanguage,
        Self::Truncated,
        Self::Markup,
        Self::Template,
        Self::RepeatedLines,
        Self::MixedChinese,
        Self::OddWordLength,
        Self::FewLetters,
        Self::ManySymbols,
        Self::Dark,
        Self::Bright,
        Self::OddBrightness,
        Self::Blurry,
        Self::Upscaled,
        Self::LowJpegQuality,
        Self::Border,
        Self::ExifTurned,
        Self::OddSize,
        Self::OddAspectRatio,
        Self::LowInformation,
        Self::Grey,
        Self::Clipped,
        Self::Silent,
        Self::Noisy,
        Self::Hum,
        Self::Upsampled,
        Self::DcOffset,
        Self::SameChannels,
        Self::OddDuration,
        Self::BlackFrames,
        Self::Frozen,
        Self::RepeatedFrames,
        Self::FlatSensor,
        Self::SaturatedSensor,
        Self::MissingSensor,
        Self::ClockJumps,
    ];

    /// Its name in tables and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Leak => "leak",
            Self::GroupLeak => "group_leak",
            Self::NameLeak => "name_leak",
            Self::LabelInName => "label_in_name",
            Self::RuleBroken => "rule_broken",
            Self::Label => "label",
            Self::SenseConflict => "sense_conflict",
            Self::Conflict => "conflict",
            Self::Duplicate => "duplicate",
            Self::SpuriousCorrelation => "spurious_correlation",
            Self::WeakSlice => "weak_slice",
            Self::LowValue => "low_value",
            Self::Outlier => "outlier",
            Self::ClassImbalance => "class_imbalance",
            Self::NonIid => "non_iid",
            Self::PersonalData => "personal_data",
            Self::MissingValue => "missing_value",
            Self::IdentifierColumn => "identifier_column",
            Self::ShortText => "short_text",
            Self::BrokenCharacters => "broken_characters",
            Self::Mojibake => "mojibake",
            Self::OtherLanguage => "other_language",
            Self::Truncated => "truncated",
            Self::Markup => "markup",
            Self::Template => "template",
            Self::RepeatedLines => "repeated_lines",
            Self::MixedChinese => "mixed_chinese",
            Self::OddWordLength => "odd_word_length",
            Self::FewLetters => "few_letters",
            Self::ManySymbols => "many_symbols",
            Self::Dark => "dark",
            Self::Bright => "bright",
            Self::OddBrightness => "odd_brightness",
            Self::Blurry => "blurry",
            Self::Upscaled => "upscaled",
            Self::LowJpegQuality => "low_jpeg_quality",
            Self::Border => "border",
            Self::ExifTurned => "exif_turned",
            Self::OddSize => "odd_size",
            Self::OddAspectRatio => "odd_aspect_ratio",
            Self::LowInformation => "low_information",
            Self::Grey => "grey",
            Self::Clipped => "clipped",
            Self::Silent => "silent",
            Self::Noisy => "noisy",
            Self::Hum => "hum",
            Self::Upsampled => "upsampled",
            Self::DcOffset => "dc_offset",
            Self::SameChannels => "same_channels",
            Self::OddDuration => "odd_duration",
            Self::BlackFrames => "black_frames",
            Self::Frozen => "frozen",
            Self::RepeatedFrames => "repeated_frames",
            Self::FlatSensor => "flat_sensor",
            Self::SaturatedSensor => "saturated_sensor",
            Self::MissingSensor => "missing_sensor",
            Self::ClockJumps => "clock_jumps",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_named_once_and_in_the_order_of_harm() {
        assert!(Fault::ALL.is_sorted_by(|a, b| a < b));
        let mut names = Fault::ALL.map(Fault::name).to_vec();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Fault::ALL.len());
    }

    #[test]
    fn the_table_of_thresholds_has_every_fault_in_its_order() {
        let document = include_str!("../../../../docs/audit.md");
        let row = |line: &'static str| line.strip_prefix("| `")?.split('`').next();
        let is_fault = |name: &&str| Fault::ALL.iter().any(|fault| fault.name() == *name);
        let mut rows: Vec<&str> = document.lines().filter_map(row).filter(is_fault).collect();
        // Labels of each kind have a row of their own.
        rows.dedup();
        assert_eq!(rows, Fault::ALL.map(Fault::name));
    }
}
