//! What may be written over: only what this program wrote itself.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use pipeline::Lang;

use crate::exit::Usage;

/// How much is looked at, at each end of a file, to tell whether it is ours.
const LOOKED_AT: u64 = 1 << 16;

/// A kind of file that is written, with words that are in every one of its kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    Bundle,
    Report,
    Graph,
    Base,
}

impl Written {
    /// Bytes that each such file holds near its start or its end.
    fn mark(self) -> &'static [u8] {
        match self {
            Self::Bundle => b"manifest.toml",
            Self::Report => b"<meta name=\"generator\" content=\"Dianjing\"",
            Self::Graph => b"dianjing.bundle",
            Self::Base => b"base.toml",
        }
    }

    fn name(self, lang: Lang) -> &'static str {
        match self {
            Self::Bundle => lang.pick("a bundle", "模型包"),
            Self::Report => lang.pick("a report", "报告"),
            Self::Graph => lang.pick("a graph that was exported", "导出的计算图"),
            Self::Base => lang.pick("a base that was exported", "导出的底座"),
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

fn is_ours(written: Written, path: &Path) -> bool {
    if path.is_dir() {
        return written == Written::Bundle && path.join("manifest.toml").exists();
    }
    // What cannot be read cannot be known to be ours.
    ends(path).is_ok_and(|ends| ends.windows(written.mark().len()).any(|window| window == written.mark()))
}

/// The first and the last bytes of a file.
fn ends(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let mut ends = Vec::new();
    Read::take(&mut file, LOOKED_AT).read_to_end(&mut ends)?;
    let size = file.metadata()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(LOOKED_AT)))?;
    file.read_to_end(&mut ends)?;
    Ok(ends)
}
