//! For whom a call is made: an account's credentials, its retry budget and its pace.
//!
//! One client serves every account of a Region. The task that makes a call brings the account along, and the client looks it up there: to override the
//! client's configuration for each call instead costs a seventh of the CPU of a poll. A call that is made without an account is refused before it
//! is sent.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_smithy_runtime::client::retries::RetryPartition;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::BeforeSerializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_types::config_bag::ConfigBag;

use crate::aws::pace::Pace;

tokio::task_local! {
    static ACCOUNT: OnBehalf;
}

/// What sets one account's calls apart from another's. For one call.
#[derive(Debug)]
pub(super) struct OnBehalf {
    pub(super) credentials: Credentials,
    pub(super) retries: RetryPartition,
    pub(super) pace: Arc<Pace>,
    /// The credentials were asked for before, so this is a retry.
    attempted: AtomicBool,
}

impl OnBehalf {
    pub(super) fn new(credentials: Credentials, retries: RetryPartition, pace: Arc<Pace>) -> Self {
        Self {
            credentials,
            retries,
            pace,
            attempted: AtomicBool::new(false),
        }
    }

    /// Makes a call for this account.
    pub(super) fn call<F: Future>(self, call: F) -> impl Future<Output = F::Output> {
        ACCOUNT.scope(self, call)
    }
}

/// What a client takes from the account that a call is made for.
#[derive(Debug, Clone, Copy)]
pub(super) struct FromAccount;

/// The credentials. The SDK asks for them before each attempt of a call, and for a retry it gets them at the account's pace.
impl ProvideCredentials for FromAccount {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let found = ACCOUNT.try_with(|account| {
            let retry = account.attempted.swap(true, Ordering::Relaxed);
            let pace = retry.then(|| Arc::clone(&account.pace));
            (account.credentials.clone(), pace)
        });
        match found {
            Ok((credentials, None)) => future::ProvideCredentials::ready(Ok(credentials)),
            Ok((credentials, Some(pace))) => future::ProvideCredentials::new(async move {
                pace.turn().await;
                Ok(credentials)
            }),
            Err(none) => future::ProvideCredentials::ready(Err(CredentialsError::not_loaded(none))),
        }
    }
}

/// The retry budget.
#[dyn_dispatch_hint]
impl Intercept for FromAccount {
    fn name(&self) -> &'static str {
        "FromAccount"
    }

    fn read_before_execution(
        &self,
        _context: &BeforeSerializationInterceptorContextRef<'_>,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let retries = ACCOUNT.try_with(|account| account.retries.clone())?;
        cfg.interceptor_state().store_put(retries);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use aws_sdk_cloudtrail::error::SdkError;
    use tokio::time::Instant;

    use super::*;

    fn account(key: &str) -> OnBehalf {
        let credentials = Credentials::new(key, "secret", None, None, "test");
        let retries = RetryPartition::custom("test").build();
        let pace = Arc::new(Pace::new(NonZeroU32::MIN));
        OnBehalf::new(credentials, retries, pace)
    }

    async fn key() -> Result<String, CredentialsError> {
        let credentials = FromAccount.provide_credentials().await?;
        Ok(credentials.access_key_id().to_owned())
    }

    #[tokio::test]
    async fn calls_side_by_side_have_the_credentials_of_their_own_accounts() {
        let [one, other] = ["ONE", "OTHER"].map(|name| {
            account(name).call(async {
                tokio::task::yield_now().await;
                key().await
            })
        });
        let (one, other) = tokio::join!(one, other);
        assert_eq!(one.ok().as_deref(), Some("ONE"));
        assert_eq!(other.ok().as_deref(), Some("OTHER"));
        assert!(key().await.is_err(), "nobody's call is left");
    }

    #[tokio::test(start_paused = true)]
    async fn a_retry_waits_for_a_turn() {
        let account = account("ONE");
        account.pace.turn().await;
        let began = Instant::now();
        let (first, retry) = account
            .call(async {
                key().await.expect("credentials");
                let first = began.elapsed();
                key().await.expect("credentials");
                (first, began.elapsed())
            })
            .await;
        assert_eq!([first, retry].map(|took| took.as_secs()), [0, 1]);
    }

    #[tokio::test]
    async fn a_call_for_nobody_is_refused_before_it_is_sent() {
        let nowhere = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        nowhere.set_nonblocking(true).expect("a socket");
        let url = format!("http://{}", nowhere.local_addr().expect("an address"));
        let config = aws_sdk_cloudtrail::Config::builder()
            .behavior_version_latest()
            .region(aws_sdk_cloudtrail::config::Region::from_static("us-east-1"))
            .endpoint_url(url)
            .credentials_provider(FromAccount)
            .interceptor(FromAccount);
        let client = aws_sdk_cloudtrail::Client::from_conf(config.build());
        let refused = client.describe_trails().send().await;
        assert!(
            matches!(refused, Err(SdkError::ConstructionFailure(_))),
            "{refused:?}"
        );
        let called = nowhere.accept().expect_err("nobody called");
        assert_eq!(called.kind(), std::io::ErrorKind::WouldBlock);
    }
}
