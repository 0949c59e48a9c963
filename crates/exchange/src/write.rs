//! Every format is written from here.

use std::io::{self, BufWriter, Write};

use crate::{
    ExchangeError, Format, Header, Item, Kind, coco, folders, label_studio, mvtec, tables, voc, yolo,
};

/// What the writers of formats take: items that were checked.
pub(crate) type Items<'i> = &'i mut dyn Iterator<Item = Result<Item, ExchangeError>>;

/// Writes a set in a format.
///
/// Tables are one file without `files`, and all else is a zip. `files` puts the files of the examples in; MVTec AD and class
/// folders always hold them. `out` need not be seekable. What the format cannot hold is left out: ask [`losses`](crate::losses)
/// first. Names never leave the archive; the second of one name gets ` (2)`.
///
/// # Errors
/// [`ExchangeError::OtherKind`] when the format holds nothing of this kind, [`ExchangeError::Mark`] for a mark that does not pass
/// [`Mark::check`](crate::Mark::check), [`ExchangeError::Source`] with the first error of `items`, and those of the disk.
pub fn write(
    format: Format,
    header: &Header,
    items: impl Iterator<Item = Result<Item, io::Error>>,
    files: bool,
    out: impl Write,
) -> Result<(), ExchangeError> {
    if !holds(format, header.kind) {
        return Err(ExchangeError::OtherKind { format, kind: header.kind });
    }
    let mut out = BufWriter::with_capacity(1 << 16, out);
    let mut items = items.map(|item| checked(item.map_err(ExchangeError::Source)?, header.kind));
    let (items, out): (Items<'_>, &mut dyn Write) = (&mut items, &mut out);
    match format {
        Format::Csv | Format::Jsonl | Format::Parquet => tables::write(format, items, files, out)?,
        Format::Coco => coco::write(header, items, files, out)?,
        Format::Voc => voc::write(header, items, files, out)?,
        Format::Yolo => yolo::write(header, items, files, out)?,
        Format::Mvtec => mvtec::write(items, out)?,
        Format::Folders => folders::write(items, out)?,
        Format::LabelStudio => label_studio::write(header, items, files, out)?,
    }
    out.flush().map_err(ExchangeError::Write)
}

/// Whether a format holds examples of this kind at all.
pub(crate) fn holds(format: Format, kind: Kind) -> bool {
    match format {
        Format::Csv | Format::Jsonl | Format::Parquet => true,
        Format::Coco | Format::Voc | Format::Yolo | Format::Mvtec => kind == Kind::Image,
        Format::LabelStudio => !matches!(kind, Kind::Series | Kind::Senses),
        Format::Folders => kind != Kind::Senses,
    }
}

fn checked(item: Item, kind: Kind) -> Result<Item, ExchangeError> {
    let failed = |source| ExchangeError::Mark { name: item.name.clone(), source };
    item.marks.iter().try_for_each(|mark| mark.check(kind)).map_err(failed)?;
    Ok(item)
}
