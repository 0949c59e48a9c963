//! What a set for inspection was taken for, in both languages.

use dataset::{MeasuredOn, VerdictsBy, Why};

use crate::report::Sentence;

/// Names that are told of many.
const SOME: usize = 3;

/// The layout of a set, by what good parts were told from defects, and what is measured on.
pub fn taken_for(layout: &str, why: &Why) -> Sentence {
    let name = match layout {
        "folder of pictures" => "图片文件夹",
        "class folders" => "按类别分文件夹",
        "inspection set with parts" => "分训练与测试的检测数据",
        "studio" => "工作台",
        // The names of formats are the same in Chinese.
        other => other,
    };
    let by = match &why.by {
        VerdictsBy::NoFolder { groups, flaws } => {
            let mut told = "没有文件夹名为良品，因此全部按良品处理".to_owned();
            told += &match &flaws[..] {
                [] => "（掩膜标出缺陷的除外）".to_owned(),
                flaws => format!("（{}里的和掩膜标出缺陷的除外）", some(flaws)),
            };
            if !groups.is_empty() {
                told += &format!("；按名称，{}是分组而不是缺陷种类", some(groups));
            }
            told
        }
        VerdictsBy::ClassFolders => "名为良品的文件夹里是良品，其余每个文件夹是一种缺陷".to_owned(),
        VerdictsBy::PartFolders => "各部分中名为良品的文件夹里是良品，其余类别文件夹各是一种缺陷".to_owned(),
        VerdictsBy::Column { name, blank_is_good: true, .. } => {
            format!("“{name}”列为空的是良品，填了内容的是缺陷")
        }
        VerdictsBy::Column { name, either: Some([good, defect]), .. } => {
            format!("“{name}”列中 {good} 为良品，{defect} 为缺陷")
        }
        VerdictsBy::Column { name, either: None, .. } => format!("由“{name}”列区分良品和缺陷种类"),
        VerdictsBy::NoColumn => "没有列说明哪些是良品，因此没有掩膜的都按良品处理".to_owned(),
        VerdictsBy::Studio => "在工作台中标注".to_owned(),
    };
    let measured = match why.measured {
        None => "",
        Some(MeasuredOn::OutOfFold) => "；没有指定测量用的部分，因此全部用于学习并作折外测量",
        Some(MeasuredOn::TestFolder) => "；test 只用于测量",
        Some(MeasuredOn::TestRows) => "；测试部分的行只用于测量",
    };
    Sentence { en: format!("{layout}: {why}"), zh: format!("{name}：{by}{measured}") }
}

fn some(names: &[String]) -> String {
    let told: Vec<String> = names.iter().take(SOME).map(|name| format!("“{name}”")).collect();
    told.join("、") + if names.len() > SOME { "等" } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_of_a_set_is_told_in_both_languages() {
        let (groups, flaws) = (vec!["lot 1".to_owned(), "lot 2".to_owned()], vec!["划伤".to_owned()]);
        let why = Why { by: VerdictsBy::NoFolder { groups, flaws }, measured: Some(MeasuredOn::OutOfFold) };
        let told = taken_for("folder of pictures", &why);
        assert!(told.en.starts_with("folder of pictures: no folder is called good"), "{told:?}");
        assert!(told.en.contains("`lot 1`, `lot 2` are groups") && told.en.contains("except in `划伤`"));
        assert!(
            told.zh.starts_with("图片文件夹：") && told.zh.contains("“lot 1”、“lot 2”是分组"),
            "{told:?}"
        );
        let english = |text: &str| text.chars().filter(char::is_ascii_alphabetic).count();
        for by in
            [VerdictsBy::ClassFolders, VerdictsBy::PartFolders, VerdictsBy::NoColumn, VerdictsBy::Studio]
        {
            for layout in ["folder of pictures", "class folders", "inspection set with parts", "studio"] {
                let told = taken_for(layout, &Why { by: by.clone(), measured: Some(MeasuredOn::OutOfFold) });
                assert_eq!(english(&told.zh), 0, "{told:?}");
            }
        }
    }
}
