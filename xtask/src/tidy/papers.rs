//! Rules about the papers: decisions are numbered without a gap, the two READMEs have the same sections.

use super::{Finding, Source};

const DECISIONS: &str = "docs/decisions/";

/// `docs/decisions/NNNN-title.md`, counted from 0001, each starting with `# NNNN `.
pub fn decisions(sources: &[Source]) -> Vec<Finding> {
    let mut papers: Vec<&Source> = sources.iter().filter(|source| source.path.starts_with(DECISIONS)).collect();
    papers.sort_by(|a, b| a.path.cmp(&b.path));
    let mut findings = Vec::new();
    for (index, paper) in papers.iter().enumerate() {
        let number = format!("{:04}", index + 1);
        if !paper.path[DECISIONS.len()..].starts_with(&format!("{number}-")) {
            findings.push(Finding::at(&paper.path, format!("the next number is {number}")));
        } else if !paper.text.starts_with(&format!("# {number} ")) {
            findings.push(Finding::at_line(&paper.path, 1, format!("starts with `# {number} ` and the title")));
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
