//! Columns of tables that say whether a part is good, or whether it has a defect.

use dataset::InspectionOptions;

use crate::inspection::{folder, told};

/// A table whose first part is good and whose second has a defect.
#[track_caller]
fn check(column: &str, good: &str, defect: &str, named: bool) {
    let place = folder(&["a.png", "b.png"]);
    place.write("d/t.csv", format!("path,{column}\na.png,{good}\nb.png,{defect}\n"));
    let options =
        InspectionOptions { label: named.then(|| column.to_owned()), ..InspectionOptions::default() };
    let (lines, _) = told(&place, "d/t.csv", &options);
    assert_eq!(lines, ["t.csv:2: GOOD", "t.csv:3: defect"], "{column}: {good}, {defect}");
}

#[test]
fn a_column_of_two_words_is_read_the_right_way_round() {
    for (column, good, defect) in [
        ("ok", "1", "0"),
        ("ok", "True", "false"),
        ("is_good", "1", "0"),
        ("Passed?", "yes", "no"),
        ("是否合格", "1", "0"),
        ("是否良品", "是", "否"),
        ("defect", "0", "1"),
        ("defect", "FALSE", "true"),
        ("is defective", "no", "yes"),
        ("是否缺陷", "否", "是"),
    ] {
        check(column, good, defect, true);
        check(column, good, defect, false);
    }
    // A name that says nothing: 1 is what is looked for.
    check("y", "0", "1", true);
}

#[test]
fn a_column_that_is_called_label_comes_before_one_that_asks() {
    let place = folder(&["a.png", "b.png"]);
    place.write("d/t.csv", "path,ok,label\na.png,0,good\nb.png,1,chip\n");
    let (lines, _) = told(&place, "d/t.csv", &InspectionOptions::default());
    assert_eq!(lines, ["t.csv:2: GOOD", "t.csv:3: chip"]);
    place.write("d/u.csv", "path,ok,score\na.png,1,0.93\nb.png,0,0.12\n");
    let (lines, _) = told(&place, "d/u.csv", &InspectionOptions::default());
    assert_eq!(lines, ["u.csv:2: GOOD", "u.csv:3: defect"], "a score is no verdict");
}

/// What is told of a table of three rows, of pictures a, b and c, whose further columns and cells these are.
fn of_three(header: &str, cells: [&str; 3]) -> (Vec<String>, Vec<String>) {
    let place = folder(&["a.png", "b.png", "c.png"]);
    let [a, b, c] = cells;
    place.write("d/t.csv", format!("path,{header}\na.png,{a}\nb.png,{b}\nc.png,{c}\n"));
    told(&place, "d/t.csv", &InspectionOptions::default())
}

#[test]
fn an_empty_cell_of_a_column_of_defects_says_that_nothing_is_wrong() {
    for (column, cell, kind) in [
        ("defect", "1", "defect"),
        ("defect", "1.0", "defect"),
        ("defect", "scratch", "scratch"),
        ("Defect_Type", "chip", "chip"),
        ("failureType", "chip", "chip"),
        ("defect_class", "3", "3"),
        ("缺陷类型", "划伤", "划伤"),
        ("不良现象", "划伤", "划伤"),
        ("缺陷", "有", "defect"),
    ] {
        let (lines, problems) = of_three(column, ["", cell, ""]);
        let expected = ["t.csv:2: GOOD".to_owned(), format!("t.csv:3: {kind}"), "t.csv:4: GOOD".to_owned()];
        assert_eq!(lines, expected, "{column}: {problems:?}");
    }
    let place = folder(&["a.png", "b.png", "m/b.png"]);
    place.write("d/t.csv", "path,mask,defect\na.png,,\nb.png,m/b.png,1\n");
    let (lines, problems) = told(&place, "d/t.csv", &InspectionOptions::default());
    assert_eq!(lines, ["t.csv:2: GOOD", "t.csv:3: defect mask m/b.png"], "{problems:?}");
}

#[test]
fn a_column_of_defects_may_be_empty_in_what_is_learned_from() {
    let place = folder(&["a.png", "b.png", "c.png"]);
    place.write("d/train.csv", "path,defect_type\na.png,\n");
    place.write("d/test.csv", "path,defect_type\nb.png,scratch\nc.png,\n");
    let (mut lines, _) = told(&place, "d", &InspectionOptions::default());
    lines.sort();
    assert_eq!(lines, ["test.csv:2: scratch measure", "test.csv:3: GOOD measure", "train.csv:2: GOOD"]);
}

#[test]
fn words_for_nothing_are_no_kinds_of_defect() {
    for nothing in ["none", "No", "-", "/", "N/A", "0", "无", "没有"] {
        let (lines, _) = of_three("defect_type", [nothing, "scratch", "dent"]);
        assert_eq!(lines, ["t.csv:2: GOOD", "t.csv:3: scratch", "t.csv:4: dent"], "{nothing}");
    }
}

#[test]
fn an_empty_cell_beside_a_word_for_good_says_nothing() {
    for (column, good, defect) in [("defect", "0", "1"), ("defect", "none", "chip"), ("ok", "1", "0")] {
        let (lines, problems) = of_three(column, [good, defect, ""]);
        assert_eq!((lines.len(), &*lines[0]), (2, "t.csv:2: GOOD"), "{column}: {lines:?}");
        let told = format!("d/t.csv:4, column `{column}`: the cell is empty; fill it in or remove the row");
        assert_eq!(problems, [told]);
    }
}

#[test]
fn a_column_of_defects_comes_before_one_that_answers_for_some_parts() {
    let (lines, _) = of_three("ok,defect_type", ["1,", ",scratch", "1,"]);
    assert_eq!(lines, ["t.csv:2: GOOD", "t.csv:3: scratch", "t.csv:4: GOOD"]);
}
