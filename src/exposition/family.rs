//! A family of the contract: a row of the table, and the writer of its samples.

use std::time::{Duration, SystemTime};

use super::format::{Format, Kind};
use super::number;
use crate::compliance::HeldTrail;
use crate::labels::{Labels, push_value};
use crate::snapshot::AccountState;

/// What a family is about; its labels come first in every sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// An account: the labels **A**.
    Account,
    /// A trail as an account sees it: the labels **T**.
    Trail,
}

impl Subject {
    /// The names of its labels, as [`Labels::account`] and [`Labels::trail`] render them.
    pub fn labels(self) -> &'static [&'static str] {
        match self {
            Self::Account => &["account_id", "account_name"],
            Self::Trail => &[
                "account_id",
                "account_name",
                "trail_arn",
                "trail",
                "home_region",
            ],
        }
    }
}

/// A row of the table. All families about AWS are gauges.
#[derive(Debug)]
pub struct Family {
    /// Its name.
    pub name: &'static str,
    /// Its help, one line without quotes or backslashes.
    pub help: &'static str,
    /// What it is about.
    pub subject: Subject,
    /// The names of its further labels.
    pub extra: &'static [&'static str],
    /// Also published of an account whose credentials belong to another.
    of_wrong_accounts: bool,
    samples: fn(&AccountState, SystemTime, &mut Samples<'_>),
}

impl Family {
    /// A gauge with the labels of its subject and `extra` ones.
    pub(super) const fn gauge(
        subject: Subject,
        name: &'static str,
        extra: &'static [&'static str],
        help: &'static str,
        samples: fn(&AccountState, SystemTime, &mut Samples<'_>),
    ) -> Self {
        Self {
            name,
            help,
            subject,
            extra,
            of_wrong_accounts: false,
            samples,
        }
    }

    /// The same family, published also of an account whose credentials belong to another.
    pub(super) const fn even_of_wrong_accounts(self) -> Self {
        Self {
            of_wrong_accounts: true,
            ..self
        }
    }

    /// Its type, as every format names it.
    pub fn kind(&self) -> Kind {
        Kind::Gauge
    }

    /// Every label name of its samples, in their order.
    pub fn labels(&self) -> impl Iterator<Item = &'static str> {
        self.subject.labels().iter().chain(self.extra).copied()
    }

    /// Writes what comes before the first sample.
    pub(super) fn open(&self, out: &mut String, format: Format) {
        format.open(out, self.name, self.kind(), self.help);
    }

    /// The place where its samples are written: at the end of `out`.
    pub(super) fn samples<'a>(&'a self, out: &'a mut String) -> Samples<'a> {
        let between = |(at, name): (usize, &&str)| {
            let close = if at == 0 { "" } else { "\"" };
            format!("{close},{name}=\"")
        };
        Samples {
            family: self,
            head: format!("{}{{", self.name),
            between: self.extra.iter().enumerate().map(between).collect(),
            out,
        }
    }

    /// Reads a little of an account's state itself; see [`super::warm`].
    pub(super) fn touch_state(&self, state: &AccountState) -> usize {
        let own = usize::from(state.standing.wrong_account().is_some());
        own + match self.subject {
            Subject::Account => state.labels.as_str().len(),
            Subject::Trail => {
                let read = |held: &HeldTrail| usize::from(held.status.is_some());
                let trails = state.standing.trails().iter().map(read);
                trails.sum::<usize>() + state.trail_labels.len()
            }
        }
    }

    /// Reads a little of the texts that an account's state points to; see [`super::warm`].
    pub(super) fn touch_texts(&self, state: &AccountState) -> usize {
        match self.subject {
            Subject::Account => touch(&state.labels),
            Subject::Trail => state.trail_labels.iter().map(touch).sum(),
        }
    }
}

/// Reads a byte of every cache line of a text.
fn touch(labels: &Labels) -> usize {
    let lines = labels.as_str().as_bytes().iter().step_by(64);
    lines.map(|byte| usize::from(*byte)).sum()
}

/// Where a family's samples go. What all of them share is put together once.
pub struct Samples<'a> {
    family: &'a Family,
    /// The name and the opening brace.
    head: String,
    /// What stands before the value of each further label, the end of the one before included.
    between: Vec<String>,
    out: &'a mut String,
}

impl Samples<'_> {
    /// Writes the samples of one account.
    pub(super) fn account(&mut self, state: &AccountState, now: SystemTime) {
        if self.family.of_wrong_accounts || state.standing.wrong_account().is_none() {
            (self.family.samples)(state, now, self);
        }
    }

    /// How long the text is by now.
    pub(super) fn len(&self) -> usize {
        self.out.len()
    }

    /// 1 or 0, with words of closed lists.
    pub(super) fn flag<const N: usize>(
        &mut self,
        labels: &Labels,
        words: [&'static str; N],
        on: bool,
    ) {
        self.words(labels, words);
        self.out.push_str(match (N, on) {
            (0, false) => "} 0\n",
            (0, true) => "} 1\n",
            (_, false) => "\"} 0\n",
            (_, true) => "\"} 1\n",
        });
    }

    /// 1 or 0, with texts that may be anything.
    pub(super) fn flag_of<const N: usize>(&mut self, labels: &Labels, texts: [&str; N], on: bool) {
        self.out.push_str(&self.head);
        self.out.push_str(labels.as_str());
        for (between, text) in self.between.iter().zip(texts) {
            self.out.push_str(between);
            push_value(self.out, text);
        }
        self.out.push_str(if on { "\"} 1\n" } else { "\"} 0\n" });
    }

    /// A number of things.
    pub(super) fn count(&mut self, labels: &Labels, n: usize) {
        self.words(labels, []);
        self.out.push_str("} ");
        number::push_count(self.out, n as u64);
        self.out.push('\n');
    }

    /// Seconds, to the millisecond.
    pub(super) fn seconds<const N: usize>(
        &mut self,
        labels: &Labels,
        words: [&'static str; N],
        span: Duration,
    ) {
        self.words(labels, words);
        self.out.push_str(if N == 0 { "} " } else { "\"} " });
        number::push_seconds(self.out, span);
        self.out.push('\n');
    }

    /// A time as seconds since the UNIX epoch; nothing for a time before it.
    pub(super) fn time<const N: usize>(
        &mut self,
        labels: &Labels,
        words: [&'static str; N],
        at: SystemTime,
    ) {
        if let Ok(since_epoch) = at.duration_since(SystemTime::UNIX_EPOCH) {
            self.seconds(labels, words, since_epoch);
        }
    }

    /// Everything up to the last word, whose closing quote is left to what follows. Words of closed lists need no cleaning.
    fn words<const N: usize>(&mut self, labels: &Labels, words: [&'static str; N]) {
        self.out.push_str(&self.head);
        self.out.push_str(labels.as_str());
        for (between, word) in self.between.iter().zip(words) {
            self.out.push_str(between);
            self.out.push_str(word);
        }
    }
}
