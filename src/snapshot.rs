//! The snapshot: every account's facts and verdicts at one moment, immutable. One writer, many readers.
//!
//! - [`publisher`]: the writer, and its loop;
//! - [`handover`]: what is held of an account goes along when another entry publishes it;
//! - [`unidentified`]: reports that tell another identity than the directory knows;
//! - [`waiting`]: the members whose last poll could not read an organization trail, to be judged again when its owner's facts change;
//! - [`readiness`]: when everything known at first was polled once;
//! - [`told`]: one line of log for each change.

pub mod handover;
pub mod publisher;
pub mod readiness;
pub mod told;
pub mod unidentified;
pub mod waiting;

use std::sync::Arc;

use imbl::OrdMap;
use smallvec::SmallVec;

use crate::account::AccountId;
use crate::compliance::Standing;
use crate::directory::{Account, AccountKey};
use crate::labels::Labels;

pub use publisher::Publisher;

/// One account as published: what it is, how it stands, and its labels, rendered.
#[derive(Debug, Clone)]
pub struct AccountState {
    /// What it is.
    pub account: Arc<Account>,
    /// Its id, configured or told by its credentials.
    pub id: Option<AccountId>,
    /// How it stands.
    pub standing: Standing,
    /// The labels **A** of `docs/metrics.md`.
    pub labels: Labels,
    /// The labels **T** of each trail, in the order of [`Standing::trails`].
    pub trail_labels: SmallVec<[Labels; 1]>,
}

impl AccountState {
    /// An account as published; its labels are rendered here, once.
    pub fn new(account: Arc<Account>, id: Option<AccountId>, standing: Standing) -> Self {
        let labels = Labels::account(&account, id);
        let trails = standing.trails().iter().map(|held| &held.trail);
        Self {
            id,
            trail_labels: labels.trails(trails),
            labels,
            standing,
            account,
        }
    }
}

/// All accounts at one moment.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// By key; sharing is structural, so that a new snapshot copies none of the others.
    pub accounts: OrdMap<AccountKey, Arc<AccountState>>,
    /// Discovery was attempted and every account known then was polled once. Stays true.
    pub ready: bool,
    /// Accounts that the configuration asks for are known to be missing here.
    pub partial: bool,
    /// How many accounts the other shards have.
    pub elsewhere: usize,
}
