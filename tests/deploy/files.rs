//! The files that people deploy, and the words in them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Every text file of `deploy/`, once: links are left to what they point to.
pub(crate) fn texts() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    collect(Path::new("deploy"), &mut found);
    assert!(found.len() > 30, "the files are where they are expected");
    found
}

fn collect(folder: &Path, into: &mut Vec<(PathBuf, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.is_symlink() {
            collect(&path, into);
        } else if path.is_file() && !path.is_symlink() {
            let text = fs::read_to_string(&path).unwrap();
            into.push((path, text));
        }
    }
}

/// The longest words in `text` that begin with `prefix` and go on as `goes_on` says.
pub(crate) fn words<'a>(
    text: &'a str,
    prefix: &str,
    goes_on: fn(char) -> bool,
) -> BTreeSet<&'a str> {
    let starts = text.match_indices(prefix).map(|(at, _)| at);
    let whole = starts.filter(|at| {
        let before = text.get(..*at).and_then(|head| head.chars().next_back());
        !before.is_some_and(|c| goes_on(c) || c == ':')
    });
    whole
        .filter_map(|at| text.get(at..))
        .map(|rest| rest.split(|c| !goes_on(c)).next().unwrap_or(rest))
        .collect()
}

#[test]
fn words_are_whole() {
    let found = words("a_b=1 xa_c a_d, job:a_e", "a_", |c| {
        c.is_alphanumeric() || c == '_'
    });
    assert_eq!(found, BTreeSet::from(["a_b", "a_d"]));
}
