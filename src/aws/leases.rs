//! Whose credentials sign a call: opens sessions, renews them before their end and when AWS says that they are over, and proves each time whose they are.

use std::sync::Arc;

use tokio::time::Instant;

use crate::account::{AccountId, Region};
use crate::aws::CallError;
use crate::aws::clients::Clients;
use crate::aws::credentials::{Base, same};
use crate::aws::fault::Failed;
use crate::aws::renewal::renew_at;
use crate::aws::session::{Lease, Session, State};
use crate::aws::sts::{Opened, Role};
use crate::config::Access;
use crate::directory::Account;
use crate::facts::{Failure, Operation};

/// Sessions in accounts are narrowed to the three questions we ask, whatever the role allows.
const SESSION_POLICY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["cloudtrail:DescribeTrails","cloudtrail:GetEventSelectors","cloudtrail:GetTrailStatus"],"Resource":"*"}]}"#;

impl Clients {
    /// A poll begins: makes sure of credentials that are good for all of it, and tells whose they are.
    pub(super) async fn begin(&self, session: &Session) -> Result<AccountId, CallError> {
        let mut state = session.state.lock().await;
        if session.was_unknown() {
            self.doubt(&session.account, &mut state).await;
        }
        if let Some(distrusted) = state.take_distrusted() {
            self.look_again(&session.account, &distrusted).await;
        }
        let fresh = state.fresh(Instant::now()).cloned();
        let lease = match fresh {
            Some(lease) => lease,
            None => match self.renew(session, &mut state).await {
                Ok(lease) => lease,
                Err(error) => state.make_do(Instant::now()).ok_or(error)?,
            },
        };
        Ok(state.begin(&lease))
    }

    /// Credentials for one call of the poll under way.
    pub(super) async fn lease(
        &self,
        session: &Session,
        operation: Operation,
    ) -> Result<Lease, CallError> {
        let mut state = session.state.lock().await;
        let usable = state.usable(Instant::now()).cloned();
        let lease = match usable {
            Some(lease) => lease,
            None => self.renew(session, &mut state).await?,
        };
        match state.check(&lease) {
            Ok(()) => Ok(lease),
            Err(failed) => Err(failed.during(operation)),
        }
    }

    /// AWS says that credentials thought good are over. Whether the next lease may hold others.
    pub(super) async fn reject(&self, session: &Session, refused: &Lease) -> bool {
        if let Some(base) = self.base_of(&session.account) {
            base.reject(&refused.credentials).await;
        }
        session.state.lock().await.give_up(refused)
    }

    /// AWS knew the credentials of the last poll nowhere: the next one begins with others. A role is assumed anew; what is used as it is found is looked
    /// for again, and asked whose it is only if it is another.
    async fn doubt(&self, account: &Account, state: &mut State) {
        let Some(mut refused) = state.lease.take() else {
            return;
        };
        if let Some(base) = self.base_of(account) {
            base.reject(&refused.credentials).await;
            refused.renew_at = Instant::now();
            state.lease = Some(refused);
        }
    }

    /// Credentials that are used as they are found are looked for again: somebody may have
    /// corrected them.
    async fn look_again(&self, account: &Account, distrusted: &Lease) {
        if let Some(base) = self.base_of(account) {
            base.reject(&distrusted.credentials).await;
        }
    }

    /// The base credentials that an account's calls are signed with as they are found.
    fn base_of(&self, account: &Account) -> Option<Arc<Base>> {
        let profile = match &account.access {
            Access::Role { .. } => return None,
            Access::Profile(profile) => Some(profile),
            Access::Ambient => None,
        };
        Some(self.base(profile, account.regions.first()?))
    }

    async fn renew(&self, session: &Session, state: &mut State) -> Result<Lease, CallError> {
        // Boxed, since it is of many kilobytes that every call would else hold and move, and is rare.
        let opening = Box::pin(self.open(&session.account, state.lease.as_ref()));
        let lease = opening.await?;
        state.lease = Some(lease.clone());
        Ok(lease)
    }

    /// New credentials for an account, and whose they are.
    async fn open(&self, account: &Account, last: Option<&Lease>) -> Result<Lease, CallError> {
        let (opened, operation) = match &account.access {
            Access::Role {
                role,
                external_id,
                base_profile,
            } => {
                let role = Role {
                    arn: role,
                    external_id: external_id.as_ref(),
                    policy: SESSION_POLICY,
                };
                let opened = self.assume_in(account, base_profile.as_ref(), &role).await;
                (opened, Operation::AssumeRole)
            }
            Access::Profile(profile) => {
                let found = self.find(account, Some(profile), last).await;
                (found, Operation::GetCallerIdentity)
            }
            Access::Ambient => {
                let found = self.find(account, None, last).await;
                (found, Operation::GetCallerIdentity)
            }
        };
        opened.map_err(|failed| failed.during(operation))
    }

    async fn assume_in(
        &self,
        account: &Account,
        base_profile: Option<&Arc<str>>,
        role: &Role<'_>,
    ) -> Result<Lease, Failed> {
        let region = sts_region(account)?;
        let opened = self.assume(region, base_profile, role).await?;
        Ok(assumed(opened, Instant::now(), fastrand::f64()))
    }

    /// Assumes a role with base credentials; once more with others if AWS does not take those.
    pub(super) async fn assume(
        &self,
        region: &Region,
        base_profile: Option<&Arc<str>>,
        role: &Role<'_>,
    ) -> Result<Opened, Failed> {
        let (base, sts) = (
            self.base(base_profile, region),
            self.sts(base_profile, region),
        );
        let credentials = base.credentials().await?.credentials;
        let failed = match sts.assume(&credentials, role).await {
            Err(failed) if failed.failure == Failure::Credentials => failed,
            answer => return answer,
        };
        base.reject(&credentials).await;
        let others = base.credentials().await?.credentials;
        if same(&others, &credentials) {
            return Err(failed);
        }
        sts.assume(&others, role).await
    }

    /// Credentials that are used as they are found. Whose they are is asked only if they are not those of `last`.
    async fn find(
        &self,
        account: &Account,
        profile: Option<&Arc<str>>,
        last: Option<&Lease>,
    ) -> Result<Lease, Failed> {
        let region = sts_region(account)?;
        let base = self.base(profile, region);
        let current = base.credentials().await?;
        let credentials = current.credentials;
        let known = last.filter(|last| same(&last.credentials, &credentials));
        let identity = if let Some(last) = known {
            last.identity
        } else {
            let asked = self.sts(profile, region).identity(&credentials).await;
            if asked
                .as_ref()
                .is_err_and(|failed| failed.failure == Failure::Credentials)
            {
                base.reject(&credentials).await;
            }
            asked?
        };
        Ok(Lease {
            credentials,
            identity,
            end: current.end,
            renew_at: current.read_again,
        })
    }
}

fn sts_region(account: &Account) -> Result<&Region, Failed> {
    let none = || Failed::new(Failure::Other, "the account has no Region");
    account.regions.first().ok_or_else(none)
}

fn assumed(opened: Opened, now: Instant, spread: f64) -> Lease {
    Lease {
        renew_at: renew_at(now, opened.end, spread),
        end: Some(opened.end),
        credentials: opened.credentials,
        identity: opened.identity,
    }
}
