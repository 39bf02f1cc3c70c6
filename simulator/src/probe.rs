//! A client without a socket, for tests: it signs (as far as we look), asks the cloud at a time of its choosing, and reads the answer.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use hyper::Request;
use serde_json::{Value, json};

use crate::cloud::{Answer, Cloud, Outcome};
use crate::names::AccountId;
use crate::reply::Reply;
use crate::world::{DEFAULT_ACCESS_KEY, World};

/// 2026-01-31T12:00:00Z.
pub(crate) const START: u64 = 1_769_860_800;

pub(crate) struct Probe {
    pub(crate) cloud: Cloud,
    pub(crate) now: SystemTime,
    pub(crate) signed_at: Option<SystemTime>,
    access_key: String,
    token: Option<String>,
}

impl Probe {
    /// A world, its example key, and a clock at [`START`].
    pub(crate) fn new(world: &str) -> Self {
        let now = UNIX_EPOCH + Duration::from_secs(START);
        let cloud = Cloud::new(World::parse(world).unwrap(), now);
        Self {
            cloud,
            now,
            signed_at: None,
            access_key: DEFAULT_ACCESS_KEY.to_owned(),
            token: None,
        }
    }

    pub(crate) fn later(&mut self, by: Duration) -> &mut Self {
        self.now += by;
        self
    }

    /// From now on with the example key again.
    pub(crate) fn as_hub(&mut self) -> &mut Self {
        (self.access_key, self.token) = (DEFAULT_ACCESS_KEY.to_owned(), None);
        self
    }

    /// From now on with another access key.
    pub(crate) fn with_key(&mut self, access_key: &str) -> &mut Self {
        (self.access_key, self.token) = (access_key.to_owned(), None);
        self
    }

    /// Assumes the default role there; from now on with that session.
    pub(crate) fn enter(&mut self, account: &str) -> &mut Self {
        self.enter_with(account, "")
    }

    /// The same with more fields in the form.
    pub(crate) fn enter_with(&mut self, account: &str, more: &str) -> &mut Self {
        let (status, body) = self.as_hub().assume(account, more);
        assert_eq!(status, 200, "{body}");
        self.access_key = text(&body, "AccessKeyId");
        self.token = Some(text(&body, "SessionToken"));
        self
    }

    /// `AssumeRole` into the default role, in the main Region of the account's partition.
    pub(crate) fn assume(&mut self, account: &str, more: &str) -> (u16, String) {
        let id: AccountId = account.parse().unwrap();
        let partition = self
            .cloud
            .world
            .account(id)
            .map(|account| account.partition)
            .unwrap_or_default();
        let form = format!(
            "Action=AssumeRole&Version=2011-06-15&RoleSessionName=probe&RoleArn=arn:{partition}:iam::{account}:role/cloudtrail-exporter-read{more}"
        );
        self.sts(partition.default_regions()[0], &form)
    }

    pub(crate) fn sts(&mut self, region: &str, form: &str) -> (u16, String) {
        let reply = self.reply("sts", region, None, form.to_owned());
        (
            reply.status,
            String::from_utf8(reply.body.to_vec()).unwrap(),
        )
    }

    pub(crate) fn cloudtrail(&mut self, region: &str, operation: &str, input: &Value) -> Value {
        self.json(
            "cloudtrail",
            region,
            &format!("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.{operation}"),
            input,
        )
    }

    pub(crate) fn organizations(&mut self, operation: &str, input: &Value) -> Value {
        self.json(
            "organizations",
            "us-east-1",
            &format!("AWSOrganizationsV20161128.{operation}"),
            input,
        )
    }

    /// The trails `DescribeTrails` shows, by name.
    pub(crate) fn trails(&mut self, region: &str) -> Vec<String> {
        let answer = self.cloudtrail(region, "DescribeTrails", &json!({}));
        let list = answer["trailList"].as_array().cloned().unwrap_or_default();
        list.iter()
            .map(|trail| trail["Name"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    fn json(&mut self, service: &str, region: &str, target: &str, input: &Value) -> Value {
        let reply = self.reply(service, region, Some(target), input.to_string());
        serde_json::from_slice(&reply.body).unwrap()
    }

    fn reply(&mut self, service: &str, region: &str, target: Option<&str>, body: String) -> Reply {
        match self.ask(service, region, target, body).outcome {
            Outcome::Reply(reply) => reply,
            other => panic!("no answer but {other:?}"),
        }
    }

    /// Asks; the whole answer.
    pub(crate) fn ask(
        &mut self,
        service: &str,
        region: &str,
        target: Option<&str>,
        body: String,
    ) -> Answer {
        let signed = humantime::format_rfc3339_seconds(self.signed_at.unwrap_or(self.now))
            .to_string()
            .replace(['-', ':'], "");
        let scope = format!(
            "{}/20260131/{region}/{service}/aws4_request",
            self.access_key
        );
        let mut request = Request::post("/")
            .header(
                "authorization",
                format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"),
            )
            .header("x-amz-date", signed);
        request = target.into_iter().fold(request, |request, target| {
            request.header("x-amz-target", target)
        });
        request = self.token.iter().fold(request, |request, token| {
            request.header("x-amz-security-token", token)
        });
        self.cloud
            .answer(&request.body(Bytes::from(body)).unwrap(), self.now)
    }
}

/// What stands between `<name>` and `</name>`.
pub(crate) fn text(body: &str, name: &str) -> String {
    let (_, rest) = body.split_once(&format!("<{name}>")).unwrap_or_default();
    rest.split_once(&format!("</{name}>"))
        .unwrap_or_default()
        .0
        .to_owned()
}
