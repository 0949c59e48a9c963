//! The house is tidy, and each rule catches what it is for.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use xtask::tidy::files::{self, Allowed, LONGEST};
use xtask::tidy::layers::{self, Dependency, Metadata, Package, WorkspaceMetadata};
use xtask::tidy::{self, Finding, Source, papers};

/// The clone that cargo runs the tests in: another one may have built them into the same target folder.
fn root() -> &'static Path {
    static ROOT: LazyLock<PathBuf> = LazyLock::new(|| {
        let here = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests");
        Path::new(&here).parent().expect("xtask lies in the workspace").to_owned()
    });
    &ROOT
}

#[test]
fn the_house_is_tidy() {
    let findings: Vec<String> = tidy::all(root()).unwrap().iter().map(Finding::to_string).collect();
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

/// Two crates, `dataset` and `tune`, with one edge and a table that lets `tune` use `dataset`.
fn crates(from: &str, to: &str, kind: Option<&str>) -> Metadata {
    let package = |name: &str| Package {
        name: name.into(),
        manifest_path: PathBuf::new(),
        dependencies: (name == from)
            .then(|| Dependency { name: to.into(), kind: kind.map(Into::into), path: Some(PathBuf::new()) })
            .into_iter()
            .collect(),
        targets: Vec::new(),
    };
    let layers = [("dataset", vec![]), ("tune", vec!["dataset".to_owned()]), ("testkit", vec![])];
    Metadata {
        packages: ["dataset", "tune", "testkit"].map(package).to_vec(),
        metadata: WorkspaceMetadata { layers: layers.map(|(name, uses)| (name.to_owned(), uses)).into() },
    }
}

#[track_caller]
fn check_edge(from: &str, to: &str, kind: Option<&str>, expect: Option<&str>) {
    let findings = layers::check(&crates(from, to, kind));
    match expect {
        None => assert_eq!(findings, []),
        Some(edge) => {
            assert_eq!(findings.len(), 1, "{findings:?}");
            assert!(findings[0].what.contains(edge), "{}", findings[0]);
        }
    }
}

#[test]
fn an_edge_down_the_table_is_allowed() {
    check_edge("tune", "dataset", None, None);
}

#[test]
fn an_edge_up_the_table_is_named() {
    check_edge("dataset", "tune", None, Some("`dataset -> tune`"));
}

#[test]
fn tests_may_use_the_testkit_but_nothing_else_that_is_not_allowed() {
    check_edge("dataset", "testkit", Some("dev"), None);
    check_edge("dataset", "testkit", None, Some("`dataset -> testkit`"));
    check_edge("dataset", "tune", Some("dev"), Some("`dataset -> tune`"));
}

#[test]
fn a_crate_without_a_layer_and_a_layer_without_a_crate_are_findings() {
    let mut metadata = crates("tune", "dataset", None);
    metadata.metadata.layers.remove("dataset");
    metadata.metadata.layers.insert("ghost".into(), vec![]);
    let findings: Vec<String> = layers::check(&metadata).iter().map(|finding| finding.what.clone()).collect();
    assert_eq!(findings, ["[workspace.metadata.layers] lacks `dataset`", "layer `ghost` has no crate"]);
}

#[track_caller]
fn check_file(path: &str, text: &str, expect: Option<&str>) {
    let source = Source { path: path.into(), text: text.into() };
    let findings = files::check(&[source], &Allowed::default());
    match expect {
        None => assert_eq!(findings, []),
        Some(what) => assert!(findings.len() == 1 && findings[0].to_string().contains(what), "{findings:?}"),
    }
}

#[test]
fn a_long_file_is_a_finding() {
    check_file("a.rs", &"x\n".repeat(LONGEST - 1), None);
    check_file("a.rs", &"x\n".repeat(LONGEST), Some("500 lines"));
    check_file("data.json", &"1\n".repeat(LONGEST), None);
}

#[test]
fn an_exception_lasts_as_long_as_it_is_needed() {
    let allow = |path: &str| Allowed {
        long_files: [(path.to_owned(), "a table".to_owned())].into(),
        ..Allowed::default()
    };
    let file = |lines: usize| [Source { path: "a.rs".into(), text: "x\n".repeat(lines) }];
    assert_eq!(files::check(&file(LONGEST), &allow("a.rs")), []);
    assert_eq!(files::check(&file(1), &allow("a.rs")).len(), 1);
    assert_eq!(files::check(&file(1), &allow("gone.rs")).len(), 1);
}

#[test]
fn hosts_of_registries_and_paths_of_one_machine_are_findings() {
    check_file("a.md", concat!("see https://py", "pi.org/x"), Some("a.md:1: names the registry host"));
    check_file("a.md", concat!("ok\nin /ho", "me/me/x"), Some("a.md:2: names"));
    check_file("a.md", concat!("https://example.org/ho", "me/"), None);
    check_file("a.md", "$HOME/.cache/dianjing", None);
}

#[test]
fn an_ignored_test_is_a_finding() {
    check_file("a.rs", concat!("    #[", "ignore]\n"), Some("ignored test"));
}

fn paper(path: &str, text: &str) -> Source {
    Source { path: format!("docs/decisions/{path}"), text: text.into() }
}

#[test]
fn decisions_are_numbered_without_a_gap() {
    let good = [paper("0001-a.md", "# 0001 A\n"), paper("0002-b.md", "# 0002 B\n")];
    assert_eq!(papers::decisions(&good), []);
    assert_eq!(papers::decisions(&[good[0].clone(), paper("0003-c.md", "# 0003 C\n")]).len(), 1);
    assert_eq!(papers::decisions(&[paper("0001-a.md", "# A\n")]).len(), 1);
}

#[test]
fn the_two_readmes_keep_step() {
    let readme = |path: &str, text: &str| Source { path: path.into(), text: text.into() };
    let both = |chinese: &str| [readme("README.md", "## A\n## B\n"), readme("README.zh.md", chinese)];
    assert_eq!(papers::readmes(&both("## 甲\n## 乙\n")), []);
    assert_eq!(papers::readmes(&both("## 甲\n")).len(), 1);
}

#[test]
fn a_path_on_the_map_exists() {
    let map =
        |text: &str| papers::map(&[Source { path: "ARCHITECTURE.md".into(), text: text.into() }], root());
    assert_eq!(map("| a | `xtask/src/tidy/`, `cargo test` |"), []);
    assert_eq!(map("| a | `crates/nowhere.rs` |").len(), 1);
}

#[test]
fn a_method_that_code_names_is_described() {
    let source = |path: &str, text: &str| Source { path: path.into(), text: text.into() };
    let check = |code: &str| {
        papers::methods(&[
            source("docs/methods.md", "**1.2 GDA.** ..\n**3.1b Ridge.**"),
            source("crates/a/src/a.rs", code),
        ])
    };
    assert_eq!(check("//! Exact (methods 1.2, and methods 3.1b). Other methods are slower."), []);
    assert_eq!(check("//! Exact (methods 1.3).").len(), 1);
}
