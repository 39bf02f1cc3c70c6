//! `/metrics`: the exposition, in the format and encoding that the scraper asks for.

use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, HeaderValue, VARY};
use http::{HeaderMap, StatusCode};
use prometheus::proto::MetricFamily;

use super::body::Reply;
use super::negotiate::joined;
use super::reply::{Answer, answer, with};

use crate::exposition::{self, Exposition, Format};
use crate::snapshot::Snapshot;
use crate::timestamp::Timestamp;

/// The exposition of one snapshot at `now`. 200 with whatever is known.
pub(super) fn scrape(
    snapshot: &Snapshot,
    own: Vec<MetricFamily>,
    headers: &HeaderMap,
    now: Timestamp,
) -> Answer {
    let format = Format::negotiate(joined(headers, &ACCEPT).as_deref());
    let chunks = Exposition::new(snapshot, own, now, format);
    let content_type = HeaderValue::from_static(format.content_type());
    let page = |body| {
        let answer = answer(StatusCode::OK, content_type, body);
        with(
            answer,
            VARY,
            HeaderValue::from_static("Accept, Accept-Encoding"),
        )
    };
    if !exposition::accepts_gzip(joined(headers, &ACCEPT_ENCODING).as_deref()) {
        return page(Reply::chunks(chunks));
    }
    let body = Reply::chunks(exposition::gzip(chunks));
    with(
        page(body),
        CONTENT_ENCODING,
        HeaderValue::from_static("gzip"),
    )
}
