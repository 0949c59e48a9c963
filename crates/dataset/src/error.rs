//! Why nothing could be read at all.

use std::io;
use std::path::PathBuf;

/// What made reading impossible.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum ReadError {
    /// The path does not exist.
    #[error("`{}` does not exist", path.display())]
    Missing { path: PathBuf },
    /// The path cannot be opened.
    #[error("cannot read `{}`", path.display())]
    Open {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// A folder without a single file that can be used.
    #[error("`{}` holds no pictures, texts, sounds, videos, series or tables", path.display())]
    Empty { path: PathBuf },
    /// A folder to inspect without a single photo, sound or series.
    #[error("`{}` holds no photos, no sounds and no series", path.display())]
    NoPhotos { path: PathBuf },
    /// Several tables, and nothing says how they belong together.
    #[error("`{}` holds several tables that are not named for parts: {}", path.display(), quoted(tables))]
    SeveralTables { path: PathBuf, tables: Vec<String> },
    /// Files, but no folders that would name their classes.
    #[error("`{}` holds files but no class folders", path.display())]
    NoClassFolders { path: PathBuf },
    /// Only one class.
    #[error("`{}` has only one class, `{class}`; telling things apart needs at least two", path.display())]
    OneClass { path: PathBuf, class: String },
    /// The table has no rows.
    #[error("`{}` has no rows below its header", path.display())]
    NoRows { path: PathBuf },
    /// A column the person named does not exist.
    #[error("`{}` has no column `{column}`; it has {}{}", path.display(), quoted(existing), meant(column, existing))]
    NoColumn { path: PathBuf, column: String, existing: Vec<String> },
    /// One column was named for the content and for the label.
    #[error("column `{column}` of `{}` cannot be both the content and the label", path.display())]
    SameColumn { path: PathBuf, column: String },
    /// One column was named twice for the content.
    #[error("column `{column}` of `{}` is named twice as what examples are", path.display())]
    SameSense { path: PathBuf, column: String },
    /// An example that is to be left out is not there.
    #[error("`{}` has no example `{id}`, which is to be left out", path.display())]
    NoExample { path: PathBuf, id: String },
    /// No column looks like a label.
    #[error("no column of `{}` looks like a label; it has {}{}", path.display(), quoted(existing), nearly_label(existing))]
    NoLabelColumn { path: PathBuf, existing: Vec<String> },
    /// No column looks like text, pictures, sounds, videos or series.
    #[error("no column of `{}` looks like text, pictures, sounds, videos or series; it has {}", path.display(), quoted(existing))]
    NoContentColumn { path: PathBuf, existing: Vec<String> },
    /// The pictures are inside the table.
    #[error("column `{column}` of `{}` holds the pictures themselves, which cannot be read from a table", path.display())]
    EmbeddedPictures { path: PathBuf, column: String },
    /// The layout of defect inspection sets (MVTec AD).
    #[error(
        "`{}` has the layout of defect inspection sets: only `{class}` to learn from and defects to measure on; telling \
         classes apart cannot be tuned from it",
        path.display()
    )]
    InspectionLayout { path: PathBuf, class: String },
    /// Nothing to learn from for defect inspection.
    #[error(
        "`{}` has no pictures of good parts to learn from, only {n_defects} of defects and {n_measured} to measure on",
        path.display()
    )]
    NoGood { path: PathBuf, n_defects: usize, n_measured: usize },
    /// Folders that may be kinds of defect as well as groups of good parts.
    #[error(
        "`{}` holds folders that may be kinds of defect or groups of good parts, and none is called good: {}",
        path.display(),
        quoted(folders)
    )]
    NoGoodFolder { path: PathBuf, folders: Vec<String> },
    /// A folder that may hold masks as well as a kind of defect.
    #[error(
        "`{}` has a folder `{folder}` that may hold masks or a kind of defect: each of its pictures is called like another one",
        path.display()
    )]
    MasksOrDefects { path: PathBuf, folder: String },
    /// A folder above several sets for defect inspection.
    #[error("`{}` holds several sets for defect inspection: {}", path.display(), quoted(sets))]
    SeveralSets { path: PathBuf, sets: Vec<String> },
    /// An unknown kind of file.
    #[error("`{}` is not a kind of file that can be read here", path.display())]
    UnknownFormat { path: PathBuf },
    /// The file as a whole cannot be parsed.
    #[error("`{}` cannot be parsed: {detail}", path.display())]
    Malformed { path: PathBuf, detail: String },
    /// More than the documented limits.
    #[error("`{}` has more than {limit} {what}", path.display())]
    TooMuch { path: PathBuf, what: &'static str, limit: u64 },
    /// Not one of the senses that are asked for is there.
    #[error("`{}` has none of the columns {}; it has {}", path.display(), quoted(senses), quoted(existing))]
    NoSense { path: PathBuf, senses: Vec<String>, existing: Vec<String> },
    /// No table, and files of none or of several of the senses of a model.
    #[error("`{}` does not say which of {} it holds", path.display(), quoted(senses))]
    NotOneSense { path: PathBuf, senses: Vec<String> },
    /// A column that would be what examples are names files that cannot be read.
    #[error("column `{column}` of `{}` names files of an unknown kind ({ending})", path.display())]
    UnknownFiles { path: PathBuf, column: String, ending: String },
    /// Pairs need two columns.
    #[error("`{}` has no two columns that could be pairs; it has {}", path.display(), quoted(existing))]
    NotTwoSenses { path: PathBuf, existing: Vec<String> },
    /// Every row had a problem.
    #[error("no row of `{}` can be used; the first problem: {first}", path.display())]
    NothingUsable { path: PathBuf, first: String },
}

impl ReadError {
    /// What to try next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "check the path",
            Self::Open { .. } => "check the permissions",
            Self::Empty { .. } => {
                "put pictures, texts, sounds, videos or series into one folder per class, or pass a CSV, JSONL or Parquet file"
            }
            Self::NoPhotos { .. } => {
                "pass photos, sounds or series of parts; texts and videos are for `dianjing tune`"
            }
            Self::NoClassFolders { .. } => {
                "put pictures into one folder per class; photos of good parts alone are for `dianjing inspect`"
            }
            Self::SeveralTables { .. } => {
                "pass one of them, or name them `train` and `test`; series of sensors go into one folder per class"
            }
            Self::UnknownFiles { .. } => {
                "save the files as JPEG or PNG, WAV, MP4 or CSV, or name another column"
            }
            Self::NotTwoSenses { .. } => "name them with --left COLUMN and --right COLUMN",
            Self::NotOneSense { .. } => "pass a table with a column for each of them that is there",
            Self::NoSense { .. } => "name the columns as they were called when the model was tuned",
            Self::OneClass { .. } => "add examples of a second class, such as `good` and `defect`",
            Self::NoRows { .. } => "check that the file was saved",
            Self::NoColumn { .. } => "correct the name; names are compared exactly",
            Self::SameColumn { .. } => "name another column with --label",
            Self::SameSense { .. } => "name each column once",
            Self::NoExample { .. } => "write it as the report does",
            Self::NoLabelColumn { .. } => "name it with --label COLUMN",
            Self::NoContentColumn { .. } => {
                "name it with --text COLUMN, --image COLUMN, --sound COLUMN, --video COLUMN or --series COLUMN"
            }
            Self::EmbeddedPictures { .. } => {
                "save the pictures as files and pass a CSV with their paths, or name a text column with --text COLUMN"
            }
            Self::InspectionLayout { .. } => "pass its `test` folder to tell its defects apart",
            Self::NoGood { .. } => {
                "put pictures of good parts into a folder `good`, or into `train/good` beside `test`"
            }
            Self::NoGoodFolder { .. } => {
                "put good parts into a folder `good` beside the folders of defects; if all of these are good parts, put the folders into one \
                 called `good`, or pass --group-by-folder when each is a lot, a camera or a burst"
            }
            Self::MasksOrDefects { .. } => {
                "call the folder `masks` if it holds masks, or by another name if it is a kind of defect"
            }
            Self::SeveralSets { .. } => "pass one of them: each kind of part is learned alone",
            Self::UnknownFormat { .. } => "pass a folder, or a .csv, .tsv, .jsonl, .json or .parquet file",
            Self::Malformed { .. } => "open it in the program that wrote it and save it again",
            Self::TooMuch { .. } => "split it into several data sets",
            Self::NothingUsable { .. } => "mend the first problem and try again",
        }
    }
}

fn quoted(names: &[String]) -> String {
    if names.is_empty() {
        return "no columns".to_owned();
    }
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn meant(column: &str, existing: &[String]) -> String {
    let nearest = existing.iter().filter_map(|name| Some((distance_if_near(column, name)?, name))).min();
    nearest.map_or_else(String::new, |(_, name)| format!("; did you mean `{name}`?"))
}

fn nearly_label(existing: &[String]) -> String {
    let near = |name: &String| {
        ["label", "labels", "class", "category", "target", "intent", "sentiment", "answer"]
            .iter()
            .filter_map(|label| distance_if_near(label, name))
            .min()
    };
    let nearest = existing.iter().filter_map(|name| Some((near(name)?, name))).min();
    nearest.map_or_else(String::new, |(_, name)| format!("; `{name}` is nearly one"))
}

/// The number of letters to change, add, remove or swap, if it is at most a third of the longer name. Case does not count.
fn distance_if_near(a: &str, b: &str) -> Option<usize> {
    let a: Vec<char> = a.trim().to_lowercase().chars().collect();
    let b: Vec<char> = b.trim().to_lowercase().chars().collect();
    let most = a.len().max(b.len()) / 3;
    if a.len().abs_diff(b.len()) > most {
        return None;
    }
    // Optimal string alignment: row by row, with the row before the last one for swaps.
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for (i, from) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, to) in b.iter().enumerate() {
            let changed = rows[i][j] + usize::from(from != to);
            let mut least = changed.min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *from == b[j - 1] && a[i - 1] == *to {
                least = least.min(rows[i - 1][j - 1] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    let distance = rows[a.len()][b.len()];
    (distance <= most).then_some(distance)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_column_is_suggested() {
        let existing: Vec<String> = ["text", "intent", "Label"].map(str::to_owned).to_vec();
        assert_eq!(meant("itnent", &existing), "; did you mean `intent`?");
        assert_eq!(meant("label", &existing), "; did you mean `Label`?");
        assert_eq!(meant("verdict", &existing), "");
        assert_eq!(nearly_label(&["txt".to_owned(), "catgory".to_owned()]), "; `catgory` is nearly one");
    }
}
