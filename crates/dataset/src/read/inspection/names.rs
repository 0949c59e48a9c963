//! What people call good parts, defects and masks.

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
    "不良",
    "不良品",
    "不合格",
    "缺陷",
    "次品",
    "异常",
    "坏",
];
/// Not `mask` alone: that is also what a flaw of a solder mask is called.
const MASK_FOLDERS: &[&str] = &["ground truth", "groundtruth", "gt", "masks", "掩膜", "掩码"];
/// Ends of the names of masks that lie beside their pictures.
const MASK_ENDS: &[&str] = &["_mask", "_gt"];

/// Whether a folder or label of this name means that nothing is wrong.
pub(super) fn is_good(name: &str) -> bool {
    GOOD.contains(&plain(name).as_str())
}

/// Whether this name means that something is wrong, whatever it is.
pub(super) fn is_defect(name: &str) -> bool {
    DEFECT.contains(&plain(name).as_str())
}

/// Whether a folder of this name holds masks.
pub(super) fn is_mask_folder(name: &str) -> bool {
    MASK_FOLDERS.contains(&plain(name).as_str())
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
