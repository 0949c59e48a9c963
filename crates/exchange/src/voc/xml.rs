//! A small tree of an XML document: names and texts. Attributes are passed over, and documents that declare entities of their own
//! are refused, so that nothing grows or is fetched.

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::Event;

/// Deepest element.
const MOST_DEPTH: usize = 16;
/// Most elements of one document.
const MOST_NODES: usize = 200_000;

/// One element.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) name: String,
    /// The text directly in it.
    pub(super) text: String,
    pub(super) children: Vec<Node>,
}

impl Node {
    /// The first child of this name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first child of this name, without white space around it; `None` when there is none.
    pub(super) fn text_of(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.trim()).filter(|text| !text.is_empty())
    }
}

/// The outermost element of a document.
pub(super) fn parse(text: &str) -> Result<Node, String> {
    let mut reader = Reader::from_str(text);
    // The elements that are open, from a frame around all of them inwards.
    let mut open = vec![Node::default()];
    let mut n_nodes = 0;
    loop {
        let event = reader.read_event().map_err(|error| error.to_string())?;
        match event {
            Event::Start(start) => {
                n_nodes += 1;
                if open.len() > MOST_DEPTH || n_nodes > MOST_NODES {
                    return Err(format!("more than {MOST_DEPTH} levels or {MOST_NODES} elements"));
                }
                open.push(named(start.name().as_ref()));
            }
            Event::Empty(start) => {
                n_nodes += 1;
                if n_nodes > MOST_NODES {
                    return Err(format!("more than {MOST_NODES} elements"));
                }
                let node = named(start.name().as_ref());
                top(&mut open)?.children.push(node);
            }
            Event::End(_) => {
                let node = open.pop().ok_or(UNBALANCED)?;
                top(&mut open)?.children.push(node);
            }
            Event::Text(text) => top(&mut open)?.text.push_str(&text),
            Event::CData(text) => top(&mut open)?.text.push_str(&text),
            Event::GeneralRef(name) => match name.resolve_char_ref() {
                Ok(Some(char)) => top(&mut open)?.text.push(char),
                _ => match resolve_predefined_entity(&name) {
                    Some(text) => top(&mut open)?.text.push_str(text),
                    None => {
                        return Err(format!(
                            "the entity `{}` is not known",
                            name.chars().take(40).collect::<String>()
                        ));
                    }
                },
            },
            Event::DocType(_) => return Err("document type declarations are not read".to_owned()),
            Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
    }
    let [frame] = &mut open[..] else { return Err(UNBALANCED.to_owned()) };
    if frame.children.is_empty() {
        Err("there is no element".to_owned())
    } else {
        Ok(frame.children.swap_remove(0))
    }
}

const UNBALANCED: &str = "elements are not closed";

fn named(name: &str) -> Node {
    Node { name: name.to_owned(), ..Node::default() }
}

fn top(open: &mut [Node]) -> Result<&mut Node, String> {
    open.last_mut().ok_or_else(|| UNBALANCED.to_owned())
}

/// The text with what XML reads as its own written otherwise; characters that XML cannot hold are left out.
pub(crate) fn escaped(text: &str) -> String {
    let may_be = |char: &char| matches!(char, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..);
    let text: String = text.chars().filter(may_be).collect();
    quick_xml::escape::escape(text.as_str()).into_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_and_children_are_read() {
        let root =
            parse("<?xml version=\"1.0\"?><a x='1'><b> 1 &lt; &#x732b; <!-- no --> </b><c/><b>2</b></a>")
                .unwrap();
        assert_eq!((root.name.as_str(), root.children.len()), ("a", 3));
        assert_eq!(root.text_of("b"), Some("1 < 猫"));
        assert_eq!(root.text_of("c"), None);
    }

    #[test]
    fn bombs_are_refused() {
        let bomb = "<!DOCTYPE a [<!ENTITY b \"bbbb\"><!ENTITY c \"&b;&b;&b;\">]><a>&c;</a>";
        assert_eq!(parse(bomb).unwrap_err(), "document type declarations are not read");
        assert_eq!(parse("<a>&c;</a>").unwrap_err(), "the entity `c` is not known");
        assert!(parse(&"<a>".repeat(100_000)).unwrap_err().starts_with("more than 16 levels"));
        assert!(parse("<a><b></a>").is_err() && parse("<a>").is_err() && parse("").is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[<>/a&;!\\[\\]?\" -]{0,60}") {
            let _ = parse(&text);
        }

        #[test]
        fn what_is_escaped_comes_back(text in "[a-z<>&\"'猫 ]{0,20}") {
            let root = parse(&format!("<a><b>{}</b></a>", escaped(&text))).unwrap();
            prop_assert_eq!(root.text_of("b").unwrap_or_default(), text.trim());
        }
    }
}
