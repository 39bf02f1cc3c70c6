//! No account is written twice.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use crate::account::AccountId;

use super::errors::Read;
use super::field::Table;
use super::{Access, ConfiguredAccount};

/// What tells one account from another.
#[derive(PartialEq, Eq, Hash)]
enum Mark {
    Id(AccountId),
    /// Where only the credentials will tell the id.
    Name(Arc<str>),
    Profile(Arc<str>),
    Ambient,
}

impl Mark {
    /// The key that says it.
    fn key(&self) -> &'static str {
        match self {
            Self::Id(_) => "id",
            Self::Name(_) => "name",
            Self::Profile(_) => "profile",
            Self::Ambient => "ambient",
        }
    }
}

/// The accounts read so far, by what marks them, with the place of each.
#[derive(Default)]
pub(super) struct Seen(HashMap<Mark, String>);

impl Seen {
    /// Takes an account, or tells which one it is already.
    pub(super) fn take(&mut self, table: &Table<'_>, account: &ConfiguredAccount) -> Read<()> {
        for mark in marks(account) {
            let key = mark.key();
            match self.0.entry(mark) {
                Entry::Vacant(place) => {
                    place.insert(table.place());
                }
                Entry::Occupied(first) => {
                    let problem = format!("is that of {} already; {}", first.get(), mend(key));
                    return Err(table.field(key).wrong(problem));
                }
            }
        }
        Ok(())
    }
}

fn mend(key: &str) -> &'static str {
    match key {
        "name" => "write another, or the ids",
        _ => "remove one of the two",
    }
}

fn marks(account: &ConfiguredAccount) -> Vec<Mark> {
    let mut marks: Vec<Mark> = match &account.access {
        Access::Role { .. } => Vec::new(),
        Access::Profile(profile) => vec![Mark::Profile(profile.clone())],
        Access::Ambient => vec![Mark::Ambient],
    };
    marks.extend(account.id.map(Mark::Id));
    if account.id.is_none() {
        marks.extend(account.name.clone().map(Mark::Name));
    }
    marks
}
