//! The few keys of `data.yaml` that matter. No other YAML is understood.

/// Most names of classes.
const MOST_NAMES: usize = 100_000;

/// What `data.yaml` says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Data {
    /// Names by number; a number that the document leaves out has none.
    pub(super) names: Vec<Option<String>>,
    /// How many classes there are, where that is said.
    pub(super) n_classes: Option<usize>,
    pub(super) train: Vec<String>,
    pub(super) val: Vec<String>,
    pub(super) test: Vec<String>,
    /// Whether rows have key points behind their boxes.
    pub(super) has_points: bool,
}

/// One entry of a list or a map below a key.
struct Entry {
    key: Option<String>,
    value: String,
}

/// Reads the keys `names` (a list or a map), `nc`, `train`, `val` and `test` (a path or a list of them).
pub(super) fn parse(text: &str) -> Data {
    let mut data = Data::default();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if line.starts_with([' ', '\t', '#', '-']) {
            continue;
        }
        let Some((key, rest)) = key_and_rest(line) else { continue };
        let rest = without_comment(rest).trim();
        let mut entries = inline(rest);
        // A block below the key: indented, or a list at the same depth.
        while let Some(line) =
            lines.next_if(|line| line.starts_with([' ', '\t', '-', '#']) || line.trim().is_empty())
        {
            let line = without_comment(line).trim();
            if rest.is_empty() && !line.is_empty() && entries.len() < MOST_NAMES {
                entries.push(entry(line));
            }
        }
        take(&mut data, &key, entries);
    }
    data
}

fn take(data: &mut Data, key: &str, entries: Vec<Entry>) {
    let values = |entries: Vec<Entry>| entries.into_iter().map(|entry| entry.value).collect();
    match key {
        "train" => data.train = values(entries),
        "val" => data.val = values(entries),
        "test" => data.test = values(entries),
        "nc" => data.n_classes = entries.first().and_then(|entry| entry.value.parse().ok()),
        "kpt_shape" => data.has_points = true,
        "names" => {
            for (at, entry) in entries.into_iter().enumerate() {
                let number = entry.key.map_or(Some(at), |key| key.parse().ok());
                let Some(number) = number.filter(|number| *number < MOST_NAMES) else { continue };
                if data.names.len() <= number {
                    data.names.resize(number + 1, None);
                }
                data.names[number] = Some(entry.value);
            }
        }
        _ => {}
    }
}

/// A scalar, `[a, b]` or `{0: a, 1: b}`.
fn inline(text: &str) -> Vec<Entry> {
    if text.is_empty() {
        return Vec::new();
    }
    let within = |open, close| text.strip_prefix(open).and_then(|text: &str| text.strip_suffix(close));
    if let Some(list) = within('[', ']') {
        let pieces = pieces(list).filter(|piece| !piece.trim().is_empty());
        return pieces.take(MOST_NAMES).map(|piece| Entry { key: None, value: scalar(piece) }).collect();
    }
    if let Some(map) = within('{', '}') {
        return pieces(map).filter(|piece| !piece.trim().is_empty()).take(MOST_NAMES).map(entry).collect();
    }
    vec![Entry { key: None, value: scalar(text) }]
}

/// `- value` or `key: value`.
fn entry(line: &str) -> Entry {
    let line = line.trim();
    if let Some(value) = line.strip_prefix("- ") {
        return Entry { key: None, value: scalar(value) };
    }
    match key_and_rest(line) {
        Some((key, rest)) => Entry { key: Some(key), value: scalar(rest) },
        None => Entry { key: None, value: scalar(line) },
    }
}

fn key_and_rest(line: &str) -> Option<(String, &str)> {
    let end = outside_quotes(line)
        .find(|(at, char)| *char == ':' && line[at + 1..].chars().next().is_none_or(char::is_whitespace));
    end.map(|(at, _)| (scalar(&line[..at]), &line[at + 1..]))
}

/// The pieces between commas that are outside of quotes.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut commas: Vec<usize> =
        outside_quotes(text).filter(|(_, char)| *char == ',').map(|(at, _)| at).collect();
    commas.push(text.len());
    let mut from = 0;
    commas.into_iter().map(move |comma| {
        let piece = &text[from..comma];
        from = (comma + 1).min(text.len());
        piece
    })
}

fn without_comment(line: &str) -> &str {
    let comment = outside_quotes(line)
        .find(|(at, char)| *char == '#' && line[..*at].chars().next_back().is_none_or(char::is_whitespace));
    comment.map_or(line, |(at, _)| &line[..at])
}

/// The characters that are not within quotes. A quote opens at the start of a value; inside words it is an apostrophe.
fn outside_quotes(text: &str) -> impl Iterator<Item = (usize, char)> {
    let mut quote: Option<char> = None;
    let mut before = ' ';
    text.char_indices().filter(move |(_, char)| {
        let opens = quote.is_none()
            && matches!(char, '"' | '\'')
            && (before.is_whitespace() || "[{,:-".contains(before));
        let is_outside = quote.is_none() && !opens;
        if opens {
            quote = Some(*char);
        } else if quote == Some(*char) && (before != '\\' || *char == '\'') {
            quote = None;
        }
        before = *char;
        is_outside
    })
}

fn scalar(text: &str) -> String {
    let text = text.trim();
    let within = |quote| text.strip_prefix(quote).and_then(|text: &str| text.strip_suffix(quote));
    if let Some(inner) = within('\'') {
        return inner.replace("''", "'");
    }
    if let Some(inner) = within('"') {
        return serde_json::from_str(text).unwrap_or_else(|_| inner.to_owned());
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, names: &[&str]) {
        let got: Vec<String> = parse(text).names.into_iter().map(Option::unwrap_or_default).collect();
        assert_eq!(got, names, "{text}");
    }

    #[test]
    fn names_are_lists_or_maps() {
        check("names: [cat, 'small dog', \"a, b\"]\nnc: 3", &["cat", "small dog", "a, b"]);
        check("names:\n- cat\n- 猫: x # no\n", &["cat", "猫: x"]);
        check("names:\n  0: cat\n  2: \"d\\u00e9j\\u00e0 \\\"vu\\\"\"\nnc: 3\n", &["cat", "", "déjà \"vu\""]);
        check("names: {0: person, 1: 'it''s'}  # two\n", &["person", "it's"]);
        check("nc: 2\n", &[]);
    }

    #[test]
    fn the_other_keys_are_read() {
        let data = parse(
            "path: ../x # root\ntrain: [images/a, images/b]\nval:\n  - images/c\n\nnc: 7\nkpt_shape: [17, 3]\n",
        );
        assert_eq!(data.train, ["images/a", "images/b"]);
        assert_eq!((data.val, data.n_classes, data.has_points), (vec!["images/c".to_owned()], Some(7), true));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(names|train|nc|:|\\[|\\]|\\{|\\}|,|'|\"|#|-| |\n|猫|9999999){0,30}") {
            let _ = parse(&text);
        }
    }
}
