//! Stands in for the exposition until that room is built.
#![allow(
    clippy::needless_pass_by_value,
    clippy::unused_self,
    reason = "goes with this file"
)]

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use prometheus::proto::MetricFamily;
use prometheus::{Encoder, TextEncoder};

use crate::snapshot::Snapshot;

#[derive(Debug, Clone, Copy)]
pub(super) enum Format {
    Text,
}

impl Format {
    pub(super) fn negotiate(_accept: Option<&str>) -> Self {
        Self::Text
    }

    pub(super) fn content_type(self) -> &'static str {
        "text/plain; version=0.0.4; charset=utf-8"
    }
}

pub(super) struct Exposition(std::vec::IntoIter<Bytes>);

impl Exposition {
    pub(super) fn new(
        _snapshot: Arc<Snapshot>,
        own: Vec<MetricFamily>,
        _now: SystemTime,
        _format: Format,
    ) -> Self {
        let mut text = Vec::new();
        let _ = TextEncoder::new().encode(&own, &mut text);
        Self(vec![Bytes::from(text)].into_iter())
    }
}

impl Iterator for Exposition {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        self.0.next()
    }
}

pub(super) fn gzip(
    chunks: impl Iterator<Item = Bytes> + Send + 'static,
) -> impl Iterator<Item = Bytes> + Send {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    for chunk in chunks {
        let _ = encoder.write_all(&chunk);
    }
    std::iter::once(Bytes::from(encoder.finish().unwrap_or_default()))
}

pub(super) fn accepts_gzip(accept_encoding: Option<&str>) -> bool {
    accept_encoding.is_some_and(|a| a.contains("gzip"))
}
