//! AWS's lines: the answers a script is made of, and the accounts they are about.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use cloudtrail_exporter::account::RoleArn;
use cloudtrail_exporter::compliance::{Check, Policy};
use cloudtrail_exporter::config::{Access, Secret};
use cloudtrail_exporter::directory::{Account, AccountKey, Source};

use crate::stage::{Asked, Reply};

pub(crate) const ID: &str = "012345678901";
pub(crate) const TRAIL: &str = "arn:aws:cloudtrail:eu-west-1:012345678901:trail/main";
const JSON: &str = "application/x-amz-json-1.1";

/// A success of CloudTrail or Organizations.
pub(crate) fn json(body: &str) -> Reply {
    Reply::Say(200, JSON, body.to_owned())
}

/// A failure of CloudTrail or Organizations.
pub(crate) fn refusal(status: u16, code: &str, message: &str) -> Reply {
    let body = format!(r#"{{"__type":"{code}","message":"{message}"}}"#);
    Reply::Say(status, JSON, body)
}

/// A failure of STS.
pub(crate) fn sts_refusal(status: u16, code: &str, message: &str) -> Reply {
    let body = format!(
        "<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"
    );
    Reply::Say(status, "text/xml", body)
}

/// A session in `account` that ends `seconds` from now; its key is `ASIA` and the number of the request.
pub(crate) fn session(asked: &Asked, account: &str, seconds: i64) -> Reply {
    let offset = Duration::from_secs(seconds.unsigned_abs());
    let end = if seconds < 0 {
        SystemTime::now() - offset
    } else {
        SystemTime::now() + offset
    };
    let (key, end) = (asked.nth, humantime(end));
    let body = format!(
        "<AssumeRoleResponse><AssumeRoleResult><AssumedRoleUser><AssumedRoleId>AROA:x</AssumedRoleId>\
         <Arn>arn:aws:sts::{account}:assumed-role/read/cloudtrail-exporter</Arn></AssumedRoleUser><Credentials>\
         <AccessKeyId>ASIA{key}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token{key}</SessionToken>\
         <Expiration>{end}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
    );
    Reply::Say(200, "text/xml", body)
}

fn humantime(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}

/// The answer of an account where all is well.
pub(crate) fn usual(asked: &Asked) -> Reply {
    match asked.operation.as_str() {
        "AssumeRole" => session(asked, ID, 3_600),
        "GetCallerIdentity" => Reply::Say(
            200,
            "text/xml",
            format!(
                "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>{ID}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
            ),
        ),
        "DescribeTrails" => json(&format!(
            r#"{{"trailList":[{{"Name":"main","TrailARN":"{TRAIL}","HomeRegion":"eu-west-1","IsMultiRegionTrail":true}}]}}"#
        )),
        "GetTrailStatus" => json(r#"{"IsLogging":true}"#),
        "GetEventSelectors" => json(r#"{"EventSelectors":[{"ReadWriteType":"All"}]}"#),
        other => refusal(400, "UnknownOperationException", other),
    }
}

/// An account reached like this.
pub(crate) fn account(access: Access) -> Arc<Account> {
    let id = ID.parse().expect("an account id");
    Arc::new(Account {
        key: AccountKey::Id(id),
        id: Some(id),
        found: None,
        name: None,
        partition: "aws".parse().expect("a partition"),
        source: Source::Config,
        organizational_unit: None,
        access,
        regions: vec!["eu-west-1".parse().expect("a Region")],
        interval: Duration::from_mins(5),
        policy: Arc::new(Policy {
            required: vec![Check::Logging],
            max_delivery_age: Duration::from_hours(3),
            stale_after: Duration::from_mins(15),
        }),
        max_trails: 100,
    })
}

pub(crate) fn role() -> RoleArn {
    format!("arn:aws:iam::{ID}:role/read")
        .parse()
        .expect("a role")
}

/// An account reached by a role.
pub(crate) fn by_role() -> Arc<Account> {
    account(Access::Role {
        role: role(),
        external_id: Some(Secret::new("the-external-id")),
        base_profile: None,
    })
}
