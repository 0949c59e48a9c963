//! `.npz` files that NumPy wrote (`reference/npz_files.py`), and damaged ones.

use std::io::Write;

use base::containers::npz::{Npz, read};
use base::containers::{Fault, Limits};
use proptest::prelude::*;

const SOUND: &[u8] = include_bytes!("../data/sound.npz");
const STORED: &[u8] = include_bytes!("../data/stored.npz");
const OBJECTS: &[u8] = include_bytes!("../data/objects.npz");
const COLUMNS: &[u8] = include_bytes!("../data/columns.npz");
const BIG_ENDIAN: &[u8] = include_bytes!("../data/big_endian.npz");

/// Small, so that a forged size does not take long.
const SMALL: Limits = Limits { objects: 0, tensors: 100, values: 10_000 };

#[track_caller]
fn fault(file: &[u8]) -> Fault {
    read(file, &Limits::default()).unwrap_err().fault
}

/// A file of one entry `x` with this header and these bytes for numbers.
fn file_of(header: &str, numbers: &[u8]) -> Vec<u8> {
    let mut entry = b"\x93NUMPY\x01\x00".to_vec();
    entry.extend((header.len() as u16).to_le_bytes());
    entry.extend(header.bytes());
    entry.extend(numbers);
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("x.npy", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(&entry).unwrap();
    zip.finish().unwrap().into_inner()
}

#[test]
fn every_type_gives_the_numbers_that_numpy_saved() {
    for file in [SOUND, STORED] {
        let weights = read(file, &Limits::default()).unwrap();
        assert_eq!(weights.len(), 10);
        for name in ["u1", "i1", "i4", "i8", "f2", "f4", "f8"] {
            let tensor = weights.get(name).unwrap();
            assert_eq!(
                (&tensor.shape[..], &*tensor.data),
                (&[2, 3][..], &[0.0, 1.0, 2.0, 3.0, 4.0, 127.0][..])
            );
        }
        let shape = |name: &str| weights.get(name).unwrap().shape.clone();
        assert_eq!((shape("scalar"), shape("none"), shape("one")), (vec![], vec![0, 4], vec![2]));
        assert_eq!(*weights.get("scalar").unwrap().data, [0.5]);
    }
}

#[test]
fn objects_are_refused_and_not_unpickled() {
    assert!(matches!(fault(OBJECTS), Fault::Forbidden { .. }));
}

#[test]
fn column_major_and_big_endian_numbers_are_refused_by_name() {
    assert_eq!(fault(COLUMNS).to_string(), "array `columns`: the numbers are column-major");
    assert_eq!(fault(BIG_ENDIAN).to_string(), "array `big`: numbers of type `>f4`");
}

#[test]
fn headers_in_another_form_are_refused() {
    let sound = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }";
    assert!(read(&file_of(sound, &[0; 4]), &SMALL).is_ok());
    for header in [
        "",
        "{}",
        "{'descr': '<f4', 'fortran_order': False}",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,), }",
        "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1, , }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}",
        "{'descr': '<f4' 'fortran_order': False, 'shape': (1,)}",
    ] {
        assert!(matches!(fault(&file_of(header, &[0; 4])), Fault::Malformed { .. }), "{header}");
    }
}

#[test]
fn more_or_fewer_numbers_than_the_shape_says_are_errors() {
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
    assert!(matches!(fault(&file_of(header, &[0; 7])), Fault::Truncated { .. }));
    assert!(matches!(fault(&file_of(header, &[0; 9])), Fault::Malformed { .. }));
    let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296, 8), }";
    assert!(matches!(fault(&file_of(header, &[0; 8])), Fault::Limit { .. }));
}

#[test]
fn a_size_that_packed_bytes_cannot_give_is_refused_before_unpacking() {
    let mut forged = file_of("{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }", &[0]);
    // The directory's record of the unpacked size, 24 bytes after its signature.
    let directory = forged.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    forged[directory + 24..directory + 28].copy_from_slice(&0x7fff_ffff_u32.to_le_bytes());
    assert!(
        fault(&forged).to_string().contains("cannot hold the 2147483647 that it claims"),
        "{}",
        fault(&forged)
    );
}

#[test]
fn limits_stop_the_reader() {
    let all = Limits::default();
    for limits in [Limits { tensors: 9, ..all }, Limits { values: 40, ..all }] {
        assert!(matches!(read(SOUND, &limits).unwrap_err().fault, Fault::Limit { .. }), "{limits:?}");
    }
}

#[test]
fn an_unknown_name_and_another_format_say_so() {
    let error = Npz::open(SOUND, &SMALL).unwrap().tensor("weight").unwrap_err().to_string();
    assert!(error.contains("`weight`"), "{error}");
    assert_eq!(fault(b"\x80\x02K\x01.").to_string(), "this is not an npz file");
}

#[test]
fn a_file_cut_anywhere_is_an_error() {
    for file in [SOUND, STORED] {
        for end in 0..file.len() {
            assert!(read(&file[..end], &SMALL).is_err(), "cut at {end}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_bytes_never_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        for file in [SOUND, STORED, OBJECTS, COLUMNS] {
            let mut changed = file.to_vec();
            for (at, byte) in &changes {
                changed[at.index(file.len())] = *byte;
            }
            let _ = read(&changed, &SMALL);
        }
    }
}
