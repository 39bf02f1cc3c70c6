//! The exposition: one immutable snapshot and the self metrics, as Prometheus reads them.
//!
//! Reads, never asks AWS, and keeps nothing between scrapes. In data order:
//!
//! - [`family`]: what a family of the contract is, and how its samples are written;
//! - [`accounts`], [`trails`]: the table: every family, each a pure function of an account's state;
//! - [`own`]: the self metrics, through the same writer;
//! - [`format`](mod@format): text 0.0.4 or OpenMetrics 1.0, and which of them a scraper wants;
//! - [`gzip`](mod@gzip): the same bytes, smaller, for a scraper that takes them so.
//!
//! A family without a sample still has its `# HELP` and `# TYPE`, so the contract can be read from any scrape.

pub mod accounts;
mod delivery_error;
pub mod family;
pub mod format;
pub mod gzip;
mod number;
pub mod own;
mod preference;
pub mod trails;

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use prometheus::proto::MetricFamily;

pub use family::Family;
pub use format::Format;
pub use gzip::{accepts_gzip, gzip};

use crate::snapshot::{AccountState, Snapshot};

/// A chunk is handed on when it is this long: few writes to a socket, well under a millisecond of work, and little memory per scrape.
pub const CHUNK: usize = 128 * 1024;
/// Room for the account that makes a chunk full, so that the buffer seldom grows.
const OVERHANG: usize = 4 * 1024;
/// Accounts whose memory is asked for before the first of them is written: enough to wait once for all, few enough to stay in the first cache.
const BATCH: usize = 16;

/// Every family about accounts and trails, in the order of the contract.
pub fn families() -> impl Iterator<Item = &'static Family> {
    accounts::FAMILIES.iter().chain(trails::FAMILIES)
}

/// One scrape under way: an iterator over the text in chunks. It holds the accounts of one snapshot and a place among them, never the whole text.
pub struct Exposition {
    accounts: Vec<Arc<AccountState>>,
    own: std::vec::IntoIter<MetricFamily>,
    now: SystemTime,
    format: Format,
    place: Place,
}

/// What is to be written next.
enum Place {
    /// A family of the table, from an account on; both by their places.
    Table(usize, usize),
    /// The self metrics that are left.
    Own,
    /// Nothing.
    End,
}

impl Exposition {
    /// A scrape of `snapshot` as it reads at `now`, with the families of [`crate::self_metrics::SelfMetrics::gather`].
    pub fn new(
        snapshot: &Snapshot,
        own: Vec<MetricFamily>,
        now: SystemTime,
        format: Format,
    ) -> Self {
        Self {
            accounts: snapshot.accounts.values().cloned().collect(),
            own: own.into_iter(),
            now,
            format,
            place: Place::Table(0, 0),
        }
    }

    /// Writes until the chunk is full or the place changes.
    fn step(&mut self, out: &mut String) {
        self.place = match std::mem::replace(&mut self.place, Place::End) {
            Place::Table(index, from) => self.table(out, index, from),
            Place::Own => self.self_metrics(out),
            Place::End => Place::End,
        };
    }

    fn table(&self, out: &mut String, index: usize, from: usize) -> Place {
        let Some(family) = families().nth(index) else {
            return Place::Own;
        };
        if from == 0 {
            family.open(out, self.format);
        }
        match self.accounts(out, family, from) {
            Some(next) => Place::Table(index, next),
            None => Place::Table(index + 1, 0),
        }
    }

    /// Writes a family's samples, account by account. Gives the next account's place if the chunk is full.
    fn accounts(&self, out: &mut String, family: &'static Family, from: usize) -> Option<usize> {
        let mut samples = family.samples(out);
        let mut next = from;
        for batch in self.accounts.get(from..)?.chunks(BATCH) {
            warm(family, batch);
            for state in batch {
                samples.account(state, self.now);
                next += 1;
                if samples.len() >= CHUNK {
                    return Some(next);
                }
            }
        }
        None
    }

    fn self_metrics(&mut self, out: &mut String) -> Place {
        if let Some(family) = self.own.next() {
            own::write(out, &family, self.format);
            return Place::Own;
        }
        out.push_str(self.format.end());
        Place::End
    }
}

/// Asks for the memory of a batch of accounts all at once: first for their states, then for the texts that these point to. They lie anywhere, and
/// waiting for one after the other is what a scrape of thousands would spend most of its time with.
fn warm(family: &Family, batch: &[Arc<AccountState>]) {
    let states = batch.iter().map(|state| family.touch_state(state));
    std::hint::black_box(states.sum::<usize>());
    let texts = batch.iter().map(|state| family.touch_texts(state));
    std::hint::black_box(texts.sum::<usize>());
}

impl Iterator for Exposition {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        if matches!(self.place, Place::End) {
            return None;
        }
        let mut out = String::with_capacity(CHUNK + OVERHANG);
        while out.len() < CHUNK && !matches!(self.place, Place::End) {
            self.step(&mut out);
        }
        Some(Bytes::from(out))
    }
}
