//! Reports that tell another identity than the directory knows. They wait for the directory, which
//! decides whose account it is: else one account would be published twice for a moment.

use std::collections::HashMap;
use std::sync::Arc;

use crate::directory::{Account, AccountKey, Directory, Found};
use crate::poller::Report;

/// The last such report of each account.
#[derive(Debug, Default)]
pub struct Unidentified(HashMap<AccountKey, Report>);

impl Unidentified {
    /// The report, unless it has to wait. It takes the place of one that waits.
    pub fn unless_new(&mut self, report: Report, account: &Arc<Account>) -> Option<Report> {
        self.0.remove(&report.key);
        if is_identified(&report, account) {
            return Some(report);
        }
        self.0.insert(report.key.clone(), report);
        None
    }

    /// The reports that need not wait any more; those of accounts that are gone are dropped.
    pub fn identified(&mut self, directory: &Directory) -> Vec<Report> {
        let mut identified = Vec::new();
        for (key, report) in std::mem::take(&mut self.0) {
            match directory.accounts.get(&key) {
                Some(account) if is_identified(&report, account) => identified.push(report),
                Some(_) => drop(self.0.insert(key, report)),
                None => {}
            }
        }
        identified
    }
}

/// Whether the directory knows what a report tells of its account's identity.
fn is_identified(report: &Report, account: &Account) -> bool {
    let known = account.found.map(Found::id);
    account.id.is_some() || report.identity.is_none() || report.identity == known
}
