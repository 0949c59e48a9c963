//! What people call good parts, defects, groups and masks.

use crate::Part;

const GOOD: &[&str] = &[
    "good",
    "ok",
    "okay",
    "normal",
    "pass",
    "passed",
    "good part",
    "good parts",
    "no defect",
    "defect free",
    "良品",
    "合格",
    "合格品",
    "正常",
    "好",
    "好品",
    "无缺陷",
];
const DEFECT: &[&str] = &[
    "bad",
    "ng",
    "nok",
    "not ok",
    "nogood",
    "no good",
    "not good",
    "defect",
    "defects",
    "defective",
    "anomaly",
    "anomalies",
    "abnormal",
    "fail",
    "failed",
    "reject",
    "rejected",
    "failure",
    "failures",
    "fault",
    "faults",
    "flaw",
    "flaws",
    "瑕疵",
    "故障",
    "不良",
    "不良品",
    "不合格",
    "缺陷",
    "次品",
    "异常",
    "坏",
];
/// Ends of the names of columns that tell of which kind a defect is.
const KIND_ENDS: &[&str] = &[
    "type", "types", "kind", "kinds", "class", "classes", "name", "names", "category", "code", "label",
    "类型", "种类", "类别", "名称", "现象", "原因", "代码", "描述",
];
/// Words for what is wrong with a part, in the singular: a folder with one of them in its name holds defects.
const FLAWS: &[&str] = &[
    "anomaly",
    "bad",
    "bent",
    "blister",
    "blob",
    "break",
    "broken",
    "bruise",
    "bubble",
    "bump",
    "burn",
    "burr",
    "chip",
    "chipped",
    "contamination",
    "corrosion",
    "crack",
    "cracked",
    "crease",
    "cut",
    "damage",
    "damaged",
    "defect",
    "defective",
    "deformed",
    "dent",
    "dented",
    "deviation",
    "dirt",
    "dirty",
    "discoloration",
    "discolouration",
    "fail",
    "failed",
    "faulty",
    "fissure",
    "flaw",
    "fray",
    "hole",
    "impurity",
    "knot",
    "misalignment",
    "misplaced",
    "misprint",
    "missing",
    "ng",
    "nick",
    "nok",
    "pit",
    "pitting",
    "poke",
    "porosity",
    "reject",
    "rejected",
    "rust",
    "scrape",
    "scratch",
    "scratched",
    "scuff",
    "smear",
    "smudge",
    "spot",
    "squeeze",
    "squeezed",
    "stain",
    "stained",
    "tear",
    "torn",
    "uneven",
    "void",
    "warped",
    "wear",
    "worn",
    "wrinkle",
    "wrong",
];
/// The same in Chinese, where words are not parted.
const CHINESE_FLAWS: &[&str] = &[
    "划伤", "划痕", "刮伤", "擦伤", "裂纹", "裂缝", "开裂", "凹坑", "凹陷", "凹痕", "压伤", "压痕", "碰伤",
    "磕碰", "崩边", "缺口", "缺角", "缺损", "缺料", "毛刺", "破损", "断裂", "孔洞", "气孔", "气泡", "砂眼",
    "污渍", "污点", "脏污", "油污", "锈", "变形", "弯曲", "异物", "杂质", "漏装", "错装", "色差", "褶皱",
    "起皱", "磨损", "斑点", "黑点", "亮点", "虚焊", "短路", "翘曲", "偏移",
];
/// Words for when, where or with what good parts were photographed: folders of such names are for order, or hold groups.
const GROUPS: &[&str] = &[
    "angle",
    "back",
    "batch",
    "board",
    "bottom",
    "burst",
    "cam",
    "camera",
    "channel",
    "data",
    "dataset",
    "date",
    "day",
    "early",
    "east",
    "evening",
    "export",
    "file",
    "fold",
    "folder",
    "front",
    "group",
    "image",
    "img",
    "inside",
    "late",
    "left",
    "line",
    "lot",
    "lower",
    "machine",
    "main",
    "middle",
    "morning",
    "new",
    "night",
    "north",
    "old",
    "operator",
    "order",
    "outside",
    "part",
    "photo",
    "pic",
    "picture",
    "plant",
    "position",
    "raw",
    "recording",
    "right",
    "run",
    "sample",
    "section",
    "sensor",
    "series",
    "session",
    "set",
    "shift",
    "side",
    "site",
    "sound",
    "south",
    "station",
    "take",
    "top",
    "upper",
    "video",
    "view",
    "week",
    "west",
    "jpeg",
    "jpg",
    "png",
    "tiff",
    "wav",
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];
/// The same in Chinese.
const CHINESE_GROUPS: &[&str] = &[
    "批次", "相机", "机位", "工位", "产线", "号线", "早班", "中班", "晚班", "白班", "夜班", "照片", "图片",
    "图像", "数据", "左侧", "右侧", "上午", "下午", "正面", "反面", "背面", "侧面", "星期", "样品", "分组",
];
/// Letters of a word that is a sign, not a name: `A12`, `SN 0017`.
const SHORT: usize = 2;
/// Not `mask` alone: that is also what a flaw of a solder mask is called.
const MASK_FOLDERS: &[&str] = &["ground truth", "groundtruth", "gt", "masks", "掩膜", "掩码"];
/// Folders of masks or a kind of defect.
const MAY_HOLD_MASKS: &[&str] =
    &["mask", "labels", "annotation", "annotations", "segmentation", "segmentations", "标注", "掩模", "遮罩"];
/// Ends of the names of masks that lie beside their pictures.
const MASK_ENDS: &[&str] = &["_mask", "-mask", "_gt", "_label"];

/// Whether a folder or label of this name means that nothing is wrong.
pub(super) fn is_good(name: &str) -> bool {
    GOOD.contains(&plain(name).as_str())
}

/// Whether this name means that something is wrong, whatever it is.
pub(super) fn is_defect(name: &str) -> bool {
    DEFECT.contains(&plain(name).as_str())
}

/// Whether a column of this name asks if a part is good, or if it has a defect (`false`): `ok`, `is_good`, `defective?`, `是否合格`. `None` where
/// it asks neither.
pub(super) fn asks_for_good(column: &str) -> Option<bool> {
    let name = plain(column);
    let name = name.trim_end_matches(['?', '？']).trim();
    let name = ["is ", "是否为", "是否"].iter().find_map(|start| name.strip_prefix(start)).unwrap_or(name);
    if is_good(name) { Some(true) } else { is_defect(name).then_some(false) }
}

/// Whether a column of this name is about defects: it asks for one, or for its kind.
pub(super) fn names_defects(column: &str) -> bool {
    asks_for_kind(column) || asks_for_good(column) == Some(false)
}

/// Whether a column of this name asks of which kind a defect is: `defect_type`, `failureType`, `不良现象`.
pub(super) fn asks_for_kind(column: &str) -> bool {
    let name = words(column).collect::<Vec<_>>().join(" ");
    let of_kind = KIND_ENDS.iter().find_map(|end| name.strip_suffix(end)).map(str::trim_end);
    of_kind.is_some_and(is_defect)
}

/// Whether a folder of this name holds parts with a flaw: it says so, or names the flaw.
pub(super) fn names_flaw(name: &str) -> bool {
    is_defect(name)
        || CHINESE_FLAWS.iter().any(|flaw| name.contains(flaw))
        || words(name).any(|word| said_by(FLAWS, &word))
}

/// Whether a folder of this name plainly says when, where or with what its photos were taken, or is a part of the set: it is made of numbers,
/// letters and such words alone. Not 0: beside 1 it may mean that nothing is wrong.
pub(super) fn names_group(name: &str) -> bool {
    let is_short = |word: &str| word.chars().count() == 1 || word.is_ascii() && word.len() <= SHORT;
    let is_plain = |word: String| is_short(&word) || said_by(GROUPS, &word);
    Part::from_name(name).is_some()
        || CHINESE_GROUPS.iter().any(|group| name.contains(group))
        || name.trim() != "0" && name.chars().any(char::is_alphanumeric) && words(name).all(is_plain)
}

/// The words of a name, without numbers and in small letters; `ScratchDeep` has two.
fn words(name: &str) -> impl Iterator<Item = String> {
    let mut parted = String::new();
    let mut was_small = false;
    for letter in name.chars() {
        if letter.is_uppercase() && was_small {
            parted.push(' ');
        }
        was_small = letter.is_lowercase();
        parted.push(if letter.is_alphabetic() { letter } else { ' ' });
    }
    parted.split_whitespace().map(str::to_lowercase).collect::<Vec<String>>().into_iter()
}

/// Whether a word, or that of which it is the plural, is in the list.
fn said_by(list: &[&str], word: &str) -> bool {
    let singular = [Some(word), word.strip_suffix('s'), word.strip_suffix("es")];
    singular.into_iter().flatten().any(|word| list.contains(&word))
}

/// Whether a folder of this name holds masks.
pub(super) fn is_mask_folder(name: &str) -> bool {
    MASK_FOLDERS.contains(&plain(name).as_str())
}

/// Whether a folder of this name may hold masks, or a kind of defect that is called so.
pub(super) fn may_hold_masks(name: &str) -> bool {
    MAY_HOLD_MASKS.contains(&plain(name).as_str())
}

/// The picture's name that a mask's name says, if it says that it is one.
pub(super) fn without_mask_end(stem: &str) -> Option<&str> {
    MASK_ENDS.iter().find_map(|end| {
        let at = stem.len().checked_sub(end.len())?;
        // `get` is `None` where the cut would fall into a letter.
        (at > 0 && stem.get(at..)?.eq_ignore_ascii_case(end)).then(|| &stem[..at])
    })
}

fn plain(name: &str) -> String {
    name.trim().to_lowercase().replace(['_', '-'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flaws_are_known_by_their_words_and_groups_by_numbers_and_places() {
        for flaw in [
            "scratch",
            "Scratches",
            "scratch_01",
            "surface-crack",
            "BentLead",
            "划伤",
            "严重裂纹",
            "ng",
            "no_good",
            "bad parts",
        ] {
            assert!(names_flaw(flaw), "{flaw}");
        }
        for group in [
            "lot 7",
            "Lot_A",
            "cam1",
            "2024-05-01",
            "left",
            "Camera Left",
            "b",
            "批次三",
            "夜班",
            "5月",
            "photos",
            "train",
            "A12",
        ] {
            assert!(names_group(group) && !names_flaw(group), "{group}");
        }
        for neither in ["kratzer", "kratzer2", "widget", "type 1", "bracket", "可乐", "可乐1", "0", ""] {
            assert!(!names_flaw(neither) && !names_group(neither), "{neither}");
        }
    }
}
