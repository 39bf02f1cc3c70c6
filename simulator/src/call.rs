//! A request as AWS reads it: which service and operation, signed by whom, with which input. Both protocols end in one JSON object of input fields.

use bytes::Bytes;
use hyper::Request;
use serde_json::{Map, Value};

use crate::names::AccountId;
use crate::sigv4::Signature;

/// A service of AWS, as far as we know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Service {
    Sts,
    CloudTrail,
    Organizations,
    Other,
}

/// The calls a trail auditor makes. Anything else trips the wire.
const EXPECTED: &[(Service, &str)] = &[
    (Service::Sts, "AssumeRole"),
    (Service::Sts, "GetCallerIdentity"),
    (Service::CloudTrail, "DescribeTrails"),
    (Service::CloudTrail, "GetTrailStatus"),
    (Service::CloudTrail, "GetEventSelectors"),
    (Service::Organizations, "ListAccounts"),
    (Service::Organizations, "ListAccountsForParent"),
    (Service::Organizations, "ListOrganizationalUnitsForParent"),
];

/// Says so if no service we know has this operation: a rule for it would never meet a request.
pub(crate) fn check_operation(name: &str) -> Result<(), String> {
    let known = EXPECTED.iter().any(|(_, operation)| *operation == name);
    known
        .then_some(())
        .ok_or_else(|| format!("no such operation: {name:?}"))
}

/// Says so if we know no service of this name.
pub(crate) fn check_service(name: &str) -> Result<(), String> {
    let known = EXPECTED.iter().any(|(service, _)| service.as_str() == name);
    known.then_some(()).ok_or_else(|| {
        format!("no such service: {name:?} (write sts, cloudtrail or organizations)")
    })
}

impl Service {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Sts => "sts",
            Self::CloudTrail => "cloudtrail",
            Self::Organizations => "organizations",
            Self::Other => "other",
        }
    }

    /// Whether it speaks the Query protocol (XML) and not JSON.
    pub(crate) fn is_query(self) -> bool {
        matches!(self, Self::Sts)
    }

    fn of_target(prefix: &str) -> Self {
        match prefix {
            "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101" | "CloudTrail_20131101" => {
                Self::CloudTrail
            }
            "AWSOrganizationsV20161128" => Self::Organizations,
            _ => Self::Other,
        }
    }
}

/// One call.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) service: Service,
    pub(crate) operation: String,
    pub(crate) signature: Option<Signature>,
    /// `None`: the body could not be read as the protocol's input.
    pub(crate) input: Option<Map<String, Value>>,
}

impl Call {
    /// Reads a request.
    pub(crate) fn read(request: &Request<Bytes>) -> Self {
        let signature = Signature::read(request.headers());
        match request
            .headers()
            .get("x-amz-target")
            .and_then(|target| target.to_str().ok())
        {
            Some(target) => Self::json(target, request.body(), signature),
            None => Self::query(request.body(), signature),
        }
    }

    fn json(target: &str, body: &[u8], signature: Option<Signature>) -> Self {
        let (prefix, operation) = target.rsplit_once('.').unwrap_or((target, ""));
        let input = if body.is_empty() {
            Some(Map::new())
        } else {
            serde_json::from_slice(body).ok()
        };
        Self {
            service: Service::of_target(prefix),
            operation: operation.to_owned(),
            signature,
            input,
        }
    }

    fn query(body: &[u8], signature: Option<Signature>) -> Self {
        let fields = form_urlencoded::parse(body);
        let input: Map<_, _> = fields
            .map(|(key, value)| (key.into_owned(), Value::String(value.into_owned())))
            .collect();
        let operation = input
            .get("Action")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        let is_sts = input.get("Version").and_then(Value::as_str) == Some("2011-06-15");
        let service = if is_sts { Service::Sts } else { Service::Other };
        Self {
            service,
            operation,
            signature,
            input: Some(input),
        }
    }

    /// A text field of the input.
    pub(crate) fn text(&self, field: &str) -> Option<&str> {
        self.input.as_ref()?.get(field)?.as_str()
    }

    /// A number of the input, which the Query protocol sends as text.
    pub(crate) fn number(&self, field: &str) -> Option<u64> {
        let value = self.input.as_ref()?.get(field)?;
        value.as_u64().or_else(|| value.as_str()?.parse().ok())
    }

    /// Whether a trail auditor makes this call.
    pub(crate) fn is_expected(&self) -> bool {
        EXPECTED
            .iter()
            .any(|(service, operation)| *service == self.service && *operation == self.operation)
    }

    /// The Region it was signed for.
    pub(crate) fn region(&self) -> &str {
        self.signature
            .as_ref()
            .map_or("", |signature| signature.region.as_str())
    }

    /// The service the signature names when the request itself names none we know.
    pub(crate) fn service_name(&self) -> &str {
        match (self.service, &self.signature) {
            (Service::Other, Some(signature)) => &signature.service,
            (service, _) => service.as_str(),
        }
    }

    /// The trail it asks about.
    pub(crate) fn trail(&self) -> Option<&str> {
        self.text("Name").or_else(|| self.text("TrailName"))
    }

    /// The account of the role it wants to assume.
    pub(crate) fn role_account(&self) -> Option<AccountId> {
        self.text("RoleArn")?.split(':').nth(4)?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(target: Option<&str>, body: &'static str) -> Call {
        let mut builder = Request::post("/");
        if let Some(target) = target {
            builder = builder.header("X-Amz-Target", target);
        }
        Call::read(&builder.body(Bytes::from_static(body.as_bytes())).unwrap())
    }

    #[test]
    fn a_json_call_is_named_by_its_target() {
        let call = request(
            Some("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.GetTrailStatus"),
            r#"{"Name": "main"}"#,
        );
        assert_eq!(
            (call.service, &*call.operation, call.trail()),
            (Service::CloudTrail, "GetTrailStatus", Some("main"))
        );
        assert!(call.is_expected());
    }

    #[test]
    fn a_query_call_is_named_by_its_form() {
        let call = request(
            None,
            "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A012345678901%3Arole%2Fx&DurationSeconds=900",
        );
        assert_eq!(
            (
                call.service,
                &*call.operation,
                call.number("DurationSeconds")
            ),
            (Service::Sts, "AssumeRole", Some(900))
        );
        assert_eq!(call.role_account(), "012345678901".parse().ok());
    }

    #[test]
    fn a_writing_call_is_not_expected() {
        let call = request(
            Some("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.StopLogging"),
            "{}",
        );
        assert!(!call.is_expected());
    }

    #[test]
    fn a_body_that_is_no_object_has_no_input() {
        assert_eq!(
            request(Some("AWSOrganizationsV20161128.ListAccounts"), "[1").input,
            None
        );
    }
}
