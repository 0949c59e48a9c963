//! What a format holds comes back as it was.

use dataset::Part;
use exchange::{Answer, Content, Format, Header, Item, Kind, Loss, Mark, Piece, Shape, Tally, losses};

use super::{Place, a_box, comes_back, file, header, mark, members, text, unpacked, written};

const TABLES: [Format; 3] = [Format::Csv, Format::Jsonl, Format::Parquet];

fn brush(width: u32, height: u32) -> Shape {
    let total = width * height;
    Shape::Brush { width, height, runs: vec![3, 4, width - 4, 5, 1, 1, total - width - 10] }
}

fn polygon() -> Shape {
    Shape::Polygon { points: vec![[1.5, 2.25], [10.0, 2.0], [7.125, 11.0], [0.1, 9.7]] }
}

/// Pictures with marks of every shape, with and without classes, and one without any.
fn pictures(place: &Place) -> (Header, Vec<Item>) {
    let mut items = vec![
        file("良品/图 1.png", place.picture("a.png", 40, 30), Some((40, 30))),
        file("scratch/b.c.png", place.picture("b.png", 64, 20), Some((64, 20))),
        file("empty.png", place.picture("c.png", 9, 5), Some((9, 5))),
    ];
    items[0].answer = Answer::Class("良品".into());
    items[0].group = Some("lot \"7\", b".into());
    items[0].part = Some(Part::Train);
    items[1].answer = Answer::Class("scratch".into());
    items[1].part = Some(Part::Test);
    items[1].marks = vec![
        mark("scratch", a_box(3.0, 4.5, 20.25, 10.1)),
        mark("", a_box(0.0, 0.0, 64.0, 20.0)),
        mark("dent & <x>", polygon()),
        mark("scratch", brush(64, 20)),
    ];
    (header(Kind::Image, &["良品", "scratch", "dent & <x>"]), items)
}

#[test]
fn pictures_come_back_whole() {
    let place = Place::new();
    let (header, items) = pictures(&place);
    let mut tally = Tally::default();
    items.iter().for_each(|item| tally.add(item));
    for format in TABLES.into_iter().chain([Format::Coco, Format::LabelStudio]) {
        assert_eq!(losses(format, &header, &tally), [], "{format:?}");
        let found = comes_back(format, &header, &items, &items);
        let mut classes = found.classes.clone();
        classes.sort();
        assert_eq!(classes, ["dent & <x>", "scratch", "良品"], "{format:?}");
        if format == Format::Coco {
            assert_eq!(found.classes, header.classes, "in order");
        }
    }
}

#[test]
fn sets_of_classes_and_numbers_come_back() {
    let place = Place::new();
    for answers in [
        vec![
            Answer::Classes(vec!["a|b".into(), "c".into()]),
            Answer::Classes(vec![]),
            Answer::None,
            Answer::Classes(vec!["c".into()]),
            Answer::Classes(vec!["c".into(), "d \"e\"".into()]),
        ],
        vec![Answer::Number(0.1), Answer::None, Answer::Number(-1.5e-7), Answer::Number(3.0)],
    ] {
        let items: Vec<Item> = answers
            .into_iter()
            .enumerate()
            .map(|(number, answer)| {
                let name = format!("{number}.png");
                Item { answer, ..file(&name, place.picture(&name, 4, 3), Some((4, 3))) }
            })
            .collect();
        let header = header(Kind::Image, &["c", "a|b", "d \"e\""]);
        for format in TABLES.into_iter().chain([Format::Coco, Format::LabelStudio]) {
            comes_back(format, &header, &items, &items);
        }
    }
}

#[test]
fn texts_with_spans_come_back() {
    let span = |class, start, end| mark(class, Shape::Span { start, end });
    let mut items = vec![
        text("reviews.csv:2", " 💩 This is \"Łódź\",\r\nand 👨‍🚒 firemen \n"),
        text("reviews.csv:3", "=1+1"),
        text("reviews.csv:4", "无标签"),
    ];
    items[0].marks = vec![span("LOC", 12, 16), span("", 1, 2), span("LOC", 0, 34)];
    items[0].answer = Answer::Class("news, local".into());
    items[1].answer = Answer::Class("[x]|y".into());
    items[1].part = Some(Part::Validation);
    let header = header(Kind::Text, &["news, local", "[x]|y", "LOC"]);
    for format in TABLES.into_iter().chain([Format::LabelStudio]) {
        comes_back(format, &header, &items, &items);
    }
}

#[test]
fn sounds_with_segments_come_back() {
    let place = Place::new();
    let mut items = vec![
        file("a/1.wav", place.write("1.wav", "RIFF"), None),
        file("2.wav", place.write("2.wav", "x"), None),
    ];
    items[0].marks = vec![
        mark("cough", Shape::Segment { start: 0.1, end: 1.25 }),
        mark("", Shape::Segment { start: 0.0, end: 1e-3 }),
    ];
    items[1].answer = Answer::Class("cough".into());
    let header = header(Kind::Sound, &["cough"]);
    for format in TABLES.into_iter().chain([Format::LabelStudio]) {
        comes_back(format, &header, &items, &items);
    }
}

#[test]
fn voc_keeps_whole_boxes_and_parts() {
    let place = Place::new();
    let (header, mut items) = pictures(&place);
    items[1].marks = vec![
        mark("scratch", a_box(0.0, 0.0, 10.0, 5.0)),
        mark("dent & <x>", a_box(63.0, 19.0, 1.0, 1.0)),
        mark("", a_box(1.0, 2.0, 3.0, 4.0)),
    ];
    let mut expect = items.clone();
    expect[1].marks[2].class = Some("object".into());
    for item in &mut expect {
        (item.answer, item.group) = (Answer::None, None);
    }
    comes_back(Format::Voc, &header, &items, &expect);
    items[1].marks = vec![mark("a", polygon()), mark("a", a_box(0.5, 0.5, 0.25, 0.25))];
    expect[1].marks = vec![mark("a", a_box(0.0, 2.0, 10.0, 9.0)), mark("a", a_box(0.0, 0.0, 1.0, 1.0))];
    comes_back(Format::Voc, &header, &items, &expect);
}

#[test]
fn voc_counts_pixels_from_one() {
    let place = Place::new();
    let mut item = file("a.png", place.picture("a.png", 20, 10), None);
    item.marks = vec![mark("a", a_box(0.0, 2.0, 10.0, 3.0))];
    let place = unpacked(Format::Voc, &header(Kind::Image, &["a"]), &[item]);
    let xml = std::fs::read_to_string(place.root().join("Annotations/a.xml")).unwrap();
    for part in
        ["<xmin>1<", "<ymin>3<", "<xmax>10<", "<ymax>5<", "<width>20<", "<height>10<", "<filename>a.png<"]
    {
        assert!(xml.contains(part), "{part} in {xml}");
    }
}

#[test]
fn yolo_keeps_boxes_or_polygons() {
    let place = Place::new();
    let (header, mut items) = pictures(&place);
    items[1].marks =
        vec![mark("scratch", a_box(3.0, 4.5, 20.25, 10.1)), mark("dent & <x>", a_box(0.0, 0.0, 64.0, 20.0))];
    let mut expect = items.clone();
    for item in &mut expect {
        (item.answer, item.group) = (Answer::None, None);
    }
    let found = comes_back(Format::Yolo, &header, &items, &expect);
    assert_eq!(found.classes, header.classes);
    items[1].marks = vec![mark("scratch", polygon()), mark("", a_box(2.0, 3.0, 4.0, 5.0))];
    let corners = vec![[2.0, 3.0], [6.0, 3.0], [6.0, 8.0], [2.0, 8.0]];
    expect[1].marks = vec![mark("scratch", polygon()), mark("object", Shape::Polygon { points: corners })];
    let found = comes_back(Format::Yolo, &header, &items, &expect);
    assert_eq!(found.classes[3], "object");
}

#[test]
fn yolo_draws_around_brushes() {
    let place = Place::new();
    let mut item = file("a.png", place.picture("a.png", 8, 4), Some((8, 4)));
    // . # # . . . . .
    // . # . . . # . .
    let runs = vec![1, 2, 6, 1, 3, 1, 18];
    item.marks = vec![mark("a", Shape::Brush { width: 8, height: 4, runs })];
    let place = unpacked(Format::Yolo, &header(Kind::Image, &["a"]), &[item.clone()]);
    let (_, items, problems) = place.read(Format::Yolo);
    assert_eq!((items[0].marks.len(), problems.len()), (2, 0));
    let first = vec![[1.0, 0.0], [3.0, 0.0], [3.0, 1.0], [2.0, 1.0], [2.0, 2.0], [1.0, 2.0]];
    assert_eq!(items[0].marks[0], mark("a", Shape::Polygon { points: first }));
    assert_eq!(exchange::mask(&items[0].marks, (8, 4)), exchange::mask(&item.marks, (8, 4)));
}

#[test]
fn yolo_cuts_boxes_at_the_edge() {
    let place = Place::new();
    let mut item = file("images/a.png", place.picture("a.png", 20, 10), Some((20, 10)));
    item.marks = vec![mark("a", a_box(-5.0, 5.0, 10.0, 10.0)), mark("a", a_box(30.0, 0.0, 5.0, 5.0))];
    let place = unpacked(Format::Yolo, &header(Kind::Image, &["a"]), &[item]);
    let labels = std::fs::read_to_string(place.root().join("labels/unassigned/images_/a.txt")).unwrap();
    assert_eq!(labels, "0 0.125 0.75 0.25 0.5\n");
    let (_, items, _) = place.read(Format::Yolo);
    assert_eq!(items[0].marks, [mark("a", a_box(0.0, 5.0, 5.0, 5.0))]);
}

#[test]
fn yolo_names_the_folders_that_are_there() {
    let place = Place::new();
    let (header, items) = pictures(&place);
    let place = unpacked(Format::Yolo, &header, &items);
    let document = std::fs::read_to_string(place.root().join("data.yaml")).unwrap();
    expect_test::expect![[r#"
        # Written by Dianjing. Paths are relative to this file.
        train: [images/train, images/unassigned]
        # No example is marked for validation, and this key must be there.
        val: [images/train, images/unassigned]
        test: images/test
        nc: 4
        names:
          0: "良品"
          1: "scratch"
          2: "dent & <x>"
          3: "object"
    "#]]
    .assert_eq(&document);
}

#[test]
fn mvtec_keeps_kinds_and_masks() {
    let place = Place::new();
    let (header, mut items) = pictures(&place);
    items[2].answer = Answer::Class("良品".into());
    let place = unpacked(Format::Mvtec, &header, &items);
    assert_eq!(exchange::recognise(place.root()).unwrap(), Some(Format::Mvtec));
    let (found, got, problems) = place.read(Format::Mvtec);
    assert_eq!(place.told(&problems), [""; 0]);
    assert_eq!(found.classes, ["good", "scratch"]);
    let line = |item: &Item| format!("{} {:?} {:?}", item.name, item.answer, item.part);
    assert_eq!(
        got.iter().map(line).collect::<Vec<_>>(),
        [
            "test/scratch/scratch_b.c.png Class(\"scratch\") Some(Test)",
            "train/good/empty.png Class(\"good\") Some(Train)",
            "train/good/良品_图 1.png Class(\"good\") Some(Train)",
        ]
    );
    let drawn = exchange::mask(&items[1].marks, (64, 20));
    assert_eq!(exchange::mask(&got[0].marks, (64, 20)), drawn);
    assert_eq!(got[0].marks[0].class.as_deref(), Some("scratch"));
    assert_eq!(got[1].marks, []);
}

#[test]
fn folders_keep_classes_and_parts() {
    let place = Place::new();
    let (header, items) = pictures(&place);
    let expect = ["train/良品/图 1.png", "test/scratch/b.c.png", "unlabelled/empty.png"];
    let expect: Vec<Item> = items
        .iter()
        .zip(expect)
        .map(|(item, name)| Item { name: name.into(), marks: Vec::new(), group: None, ..item.clone() })
        .collect();
    comes_back(Format::Folders, &header, &items, &expect);
    let mut item = text("t.csv:2", "你好");
    item.answer = Answer::Class("a/b".into());
    let place = unpacked(Format::Folders, &super::header(Kind::Text, &["a/b"]), &[item]);
    let (_, items, _) = place.read(Format::Folders);
    assert_eq!(
        (items[0].name.as_str(), &items[0].content),
        ("a_b/t.csv_2.txt", &Content::Text("你好".into()))
    );
}

#[test]
fn formats_are_recognised_also_in_a_folder() {
    let place = Place::new();
    let (header, items) = pictures(&place);
    for format in [Format::Coco, Format::Voc, Format::Yolo, Format::LabelStudio, Format::Mvtec] {
        let archive = written(format, &header, &items, true);
        let place = Place::new();
        super::unzip(&archive, &place.root().join("export/set"));
        assert_eq!(exchange::recognise(place.root()).unwrap(), Some(format));
        assert_eq!(place.read(format).1.len(), if format == Format::Mvtec { 2 } else { 3 }, "{format:?}");
    }
    for format in TABLES {
        let place = unpacked(format, &header, &items);
        assert_eq!(exchange::recognise(place.root()).unwrap(), Some(format));
        let alone = place.root().join(format!("examples.{}", format.name()));
        assert_eq!(exchange::recognise(&alone).unwrap(), Some(format), "the table alone");
        let unmarked = unpacked(format, &header, &items[..1]);
        assert_eq!(exchange::recognise(unmarked.root()).unwrap(), None, "{format:?} without marks");
    }
    let place = Place::new();
    place.write("a.csv", "text,marks,score\na,3,4\n");
    assert_eq!(exchange::recognise(place.root()).unwrap(), None, "a table of somebody else");
}

#[test]
fn names_stay_inside_and_apart() {
    let place = Place::new();
    let picture = place.picture("a.png", 4, 3);
    let names =
        ["../../etc/a.png", "/etc/a.png", "C:\\etc\\a.png", "b.png", "b.jpg", "B.png", "images/examples.png"];
    let items: Vec<Item> = names
        .iter()
        .map(|name| Item { answer: Answer::Class("good".into()), ..file(name, picture.clone(), None) })
        .collect();
    let header = header(Kind::Image, &["good"]);
    for format in Format::ALL {
        let archive = written(format, &header, &items, true);
        let place = Place::new();
        super::unzip(&archive, place.root());
        let pictures =
            members(&archive).iter().filter(|name| name.ends_with("png") || name.ends_with("jpg")).count();
        assert!(pictures >= items.len(), "{format:?} lost one of {:?}", members(&archive));
    }
    let csv = members(&written(Format::Csv, &header, &items[..2], true));
    assert_eq!(csv, ["etc/a (2).png", "etc/a.png", "examples.csv"]);
}

#[test]
fn tables_without_files_are_single_files() {
    let place = Place::new();
    let (header, items) = pictures(&place);
    let jsonl = String::from_utf8(written(Format::Jsonl, &header, &items[..1], false)).unwrap();
    expect_test::expect![[r#"
        {"file":"良品/图 1.png","label":"良品","group":"lot \"7\", b","part":"train"}
    "#]]
    .assert_eq(&jsonl);
    let csv = String::from_utf8(written(Format::Csv, &header, &items[..1], false)).unwrap();
    expect_test::expect![[r#"
        file,label,group,part
        良品/图 1.png,良品,"lot ""7"", b",train
    "#]]
    .assert_eq(&csv);
    assert_eq!(written(Format::Csv, &header, &[], false), b"file\n");
}

#[test]
fn what_does_not_fit_is_refused() {
    let items = [text("a", "b")];
    let header = header(Kind::Text, &[]);
    let write = |format| exchange::write(format, &header, items.iter().cloned().map(Ok), true, Vec::new());
    assert_eq!(write(Format::Coco).unwrap_err().to_string(), "COCO cannot hold texts");
    assert_eq!(losses(Format::Coco, &header, &Tally::default()), [Loss::Kind(Kind::Text)]);
    let mut marked = items[0].clone();
    marked.marks = vec![Mark { class: None, shape: a_box(0.0, 0.0, 1.0, 1.0) }];
    let error =
        exchange::write(Format::Jsonl, &header, [Ok(marked)].into_iter(), false, Vec::new()).unwrap_err();
    assert_eq!(error.to_string(), "a mark on `a` cannot be written");
    let broken = [Err(std::io::Error::other("gone"))].into_iter();
    assert!(matches!(
        exchange::write(Format::Jsonl, &header, broken, false, Vec::new()),
        Err(exchange::ExchangeError::Source(_))
    ));
    let missing = file("a.png", "/nowhere/a.png".into(), None);
    let header = super::header(Kind::Image, &[]);
    let error =
        exchange::write(Format::Coco, &header, [Ok(missing)].into_iter(), true, Vec::new()).unwrap_err();
    assert_eq!(error.to_string(), "cannot read the file of `a.png`");
}

/// Two pieces of one sound, the second to its end, and a whole one.
fn pieces(place: &Place) -> (Header, Vec<Item>) {
    let sound = place.picture("sound.wav", 2, 2);
    let of = |name: &str, piece: Option<Piece>| Item {
        answer: Answer::Class("knock".into()),
        piece,
        ..file(name, sound.clone(), None)
    };
    let cut = |start, end| Some(Piece { file: "line/monday.wav".into(), start, end });
    let items = vec![
        of("pieces.csv:2", cut(12.5, Some(14.0))),
        of("pieces.csv:3", cut(31.1, None)),
        of("tuesday.wav", None),
    ];
    (header(Kind::Sound, &["knock"]), items)
}

#[test]
fn pieces_say_where_they_were_cut_out() {
    let place = Place::new();
    let (header, items) = pieces(&place);
    let table = |format| String::from_utf8(written(format, &header, &items, false)).unwrap();
    expect_test::expect![[r#"
        file,id,start,end,label
        line/monday.wav,pieces.csv:2,12.5,14,knock
        line/monday.wav,pieces.csv:3,31.1,,knock
        tuesday.wav,,,,knock
    "#]]
    .assert_eq(&table(Format::Csv));
    expect_test::expect![[r#"
        {"file":"line/monday.wav","id":"pieces.csv:2","start":12.5,"end":14.0,"label":"knock"}
        {"file":"line/monday.wav","id":"pieces.csv:3","start":31.1,"label":"knock"}
        {"file":"tuesday.wav","label":"knock"}
    "#]]
    .assert_eq(&table(Format::Jsonl));
}

#[test]
fn pieces_with_their_files_come_back_with_their_marks() {
    let place = Place::new();
    let (header, mut items) = pieces(&place);
    items[0].marks = vec![mark("knock", Shape::Segment { start: 0.5, end: 1.0 })];
    for format in TABLES {
        let found = comes_back(format, &header, &items, &items);
        assert_eq!(found.classes, ["knock"], "{format:?}");
        let place = unpacked(format, &header, &items);
        assert!(place.root().join("line/monday_12.5-14.wav").is_file(), "{format:?}");
    }
}
