//! What counts as a mask, where masks lie, and what counts as the test part.

use dataset::{InspectionOptions, ReadError, read_inspection};

use crate::inspection::{check, error, folder};

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

#[test]
fn masks_lie_in_their_folder_or_beside_the_picture() {
    for mask in [
        "ground_truth/dent/7_mask.png",
        "masks/dent/7.png",
        "masks/7.png",
        "dent/masks/7.bmp",
        "dent/7_mask.png",
        "Ground Truth/Dent/7.png",
        "掩膜/dent/7/0.png",
    ] {
        check(
            &["good/7.jpg", "dent/7.jpg", mask],
            &[&format!("dent/7.jpg: dent mask {mask}"), "good/7.jpg: GOOD"],
        );
    }
    // `mask` may be a defect, and whether the mask of a good part is empty is looked at later.
    check(
        &["train/good/1.png", "test/mask/1.png", "test/good/2.png", "ground_truth/good/2_mask.png"],
        &[
            "test/good/2.png: GOOD measure mask ground_truth/good/2_mask.png",
            "test/mask/1.png: mask measure",
            "train/good/1.png: GOOD",
        ],
    );
}

#[test]
fn a_folder_of_masks_or_of_a_kind_of_defect_is_asked_about() {
    for masks in [
        &["mask/7.png"][..],
        &["labels/7_mask.jpg"],
        &["标注/7.png"],
        // A good part has an empty one, and a kind of a name of its own is beside it.
        &["labels/1.png", "labels/7.png", "mask/9.jpg"],
    ] {
        let error = error(&[&["good/1.jpg", "dent/7.jpg"], masks].concat());
        let told = matches!(&error, ReadError::MasksOrDefects { folder, .. } if masks[0].starts_with(folder));
        assert!(told && error.hint().contains("`masks`"), "{error}");
    }
    // Numbers and kinds of file are the same where kinds of defect are; bytes are not where they are masks.
    let numbered = &["good/1.jpg", "dent/1.jpg", "mask/1.jpg"];
    check(numbered, &["dent/1.jpg: dent", "good/1.jpg: GOOD", "mask/1.jpg: mask"]);
    let place = folder(numbered);
    place.write("d/dent/1.jpg", "a photo has more to tell");
    let found = read_inspection(&place.path("d"), &InspectionOptions::default());
    assert!(matches!(found, Err(ReadError::MasksOrDefects { .. })));
    // Of a name of its own it is a kind, and so it is where masks lie elsewhere.
    check(
        &["good/1.jpg", "dent/7.jpg", "mask/8.jpg"],
        &["dent/7.jpg: dent", "good/1.jpg: GOOD", "mask/8.jpg: mask"],
    );
    check(
        &["good/1.jpg", "dent/7.jpg", "mask/7.jpg", "masks/dent/7.png", "masks/mask/7.png"],
        &[
            "dent/7.jpg: dent mask masks/dent/7.png",
            "good/1.jpg: GOOD",
            "mask/7.jpg: mask mask masks/mask/7.png",
        ],
    );
}
