//! Reasons why a sound, a series or a video is not used, in Chinese: below, they are words of the crate that found them.

/// What stands between reasons.
const BETWEEN: &str = "; ";

/// What is said in English and in Chinese; `{}` stands for what is filled in, in the same order. What is said of less stands before
/// what is said of more: the first that fits is taken.
const REASONS: [(&str, &str); 55] = [
    ("its decoder gave up", "解码器无法处理"),
    ("it ends early", "文件不完整"),
    ("it ends early or lacks pieces", "提前结束或缺少片段"),
    ("nothing of it can be decoded, {} damaged piece(s)", "没有一段能够解码，{} 段已损坏"),
    ("nothing of it can be decoded, it ends early or lacks pieces", "没有一段能够解码，提前结束或缺少片段"),
    ("{} damaged piece(s)", "{} 段已损坏"),
    ("its channels cancel each other, and only the loudest was heard", "各声道相互抵消，只使用最响的声道"),
    ("it claims {} channels, 1 to {} are decoded", "声称有 {} 个声道，只支持 1 到 {} 个"),
    ("it claims {} samples a second, 1 to {} are decoded", "声称采样率为每秒 {} 次，只支持 1 到 {}"),
    ("it changes from {} channel(s) at {} Hz to {} at {} Hz", "中途由 {} 声道 {} 赫兹变为 {} 声道 {} 赫兹"),
    ("it holds values that are not finite", "含有非有限的数值"),
    ("it holds no track of a known codec", "没有已知编码的音轨"),
    ("its header does not tell how it is coded", "文件头没有说明编码方式"),
    ("it is coded with Opus, which is not decoded", "采用 Opus 编码，暂不支持"),
    ("it is coded with Speex, which is not decoded", "采用 Speex 编码，暂不支持"),
    ("it is MPEG audio of layer 1 or 2, which is not decoded", "是 MPEG 第 1 或第 2 层音频，暂不支持"),
    ("its codec is not decoded", "其编码暂不支持"),
    ("not supported: {}", "不支持：{}"),
    ("it is MIDI, which holds notes and no sound", "是 MIDI，只有音符没有声音"),
    ("it is Apple's CAF, which is not decoded", "是 Apple CAF 格式，暂不支持"),
    ("it is Sun's AU, which is not decoded", "是 Sun AU 格式，暂不支持"),
    ("it is {}, which is not decoded", "是 {} 格式，暂不支持"),
    ("it is a picture", "这是图片"),
    ("it is a PDF", "这是 PDF"),
    ("it is an archive or an Office document", "这是压缩包或 Office 文档"),
    ("it holds text", "里面是文本"),
    ("its first bytes belong to no known format", "文件开头不属于任何已知格式"),
    ("it changed while it was read", "读取时文件发生了变化"),
    ("its columns cannot be read: `{}` has no rows below its header", "“{}”的表头下面没有数据行"),
    ("its columns cannot be read: `{}` cannot be parsed: {}", "“{}”无法解析：{}"),
    ("its columns cannot be read: {}", "无法读取各列：{}"),
    ("it has {} row of numbers, a series has at least 2", "只有 {} 行数值，序列至少要有 2 行"),
    ("it has {} steps, at most {} are read", "有 {} 个时刻，最多读取 {} 个"),
    ("it has {} bytes, at most {} are read", "有 {} 字节，最多读取 {}"),
    ("it has {} sensors, at most {} are read", "有 {} 个传感器，最多读取 {} 个"),
    (
        "no column has a sensor's numbers: row {}, column `{}` holds text (`{}`)",
        "没有一列是传感器数值：第 {} 行“{}”列是文本（“{}”）",
    ),
    (
        "`{}` holds text only and is left out, the first in row {}: `{}`",
        "“{}”只含文本，未使用，第一处在第 {} 行：“{}”",
    ),
    ("it has no column with a sensor's values", "没有传感器数值列"),
    ("it has two columns `{}`", "有两列同名“{}”"),
    ("it has none of the sensors {}", "没有学习时的传感器 {}"),
    ("it has {} steps, those learned from usually have {}", "有 {} 个时刻，而学习时的序列通常为 {} 个"),
    (
        "{} cell(s) of `{}` are no numbers, the first in row {}: `{}`",
        "有 {} 格不是数值（“{}”），第一处在第 {} 行：“{}”",
    ),
    ("{} row(s) cannot be read, the first is row {}", "有 {} 行无法读取，第一处是第 {} 行"),
    ("{} row(s) have no time, the first is row {}", "有 {} 行没有时间，第一处是第 {} 行"),
    (
        "the clock jumps {} time(s), first by {} after step {}",
        "时钟跳变 {} 次，第一次跳了 {}，在第 {} 步之后",
    ),
    ("{} step(s) are longer or shorter than the others", "有 {} 步比其他的长或短"),
    ("the clock is coarser than the steps", "时钟的精度低于步长"),
    ("{} value(s) of `{}` are missing", "缺少 {} 个数值（“{}”）"),
    ("`{}` has no value at all", "“{}”没有任何数值"),
    ("it has {} steps a second, those that were learned from {}", "每秒 {} 步，而学习时为 {}"),
    ("it is none of {}", "不属于以下格式：{}"),
    ("it has no moving pictures", "没有画面"),
    ("it has no frame that can be decoded", "没有能解码的画面"),
    ("it has no frame that can be decoded: {}", "没有能解码的画面：{}"),
    ("it ends after {} of {} s", "在第 {} 秒处中断，应有 {} 秒"),
];

/// The reasons in Chinese; as they are where nobody said them in Chinese, such as what the system says of a file.
pub(crate) fn in_chinese(detail: &str) -> String {
    let pieces: Vec<&str> = detail.split(BETWEEN).collect();
    let (mut said, mut at) = (Vec::new(), 0);
    while at < pieces.len() {
        // A reason may hold what stands between reasons.
        let whole =
            (at + 1..=pieces.len()).rev().find_map(|end| Some((end, one(&pieces[at..end].join(BETWEEN))?)));
        let (end, text) = whole.unwrap_or_else(|| (at + 1, pieces[at].to_owned()));
        said.push(text);
        at = end;
    }
    said.join("；")
}

fn one(detail: &str) -> Option<String> {
    REASONS.iter().find_map(|(english, chinese)| Some(filled(chinese, &found(english, detail)?)))
}

/// What stands in the places of the pattern; `None` where it does not fit, or where another reason would stand in a place. What a
/// file holds stands between backticks, and may hold what stands between reasons.
fn found<'t>(pattern: &str, text: &'t str) -> Option<Vec<&'t str>> {
    let mut literals = pattern.split("{}");
    let mut before = literals.next()?;
    let mut rest = text.strip_prefix(before)?;
    let mut found = Vec::new();
    let mut literals = literals.peekable();
    while let Some(literal) = literals.next() {
        let end = match (literals.peek(), literal) {
            (None, "") => rest.len(),
            (None, last) => rest.strip_suffix(last)?.len(),
            (Some(_), next) => rest.find(next)?,
        };
        let value = &rest[..end];
        let quoted = before.ends_with('`') && literal.starts_with('`');
        if value.contains(BETWEEN) && (!quoted || value.contains('`')) {
            return None;
        }
        found.push(value);
        rest = &rest[end + literal.len()..];
        before = literal;
    }
    rest.is_empty().then_some(found)
}

fn filled(pattern: &str, values: &[&str]) -> String {
    let mut values = values.iter();
    let mut parts = pattern.split("{}");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str(values.next().copied().unwrap_or_default());
        text.push_str(part);
    }
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[track_caller]
    fn check(english: &str, chinese: &str) {
        assert_eq!(in_chinese(english), chinese);
    }

    #[test]
    fn reasons_are_chinese_with_what_was_filled_in() {
        check("its decoder gave up", "解码器无法处理");
        check("it is WavPack, which is not decoded", "是 WavPack 格式，暂不支持");
        check("3 damaged piece(s)", "3 段已损坏");
        check(
            "it changes from 1 channel(s) at 8000 Hz to 2 at 44100 Hz",
            "中途由 1 声道 8000 赫兹变为 2 声道 44100 赫兹",
        );
        check(
            "2 row(s) have no time, the first is row 7; `heat` has no value at all",
            "有 2 行没有时间，第一处是第 7 行；“heat”没有任何数值",
        );
        check("Permission denied (os error 13)", "Permission denied (os error 13)");
        check("nothing of it can be decoded, 3 damaged piece(s)", "没有一段能够解码，3 段已损坏");
        check(
            "2 value(s) of `a; b` are missing; its decoder gave up",
            "缺少 2 个数值（“a; b”）；解码器无法处理",
        );
        check("not supported: this; it holds text", "不支持：this；里面是文本");
        check("disk full; it is a PDF; disk full", "disk full；这是 PDF；disk full");
    }

    /// A pattern with its places numbered.
    fn numbered(pattern: &str) -> String {
        let values: Vec<String> =
            (1..=pattern.matches("{}").count()).map(|place| place.to_string()).collect();
        filled(pattern, &values.iter().map(String::as_str).collect::<Vec<_>>())
    }

    #[test]
    fn every_reason_is_told_from_every_other_one_alone_and_in_pairs() {
        let all = REASONS.map(|(english, chinese)| (numbered(english), numbered(chinese)));
        for (english, chinese) in &all {
            check(english, chinese);
            for (other, in_chinese) in &all {
                check(&format!("{english}; {other}"), &format!("{chinese}；{in_chinese}"));
            }
        }
    }

    #[test]
    fn what_the_readers_say_is_known() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            std::fs::write(dir.path().join(name), bytes).unwrap();
            dir.path().join(name)
        };
        let is_chinese = |text: &str| text.chars().any(|letter| ('\u{4e00}'..='\u{9fff}').contains(&letter));
        let sound = |path: &Path| base::sound::Decoder::open(path).map(|_| ()).unwrap_err();
        for bytes in [
            &b"%PDF-1.7 and more of it"[..],
            b"one two three four five six",
            b"MAC and more of it, much more",
        ] {
            let dataset::ProblemKind::NotASound { detail } = sound(&write("a.wav", bytes)).into() else {
                panic!("it is no sound")
            };
            assert!(is_chinese(&in_chinese(&detail)), "{detail}");
        }
        for text in ["", "time,a\n", "time,a\n0,1\n", "time,a\n0,x\n1,y\n", "time\n0\n1\n", "a,a\n0,1\n1,2\n"]
        {
            let detail = base::series::read(&write("a.csv", text.as_bytes())).unwrap_err().to_string();
            assert!(is_chinese(&in_chinese(&detail)), "{detail}");
        }
    }
}
