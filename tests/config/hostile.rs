//! Texts that nobody would write: whatever they are, the answer is a configuration or errors, soon.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use cloudtrail_exporter::config::{Config, ConfigErrors, Variables};
use proptest::prelude::*;

fn parse(bytes: &[u8]) -> Result<Config, ConfigErrors> {
    Config::parse(bytes, Path::new("hostile.yaml"), &Variables::default())
}

fn good_files() -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir("tests/config/good").expect("the corpus");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "yaml"));
    paths.sort();
    paths
        .iter()
        .map(|path| std::fs::read(path).expect("a file"))
        .collect()
}

/// Writes `piece` over what stands at `place`, both as far as they go.
fn mutate(text: &mut Vec<u8>, place: usize, cut: usize, piece: &[u8]) {
    let start = place % (text.len() + 1);
    let end = (start + cut).min(text.len());
    text.splice(start..end, piece.iter().copied());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn random_yaml_never_panics(text in r#"([-?:,\[\]{}#&*!|>'"%@` \n\ta-z0-9]|accounts|poll|: |- |\n  ){0,60}"#) {
        let _ = parse(text.as_bytes());
    }

    #[test]
    fn mutated_good_files_never_panic(
        file in any::<prop::sample::Index>(),
        changes in proptest::collection::vec((any::<usize>(), 0_usize..12, r#"[-?:,\[\]{}#&*!|>'" \n\t0-9a-z]{0,8}"#), 1..6),
    ) {
        let mut text = file.get(&good_files()).clone();
        for (place, cut, piece) in &changes {
            mutate(&mut text, *place, *cut, piece.as_bytes());
        }
        if let Err(errors) = parse(&text) {
            prop_assert_eq!(errors.to_string().lines().count(), errors.len());
        }
    }
}

#[test]
fn nesting_without_end_is_refused_and_not_followed() {
    for open in ["[", "{a: ", "- ", "? ", "a:\n "] {
        let text = open.repeat(20_000);
        assert!(parse(text.as_bytes()).is_err(), "{open:?}");
    }
}

#[test]
fn ten_thousand_accounts_load_soon() {
    let mut text = "accounts:\n".to_owned();
    for id in 0..10_000 {
        writeln!(text, "  - {{ id: {id:012}, name: account-{id} }}").expect("text");
    }
    let start = Instant::now();
    let config = parse(text.as_bytes()).expect("a configuration");
    assert_eq!(config.accounts.len(), 10_000);
    // Unoptimized and on a busy machine; the optimized build takes a small part of it.
    assert!(
        start.elapsed() < Duration::from_secs(30),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn ten_thousand_errors_are_counted_and_the_first_hundred_shown() {
    let text = "accounts:\n".to_owned() + &"  - { name: nowhere }\n".repeat(10_000);
    let errors = parse(text.as_bytes()).expect_err("no way in");
    assert_eq!(errors.len(), 10_000);
    let shown = errors.to_string();
    assert_eq!(shown.lines().count(), 101);
    assert!(shown.ends_with("and 9900 more errors"), "{shown}");
}
