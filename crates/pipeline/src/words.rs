//! Problems and steps in the reader's language.

mod recordings;

use dataset::{Problem, ProblemKind};

use crate::report::Sentence;
use crate::{COST_FROM, CostUse, Fault, Lang, PipelineError, Step, chinese_errors};

/// One line about a problem: where, what, and what to do.
pub fn problem(problem: &Problem, lang: Lang) -> String {
    match lang {
        Lang::En => problem.to_string(),
        Lang::Zh => format!("{}：{}", place(problem), chinese(&problem.kind)),
    }
}

/// `path:57，“标签”列`.
fn place(problem: &Problem) -> String {
    let whole = Problem { column: None, ..problem.clone() }.place();
    match &problem.column {
        Some(column) => format!("{whole}，“{column}”列"),
        None => whole,
    }
}

/// What is wrong and where, in both languages.
pub(crate) fn problem_in_both(problem: &Problem) -> Sentence {
    Sentence { en: self::problem(problem, Lang::En), zh: self::problem(problem, Lang::Zh) }
}

/// What stopped a run, with its causes.
pub fn error(error: &PipelineError, lang: Lang) -> String {
    let mut causes: Vec<String> = Vec::new();
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(cause) = next {
        let chinese = if lang == Lang::Zh { chinese_errors::message(cause) } else { None };
        let text = chinese.unwrap_or_else(|| cause.to_string());
        // Transparent errors repeat their cause word for word.
        if causes.last() != Some(&text) {
            causes.push(text);
        }
        next = cause.source();
    }
    causes.join(lang.pick(": ", "："))
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
            let takes = match takes.as_str() {
                "text" => "文本",
                "sounds" => "声音",
                "videos" => "视频",
                "series" => "传感器序列",
                _ => "图片",
            };
            format!("该底座只接受{takes}；请去掉此文件")
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
        ProblemKind::NotANumber { value } => no_number(value),
        ProblemKind::Tie { labels, taken } => {
            format!("标注员意见持平（{}）；暂取“{taken}”，请裁定", labels.join("、"))
        }
        ProblemKind::RareClass { class, count } => {
            format!("类别“{class}”只有 {count} 个样本，无法检验学得如何；请补充")
        }
        ProblemKind::Ignored { count } => format!("有 {count} 个文件不属于该布局，已跳过"),
        other => chinese_of_inspected(other),
    }
}

fn chinese_of_inspected(kind: &ProblemKind) -> String {
    match kind {
        ProblemKind::MarkedGood => {
            "标为良品，但掩膜里标出了区域；请移到缺陷中，或清空掩膜（该照片未使用）".to_owned()
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
        ProblemKind::BrighterThanLearned { bits } => {
            format!("有些像素超出学习图片所用的 {bits} 位范围，按白色处理；请按那些图片的方式保存")
        }
        ProblemKind::TooFine { size: (width, height), megapixels } => format!(
            "图片有 {width} x {height} 像素，按该检测器的观察精细度最多 {megapixels} 百万像素；请缩放到学习图片的尺寸，或用这种尺寸的图片学习"
        ),
        ProblemKind::TooSmall { size: (width, height) } => {
            format!("只有 {width} x {height} 像素，看不出零件；请按拍摄原样保存")
        }
        ProblemKind::Blank => "照片上什么也看不见；请检查镜头盖、光照和文件".to_owned(),
        ProblemKind::OtherSize { size: (width, height), side } => format!(
            "图片为 {width} x {height} 像素，而学习用的约为 {side} x {side}，物体看上去比学习时大或小，承诺不成立；请按相同方式拍摄"
        ),
        ProblemKind::OtherShape { size: (width, height) } => format!(
            "{width} x {height} 像素，形状与学习所用的良品照片不同，而那些照片的零件位置一致；请按同样的范围裁剪，或为这类照片单独建立检测器"
        ),
        ProblemKind::OutsideReference { percent } => {
            format!("有 {percent} % 的画面在良品所示范围之外，未作比较；请按学习时的位置摆放零件")
        }
        ProblemKind::CopyOfLearned => {
            "同一张图片也在用于学习的部分里；请只保留一份（测量时未使用）".to_owned()
        }
        other => recordings::chinese(other),
    }
}

fn no_number(value: &str) -> String {
    let what = if value.parse::<f64>().is_ok() {
        "不是有限的数，或大得无法学习"
    } else {
        "不是数字"
    };
    format!("“{value}”{what}；请更正，或使用 --task single-label")
}

/// The ending of names of files, where they have one.
pub(crate) fn ending(ending: &str) -> &str {
    if ending.starts_with('.') { ending } else { "没有扩展名" }
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

/// What the cost of a missed defect did, and what would help.
pub fn cost_use(cost: CostUse) -> Sentence {
    let (en, zh) = match cost {
        CostUse::Used => (
            "The threshold is the cheapest one that keeps the promise, by the cost of a missed defect.".to_owned(),
            "阈值是在遵守承诺的前提下、按漏检代价最划算的一个。".to_owned(),
        ),
        CostUse::TooFewDefects => (
            format!(
                "The cost of a missed defect was not used: it takes {COST_FROM} labelled defects to learn from, each of another group, and those of the test part decide nothing."
            ),
            format!("未使用漏检代价：需要至少 {COST_FROM} 个用于学习的已标注缺陷，且来自不同的组，测试集中的不算。"),
        ),
        CostUse::NoPromise => (
            "The cost of a missed defect was not used: the good parts do not prove the promise it would have to keep.".to_owned(),
            "未使用漏检代价：良品数量还不足以证明它所须遵守的承诺。".to_owned(),
        ),
    };
    Sentence { en, zh }
}

/// That labelled defects taught nothing, and what it takes; `None` where there are none of these.
pub fn idle_defects(n: usize) -> Option<Sentence> {
    let defects = if n == 1 { "one labelled defect".to_owned() } else { format!("{n} labelled defects") };
    (n > 0).then(|| Sentence {
        en: format!(
            "The {defects} taught nothing: it takes two good photos, and defects of two groups, to learn from any."
        ),
        zh: format!("{n} 张已标注的缺陷没有用于学习：至少需要两张良品照片和来自两组的缺陷。"),
    })
}

/// A fault as a heading.
pub fn fault(fault: Fault, lang: Lang) -> &'static str {
    match fault {
        Fault::Leak => lang.pick("leaks between train and test", "训练集与测试集之间的泄漏"),
        Fault::GroupLeak => lang.pick("groups on both sides of the split", "同组样本跨训练与测试"),
        Fault::NameLeak => lang.pick("file series on both sides of the split", "同一系列的文件跨训练与测试"),
        Fault::LabelInName => lang.pick("file names that give the label away", "文件名泄露标注"),
        Fault::RuleBroken => lang.pick("labels against the rules", "违反规则的标注"),
        Fault::Label => lang.pick("labels that look wrong", "可疑标注"),
        Fault::SenseConflict => lang.pick("senses that contradict each other", "彼此矛盾的感官"),
        Fault::Conflict => lang.pick("rules in conflict", "规则冲突"),
        Fault::Duplicate => lang.pick("duplicates", "重复样本"),
        Fault::SpuriousCorrelation => lang.pick("properties that tell the label", "与标注相关的无关属性"),
        Fault::WeakSlice => lang.pick("in parts where models fail", "模型表现差的部分"),
        Fault::LowValue => lang.pick("misleading examples", "误导性样本"),
        Fault::Outlier => lang.pick("outliers", "离群样本"),
        Fault::ClassImbalance => lang.pick("examples of rare classes", "稀少类别的样本"),
        Fault::NonIid => lang.pick("alike in a row", "相邻样本相似"),
        Fault::PersonalData => lang.pick("personal data", "个人信息"),
        Fault::MissingValue => lang.pick("missing fields", "缺少字段"),
        Fault::IdentifierColumn => lang.pick("columns that only number examples", "仅作编号的列"),
        Fault::ShortText => lang.pick("too short to read", "文本过短"),
        Fault::BrokenCharacters => lang.pick("broken characters", "损坏的字符"),
        Fault::Mojibake => lang.pick("decoded with the wrong encoding", "乱码"),
        Fault::OtherLanguage => lang.pick("in another language", "语言或文字不同"),
        Fault::Truncated => lang.pick("cut at a limit", "被截断"),
        Fault::Markup => lang.pick("remains of HTML or JSON", "HTML 或 JSON 残留"),
        Fault::Template => lang.pick("mostly shared text", "模板文本"),
        Fault::RepeatedLines => lang.pick("repeated lines", "重复行"),
        Fault::MixedChinese => lang.pick("simplified and traditional mixed", "简繁混用"),
        Fault::OddWordLength => lang.pick("odd word lengths", "词长异常"),
        Fault::FewLetters => lang.pick("hardly any letters", "文字过少"),
        Fault::ManySymbols => lang.pick("many symbols", "符号过多"),
        Fault::Dark => lang.pick("dark", "过暗"),
        Fault::Bright => lang.pick("bright", "过亮"),
        Fault::OddBrightness => lang.pick("odd brightness", "亮度异常"),
        Fault::Blurry => lang.pick("blurred", "模糊"),
        Fault::Upscaled => lang.pick("made larger", "放大过的图片"),
        Fault::LowJpegQuality => lang.pick("strongly compressed", "压缩过度"),
        Fault::Border => lang.pick("large border", "大面积边框"),
        Fault::ExifTurned => lang.pick("turned only by EXIF", "仅靠 EXIF 转正"),
        Fault::OddSize => lang.pick("odd size", "尺寸异常"),
        Fault::OddAspectRatio => lang.pick("odd shape", "长宽比异常"),
        Fault::LowInformation => lang.pick("hardly anything to see", "几乎没有内容"),
        Fault::Grey => lang.pick("grey among colour", "彩色中的灰度图"),
        Fault::Clipped => lang.pick("clipped", "削波失真"),
        Fault::Silent => lang.pick("mostly silent", "大部分无声"),
        Fault::Noisy => lang.pick("noisy", "噪声大"),
        Fault::Hum => lang.pick("hum of the mains", "工频噪声"),
        Fault::Upsampled => lang.pick("sample rate promises too much", "采样率虚高"),
        Fault::DcOffset => lang.pick("off centre", "直流偏移"),
        Fault::SameChannels => lang.pick("channels that are the same", "声道相同"),
        Fault::OddDuration => lang.pick("odd duration", "时长异常"),
        Fault::BlackFrames => lang.pick("mostly black", "大部分黑屏"),
        Fault::Frozen => lang.pick("frozen", "画面静止"),
        Fault::RepeatedFrames => lang.pick("repeated frames", "重复帧"),
        Fault::FlatSensor => lang.pick("sensor that stands still", "传感器无变化"),
        Fault::SaturatedSensor => lang.pick("sensor at the end of its range", "传感器饱和"),
        Fault::MissingSensor => lang.pick("missing sensor values", "传感器缺值"),
        Fault::ClockJumps => lang.pick("clock that jumps", "时钟跳变"),
    }
}

/// The same, with the sense that shows it, of several.
pub fn fault_of(sense: Option<&str>, fault: Fault, lang: Lang) -> String {
    let name = self::fault(fault, lang);
    sense.map_or_else(
        || name.to_owned(),
        |sense| lang.pick(format!("{sense}: {name}"), format!("{sense}：{name}")),
    )
}

/// What a fault means, in one sentence.
#[allow(clippy::too_many_lines, reason = "one arm a fault")]
pub fn fault_meaning(fault: Fault, lang: Lang) -> &'static str {
    match fault {
        Fault::Leak => lang.pick(
            "The same example, or nearly so, teaches and judges: every measurement on it flatters.",
            "同一样本（或几乎相同的样本）既用于训练又用于测试：测得的结果会偏高。",
        ),
        Fault::GroupLeak => lang.pick(
            "Examples of one group (a patient, a lot, a video) teach and judge: measurements flatter.",
            "同一组（患者、批次、视频）的样本既用于训练又用于测试：测得的结果会偏高。",
        ),
        Fault::NameLeak => lang.pick(
            "Files whose names belong together, and that are alike (frames of one video, pictures of one part), teach and judge: measurements flatter. Name groups, and keep each on one side.",
            "名称属于同一系列、内容也相似的文件（同一视频的各帧、同一零件的多张照片）既用于训练又用于测试：测得的结果会偏高。请指定分组，并让每组只在一边。",
        ),
        Fault::LabelInName => lang.pick(
            "The name of the file tells the label: do not let a model or an annotator see it.",
            "文件名就能看出标注：不要让模型或标注员看到它。",
        ),
        Fault::Label => lang.pick(
            "Models that had not seen the example, and the examples most like it, disagree with the label. Look, then decide: the label may be right.",
            "没见过该样本的模型和最相似的样本都不同意这个标注。请看一眼再决定：标注也可能是对的。",
        ),
        Fault::SenseConflict => lang.pick(
            "One sense speaks for another class than the label and the other senses, none of which had seen the example: a wrong pairing, a wrong note or a broken sensor.",
            "某一感官与标注和其他感官（都未见过该样本）给出不同的类别：可能是配对错误、记录错误或传感器损坏。",
        ),
        Fault::RuleBroken => lang.pick(
            "The label contradicts a rule that was decided and written into the label book.",
            "标注违反了已裁定并写入标签手册的规则。",
        ),
        Fault::Conflict => lang.pick(
            "Examples that look alike are labelled by two rules. Decide on one: the models cannot learn both.",
            "看起来一样的样本按两条规则标注。请选定一条：模型无法同时学会两条。",
        ),
        Fault::Duplicate => lang.pick(
            "The same example more than once, or nearly so; with different labels, one of them is wrong.",
            "同一样本（或几乎相同的样本）出现多次；标注不同时，必有一个是错的。",
        ),
        Fault::SpuriousCorrelation => lang.pick(
            "A property that should not matter, such as brightness or source, tells the label by itself: a model may learn it instead.",
            "本不该有关的属性（如亮度、来源）单独就能判断标注：模型可能学到的是它。",
        ),
        Fault::WeakSlice => lang.pick(
            "Models err far more here than elsewhere, and not by chance: more examples like these help most.",
            "模型在这里的错误明显多于别处，且不是偶然：补充这类样本最有用。",
        ),
        Fault::LowValue => lang.pick(
            "The example makes predictions for those most like it worse: look at its label.",
            "它会使最相似样本的预测变差：请检查它的标注。",
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
        Fault::PersonalData => lang.pick(
            "An e-mail address, a number of a person, card or vehicle, or an address on the internet. Only kind and place are noted, never the data.",
            "含电子邮箱、电话、证件号、银行卡号、车牌或 IP 地址。只记录种类和位置，不记录内容。",
        ),
        Fault::MissingValue => lang.pick("A field that most examples have is missing.", "缺少多数样本都有的字段。"),
        Fault::IdentifierColumn => lang.pick(
            "Every example has a value of its own: a model that sees the column learns examples by heart.",
            "每个样本的值都不同：模型看到此列会死记样本。",
        ),
        Fault::ShortText => lang.pick("Hardly any letters or digits.", "几乎没有文字或数字。"),
        Fault::BrokenCharacters => lang.pick(
            "Replacement or control characters: something was lost when the text was saved.",
            "含替换符或控制符：保存时有内容丢失。",
        ),
        Fault::Mojibake => lang.pick(
            "The text makes sense once it is read in another encoding.",
            "换一种编码读取后文字就正常。",
        ),
        Fault::OtherLanguage => lang.pick(
            "Surely in another language, script or variant of Chinese than the rest of the set.",
            "语言、文字或简繁体明显与其他文本不同。",
        ),
        Fault::Truncated => lang.pick(
            "The text ends in the middle of a sentence, at exactly the length at which many do.",
            "文本在句中结束，且长度恰好是许多文本共有的上限。",
        ),
        Fault::Markup => lang.pick(
            "Tags, entities or keys that were meant for a machine.",
            "含本来给机器看的标签、实体或键名。",
        ),
        Fault::Template => lang.pick(
            "Most of the text is shared with many others: a form, a signature or a disclaimer.",
            "大部分内容与许多文本相同：表单、签名或声明。",
        ),
        Fault::RepeatedLines => lang.pick("The same lines again and again.", "同样的行反复出现。"),
        Fault::MixedChinese => lang.pick(
            "Simplified and traditional characters in one text.",
            "同一文本中混用简体字和繁体字。",
        ),
        Fault::OddWordLength => lang.pick(
            "Words far shorter or longer than those of a language.",
            "词比正常语言短得多或长得多。",
        ),
        Fault::FewLetters => lang.pick("More digits and signs than letters.", "数字和符号比文字多。"),
        Fault::ManySymbols => lang.pick("A hash sign or an ellipsis for every ten words.", "每十个词就有一个井号或省略号。"),
        Fault::Dark => lang.pick("Even the brightest parts are dark.", "最亮处也很暗。"),
        Fault::Bright => lang.pick("Even the darkest parts are bright.", "最暗处也很亮。"),
        Fault::OddBrightness => lang.pick("Much darker or brighter than the other pictures.", "比其他图片暗得多或亮得多。"),
        Fault::Blurry => lang.pick("No sharp edges, where the other pictures have some.", "没有清晰的边缘，而其他图片有。"),
        Fault::Upscaled => lang.pick(
            "Fewer details than pixels: the picture was made larger.",
            "细节少于像素：图片被放大过。",
        ),
        Fault::LowJpegQuality => lang.pick("Compressed until it shows.", "压缩得太厉害，已能看出痕迹。"),
        Fault::Border => lang.pick(
            "A border of one colour takes a fifth of the picture or more.",
            "单色边框占图片五分之一以上。",
        ),
        Fault::ExifTurned => lang.pick(
            "It lies or is mirrored in its file; programs that do not heed EXIF see it so.",
            "文件里的画面是转过的或镜像的；不读 EXIF 的程序看到的就是这样。",
        ),
        Fault::OddSize => lang.pick("Far larger or smaller than usual.", "尺寸远大于或远小于一般图片。"),
        Fault::OddAspectRatio => lang.pick("Nearly three times as long as wide.", "长宽相差近三倍。"),
        Fault::LowInformation => lang.pick("Hardly anything but one tone.", "几乎只有一种色调。"),
        Fault::Grey => lang.pick("Nearly all other pictures are in colour.", "其他图片几乎都是彩色的。"),
        Fault::Clipped => lang.pick("Too loud for the format: the peaks are cut off.", "音量超出范围，波峰被削平。"),
        Fault::Silent => lang.pick("Most of the recording is silence.", "录音大部分无声。"),
        Fault::Noisy => lang.pick("The loud parts are hardly louder than the quiet ones.", "响处几乎不比静处响。"),
        Fault::Hum => lang.pick(
            "The hum of the mains, at 50 or 60 hertz and their multiples.",
            "含 50 或 60 赫兹及其倍频的电源噪声。",
        ),
        Fault::Upsampled => lang.pick(
            "The upper half of the frequencies is empty: it was recorded at a lower sample rate.",
            "高频一半是空的：原始采样率更低。",
        ),
        Fault::DcOffset => lang.pick("The waveform is not centred on zero.", "波形不以零为中心。"),
        Fault::SameChannels => lang.pick(
            "All channels hold the same, where other recordings have several.",
            "各声道内容相同，而其他录音不同。",
        ),
        Fault::OddDuration => lang.pick("Much longer or shorter than the other recordings.", "比其他录音长得多或短得多。"),
        Fault::BlackFrames => lang.pick("Half of the video or more is black.", "视频有一半以上是黑屏。"),
        Fault::Frozen => lang.pick("It stands still for most of its length.", "画面大部分时间静止不动。"),
        Fault::RepeatedFrames => lang.pick(
            "Frames are given twice or more often while things move.",
            "画面在动，但同一帧重复出现。",
        ),
        Fault::FlatSensor => lang.pick(
            "A sensor stands still, all the time or for two fifths of it without a break, or has no value, where those of other series move.",
            "某个传感器始终不变，或连续五分之二以上的时间毫无变化，或没有数值，而其他序列中有变化。",
        ),
        Fault::SaturatedSensor => lang.pick(
            "A sensor stays at the least or greatest value it has for a twentieth of the time or more.",
            "某个传感器有二十分之一以上的时间停在其最小或最大值。",
        ),
        Fault::MissingSensor => lang.pick(
            "A twentieth of a sensor's values or more are missing.",
            "某个传感器缺少二十分之一以上的数值。",
        ),
        Fault::ClockJumps => lang.pick(
            "The clock goes back, or leaps further than gaps are bridged.",
            "时钟倒退，或跳过了无法衔接的间隔。",
        ),
    }
}
