//! The JSON for scripts and assessors: the same as the pages. Its schema is `docs/api.schema.json`.
//!
//! A list is written as it is read, account by account: ten thousand of them cost one chunk of memory.

use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderValue, VARY};
use serde::Serialize;

use super::body::Reply;
use super::fleet::fits;
use super::negotiate::joined;
use super::query::Query;
use super::reply::{Answer, answer, with};
use super::view::{Account, Time};
use crate::directory::AccountKey;
use crate::exposition::{accepts_gzip, gzip};
use crate::fleet::{Summary, entry};
use crate::snapshot::{AccountState, Snapshot};
use crate::timestamp::Timestamp;

/// A chunk is sent when it is this long.
const CHUNK: usize = 64 * 1024;

/// What stands before the accounts of a list.
#[derive(Serialize)]
struct Head {
    generated_at: Time,
    ready: bool,
    partial: bool,
    elsewhere: usize,
    summary: Summary,
}

#[derive(Serialize)]
struct Problem<'a> {
    error: &'a str,
}

/// What `/api/v1/accounts` answers when it is asked for everything, in pieces.
pub fn everything(snapshot: Arc<Snapshot>, now: Timestamp) -> impl Iterator<Item = Bytes> {
    List {
        snapshot,
        query: Query::default(),
        now,
        place: Place::Head,
    }
}

/// `/api/v1/accounts`: those asked for, in the order of their ids.
pub(super) fn accounts(
    snapshot: Arc<Snapshot>,
    query: Query,
    headers: &HeaderMap,
    now: Timestamp,
) -> Answer {
    if query.unknown_state {
        let why = "state must be compliant, non_compliant or unknown";
        return problem(StatusCode::BAD_REQUEST, why);
    }
    let list = List {
        snapshot,
        query,
        now,
        place: Place::Head,
    };
    json(StatusCode::OK, list, headers)
}

/// `/api/v1/accounts/{id}`.
pub(super) fn account(state: Option<&AccountState>, headers: &HeaderMap, now: Timestamp) -> Answer {
    let Some(state) = state else {
        return problem(StatusCode::NOT_FOUND, "no such account");
    };
    let text = written(&Account::new(state, now));
    json(StatusCode::OK, std::iter::once(Bytes::from(text)), headers)
}

fn problem(status: StatusCode, error: &str) -> Answer {
    let text = written(&Problem { error });
    json(
        status,
        std::iter::once(Bytes::from(text)),
        &HeaderMap::new(),
    )
}

fn json(
    status: StatusCode,
    chunks: impl Iterator<Item = Bytes> + Send + 'static,
    headers: &HeaderMap,
) -> Answer {
    let content_type = HeaderValue::from_static("application/json");
    let vary = |answer| with(answer, VARY, HeaderValue::from_static("Accept-Encoding"));
    if !accepts_gzip(joined(headers, &ACCEPT_ENCODING).as_deref()) {
        return vary(answer(status, content_type, Reply::chunks(chunks)));
    }
    let answer = answer(status, content_type, Reply::chunks(gzip(chunks)));
    with(
        vary(answer),
        CONTENT_ENCODING,
        HeaderValue::from_static("gzip"),
    )
}

/// A value as JSON. Our own types have no map with odd keys and nothing else that could fail.
fn written(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".into())
}

/// A list under way.
struct List {
    snapshot: Arc<Snapshot>,
    query: Query,
    now: Timestamp,
    place: Place,
}

/// What is written next.
enum Place {
    Head,
    /// The accounts after this one; the flag says that one was written already.
    Accounts(Option<AccountKey>, bool),
    Done,
}

impl Iterator for List {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        let mut text = String::with_capacity(CHUNK);
        while text.len() < CHUNK {
            let place = std::mem::replace(&mut self.place, Place::Done);
            self.place = match place {
                Place::Head => self.head(&mut text),
                Place::Accounts(after, any) => self.account(&mut text, after, any),
                Place::Done => break,
            };
        }
        (!text.is_empty()).then(|| text.into())
    }
}

impl List {
    fn head(&self, text: &mut String) -> Place {
        let head = written(&Head {
            generated_at: Time(self.now.wall()),
            ready: self.snapshot.ready,
            partial: self.snapshot.partial,
            elsewhere: self.snapshot.elsewhere,
            summary: Summary::of(&self.snapshot, self.now),
        });
        text.push_str(head.trim_end_matches('}'));
        // The summary ends with a brace of its own.
        text.push_str("},\"accounts\":[");
        Place::Accounts(None, false)
    }

    fn account(&self, text: &mut String, after: Option<AccountKey>, any: bool) -> Place {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let Some((key, state)) = self
            .snapshot
            .accounts
            .range((from, Bound::Unbounded))
            .next()
        else {
            text.push_str("]}\n");
            return Place::Done;
        };
        let fits = fits(&entry(state, self.now), &self.query);
        if fits {
            text.push_str(if any { ",\n" } else { "\n" });
            text.push_str(&written(&Account::new(state, self.now)));
        }
        Place::Accounts(Some(key.clone()), any || fits)
    }
}
