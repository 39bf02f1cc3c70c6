//! STS: `AssumeRole` and `GetCallerIdentity`.

use std::time::{Duration, SystemTime};

use fastrand::Rng;

use crate::account::{Account, Role};
use crate::accounting::Assumption;
use crate::call::{Call, Service};
use crate::names::AccountId;
use crate::reply::{AwsError, Payload, element};
use crate::session_policy::SessionPolicy;
use crate::sessions::{Caller, Issued, Sessions, word};
use crate::world::World;

/// A session's length when none is asked for.
const USUAL_SESSION: Duration = Duration::from_hours(1);
/// The shortest session.
const SHORTEST_SESSION: Duration = Duration::from_mins(15);
/// The longest plain text of a session policy.
const LONGEST_POLICY: usize = 2_048;

/// What the answer needs besides the call.
pub(crate) struct Desk<'a> {
    pub(crate) world: &'a World,
    pub(crate) sessions: &'a mut Sessions,
    pub(crate) rng: &'a mut Rng,
    /// AWS's clock.
    pub(crate) now: SystemTime,
    /// The account a fault makes the answer speak of.
    pub(crate) identity: Option<AccountId>,
}

/// What a good `AssumeRole` asks for.
struct Wish<'a> {
    account: AccountId,
    world_account: &'a Account,
    role: &'a Role,
    session_name: &'a str,
    policy: Option<SessionPolicy>,
    length: Duration,
}

/// `GetCallerIdentity`.
pub(crate) fn get_caller_identity(caller: &Caller, identity: Option<AccountId>) -> Payload {
    let account = identity.unwrap_or(caller.account);
    let arn = caller
        .arn
        .replace(&caller.account.to_string(), &account.to_string());
    let account = account.to_string();
    Payload::Xml(
        [
            element("Arn", &arn),
            element("UserId", &caller.user_id),
            element("Account", &account),
        ]
        .concat(),
    )
}

/// What was asked for, for the record.
pub(crate) fn assumption(call: &Call, caller: Option<&Caller>) -> Assumption {
    let text = |field| call.text(field).map(ToOwned::to_owned);
    Assumption {
        role_arn: text("RoleArn").unwrap_or_default(),
        session_name: text("RoleSessionName").unwrap_or_default(),
        external_id: text("ExternalId"),
        policy: text("Policy"),
        duration_seconds: call.number("DurationSeconds"),
        region: call.region().to_owned(),
        caller: caller.map(|caller| caller.arn.clone()),
        granted: false,
    }
}

/// `AssumeRole`.
pub(crate) fn assume_role(
    desk: &mut Desk<'_>,
    call: &Call,
    caller: &Caller,
) -> Result<Payload, AwsError> {
    let wish = read(desk.world, call, caller)?;
    let partition = wish.world_account.partition;
    let account = desk.identity.unwrap_or(wish.account);
    let role = wish.role.name.rsplit('/').next().unwrap_or_default();
    let arn = format!(
        "arn:{partition}:sts::{account}:assumed-role/{role}/{}",
        wish.session_name
    );
    let user_id = format!(
        "AROA{}:{}",
        word(desk.rng, 17).to_uppercase(),
        wish.session_name
    );
    let packed = call
        .text("Policy")
        .map(|policy| policy.len() * 100 / LONGEST_POLICY);
    let session = Caller {
        account,
        partition,
        arn: arn.clone(),
        user_id: user_id.clone(),
        policy: wish.policy,
        is_session: true,
    };
    let length = desk.world.session_length.unwrap_or(wish.length);
    let issued = desk.sessions.issue(session, desk.now, length, desk.rng);
    Ok(Payload::Xml(granted(&arn, &user_id, &issued, packed)))
}

fn granted(arn: &str, user_id: &str, issued: &Issued, packed: Option<usize>) -> String {
    let user = [element("AssumedRoleId", user_id), element("Arn", arn)].concat();
    let credentials = [
        element("AccessKeyId", &issued.access_key),
        element("SecretAccessKey", &issued.secret_key),
        element("SessionToken", &issued.token),
        element(
            "Expiration",
            &humantime::format_rfc3339_seconds(issued.expires).to_string(),
        ),
    ];
    let packed = packed
        .map(|percent| element("PackedPolicySize", &percent.to_string()))
        .unwrap_or_default();
    format!(
        "<AssumedRoleUser>{user}</AssumedRoleUser><Credentials>{}</Credentials>{packed}",
        credentials.concat()
    )
}

/// Checks a wish in AWS's order: the shape of the request first, then whether the role may be assumed.
fn read<'a>(world: &'a World, call: &'a Call, caller: &Caller) -> Result<Wish<'a>, AwsError> {
    let role_arn = required(call, "RoleArn", "roleArn")?;
    let session_name = required(call, "RoleSessionName", "roleSessionName")?;
    check_session_name(session_name)?;
    let policy = call.text("Policy").map(read_policy).transpose()?;
    let (partition, account, name) =
        split(role_arn).ok_or_else(|| invalid(format!("{role_arn} is invalid")))?;
    let refused = || refusal(caller, role_arn);
    if caller
        .policy
        .as_ref()
        .is_some_and(|policy| !policy.allows("sts:AssumeRole"))
    {
        return Err(refused());
    }
    let world_account = world
        .account(account)
        .filter(|account| account.state == "ACTIVE");
    let world_account = world_account
        .filter(|account| account.partition.as_str() == partition)
        .ok_or_else(refused)?;
    let trusts = |role: &&Role| role.name == name && opens(role, call.text("ExternalId"));
    let role = world_account
        .roles
        .iter()
        .find(trusts)
        .ok_or_else(refused)?;
    let length = length(call, caller, role)?;
    Ok(Wish {
        account,
        world_account,
        role,
        session_name,
        policy,
        length,
    })
}

/// A role without an external ID opens whatever is sent; one with it only for that.
fn opens(role: &Role, external_id: Option<&str>) -> bool {
    role.external_id
        .as_deref()
        .is_none_or(|wanted| external_id == Some(wanted))
}

fn refusal(caller: &Caller, role_arn: &str) -> AwsError {
    let message = format!(
        "User: {} is not authorized to perform: sts:AssumeRole on resource: {role_arn}",
        caller.arn
    );
    AwsError::access_denied(Service::Sts, message)
}

fn required<'a>(call: &'a Call, field: &str, member: &str) -> Result<&'a str, AwsError> {
    call.text(field).ok_or_else(|| {
        invalid(format!("1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"))
    })
}

fn check_session_name(name: &str) -> Result<(), AwsError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    if (2..=64).contains(&name.len()) && name.bytes().all(allowed) {
        return Ok(());
    }
    Err(invalid(format!(
        "1 validation error detected: Value '{name}' at 'roleSessionName' failed to satisfy constraint: \
         Member must satisfy regular expression pattern: [\\w+=,.@-]*"
    )))
}

fn read_policy(text: &str) -> Result<SessionPolicy, AwsError> {
    if text.len() > LONGEST_POLICY {
        return Err(invalid(
            "1 validation error detected: Value at 'policy' failed to satisfy constraint: Member must have length less than or equal to 2048",
        ));
    }
    SessionPolicy::read(text).ok_or_else(|| {
        AwsError::new(
            "MalformedPolicyDocument",
            "The policy is not in the valid JSON format.",
        )
    })
}

fn length(call: &Call, caller: &Caller, role: &Role) -> Result<Duration, AwsError> {
    let Some(asked) = call.number("DurationSeconds").map(Duration::from_secs) else {
        return Ok(USUAL_SESSION);
    };
    if asked < SHORTEST_SESSION {
        return Err(invalid(format!(
            "1 validation error detected: Value '{}' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900",
            asked.as_secs()
        )));
    }
    if caller.is_session && asked > USUAL_SESSION {
        return Err(invalid(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        ));
    }
    if asked > role.max_session.unwrap_or(USUAL_SESSION) {
        return Err(invalid(
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ));
    }
    Ok(asked)
}

fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::new("ValidationError", message)
}

/// The partition, account and role of a role ARN.
fn split(arn: &str) -> Option<(&str, AccountId, &str)> {
    let mut parts = arn.splitn(6, ':');
    (parts.next()? == "arn").then_some(())?;
    let partition = parts.next()?;
    (parts.next()? == "iam" && parts.next()?.is_empty()).then_some(())?;
    let account = parts.next()?.parse().ok()?;
    Some((partition, account, parts.next()?.strip_prefix("role/")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::{Probe, text};

    const WORLD: &str = r#"
accounts:
  - { id: "100000000001", roles: [{ name: cloudtrail-exporter-read, external_id: s3cret }] }
  - { id: "100000000002" }
  - { id: "100000000003", state: SUSPENDED }
  - { id: "100000000004", partition: aws-us-gov }
"#;

    fn refusal(account: &str, more: &str) -> (u16, String) {
        let (status, body) = Probe::new(WORLD).assume(account, more);
        (status, text(&body, "Code"))
    }

    #[test]
    fn a_role_gives_credentials_that_are_the_role() {
        let mut probe = Probe::new(WORLD);
        let (_, body) = probe
            .enter("100000000002")
            .sts("eu-west-1", "Action=GetCallerIdentity&Version=2011-06-15");
        assert_eq!(text(&body, "Account"), "100000000002");
        assert_eq!(
            text(&body, "Arn"),
            "arn:aws:sts::100000000002:assumed-role/cloudtrail-exporter-read/probe"
        );
    }

    #[test]
    fn the_external_id_must_be_the_one_the_role_wants() {
        let denied = (403, "AccessDenied".to_owned());
        assert_eq!(refusal("100000000001", ""), denied);
        assert_eq!(refusal("100000000001", "&ExternalId=other"), denied);
        assert_eq!(
            refusal("100000000001", "&ExternalId=s3cret"),
            (200, String::new())
        );
    }

    #[test]
    fn a_closed_an_unknown_and_a_foreign_account_refuse_alike() {
        for account in ["100000000003", "999999999998"] {
            assert_eq!(
                refusal(account, ""),
                (403, "AccessDenied".to_owned()),
                "{account}"
            );
        }
        assert_eq!(
            refusal("100000000004", ""),
            (403, "InvalidClientTokenId".to_owned()),
            "keys do not cross partitions"
        );
    }

    #[test]
    fn a_session_lasts_as_long_as_asked_within_the_limits() {
        let mut probe = Probe::new(WORLD);
        let (_, body) = probe.assume("100000000002", "&DurationSeconds=900");
        assert_eq!(text(&body, "Expiration"), "2026-01-31T12:15:00Z");
        for seconds in ["899", "7200"] {
            let (status, body) =
                probe.assume("100000000002", &format!("&DurationSeconds={seconds}"));
            assert_eq!(
                (status, &*text(&body, "Code")),
                (400, "ValidationError"),
                "{seconds}"
            );
        }
    }

    #[test]
    fn a_session_policy_must_be_a_policy() {
        assert_eq!(
            refusal("100000000002", "&Policy={}"),
            (400, "MalformedPolicyDocument".to_owned())
        );
    }

    #[test]
    fn a_signature_from_another_time_is_refused_as_skewed() {
        let mut probe = Probe::new(WORLD);
        probe.signed_at = Some(probe.now - Duration::from_mins(10));
        let (status, body) = probe.assume("100000000002", "");
        assert_eq!(
            (status, &*text(&body, "Code")),
            (403, "SignatureDoesNotMatch")
        );
        assert!(text(&body, "Message").starts_with("Signature expired: "));
    }

    #[test]
    fn a_role_arn_is_taken_apart_and_anything_else_is_not() {
        let account = "012345678901".parse().unwrap();
        assert_eq!(
            split("arn:aws-us-gov:iam::012345678901:role/a/b"),
            Some(("aws-us-gov", account, "a/b"))
        );
        for arn in [
            "arn:aws:iam::1:role/x",
            "arn:aws:iam::012345678901:user/x",
            "arn:aws:sts::012345678901:role/x",
            "x",
        ] {
            assert_eq!(split(arn), None, "{arn}");
        }
    }

    #[test]
    fn a_session_name_has_two_to_sixty_four_of_the_allowed_characters() {
        assert!(check_session_name("exporter@host-1").is_ok());
        for name in ["x", "with space", &"x".repeat(65)] {
            assert_eq!(
                check_session_name(name).unwrap_err().code,
                "ValidationError",
                "{name}"
            );
        }
    }

    #[test]
    fn a_role_with_an_external_id_opens_for_that_alone() {
        let role = Role {
            name: "r".to_owned(),
            external_id: Some("s3cret".to_owned()),
            max_session: None,
        };
        assert!(opens(&role, Some("s3cret")));
        assert!(!opens(&role, Some("other")) && !opens(&role, None));
    }
}
