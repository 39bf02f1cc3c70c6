//! A family of the contract: a row of the table, and the writer of its samples.

use std::time::SystemTime;

use super::format::{Format, Kind};
use super::number;
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

    /// Writes the samples of one account.
    pub(super) fn write(&self, out: &mut String, state: &AccountState, now: SystemTime) {
        if self.of_wrong_accounts || state.standing.wrong_account().is_none() {
            let mut samples = Samples { family: self, out };
            (self.samples)(state, now, &mut samples);
        }
    }
}

/// Where a family's samples go.
pub struct Samples<'a> {
    family: &'a Family,
    out: &'a mut String,
}

impl Samples<'_> {
    /// 1 or 0.
    pub(super) fn flag<const N: usize>(&mut self, labels: &Labels, extra: [&str; N], on: bool) {
        self.labels(labels, &extra);
        self.out.push_str(if on { "} 1\n" } else { "} 0\n" });
    }

    /// A number of things.
    pub(super) fn count<const N: usize>(&mut self, labels: &Labels, extra: [&str; N], n: usize) {
        self.labels(labels, &extra);
        self.out.push_str("} ");
        number::push_count(self.out, n as u64);
        self.out.push('\n');
    }

    /// Seconds, to the millisecond.
    pub(super) fn seconds<const N: usize>(
        &mut self,
        labels: &Labels,
        extra: [&str; N],
        span: std::time::Duration,
    ) {
        self.labels(labels, &extra);
        self.out.push_str("} ");
        number::push_seconds(self.out, span);
        self.out.push('\n');
    }

    /// A time as seconds since the UNIX epoch; nothing for a time before it.
    pub(super) fn time<const N: usize>(
        &mut self,
        labels: &Labels,
        extra: [&str; N],
        at: SystemTime,
    ) {
        if let Ok(since_epoch) = at.duration_since(SystemTime::UNIX_EPOCH) {
            self.seconds(labels, extra, since_epoch);
        }
    }

    fn labels(&mut self, labels: &Labels, extra: &[&str]) {
        self.out.push_str(self.family.name);
        self.out.push('{');
        self.out.push_str(labels.as_str());
        for (name, value) in self.family.extra.iter().zip(extra) {
            self.out.push(',');
            self.out.push_str(name);
            self.out.push_str("=\"");
            push_value(self.out, value);
            self.out.push('"');
        }
    }
}
