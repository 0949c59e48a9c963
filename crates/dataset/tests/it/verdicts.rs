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

#[test]
fn an_empty_cell_of_a_column_of_defects_says_that_nothing_is_wrong() {
    let place = folder(&["a.png", "b.png", "m/b.png"]);
    for (column, cell, kind) in [
        ("defect", "1", "defect"),
        ("defect", "scratch", "scratch"),
        ("Defect_Type", "chip", "chip"),
        ("缺陷类型", "划伤", "划伤"),
    ] {
        place.write("d/t.csv", format!("path,{column}\na.png,\nb.png,{cell}\n"));
        let (lines, problems) = told(&place, "d/t.csv", &InspectionOptions::default());
        assert_eq!(lines, ["t.csv:2: GOOD".to_owned(), format!("t.csv:3: {kind}")], "{column}: {problems:?}");
    }
    place.write("d/t.csv", "path,mask,defect\na.png,,\nb.png,m/b.png,1\n");
    let (lines, problems) = told(&place, "d/t.csv", &InspectionOptions::default());
    assert_eq!(lines, ["t.csv:2: GOOD", "t.csv:3: defect mask m/b.png"], "{problems:?}");
}

#[test]
fn an_empty_cell_beside_a_word_for_good_says_nothing() {
    let place = folder(&["a.png", "b.png", "c.png"]);
    for (column, good, defect) in [("defect", "0", "1"), ("defect", "none", "chip"), ("ok", "1", "0")] {
        place.write("d/t.csv", format!("path,{column}\na.png,{good}\nb.png,{defect}\nc.png,\n"));
        let (lines, problems) = told(&place, "d/t.csv", &InspectionOptions::default());
        assert_eq!(lines.len(), 2, "{column}: {lines:?}");
        assert_eq!(lines[0], "t.csv:2: GOOD", "{column}");
        let told = format!("d/t.csv:4, column `{column}`: the cell is empty; fill it in or remove the row");
        assert_eq!(problems, [told]);
    }
}
