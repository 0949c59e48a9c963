//! Errors and hints for a Chinese reader, kind by kind. What an operating system or a decoder says stays as it is.

mod bases;

use std::error::Error;
use std::path::Path;

use base::open::BaseError;
use base::transfer::TransferError;
use bundle::BundleError;
use curate::CurateError;
use curate::book::BookError;
use dataset::{Modality, ReadError};
use store::StoreError;
use tune::TuneError;

use bases::{base, cache, pull, transfer};
pub use bases::{ffmpeg, pull_hint};

use crate::{ApplyError, ArrayError, CostError, DetectorNeeds, Lang, PipelineError, words};

/// One error of a chain of causes; `None` when there is only English for it.
pub fn message(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(error) = error.downcast_ref::<PipelineError>() {
        return pipeline(error);
    }
    if let Some(error) = error.downcast_ref::<BaseError>() {
        return base(error);
    }
    if let Some(error) = error.downcast_ref::<TransferError>() {
        return transfer(error);
    }
    if let Some(error) = error.downcast_ref::<ReadError>() {
        return Some(read(error)?.0);
    }
    let of_bundle = error.downcast_ref().and_then(bundle);
    of_bundle
        .or_else(|| pull(error.downcast_ref()?))
        .or_else(|| cache(error.downcast_ref()?))
        .or_else(|| Some(store(error.downcast_ref()?)))
}

fn name(path: &Path) -> String {
    format!("“{}”", path.display())
}

fn pipeline(error: &PipelineError) -> Option<String> {
    Some(match error {
        PipelineError::Read(error) => read(error)?.0,
        PipelineError::Pull(error) => return pull(error),
        PipelineError::Base(error) => return base(error),
        PipelineError::Bundle(error) => return bundle(error),
        PipelineError::Store(error) => store(error),
        PipelineError::Extract(base::extract::ExtractError::Store(error)) => store(error),
        PipelineError::Extract(base::extract::ExtractError::Base(error)) => return base(error),
        PipelineError::Tune(error) => return tune(error),
        PipelineError::Array(error) => array(error),
        PipelineError::Apply(error) => apply(error),
        PipelineError::Book(error) => book(error),
        PipelineError::Audit(error) => return curate(error),
        PipelineError::NothingUsable { n_examples, n_problems, first } => {
            format!("没有可用的样本：{n_examples} 个中有 {n_problems} 个无法读取，第一个：{first}")
        }
        PipelineError::LearnedFrom { path } => {
            format!("“{}”中可供测量的照片，模型全都学习过", path.display())
        }
        PipelineError::NoDetector { detector, needs } => {
            let needs = match needs {
                DetectorNeeds::GoodPhotos(count) => format!("至少 {count} 张良品照片"),
                DetectorNeeds::PartsThatLieAlike => "零件在所有照片上位置一致".to_owned(),
                DetectorNeeds::AnotherBase => "含有相应层的底座".to_owned(),
            };
            format!("检测方式 {detector} 需要{needs}")
        }
        PipelineError::OneClass { class } => {
            format!("只有一个类别“{class}”有样本；区分至少需要两个类别")
        }
        PipelineError::NothingToLabel { n_examples } => {
            format!("{n_examples} 个样本都已有标注，没有可选的样本")
        }
        PipelineError::Cost(error) => cost(error),
        PipelineError::OtherDraw { path, seed, got } => {
            format!("{}旁的发现按种子 {seed} 的次序询问，而不是 {got}", name(path))
        }
        PipelineError::NoLabels { n_examples } => format!("{n_examples} 个样本都没有标注"),
        PipelineError::OtherTask { expected, got } => {
            format!("这个模型包回答的是 {expected}，而数据是 {got}")
        }
        PipelineError::OtherModality { base, takes, got } => {
            format!("底座“{base}”接受{}，而数据是{}", modality(*takes), modality(*got))
        }
        other => return votes(other).or_else(|| senses(other)),
    })
}

/// Errors about votes of several annotators.
fn votes(error: &PipelineError) -> Option<String> {
    Some(match error {
        PipelineError::NoVoteColumn(error) => {
            let what = match error.role {
                "item" => "样本",
                "annotator" => "标注员",
                _ => "标注",
            };
            let existing = error.existing.join("”、“");
            format!("{}中没有像{what}的列；现有“{existing}”；请用 --{} 指定", name(&error.path), error.role)
        }
        PipelineError::VoteNotANumber { path, label } => {
            format!("{}：标注“{label}”不是数值，而 --scale interval 比较的是数值", name(path))
        }
        PipelineError::NoModelVotes { path } => {
            format!("{}无法这样汇总：没有模型参与投票", name(path))
        }
        PipelineError::NoItems { path } => {
            format!("投票中的题目与{}中样本的编号、文件名都对不上", name(path))
        }
        _ => return None,
    })
}

/// Errors about several senses of one thing, and about series.
fn senses(error: &PipelineError) -> Option<String> {
    Some(match error {
        PipelineError::SeveralSenses { path, senses } => {
            let senses: Vec<&str> = senses.iter().map(|sense| sense.name.as_str()).collect();
            let senses = senses.join("、");
            format!(
                "{}中的样本有多种感官（{senses}），此命令一次只看一种；请用 --image、--text 等指定其中一列",
                name(path)
            )
        }
        PipelineError::NothingShared { n_pairs } => {
            format!("这 {n_pairs} 对样本的两边没有共同之处：相关性并不高于打乱配对后的相关性")
        }
        PipelineError::NoEnd { ends } => format!("查询内容不属于两边中的任何一种（{ends}）"),
        PipelineError::SensesTask { got } => {
            format!("多种感官只能用于单标签分类，而数据是 {got}")
        }
        PipelineError::Sense { sense, source } => format!(
            "无法从“{sense}”学习：{}；如要去掉它，请用 --image、--text 等指定其余各列",
            pipeline(source).unwrap_or_else(|| source.to_string())
        ),
        PipelineError::NoSensors { path, first } => {
            let first = first.as_ref().map(|first| words::problem(first, Lang::Zh));
            let first = first.map_or_else(String::new, |first| format!("；第一个问题：{first}"));
            format!("{}中抽看的传感器序列没有一个能读取{first}", name(path))
        }
        _ => return None,
    })
}

fn book(error: &BookError) -> String {
    match error {
        BookError::OtherBase { got, expected } => {
            format!("标签手册中的规则是用底座“{expected}”裁定的，而这里用的是“{got}”")
        }
        other => format!("标签手册无法使用：{other}"),
    }
}

fn apply(error: &ApplyError) -> String {
    match error {
        ApplyError::Open { path, .. } => format!("无法读取{}", name(path)),
        ApplyError::Write { path, .. } => format!("无法写入{}", name(path)),
        ApplyError::Malformed { path, .. } => {
            format!("{}不是 audit --out findings.json 写出的检查结果", name(path))
        }
        ApplyError::Verdicts { path, .. } => {
            format!("{}不是 review 写下的回答；要重新开始，请先把它移开", name(path))
        }
        ApplyError::OtherData { path } => {
            format!("{}处的数据不是当时检查的数据；请重新检查，或用 --data 指明原数据的位置", name(path))
        }
        ApplyError::NoFinding { number, count } => format!("没有第 {number} 个发现，共 {count} 个"),
        ApplyError::NoExample { id } => format!("检查结果提到“{id}”，而数据中没有；请重新检查"),
        ApplyError::NotANumber { number, label } => {
            format!("第 {number} 个发现要的是数值，而“{label}”不是数值")
        }
        ApplyError::OfArrays { path } => {
            format!("{}中的发现来自数组，无法写成表格；其中的 issues 给出了行号和建议的标注", name(path))
        }
        ApplyError::Answers { path, .. } => {
            format!("{}不是 apply --interactive 写下的回答；要重新开始，请先把它移开", name(path))
        }
        ApplyError::NotForTables { number, action } => {
            format!("第 {number} 个发现无法落实到表格；需要您：{}", action.sentence().zh)
        }
        ApplyError::NeedsLabel { number } => {
            format!("第 {number} 个发现需要您裁定，且没有可采用的规则：请给 {number}=标注")
        }
        ApplyError::NoAuthor { number } => {
            format!("第 {number} 个发现裁定了一条规则：请用 --author 写明由谁决定")
        }
        ApplyError::NoCase { number } => {
            format!("检查结果中没有第 {number} 个发现的详情，无法写入标签手册")
        }
        ApplyError::OtherBook { path, of_book, dim, of_findings, got } => format!(
            "{}中的规则是用底座“{of_book}”（每个样本 {dim} 个数）裁定的，而检查用的是“{of_findings}”（{got} 个数）",
            name(path)
        ),
        ApplyError::Exists { path } => format!("{}已存在；修订版从不覆盖文件，请换一个位置", name(path)),
        ApplyError::NothingAccepted => "没有接受任何发现；请用 --accept 给出编号、问题名称或 all".to_owned(),
    }
}

fn array(error: &ArrayError) -> String {
    match error {
        ArrayError::Open { path, .. } => format!("无法读取{}", name(path)),
        ArrayError::TooLarge { path, limit } => format!("{}超过 {limit} 字节", name(path)),
        ArrayError::Malformed { path, .. } => format!("{}不是 numpy.save 保存的数值数组", name(path)),
        ArrayError::Shape { path, got, expected } => {
            format!("{}的形状是 {got}，应为 {expected}", name(path))
        }
        ArrayError::Label { path, row, value } => {
            format!("{}的第 {row} 个标注是 {value}；标注应为从 0 开始的整数", name(path))
        }
        ArrayError::Value { path, row, value, limit } => {
            format!("{}第 {row} 行有 {value:?}；数值应有限且不超过 {limit:?}", name(path))
        }
        ArrayError::NoTokens { path, what } => {
            let what = match *what {
                "pixels" => "像素",
                "numbers" => "数值",
                _ => "标签组",
            };
            format!("{}给出了句子的长度，但标注是{what}", name(path))
        }
        ArrayError::Empty { path } => format!("{}中没有任何数值", name(path)),
        ArrayError::NotYesOrNo { path, row, value } => {
            format!("{}第 {row} 行有 {value}；标签表格中有该标签处应为 1，其余为 0", name(path))
        }
        ArrayError::Lengths { path, got, expected } => {
            format!("{}中的长度合计 {got}，而共有 {expected} 个词", name(path))
        }
        ArrayError::Coco { path, detail, .. } => format!("{}不是所需的 COCO 文件：{detail}", name(path)),
    }
}

fn cost(error: &CostError) -> String {
    match error {
        CostError::NoTable { id } => format!("“{id}”不是表格中的一行，无法得知成本"),
        CostError::NoColumn { path, column, existing } => {
            format!("{}中没有成本列“{column}”；现有“{}”", name(path), existing.join("”、“"))
        }
        CostError::NotPositive { path, row, value } => {
            format!("{}第 {row} 行的成本是“{value}”，应为正数", name(path))
        }
    }
}

fn curate(error: &CurateError) -> Option<String> {
    Some(match error {
        CurateError::NotFinite { row } => format!("第 {row} 行的特征或概率不是有限的数"),
        CurateError::LabelOutOfRange { row, label, n_classes } => {
            format!("第 {row} 行的标注是 {label}，但概率只有 {n_classes} 列")
        }
        CurateError::NotAProbability { row, value } => {
            format!("第 {row} 行的概率是 {value}，不在 0 和 1 之间")
        }
        CurateError::NotNormalised { row, sum } => {
            format!("第 {row} 行的概率之和是 {sum}，不是 1；logit 需要先做 softmax")
        }
        CurateError::NoMargins => {
            "按不确定程度选择需要模型；请用 --model 指定，或提供已标注的样本".to_owned()
        }
        CurateError::CostsNeedFacility { method } => {
            format!("方法 {method} 不考虑成本；可用 facility-location 或 random")
        }
        CurateError::Empty { .. } => "没有可检查的内容".to_owned(),
        _ => return None,
    })
}

fn modality(modality: Modality) -> &'static str {
    match modality {
        Modality::Image => "图片",
        Modality::Text => "文本",
        Modality::Sound => "声音",
        Modality::Video => "视频",
        Modality::Series => "传感器序列",
        Modality::Senses => "多种感官的数据",
    }
}

fn tune(error: &TuneError) -> Option<String> {
    Some(match error {
        TuneError::Empty => "没有可学习的样本".to_owned(),
        TuneError::OneClass { n } => format!("{n} 个样本都属于同一类别；区分至少需要两个类别"),
        TuneError::TooLarge { n, n_classes } => {
            format!("{n} 个样本乘以 {n_classes} 个类别超出本机内存；请合并少见的类别")
        }
        TuneError::ManySenses { got, most } => format!("有 {got} 种感官；最多合并 {most} 种"),
        TuneError::SilentSense { sense } => format!("没有一个可检验的样本带有“{sense}”"),
        TuneError::FewPairs { n, fewest } => {
            format!("互不相关的配对只有 {n} 对；对齐两个底座至少需要 {fewest} 对")
        }
        _ => return None,
    })
}

fn bundle(error: &BundleError) -> Option<String> {
    Some(match error {
        BundleError::Read { path, .. } => format!("无法读取{}", name(path)),
        BundleError::Write(error) => store(error),
        BundleError::NotABundle { path, detail } => format!("{}不是模型包：{detail}", name(path)),
        BundleError::Truncated { path, detail } => format!("{}不完整：{detail}", name(path)),
        BundleError::Damaged { path, file } => format!("{}中的“{file}”已损坏：字节与写出时不同", name(path)),
        BundleError::Changed { path, file, expected, got } => {
            format!("{}中的“{file}”被改动过：哈希为 {got}，写出时为 {expected}", name(path))
        }
        BundleError::OtherKind { path, .. } => format!("{}是另一种模型包，不能用于此处", name(path)),
        BundleError::OlderFormat { path, got, needed } => {
            format!("{}的格式版本是 {got}；检测器须为 {needed} 版或更新", name(path))
        }
        BundleError::OlderDrawing { path } => {
            format!("{}由旧版本制作，当时序列的画法与现在不同", name(path))
        }
        BundleError::NewerFormat { path, got, supported } => {
            format!("{}的格式版本是 {got}，本程序最多支持 {supported}", name(path))
        }
        BundleError::Malformed { path, file, detail } => {
            format!("{}中的“{file}”无法解析：{detail}", name(path))
        }
        BundleError::WrongBase { id, expected, got } => {
            format!("这个模型包需要哈希为 {expected} 的底座“{id}”，现有的是 {got}")
        }
        BundleError::SelfTest { row, difference, tolerance, engine_then, engine_now } => format!(
            "自检在第 {row} 个黄金输入上失败：相差 {difference:e}，允许 {tolerance:e}（当时 {engine_then}，现在 {engine_now}）"
        ),
        BundleError::WrongInput { expected, got } => format!("这个模型包接受 {expected}，而不是 {got}"),
        BundleError::Base(error) => return base(error),
        BundleError::ExportPrepared => {
            "无法导出为 ONNX：这个检测器检测前要先把每张照片对齐到良品的中位图，或涂掉背景，而 ONNX 图做不到这一步".to_owned()
        }
        BundleError::ExportDrawn => {
            "无法导出为 ONNX：这个检测器看的是由声音、视频或序列画成的图，而 ONNX 图做不到这一步".to_owned()
        }
        BundleError::Export { detail } => format!("无法导出为 ONNX：{detail}"),
        BundleError::Signature { detail } => format!("签名或密钥不可用：{detail}"),
        _ => return None,
    })
}

fn store(error: &StoreError) -> String {
    match error {
        StoreError::DiskFull { path } => format!("磁盘已满，无法写入{}", name(path)),
        StoreError::Denied { path } => format!("没有权限写入{}", name(path)),
        StoreError::Write { path, .. } => format!("无法写入{}", name(path)),
        StoreError::Lock { path, .. } => format!("无法锁定{}", name(path)),
        StoreError::Read { path, .. } => format!("无法读取{}", name(path)),
        other => other.to_string(),
    }
}

/// What made reading impossible.
#[allow(clippy::too_many_lines, reason = "one arm a kind of error")]
pub fn read(error: &ReadError) -> Option<(String, &'static str)> {
    let columns = |existing: &[String]| {
        if existing.is_empty() {
            "没有任何列".to_owned()
        } else {
            format!("现有列：{}", existing.join("、"))
        }
    };
    Some(match error {
        ReadError::Missing { path } => (format!("{}不存在", name(path)), "请检查路径"),
        ReadError::Open { path, source } => (format!("无法读取{}：{source}", name(path)), "请检查权限"),
        ReadError::Empty { path } => (
            format!("{}里没有图片、文本、声音、视频或表格", name(path)),
            "请按类别分文件夹放置图片、文本、声音或视频，或传入 CSV、JSONL、Parquet 文件",
        ),
        ReadError::NoPhotos { path } => (
            format!("{}里没有照片、声音或传感器序列", name(path)),
            "请给出零件的照片、声音或序列；文本和视频请用 dianjing tune",
        ),
        ReadError::NoClassFolders { path } => (
            format!("{}里有文件，但没有按类别分文件夹", name(path)),
            "请按类别分文件夹放置图片；若只有良品照片，请用 dianjing inspect",
        ),
        ReadError::SeveralTables { path, tables } => (
            format!("{}里有多个表格，名称看不出用途：{}", name(path), tables.join("、")),
            "请只传其中一个，或把它们命名为 train 和 test",
        ),
        ReadError::OneClass { path, class } => (
            format!("{}只有一个类别“{class}”；区分至少需要两个类别", name(path)),
            "请加入第二个类别的样本，例如“良品”和“缺陷”",
        ),
        ReadError::NoRows { path } => (format!("{}的表头下面没有数据行", name(path)), "请确认文件已保存"),
        ReadError::NoColumn { path, column, existing } => {
            (format!("{}没有“{column}”列；{}", name(path), columns(existing)), "请更正列名；列名须完全一致")
        }
        ReadError::SameColumn { path, column } => {
            (format!("{}的“{column}”列不能既是内容又是标注", name(path)), "请用 --label 指定另一列")
        }
        ReadError::NoExample { path, id } => {
            (format!("{}中没有要排除的样本“{id}”", name(path)), "请照报告中的写法填写")
        }
        ReadError::SameSense { path, column } => {
            (format!("{}的“{column}”列作为内容指定了两次", name(path)), "请每列只指定一次")
        }
        ReadError::NoLabelColumn { path, existing } => {
            (format!("{}里看不出哪一列是标注；{}", name(path), columns(existing)), "请用 --label 指定标注列")
        }
        ReadError::NoContentColumn { path, existing } => (
            format!(
                "{}里看不出哪一列是文本、图片、声音、视频或传感器序列；{}",
                name(path),
                columns(existing)
            ),
            "请用 --text、--image、--sound、--video 或 --series 指定内容列",
        ),
        ReadError::UnknownFiles { path, column, ending } => (
            format!("{}的“{column}”列指向的文件类型未知（{}）", name(path), words::ending(ending)),
            "请把这些文件另存为 JPEG 或 PNG、WAV、MP4 或 CSV，或指定其他列",
        ),
        ReadError::NotTwoSenses { path, existing } => (
            format!("{}里没有可以成对的两列；{}", name(path), columns(existing)),
            "请用 --left 和 --right 指定",
        ),
        ReadError::NotOneSense { path, senses } => (
            format!("{}未说明其内容属于 {} 中的哪一个", name(path), senses.join("、")),
            "请提供表格，每种已有的输入各占一列",
        ),
        ReadError::NoSense { path, senses, existing } => (
            format!("{}没有 {} 中的任何一列；{}", name(path), senses.join("、"), columns(existing)),
            "请用调校模型时的列名",
        ),
        ReadError::EmbeddedPictures { path, column } => (
            format!("{}的“{column}”列直接存放图片，无法从表格读取", name(path)),
            "请把图片存成文件并在 CSV 里写路径，或用 --text 指定文本列",
        ),
        ReadError::InspectionLayout { path, class } => (
            format!(
                "{}是缺陷检测的目录布局：只有“{class}”可供学习，缺陷仅用于测量，无法按类别调校",
                name(path)
            ),
            "若要区分各种缺陷，请传入其中的 test 文件夹",
        ),
        ReadError::NoGood { path, n_defects, n_measured } => (
            format!(
                "{}里没有可供学习的良品图片，只有 {n_defects} 张缺陷图片和 {n_measured} 张测量用图片",
                name(path)
            ),
            "请把良品图片放进 good 文件夹，或放进与 test 并列的 train/good",
        ),
        ReadError::NoGoodFolder { path, folders } => (
            format!(
                "{}里的文件夹可能是缺陷种类，也可能是良品分组，且没有一个名为 good：{}",
                name(path),
                folders.join("、")
            ),
            "请把良品放进与缺陷文件夹并列的 good 文件夹；若全是良品，请把这些文件夹放进 good；若每个文件夹是一个批次、相机或连拍，可加 --group-by-folder",
        ),
        ReadError::MasksOrDefects { path, folder } => (
            format!(
                "{}里的文件夹“{folder}”可能是掩膜，也可能是一种缺陷：其中每张图片都与别处的一张图片同名",
                name(path)
            ),
            "若是掩膜，请把文件夹改名为 masks；若是一种缺陷，请给文件夹换个名字",
        ),
        ReadError::SeveralSets { path, sets } => (
            format!("{}里有多套缺陷检测数据：{}", name(path), sets.join("、")),
            "请只传其中一套；每种零件单独学习",
        ),
        ReadError::UnknownFormat { path } => (
            format!("{}不是这里能读的文件类型", name(path)),
            "请传入文件夹，或 .csv、.tsv、.jsonl、.json、.parquet 文件",
        ),
        ReadError::Malformed { path, detail } => {
            (format!("{}无法解析：{detail}", name(path)), "请用生成它的程序打开并重新保存")
        }
        ReadError::NothingUsable { path, first } => {
            (format!("{}里没有一行可用；第一个问题：{first}", name(path)), "请先解决第一个问题再试")
        }
        _ => return None,
    })
}
