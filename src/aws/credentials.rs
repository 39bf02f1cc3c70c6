//! Base credentials: the exporter's own, or a profile's. Found by the SDK's chain, kept until they near their end, shared by all who need them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_sts::error::SdkError;
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_sdk_sts::operation::assume_role_with_web_identity::AssumeRoleWithWebIdentityError;
use tokio::sync::Mutex;

use crate::account::Region;
use crate::aws::classify::Service;
use crate::aws::fault::{Failed, causes, root_cause};
use crate::aws::setup::{Providers, sdk_region};
use crate::config::Secret;
use crate::facts::Failure;

/// Credentials without an end are read again after this, so that a rotated key is taken up; it is the SDK's own default.
const REREAD: Duration = Duration::from_mins(15);
/// Credentials with an end are read again so long before it; the metadata services offer new ones at least five minutes early.
const LEAD: Duration = Duration::from_mins(5);
/// The chain is asked no more often than this, whether it fails or keeps offering what nears its end: thousands of accounts share the answer.
const PAUSE: Duration = Duration::from_secs(10);

/// Base credentials: where they come from, and those found last.
#[derive(Debug)]
pub(super) struct Base {
    source: Source,
    /// The longest that a look-up may take.
    patience: Duration,
    held: Mutex<Option<Held>>,
}

/// Base credentials that need not be looked for, by profile (`None`: the exporter's own). Without any, AWS's own chain is searched.
#[derive(Debug, Clone, Default)]
pub struct GivenCredentials(BTreeMap<Option<Arc<str>>, Credentials>);

impl GivenCredentials {
    /// These, and a key pair for a profile.
    #[must_use]
    pub fn with(mut self, profile: Option<&str>, access_key_id: &str, secret: &Secret) -> Self {
        let given = Credentials::new(access_key_id, secret.expose(), None, None, "given");
        self.0.insert(profile.map(Arc::from), given);
        self
    }

    pub(super) fn of(&self, profile: Option<&Arc<str>>) -> Option<Credentials> {
        self.0.get(&profile.cloned()).cloned()
    }
}

/// Where base credentials come from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// The SDK's chain for the exporter's own, and where it asks STS.
    Own(Region, Providers),
    /// A profile of the shared AWS configuration, and where it asks STS.
    Profile(Arc<str>, Region, Providers),
    /// Given, not found.
    Given(Credentials),
}

#[derive(Debug)]
struct Held {
    found: Result<Credentials, Failed>,
    /// When the chain was asked.
    since: SystemTime,
    /// From then on it is asked again.
    until: SystemTime,
}

impl Base {
    pub(super) fn new(source: Source, patience: Duration) -> Self {
        Self {
            source,
            patience,
            held: Mutex::new(None),
        }
    }

    /// The credentials, and when they are worth reading again.
    pub(super) async fn credentials(&self) -> Result<(Credentials, SystemTime), Failed> {
        let mut held = self.held.lock().await;
        let now = SystemTime::now();
        if let Some(current) = held.as_ref().filter(|held| now < held.until) {
            return current.answer();
        }
        // A poll may give up here; what is held stays until the chain has answered.
        let found = self.find().await;
        let current = next(held.take(), found, now);
        held.insert(current).answer()
    }

    /// AWS does not take these any more: the chain is asked again, unless that was just done.
    pub(super) async fn reject(&self, refused: &Credentials) {
        if let Some(held) = self.held.lock().await.as_mut()
            && held.found.as_ref().is_ok_and(|found| same(found, refused))
        {
            held.until = held.until.min(held.since + PAUSE);
        }
    }

    /// Asks the chain; anew each time, since a chain never reads a file of profiles twice.
    async fn find(&self) -> Result<Credentials, Failed> {
        let find = async {
            let provider = self.source.provider().await;
            let found = provider.provide_credentials().await;
            found.map_err(|error| self.source.failed(&error))
        };
        let late = |_| {
            Failed::new(
                Failure::Credentials,
                "looking for credentials took too long",
            )
        };
        tokio::time::timeout(self.patience, find)
            .await
            .map_err(late)?
    }
}

impl Source {
    async fn provider(&self) -> SharedCredentialsProvider {
        match self {
            Self::Own(region, providers) => {
                let chain = DefaultCredentialsChain::builder().configure(providers.config(region));
                // The chain forgets the Region of its configuration, and would look for one in the environment and the metadata service.
                SharedCredentialsProvider::new(chain.region(sdk_region(region)).build().await)
            }
            Self::Profile(name, region, providers) => {
                let profile = ProfileFileCredentialsProvider::builder();
                let profile = profile.configure(&providers.config(region));
                SharedCredentialsProvider::new(profile.profile_name(name.as_ref()).build())
            }
            Self::Given(credentials) => SharedCredentialsProvider::new(credentials.clone()),
        }
    }
}

impl Source {
    /// Why there are no credentials; where they are those of a role, what STS said of it.
    fn failed(&self, error: &CredentialsError) -> Failed {
        let (failure, why) = match refused(error) {
            Some(failed) => (failed.failure, failed.detail),
            None => (Failure::Credentials, why(error)),
        };
        let failure = match (self, failure) {
            // It is not the accounts that refuse.
            (Self::Own(..), Failure::AccessDenied) => Failure::Credentials,
            _ => failure,
        };
        Failed::new(failure, format!("no credentials{self}: {why}"))
    }
}

/// What became of a call to STS that a provider made.
fn refused(error: &CredentialsError) -> Option<Failed> {
    causes(error).find_map(|cause| {
        let role = cause.downcast_ref::<SdkError<AssumeRoleError>>();
        let role = role.map(|error| Failed::of(Service::Sts, error));
        role.or_else(|| {
            let web = cause.downcast_ref::<SdkError<AssumeRoleWithWebIdentityError>>();
            web.map(|error| Failed::of(Service::Sts, error))
        })
    })
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own(..) | Self::Given(_) => Ok(()),
            Self::Profile(name, ..) => write!(f, " in the profile {name:?}"),
        }
    }
}

impl Held {
    fn answer(&self) -> Result<(Credentials, SystemTime), Failed> {
        let found = self.found.clone();
        found.map(|found| (found, self.until))
    }
}

fn why(error: &CredentialsError) -> String {
    if matches!(error, CredentialsError::CredentialsNotLoaded(_)) {
        return "none in the environment, the shared AWS configuration or a metadata service"
            .to_owned();
    }
    let cause = root_cause(error);
    // The SDK writes a service's words as a literal; what follows an escaped line break in them may quote a token.
    cause.split("\\n").next().unwrap_or_default().to_owned()
}

/// What to hold after a look-up: what it found; or what was found before, as long as that is good; or the failure, for a moment.
fn next(last: Option<Held>, found: Result<Credentials, Failed>, now: SystemTime) -> Held {
    let until = match &found {
        Ok(found) => reread_at(found, now),
        Err(_) => now + PAUSE,
    };
    let found = match (found, last) {
        (Err(_), Some(Held { found: Ok(old), .. })) if is_good(&old, now) => Ok(old),
        (found, _) => found,
    };
    Held {
        found,
        since: now,
        until,
    }
}

fn reread_at(found: &Credentials, now: SystemTime) -> SystemTime {
    match found.expiry() {
        Some(end) => (end - LEAD).max(now + PAUSE),
        None => now + REREAD,
    }
}

fn is_good(credentials: &Credentials, now: SystemTime) -> bool {
    credentials.expiry().is_none_or(|end| now < end)
}

/// The same key and the same session.
pub(super) fn same(one: &Credentials, other: &Credentials) -> bool {
    one.access_key_id() == other.access_key_id() && one.session_token() == other.session_token()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_hours(500_000)
    }

    fn credentials(expiry: Option<SystemTime>) -> Credentials {
        Credentials::new("AKIA", "secret", Some("token".to_owned()), expiry, "test")
    }

    fn failed() -> Failed {
        Failed::new(Failure::Credentials, "none")
    }

    #[test]
    fn credentials_are_read_again_before_their_end_and_not_all_the_time() {
        let at = |left: Duration| reread_at(&credentials(Some(now() + left)), now());
        assert_eq!(at(Duration::from_hours(1)), now() + Duration::from_mins(55));
        assert_eq!(at(Duration::from_mins(4)), now() + PAUSE);
        assert_eq!(reread_at(&credentials(None), now()), now() + REREAD);
    }

    #[test]
    fn a_failed_look_up_keeps_what_is_still_good() {
        let held = |expiry| {
            Some(Held {
                found: Ok(credentials(expiry)),
                since: now(),
                until: now(),
            })
        };
        let good = held(Some(now() + Duration::from_mins(1)));
        assert!(next(good, Err(failed()), now()).found.is_ok());
        assert!(next(held(None), Err(failed()), now()).found.is_ok());
        let over = held(Some(now()));
        assert_eq!(next(over, Err(failed()), now()).found, Err(failed()));
    }

    #[test]
    fn a_failure_is_held_for_a_moment() {
        let held = next(None, Err(failed()), now());
        assert_eq!((held.found, held.until), (Err(failed()), now() + PAUSE));
    }

    #[test]
    fn another_token_is_another_session() {
        let other = Credentials::new("AKIA", "secret", Some("other".to_owned()), None, "test");
        assert!(same(&credentials(None), &credentials(Some(now()))));
        assert!(!same(&credentials(None), &other));
    }
}
