//! Pieces of sounds: rows with a start and an end.

use dataset::{Content, InspectionOptions, ReadOptions, content_hash, content_hashes, read_inspection};

use super::Place;

/// Sounds `a.wav` and `in/b.wav`, which hold nothing yet, and a table.
fn place(table: &str) -> Place {
    let place = Place::new();
    place.write("a.wav", "a").write("in/b.wav", "b").write("c.mp4", "c").write("d.png", "d");
    place.write("t.csv", table);
    place
}

/// Start and end of each row's piece, and its group; a whole file has neither.
fn pieces(place: &Place) -> Vec<String> {
    let (examples, _) = dataset::read_unlabelled(&[place.path("t.csv")], &ReadOptions::default()).unwrap();
    let told = examples.iter().map(|example| {
        let group = example.group.as_deref().unwrap_or("-");
        match &example.content {
            Content::Piece(_, span) => {
                let end = span.end().map_or("the end".to_owned(), |end| end.as_secs_f64().to_string());
                format!("{} to {end}, {group}", span.start().as_secs_f64())
            }
            _ => format!("whole, {group}"),
        }
    });
    told.collect()
}

fn problems(place: &Place) -> Vec<String> {
    let read = dataset::read_unlabelled(&[place.path("t.csv")], &ReadOptions::default());
    place.told(&read.map(|(_, problems)| problems).unwrap())
}

#[test]
fn a_row_is_what_lies_between_its_times() {
    let place =
        place("file,Start,end\na.wav,1.5,2\nin/b.wav,,2e0\na.wav,3,\na.wav, 4 ,5\nin/b.wav,,\na.wav,0,\n");
    assert_eq!(
        pieces(&place),
        [
            "1.5 to 2, a.wav",
            "0 to 2, in/b.wav",
            "3 to the end, a.wav",
            "4 to 5, a.wav",
            "whole, in/b.wav",
            "whole, a.wav"
        ]
    );
    assert_eq!(problems(&place), [""; 0]);
    for names in ["onset,offset", "start_time,end_time", "开始,结束", "开始时间,结束时间", "begin,end"]
    {
        let place = self::place(&format!("file,{names}\na.wav,1,2\n"));
        assert_eq!(pieces(&place), ["1 to 2, a.wav"], "{names}");
    }
}

#[test]
fn pieces_of_one_file_are_one_group_however_its_name_is_written() {
    let place =
        place("file,start,end,group\n./in/b.wav,1,2,\nin/b.wav,2,3,\nin\\b.wav,3,4,\nin/b.wav,4,5,monday\n");
    let groups: Vec<String> =
        pieces(&place).iter().map(|told| told.split(", ").nth(1).unwrap().to_owned()).collect();
    assert_eq!(groups, ["in/b.wav", "in/b.wav", "in/b.wav", "monday"]);
}

#[test]
fn times_that_are_none_cost_their_row() {
    let rows = [
        "2,1",
        "1,1",
        "-1,2",
        "nan,2",
        "1,inf",
        "1:02,1:04",
        "soon,2",
        "1,later",
        "1e300,1e301",
        "2024-05-01,2024-05-02",
    ];
    let cells: String = rows.iter().map(|row| format!("a.wav,{row}\n")).collect();
    let place = place(&format!("file,start,end\na.wav,1,2\n{cells}gone.wav,1,2\n"));
    assert_eq!(pieces(&place), ["1 to 2, a.wav"]);
    let told = problems(&place);
    for (row, told) in rows.iter().zip(&told) {
        let (start, end) = row.split_once(',').unwrap();
        assert!(
            told.contains(&format!("column `start`: from `{start}` to `{end}` is no piece of a sound")),
            "{told}"
        );
    }
    assert!(told[rows.len()].contains("`gone.wav` does not exist"), "{told:?}");
}

#[test]
fn times_that_cut_nothing_are_told() {
    let told = |table: &str| {
        let place = place(table);
        assert!(pieces(&place).iter().all(|told| told.starts_with("whole")), "{table}");
        problems(&place)
    };
    let unused = |columns: &str| {
        [format!(
            "t.csv: `{columns}` cuts no pieces: that takes a start and an end, in a table of sounds alone; whole files were taken"
        )]
    };
    assert_eq!(told("video,start,end\nc.mp4,1,2\n"), unused("start`, `end"));
    assert_eq!(told("sound,start,label\na.wav,1,x\n"), unused("start"));
    assert_eq!(told("sound,offset,duration\na.wav,1,2\n"), unused("offset"));
    assert_eq!(told("sound,image,start,end\na.wav,d.png,1,2\n"), unused("start`, `end"));
    assert_eq!(told("image,start,end\nd.png,1,2\n"), [""; 0]);
}

#[test]
fn inspectors_take_no_pieces() {
    let place = place("file,start,end,label\na.wav,,,good\na.wav,1,2,good\nin/b.wav,,2,good\n");
    let (set, problems) = read_inspection(&place.path("t.csv"), &InspectionOptions::default()).unwrap();
    assert_eq!(set.examples.len(), 1);
    let told = place.told(&problems);
    assert!(
        told.len() == 2 && told.iter().all(|told| told.contains("this row is a piece of a sound")),
        "{told:?}"
    );
}

#[test]
fn a_piece_is_hashed_as_its_file_and_its_times() {
    let place =
        place("file,start,end\na.wav,1,2\na.wav,1,\na.wav,2,3\nin/b.wav,1,2\na.wav,1.0,2.0\na.wav,,\n");
    let (examples, _) = dataset::read_unlabelled(&[place.path("t.csv")], &ReadOptions::default()).unwrap();
    let contents: Vec<&Content> = examples.iter().map(|example| &example.content).collect();
    let hashes: Vec<_> = content_hashes(&contents).into_iter().map(Result::unwrap).collect();
    let one_by_one: Vec<_> = contents.iter().map(|content| content_hash(content).unwrap()).collect();
    assert_eq!(hashes, one_by_one);
    assert_eq!(hashes[0], hashes[4]);
    let distinct: std::collections::BTreeSet<_> = hashes.iter().collect();
    assert_eq!(distinct.len(), 5);
}
