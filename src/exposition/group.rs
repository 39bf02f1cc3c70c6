//! Some families at once: read from account after account, then written family after family.
//!
//! A scrape goes through the families one by one, as the formats want it, but the accounts' memory lies anywhere, and to wait for it is what a scrape of
//! thousands would spend its time with. So an account is read once for several families, and what they say of it is kept close together until
//! their turn. It stays little: the first family is written while the others are read.

use std::collections::VecDeque;
use std::sync::Arc;

use super::column::Column;
use super::family::{Family, Seen, Subject};
use super::format::Format;
use super::subjects::Subjects;
use crate::compliance::HeldTrail;
use crate::labels::Labels;
use crate::snapshot::AccountState;
use crate::timestamp::Timestamp;

/// Families that are read at once: more would hold more memory, fewer would read the accounts more often.
pub(super) const FAMILIES: usize = 8;
/// Accounts whose memory is asked for before the first of them is read: enough to wait once for all, few enough to stay in the first cache.
const BATCH: usize = 16;

/// A few families of one subject, read up to an account.
#[derive(Debug)]
pub(super) struct Group {
    /// Of the families that are not written to their end.
    columns: VecDeque<(&'static Family, Column)>,
    /// The first of them is under way.
    opened: bool,
    subject: Subject,
    subjects: Subjects,
    /// The place of the next account.
    next: usize,
}

impl Group {
    /// The families, in their order; all are about the same.
    pub(super) fn new(families: &'static [Family]) -> Self {
        let subject = families.first().map_or(Subject::Account, Family::subject);
        Self {
            columns: families.iter().map(|f| (f, f.column())).collect(),
            opened: false,
            subject,
            subjects: Subjects::default(),
            next: 0,
        }
    }

    /// Goes on a little: writes until `out` is as long as `most`, or reads a few more accounts. Gives whether anything was left to do.
    pub(super) fn step(
        &mut self,
        accounts: &[Arc<AccountState>],
        now: Timestamp,
        format: Format,
        out: &mut Vec<u8>,
        most: usize,
    ) -> bool {
        let Some((family, column)) = self.columns.front_mut() else {
            return false;
        };
        if !self.opened {
            out.extend_from_slice(family.opening(format).as_bytes());
            self.opened = true;
        }
        column.write(&self.subjects, out, most);
        if out.len() >= most {
            return true;
        }
        let left = accounts.get(self.next..).unwrap_or_default();
        let batch = left.get(..BATCH).unwrap_or(left);
        if batch.is_empty() {
            self.columns.pop_front();
            self.opened = false;
        }
        self.read(batch, now);
        true
    }

    fn read(&mut self, batch: &[Arc<AccountState>], now: Timestamp) {
        warm(batch, self.subject);
        for state in batch {
            self.account(state, now);
        }
        self.next += batch.len();
    }

    fn account(&mut self, state: &AccountState, now: Timestamp) {
        match self.subject {
            Subject::Account => self.about(&state.labels, |family, column| {
                family.read_account(state, now, column);
            }),
            Subject::Trail => {
                for (held, labels) in trails(state) {
                    let seen = Seen { held, by: state };
                    self.about(labels, |family, column| {
                        family.read_trail(&seen, now, column);
                    });
                }
            }
        }
    }

    fn about(&mut self, labels: &Labels, read: impl Fn(&Family, &mut Column)) {
        let subject = self.subjects.push(labels.as_str());
        for (family, column) in &mut self.columns {
            column.about(subject);
            read(family, column);
        }
    }
}

/// Each trail with its labels; [`Labels::trails`] leaves out those that would be a series twice.
fn trails(state: &AccountState) -> impl Iterator<Item = (&HeldTrail, &Labels)> {
    let all = state.standing.trails().iter().zip(&state.trail_labels);
    all.filter(|(_, labels)| !labels.is_empty())
}

/// Asks for the memory of a batch of accounts all at once: first for their states, then for the texts that these point to.
fn warm(batch: &[Arc<AccountState>], subject: Subject) {
    let states = batch.iter().map(|state| touch_state(state, subject));
    std::hint::black_box(states.sum::<usize>());
    let texts = batch.iter().map(|state| touch_texts(state, subject));
    std::hint::black_box(texts.sum::<usize>());
}

/// Reads a little of an account's state itself.
fn touch_state(state: &AccountState, subject: Subject) -> usize {
    let own = usize::from(state.standing.wrong_account().is_some());
    own + match subject {
        Subject::Account => state.labels.as_str().len(),
        Subject::Trail => {
            let read = |held: &HeldTrail| usize::from(held.status.is_some());
            let trails = state.standing.trails().iter().map(read);
            trails.sum::<usize>() + state.trail_labels.len()
        }
    }
}

/// Reads a little of the texts that an account's state points to.
fn touch_texts(state: &AccountState, subject: Subject) -> usize {
    match subject {
        Subject::Account => touch(&state.labels),
        Subject::Trail => state.trail_labels.iter().map(touch).sum(),
    }
}

/// Reads a byte of every cache line of a text.
fn touch(labels: &Labels) -> usize {
    let lines = labels.as_str().as_bytes().iter().step_by(64);
    lines.map(|byte| usize::from(*byte)).sum()
}
