//! A family of the contract: a row of the table.

use super::column::Column;
use super::format::{Format, Kind};
use crate::compliance::HeldTrail;
use crate::snapshot::AccountState;
use crate::timestamp::Timestamp;

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
    /// The names of its further labels.
    pub extra: &'static [&'static str],
    /// Also published of an account whose credentials belong to another.
    of_wrong_accounts: bool,
    read: Read,
}

/// How the samples of an account or a trail are read, as of a time.
#[derive(Debug, Clone, Copy)]
pub(super) enum Read {
    OfAccount(fn(&AccountState, Timestamp, &mut Column)),
    OfTrail(fn(&Seen<'_>, Timestamp, &mut Column)),
}

/// A trail as an account sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<'a> {
    /// The trail.
    pub(super) held: &'a HeldTrail,
    /// By whom it is seen.
    pub(super) by: &'a AccountState,
}

impl Family {
    /// A gauge with the labels of its subject and `extra` ones.
    pub(super) const fn gauge(
        name: &'static str,
        extra: &'static [&'static str],
        help: &'static str,
        read: Read,
    ) -> Self {
        Self {
            name,
            help,
            extra,
            of_wrong_accounts: false,
            read,
        }
    }

    /// The same family, published also of an account whose credentials belong to another.
    pub(super) const fn even_of_wrong_accounts(self) -> Self {
        Self {
            of_wrong_accounts: true,
            ..self
        }
    }

    /// What it is about.
    pub fn subject(&self) -> Subject {
        match self.read {
            Read::OfAccount(_) => Subject::Account,
            Read::OfTrail(_) => Subject::Trail,
        }
    }

    /// Its type, as every format names it.
    pub fn kind(&self) -> Kind {
        Kind::Gauge
    }

    /// Every label name of its samples, in their order.
    pub fn labels(&self) -> impl Iterator<Item = &'static str> {
        self.subject().labels().iter().chain(self.extra).copied()
    }

    /// What comes before the first sample.
    pub(super) fn opening(&self, format: Format) -> String {
        let mut text = String::new();
        format.open(&mut text, self.name, self.kind(), self.help);
        text
    }

    /// Reads the samples of one account, if the family is about accounts.
    pub(super) fn read_account(&self, state: &AccountState, now: Timestamp, column: &mut Column) {
        let published = self.of_wrong_accounts || state.standing.wrong_account().is_none();
        if let (Read::OfAccount(read), true) = (self.read, published) {
            read(state, now, column);
        }
    }

    /// Reads the samples of one trail, if the family is about trails.
    pub(super) fn read_trail(&self, seen: &Seen<'_>, now: Timestamp, column: &mut Column) {
        if let Read::OfTrail(read) = self.read {
            read(seen, now, column);
        }
    }

    /// Room for its samples.
    pub(super) fn column(&self) -> Column {
        Column::new(self.name, self.extra)
    }
}
