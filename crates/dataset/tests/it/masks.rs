//! What counts as a mask, and as the test part, by its name.

use dataset::InspectionOptions;

use crate::inspection::{folder, told};

#[track_caller]
fn check(files: &[&str], expect: &[&str]) {
    let (lines, problems) = told(&folder(files), "d", &InspectionOptions::default());
    assert_eq!((lines, problems), (expect.iter().map(ToString::to_string).collect(), Vec::new()));
}

#[test]
fn masks_may_be_called_labels_and_tests_public() {
    check(
        &["Part0.jpg", "Part0_label.bmp", "Part1.jpg"],
        &["Part0.jpg: defect mask Part0_label.bmp", "Part1.jpg: GOOD"],
    );
    check(
        &[
            "train/good/0.png",
            "test_public/good/1.png",
            "test_public/bad/2.png",
            "test_public/ground_truth/bad/2_mask.png",
        ],
        &[
            "test_public/bad/2.png: bad measure mask test_public/ground_truth/bad/2_mask.png",
            "test_public/good/1.png: GOOD measure",
            "train/good/0.png: GOOD",
        ],
    );
}
