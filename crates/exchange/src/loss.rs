//! What a format cannot hold, counted and put into words.

use std::collections::BTreeSet;

use dataset::names_good_parts;

use crate::write::holds;
use crate::{Answer, Format, Header, Item, Kind, Mark, Shape};

/// What a set holds, counted. Add every item, or fill it in from a database.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// Boxes on pictures.
    pub boxes: u64,
    /// Boxes with an edge between two pixels.
    pub boxes_between_pixels: u64,
    /// Polygons on pictures.
    pub polygons: u64,
    /// Brushes on pictures.
    pub brushes: u64,
    /// Spans of texts.
    pub spans: u64,
    /// Segments of sounds.
    pub segments: u64,
    /// Marks without a class.
    pub unnamed: u64,
    /// Examples with an answer of one class.
    pub class_answers: u64,
    /// Examples with a set of classes, perhaps empty.
    pub classes_answers: u64,
    /// Examples with a number.
    pub number_answers: u64,
    /// Examples without an answer.
    pub unanswered: u64,
    /// Examples in a group.
    pub grouped: u64,
    /// Examples that belong to a part.
    pub parted: u64,
    /// Pieces of sounds of which it is known where they were cut out.
    pub pieces: u64,
    /// Marks on those.
    pub marks_on_pieces: u64,
}

impl Tally {
    /// Counts one example.
    pub fn add(&mut self, item: &Item) {
        match item.answer {
            Answer::None => self.unanswered += 1,
            Answer::Class(_) => self.class_answers += 1,
            Answer::Classes(_) => self.classes_answers += 1,
            Answer::Number(_) => self.number_answers += 1,
        }
        self.grouped += u64::from(item.group.is_some());
        self.parted += u64::from(item.part.is_some());
        if item.piece.is_some() {
            self.pieces += 1;
            self.marks_on_pieces += item.marks.len() as u64;
        }
        item.marks.iter().for_each(|mark| self.add_mark(mark));
    }

    /// Counts one mark.
    pub fn add_mark(&mut self, mark: &Mark) {
        self.unnamed += u64::from(mark.class.is_none());
        match &mark.shape {
            Shape::Box { x, y, width, height } => {
                self.boxes += 1;
                let is_whole = [*x, *y, x + width, y + height].iter().all(|edge| edge.fract() == 0.0);
                self.boxes_between_pixels += u64::from(!is_whole);
            }
            Shape::Polygon { .. } => self.polygons += 1,
            Shape::Brush { .. } => self.brushes += 1,
            Shape::Span { .. } => self.spans += 1,
            Shape::Segment { .. } => self.segments += 1,
        }
    }

    fn marks(&self) -> u64 {
        self.boxes + self.polygons + self.brushes + self.spans + self.segments
    }

    fn answers(&self) -> u64 {
        self.class_answers + self.classes_answers + self.number_answers
    }
}

/// One thing that a format cannot hold of a set, or holds otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Loss {
    /// It holds pictures alone, and these are others.
    Kind(Kind),
    /// It holds no examples of this kind.
    NotHeld(Kind),
    /// It wants one class for each example, one of which names good parts, and there is none.
    NoGoodClass,
    /// Marks that are lost; the shape's name is as in JSON, `mark` for any.
    Marks {
        /// The shape.
        shape: &'static str,
        /// How many.
        count: u64,
    },
    /// Marks that are written as another shape.
    Becomes {
        /// The shape they are.
        shape: &'static str,
        /// The shape they become.
        other: &'static str,
        /// How many.
        count: u64,
    },
    /// Boxes whose edges are moved outwards to whole pixels.
    Rounded(u64),
    /// Marks whose classes are lost, since the example's class names them.
    MarkClasses(u64),
    /// Marks without a class that are called [`UNNAMED`].
    Unnamed(u64),
    /// Answers about whole examples.
    Answers(u64),
    /// Examples without an answer.
    Unanswered(u64),
    /// Groups of examples.
    Groups(u64),
    /// To which part of the set examples belong.
    Parts(u64),
    /// From when to when pieces go.
    Pieces(u64),
    /// Marks on pieces, which a table with times says and nobody reads: whoever cuts anew does not know them.
    MarksOnPieces(u64),
    /// The class of good parts is called `good`.
    GoodRenamed(String),
}

/// What marks without a class are called where each needs a name.
pub const UNNAMED: &str = "object";

impl Loss {
    /// Whether nothing can be written at all.
    pub fn is_total(&self) -> bool {
        matches!(self, Self::Kind(_) | Self::NotHeld(_) | Self::NoGoodClass)
    }

    /// In an English sentence without a full stop.
    pub fn english(&self) -> String {
        let of = |count: &u64, one: &str, many: &str| match count {
            1 => format!("1 {one}"),
            count => format!("{count} {many}"),
        };
        match self {
            Self::Kind(kind) => format!("{} are not pictures", kind.plural()),
            Self::NotHeld(kind) => format!("it holds no {}", kind.plural()),
            Self::NoGoodClass => {
                "every example needs one class, and one class must name good parts, such as `good`".to_owned()
            }
            Self::Marks { shape, count } => format!("{} would be lost", of(count, shape, plural(shape))),
            Self::Becomes { shape, other, count: 1 } => format!("1 {shape} becomes a {other}"),
            Self::Becomes { shape, other, count } => {
                format!("{count} {} become {}", plural(shape), plural(other))
            }
            Self::Rounded(count) => {
                format!("{} would be widened to whole pixels", of(count, "box", "boxes"))
            }
            Self::MarkClasses(count) => {
                format!("{} would take the class of the example", of(count, "mark", "marks"))
            }
            Self::Unnamed(count) => {
                format!("{} without a class would be called `{UNNAMED}`", of(count, "mark", "marks"))
            }
            Self::Answers(count) => format!("{} would be lost", of(count, "label", "labels")),
            Self::Unanswered(count) => {
                format!("{} without a label would be left out", of(count, "example", "examples"))
            }
            Self::Groups(count) => {
                format!("the group of {} would be lost", of(count, "example", "examples"))
            }
            Self::Parts(count) => {
                format!("the part of {} would be lost", of(count, "example", "examples"))
            }
            Self::Pieces(count) => format!("the times of {} would be lost", of(count, "piece", "pieces")),
            Self::MarksOnPieces(count) => {
                format!("{} on pieces can be read back only with the files", of(count, "mark", "marks"))
            }
            Self::GoodRenamed(name) => format!("`{name}` would be called `good`"),
        }
    }

    /// In a Chinese sentence without a full stop.
    pub fn chinese(&self) -> String {
        match self {
            Self::Kind(kind) => format!("{}不是图片", kind.chinese()),
            Self::NotHeld(kind) => format!("不支持{}", kind.chinese()),
            Self::NoGoodClass => "每个样本需要一个类别，且其中一个类别须表示良品，例如 `good`".to_owned(),
            Self::Marks { shape, count } => format!("{count} 个{}会丢失", chinese(shape)),
            Self::Becomes { shape, other, count } => {
                format!("{count} 个{}会变成{}", chinese(shape), chinese(other))
            }
            Self::Rounded(count) => format!("{count} 个矩形框会向外取整到整像素"),
            Self::MarkClasses(count) => format!("{count} 个标记会改用样本的类别"),
            Self::Unnamed(count) => format!("{count} 个没有类别的标记会被命名为 `{UNNAMED}`"),
            Self::Answers(count) => format!("{count} 个标签会丢失"),
            Self::Unanswered(count) => format!("{count} 个没有标签的样本会被略去"),
            Self::Groups(count) => format!("{count} 个样本的分组会丢失"),
            Self::Parts(count) => format!("{count} 个样本的划分会丢失"),
            Self::Pieces(count) => format!("{count} 个片段的起止时间会丢失"),
            Self::MarksOnPieces(count) => format!("片段上的 {count} 个标记只有连同文件一起导出才能读回"),
            Self::GoodRenamed(name) => format!("`{name}` 会改名为 `good`"),
        }
    }
}

fn plural(shape: &'static str) -> &'static str {
    match shape {
        "box" => "boxes",
        "polygon" => "polygons",
        "brush" => "brushes",
        "span" => "spans",
        "segment" => "segments",
        "mask" => "masks",
        _ => "marks",
    }
}

fn chinese(shape: &str) -> &'static str {
    match shape {
        "box" => "矩形框",
        "polygon" => "多边形",
        "brush" => "涂抹区域",
        "span" => "文本片段",
        "segment" => "音频片段",
        "mask" => "掩膜",
        _ => "标记",
    }
}

/// What of such a set would be lost in a format, or written otherwise; empty when nothing.
pub fn losses(format: Format, header: &Header, tally: &Tally) -> Vec<Loss> {
    let mut losses = match format {
        Format::Csv | Format::Jsonl | Format::Parquet => vec![Loss::MarksOnPieces(tally.marks_on_pieces)],
        Format::LabelStudio | Format::Folders if !holds(format, header.kind) => {
            return vec![Loss::NotHeld(header.kind)];
        }
        Format::LabelStudio => vec![Loss::Pieces(tally.pieces)],
        Format::Folders => folders(tally),
        _ if !holds(format, header.kind) => return vec![Loss::Kind(header.kind)],
        Format::Coco => return Vec::new(),
        Format::Voc => voc(tally),
        Format::Yolo => yolo(tally),
        Format::Mvtec => mvtec(header, tally),
    };
    if losses.first().is_some_and(Loss::is_total) {
        losses.truncate(1);
    }
    losses.retain(|loss| loss.count() > 0);
    losses
}

impl Loss {
    fn count(&self) -> u64 {
        match self {
            Self::Kind(_) | Self::NotHeld(_) | Self::NoGoodClass | Self::GoodRenamed(_) => 1,
            Self::Marks { count, .. } | Self::Becomes { count, .. } => *count,
            Self::Rounded(count)
            | Self::MarkClasses(count)
            | Self::Unnamed(count)
            | Self::Answers(count)
            | Self::Unanswered(count)
            | Self::Groups(count)
            | Self::Parts(count)
            | Self::Pieces(count)
            | Self::MarksOnPieces(count) => *count,
        }
    }
}

fn becomes(shape: &'static str, other: &'static str, count: u64) -> Loss {
    Loss::Becomes { shape, other, count }
}

fn folders(tally: &Tally) -> Vec<Loss> {
    vec![
        Loss::Marks { shape: "mark", count: tally.marks() },
        Loss::Answers(tally.classes_answers + tally.number_answers),
        Loss::Groups(tally.grouped),
        Loss::Pieces(tally.pieces),
    ]
}

fn voc(tally: &Tally) -> Vec<Loss> {
    vec![
        becomes("polygon", "box", tally.polygons),
        becomes("brush", "box", tally.brushes),
        Loss::Rounded(tally.boxes_between_pixels),
        Loss::Unnamed(tally.unnamed),
        Loss::Answers(tally.answers()),
        Loss::Groups(tally.grouped),
    ]
}

fn yolo(tally: &Tally) -> Vec<Loss> {
    let boxes = if tally.polygons + tally.brushes > 0 { tally.boxes } else { 0 };
    vec![
        becomes("box", "polygon", boxes),
        becomes("brush", "polygon", tally.brushes),
        Loss::Unnamed(tally.unnamed),
        Loss::Answers(tally.answers()),
        Loss::Groups(tally.grouped),
    ]
}

fn mvtec(header: &Header, tally: &Tally) -> Vec<Loss> {
    let good: BTreeSet<&String> = header.classes.iter().filter(|class| names_good_parts(class)).collect();
    if good.is_empty() || tally.class_answers == 0 {
        return vec![Loss::NoGoodClass];
    }
    let mut losses = vec![
        becomes("box", "mask", tally.boxes),
        becomes("polygon", "mask", tally.polygons),
        Loss::MarkClasses(tally.marks() - tally.unnamed),
        Loss::Unanswered(tally.unanswered + tally.classes_answers + tally.number_answers),
        Loss::Groups(tally.grouped),
    ];
    let renamed = good.into_iter().filter(|class| *class != "good");
    losses.extend(renamed.map(|class| Loss::GoodRenamed(class.clone())));
    losses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(format: Format, kind: Kind, tally: Tally, expect: &[&str]) {
        let classes = ["良品", "scratch"].map(str::to_owned).to_vec();
        let losses = losses(format, &Header { name: "s".into(), kind, classes }, &tally);
        assert!(losses.iter().all(|loss| !loss.chinese().is_empty()));
        let got: Vec<String> = losses.iter().map(Loss::english).collect();
        assert_eq!(got, expect, "{format:?}");
    }

    #[test]
    fn losses_are_said_in_numbers() {
        let spans = Tally { spans: 3, unanswered: 2, ..Tally::default() };
        check(Format::Coco, Kind::Text, spans.clone(), &["texts are not pictures"]);
        check(Format::Folders, Kind::Text, spans.clone(), &["3 marks would be lost"]);
        check(Format::Jsonl, Kind::Text, spans.clone(), &[]);
        check(Format::LabelStudio, Kind::Video, Tally::default(), &[]);
        check(Format::LabelStudio, Kind::Series, Tally::default(), &["it holds no series"]);
        check(Format::Folders, Kind::Senses, spans, &["it holds no examples of several senses"]);
        let marked = Tally {
            boxes: 2,
            boxes_between_pixels: 1,
            polygons: 1,
            brushes: 4,
            class_answers: 1,
            unnamed: 1,
            ..Tally::default()
        };
        check(Format::Coco, Kind::Image, marked.clone(), &[]);
        check(
            Format::Voc,
            Kind::Image,
            marked.clone(),
            &[
                "1 polygon becomes a box",
                "4 brushes become boxes",
                "1 box would be widened to whole pixels",
                "1 mark without a class would be called `object`",
                "1 label would be lost",
            ],
        );
        check(
            Format::Mvtec,
            Kind::Image,
            marked,
            &[
                "2 boxes become masks",
                "1 polygon becomes a mask",
                "6 marks would take the class of the example",
                "`良品` would be called `good`",
            ],
        );
        let unanswered = Tally { unanswered: 1, ..Tally::default() };
        check(
            Format::Mvtec,
            Kind::Image,
            unanswered,
            &["every example needs one class, and one class must name good parts, such as `good`"],
        );
    }

    #[test]
    fn times_of_pieces_are_kept_by_tables_alone() {
        let pieces = Tally { pieces: 2, segments: 1, marks_on_pieces: 1, ..Tally::default() };
        check(
            Format::Csv,
            Kind::Sound,
            pieces.clone(),
            &["1 mark on pieces can be read back only with the files"],
        );
        check(Format::LabelStudio, Kind::Sound, pieces.clone(), &["the times of 2 pieces would be lost"]);
        check(
            Format::Folders,
            Kind::Sound,
            pieces,
            &["1 mark would be lost", "the times of 2 pieces would be lost"],
        );
    }
}
