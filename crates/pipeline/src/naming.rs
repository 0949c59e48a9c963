//! What an inspector looks at, by its name: sentences are written for photos, and say recordings, clips or series where those are inspected.

use dataset::Modality;
use serde::{Deserialize, Serialize};

use crate::Lang;
use crate::report::Sentence;

/// What is inspected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subject {
    /// Photos of parts.
    #[default]
    Photo,
    /// Recordings of their sound.
    Sound,
    /// Clips of them at work.
    Video,
    /// Series of their sensors.
    Series,
}

/// What a word for photos becomes, the longer first.
type Words = &'static [(&'static str, &'static str)];

const ENGLISH_OF_SOUNDS: Words = &[
    ("light, camera or product", "surroundings, microphone or product"),
    ("Pixel by pixel", "Point by point"),
    ("pixels are", "points of its spectrum are"),
    ("Photograph ", "Record "),
    ("photograph ", "record "),
    ("photo", "recording"),
];
const CHINESE_OF_SOUNDS: Words = &[
    ("光照、相机", "环境、麦克风"),
    ("镜头脏污", "麦克风故障"),
    ("接下来拍什么", "接下来录什么"),
    ("多拍", "多录"),
    ("拍摄", "录制"),
    ("逐像素", "逐点"),
    ("照片", "录音"),
    ("张", "段"),
];
const ENGLISH_OF_VIDEOS: Words = &[("Photograph ", "Film "), ("photograph ", "film "), ("photo", "clip")];
const CHINESE_OF_VIDEOS: Words = &[("照片", "视频"), ("张", "段")];
const ENGLISH_OF_SERIES: Words = &[
    ("light, camera or product", "surroundings, sensors or product"),
    ("Pixel by pixel", "Point by point"),
    ("pixels are", "points of its curves are"),
    ("Photograph ", "Record "),
    ("photograph ", "record "),
    ("photos", "series"),
    ("photo", "series"),
];
const CHINESE_OF_SERIES: Words = &[
    ("光照、相机", "环境、传感器"),
    ("镜头脏污", "传感器故障"),
    ("接下来拍什么", "接下来记录什么"),
    ("多拍", "多记录"),
    ("拍摄", "记录"),
    ("逐像素", "逐点"),
    ("照片", "序列"),
    ("张", "条"),
];

impl Subject {
    /// What examples of this kind are called.
    pub fn of(modality: Modality) -> Self {
        match modality {
            Modality::Sound => Self::Sound,
            Modality::Video => Self::Video,
            Modality::Series => Self::Series,
            _ => Self::Photo,
        }
    }

    /// The same, by the name that a bundle has for it.
    pub fn named(modality: &str) -> Self {
        match modality {
            "sound" => Self::Sound,
            "video" => Self::Video,
            "series" => Self::Series,
            _ => Self::Photo,
        }
    }

    /// A sentence about photos, said of these. What stands in quotes is somebody's name for something and stays.
    pub fn say(self, text: &str, lang: Lang) -> String {
        let words = match (self, lang) {
            (Self::Photo, _) => return text.to_owned(),
            (Self::Sound, Lang::En) => ENGLISH_OF_SOUNDS,
            (Self::Sound, Lang::Zh) => CHINESE_OF_SOUNDS,
            (Self::Video, Lang::En) => ENGLISH_OF_VIDEOS,
            (Self::Video, Lang::Zh) => CHINESE_OF_VIDEOS,
            (Self::Series, Lang::En) => ENGLISH_OF_SERIES,
            (Self::Series, Lang::Zh) => CHINESE_OF_SERIES,
        };
        let is_quote = |letter: char| matches!(letter, '`' | '“' | '”');
        let said = |part: &str| words.iter().fold(part.to_owned(), |part, (from, to)| part.replace(from, to));
        let parts = text.split_inclusive(is_quote).enumerate();
        parts.map(|(at, part)| if at % 2 == 0 { said(part) } else { part.to_owned() }).collect()
    }

    /// The same in both languages.
    pub fn both(self, sentence: &Sentence) -> Sentence {
        Sentence { en: self.say(&sentence.en, Lang::En), zh: self.say(&sentence.zh, Lang::Zh) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(subject: Subject, lang: Lang, text: &str, expect: &str) {
        assert_eq!(subject.say(text, lang), expect);
    }

    #[test]
    fn sentences_speak_of_what_is_inspected() {
        check(Subject::Photo, Lang::En, "12 good photos", "12 good photos");
        check(Subject::Sound, Lang::En, "Photograph 3 more: 12 photos", "Record 3 more: 12 recordings");
        check(Subject::Video, Lang::En, "Photograph 3 more: 12 photos", "Film 3 more: 12 clips");
        check(Subject::Video, Lang::Zh, "有 3 张良品照片", "有 3 段良品视频");
        check(Subject::Series, Lang::En, "a photo of 12 photos", "a series of 12 series");
        check(Subject::Sound, Lang::Zh, "有 3 张良品照片", "有 3 段良品录音");
        check(Subject::Series, Lang::Zh, "请多拍一些照片", "请多记录一些序列");
    }

    #[test]
    fn names_of_files_stay_as_they_are() {
        check(
            Subject::Sound,
            Lang::En,
            "look at photo `photo/1.wav` first",
            "look at recording `photo/1.wav` first",
        );
        check(Subject::Series, Lang::Zh, "请看照片“照片/张三.csv”", "请看序列“照片/张三.csv”");
    }
}
