//! The accounts of an organization: all of them, or those below given organizational units.
//!
//! A listing is whole or it fails: an account that is left out because a page was odd would vanish from the metrics.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_organizations::Client;
use aws_sdk_organizations::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_organizations::types::{Account, OrganizationalUnit};
use aws_smithy_runtime::client::retries::RetryPartition;

use self::pages::{Bounds, Pages, check_accounts, check_units};
use crate::account::AccountId;
use crate::aws::classify::Service;
use crate::aws::convert::Misshapen;
use crate::aws::fault::Failed;
use crate::aws::on_behalf::OnBehalf;
use crate::aws::pace::Pace;
use crate::aws::sdk::SdkAws;
use crate::aws::sts::{Role, secrets};
use crate::config::OrganizationsSettings;
use crate::directory::Member;
use crate::facts::Failure;

mod pages;

/// A session for the listing is narrowed to what it asks.
const SESSION_POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["organizations:ListAccounts","organizations:ListAccountsForParent","organizations:ListOrganizationalUnitsForParent"],"Resource":"*"}]}"#;
/// The longest a listing may take: the session it is made with ends then.
const LISTING: Duration = Duration::from_hours(1);

/// A listing that failed, in whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("listing the organization's accounts: {}: {detail}", failure.as_str())]
pub struct ListError {
    /// Why, in our words.
    pub failure: Failure,
    /// Code, message, status and request id in AWS's words, for the log.
    pub detail: String,
}

impl From<Failed> for ListError {
    fn from(failed: Failed) -> Self {
        Self {
            failure: failed.failure,
            detail: failed.detail,
        }
    }
}

impl SdkAws {
    /// The active accounts that the settings ask for, by id; their exclusions are the directory's business.
    pub async fn list_organization(
        &self,
        settings: &OrganizationsSettings,
    ) -> Result<Vec<Member>, ListError> {
        let listing = self.listing(settings).await?;
        let found = tokio::time::timeout(LISTING, listing.members(&settings.include_ous)).await;
        let found = found.unwrap_or_else(|_| Err(too_late()));
        if found
            .as_ref()
            .is_err_and(|failed| failed.failure == Failure::Credentials)
        {
            let own = self.clients().own();
            own.reject(&listing.credentials).await;
        }
        Ok(found?.into_values().collect())
    }

    async fn listing(&self, settings: &OrganizationsSettings) -> Result<Listing, Failed> {
        Ok(Listing {
            credentials: self.organization_credentials(settings).await?,
            client: self.clients().organizations(),
            retries: RetryPartition::custom("organizations").build(),
            pace: Arc::clone(&self.clients().organizations_pace),
        })
    }

    async fn organization_credentials(
        &self,
        settings: &OrganizationsSettings,
    ) -> Result<Credentials, Failed> {
        let Some(arn) = &settings.role else {
            let own = self.clients().own();
            return Ok(own.credentials().await?.credentials);
        };
        let role = Role {
            arn,
            external_id: settings.external_id.as_ref(),
            policy: SESSION_POLICY,
        };
        let clients = self.clients();
        let opened = clients.assume(&clients.region, None, &role).await?;
        Ok(opened.credentials)
    }
}

/// The accounts found so far.
type Members = BTreeMap<AccountId, Member>;

struct Listing {
    client: Client,
    credentials: Credentials,
    retries: RetryPartition,
    pace: Arc<Pace>,
}

impl Listing {
    async fn members(&self, units: &[String]) -> Result<Members, Failed> {
        if units.is_empty() {
            self.everybody().await
        } else {
            self.below(units).await
        }
    }

    async fn everybody(&self) -> Result<Members, Failed> {
        let (mut members, mut bounds) = (Members::new(), Bounds::new());
        let mut pages = Pages::new();
        while pages.more {
            let call = self.client.list_accounts().set_next_token(pages.token());
            let page = self.ask(call.send()).await?;
            let entries = take(page.accounts.as_deref(), None, &mut members)?;
            pages.turn(page.next_token, entries, &mut bounds)?;
            check_accounts(members.len())?;
        }
        Ok(members)
    }

    async fn below(&self, roots: &[String]) -> Result<Members, Failed> {
        let (mut members, mut bounds) = (Members::new(), Bounds::new());
        let mut seen: HashSet<String> = roots.iter().cloned().collect();
        let mut queue: VecDeque<String> = roots.iter().cloned().collect();
        bounds.add_units(seen.len())?;
        while let Some(parent) = queue.pop_front() {
            self.accounts_in(&parent, &mut members, &mut bounds).await?;
            for unit in self.units_in(&parent, &mut bounds).await? {
                if seen.insert(unit.clone()) {
                    queue.push_back(unit);
                    bounds.add_units(1)?;
                }
            }
        }
        Ok(members)
    }

    async fn accounts_in(
        &self,
        parent: &str,
        members: &mut Members,
        bounds: &mut Bounds,
    ) -> Result<(), Failed> {
        let mut pages = Pages::new();
        while pages.more {
            let call = self.client.list_accounts_for_parent().parent_id(parent);
            let page = self.ask(call.set_next_token(pages.token()).send()).await?;
            let entries = take(page.accounts.as_deref(), Some(parent), members)?;
            pages.turn(page.next_token, entries, bounds)?;
            check_accounts(members.len())?;
        }
        Ok(())
    }

    async fn units_in(&self, parent: &str, bounds: &mut Bounds) -> Result<Vec<String>, Failed> {
        let mut units = Vec::new();
        let mut pages = Pages::new();
        while pages.more {
            let call = self.client.list_organizational_units_for_parent();
            let call = call.parent_id(parent).set_next_token(pages.token());
            let page = self.ask(call.send()).await?;
            let page_units = page
                .organizational_units
                .ok_or_else(|| misshapen("a page has no OrganizationalUnits"))?;
            let entries = page_units.len();
            for unit in page_units {
                units.push(unit_id(unit)?);
            }
            pages.turn(page.next_token, entries, bounds)?;
            check_units(units.len())?;
        }
        Ok(units)
    }

    /// One call, at the account's pace; its retries too.
    async fn ask<T, E>(
        &self,
        sent: impl Future<Output = Result<T, SdkError<E>>>,
    ) -> Result<T, Failed>
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        self.pace.turn().await;
        let account = OnBehalf::new(
            self.credentials.clone(),
            self.retries.clone(),
            Arc::clone(&self.pace),
        );
        let answer = account.call(Box::pin(sent)).await;
        let secrets = secrets(&self.credentials);
        answer.map_err(|error| Failed::of(Service::Organizations, &error, &secrets))
    }
}

fn too_late() -> Failed {
    Failed::new(Failure::Timeout, "the listing took longer than an hour")
}

fn misshapen(wrong: &'static str) -> Failed {
    Failed::misshapen(Misshapen(wrong))
}

fn unit_id(unit: OrganizationalUnit) -> Result<String, Failed> {
    unit.id
        .filter(|id| !id.is_empty())
        .ok_or_else(|| misshapen("an organizational unit has no id"))
}

/// Takes the active accounts of a page, and tells how many it has in all.
fn take(
    page: Option<&[Account]>,
    parent: Option<&str>,
    members: &mut Members,
) -> Result<usize, Failed> {
    let page = page.ok_or_else(|| misshapen("a page has no Accounts"))?;
    for account in page {
        if is_active(account)? {
            let member = member(account, parent)?;
            members.insert(member.id, member);
        }
    }
    Ok(page.len())
}

/// `State` says it; `Status`, which AWS retired, where an older service is asked.
fn is_active(account: &Account) -> Result<bool, Failed> {
    #[allow(
        deprecated,
        reason = "emulators and older partitions still answer with it"
    )]
    let status = account.status().map(|status| status.as_str() == "ACTIVE");
    let state = account.state().map(|state| state.as_str() == "ACTIVE");
    state
        .or(status)
        .ok_or_else(|| misshapen("an account has neither State nor Status"))
}

fn member(account: &Account, parent: Option<&str>) -> Result<Member, Failed> {
    let id = account.id().and_then(|id| id.parse().ok());
    let name = account.name().filter(|name| !name.is_empty());
    Ok(Member {
        id: id.ok_or_else(|| misshapen("an account has no id of 12 digits"))?,
        name: name.map(Arc::from),
        organizational_unit: parent.map(Arc::from),
    })
}

#[cfg(test)]
mod tests;
