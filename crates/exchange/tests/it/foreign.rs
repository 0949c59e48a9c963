//! Sets as other tools write them.

use dataset::Part;
use exchange::{Answer, Content, Format, Item, Kind, Shape};

use super::{Place, a_box, mark};

fn lines(items: &[Item]) -> Vec<String> {
    let line = |item: &Item| format!("{} {:?} {} marks", item.name, item.part, item.marks.len());
    items.iter().map(line).collect()
}

#[test]
fn coco_as_it_is_published() {
    let place = Place::new();
    place.picture("val2017/000000000139.jpg", 64, 42);
    place.picture("val2017/000000000285.jpg", 7, 5);
    place.write(
        "annotations/instances_val2017.json",
        r#"{"info": {"year": 2017}, "licenses": [{"id": 1}],
        "images": [
            {"license": 2, "file_name": "000000000139.jpg", "coco_url": "http://x/000000000139.jpg", "height": 42, "width": 64, "id": 139},
            {"license": 2, "file_name": "000000000285.jpg", "height": 5.0, "width": 7.0, "id": 285},
            {"file_name": "gone.jpg", "height": 5, "width": 7, "id": 3},
            {"file_name": "../../etc/passwd", "height": 5, "width": 7, "id": 4}],
        "annotations": [
            {"segmentation": [[1, 1, 9, 1, 9, 9], [20.5, 20, 30, 20, 30, 30, 20, 30]], "area": 60.5, "iscrowd": 0, "image_id": 139, "bbox": [1, 1, 29, 29], "category_id": 18, "id": 1},
            {"segmentation": {"size": [5, 7], "counts": ";32NO012004"}, "area": 11, "iscrowd": 1, "image_id": 285, "bbox": [2, 1, 4, 3], "category_id": 1, "id": 2},
            {"segmentation": {"size": [5, 7], "counts": [11, 3, 21]}, "image_id": 285, "category_id": 1, "id": 3},
            {"segmentation": [], "bbox": [1.5, 1, 2, 2], "image_id": 285, "category_id": 1, "id": 4},
            {"bbox": [1, 1, 2, 0], "image_id": 285, "category_id": 1, "id": 5},
            {"bbox": [1, 1, 2, 2], "image_id": 99, "category_id": 1, "id": 6},
            {"bbox": [1, 1, 2, 2], "image_id": 285, "category_id": 77, "id": 7},
            {"segmentation": [[1, 1, 9, 1, 9]], "image_id": 285, "category_id": 1, "id": 8}],
        "categories": [{"supercategory": "person", "id": 1, "name": "person"}, {"id": 18, "name": "dog"}]}"#,
    );
    place.write(
        "annotations/captions_val2017.json",
        r#"{"images": [], "annotations": [{"image_id": 139, "caption": "a dog"}]}"#,
    );
    assert_eq!(exchange::recognise(place.root()).unwrap(), Some(Format::Coco));
    let (header, items, problems) = place.read(Format::Coco);
    assert_eq!(header.classes, ["person", "dog"]);
    assert_eq!(
        lines(&items),
        [
            "val2017/000000000139.jpg Some(Validation) 2 marks",
            "val2017/000000000285.jpg Some(Validation) 3 marks"
        ]
    );
    let runs = vec![9, 4, 3, 1, 1, 2, 3, 4, 8];
    assert_eq!(items[1].marks[0], mark("person", Shape::Brush { width: 7, height: 5, runs }));
    assert_eq!(items[1].marks[2], mark("person", a_box(1.5, 1.0, 2.0, 2.0)));
    let place_of = "annotations/instances_val2017.json";
    assert_eq!(
        place.told(&problems),
        [
            format!(
                "{place_of}:3, column `images`: `gone.jpg` does not exist; correct the path or remove the row"
            ),
            format!(
                "{place_of}:4, column `images`: `../../etc/passwd` lies outside the data folder; move it inside"
            ),
            format!("{place_of}:5, column `annotations`: the row cannot be read: a box has no size"),
            format!("{place_of}:6, column `annotations`: the row cannot be read: no picture has the id 99"),
            format!("{place_of}:7, column `annotations`: the row cannot be read: no category has the id 77"),
            format!(
                "{place_of}:8, column `annotations`: the row cannot be read: a polygon has an odd number of coordinates"
            ),
        ]
    );
}

#[test]
fn coco_of_several_parts() {
    let place = Place::new();
    for part in ["train", "valid"] {
        place.picture(&format!("{part}/a.jpg"), 4, 4);
        place.write(
            &format!("{part}/_annotations.coco.json"),
            r#"{"images": [{"id": 0, "file_name": "a.jpg", "height": 4, "width": 4}], "categories": [{"id": 0, "name": "x"}],
            "annotations": [{"id": 0, "image_id": 0, "category_id": 0, "bbox": [0, 0, 2, 2], "segmentation": []}]}"#,
        );
    }
    let (_, items, problems) = place.read(Format::Coco);
    assert_eq!(lines(&items), ["train/a.jpg Some(Train) 1 marks", "valid/a.jpg Some(Validation) 1 marks"]);
    assert_eq!(problems, []);
}

#[test]
fn voc_as_labelimg_writes_it() {
    let place = Place::new();
    place.picture("photos/cat.png", 50, 40);
    place.write(
        "photos/cat.xml",
        "<annotation><folder>elsewhere</folder><filename>cat.png</filename><path>C:\\me\\cat.png</path>\
         <size><width>50</width><height>40</height><depth>3</depth></size>\
         <object><name>cat</name><bndbox><xmin>1</xmin><ymin>2.5</ymin><xmax>50</xmax><ymax>40</ymax></bndbox></object>\
         <object><name>cat</name><bndbox><xmin>9</xmin><ymin>2</ymin><xmax>5</xmax><ymax>40</ymax></bndbox></object>\
         <object><name>cat</name><bndbox><xmin>NaN</xmin><ymin>2</ymin><xmax>5</xmax><ymax>40</ymax></bndbox></object>\
         <object><name>cat</name></object></annotation>",
    );
    place.write("photos/other.xml", "<project><name>x</name></project>");
    assert_eq!(exchange::recognise(place.root()).unwrap(), Some(Format::Voc));
    let (_, items, problems) = place.read(Format::Voc);
    assert_eq!(items[0].marks, [mark("cat", a_box(0.0, 1.5, 50.0, 38.5))]);
    assert_eq!(
        place.told(&problems),
        [
            "cat.xml:2, column `object`: the row cannot be read: a box has no size",
            "cat.xml:3, column `object`: the row cannot be read: a box has a coordinate that is no finite number",
            "cat.xml:4, column `object`: the row cannot be read: it has no `bndbox`",
            "other.xml: the row cannot be read: it is of `project`",
        ]
        .map(|line| format!("photos/{line}"))
    );
}

#[test]
fn yolo_with_parts_above_its_images() {
    let place = Place::new();
    place.picture("train/images/a.jpg", 100, 50);
    place.picture("valid/images/b.jpg", 100, 50);
    place.write("train/labels/a.txt", "0 0.5 0.5 0.2 0.4\n1 0.1 0.1 0.3 0.1 0.3 0.4\n\n");
    place.write("valid/labels/b.txt", "2 0.5 0.5 0.2 0.4\n0 1.5 0.5 0.2 0.4\n0 0.5 0.5\nx 0 0 0 0\n0 0.5 0.5 0 0\n0 nan 0 1 1\n-1 0 0 1 1\n");
    place
        .write("data.yaml", "train: ../train/images\nval: ../valid/images\n\nnc: 2\nnames: ['cat', 'dog']\n");
    assert_eq!(exchange::recognise(place.root()).unwrap(), Some(Format::Yolo));
    let (header, items, problems) = place.read(Format::Yolo);
    assert_eq!(header.classes, ["cat", "dog"]);
    assert_eq!(lines(&items), ["a.jpg Some(Train) 2 marks", "b.jpg Some(Validation) 0 marks"]);
    assert_eq!(items[0].marks[0], mark("cat", a_box(40.0, 15.0, 20.0, 20.0)));
    let points = vec![[10.0, 5.0], [30.0, 5.0], [30.0, 20.0]];
    assert_eq!(items[0].marks[1], mark("dog", Shape::Polygon { points }));
    assert_eq!(
        place.told(&problems),
        [
            "1: the row cannot be read: the class is 2, there are 2 classes, from 0",
            "2: the row cannot be read: 1.5 is outside of 0 to 1",
            "3: the row cannot be read: 2 numbers behind the class are neither a box nor a polygon",
            "4: the row cannot be read: `x` is not a number",
            "5: the row cannot be read: a box has no size",
            "6: the row cannot be read: `nan` is not a number",
            "7: the row cannot be read: the class is -1, there are 2 classes, from 0",
        ]
        .map(|line| format!("valid/labels/b.txt:{line}"))
    );
}

#[test]
fn yolo_without_a_document() {
    let place = Place::new();
    place.picture("images/a.jpg", 10, 10);
    place.picture("images/b.jpg", 10, 10);
    place.write("labels/a.txt", "3 0.5 0.5 0.2 0.4");
    let (header, items, _) = place.read(Format::Yolo);
    assert_eq!(header.classes, ["0", "1", "2", "3"]);
    assert_eq!(lines(&items), ["a.jpg None 1 marks", "b.jpg None 0 marks"]);
    place.write("labels/classes.txt", "a\nb\nc\nd\n");
    assert_eq!(exchange::recognise(place.root()).unwrap(), Some(Format::Yolo));
    assert_eq!(place.read(Format::Yolo).0.classes, ["a", "b", "c", "d"]);
}

#[test]
fn label_studio_as_it_exports() {
    let place = Place::new();
    place.picture("upload/0a1b2c3d-cat.png", 200, 100);
    place.write(
        "export.json",
        r#"[{"id": 7, "data": {"image": "/data/upload/1/0a1b2c3d-cat.png"}, "file_upload": "0a1b2c3d-cat.png", "meta": {},
        "annotations": [
            {"id": 1, "was_cancelled": true, "result": [{"type": "choices", "value": {"choices": ["no"]}}]},
            {"id": 2, "was_cancelled": false, "ground_truth": false, "result": [
                {"original_width": 200, "original_height": 100, "image_rotation": 0, "type": "rectanglelabels", "from_name": "label", "to_name": "image",
                 "value": {"x": 10, "y": 20, "width": 30.5, "height": 40, "rotation": 0, "rectanglelabels": ["Airplane", "Car"]}},
                {"original_width": 200, "original_height": 100, "type": "rectanglelabels",
                 "value": {"x": 50, "y": 50, "width": 10, "height": 10, "rotation": 90, "rectanglelabels": ["Car"]}},
                {"type": "polygonlabels", "value": {"points": [[0, 0], [50, 0], [50, 50]], "polygonlabels": ["Car"]}},
                {"type": "ellipselabels", "value": {"x": 1, "y": 1, "radiusX": 1, "radiusY": 1, "ellipselabels": ["Car"]}},
                {"type": "brushlabels", "original_width": 7, "original_height": 5, "value": {"format": "rle", "rle": [0, 0, 0, 140], "brushlabels": ["Car"]}},
                {"type": "choices", "value": {"choices": ["yes"]}}
            ]}]}]"#,
    );
    assert_eq!(exchange::recognise(place.root()).unwrap(), Some(Format::LabelStudio));
    let (header, items, problems) = place.read(Format::LabelStudio);
    assert_eq!(header.kind, Kind::Image);
    assert_eq!((items[0].answer.clone(), items[0].part), (Answer::Class("yes".into()), None::<Part>));
    let turned = Shape::Polygon { points: vec![[100.0, 50.0], [100.0, 70.0], [90.0, 70.0], [90.0, 50.0]] };
    let triangle = Shape::Polygon { points: vec![[0.0, 0.0], [100.0, 0.0], [100.0, 50.0]] };
    let rectangle = a_box(20.0, 20.0, 61.0, 40.0);
    assert_eq!(
        items[0].marks,
        [
            mark("Airplane", rectangle.clone()),
            mark("Car", rectangle),
            mark("Car", turned),
            mark("Car", triangle)
        ]
    );
    assert_eq!(
        place.told(&problems),
        [
            "export.json:1, column `annotations`: the row cannot be read: result 4: results of the type `ellipselabels` are not read",
            "export.json:1, column `annotations`: the row cannot be read: result 5: its `rle` is damaged, too finely divided, or for another size",
        ]
    );
}

#[test]
fn label_studio_of_texts_by_its_one_file() {
    let place = Place::new();
    let path = place.write(
        "ner.json",
        r#"[{"data": {"id": "x", "review": "💩 This is an annotation."}, "annotations": [{"result": [
            {"type": "labels", "value": {"start": 14, "end": 24, "text": "annotation", "labels": ["N"]}},
            {"type": "labels", "value": {"start": 2, "end": 6, "text": "This", "labels": []}}]}]}, 7]"#,
    );
    assert_eq!(exchange::recognise(&path).unwrap(), Some(Format::LabelStudio));
    let (header, items, problems) = exchange::read(&path, Format::LabelStudio).unwrap();
    assert_eq!((header.name.as_str(), header.kind), ("ner", Kind::Text));
    assert_eq!(items[0].name, "ner.json:1");
    assert_eq!(items[0].content, Content::Text("💩 This is an annotation.".into()));
    assert_eq!(
        items[0].marks,
        [mark("N", Shape::Span { start: 13, end: 23 }), mark("", Shape::Span { start: 2, end: 6 })]
    );
    assert_eq!(problems.len(), 1);
}
