//! Masks as programs write them: grey, soft, deep, coloured, transparent, numbered, empty.

use std::io::Cursor;

use base::prep::{Mask, PrepError, decode_mask};
use dataset::ProblemKind;
use image::{DynamicImage, GrayImage, ImageBuffer, ImageFormat, Luma, Rgb, RgbImage, Rgba, RgbaImage};

const INSIDE: [bool; 4] = [false, false, true, true];

fn png(picture: impl Into<DynamicImage>) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

/// A row of four pixels.
fn grey(values: [u8; 4]) -> Vec<u8> {
    png(GrayImage::from_raw(4, 1, values.to_vec()).unwrap())
}

#[track_caller]
fn check(bytes: &[u8], inside: [bool; 4]) {
    assert_eq!(decode_mask(bytes).unwrap(), Mask { width: 4, height: 1, inside: inside.to_vec() });
}

#[test]
fn soft_edges_are_cut_in_the_middle() {
    check(&grey([0, 127, 128, 255]), INSIDE);
    let deep = [0_u16, 0x7FFF, 0x8000, 0xFFFF];
    check(&png(DynamicImage::ImageLuma16(ImageBuffer::from_raw(4, 1, deep.to_vec()).unwrap())), INSIDE);
}

#[test]
fn numbers_of_labels_mark_all_that_is_not_zero() {
    check(&grey([0, 0, 1, 9]), INSIDE);
    let deep = [0_u16, 0, 1, 300];
    check(&png(DynamicImage::ImageLuma16(ImageBuffer::from_raw(4, 1, deep.to_vec()).unwrap())), INSIDE);
}

#[test]
fn colours_mark_and_what_is_transparent_does_not() {
    let colours = [[0, 0, 0], [90, 90, 90], [0, 0, 255], [200, 0, 0]];
    check(&png(RgbImage::from_fn(4, 1, |x, _| Rgb(colours[x as usize]))), INSIDE);
    let glass = [[0, 0, 0, 0], [255, 255, 255, 90], [255, 255, 255, 255], [0, 255, 0, 200]];
    check(&png(RgbaImage::from_fn(4, 1, |x, _| Rgba(glass[x as usize]))), INSIDE);
}

/// A PNG of four pixels with one bit each, which name the colours of a palette.
#[test]
fn palettes_of_one_bit_are_read() {
    let chunk = |kind: &[u8; 4], data: &[u8]| {
        let body = [kind, data].concat();
        let length = u32::try_from(data.len()).unwrap().to_be_bytes();
        [&length[..], &body, &checksum(&body).to_be_bytes()].concat()
    };
    // A zlib stream of one stored block: the filter byte and the pixels 0011.
    let rows = [0_u8, 0b0011_0000];
    let adler =
        rows.iter().fold((1_u32, 0_u32), |(a, b), byte| (a + u32::from(*byte), b + a + u32::from(*byte)));
    let data =
        [&[0x78, 1, 1, 2, 0, 0xFD, 0xFF][..], &rows, &(adler.1 << 16 | adler.0).to_be_bytes()].concat();
    let header = [0, 0, 0, 4, 0, 0, 0, 1, 1, 3, 0, 0, 0];
    let bytes = [
        b"\x89PNG\r\n\x1a\n".to_vec(),
        chunk(b"IHDR", &header),
        chunk(b"PLTE", &[0, 0, 0, 180, 20, 20]),
        chunk(b"IDAT", &data),
        chunk(b"IEND", &[]),
    ];
    check(&bytes.concat(), INSIDE);
}

/// The CRC that PNG asks for (ISO 3309).
fn checksum(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(
            crc ^ u32::from(*byte),
            |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 },
        )
    })
}

#[test]
fn a_mask_fits_its_picture_and_marks_something() {
    let mask = decode_mask(&grey([0, 0, 255, 255])).unwrap();
    assert_eq!(mask.check((4, 1)), Ok(()));
    assert_eq!(mask.check((1, 4)), Err(ProblemKind::MaskSize { got: (4, 1), expected: (1, 4) }));
    assert_eq!(decode_mask(&grey([0; 4])).unwrap().check((4, 1)), Err(ProblemKind::EmptyMask));
}

#[test]
fn what_is_no_mask_is_told_as_for_pictures() {
    assert_eq!(decode_mask(b""), Err(PrepError::Empty));
    assert!(matches!(decode_mask(b"hello, I am text"), Err(PrepError::NotAnImage { .. })));
    assert!(matches!(
        decode_mask(&png(RgbImage::from_pixel(64, 64, Rgb([9; 3])))[..60]),
        Err(PrepError::Broken { .. })
    ));
    // A JPEG of nothing but black marks nothing: its decoder gives exact zeros.
    let mut jpeg = Cursor::new(Vec::new());
    DynamicImage::from(GrayImage::from_pixel(16, 16, Luma([0])))
        .write_to(&mut jpeg, ImageFormat::Jpeg)
        .unwrap();
    assert_eq!(decode_mask(jpeg.get_ref()).unwrap().check((16, 16)), Err(ProblemKind::EmptyMask));
}
