//! What is wrong with a sound, a video, a series, or one of several senses.

use dataset::ProblemKind;

use crate::reasons::in_chinese;

/// In Chinese.
pub(super) fn chinese(kind: &ProblemKind) -> String {
    match kind {
        ProblemKind::NotASound { detail } => {
            let detail = in_chinese(detail);
            format!("这不是能读取的声音（{detail}）；请删除，或另存为 WAV、FLAC 或 MP3")
        }
        ProblemKind::BrokenSound { detail } => format!("声音已损坏（{}）；请重新导出", in_chinese(detail)),
        ProblemKind::DamagedSound { detail } => {
            let detail = in_chinese(detail);
            format!("声音不完整或有误（{detail}）；已使用能听到的部分，请重新导出")
        }
        ProblemKind::NotAPiece { start, end } => {
            format!(
                "从“{start}”到“{end}”不是一段声音；请以距开头的秒数给出起止时间，例如 2.5 和 4，结束须晚于开始；若这些列另有含义，请改列名"
            )
        }
        ProblemKind::BeyondEnd { end, length } => {
            format!("该片段到 {end} 秒，而声音在 {length} 秒结束；请以距开头的秒数给出不超过声音长度的时间")
        }
        ProblemKind::PieceOfSound => {
            "该行是声音的一个片段，而这里只接受整个文件；请把片段另存为单独的文件".to_owned()
        }
        ProblemKind::TimesUnused { columns } => {
            let columns = columns.join("、");
            format!("“{columns}”列未用于截取片段：须起止时间俱全，且表中只有声音；已按整个文件处理")
        }
        ProblemKind::NoSamples => "声音里没有任何采样；请重新录制或删除".to_owned(),
        ProblemKind::TooLong { limit_seconds: limit @ 3600.. } => {
            format!("声音超过 {} 小时；请分成几段", limit / 3600)
        }
        ProblemKind::TooLong { limit_seconds } => format!("声音超过 {limit_seconds} 秒；请分成几段"),
        ProblemKind::PieceTooLong { limit_seconds } => {
            format!("片段超过 {limit_seconds} 秒；请分成几行")
        }
        ProblemKind::NotAVideo { detail } => {
            let detail = in_chinese(detail);
            format!("这不是能读取的视频（{detail}）；请删除，或另存为 MP4")
        }
        ProblemKind::BrokenVideo { detail } => format!("视频已损坏（{}）；请重新导出", in_chinese(detail)),
        ProblemKind::DamagedVideo { detail } => {
            let detail = in_chinese(detail);
            format!("视频有一部分已损坏（{detail}）；其余部分已使用，请重新导出")
        }
        ProblemKind::SlowVideo { limit_seconds } => {
            format!("看完这段视频超过 {limit_seconds} 秒；请分成几段或缩小画面")
        }
        other => of_senses(other),
    }
}

fn of_senses(kind: &ProblemKind) -> String {
    match kind {
        ProblemKind::WithoutSense { sense, reason } => {
            format!("该样本不使用“{sense}”：{}", super::chinese(reason))
        }
        ProblemKind::SenseNotLearned { sense, detail } => {
            format!("不使用“{sense}”：{}", in_chinese(detail))
        }
        ProblemKind::NotASeries { detail } => {
            let detail = in_chinese(detail);
            format!("这不是能读取的传感器序列（{detail}）；请每列一个传感器，每行一个时刻")
        }
        ProblemKind::UnknownFiles { ending } => {
            let ending = super::ending(ending);
            format!("该列指向的文件类型未知（{ending}），未使用；请另存为 JPEG 或 PNG、WAV、MP4 或 CSV")
        }
        ProblemKind::DamagedSeries { detail } => format!("传感器序列中有更正：{}", in_chinese(detail)),
        other => other.to_string(),
    }
}
