//! Problems and steps in the reader's language.

use dataset::{Problem, ProblemKind};

use crate::{Fault, Lang, Step};

/// One line about a problem: where, what, and what to do.
pub fn problem(problem: &Problem, lang: Lang) -> String {
    match lang {
        Lang::En => problem.to_string(),
        Lang::Zh => format!("{}：{}", problem.place(), chinese(&problem.kind)),
    }
}

/// What is wrong, without the place.
pub fn problem_kind(kind: &ProblemKind, lang: Lang) -> String {
    match lang {
        Lang::En => kind.to_string(),
        Lang::Zh => chinese(kind),
    }
}

fn chinese(kind: &ProblemKind) -> String {
    match kind {
        ProblemKind::EmptyFile => "文件是空的；请重新复制或删除".to_owned(),
        ProblemKind::Unreadable { detail } => format!("无法读取（{detail}）；请检查权限"),
        ProblemKind::MissingFile { name } => format!("“{name}”不存在；请更正路径或删除该行"),
        ProblemKind::OutsideRoot { name } => format!("“{name}”在数据文件夹之外；请移到里面"),
        ProblemKind::NotAnImage { detail } => format!("这不是图片（{detail}）；请删除，或另存为 JPEG 或 PNG"),
        ProblemKind::OtherKind { takes } => {
            format!("该底座只接受{}；请去掉此文件", if takes == "text" { "文本" } else { "图片" })
        }
        ProblemKind::BrokenImage { detail } => format!("图片已损坏（{detail}）；请重新导出"),
        ProblemKind::TooLarge { detail } => format!("图片太大（{detail}）；请缩小"),
        ProblemKind::RaggedRow { got, expected } => {
            format!("该行有 {got} 格，表头有 {expected} 格；请检查引号或分隔符")
        }
        ProblemKind::UnclosedQuote => "这里的引号没有闭合；请补上或删除（该行未读入）".to_owned(),
        ProblemKind::BadText { encoding } => {
            format!("有些字节不是 {encoding} 文字；请重新输入损坏的字并另存为 UTF-8")
        }
        ProblemKind::BadRow { detail } => format!("无法读取该行：{detail}"),
        ProblemKind::EmptyCell => "单元格为空；请填写或删除该行".to_owned(),
        ProblemKind::NotANumber { value } => format!("“{value}”不是数字；请更正，或使用 --task single-label"),
        ProblemKind::Tie { labels, taken } => {
            format!("标注员意见持平（{}）；暂取“{taken}”，请裁定", labels.join("、"))
        }
        ProblemKind::RareClass { class, count } => {
            format!("类别“{class}”只有 {count} 个样本，无法检验学得如何；请补充")
        }
        ProblemKind::EmptyMask => "掩膜里没有标出任何区域；请用白色标出缺陷，或删除该掩膜".to_owned(),
        ProblemKind::MaskSize { got, expected } => format!(
            "掩膜是 {} x {} 像素，图片是 {} x {} 像素；请在原图上绘制掩膜",
            got.0, got.1, expected.0, expected.1
        ),
        ProblemKind::MaskWithoutPicture => {
            "找不到唯一对应的图片；请让掩膜的文件名和文件夹与图片一致".to_owned()
        }
        ProblemKind::SeveralMasks { count } => {
            format!("这张图片有 {count} 个掩膜，都未采用；请合并成一个")
        }
        ProblemKind::DefectWithoutMask { count } => {
            format!("有 {count} 张缺陷图片没有掩膜（这是第一张）；这些图片不检验缺陷位置")
        }
        ProblemKind::Ignored { count } => format!("有 {count} 个文件不属于该布局，已跳过"),
        other => other.to_string(),
    }
}

/// What a step does, for progress bars.
pub fn step(step: Step, lang: Lang) -> &'static str {
    match step {
        Step::Read => lang.pick("Reading", "读取数据"),
        Step::Base => lang.pick("Opening the base", "打开底座"),
        Step::Features => lang.pick("Looking at examples", "提取特征"),
        Step::Audit => lang.pick("Looking for duplicates", "检查重复"),
        Step::Select => lang.pick("Choosing", "挑选样本"),
        Step::Tune => lang.pick("Tuning", "调校"),
        Step::Evaluate => lang.pick("Measuring", "评估"),
        Step::Write => lang.pick("Writing", "写出"),
    }
}

/// A fault as a heading.
pub fn fault(fault: Fault, lang: Lang) -> &'static str {
    match fault {
        Fault::Leak => lang.pick("leaks between train and test", "训练集与测试集之间的泄漏"),
        Fault::Label => lang.pick("labels that look wrong", "可疑标注"),
        Fault::Duplicate => lang.pick("duplicates", "重复样本"),
        Fault::Outlier => lang.pick("outliers", "离群样本"),
        Fault::ClassImbalance => lang.pick("examples of rare classes", "稀少类别的样本"),
        Fault::NonIid => lang.pick("alike in a row", "相邻样本相似"),
        Fault::ShortText => lang.pick("too short to read", "文本过短"),
        Fault::Dark => lang.pick("dark", "过暗"),
        Fault::Bright => lang.pick("bright", "过亮"),
        Fault::Blurry => lang.pick("blurred", "模糊"),
        Fault::OddSize => lang.pick("odd size", "尺寸异常"),
        Fault::OddAspectRatio => lang.pick("odd shape", "长宽比异常"),
        Fault::LowInformation => lang.pick("hardly anything to see", "几乎没有内容"),
        Fault::Grey => lang.pick("grey among colour", "彩色中的灰度图"),
    }
}

/// What a fault means, in one sentence.
pub fn fault_meaning(fault: Fault, lang: Lang) -> &'static str {
    match fault {
        Fault::Leak => lang.pick(
            "The same example, or nearly so, teaches and judges: every measurement on it flatters.",
            "同一样本（或几乎相同的样本）既用于训练又用于测试：测得的结果会偏高。",
        ),
        Fault::Label => lang.pick(
            "Models that had not seen the example, and the examples most like it, disagree with the label. Look, then decide: the label may be right.",
            "没见过该样本的模型和最相似的样本都不同意这个标注。请看一眼再决定：标注也可能是对的。",
        ),
        Fault::Duplicate => lang.pick(
            "The same example more than once, or nearly so; with different labels, one of them is wrong.",
            "同一样本（或几乎相同的样本）出现多次；标注不同时，必有一个是错的。",
        ),
        Fault::Outlier => lang.pick("Far from all other examples.", "与其他样本都相差很远。"),
        Fault::ClassImbalance => lang.pick(
            "Less than a tenth of an even share: what is learned about such a class can hardly be checked.",
            "不到平均份额的十分之一：很难检验对这类学得如何。",
        ),
        Fault::NonIid => lang.pick(
            "Within a class, examples that follow each other are more alike than by chance: bursts, sessions or batches. Split across train and test they flatter.",
            "同一类中相邻的样本比随机情况更相似：连拍、同一时段或批次。分到训练与测试两侧会使结果偏高。",
        ),
        Fault::ShortText => lang.pick("Hardly any letters or digits.", "几乎没有文字或数字。"),
        Fault::Dark => lang.pick("Even the brightest parts are dark.", "最亮处也很暗。"),
        Fault::Bright => lang.pick("Even the darkest parts are bright.", "最暗处也很亮。"),
        Fault::Blurry => lang.pick("No sharp edges, where the other pictures have some.", "没有清晰的边缘，而其他图片有。"),
        Fault::OddSize => lang.pick("Four times larger or smaller than usual.", "比通常的大或小四倍以上。"),
        Fault::OddAspectRatio => lang.pick("Nearly three times as long as wide.", "长宽相差近三倍。"),
        Fault::LowInformation => lang.pick("Hardly anything but one tone.", "几乎只有一种色调。"),
        Fault::Grey => lang.pick("Nearly all other pictures are in colour.", "其他图片几乎都是彩色的。"),
    }
}
