//! The commonest errors and their hints for a Chinese reader. The others stay in English, with a Chinese heading.

use std::path::Path;

use dataset::ReadError;
use pipeline::PipelineError;

/// Message and hint, when there are any in Chinese.
pub(crate) fn pipeline(error: &PipelineError) -> Option<(String, &'static str)> {
    Some(match error {
        PipelineError::Read(error) => return read(error),
        PipelineError::NothingUsable { n_examples, n_problems, first } => (
            format!("没有可用的样本：{n_examples} 个中有 {n_problems} 个无法读取，第一个：{first}"),
            "请先解决第一个问题再试",
        ),
        PipelineError::OneClass { class } => (
            format!("只有一个类别“{class}”有样本；区分至少需要两个类别"),
            "请加入第二个类别的样本，例如“良品”和“缺陷”",
        ),
        PipelineError::NoLabels { n_examples } => {
            (format!("{n_examples} 个样本都没有标注"), "请按类别分文件夹放置样本，或用 --label 指定标注列")
        }
        PipelineError::Store(store::StoreError::DiskFull { .. })
        | PipelineError::Bundle(bundle::BundleError::Write(store::StoreError::DiskFull { .. })) => {
            ("磁盘已满，无法写入".to_owned(), "请腾出空间，或用 --out、--cache 指定别处")
        }
        _ => return None,
    })
}

/// What made reading impossible.
pub(crate) fn read(error: &ReadError) -> Option<(String, &'static str)> {
    let name = |path: &Path| format!("“{}”", path.display());
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
            format!("{}里没有图片、文本或表格", name(path)),
            "请按类别分文件夹放置图片，或传入 CSV、JSONL、Parquet 文件",
        ),
        ReadError::NoClassFolders { path } => (
            format!("{}里有文件，但没有按类别分文件夹", name(path)),
            "请按类别分文件夹放置图片，或传入 CSV、JSONL、Parquet 文件",
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
        ReadError::NoLabelColumn { path, existing } => {
            (format!("{}里看不出哪一列是标注；{}", name(path), columns(existing)), "请用 --label 指定标注列")
        }
        ReadError::NoContentColumn { path, existing } => (
            format!("{}里看不出哪一列是文本或图片；{}", name(path), columns(existing)),
            "请用 --text 或 --image 指定内容列",
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
