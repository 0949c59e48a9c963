//! What was seen of an example that is flagged, in words: the value beside its limit.

use curate::faults::{Evidence, Fault, LengthUnit, PersonalData, PersonalKind};

use super::labels::ViewSays;
use super::tongues;
use crate::percent;
use crate::report::Sentence;

/// Places of personal data, or names, that are told.
const SHOWN: usize = 3;

/// One sentence; `names` are those of all files, for a name that belongs together with others.
pub(super) fn sentence(fault: Fault, evidence: &Evidence, names: &[String]) -> Sentence {
    let (en, zh) = match evidence {
        Evidence::Limit { value, limit } => beside_limit(fault, *value, *limit),
        Evidence::Usual { value, usual, limit } => beside_usual(fault, *value, *usual, *limit),
        Evidence::Count(count) => counted(fault, *count),
        Evidence::Group { name, outside } => (
            format!("its group `{name}` has {outside} outside the test part"),
            format!("同组“{name}”有 {outside} 个样本在测试集之外"),
        ),
        Evidence::Names { first, outside } => {
            let name = names.get(*first).map_or("", String::as_str);
            (
                format!("its name goes with {outside} outside the test part, such as `{name}`"),
                format!("文件名与测试集之外的 {outside} 个文件属于同一系列，例如“{name}”"),
            )
        }
        Evidence::Fields(fields) => {
            let (en, zh) = listed(fields);
            (format!("it lacks {en}"), format!("缺少{zh}"))
        }
        Evidence::Personal(places) => personal(places),
        Evidence::Language { found, usual } => {
            let [found_en, found_zh] = tongues::name(*found);
            let usual: Vec<[String; 2]> = usual.iter().map(|tongue| tongues::name(*tongue)).collect();
            let joined = |place: usize, by: &str| {
                usual.iter().map(|names| names[place].as_str()).collect::<Vec<_>>().join(by)
            };
            (
                format!("it is in {found_en}; the others are in {}", joined(0, ", ")),
                format!("它是{found_zh}，其他样本是{}", joined(1, "、")),
            )
        }
        Evidence::Cut { length, unit, texts } => {
            let (en, zh) = match unit {
                LengthUnit::Characters => ("characters", "个字符"),
                LengthUnit::Bytes => ("bytes", "个字节"),
                LengthUnit::Words => ("words", "个词"),
            };
            (
                format!("it breaks off after exactly {length} {en}, as {texts} of the texts do"),
                format!("恰好在第 {length} {zh}处中断，共有 {texts} 条文本如此"),
            )
        }
        Evidence::Variants { simplified, traditional } => (
            format!("{simplified} characters are only simplified, {traditional} only traditional"),
            format!("有 {simplified} 个简体字和 {traditional} 个繁体字"),
        ),
        Evidence::Orientation(noted) => turned(*noted),
        Evidence::Hum { decibels, limit, hertz } => (
            format!("{hertz} Hz and its multiples stand out by {decibels:.1} dB; limit {limit:.0} dB"),
            format!("{hertz} Hz 及其倍频高出周围 {decibels:.1} dB，上限 {limit:.0} dB"),
        ),
        Evidence::Sensors { names, value, limit } => sensors(fault, names, *value, *limit),
    };
    Sentence { en, zh }
}

/// How many of the views find another label right.
pub(super) fn views(says: &[ViewSays]) -> Option<Sentence> {
    let (against, all) = (says.iter().filter(|says| says.contradicts).count(), says.len());
    (all > 0).then(|| Sentence {
        en: format!("{against} of {all} views contradict its label"),
        zh: format!("{all} 个视角中有 {against} 个不同意它的标注"),
    })
}

/// How near copies are to each other; `scores` are theirs of [`curate::Duplicates`].
pub(super) fn copies(scores: &[f64]) -> Sentence {
    let n = scores.len();
    let distance = |score: f64| -(1.0 - score).ln();
    let is_same = |score: &f64| distance(*score) < 0.0005;
    if scores.iter().all(is_same) {
        return Sentence { en: format!("{n} that are the same"), zh: format!("{n} 个完全相同") };
    }
    if scores.iter().any(is_same) {
        return Sentence {
            en: format!("{n} nearly the same, some of them exactly"),
            zh: format!("{n} 个几乎相同，其中有完全相同的"),
        };
    }
    let distance = percent(distance(scores.iter().copied().fold(1.0, f64::min)));
    Sentence {
        en: format!("{n} nearly the same: the nearest two differ by {distance} of what is usual"),
        zh: format!("{n} 个几乎相同：最近两个的差别是通常的 {distance}"),
    }
}

fn beside_limit(fault: Fault, value: f64, limit: f64) -> (String, String) {
    let (v, l) = (short(value), short(limit));
    let (pv, pl) = (percent(value), percent(limit));
    let (en, zh) = match fault {
        Fault::Outlier => {
            return (
                format!("it is {v} times as far from its 20 nearest as is usual; limit {l}"),
                format!("与最近 20 个样本的距离是通常的 {v} 倍，上限 {l} 倍"),
            );
        }
        Fault::LowValue => {
            return (
                format!(
                    "in the votes on similar examples its label is worth {v}; about 1 is usual, below {l} it surely misleads"
                ),
                format!(
                    "在相似样本的投票中，它的标注价值为 {v}；通常约为 1，低于 {l} 基本可以确定有误导作用"
                ),
            );
        }
        Fault::ClassImbalance => {
            return (
                format!("the class has {v} examples; a tenth of an even share is {l}"),
                format!("该类有 {v} 个样本，平均份额的十分之一为 {l}"),
            );
        }
        Fault::Grey => {
            return (
                format!("it has no colours, as {pv} of the pictures do; limit {pl}"),
                format!("没有颜色，这样的图片占 {pv}，上限 {pl}"),
            );
        }
        Fault::SameChannels => {
            return (
                format!("all its channels hold the same, as in {pv} of the recordings; limit {pl}"),
                format!("各声道内容相同，这样的录音占 {pv}，上限 {pl}"),
            );
        }
        Fault::ShortText => ("letters and digits", "字母、汉字和数字的个数"),
        Fault::OddWordLength => ("mean length of its words", "平均词长"),
        Fault::OddAspectRatio => ("shorter over longer side", "短边与长边之比"),
        Fault::Dark => ("brightness of its brightest hundredth", "最亮百分之一的亮度"),
        Fault::Bright => ("brightness of its darkest twentieth", "最暗二十分之一的亮度"),
        Fault::Blurry => ("sharpness (variance of the Laplacian)", "清晰度（拉普拉斯方差）"),
        Fault::Upscaled => ("fine details over coarse ones", "细部与较粗结构的能量比"),
        Fault::LowJpegQuality => ("JPEG quality", "JPEG 质量"),
        Fault::LowInformation => ("bits of information in its colours", "颜色的信息量（比特）"),
        Fault::Noisy => ("decibels between its loud and its quiet parts", "响处与静处相差的分贝数"),
        Fault::Upsampled => ("decibels of its upper frequencies", "高频部分的分贝数"),
        Fault::DcOffset => ("mean of its samples", "采样均值"),
        _ => {
            let (en, zh) = shares(fault);
            return (format!("{en}: {pv}; limit {pl}"), format!("{zh}：{pv}，界限 {pl}"));
        }
    };
    (format!("{en}: {v}; limit {l}"), format!("{zh}：{v}，界限 {l}"))
}

/// What a share is of.
fn shares(fault: Fault) -> (&'static str, &'static str) {
    match fault {
        Fault::BrokenCharacters => ("broken among its characters", "损坏字符所占比例"),
        Fault::Template => ("of its text its own", "自身独有文字所占比例"),
        Fault::RepeatedLines => ("of its lines repeat an earlier one", "重复前文的行所占比例"),
        Fault::FewLetters => ("letters among its characters", "字母和汉字所占比例"),
        Fault::ManySymbols => ("hash signs and ellipses for each word", "每词平均的井号和省略号"),
        Fault::Border => ("of its area a border of one colour", "单色边框所占面积"),
        Fault::Clipped => ("of its samples at full scale", "达到满幅的采样所占比例"),
        Fault::Silent => ("of it silent", "静音所占比例"),
        Fault::BlackFrames => ("of its frames black", "黑色帧所占比例"),
        Fault::Frozen => ("of it without any change", "画面静止所占比例"),
        Fault::RepeatedFrames => ("of its frames given twice", "重复帧所占比例"),
        fault => unreachable!("{fault:?} is measured in no share"),
    }
}

fn beside_usual(fault: Fault, value: f64, usual: f64, limit: f64) -> (String, String) {
    let (en, zh) = match fault {
        Fault::OddBrightness => ("mean brightness", "平均亮度"),
        Fault::OddSize => ("mean side in pixels", "平均边长（像素）"),
        Fault::OddDuration => ("seconds", "时长（秒）"),
        fault => unreachable!("{fault:?} is not measured beside what is usual"),
    };
    let (value, usual, limit) = (short(value), short(usual), short(limit));
    (
        format!("{en}: {value}; usually {usual}, limit {limit}"),
        format!("{zh}：{value}，通常为 {usual}，界限 {limit}"),
    )
}

fn counted(fault: Fault, count: usize) -> (String, String) {
    let (en, zh) = match fault {
        Fault::Mojibake => ("places that make sense in another encoding", "换一种编码才读得通的地方"),
        Fault::Markup => ("tags, entities, keys and escapes", "标签、实体、键名和转义符"),
        Fault::ClockJumps => ("leaps of its clock", "时钟跳变"),
        fault => unreachable!("{fault:?} is not counted"),
    };
    (format!("{en}: {count}"), format!("{zh}：{count} 处"))
}

/// What a viewer does to show it upright.
fn turned(noted: u8) -> (String, String) {
    let (en, zh) = match noted {
        2 => ("mirrored", "左右镜像"),
        3 => ("turned by 180 degrees", "旋转 180 度"),
        4 => ("mirrored top to bottom", "上下镜像"),
        5 => ("mirrored and turned left by 90 degrees", "镜像后左转 90 度"),
        6 => ("turned right by 90 degrees", "右转 90 度"),
        7 => ("mirrored and turned right by 90 degrees", "镜像后右转 90 度"),
        _ => ("turned left by 90 degrees", "左转 90 度"),
    };
    (format!("EXIF orientation {noted}: it is shown {en}"), format!("EXIF 方向为 {noted}：显示时会{zh}"))
}

fn sensors(fault: Fault, names: &[String], value: f64, limit: f64) -> (String, String) {
    let (en, zh) = listed(names);
    let (value, limit) = (percent(value), percent(limit));
    match fault {
        Fault::SaturatedSensor => (
            format!("{en} is at an end of its range for {value} of the steps; limit {limit}"),
            format!("{zh}有 {value} 的时间停在量程一端，界限 {limit}"),
        ),
        Fault::MissingSensor => (
            format!("{en} lacks {value} of its values; limit {limit}"),
            format!("{zh}缺少 {value} 的数值，界限 {limit}"),
        ),
        _ => (
            format!("{en} always has one value ({value} of the sensors)"),
            format!("{zh}的数值始终不变（占传感器的 {value}）"),
        ),
    }
}

/// Kinds and places, never what is written there.
fn personal(places: &[PersonalData]) -> (String, String) {
    let of = |PersonalData { start, end, kind }: &PersonalData| {
        let (en, zh) = match kind {
            PersonalKind::Email => ("an e-mail address", "电子邮箱"),
            PersonalKind::Phone => ("a telephone number", "电话号码"),
            PersonalKind::ChineseId => ("an identity card number", "身份证号"),
            PersonalKind::BankCard => ("a bank card number", "银行卡号"),
            PersonalKind::IpAddress => ("an IP address", "IP 地址"),
            PersonalKind::LicensePlate => ("a licence plate", "车牌号"),
        };
        let first = start + 1;
        (format!("{en} at characters {first}-{end}"), format!("第 {first}～{end} 个字符是{zh}"))
    };
    let (mut en, mut zh): (Vec<String>, Vec<String>) = places.iter().take(SHOWN).map(of).unzip();
    if let Some(more) = places.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        en.push(format!("{more} more"));
        zh.push(format!("另有 {more} 处"));
    }
    (en.join(", "), zh.join("，"))
}

/// The first names, in both languages.
fn listed(names: &[String]) -> (String, String) {
    let shown = names.iter().take(SHOWN);
    let mut en: Vec<String> = shown.clone().map(|name| format!("`{name}`")).collect();
    let mut zh: Vec<String> = shown.map(|name| format!("“{name}”")).collect();
    if let Some(more) = names.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        en.push(format!("{more} more"));
        zh.push(format!("另外 {more} 个"));
    }
    (en.join(", "), zh.join("、"))
}

/// Three digits that count, without those that say nothing.
fn short(value: f64) -> String {
    let digits = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 0.1 || size == 0.0 => 2,
        size => (2.0 - size.log10()).ceil().clamp(0.0, 6.0) as usize,
    };
    let text = format!("{value:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use curate::faults::Tongue;

    use super::*;
    use crate::auditing::View;

    /// What a check sees of an example with this fault; `None` for faults that are told with their sentence by whoever looks at many
    /// examples or at several senses.
    fn seen(fault: Fault) -> Option<Evidence> {
        let limit = Evidence::Limit { value: 0.25, limit: 0.5 };
        let usual = Evidence::Usual { value: 12.0, usual: 100.0, limit: 25.0 };
        Some(match fault {
            Fault::LabelInName
            | Fault::RuleBroken
            | Fault::SenseConflict
            | Fault::Conflict
            | Fault::SpuriousCorrelation
            | Fault::WeakSlice
            | Fault::NonIid
            | Fault::IdentifierColumn => return None,
            // By views and by copies, below.
            Fault::Label | Fault::Leak | Fault::Duplicate => return None,
            Fault::GroupLeak => Evidence::Group { name: "p7".to_owned(), outside: 3 },
            Fault::NameLeak => Evidence::Names { first: 0, outside: 2 },
            Fault::PersonalData => {
                Evidence::Personal(vec![PersonalData { start: 11, end: 30, kind: PersonalKind::Email }])
            }
            Fault::MissingValue => Evidence::Fields(vec!["weight".to_owned(), "colour".to_owned()]),
            Fault::Mojibake | Fault::Markup | Fault::ClockJumps => Evidence::Count(2),
            Fault::OtherLanguage => Evidence::Language {
                found: Tongue::Language("deu"),
                usual: vec![Tongue::Language("eng"), Tongue::Simplified],
            },
            Fault::Truncated => Evidence::Cut { length: 100, unit: LengthUnit::Characters, texts: 7 },
            Fault::MixedChinese => Evidence::Variants { simplified: 9, traditional: 4 },
            Fault::ExifTurned => Evidence::Orientation(6),
            Fault::Hum => Evidence::Hum { decibels: 21.5, limit: 12.0, hertz: 50 },
            Fault::FlatSensor | Fault::SaturatedSensor | Fault::MissingSensor => {
                Evidence::Sensors { names: vec!["hot".to_owned()], value: 0.25, limit: 0.05 }
            }
            Fault::OddBrightness | Fault::OddSize | Fault::OddDuration => usual,
            Fault::LowValue
            | Fault::Outlier
            | Fault::ClassImbalance
            | Fault::ShortText
            | Fault::BrokenCharacters
            | Fault::Template
            | Fault::RepeatedLines
            | Fault::OddWordLength
            | Fault::FewLetters
            | Fault::ManySymbols
            | Fault::Dark
            | Fault::Bright
            | Fault::Blurry
            | Fault::Upscaled
            | Fault::LowJpegQuality
            | Fault::Border
            | Fault::OddAspectRatio
            | Fault::LowInformation
            | Fault::Grey
            | Fault::Clipped
            | Fault::Silent
            | Fault::Noisy
            | Fault::Upsampled
            | Fault::DcOffset
            | Fault::SameChannels
            | Fault::BlackFrames
            | Fault::Frozen
            | Fault::RepeatedFrames => limit,
        })
    }

    #[test]
    fn every_fault_of_single_examples_has_a_sentence_of_its_own_with_its_value() {
        let names = ["frame_1.png".to_owned()];
        let told: Vec<Sentence> = Fault::ALL
            .into_iter()
            .filter_map(|fault| seen(fault).map(|evidence| sentence(fault, &evidence, &names)))
            .collect();
        assert_eq!(told.len(), Fault::ALL.len() - 11);
        let of = |pick: fn(&Sentence) -> &str| told.iter().map(pick).collect::<BTreeSet<_>>();
        assert_eq!((of(|told| &told.en).len(), of(|told| &told.zh).len()), (told.len(), told.len()));
        for Sentence { en, zh } in &told {
            assert!(en.is_ascii() && zh.chars().any(|letter| letter > '\u{4E00}'), "{en} {zh}");
            assert!(
                en.chars().any(|letter| letter.is_ascii_digit() || letter == '`') || en.contains("German"),
                "{en}"
            );
        }
    }

    #[track_caller]
    fn check(fault: Fault, evidence: &Evidence, en: &str, zh: &str) {
        let found = sentence(fault, evidence, &[]);
        assert_eq!((found.en.as_str(), found.zh.as_str()), (en, zh));
    }

    #[test]
    fn values_stand_beside_their_limits() {
        check(
            Fault::Dark,
            &Evidence::Limit { value: 0.0392, limit: 0.32 },
            "brightness of its brightest hundredth: 0.0392; limit 0.32",
            "最亮百分之一的亮度：0.0392，界限 0.32",
        );
        check(
            Fault::Hum,
            &Evidence::Hum { decibels: 21.46, limit: 12.0, hertz: 50 },
            "50 Hz and its multiples stand out by 21.5 dB; limit 12 dB",
            "50 Hz 及其倍频高出周围 21.5 dB，上限 12 dB",
        );
        check(
            Fault::OtherLanguage,
            &Evidence::Language { found: Tongue::Language("deu"), usual: vec![Tongue::Language("eng")] },
            "it is in German; the others are in English",
            "它是德语，其他样本是英语",
        );
        let place = PersonalData { start: 11, end: 30, kind: PersonalKind::Email };
        check(
            Fault::PersonalData,
            &Evidence::Personal(vec![place; 5]),
            "an e-mail address at characters 12-30, an e-mail address at characters 12-30, an e-mail address at characters 12-30, 2 more",
            "第 12～30 个字符是电子邮箱，第 12～30 个字符是电子邮箱，第 12～30 个字符是电子邮箱，另有 2 处",
        );
        for (value, text) in
            [(0.0, "0"), (-70.0, "-70"), (1234.5, "1234"), (3.1449, "3.14"), (0.000_012_3, "0.000012")]
        {
            assert_eq!(short(value), text);
        }
    }

    #[test]
    fn labels_are_shown_by_their_views_and_copies_by_their_distance() {
        let says = |contradicts| ViewSays {
            view: View::Given,
            sense: None,
            label: "worn".to_owned(),
            probability: None,
            contradicts,
        };
        assert_eq!(
            views(&[says(true), says(false), says(true)]).unwrap().en,
            "2 of 3 views contradict its label"
        );
        assert!(views(&[]).is_none());
        let near = 1.0 - (-0.05_f64).exp();
        assert_eq!(copies(&[0.0; 2]).en, "2 that are the same");
        assert_eq!(copies(&[0.0, 0.0, near]).en, "3 nearly the same, some of them exactly");
        assert!(copies(&[near; 3]).en.contains("5.0 % of what is usual"));
    }
}
