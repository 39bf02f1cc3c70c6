//! The pages for people: rendered here whole, from checked templates that escape everything, with style and script inside so that nothing else is
//! loaded. They read well without the script.

mod account;
mod index;

use std::fmt::Write;
use std::sync::LazyLock;

use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::StatusCode;
use http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, HeaderMap, HeaderValue,
    REFERRER_POLICY, VARY, X_FRAME_OPTIONS,
};
use sha2::{Digest, Sha256};

pub(super) use account::account;
pub(super) use index::index;

use super::body::Reply;
use super::negotiate::joined;
use super::reply::{Answer, answer, text, with};
use super::route::TelemetryPath;
use super::view::Time;
use crate::compliance::State;
use crate::exposition::{accepts_gzip, gzip};
use crate::timestamp::Timestamp;

/// The style of every page.
pub(super) const STYLE: &str = include_str!("../../templates/page.css");
/// The script of the index.
pub(super) const SCRIPT: &str = include_str!("../../templates/page.js");

/// Only what stands in the page itself may run, show or style; by its hash, so that nothing that slipped in does.
static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    let policy = format!(
        "default-src 'none'; style-src '{}'; script-src '{}'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        hash(STYLE),
        hash(SCRIPT)
    );
    policy
        .parse()
        .unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

fn hash(content: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(content)))
}

/// What every page shows.
pub(super) struct Frame<'a> {
    pub(super) version: &'static str,
    pub(super) telemetry_path: &'a str,
    pub(super) ready: bool,
    pub(super) now: Time,
}

impl<'a> Frame<'a> {
    /// What every page shows at `now`.
    pub(super) fn new(telemetry: &'a TelemetryPath, ready: bool, now: Timestamp) -> Self {
        Self {
            version: crate::VERSION,
            telemetry_path: telemetry.as_str(),
            ready,
            now: Time(now.wall()),
        }
    }
}

/// A rendered page, compressed for those who take it so.
fn page(template: &impl Template, headers: &HeaderMap) -> Answer {
    let Ok(html) = template.render() else {
        return text(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The page cannot be made.",
        );
    };
    let html = Bytes::from(html);
    let zipped = accepts_gzip(joined(headers, &ACCEPT_ENCODING).as_deref());
    let body = if zipped {
        Reply::chunks(gzip(std::iter::once(html)))
    } else {
        Reply::whole(html)
    };
    let content_type = HeaderValue::from_static("text/html; charset=utf-8");
    let mut answer = answer(StatusCode::OK, content_type, body);
    if zipped {
        answer = with(answer, CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    for (name, value) in [
        (VARY, HeaderValue::from_static("Accept-Encoding")),
        (CONTENT_SECURITY_POLICY, POLICY.clone()),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    ] {
        answer = with(answer, name, value);
    }
    answer
}

/// The class that colours a state.
fn class(state: State) -> &'static str {
    match state {
        State::Compliant => "good",
        State::NonCompliant => "bad",
        State::Unknown => "open",
    }
}

/// A number as people read it.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        let _ = text.write_char(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (12_345_678, "12,345,678"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn the_policy_lets_nothing_in_from_outside() {
        let policy = POLICY.to_str().expect("text");
        assert!(
            policy.starts_with("default-src 'none'; style-src 'sha256-"),
            "{policy}"
        );
        assert!(
            !policy.contains("unsafe") && !policy.contains('*'),
            "{policy}"
        );
    }

    #[test]
    fn style_and_script_cannot_end_their_own_element() {
        assert!(!STYLE.contains("</") && !SCRIPT.contains("</"));
    }
}
