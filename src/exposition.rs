//! The exposition: one immutable snapshot and the self metrics, as Prometheus reads them.
//!
//! Reads, never asks AWS, and keeps nothing between scrapes. In data order:
//!
//! - [`column`]: the samples of a family, read and then written, out of `subjects`, `endings` and `number`s;
//! - [`family`]: what a family of the contract is;
//! - [`accounts`], [`trails`]: the table: every family, each a pure function of an account's state;
//! - `group`: a scrape's way through accounts and families;
//! - [`own`]: the self metrics;
//! - [`format`](mod@format): text 0.0.4 or OpenMetrics 1.0, and which of them a scraper wants;
//! - [`gzip`](mod@gzip): the same bytes, smaller, for a scraper that takes them so.
//!
//! A family without a sample still has its `# HELP` and `# TYPE`, so the contract can be read from any scrape.

pub mod accounts;
pub mod column;
mod delivery_error;
mod ending;
pub mod family;
pub mod format;
mod group;
pub mod gzip;
mod number;
pub mod own;
mod piece;
mod preference;
mod subjects;
pub mod trails;

use std::sync::Arc;

use bytes::Bytes;
use prometheus::proto::MetricFamily;

pub use family::Family;
pub use format::Format;
pub use gzip::{accepts_gzip, gzip};

use group::Group;

use crate::snapshot::{AccountState, Snapshot};
use crate::timestamp::Timestamp;

/// A chunk is handed on when it is this long: few writes to a socket, well under a millisecond of work, and little memory per scrape.
pub const CHUNK: usize = 128 * 1024;
/// Room for the sample that makes a chunk full, so that the buffer seldom grows.
const OVERHANG: usize = 4 * 1024;
/// Or when so much was done for it, however little there was to say.
const STEPS: usize = 128;

/// Every family about accounts and trails, in the order of the contract.
pub fn families() -> impl Iterator<Item = &'static Family> {
    accounts::FAMILIES.iter().chain(trails::FAMILIES)
}

/// The same families, in groups.
fn groups() -> impl Iterator<Item = Group> {
    let accounts = accounts::FAMILIES.chunks(group::FAMILIES);
    let trails = trails::FAMILIES.chunks(group::FAMILIES);
    accounts.chain(trails).map(Group::new)
}

/// One scrape under way: an iterator over the text in chunks. It holds the accounts of one snapshot, a place among
/// them, and what the families at hand say of them: some 300 bytes an account, never the whole text.
pub struct Exposition {
    accounts: Vec<Arc<AccountState>>,
    own: std::vec::IntoIter<MetricFamily>,
    now: Timestamp,
    format: Format,
    place: Place,
}

/// What is to be written next.
enum Place {
    /// A group of families of the table, after so many others.
    Table(usize, Group),
    /// The self metrics that are left.
    Own,
    /// Nothing.
    End,
}

impl Place {
    /// The group after so many others.
    fn group(index: usize) -> Self {
        let group = groups().nth(index);
        group.map_or(Self::Own, |group| Self::Table(index, group))
    }
}

impl Exposition {
    /// A scrape of `snapshot` as it reads at `now`, with the families of [`crate::self_metrics::SelfMetrics::gather`].
    pub fn new(
        snapshot: &Snapshot,
        own: Vec<MetricFamily>,
        now: Timestamp,
        format: Format,
    ) -> Self {
        Self {
            accounts: snapshot.accounts.values().cloned().collect(),
            own: own.into_iter(),
            now,
            format,
            place: Place::group(0),
        }
    }

    /// Writes until the chunk is full, reads a few accounts, or changes the place.
    fn step(&mut self, out: &mut Vec<u8>) {
        match &mut self.place {
            Place::Table(index, group) => {
                if !group.step(&self.accounts, self.now, self.format, out, CHUNK) {
                    self.place = Place::group(*index + 1);
                }
            }
            Place::Own => self.self_metrics(out),
            Place::End => {}
        }
    }

    fn self_metrics(&mut self, out: &mut Vec<u8>) {
        if let Some(family) = self.own.next() {
            out.extend_from_slice(own::text(&family, self.format).as_bytes());
        } else {
            out.extend_from_slice(self.format.end().as_bytes());
            self.place = Place::End;
        }
    }

    fn is_over(&self) -> bool {
        matches!(self.place, Place::End)
    }
}

impl Iterator for Exposition {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        if self.is_over() {
            return None;
        }
        let mut out = Vec::with_capacity(CHUNK + OVERHANG);
        let mut steps = 0;
        while out.len() < CHUNK && !self.is_over() && (steps < STEPS || out.is_empty()) {
            self.step(&mut out);
            steps += 1;
        }
        Some(Bytes::from(out))
    }
}
