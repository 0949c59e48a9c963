//! Large sets pass through without being held.

use std::cell::Cell;
use std::io::{self, Write};
use std::rc::Rc;

use exchange::{Answer, Format, Item, Kind, Shape};

use super::{Place, file, header, mark};

const N_ITEMS: u64 = 20_000;

/// Counts the items that are alive.
struct Counted {
    place: Place,
    given: Rc<Cell<u64>>,
}

impl Counted {
    fn item(&self, number: u64) -> Item {
        self.given.set(self.given.get() + 1);
        let path = self.place.root().join("a.png");
        let mut item = file(&format!("{}/{number}.png", number % 7), path, Some((640, 480)));
        item.answer = Answer::Class(if number.is_multiple_of(3) { "good" } else { "scratch" }.into());
        // 8 KB of runs, so that holding all would take 160 MB.
        let runs = (0..2_000).map(|at| if at == 1_999 { 640 * 480 - 1_999 * 30 } else { 30 }).collect();
        item.marks = if number.is_multiple_of(3) {
            vec![]
        } else {
            vec![
                mark("scratch", Shape::Brush { width: 640, height: 480, runs }),
                mark("scratch", super::a_box(1.0, 2.0, 3.0, 4.0)),
            ]
        };
        item
    }
}

/// Takes everything and keeps nothing, and remembers how many items had been asked for at the first byte.
struct Sink {
    given: Rc<Cell<u64>>,
    at_first: Option<u64>,
    bytes: u64,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.at_first.get_or_insert(self.given.get());
        self.bytes += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The most memory that this process had at once, in KB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
}

#[test]
fn many_items_are_written_one_by_one() {
    let before = peak();
    for (format, files) in [(Format::Jsonl, false), (Format::LabelStudio, false), (Format::Folders, true)] {
        let place = Place::new();
        place.picture("a.png", 4, 3);
        let counted = Counted { place, given: Rc::default() };
        let mut sink = Sink { given: Rc::clone(&counted.given), at_first: None, bytes: 0 };
        let items = (0..N_ITEMS).map(|number| Ok(counted.item(number)));
        exchange::write(format, &header(Kind::Image, &["good", "scratch"]), items, files, &mut sink).unwrap();
        assert_eq!(counted.given.get(), N_ITEMS, "{format:?}");
        assert!(sink.bytes > N_ITEMS * 50, "{format:?} wrote {} bytes", sink.bytes);
        if format == Format::Jsonl || files {
            assert!(
                sink.at_first.unwrap() < N_ITEMS / 10,
                "{format:?} began after {:?} items",
                sink.at_first
            );
        }
    }
    let grown = peak().saturating_sub(before);
    assert!(grown < 100_000, "{grown} KB more than before");
}
