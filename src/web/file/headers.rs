//! `http_server_config`: the headers an operator may add to every answer.

use http::header::{HeaderMap, HeaderName, HeaderValue};

use super::names::shown;
use super::tree::Table;

/// What a header may say.
type Allowed = &'static [&'static str];

/// The headers that may be set, and what they may say where that is a closed list.
const HEADERS: [(&str, Allowed); 5] = [
    ("Content-Security-Policy", &[]),
    ("Strict-Transport-Security", &[]),
    ("X-Content-Type-Options", &["nosniff"]),
    ("X-Frame-Options", &["deny", "sameorigin"]),
    ("X-XSS-Protection", &[]),
];

/// The headers of every answer.
pub(super) fn of(root: &mut Table<'_>) -> HeaderMap {
    let Some(mut table) = root.table("http_server_config", &["http2", "headers"]) else {
        return HeaderMap::new();
    };
    if table.flag("http2") == Some(true) {
        // The toolkit's default, so it stands in many files, and every client of HTTP/2 speaks HTTP/1.1 too.
        tracing::info!("http_server_config.http2: this server speaks HTTP/1.1 only");
    }
    // A blank header is one that is not set, as the toolkit has it.
    let pairs = table
        .texts("headers")
        .into_iter()
        .filter(|(_, value)| !value.is_empty());
    let header = |(name, value): (String, String)| match header(&name, &value) {
        Ok(pair) => Some(pair),
        Err(problem) => {
            table.tell(&format!("headers.{name}"), &problem);
            None
        }
    };
    pairs.filter_map(header).collect()
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    let Some((name, allowed)) = HEADERS.iter().find(|(known, _)| *known == name) else {
        let names: Vec<_> = HEADERS.iter().map(|(name, _)| *name).collect();
        return Err(format!("cannot be set; there are {}", names.join(", ")));
    };
    if !allowed.is_empty() && !allowed.contains(&value) {
        return Err(format!(
            "is {}; write {}",
            shown(value),
            allowed.join(" or ")
        ));
    }
    let wrong = "has characters that no header may have";
    let name = name.parse().map_err(|_| wrong)?;
    Ok((name, value.parse().map_err(|_| wrong)?))
}
