//! The label book: written and read again, refused where it is broken, and right about labels.

use curate::attributes::{Attribute, AttributeValues};
use curate::book::{
    Book, BookError, Decision, EntryFault, Expected, Language, NewLabel, Rule, apply, check, decide,
    markdown, words,
};
use curate::consistency::planted::{Made, Plan, Rule as Planted, planted};
use curate::consistency::{Consistency, Labelled, Side, Split, consistency};
use curate::{duplicates_among, nearest};
use linalg::Seed;

const NAMES: [&str; 5] = ["scratch", "dent", "stain", "hole", "good"];
const BASE: &str = "dinov2-small@1";

fn data() -> (Made, Vec<String>, Vec<Option<String>>) {
    let plan = Plan { n: 1000, n_classes: 5, dim: 32, noise: 0.02, region: Some((60, Planted::Size)) };
    let made = planted(plan, Seed(0));
    let ids = (0..1000).map(|row| format!("part_{row}.png")).collect();
    let labels =
        made.labels.iter().map(|label| label.map(|label| NAMES[label as usize].to_owned())).collect();
    (made, ids, labels)
}

/// A book with one entry about the first case, and the case's rows.
fn book(rule: &Rule) -> (Book, Vec<usize>) {
    let (made, ids, _) = data();
    let near = nearest(made.x.view()).unwrap();
    let duplicates = duplicates_among(&near, 1000);
    let groups: Vec<u32> = (0..1000).collect();
    let examples = Labelled::new(made.x.view(), &near, &made.labels, 5, &groups).unwrap();
    let Consistency { cases, questions, .. } =
        consistency(&examples, &near, &duplicates, &made.attributes, Seed(1)).unwrap();
    let decision = Decision { rule, author: "Wang Li", date: "2031-05-28", fingerprint: "abc123" };
    let names = NAMES.map(str::to_owned);
    let mut book = Book::new(BASE, 32);
    book.entries.push(decide(&examples, &cases[0], &questions[0], decision, &ids, &names));
    (book, cases[0].rows())
}

fn by_size() -> Rule {
    let by = Split::At { threshold: 50.0, below: Side::A };
    Rule::Split { attribute: "size".to_owned(), by }
}

fn by_date(date: &str) -> Rule {
    let by = Split::Before { date: date.to_owned(), earlier: Side::B };
    Rule::Split { attribute: "taken".to_owned(), by }
}

#[test]
fn a_rule_by_a_date_is_told_as_one_and_must_name_one() {
    let rule = by_date("2031-05-28");
    let told = |language| words(&rule, ("scratch", "dent"), language);
    assert_eq!(
        told(Language::English),
        "\"dent\" where taken is before 2031-05-28, \"scratch\" from then on."
    );
    assert_eq!(told(Language::Chinese), "taken 早于 2031-05-28 时是“dent”，否则是“scratch”。");
    let (book, _) = book(&by_date("soon"));
    let fault = EntryFault::Date { date: "soon".to_owned() };
    assert_eq!(book.to_json(), Err(BookError::Entry { name: "the book".to_owned(), entry: 1, fault }));
}

#[test]
fn a_book_that_was_written_is_read_again() {
    let among =
        Rule::Split { attribute: "camera".to_owned(), by: Split::Among { a: vec!["camera 1".to_owned()] } };
    let before = by_date("2031-05-28 14:05");
    let nick = Rule::NewClass { name: "nick".to_owned() };
    for rule in [Rule::AllA, Rule::AllB, by_size(), before, among, nick, Rule::Exclude] {
        let (book, _) = book(&rule);
        assert_eq!(Book::parse("book.json", &book.to_json().unwrap()), Ok(book), "{rule:?}");
    }
}

#[test]
fn a_rule_relabels_its_case_and_hardly_anything_else() {
    let (made, ids, labels) = data();
    let (book, members) = book(&Rule::AllA);
    let relabels = apply(&book, BASE, made.x.view(), &ids, &labels, &[]).unwrap();
    assert!(relabels.iter().all(|relabel| relabel.expected == Expected::Label("scratch".to_owned())));
    assert!(relabels.iter().all(|relabel| relabel.given == "dent" && relabel.id == ids[relabel.row]));
    let dents = members.iter().filter(|row| labels[**row].as_deref() == Some("dent")).count();
    let inside = relabels.iter().filter(|relabel| members.contains(&relabel.row)).count();
    assert_eq!(inside, dents, "all members are known by id");
    let far = relabels.iter().filter(|relabel| relabel.row >= made.region.len()).count();
    assert!(far <= 20, "{far} of about 190 dents outside the region");
}

#[test]
fn a_rule_by_size_agrees_with_how_the_region_was_made() {
    let (made, ids, labels) = data();
    let (book, members) = book(&by_size());
    let relabels = apply(&book, BASE, made.x.view(), &ids, &labels, &made.attributes).unwrap();
    let AttributeValues::Numbers(sizes) = &made.attributes[2].values else { panic!("sizes are numbers") };
    for relabel in &relabels {
        let small = sizes[relabel.row].unwrap() < 50.0;
        assert_eq!(relabel.expected, Expected::Label(NAMES[usize::from(!small)].to_owned()));
    }
    let in_region =
        relabels.iter().filter(|relabel| members.contains(&relabel.row) && relabel.row < 60).count();
    assert!(in_region <= 3, "{in_region}: only noise contradicts the rule there");
}

fn checked(book: &Book, row: usize, label: &str, attributes: &[Attribute]) -> Vec<Expected> {
    let (made, ..) = data();
    let new = NewLabel { id: "new.png", features: made.x.row(row), attributes, row, label };
    check(book, BASE, new).unwrap().into_iter().map(|found| found.expected).collect()
}

#[test]
fn a_new_label_is_checked_by_where_it_lies() {
    let (made, ids, _) = data();
    let (book, _) = book(&Rule::AllA);
    let row = ids.iter().position(|id| *id == book.entries[0].exemplars[0].id).unwrap();
    let new = NewLabel { id: "new.png", features: made.x.row(row), attributes: &[], row: 0, label: "dent" };
    let found = check(&book, BASE, new).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].entry, &found[0].nearest), (0, &ids[row]));
    assert_eq!(found[0].expected, Expected::Label("scratch".to_owned()));
    assert!(checked(&book, row, "scratch", &[]).is_empty(), "that is what the rule says");
    assert!(checked(&book, row, "hole", &[]).is_empty(), "the rule is about other classes");
    let far = (60..1000).find(|row| made.labels[*row] == Some(3)).unwrap();
    assert!(checked(&book, far, "dent", &[]).is_empty(), "it lies elsewhere");
}

#[test]
fn the_kinds_of_rules_say_what_they_should() {
    let (made, ids, _) = data();
    let row = |book: &Book| ids.iter().position(|id| *id == book.entries[0].exemplars[0].id).unwrap();
    let said = |rule: &Rule, label: &str, attributes: &[Attribute]| {
        let (book, _) = book(rule);
        checked(&book, row(&book), label, attributes)
    };
    let label = |name: &str| vec![Expected::Label(name.to_owned())];
    assert_eq!(said(&Rule::AllB, "scratch", &[]), label("dent"));
    assert_eq!(said(&Rule::NewClass { name: "nick".to_owned() }, "dent", &[]), label("nick"));
    assert_eq!(said(&Rule::Exclude, "dent", &[]), [Expected::Excluded]);
    assert_eq!(said(&by_size(), "dent", &[]), [Expected::Unknown { attribute: "size".to_owned() }]);
    let small = Attribute {
        name: "size".to_owned(),
        values: AttributeValues::Numbers(vec![Some(3.0); made.labels.len()]),
    };
    assert_eq!(said(&by_size(), "dent", &[small]), label("scratch"));
}

#[test]
fn the_later_of_two_rules_counts() {
    let (mut book, members) = book(&Rule::AllA);
    let mut later = book.entries[0].clone();
    later.rule = Rule::AllB;
    book.entries.push(later);
    assert!(checked(&book, members[0], "dent", &[]).is_empty());
    assert_eq!(checked(&book, members[0], "scratch", &[]), [Expected::Label("dent".to_owned())]);
}

#[test]
fn broken_books_say_where() {
    let (good, _) = book(&by_size());
    let text = good.to_json().unwrap();
    let broken = |from: &str, to: &str| Book::parse("book.json", &text.replacen(from, to, 1)).unwrap_err();
    let version = BookError::Version { name: "book.json".to_owned(), got: 2, expected: 1 };
    assert_eq!(broken("\"version\": 1", "\"version\": 2"), version);
    let message = broken("\"author\"", "\"autor\"").to_string();
    assert!(
        message.starts_with("`book.json`, line ") && message.contains("unknown field `autor`"),
        "{message}"
    );
    assert!(matches!(Book::parse("b", "{\"version\": 1"), Err(BookError::Broken { line: 1, .. })));
    assert!(matches!(Book::parse("b", ""), Err(BookError::Broken { .. })));
    let message = broken("2031-05-28", "2031-02-29").to_string();
    assert_eq!(message, "entry 1 of `book.json`: `2031-02-29` is not a date such as 2031-05-28");
    let fault = |from: &str, to: &str| match broken(from, to) {
        BookError::Entry { entry: 1, fault, .. } => fault,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        fault("\"b\": \"dent\"", "\"b\": \"scratch\""),
        EntryFault::SameClass { class: "scratch".to_owned() }
    );
    assert_eq!(fault("\"a\": \"scratch\"", "\"a\": \" \""), EntryFault::Empty { what: "class a" });
    let dim = EntryFault::Dim { what: "the centroid".to_owned(), got: 32, expected: 33 };
    assert_eq!(fault("\"dim\": 32", "\"dim\": 33"), dim);
    let mut bad = good;
    bad.entries[0].region.radius = f32::NAN;
    assert!(bad.to_json().is_err(), "what cannot be read again is not written");
}

#[test]
fn features_from_elsewhere_are_refused() {
    let (made, ids, labels) = data();
    let (book, _) = book(&Rule::AllA);
    let new = |features| NewLabel { id: "x", features, attributes: &[], row: 4, label: "dent" };
    assert!(matches!(check(&book, "other", new(made.x.row(0))), Err(BookError::OtherBase { .. })));
    assert!(matches!(check(&book, BASE, new(&[0.0; 3])), Err(BookError::Shape { got: 3, expected: 32, .. })));
    assert_eq!(check(&book, BASE, new(&[f32::NAN; 32])), Err(BookError::NotFinite { row: 4 }));
    let short = apply(&book, BASE, made.x.view(), &ids[1..], &labels, &[]);
    assert_eq!(short, Err(BookError::Shape { what: "ids", got: 999, expected: 1000 }));
}

#[test]
fn the_page_is_in_both_languages_and_keeps_its_cells() {
    let (mut book, members) = book(&by_size());
    book.entries[0].author = "a|b <script>".to_owned();
    let english = markdown(&book, Language::English);
    assert!(english.contains("\"scratch\" where size is below 50, \"dent\" from there on."), "{english}");
    assert!(
        english.contains(&format!("| {} | a\\|b &lt;script> | 2031-05-28 | abc123 |", members.len())),
        "{english}"
    );
    let chinese = markdown(&book, Language::Chinese);
    assert!(chinese.contains("size 小于 50 时是“scratch”，否则是“dent”。"), "{chinese}");
    assert!(english.contains(&book.entries[0].exemplars[0].id.replace('_', "\\_")));
    assert!(markdown(&Book::new("b", 3), Language::English).contains("No rule"));
}
