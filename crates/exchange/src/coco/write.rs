//! COCO's JSON is written.

use std::io::Write;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::{Annotation, Counts, DOCUMENT, IMAGES, Own, Picture, Segmentation};
use crate::archive::Archive;
use crate::classes::Classes;
use crate::known::Known;
use crate::names::{Apart, Names, safe_path};
use crate::spool::Spool;
use crate::write::Items;
use crate::{ExchangeError, Header, Item, Mark, Shape, UNNAMED, runs};

/// Most runs of one brush, column by column: what is long row by row may be short this way, and the other way round.
const MOST_COUNTS: usize = 4 << 20;

pub(crate) fn write(
    header: &Header,
    items: Items<'_>,
    files: bool,
    out: &mut dyn Write,
) -> Result<(), ExchangeError> {
    let mut archive = Archive::new(out);
    let mut names = Names::new(Apart::Whole);
    let mut classes = Classes::new(&header.classes);
    let (mut pictures, mut annotations) = (Spool::new()?, Spool::new()?);
    for item in items {
        let item = item?;
        let file_name = names.give(format!("{IMAGES}/{}", safe_path(&item.name)));
        if files {
            archive.content(&file_name, &item)?;
        }
        let id = pictures.len() + 1;
        for mark in &item.marks {
            let category = classes.number(mark.class.as_deref().unwrap_or(UNNAMED)) as u64 + 1;
            let annotation = annotation(&item, mark, [annotations.len() + 1, id, category])?;
            annotations.push(&annotation)?;
        }
        let size = item.picture_size().unzip();
        let known = Known::of(&item);
        pictures.push(&Picture { id, file_name, width: size.0, height: size.1, known })?;
    }
    archive.document(DOCUMENT, |out| document(header, &classes, pictures, annotations, out))?;
    archive.finish()
}

fn annotation(item: &Item, mark: &Mark, ids: [u64; 3]) -> Result<Annotation, ExchangeError> {
    let [id, image_id, category_id] = ids;
    let [left, upper, right, lower] = mark.shape.edges().unwrap_or_default();
    let (area, segmentation) = match &mark.shape {
        Shape::Polygon { points } => (area(points), Segmentation::Polygons(vec![points.concat()])),
        Shape::Brush { width, height, runs } => {
            let too_fine = || ExchangeError::TooFine { name: item.name.clone() };
            let counts = runs::transposed(runs, *width, *height, MOST_COUNTS).ok_or_else(too_fine)?;
            let area = runs::area(runs) as f64;
            (area, Segmentation::Runs { size: [*height, *width], counts: Counts::Plain(counts) })
        }
        _ => ((right - left) * (lower - upper), Segmentation::Polygons(Vec::new())),
    };
    let bbox = match &mark.shape {
        // As it was given: `(x + width) - x` is not always `width`.
        Shape::Box { x, y, width, height } => [*x, *y, *width, *height],
        _ => [left, upper, right - left, lower - upper],
    };
    let own = mark.class.is_none().then_some(Own { unnamed: true });
    Ok(Annotation {
        id,
        image_id,
        category_id,
        bbox: Some(bbox.to_vec()),
        area: Some(area),
        segmentation: Some(segmentation),
        iscrowd: Some(0),
        own,
    })
}

/// Half the sum of cross products of neighbouring corners.
fn area(points: &[[f64; 2]]) -> f64 {
    let next = points.iter().cycle().skip(1);
    let twice: f64 =
        points.iter().zip(next).map(|([x, y], [other_x, other_y])| x * other_y - other_x * y).sum();
    twice.abs() / 2.0
}

fn document(
    header: &Header,
    classes: &Classes,
    pictures: Spool<Picture>,
    annotations: Spool<Annotation>,
    out: &mut dyn Write,
) -> Result<(), ExchangeError> {
    let info = json!({ "description": header.name, "version": "1.0" });
    let category = |(id, name): (usize, &String)| json!({ "id": id, "name": name, "supercategory": "" });
    let categories: Vec<_> = (1..).zip(classes.names()).map(category).collect();
    let categories = serde_json::Value::from(categories);
    write!(out, "{{\"info\":{info},\"licenses\":[],\"categories\":{categories},\"images\":[")
        .map_err(ExchangeError::Write)?;
    list(pictures, out)?;
    out.write_all(b"],\"annotations\":[").map_err(ExchangeError::Write)?;
    list(annotations, out)?;
    out.write_all(b"]}\n").map_err(ExchangeError::Write)
}

/// One value a line, which keeps a large document readable and fit for tools that compare lines.
fn list<T: Serialize + DeserializeOwned>(values: Spool<T>, out: &mut dyn Write) -> Result<(), ExchangeError> {
    let mut between = "\n";
    values.each(|value| {
        out.write_all(between.as_bytes()).map_err(ExchangeError::Write)?;
        between = ",\n";
        serde_json::to_writer(&mut *out, &value).map_err(|error| ExchangeError::Write(error.into()))
    })
}
