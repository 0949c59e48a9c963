//! Layouts of sets for defect inspection, their masks, and tables of them.

use dataset::{InspectionExample, InspectionOptions, Part, ProblemKind, Purpose, ReadError, read_inspection};

use super::Place;

/// `id: verdict`, then for what is only to be measured `measure`, then mask and group if any.
pub(super) fn told(place: &Place, name: &str, options: &InspectionOptions) -> (Vec<String>, Vec<String>) {
    let root = place.path(name);
    let (set, problems) = read_inspection(&root, options).unwrap();
    let line = |example: &InspectionExample| {
        let mut line = format!("{}: {}", example.id, example.verdict.kind().unwrap_or("GOOD"));
        if example.part == Some(Part::Test) {
            line.push_str(" measure");
        }
        if let Some(mask) = &example.mask {
            let folder = if root.is_dir() { &root } else { root.parent().unwrap() };
            line.push_str(&format!(" mask {}", mask.strip_prefix(folder).unwrap().display()));
        }
        if let Some(group) = &example.group {
            line.push_str(&format!(" group {group}"));
        }
        line
    };
    (set.examples.iter().map(line).collect(), place.told(&problems))
}

#[track_caller]
pub(super) fn check(files: &[&str], expect: &[&str]) {
    let place = folder(files);
    let (lines, problems) = told(&place, "d", &InspectionOptions::default());
    assert_eq!(lines, expect);
    assert_eq!(problems, [""; 0]);
}

pub(super) fn folder(files: &[&str]) -> Place {
    let place = Place::new();
    for file in files {
        place.write(&format!("d/{file}"), "x");
    }
    place
}

#[track_caller]
pub(super) fn error(files: &[&str]) -> ReadError {
    read_inspection(&folder(files).path("d"), &InspectionOptions::default())
        .map(|(set, _)| set.why)
        .unwrap_err()
}

const MVTEC: &[&str] = &[
    "train/good/000.png",
    "train/good/001.png",
    "validation/good/000.png",
    "test/good/000.png",
    "test/crack/000.png",
    "test/crack/001.png",
    "ground_truth/crack/000_mask.png",
    "ground_truth/crack/001.png",
];

#[test]
fn the_layout_of_mvtec_is_read() {
    check(
        MVTEC,
        &[
            "test/crack/000.png: crack measure mask ground_truth/crack/000_mask.png",
            "test/crack/001.png: crack measure mask ground_truth/crack/001.png",
            "test/good/000.png: GOOD measure",
            "train/good/000.png: GOOD",
            "train/good/001.png: GOOD",
            "validation/good/000.png: GOOD",
        ],
    );
    let place = folder(MVTEC);
    let (set, _) = read_inspection(&place.path("d"), &InspectionOptions::default()).unwrap();
    assert_eq!((set.layout.as_str(), set.kinds()), ("inspection set with parts", vec!["crack"]));
    let parts: Vec<_> = set.examples.iter().map(|example| example.part.unwrap()).collect();
    assert_eq!(parts[3..], [Part::Train, Part::Train, Part::Validation]);
}

#[test]
fn one_folder_above_a_set_is_the_set_and_above_several_is_none() {
    check(
        &[
            "tile/train/good/1.png",
            "tile/test/good/2.png",
            "tile/test/a/3.png",
            "tile/ground_truth/a/3_mask.png",
        ],
        &[
            "tile/test/a/3.png: a measure mask tile/ground_truth/a/3_mask.png",
            "tile/test/good/2.png: GOOD measure",
            "tile/train/good/1.png: GOOD",
        ],
    );
    let several = error(&["tile/train/good/1.png", "tile/test/a/1.png", "nut/good/1.png", "nut/bad/1.png"]);
    assert!(matches!(&several, ReadError::SeveralSets { sets, .. } if sets == &["nut", "tile"]), "{several}");
    // As in VisA; the masks lie beside the folder of pictures.
    check(
        &["nut/Data/Images/Normal/1.jpg", "nut/Data/Images/Anomaly/1.jpg", "nut/Data/Masks/Anomaly/1.png"],
        &[
            "nut/Data/Images/Anomaly/1.jpg: Anomaly mask nut/Data/Masks/Anomaly/1.png",
            "nut/Data/Images/Normal/1.jpg: GOOD",
        ],
    );
}

#[test]
fn labelled_defects_to_learn_from_stand_in_train() {
    check(
        &[
            "train/good/1.png",
            "train/crack/1.png",
            "train/crack/2.png",
            "test/crack/1.png",
            "ground_truth/crack/1_mask.png",
            "ground_truth/crack/2_mask.png",
            "ground_truth/train/crack/1_mask.png",
        ],
        &[
            "test/crack/1.png: crack measure mask ground_truth/crack/1_mask.png",
            "train/crack/1.png: crack mask ground_truth/train/crack/1_mask.png",
            "train/crack/2.png: crack mask ground_truth/crack/2_mask.png",
            "train/good/1.png: GOOD",
        ],
    );
}

#[test]
fn defects_may_be_called_like_parts() {
    check(
        &["train/good/1.png", "test/train/1.png", "test/val/1.png", "test/good/1.png"],
        &[
            "test/good/1.png: GOOD measure",
            "test/train/1.png: train measure",
            "test/val/1.png: val measure",
            "train/good/1.png: GOOD",
        ],
    );
    check(
        &["good/1.png", "test/1.png", "train/1.png"],
        &["good/1.png: GOOD", "test/1.png: test", "train/1.png: train"],
    );
    check(
        &["good/1.png", "dent/1.png", "test/good/1.png", "test/dent/1.png"],
        &[
            "dent/1.png: dent",
            "good/1.png: GOOD",
            "test/dent/1.png: dent measure",
            "test/good/1.png: GOOD measure",
        ],
    );
}

#[test]
fn what_there_is_to_learn_from_without_class_folders_is_good() {
    check(
        &["train/1.png", "test/good/1.png", "test/crack/1.png"],
        &["test/crack/1.png: crack measure", "test/good/1.png: GOOD measure", "train/1.png: GOOD"],
    );
    check(&["train/1.png", "test/crack/1.png"], &["test/crack/1.png: crack measure", "train/1.png: GOOD"]);
}

#[test]
fn class_folders_need_one_that_is_called_good() {
    for good in ["good", "OK", "Normal", "pass", "good_parts", "Good Parts", "良品", "合格", "正常", "好"]
    {
        check(
            &[&format!("{good}/1.png"), "划伤/1.png"],
            &{
                let mut lines = [format!("{good}/1.png: GOOD"), "划伤/1.png: 划伤".to_owned()];
                lines.sort();
                lines
            }
            .each_ref()
            .map(String::as_str),
        );
    }
    check(&["good/1.png", "good/2.png"], &["good/1.png: GOOD", "good/2.png: GOOD"]);
}

#[test]
fn where_no_word_says_what_is_good_the_mask_decides() {
    let files = ["train/1.png", "train/1_mask.png", "train/2.png", "test/3.png", "test/3_mask.png"];
    check(
        &files,
        &[
            "test/3.png: defect measure mask test/3_mask.png",
            "train/1.png: defect mask train/1_mask.png",
            "train/2.png: GOOD",
        ],
    );
    let place = folder(&files);
    let (set, _) = read_inspection(&place.path("d"), &InspectionOptions::default()).unwrap();
    let by_mask: Vec<bool> = set.examples.iter().map(|example| example.by_mask).collect();
    assert_eq!(by_mask, [true, true, false]);
    // What is to be measured on needs a word or a mask.
    let place = folder(&["train/1.png", "test/2.png"]);
    let (lines, problems) = told(&place, "d", &InspectionOptions::default());
    assert_eq!(lines, ["train/1.png: GOOD"]);
    assert!(problems[0].starts_with("d: 1 file(s) are not part of the layout"), "{problems:?}");
}

#[test]
fn plain_pictures_are_good_unless_something_says_otherwise() {
    check(&["1.png", "b/2.png", "b/c/3.png"], &["1.png: GOOD", "b/2.png: GOOD", "b/c/3.png: GOOD"]);
    check(&["1.png", "ng/2.png"], &["1.png: GOOD", "ng/2.png: ng"]);
    check(
        &["pictures/1.png", "pictures/2.png", "masks/2.png"],
        &["pictures/1.png: GOOD", "pictures/2.png: defect mask masks/2.png"],
    );
}

#[test]
fn folders_that_may_be_kinds_of_defect_are_not_taken_for_good() {
    for files in [
        &["scratch/1.png", "dent/1.png"][..],
        &["nogood/scratch/1.png", "nogood/dent/1.png"],
        &["lot 1/划伤/1.png"],
        &["test/scratch/1.png"],
        &["test/kratzer/1.png"],
    ] {
        let error = error(files);
        assert!(matches!(error, ReadError::NoGood { .. }), "{files:?}: {error}");
    }
    for (files, told) in [
        (&["kratzer/1.png", "delle/1.png"][..], &["delle", "kratzer"][..]),
        (&["lot 1/kratzer/1.png", "lot 1/2.png"], &["kratzer"]),
        (&["0/1.png", "1/1.png"], &["0"]),
    ] {
        let error = error(files);
        assert!(matches!(&error, ReadError::NoGoodFolder { folders, .. } if folders == told), "{error}");
        assert!(error.hint().contains("`good`") && error.hint().contains("--group-by-folder"));
    }
    // Flaws beside groups are told apart.
    check(
        &["lot 1/1.png", "lot 2/1.png", "scratch/1.png"],
        &["lot 1/1.png: GOOD", "lot 2/1.png: GOOD", "scratch/1.png: scratch"],
    );
    // What is only measured on is judged by the same names.
    let options = InspectionOptions { purpose: Purpose::Measure, ..InspectionOptions::default() };
    assert_eq!(told(&folder(&["scratch/1.png"]), "d", &options).0, ["scratch/1.png: scratch"]);
}

#[test]
fn folders_that_plainly_are_groups_of_good_parts_are_told_as_such() {
    let why = |files: &[&str], options: &InspectionOptions| {
        read_inspection(&folder(files).path("d"), options).unwrap().0.why.to_string()
    };
    let plain = InspectionOptions::default();
    let lots = why(&["lot 1/a.png", "lot 2/a.png"], &plain);
    assert!(lots.contains("by their names `lot 1`, `lot 2` are groups, not kinds of defect"), "{lots}");
    assert!(!why(&["a.png", "b.png"], &plain).contains("groups"));
    assert!(why(&["a.png", "ng/b.png"], &plain).contains("except in `ng`"));
    // One folder that holds everything says nothing, and a person may say that all are groups.
    check(&["widget/1.png", "widget/2.png"], &["widget/1.png: GOOD", "widget/2.png: GOOD"]);
    let groups = InspectionOptions { group_by_folder: true, ..InspectionOptions::default() };
    assert_eq!(
        told(&folder(&["miller/1.png", "smith/1.png"]), "d", &groups).0,
        ["miller/1.png: GOOD group miller", "smith/1.png: GOOD group smith"]
    );
}

#[test]
fn a_kind_of_defect_called_like_a_part_keeps_its_masks() {
    check(
        &[
            "train/good/000.png",
            "test/good/000.png",
            "test/test/000.png",
            "test/crack/000.png",
            "ground_truth/test/000_mask.png",
            "ground_truth/crack/000_mask.png",
        ],
        &[
            "test/crack/000.png: crack measure mask ground_truth/crack/000_mask.png",
            "test/good/000.png: GOOD measure",
            "test/test/000.png: test measure mask ground_truth/test/000_mask.png",
            "train/good/000.png: GOOD",
        ],
    );
}

#[test]
fn folders_below_the_class_name_groups_when_asked() {
    let files = ["good/lot 1/a.png", "good/lot 2/x/a.png", "good/a.png", "dent/lot 1/a.png"];
    let options = InspectionOptions { group_by_folder: true, ..InspectionOptions::default() };
    assert_eq!(
        told(&folder(&files), "d", &options).0,
        [
            "dent/lot 1/a.png: dent group lot 1",
            "good/a.png: GOOD",
            "good/lot 1/a.png: GOOD group lot 1",
            "good/lot 2/x/a.png: GOOD group lot 2/x",
        ]
    );
    check(&files[..1], &["good/lot 1/a.png: GOOD"]);
}

#[test]
fn nothing_good_to_learn_from_is_an_error() {
    for files in [
        &["test/good/1.png", "test/dent/1.png"][..],
        &["defect/1.png"],
        &["train/dent/1.png", "test/good/1.png"],
    ] {
        let error = error(files);
        assert!(matches!(error, ReadError::NoGood { .. }), "{error}");
        assert!(error.hint().contains("`good`"));
    }
    assert!(matches!(error(&["notes.txt"]), ReadError::NoPhotos { .. }));
    assert!(matches!(error(&["masks/1.png"]), ReadError::NoPhotos { .. }));
    let place = folder(&[]);
    let missing = read_inspection(&place.path("d"), &InspectionOptions::default()).map(|(set, _)| set.why);
    assert!(matches!(missing, Err(ReadError::Missing { .. })));
}

#[test]
fn what_is_only_measured_on_needs_nothing_to_learn_from() {
    let options = InspectionOptions { purpose: Purpose::Measure, ..InspectionOptions::default() };
    for (files, expect) in [
        (
            &["test/good/1.png", "test/dent/1.png"][..],
            &["test/dent/1.png: dent measure", "test/good/1.png: GOOD measure"][..],
        ),
        (&["test/dent/1.png"], &["test/dent/1.png: dent measure"]),
        (&["defect/1.png"], &["defect/1.png: defect"]),
        (&["test/1.png"], &["test/1.png: GOOD"]),
    ] {
        let place = folder(files);
        assert_eq!(told(&place, "d", &options).0, expect);
        let why = read_inspection(&place.path("d"), &options).unwrap().0.why.to_string();
        assert!(!why.contains("learned") && !why.contains("out of fold"), "{why}");
    }
}

#[test]
fn masks_and_pictures_that_do_not_fit_are_told() {
    let place = folder(&[
        "good/1.png",
        "dent/1.png",
        "dent/2.png",
        "dent/3.png",
        "dent/4.png",
        "masks/dent/1.png",
        "masks/dent/2.png",
        "masks/dent/2_mask.png",
        "masks/dent/9.png",
        "masks/7.png",
        "a/7.png",
        "b/7.png",
        "notes.pdf",
        "logo.png",
    ]);
    let (lines, problems) = told(&place, "d", &InspectionOptions::default());
    assert_eq!(
        lines[2..5],
        ["dent/1.png: dent mask masks/dent/1.png", "dent/2.png: dent", "dent/3.png: dent"]
    );
    let starts = [
        "d: 2 file(s) are not part of the layout",
        "d/masks/7.png: this mask belongs to no single picture",
        "d/masks/dent/9.png: this mask belongs to no single picture",
        "d/dent/2.png: 2 masks belong to this picture and none was taken",
        "d/a/7.png: 5 picture(s) of defects have no mask, this is the first",
    ];
    assert_eq!(problems.len(), starts.len(), "{problems:?}");
    for (problem, start) in problems.iter().zip(starts) {
        assert!(problem.starts_with(start), "{problem}");
    }
}

#[test]
fn pictures_to_measure_on_need_a_verdict() {
    let place = folder(&["train/good/1.png", "train/2.png", "test/3.png", "test/good/4.png", "docs/5.png"]);
    let (lines, problems) = told(&place, "d", &InspectionOptions::default());
    assert_eq!(lines, ["test/good/4.png: GOOD measure", "train/good/1.png: GOOD"]);
    assert!(problems[0].starts_with("d: 3 file(s) are not part of the layout"), "{problems:?}");
}

#[test]
fn tables_name_pictures_verdicts_masks_and_groups() {
    let place = Place::new();
    for file in ["a.png", "b.png", "c.png", "m/c.png"] {
        place.write(&format!("d/{file}"), "x");
    }
    place.write(
        "d/t.csv",
        "path,label,mask,lot,split\na.png,OK,,1,train\nb.png,,,1,train\nc.png,dent,m/c.png,2,test\nx.png,OK,,2,test\na.png,dent,y.png,,\n",
    );
    let (lines, problems) = told(&place, "d/t.csv", &InspectionOptions::default());
    assert_eq!(
        lines,
        ["t.csv:2: GOOD group 1", "t.csv:4: dent measure mask m/c.png group 2", "t.csv:6: dent"]
    );
    let starts = [
        "d/t.csv:3, column `label`: the cell is empty",
        "d/t.csv:5, column `path`: `x.png` does not exist",
        "d/t.csv:6, column `mask`: `y.png` does not exist",
        "d/a.png: 1 picture(s) of defects have no mask",
    ];
    for (problem, start) in problems.iter().zip(starts) {
        assert!(problem.starts_with(start), "{problem}");
    }

    // A column of masks is neither the label nor the picture; what has a mask is a defect.
    place.write("d/u.csv", "mask,path\n,a.png\nm/c.png,c.png\n");
    let (lines, _) = told(&place, "d/u.csv", &InspectionOptions::default());
    assert_eq!(lines, ["u.csv:2: GOOD", "u.csv:3: defect mask m/c.png"]);

    place.write("d/n.csv", "path,y,where\na.png,0,\nc.png,1,m/c.png\n");
    let options = InspectionOptions { mask: Some("where".into()), ..InspectionOptions::default() };
    assert_eq!(told(&place, "d/n.csv", &options).0, ["n.csv:2: GOOD", "n.csv:3: defect mask m/c.png"]);

    let options = InspectionOptions { mask: Some("wher".into()), ..InspectionOptions::default() };
    let error = read_inspection(&place.path("d/n.csv"), &options).map(|(set, _)| set.why).unwrap_err();
    assert!(error.to_string().ends_with("did you mean `where`?"), "{error}");
    place.write("d/texts.csv", "text,label\nsome words,good\n");
    let error =
        read_inspection(&place.path("d/texts.csv"), &InspectionOptions::default()).map(|(set, _)| set.why);
    assert!(matches!(error, Err(ReadError::NoContentColumn { .. })));
}

#[test]
fn a_table_beside_pictures_may_be_metadata() {
    let place = folder(&["a.png", "b.png"]);
    place.write("d/metadata.csv", "file_name,label\na.png,good\nb.png,chip\n");
    assert_eq!(
        told(&place, "d", &InspectionOptions::default()).0,
        ["metadata.csv:2: GOOD", "metadata.csv:3: chip"]
    );
    place.write("d/metadata.csv", "file_name,label\na.png,dent\nb.png,chip\n");
    let error =
        read_inspection(&place.path("d"), &InspectionOptions::default()).map(|(set, _)| set.why).unwrap_err();
    assert!(matches!(error, ReadError::NoGood { n_defects: 2, n_measured: 0, .. }), "{error}");
}

#[test]
fn every_problem_names_what_to_do() {
    for kind in [
        ProblemKind::EmptyMask,
        ProblemKind::MarkedGood,
        ProblemKind::MaskSize { got: (1, 2), expected: (3, 4) },
        ProblemKind::MaskWithoutPicture,
        ProblemKind::SeveralMasks { count: 2 },
        ProblemKind::DefectWithoutMask { count: 2 },
        ProblemKind::CopyOfLearned,
        ProblemKind::BrighterThanLearned { bits: 12 },
        ProblemKind::TooFine { size: (9, 9), megapixels: 67 },
        ProblemKind::TooSmall { size: (1, 1) },
        ProblemKind::Blank,
        ProblemKind::OtherSize { size: (9, 9), side: 4 },
        ProblemKind::OtherShape { size: (9, 4) },
        ProblemKind::OutsideReference { percent: 7 },
    ] {
        assert!(kind.to_string().contains(';'), "{kind}");
    }
}
