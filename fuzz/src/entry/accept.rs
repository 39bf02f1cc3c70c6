//! `Accept` and `Accept-Encoding`: never a refusal, and what means the same chooses the same.

use cloudtrail_exporter::exposition::{Format, accepts_gzip};

/// Two lines: the value of each header.
pub fn run(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (accept, encoding) = text.split_once('\n').unwrap_or((&text, ""));
    let format = Format::negotiate(Some(accept));
    let gzip = accepts_gzip(Some(encoding));
    let lower = text.to_ascii_lowercase();
    assert!(
        format == Format::Text || lower.contains("application/") || accept.contains('*'),
        "{accept:?}"
    );
    assert!(
        !gzip || lower.contains("gzip") || encoding.contains('*'),
        "{encoding:?}"
    );
    for change in [spaced, shouted, doubled] {
        if let (Some(accept), Some(encoding)) = (change(accept), change(encoding)) {
            assert_eq!(Format::negotiate(Some(&accept)), format, "{accept:?}");
            assert_eq!(accepts_gzip(Some(&encoding)), gzip, "{encoding:?}");
        }
    }
}

/// White space around a comma means nothing.
fn spaced(header: &str) -> Option<String> {
    plain(header).then(|| header.replace(',', " ,\t"))
}

/// Names mean the same in capitals.
fn shouted(header: &str) -> Option<String> {
    plain(header).then(|| header.to_ascii_uppercase())
}

/// Said twice is said once.
fn doubled(header: &str) -> Option<String> {
    plain(header).then(|| format!("{header},{header}"))
}

/// Without quotes, in which all of these would mean something.
fn plain(header: &str) -> bool {
    !header.contains(['"', '\\'])
}
