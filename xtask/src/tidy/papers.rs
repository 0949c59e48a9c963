//! Rules about the papers: decisions are numbered without a gap, the two READMEs have the same sections, and what the
//! papers point to exists.

use std::path::Path;

use super::{Finding, Source};

const DECISIONS: &str = "docs/decisions/";

/// `docs/decisions/NNNN-title.md`, counted from 0001, each starting with `# NNNN `.
pub fn decisions(sources: &[Source]) -> Vec<Finding> {
    let mut papers: Vec<&Source> =
        sources.iter().filter(|source| source.path.starts_with(DECISIONS)).collect();
    papers.sort_by(|a, b| a.path.cmp(&b.path));
    let mut findings = Vec::new();
    for (index, paper) in papers.iter().enumerate() {
        let number = format!("{:04}", index + 1);
        if !paper.path[DECISIONS.len()..].starts_with(&format!("{number}-")) {
            findings.push(Finding::at(&paper.path, format!("the next number is {number}")));
        } else if !paper.text.starts_with(&format!("# {number} ")) {
            findings.push(Finding::at_line(
                &paper.path,
                1,
                format!("starts with `# {number} ` and the title"),
            ));
        }
    }
    findings
}

/// A section added to one README is missing in the other language.
pub fn readmes(sources: &[Source]) -> Vec<Finding> {
    let sections = |path: &str| {
        let source = sources.iter().find(|source| source.path == path)?;
        Some(source.text.lines().filter(|line| line.starts_with("## ")).count())
    };
    match (sections("README.md"), sections("README.zh.md")) {
        (Some(english), Some(chinese)) if english == chinese => Vec::new(),
        (Some(english), Some(chinese)) => {
            let what = format!("{chinese} sections, but README.md has {english}: keep the two in step");
            vec![Finding::at("README.zh.md", what)]
        }
        _ => vec![Finding::at("README.md", "README.md and README.zh.md are both there")],
    }
}

/// Every path in backticks in ARCHITECTURE.md exists: a map with wrong streets is worse than none.
pub fn map(sources: &[Source], root: &Path) -> Vec<Finding> {
    const MAP: &str = "ARCHITECTURE.md";
    let Some(source) = sources.iter().find(|source| source.path == MAP) else {
        return vec![Finding::at(MAP, "is missing")];
    };
    let mut findings = Vec::new();
    for (index, line) in source.text.lines().enumerate() {
        let quoted = line.split('`').skip(1).step_by(2);
        for path in quoted.filter(|quoted| quoted.contains('/')) {
            if !root.join(path).exists() {
                findings.push(Finding::at_line(MAP, index + 1, format!("`{path}` does not exist")));
            }
        }
    }
    findings
}

/// Every "methods N.M" in a Rust comment is a paragraph of docs/methods.md.
pub fn methods(sources: &[Source]) -> Vec<Finding> {
    const METHODS: &str = "docs/methods.md";
    let known = sources.iter().find(|source| source.path == METHODS).map_or("", |source| &source.text);
    let mut findings = Vec::new();
    for source in
        sources.iter().filter(|source| source.path.starts_with("crates/") && source.path.ends_with(".rs"))
    {
        for (index, line) in source.text.lines().enumerate() {
            for number in
                line.match_indices("methods ").filter_map(|(at, word)| section(&line[at + word.len()..]))
            {
                if !known.contains(&format!("**{number} ")) {
                    let what = format!("methods {number} is not in {METHODS}");
                    findings.push(Finding::at_line(&source.path, index + 1, what));
                }
            }
        }
    }
    findings
}

/// The section number a text starts with, such as `1.2` or `3.1b`.
fn section(text: &str) -> Option<&str> {
    let end = text.find(|char: char| !char.is_ascii_alphanumeric() && char != '.').unwrap_or(text.len());
    let number = text[..end].trim_end_matches('.');
    (number.starts_with(|char: char| char.is_ascii_digit()) && number.contains('.')).then_some(number)
}
