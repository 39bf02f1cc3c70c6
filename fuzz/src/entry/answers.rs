//! AWS's answers, from bytes to a verdict: never a panic, and neither "no" nor an all-clear of what
//! is no answer.
//!
//! The input is the answers to `DescribeTrails`, `GetTrailStatus`, `GetEventSelectors` and
//! `AssumeRole`, with a line `----` between two. One that begins with a line `HTTP STATUS TYPE` has
//! that status and content type. One that is empty or not there is a good answer.

use std::cell::{OnceCell, RefCell};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use cloudtrail_exporter::aws::Aws;
use cloudtrail_exporter::aws::credentials::GivenCredentials;
use cloudtrail_exporter::aws::limits::CallLimits;
use cloudtrail_exporter::aws::sdk::SdkAws;
use cloudtrail_exporter::aws::session::Session;
use cloudtrail_exporter::compliance::{State, evaluate};
use cloudtrail_exporter::config::{Access, AwsSettings, EndpointsByProfile, Secret};
use cloudtrail_exporter::facts::{RegionAnswer, TrailFacts};
use cloudtrail_exporter::self_metrics::{Build, SelfMetrics};

use super::node::Node;
use crate::fixture;
use crate::fixtures::{asked, now, rule};

const ID: u64 = 12_345_678_901;
const TRAIL: &str = "arn:aws:cloudtrail:us-east-1:012345678901:trail/main";
/// What is asked, in the order of the parts.
const OPERATIONS: [&str; 4] = [
    "DescribeTrails",
    "GetTrailStatus",
    "GetEventSelectors",
    "AssumeRole",
];
/// Trails asked about; a list may be long.
const MOST_TRAILS: usize = 3;

/// The answers of one run.
#[derive(Debug, Clone)]
struct Script([Answer; 4]);

#[derive(Debug, Clone)]
struct Answer {
    status: u16,
    content_type: String,
    body: Vec<u8>,
}

/// What is made once for all runs: clients are dear.
struct Stand {
    runtime: tokio::runtime::Runtime,
    aws: SdkAws,
}

thread_local! {
    static STAND: OnceCell<Stand> = const { OnceCell::new() };
    /// What AWS answers in the run under way.
    static SCRIPT: RefCell<Option<Script>> = const { RefCell::new(None) };
}

impl Stand {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let aws = runtime.block_on(adapter());
        Self { runtime, aws }
    }
}

pub fn run(data: &[u8]) {
    let script = Script::of(data);
    SCRIPT.set(Some(script.clone()));
    STAND.with(|stand| {
        let stand = stand.get_or_init(Stand::new);
        stand.runtime.block_on(judge(&stand.aws, &script));
    });
}

async fn judge(aws: &SdkAws, script: &Script) {
    let mut account = fixture::account(ID, "fuzzed");
    account.access = Access::Role {
        role: "arn:aws:iam::012345678901:role/read"
            .parse()
            .expect("a role"),
        external_id: None,
        base_profile: None,
    };
    let region = account.regions[0].clone();
    let session = aws.open(&Arc::new(account));
    let Ok(identity) = aws.identify(&session).await else {
        return;
    };
    let opened = script.answer("AssumeRole");
    assert!(
        opened.status == 200,
        "a session of a status {}",
        opened.status
    );
    assert!(String::from_utf8_lossy(&opened.body).contains(&identity.to_string()));
    let (answer, heard) = match aws.describe_trails(&session, &region).await {
        Err(error) => (RegionAnswer::Failed(error.failure), Vec::new()),
        Ok(list) => {
            let listed = script.entries().expect("a list of something that lists");
            assert_eq!(listed, list.trails.len() + list.malformed);
            let mut heard = Vec::new();
            for trail in list.trails.into_iter().take(MOST_TRAILS) {
                let mut facts = fixture::trail(ID, "main");
                facts.trail = trail;
                ask(aws, &session, script, &mut facts).await;
                heard.push(facts);
            }
            (
                if list.malformed == 0 {
                    RegionAnswer::Whole
                } else {
                    RegionAnswer::Partial
                },
                heard,
            )
        }
    };
    let whole = answer == RegionAnswer::Whole;
    let facts = asked([("us-east-1", answer)], heard);
    let state = evaluate(&facts, &rule(), now()).verdict.state;
    script.check(state, whole);
}

/// Asks about one trail; an answer must be one.
async fn ask(aws: &SdkAws, session: &Session, script: &Script, facts: &mut TrailFacts) {
    let region = "us-east-1".parse().expect("a Region");
    let arn = facts.trail.arn.clone();
    let status = aws.trail_status(session, &region, &arn).await;
    if let Ok(status) = &status {
        let said = script.said("GetTrailStatus").expect("an answer");
        let logging = said.get("IsLogging").map(Node::is_true);
        assert_eq!(Some(status.logging), logging, "{said:?}");
    }
    facts.status = status.map_err(|error| error.failure);
    let selectors = aws.event_selectors(session, &region, &arn).await;
    if selectors.is_ok() {
        let said = script.said("GetEventSelectors").expect("an answer");
        let lists = ["EventSelectors", "AdvancedEventSelectors"];
        assert!(
            lists.iter().any(|list| said.get(list).is_some()),
            "{said:?}"
        );
    }
    facts.selectors = selectors.map_err(|error| error.failure);
}

impl Script {
    fn of(data: &[u8]) -> Self {
        let mut parts = parts(data).into_iter();
        Self(OPERATIONS.map(|operation| {
            let part = parts.next().filter(|part| !part.is_empty());
            part.map_or_else(|| good(operation), Answer::of)
        }))
    }

    fn answer(&self, operation: &str) -> &Answer {
        let place = OPERATIONS.iter().position(|known| *known == operation);
        &self.0[place.expect("one of the four")]
    }

    /// What an operation was answered, if that is an answer by the letter.
    fn said(&self, operation: &str) -> Option<Node> {
        let answer = self.answer(operation);
        let kind = answer.content_type.to_ascii_lowercase();
        let html = kind
            .split(';')
            .next()
            .is_some_and(|kind| kind.trim() == "text/html");
        (answer.status == 200 && !html)
            .then(|| Node::answer(&answer.body))
            .flatten()
    }

    fn list(&self) -> Option<Vec<Node>> {
        match self.said("DescribeTrails")? {
            Node::Object(fields) => fields.into_iter().find_map(|(key, value)| match value {
                Node::List(list) if key == "trailList" => Some(list),
                _ => None,
            }),
            _ => None,
        }
    }

    /// How many entries the list of trails has, if there is one.
    fn entries(&self) -> Option<usize> {
        self.list().map(|list| list.len())
    }

    /// A verdict stands on what was said.
    fn check(&self, state: State, whole: bool) {
        let list = self.list();
        let multi_region =
            |entry: &Node| entry.get("IsMultiRegionTrail").is_some_and(Node::is_true);
        let some = list.iter().flatten().any(multi_region);
        let logging = self.said("GetTrailStatus");
        let logging = logging.as_ref().and_then(|said| said.get("IsLogging"));
        match state {
            State::Compliant => {
                assert!(some && logging.is_some_and(Node::is_true), "{self:?}");
            }
            State::NonCompliant => {
                let stopped = logging.is_some_and(|logging| !logging.is_true());
                assert!(whole && list.is_some() && (!some || stopped), "{self:?}");
            }
            State::Unknown => {}
        }
    }
}

/// The parts between lines of `----`.
fn parts(data: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    let mut rest = data;
    let line = b"\n----\n";
    while let Some(at) = rest.windows(line.len()).position(|bytes| bytes == line) {
        parts.push(&rest[..at]);
        rest = &rest[at + line.len()..];
    }
    parts.push(rest);
    parts
}

impl Answer {
    fn of(part: &[u8]) -> Self {
        let named = part.strip_prefix(b"HTTP ").and_then(|part| {
            let end = part.iter().position(|byte| *byte == b'\n')?;
            let (head, body) = (std::str::from_utf8(&part[..end]).ok()?, &part[end + 1..]);
            let (status, kind) = head.split_once(' ').unwrap_or((head, ""));
            let status = status
                .parse()
                .ok()
                .filter(|status| (200..600).contains(status))?;
            Some(Self::new(status, kind, body))
        });
        named.unwrap_or_else(|| Self::new(200, "", part))
    }

    fn new(status: u16, content_type: &str, body: &[u8]) -> Self {
        Self {
            status,
            content_type: content_type.to_owned(),
            body: body.to_vec(),
        }
    }

    fn response(&self) -> HttpResponse {
        let status = StatusCode::try_from(self.status).expect("from 200 to 599");
        let mut response = HttpResponse::new(status, SdkBody::from(self.body.clone()));
        let headers = response.headers_mut();
        let _ = headers.try_insert("content-type", self.content_type.clone());
        response
    }
}

/// A good answer.
fn good(operation: &str) -> Answer {
    let body = match operation {
        "DescribeTrails" => format!(
            r#"{{"trailList":[{{"Name":"main","TrailARN":"{TRAIL}","HomeRegion":"us-east-1",
            "IsMultiRegionTrail":true}}]}}"#
        ),
        "GetTrailStatus" => r#"{"IsLogging":true}"#.to_owned(),
        "GetEventSelectors" => r#"{"EventSelectors":[{"ReadWriteType":"All"}]}"#.to_owned(),
        _ => "<AssumeRoleResponse><AssumeRoleResult><AssumedRoleUser><AssumedRoleId>AROA:x\
              </AssumedRoleId><Arn>arn:aws:sts::012345678901:assumed-role/read/x</Arn>\
              </AssumedRoleUser><Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s\
              </SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z\
              </Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
            .to_owned(),
    };
    Answer::new(200, "", body.as_bytes())
}

async fn adapter() -> SdkAws {
    let build = Build {
        version: "0",
        revision: "0",
        rustc: "0",
        target: "0",
    };
    let metrics = SelfMetrics::new(build).expect("metrics");
    let settings = AwsSettings {
        region: "us-east-1".parse().expect("a Region"),
        endpoint_url: None,
        use_fips: false,
        max_attempts: 1,
        by_profile: EndpointsByProfile::default(),
    };
    let often = NonZeroU32::new(20_000).expect("not zero");
    let limits = CallLimits {
        calls_per_second: often,
        sts_per_second: often,
        operation: Duration::from_mins(1),
        ..CallLimits::default()
    };
    let key = GivenCredentials::default().with(None, "AKIAFUZZ", &Secret::new("made-up"));
    let http = SharedHttpClient::new(Played);
    let adapter = SdkAws::over(http, &settings, metrics, limits, key).await;
    adapter.expect("a way to AWS")
}

/// AWS, by the script of the run.
#[derive(Debug, Clone)]
struct Played;

impl HttpClient for Played {
    fn http_connector(
        &self,
        _: &HttpConnectorSettings,
        _: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Played {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request
            .headers()
            .get("x-amz-target")
            .unwrap_or("STS.AssumeRole");
        let operation = target.rsplit('.').next().unwrap_or_default();
        let script = SCRIPT.with_borrow(Clone::clone).expect("a script");
        HttpConnectorFuture::ready(Ok(script.answer(operation).response()))
    }
}
