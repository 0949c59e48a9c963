//! The formats and their names.

/// A format of annotated data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// A table with commas.
    Csv,
    /// One JSON object a line.
    Jsonl,
    /// A Parquet table.
    Parquet,
    /// COCO's JSON (cocodataset, "format data", object detection).
    Coco,
    /// Pascal VOC's XML (VOC2012 development kit).
    Voc,
    /// YOLO's text files, in the layout of `ultralytics`.
    Yolo,
    /// The folders and masks of MVTec AD (Bergmann et al. 2019).
    Mvtec,
    /// Label Studio's JSON.
    LabelStudio,
    /// One folder a class.
    Folders,
}

impl Format {
    /// Every format, in the order in which they are shown.
    pub const ALL: [Self; 9] = [
        Self::Csv,
        Self::Jsonl,
        Self::Parquet,
        Self::Coco,
        Self::Voc,
        Self::Yolo,
        Self::Mvtec,
        Self::LabelStudio,
        Self::Folders,
    ];

    /// Its name in addresses and commands.
    pub fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
            Self::Parquet => "parquet",
            Self::Coco => "coco",
            Self::Voc => "voc",
            Self::Yolo => "yolo",
            Self::Mvtec => "mvtec",
            Self::LabelStudio => "label-studio",
            Self::Folders => "folders",
        }
    }

    /// The format of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// Its name for people.
    pub fn title(self) -> &'static str {
        match self {
            Self::Csv => "CSV",
            Self::Jsonl => "JSONL",
            Self::Parquet => "Parquet",
            Self::Coco => "COCO",
            Self::Voc => "Pascal VOC",
            Self::Yolo => "YOLO",
            Self::Mvtec => "MVTec AD",
            Self::LabelStudio => "Label Studio",
            Self::Folders => "class folders",
        }
    }

    /// Whether it is one file: a table without the files that it names.
    pub fn is_single_file(self, files: bool) -> bool {
        self.is_table() && !files
    }

    /// The media type of what [`write`](fn@crate::write) writes.
    pub fn media_type(self, files: bool) -> &'static str {
        match self {
            _ if !self.is_single_file(files) => "application/zip",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Jsonl => "application/jsonl",
            _ => "application/vnd.apache.parquet",
        }
    }

    /// The end of the name of what [`write`](fn@crate::write) writes, without the dot.
    pub fn file_ending(self, files: bool) -> &'static str {
        if self.is_single_file(files) { self.name() } else { "zip" }
    }

    pub(crate) fn is_table(self) -> bool {
        matches!(self, Self::Csv | Self::Jsonl | Self::Parquet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_formats() {
        for format in Format::ALL {
            assert_eq!(Format::from_name(format.name()), Some(format));
        }
        assert_eq!(Format::from_name("COCO"), None);
        assert_eq!((Format::Csv.file_ending(false), Format::Csv.file_ending(true)), ("csv", "zip"));
        assert_eq!(Format::Voc.media_type(false), "application/zip");
    }
}
