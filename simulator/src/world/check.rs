//! Whether a world makes sense as a whole: what a schema cannot say.

use crate::account::Account;
use crate::call::check_operation;
use crate::names::{AccountId, Partition};

use super::{Fleet, World, WorldError};

impl World {
    /// Says what is wrong with it, if anything is.
    pub fn check(&self) -> Result<(), WorldError> {
        for (id, account) in &self.accounts {
            check_account(account).map_err(|wrong| WorldError(format!("account {id}: {wrong}")))?;
        }
        for fleet in &self.fleets {
            check_fleet(fleet)
                .map_err(|wrong| WorldError(format!("fleet at {}: {wrong}", fleet.first_id)))?;
        }
        for fault in &self.faults {
            fault
                .check()
                .map_err(|wrong| WorldError(format!("fault {:?}: {wrong}", fault.name)))?;
        }
        self.check_organization().map_err(WorldError)?;
        self.check_changes()
    }

    fn check_organization(&self) -> Result<(), String> {
        let Some(organization) = &self.organization else {
            return Ok(());
        };
        let management = organization.management_account;
        if self.account(management).is_none() {
            return Err(format!(
                "organization: its management account {management} is no account of this world"
            ));
        }
        let parents = self
            .accounts
            .iter()
            .filter_map(|(id, account)| Some((*id, account.parent.as_deref()?)));
        match parents
            .into_iter()
            .find(|(_, parent)| !organization.has_parent(parent))
        {
            Some((id, parent)) => Err(format!(
                "account {id}: parent {parent:?} is neither the root nor a unit"
            )),
            None => Ok(()),
        }
    }

    fn check_changes(&self) -> Result<(), WorldError> {
        let mut trial = self.clone();
        for change in &self.changes {
            let after = humantime::format_duration(change.after);
            change
                .apply(&mut trial)
                .map_err(|wrong| WorldError(format!("change after {after}: {wrong}")))?;
            if change.every.is_some_and(|every| every.is_zero()) {
                return Err(WorldError(format!(
                    "change after {after}: `every` must be longer than nothing"
                )));
            }
        }
        Ok(())
    }
}

fn check_account(account: &Account) -> Result<(), String> {
    account
        .answers
        .keys()
        .try_for_each(|operation| check_operation(operation))?;
    for trail in &account.trails {
        if trail.name.is_empty() {
            return Err("a trail has no name".to_owned());
        }
        if Partition::of_region(&trail.home_region) != account.partition {
            return Err(format!(
                "trail {}: home_region {} is not in partition {}",
                trail.name, trail.home_region, account.partition
            ));
        }
    }
    Ok(())
}

fn check_fleet(fleet: &Fleet) -> Result<(), String> {
    let last = fleet
        .first_id
        .number()
        .checked_add(fleet.accounts.saturating_sub(1));
    if last.and_then(AccountId::new).is_none() {
        return Err("its last id has more than 12 digits".to_owned());
    }
    check_account(&fleet.like)
}
