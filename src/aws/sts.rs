//! STS in one Region: opens sessions and tells whose credentials are, at a pace that the calling account can bear.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sdk_sts::config::{Builder, Config};
use aws_sdk_sts::error::SdkError;
use aws_sdk_sts::operation::assume_role::{AssumeRoleError, AssumeRoleOutput};
use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityOutput;
use aws_sdk_sts::{Client, types};
use tokio::time::Instant;

use crate::account::{AccountId, Partition, RoleArn};
use crate::aws::aws_clock::{AwsClock, end_of};
use crate::aws::classify::Service;
use crate::aws::convert::Misshapen;
use crate::aws::fault::Failed;
use crate::aws::pace::Pace;
use crate::aws::setup::no_cache;
use crate::config::Secret;

/// How our sessions appear in the CloudTrail of the accounts they read.
const SESSION_NAME: &str = "cloudtrail-exporter";
/// The longest session every role allows, also one assumed from another role.
const DURATION_SECONDS: i32 = 3_600;
/// The shortest session STS knows, for whoever refuses the other.
const SHORTEST_SECONDS: i32 = 900;

/// STS in one Region.
#[derive(Debug)]
pub(super) struct Sts {
    client: Client,
    pace: Pace,
    partition: Partition,
    clock: AwsClock,
}

/// What to assume.
pub(super) struct Role<'a> {
    pub(super) arn: &'a RoleArn,
    pub(super) external_id: Option<&'a Secret>,
    /// What the session is narrowed to, whatever the role allows.
    pub(super) policy: &'static str,
}

/// A session that STS opened.
#[derive(Debug, Clone)]
pub(super) struct Opened {
    pub(super) credentials: Credentials,
    /// When the session ends.
    pub(super) end: Instant,
    pub(super) identity: AccountId,
}

impl Sts {
    pub(super) fn new(client: Client, pace: Pace, partition: Partition, clock: AwsClock) -> Self {
        Self {
            client,
            pace,
            partition,
            clock,
        }
    }

    /// Assumes a role with base credentials.
    pub(super) async fn assume(
        &self,
        base: &Credentials,
        role: &Role<'_>,
    ) -> Result<Opened, Failed> {
        let mut answer = self.ask_for(base, role, DURATION_SECONDS).await;
        if answer.as_ref().is_err_and(refuses_duration) {
            answer = self.ask_for(base, role, SHORTEST_SECONDS).await;
        }
        let answer = answer.map_err(|error| {
            let external_id = role.external_id.map(Secret::expose);
            let all: Vec<_> = secrets(base).into_iter().chain(external_id).collect();
            Failed::of(Service::Sts, &error, &all)
        })?;
        opened(answer, self.partition, self.clock.now()).map_err(Failed::misshapen)
    }

    /// Assumes a role that a profile names, to have base credentials.
    pub(super) async fn base_role(
        &self,
        with: &Credentials,
        arn: &str,
        external_id: Option<&Secret>,
        session_name: Option<&str>,
    ) -> Result<Credentials, Failed> {
        let external_id = external_id.map(Secret::expose);
        let call = self.client.assume_role();
        let call = call
            .role_arn(arn)
            .role_session_name(session_name.unwrap_or(SESSION_NAME))
            .set_external_id(external_id.map(str::to_owned));
        let answer = call
            .customize()
            .config_override(signed_by(with))
            .send()
            .await;
        let answer = answer.map_err(|error| {
            let all: Vec<_> = secrets(with).into_iter().chain(external_id).collect();
            Failed::of(Service::Sts, &error, &all)
        })?;
        given(answer.credentials).map_err(Failed::misshapen)
    }

    /// Assumes a role by the token of another identity provider.
    pub(super) async fn web_identity(
        &self,
        role_arn: &str,
        session_name: Option<&str>,
        token: &Secret,
    ) -> Result<Credentials, Failed> {
        let call = self.client.assume_role_with_web_identity();
        let call = call
            .role_arn(role_arn)
            .role_session_name(session_name.unwrap_or(SESSION_NAME))
            .web_identity_token(token.expose());
        let answer = call.send().await;
        let answer = answer.map_err(|error| Failed::of(Service::Sts, &error, &[token.expose()]))?;
        given(answer.credentials).map_err(Failed::misshapen)
    }

    async fn ask_for(
        &self,
        base: &Credentials,
        role: &Role<'_>,
        seconds: i32,
    ) -> Result<AssumeRoleOutput, SdkError<AssumeRoleError>> {
        self.pace.turn().await;
        let external_id = role.external_id.map(|id| id.expose().to_owned());
        self.client
            .assume_role()
            .role_arn(role.arn.as_str())
            .role_session_name(SESSION_NAME)
            .set_external_id(external_id)
            .policy(role.policy)
            .duration_seconds(seconds)
            .customize()
            .config_override(signed_by(base))
            .send()
            .await
    }

    /// Whose credentials these are.
    pub(super) async fn identity(&self, credentials: &Credentials) -> Result<AccountId, Failed> {
        self.pace.turn().await;
        let call = self.client.get_caller_identity().customize();
        let answer = call.config_override(signed_by(credentials)).send().await;
        let answer =
            answer.map_err(|error| Failed::of(Service::Sts, &error, &secrets(credentials)))?;
        caller(&answer, self.partition).map_err(Failed::misshapen)
    }
}

fn signed_by(credentials: &Credentials) -> Builder {
    Config::builder()
        .credentials_provider(credentials.clone())
        .identity_cache(no_cache())
}

fn refuses_duration(error: &SdkError<AssumeRoleError>) -> bool {
    let meta = error.as_service_error().map(AssumeRoleError::meta);
    meta.is_some_and(|meta| {
        meta.code() == Some("ValidationError")
            && meta
                .message()
                .is_some_and(|text| text.contains("DurationSeconds"))
    })
}

/// What no text about a call may hold that these sign.
pub(super) fn secrets(credentials: &Credentials) -> Vec<&str> {
    let all = [
        Some(credentials.secret_access_key()),
        credentials.session_token(),
    ];
    all.into_iter().flatten().collect()
}

/// The account of a caller. Emulators may leave out the ARN; where there is one it says the same.
fn caller(answer: &GetCallerIdentityOutput, partition: Partition) -> Result<AccountId, Misshapen> {
    let account = answer.account().and_then(|text| text.parse().ok());
    let account = account.ok_or(Misshapen("the answer has no account id"))?;
    let named = answer.arn().map(|arn| account_of(arn, partition));
    match named {
        Some(named) if named != Some(account) => {
            Err(Misshapen("the answer's ARN is not of its account"))
        }
        _ => Ok(account),
    }
}

fn opened(
    answer: AssumeRoleOutput,
    partition: Partition,
    aws_now: SystemTime,
) -> Result<Opened, Misshapen> {
    let user = answer
        .assumed_role_user
        .ok_or(Misshapen("the answer has no AssumedRoleUser"))?;
    let credentials = given(answer.credentials)?;
    let end = credentials.expiry().unwrap_or(aws_now);
    Ok(Opened {
        identity: account_of(user.arn(), partition)
            .ok_or(Misshapen("the ARN of AssumedRoleUser names no account"))?,
        end: end_of(end, aws_now, Instant::now()),
        credentials,
    })
}

fn given(credentials: Option<types::Credentials>) -> Result<Credentials, Misshapen> {
    let given = credentials.ok_or(Misshapen("the answer has no Credentials"))?;
    self::credentials(given)
}

/// The account in an ARN of this partition.
fn account_of(arn: &str, partition: Partition) -> Option<AccountId> {
    let after = arn.strip_prefix("arn:")?.strip_prefix(partition.as_str())?;
    let mut parts = after.strip_prefix(':')?.split(':');
    parts.nth(2)?.parse().ok()
}

fn credentials(given: types::Credentials) -> Result<Credentials, Misshapen> {
    let texts = [
        &given.access_key_id,
        &given.secret_access_key,
        &given.session_token,
    ];
    if texts.iter().any(|text| text.is_empty()) {
        return Err(Misshapen("the answer's Credentials are incomplete"));
    }
    let end = SystemTime::try_from(given.expiration)
        .map_err(|_| Misshapen("the answer's Credentials end at no time"))?;
    Ok(Credentials::new(
        given.access_key_id,
        given.secret_access_key,
        Some(given.session_token),
        Some(end),
        "AssumeRole",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_names_its_account() {
        let arn = "arn:aws-us-gov:sts::012345678901:assumed-role/read/cloudtrail-exporter";
        let account = "012345678901".parse().ok();
        assert_eq!(account_of(arn, Partition::AwsUsGov), account);
        assert_eq!(account_of(arn, Partition::Aws), None);
        for text in ["", "arn", "arn:aws:sts::x:y", "x:aws:sts::012345678901:y"] {
            assert_eq!(account_of(text, Partition::Aws), None, "{text}");
        }
    }

    #[test]
    fn an_answer_without_credentials_or_identity_is_misshapen() {
        let now = SystemTime::now();
        assert!(opened(AssumeRoleOutput::builder().build(), Partition::Aws, now).is_err());
        let user = types::AssumedRoleUser::builder()
            .arn("arn:aws:sts::012345678901:assumed-role/read/x")
            .assumed_role_id("AROA:x")
            .build()
            .expect("complete");
        let answer = AssumeRoleOutput::builder().assumed_role_user(user).build();
        assert!(opened(answer, Partition::Aws, now).is_err());
    }

    #[test]
    fn a_caller_whose_arn_is_of_another_account_or_partition_is_misshapen() {
        let answer = |arn: Option<&str>| {
            let answer = GetCallerIdentityOutput::builder().account("012345678901");
            let answer = answer.set_arn(arn.map(str::to_owned)).build();
            caller(&answer, Partition::Aws)
        };
        assert!(answer(None).is_ok());
        assert!(answer(Some("arn:aws:iam::012345678901:user/x")).is_ok());
        assert!(answer(Some("arn:aws:iam::210987654321:user/x")).is_err());
        assert!(answer(Some("arn:aws-cn:iam::012345678901:user/x")).is_err());
        assert!(answer(Some("nonsense")).is_err());
    }

    #[test]
    fn credentials_with_an_empty_part_are_misshapen() {
        let given = |token: &str| {
            types::Credentials::builder()
                .access_key_id("ASIA")
                .secret_access_key("secret")
                .session_token(token)
                .expiration(aws_sdk_sts::primitives::DateTime::from_secs(1_800_000_000))
                .build()
                .expect("complete")
        };
        assert!(credentials(given("token")).is_ok());
        assert!(credentials(given("")).is_err());
    }
}
