//! The forms of single values: text to value, or what is wrong with it and what to write instead.

use std::sync::Arc;
use std::time::Duration;

use crate::account::{AccountId, Region, RoleArn};
use crate::compliance::Check;

use super::errors::quoted;
use super::nearest::nearest;

/// The longest duration taken: no sensible one is longer, and sums of such never overflow.
const LONGEST: Duration = Duration::from_hours(366 * 24);

/// The shortest duration taken: AWS answers no sooner, and `5ms` is `5m` mistyped.
const SHORTEST: Duration = Duration::from_secs(1);

/// The longest name: what a label value keeps.
const MAX_NAME: usize = 256;

/// A duration of a second or more.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if digits && text.len() <= 12 && text.bytes().any(|b| b != b'0') {
        return Err(format!(
            "{} has no unit; write {text}s for seconds or {text}m for minutes",
            quoted(text)
        ));
    }
    let read = humantime::parse_duration(text);
    let read = read.map_err(|_| {
        format!(
            "{} is no duration; write a number and a unit, such as 90s, 5m or 1h",
            quoted(text)
        )
    })?;
    let months = |unit: &str| unit == "M" || unit.starts_with("month");
    if text.split(|c: char| !c.is_alphabetic()).any(months) {
        let problem = "is in months; write m for minutes, or days";
        return Err(format!("{} {problem}", quoted(text)));
    }
    match out_of_bounds(read) {
        Some(problem) => Err(format!("{} {problem}", quoted(text))),
        None => Ok(read),
    }
}

fn out_of_bounds(read: Duration) -> Option<&'static str> {
    match read {
        Duration::ZERO => Some("is no time at all; write more than zero, such as 5m"),
        short if short < SHORTEST => Some("is less than a second; write 1s or more"),
        long if long > LONGEST => Some("is too long; write at most 366days"),
        _ => None,
    }
}

/// A duration as a configuration writes it, without a blank and in no longer unit than days.
pub(super) fn shown(duration: Duration) -> String {
    const DAY: u64 = 86_400;
    let days = duration.as_secs() / DAY;
    let rest = duration.saturating_sub(Duration::from_secs(days * DAY));
    let rest = humantime::format_duration(rest).to_string();
    match (days, rest.as_str()) {
        (0, rest) => rest.replace(' ', ""),
        (1, "0s") => "1day".to_owned(),
        (days, "0s") => format!("{days}days"),
        (days, rest) => format!("{days}days{}", rest.replace(' ', "")),
    }
}

/// A Region, or what to write instead.
pub(super) fn region(text: &str) -> Result<Region, String> {
    text.parse()
        .map_err(|e| format!("{e}; write the Region's code"))
}

/// The address is not shown: a password may stand in it.
pub(super) fn endpoint_url(text: &str) -> Result<String, &'static str> {
    const FORM: &str = "is no URL of a server; write http://HOST:PORT or https://HOST";
    let url: http::Uri = text.parse().map_err(|_| FORM)?;
    let scheme = matches!(url.scheme_str(), Some("http" | "https"));
    match url.authority() {
        Some(host) if host.as_str().contains('@') => {
            Err("has a user or password in it; remove them, requests are signed")
        }
        Some(host) if scheme && !host.host().is_empty() && url.query().is_none() => {
            Ok(text.to_owned())
        }
        _ => Err(FORM),
    }
}

/// The name of a role, with its path.
pub(super) fn role_name(text: &str) -> Result<String, String> {
    if text.starts_with("arn:") {
        return Err(
            "is an ARN; write role_arn: on the account, or only what follows role/ here".to_owned(),
        );
    }
    let named = RoleArn::is_name(text) && !text.starts_with('/');
    named.then(|| text.to_owned()).ok_or_else(|| {
        format!(
            "{} is no role name; write what follows role/ in its ARN",
            quoted(text)
        )
    })
}

/// A role ARN, or what to write instead.
pub(super) fn role_arn(text: &str) -> Result<RoleArn, String> {
    text.parse().map_err(|e| format!("{e}; copy it from IAM"))
}

/// An account id as written; YAML readers elsewhere drop a leading zero, so the mend says quotes.
pub(super) fn account_id(text: &str) -> Result<AccountId, String> {
    text.parse()
        .map_err(|e| format!("{e}; write all of them in quotes, leading zeros too"))
}

/// The name of an account.
pub(super) fn name(text: &str) -> Result<Arc<str>, String> {
    let fits = (1..=MAX_NAME).contains(&text.len()) && !text.contains(char::is_control);
    fits.then(|| text.into()).ok_or_else(|| {
        format!("is no name; write 1 to {MAX_NAME} bytes without control characters")
    })
}

/// The name of a profile.
pub(super) fn profile(text: &str) -> Result<Arc<str>, &'static str> {
    let fits = !text.trim().is_empty() && !text.contains(char::is_control);
    fits.then(|| text.into())
        .ok_or("is no profile's name; write one of the shared AWS configuration")
}

/// The id of an organizational unit or of a root.
pub(super) fn unit(text: &str) -> Result<String, String> {
    let word = |w: &str, least| {
        (least..=32).contains(&w.len())
            && w.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    let is_unit = match text.split('-').collect::<Vec<_>>().as_slice() {
        ["r", root] => word(root, 4),
        ["ou", root, unit] => word(root, 4) && word(unit, 8),
        _ => false,
    };
    is_unit.then(|| text.to_owned()).ok_or_else(|| {
        format!(
            "{} is no OU or root id; write one such as ou-ab12-cd34ef56 or r-ab12",
            quoted(text)
        )
    })
}

/// A check, by its name.
pub(super) fn check(text: &str) -> Result<Check, String> {
    let known = Check::ALL.map(Check::as_str);
    let found = Check::ALL.into_iter().find(|check| check.as_str() == text);
    found.ok_or_else(|| match nearest(text, &known) {
        Some(near) => format!("{} is no check; did you mean {near}?", quoted(text)),
        None => format!(
            "{} is no check; write one of {}",
            quoted(text),
            known.join(", ")
        ),
    })
}
