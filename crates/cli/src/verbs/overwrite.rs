//! What may be written over: only what this program wrote itself, whole.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use bundle::Form;
use pipeline::Lang;

use crate::exit::Usage;

/// How much is looked at, at each end of a file, to tell whether it is ours.
const LOOKED_AT: u64 = 1 << 16;

/// A kind of file that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    Bundle,
    Report,
    Graph,
    Base,
    /// A table of findings.
    Findings,
    /// A table of consensus labels.
    Consensus,
    /// A table of what to label next.
    Picks,
}

impl Written {
    fn name(self, lang: Lang) -> &'static str {
        match self {
            Self::Bundle => lang.pick("a bundle", "模型包"),
            Self::Report => lang.pick("a report", "报告"),
            Self::Graph => lang.pick("a graph that was exported", "导出的计算图"),
            Self::Base => lang.pick("a base that was exported", "导出的底座"),
            Self::Findings => lang.pick("a table of findings", "检查结果表"),
            Self::Picks => lang.pick("a table of chosen examples", "选出样本的表格"),
            Self::Consensus => lang.pick("a table of consensus labels", "汇总标注表"),
        }
    }
}

/// Refuses to write over anything that is not of the same kind, and over `data` or a folder around it.
pub(super) fn check(written: Written, to: &Path, data: Option<&Path>) -> anyhow::Result<()> {
    let to_full = std::path::absolute(to)?;
    let holds_data =
        data.map(std::path::absolute).transpose()?.is_some_and(|data| data.starts_with(&to_full));
    if holds_data || to.exists() && !is_ours(written, to) {
        let place = to.display();
        return Err(Usage {
            en: format!(
                "`{place}` is already there and is not {}; pass another place",
                written.name(Lang::En)
            ),
            zh: format!("“{place}”已存在，且不是{}；请换一个位置", written.name(Lang::Zh)),
        }
        .into());
    }
    Ok(())
}

/// What cannot be read or is damaged cannot be known to be ours.
fn is_ours(written: Written, path: &Path) -> bool {
    if written == Written::Bundle {
        // A file never takes the place of a folder, nor the other way round.
        return path.is_dir() == (Form::of(path) == Form::Folder) && bundle::is_bundle(path);
    }
    let Ok((start, end)) = ends(path) else { return false };
    match written {
        Written::Bundle => false,
        Written::Report => {
            start.starts_with(b"<!doctype html>")
                && holds(&start, b"<meta name=\"generator\" content=\"Dianjing\"")
        }
        // The first field of an ONNX file is its version; our metadata stand at its end.
        Written::Graph => start.starts_with(&[0x08]) && holds(&end, b"dianjing.bundle"),
        Written::Findings => is_table(&start, &end, b"id,given_label,suggested_label,"),
        Written::Consensus => is_table(&start, &end, b"item,consensus_label,"),
        Written::Picks => is_table(&start, &end, b"rank,id,half,reason,"),
        // The name of the first member of a tar is its first hundred bytes.
        Written::Base => start.starts_with(b"base.toml\0"),
    }
}

/// A CSV with our header, or a JSON document or Parquet file that names us.
fn is_table(start: &[u8], end: &[u8], header: &[u8]) -> bool {
    start.starts_with(header)
        || start.starts_with(b"{\n  \"made_by\": \"Dianjing\"")
        || start.starts_with(b"PAR1") && holds(end, b"Dianjing")
}

fn holds(bytes: &[u8], mark: &[u8]) -> bool {
    bytes.windows(mark.len()).any(|window| window == mark)
}

/// The first and the last bytes of a file.
fn ends(path: &Path) -> std::io::Result<(Vec<u8>, Vec<u8>)> {
    let mut file = File::open(path)?;
    let (mut start, mut end) = (Vec::new(), Vec::new());
    Read::take(&mut file, LOOKED_AT).read_to_end(&mut start)?;
    let size = file.metadata()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(LOOKED_AT)))?;
    file.read_to_end(&mut end)?;
    Ok((start, end))
}
