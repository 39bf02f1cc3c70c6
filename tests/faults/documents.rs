//! The threat model names tests that exist.

use std::path::Path;

const THREATS: &str = include_str!("../../docs/threat-model.md");
/// Fewer references would mean that this test reads nothing.
const AT_LEAST: usize = 25;

#[test]
fn every_test_of_the_threat_model_exists() {
    let references: Vec<_> = THREATS
        .split('`')
        .filter(|text| is_reference(text))
        .collect();
    assert!(references.len() >= AT_LEAST, "{references:?}");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let missing: Vec<_> = references.iter().filter(|r| !exists(root, r)).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_threat_names_a_test() {
    let rows = THREATS
        .lines()
        .filter(|line| line.matches(" | ").count() == 3);
    let bare = rows.filter(|row| !row.starts_with("| threat ") && !row.ends_with("` |"));
    assert_eq!(bare.collect::<Vec<_>>(), Vec::<&str>::new());
}

fn is_reference(text: &str) -> bool {
    (text.starts_with("tests/") || text.starts_with("src/")) && !text.contains(' ')
}

fn exists(root: &Path, reference: &str) -> bool {
    let (file, function) = reference.split_once("::").unwrap_or((reference, ""));
    let Ok(text) = std::fs::read_to_string(root.join(file)) else {
        return false;
    };
    function.is_empty() || text.contains(&format!("fn {function}("))
}
