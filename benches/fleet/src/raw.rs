//! The leanest client that can be written: hyper, a signature, and a parse of what is needed. No retries, no deadlines, no rate, no metrics,
//! no look at what is odd: a floor, not an alternative.

use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use bytes::Bytes;
use futures_util::future::join;
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::sweep::{resident, sweep};
use crate::{ACCESS_KEY, Plan, SECRET_KEY};

const REGION: &str = "us-east-1";

struct Raw {
    client: Client<HttpConnector, Full<Bytes>>,
    url: String,
    base: Identity,
    accounts: Vec<(u64, Mutex<Option<Identity>>)>,
}

#[derive(Deserialize)]
struct Trails {
    #[serde(rename = "trailList")]
    list: Vec<Trail>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Trail {
    #[serde(rename = "TrailARN")]
    arn: String,
    home_region: String,
    #[serde(rename = "IsMultiRegionTrail")]
    multi_region: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Status {
    is_logging: bool,
    latest_delivery_time: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Selectors {
    event_selectors: Option<Vec<Value>>,
    advanced_event_selectors: Option<Vec<Value>>,
}

pub(crate) async fn run(plan: &Plan) -> Value {
    let bare = resident();
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let accounts = plan.ids().map(|id| (id, Mutex::default()));
    let raw = Arc::new(Raw {
        client: Client::builder(TokioExecutor::new()).build(connector),
        url: format!("{}/", plan.url),
        base: Credentials::new(ACCESS_KEY, SECRET_KEY, None, None, "bench").into(),
        accounts: accounts.collect(),
    });
    let mut sweeps = Vec::new();
    for _ in 0..plan.sweeps {
        let raw = Arc::clone(&raw);
        let places = raw.accounts.len();
        let poll = move |place| {
            let raw = Arc::clone(&raw);
            async move { raw.poll(place).await.unwrap_or(false) }
        };
        sweeps.push(sweep(places, plan.concurrency, poll).await);
    }
    json!({ "bare": bare, "sweeps": sweeps })
}

impl Raw {
    async fn poll(&self, place: usize) -> Option<bool> {
        let (id, held) = self.accounts.get(place)?;
        let session = held.lock().ok()?.clone();
        let session = if let Some(session) = session {
            session
        } else {
            let session = self.assume(*id).await?;
            *held.lock().ok()? = Some(session.clone());
            session
        };
        let trails: Trails = self
            .ask("DescribeTrails", "{}".to_owned(), &session)
            .await?;
        let [trail] = trails.list.as_slice() else {
            return None;
        };
        let status = json!({ "Name": trail.arn }).to_string();
        let selectors = json!({ "TrailName": trail.arn }).to_string();
        let (status, selectors) = join(
            self.ask::<Status>("GetTrailStatus", status, &session),
            self.ask::<Selectors>("GetEventSelectors", selectors, &session),
        )
        .await;
        let (status, selectors) = (status?, selectors?);
        let selected = selectors
            .event_selectors
            .or(selectors.advanced_event_selectors);
        Some(
            trail.multi_region
                && trail.home_region == REGION
                && status.is_logging
                && status.latest_delivery_time.is_some()
                && selected.is_some(),
        )
    }

    async fn assume(&self, account: u64) -> Option<Identity> {
        let form = format!(
            "Action=AssumeRole&Version=2011-06-15&RoleSessionName=bench&RoleArn=arn:aws:iam::{account}:role/cloudtrail-exporter-read"
        );
        let typed = [("content-type", "application/x-www-form-urlencoded")];
        let answer = self.send("sts", &typed, form, &self.base).await?;
        let answer = std::str::from_utf8(&answer).ok()?;
        let key = between(answer, "<AccessKeyId>", "</AccessKeyId>")?;
        let secret = between(answer, "<SecretAccessKey>", "</SecretAccessKey>")?;
        let token = between(answer, "<SessionToken>", "</SessionToken>")?.to_owned();
        Some(Credentials::new(key, secret, Some(token), None, "bench").into())
    }

    async fn ask<T: for<'a> Deserialize<'a>>(
        &self,
        operation: &str,
        body: String,
        session: &Identity,
    ) -> Option<T> {
        let target = format!("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.{operation}");
        let headers = [
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", target.as_str()),
        ];
        let answer = self.send("cloudtrail", &headers, body, session).await?;
        serde_json::from_slice(&answer).ok()
    }

    async fn send(
        &self,
        service: &str,
        headers: &[(&str, &str)],
        body: String,
        identity: &Identity,
    ) -> Option<Bytes> {
        let params = v4::SigningParams::builder()
            .identity(identity)
            .region(REGION)
            .name(service)
            .time(SystemTime::now())
            .settings(SigningSettings::default())
            .build()
            .ok()?
            .into();
        let signable = SignableBody::Bytes(body.as_bytes());
        let signable = SignableRequest::new("POST", &*self.url, headers.iter().copied(), signable);
        let (signature, _) = sign(signable.ok()?, &params).ok()?.into_parts();
        let mut request = Request::post(&self.url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Full::from(body)).ok()?;
        signature.apply_to_request_http1x(&mut request);
        let answer = self.client.request(request).await.ok()?;
        let good = answer.status().is_success();
        let body = answer.into_body().collect().await.ok()?.to_bytes();
        good.then_some(body)
    }
}

fn between<'a>(text: &'a str, open: &str, close: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(open)?;
    Some(rest.split_once(close)?.0)
}
