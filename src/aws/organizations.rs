//! The accounts of an organization: all of them, or those below given organizational units.
//!
//! A listing is whole or it fails: an account that is left out because a page was odd would vanish from the metrics.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::error::Error as StdError;
use std::sync::Arc;

use aws_credential_types::Credentials;
use aws_sdk_organizations::Client;
use aws_sdk_organizations::config::{Builder, Config};
use aws_sdk_organizations::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_organizations::types::{Account, OrganizationalUnit};

use crate::account::AccountId;
use crate::aws::classify::Service;
use crate::aws::convert::Misshapen;
use crate::aws::fault::Failed;
use crate::aws::sdk::SdkAws;
use crate::aws::setup::no_cache;
use crate::aws::sts::Role;
use crate::config::OrganizationsSettings;
use crate::directory::Member;
use crate::facts::Failure;

/// A session for the listing is narrowed to what it asks.
const SESSION_POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["organizations:ListAccounts","organizations:ListAccountsForParent","organizations:ListOrganizationalUnitsForParent"],"Resource":"*"}]}"#;
/// The most pages of one list. A page holds 20 accounts; 50,000 accounts are 2,500 pages.
const MAX_PAGES: usize = 10_000;
/// The most organizational units visited: twice AWS's quota for one organization.
const MAX_UNITS: usize = 4_000;

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
        let credentials = self.organization_credentials(settings);
        let credentials = credentials.await?;
        let listing = Listing {
            client: self.clients().organizations(),
            credentials,
        };
        let found = listing.members(&settings.include_ous).await;
        if found
            .as_ref()
            .is_err_and(|failed| failed.failure == Failure::Credentials)
        {
            let own = self.clients().own();
            own.reject(&listing.credentials).await;
        }
        Ok(found?.into_values().collect())
    }

    async fn organization_credentials(
        &self,
        settings: &OrganizationsSettings,
    ) -> Result<Credentials, Failed> {
        let Some(arn) = &settings.role else {
            let (credentials, _) = self.clients().own().credentials().await?;
            return Ok(credentials);
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
        let mut members = Members::new();
        let mut pages = Pages::new();
        while pages.more {
            let call = self.client.list_accounts().set_next_token(pages.token());
            let sent = call.customize().config_override(self.signed()).send();
            let page = heard(sent.await)?;
            take(page.accounts.as_deref(), None, &mut members)?;
            pages.turn(page.next_token)?;
        }
        Ok(members)
    }

    async fn below(&self, roots: &[String]) -> Result<Members, Failed> {
        let mut members = Members::new();
        let mut seen: HashSet<String> = roots.iter().cloned().collect();
        let mut queue: VecDeque<String> = roots.iter().cloned().collect();
        while let Some(parent) = queue.pop_front() {
            self.accounts_in(&parent, &mut members).await?;
            for unit in self.units_in(&parent).await? {
                if seen.insert(unit.clone()) {
                    queue.push_back(unit);
                }
            }
            if seen.len() > MAX_UNITS {
                return Err(misshapen("there is no end of organizational units"));
            }
        }
        Ok(members)
    }

    async fn accounts_in(&self, parent: &str, members: &mut Members) -> Result<(), Failed> {
        let mut pages = Pages::new();
        while pages.more {
            let call = self.client.list_accounts_for_parent().parent_id(parent);
            let call = call.set_next_token(pages.token()).customize();
            let page = heard(call.config_override(self.signed()).send().await)?;
            take(page.accounts.as_deref(), Some(parent), members)?;
            pages.turn(page.next_token)?;
        }
        Ok(())
    }

    async fn units_in(&self, parent: &str) -> Result<Vec<String>, Failed> {
        let mut units = Vec::new();
        let mut pages = Pages::new();
        while pages.more {
            let call = self.client.list_organizational_units_for_parent();
            let call = call.parent_id(parent).set_next_token(pages.token());
            let sent = call.customize().config_override(self.signed()).send();
            let page = heard(sent.await)?;
            let page_units = page
                .organizational_units
                .ok_or_else(|| misshapen("a page has no OrganizationalUnits"))?;
            for unit in page_units {
                units.push(unit_id(unit)?);
            }
            pages.turn(page.next_token)?;
        }
        Ok(units)
    }

    fn signed(&self) -> Builder {
        Config::builder()
            .credentials_provider(self.credentials.clone())
            .identity_cache(no_cache())
    }
}

fn heard<T, E>(answer: Result<T, SdkError<E>>) -> Result<T, Failed>
where
    E: ProvideErrorMetadata + StdError + 'static,
{
    answer.map_err(|error| Failed::of(Service::Organizations, &error))
}

fn misshapen(wrong: &'static str) -> Failed {
    Failed::misshapen(Misshapen(wrong))
}

fn unit_id(unit: OrganizationalUnit) -> Result<String, Failed> {
    unit.id
        .filter(|id| !id.is_empty())
        .ok_or_else(|| misshapen("an organizational unit has no id"))
}

/// Takes the active accounts of a page.
fn take(
    page: Option<&[Account]>,
    parent: Option<&str>,
    members: &mut Members,
) -> Result<(), Failed> {
    for account in page.ok_or_else(|| misshapen("a page has no Accounts"))? {
        if is_active(account)? {
            let member = member(account, parent)?;
            members.insert(member.id, member);
        }
    }
    Ok(())
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

/// Where a list of pages is. A page may be empty and not the last.
struct Pages {
    more: bool,
    token: Option<String>,
    turned: usize,
}

impl Pages {
    fn new() -> Self {
        Self {
            more: true,
            token: None,
            turned: 0,
        }
    }

    fn token(&self) -> Option<String> {
        self.token.clone()
    }

    /// Goes on to the page that `next` names. The same name twice in a row, or too many, is a list without an end.
    fn turn(&mut self, next: Option<String>) -> Result<(), Failed> {
        let next = next.filter(|token| !token.is_empty());
        self.turned += 1;
        if next.is_some() && (next == self.token || self.turned >= MAX_PAGES) {
            return Err(misshapen("there is no end of pages"));
        }
        self.more = next.is_some();
        self.token = next;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
