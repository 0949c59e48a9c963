//! The demo's data reader on made-up IDX files.

use xtask::demo::{CLASSES, Idx, write_folders};

fn idx(shape: &[u32], bytes: &[u8]) -> Vec<u8> {
    let mut data = vec![0, 0, 8, shape.len() as u8];
    data.extend(shape.iter().flat_map(|axis| axis.to_be_bytes()));
    data.extend(bytes);
    data
}

#[test]
fn an_idx_file_gives_its_shape_and_bytes() {
    let read = Idx::parse(&idx(&[2, 1, 3], &[1, 2, 3, 4, 5, 6])).unwrap();
    assert_eq!(read, Idx { shape: vec![2, 1, 3], bytes: vec![1, 2, 3, 4, 5, 6] });
}

#[test]
fn a_file_that_does_not_fill_its_shape_is_refused() {
    let huge = idx(&[u32::MAX, u32::MAX, u32::MAX], &[]);
    for (what, bytes) in [
        ("short", idx(&[4], &[1, 2])),
        ("cut header", vec![0, 0, 8, 3, 0]),
        ("another type", vec![0, 0, 9, 1, 0, 0, 0, 0]),
        ("empty", vec![]),
        ("huge", huge),
    ] {
        assert!(Idx::parse(&bytes).is_err(), "{what}");
    }
}

#[test]
fn folders_hold_the_first_pictures_of_each_class() {
    let scratch = tempfile::tempdir().unwrap();
    let out = scratch.path().join("fashion");
    let images = Idx { shape: vec![4, 2, 2], bytes: (0..16).collect() };
    let labels = Idx { shape: vec![4], bytes: vec![9, 0, 9, 9] };
    assert_eq!(write_folders(&images, &labels, 2, &out).unwrap(), 3);
    let picture = image::open(out.join(CLASSES[9]).join("00002.png")).unwrap().into_luma8();
    assert_eq!(picture.into_raw(), [8, 9, 10, 11]);
    assert!(!out.join(CLASSES[9]).join("00003.png").exists());
    assert!(!out.with_extension("partial").exists());
}

#[test]
fn a_label_without_a_class_is_refused() {
    let scratch = tempfile::tempdir().unwrap();
    let images = Idx { shape: vec![1, 1, 1], bytes: vec![0] };
    let labels = Idx { shape: vec![1], bytes: vec![10] };
    assert!(write_folders(&images, &labels, 1, &scratch.path().join("out")).is_err());
}
