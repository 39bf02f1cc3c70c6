//! Answers and errors as they go on the wire, in the AWS JSON 1.1 and the Query (XML) protocol, and the ways a fault can spoil a whole answer.

use std::fmt::Write as _;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use crate::call::Service;

const JSON: &str = "application/x-amz-json-1.1";
const XML: &str = "text/xml";
const STS_NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";

/// An error of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AwsError {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
}

impl AwsError {
    /// An error of the caller's making, with the usual status 400.
    pub(crate) fn new(code: &str, message: impl Into<String>) -> Self {
        Self {
            status: 400,
            code: code.to_owned(),
            message: message.into(),
        }
    }

    /// An error that the two protocols name differently: STS with 403, the JSON services with 400.
    fn of(service: Service, query: &str, json: &str, message: impl Into<String>) -> Self {
        let (status, code) = if service.is_query() {
            (403, query)
        } else {
            (400, json)
        };
        Self {
            status,
            code: code.to_owned(),
            message: message.into(),
        }
    }

    pub(crate) fn access_denied(service: Service, message: impl Into<String>) -> Self {
        Self::of(service, "AccessDenied", "AccessDeniedException", message)
    }

    pub(crate) fn invalid_token(service: Service) -> Self {
        let message = "The security token included in the request is invalid.";
        Self::of(
            service,
            "InvalidClientTokenId",
            "UnrecognizedClientException",
            message,
        )
    }

    pub(crate) fn expired(service: Service) -> Self {
        Self::of(
            service,
            "ExpiredToken",
            "ExpiredTokenException",
            "The security token included in the request is expired",
        )
    }

    pub(crate) fn unsigned(service: Service) -> Self {
        Self::of(
            service,
            "MissingAuthenticationToken",
            "MissingAuthenticationTokenException",
            "Missing Authentication Token",
        )
    }

    pub(crate) fn skewed(service: Service, message: String) -> Self {
        Self::of(
            service,
            "SignatureDoesNotMatch",
            "InvalidSignatureException",
            message,
        )
    }

    pub(crate) fn throttled(service: Service) -> Self {
        let code = match service {
            Service::Sts => "Throttling",
            Service::Organizations => "TooManyRequestsException",
            Service::CloudTrail | Service::Other => "ThrottlingException",
        };
        Self::new(code, "Rate exceeded")
    }

    pub(crate) fn unknown_operation(service: Service, operation: &str) -> Self {
        if service.is_query() {
            return Self::new(
                "InvalidAction",
                format!("Could not find operation {operation} for version 2011-06-15"),
            );
        }
        Self::new("UnknownOperationException", "")
    }
}

/// What a service answers when all is well.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Payload {
    Json(Value),
    /// The inside of `<OperationResult>`.
    Xml(String),
}

/// How the body goes out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Pace {
    #[default]
    AtOnce,
    /// A byte, then this pause.
    Drip(Duration),
    /// Half, then nothing for ever.
    HangHalfway,
    /// Half, then the connection closes.
    CutHalfway,
    /// So many bytes of white space first.
    Padded(u64),
}

/// A whole HTTP answer, but for the `Date`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
    pub(crate) pace: Pace,
}

impl Reply {
    /// Any answer.
    pub(crate) fn plain(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            content_type: content_type.to_owned(),
            headers: Vec::new(),
            body: body.into(),
            pace: Pace::AtOnce,
        }
    }

    /// A JSON answer of our own.
    pub(crate) fn json(status: u16, value: &Value) -> Self {
        Self::plain(status, "application/json", value.to_string())
    }

    /// What a service answers.
    pub(crate) fn of(
        service: Service,
        operation: &str,
        request_id: &str,
        answer: Result<Payload, AwsError>,
    ) -> Self {
        let reply = match answer {
            Ok(Payload::Json(value)) => Self::plain(200, JSON, value.to_string()),
            Ok(Payload::Xml(result)) => {
                Self::plain(200, XML, envelope(operation, &result, request_id))
            }
            Err(error) => Self::error(service, request_id, &error),
        };
        reply.with("x-amzn-RequestId", request_id)
    }

    /// The protocol's own content type of a service.
    pub(crate) fn content_type_of(service: Service) -> &'static str {
        if service.is_query() { XML } else { JSON }
    }

    fn error(service: Service, request_id: &str, error: &AwsError) -> Self {
        if service.is_query() {
            return Self::plain(error.status, XML, error_envelope(error, request_id));
        }
        let body = serde_json::json!({"__type": error.code, message_field(error): error.message});
        Self::plain(error.status, JSON, body.to_string()).with("x-amzn-errortype", &error.code)
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn paced(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }

    pub(crate) fn with_body(self, body: impl Into<Bytes>) -> Self {
        Self {
            body: body.into(),
            ..self
        }
    }
}

/// Refusals of the authorization layer spell `Message`, errors of the service itself `message`.
fn message_field(error: &AwsError) -> &'static str {
    if error.code == "AccessDeniedException" {
        "Message"
    } else {
        "message"
    }
}

fn envelope(operation: &str, result: &str, request_id: &str) -> String {
    format!(
        "<{operation}Response xmlns=\"{STS_NAMESPACE}\"><{operation}Result>{result}</{operation}Result>\
         <ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>\n"
    )
}

fn error_envelope(error: &AwsError, request_id: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"{STS_NAMESPACE}\"><Error><Type>{}</Type>{}{}</Error><RequestId>{request_id}</RequestId></ErrorResponse>\n",
        if error.status < 500 {
            "Sender"
        } else {
            "Receiver"
        },
        element("Code", &error.code),
        element("Message", &error.message),
    )
}

/// `<name>value</name>`, escaped.
pub(crate) fn element(name: &str, value: &str) -> String {
    let mut text = format!("<{name}>");
    for character in value.chars() {
        match character {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            other => text.push(other),
        }
    }
    let _ = write!(text, "</{name}>");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn body(reply: &Reply) -> &str {
        std::str::from_utf8(&reply.body).unwrap()
    }

    #[test]
    fn an_sts_error_is_an_xml_document_with_a_code_and_a_request_id() {
        let reply = Reply::of(
            Service::Sts,
            "AssumeRole",
            "id-1",
            Err(AwsError::access_denied(Service::Sts, "a < b & c")),
        );
        assert_eq!((reply.status, &*reply.content_type), (403, "text/xml"));
        assert!(
            body(&reply).contains("<Code>AccessDenied</Code><Message>a &lt; b &amp; c</Message>")
        );
        assert!(body(&reply).contains("<RequestId>id-1</RequestId>"));
    }

    #[test]
    fn a_json_error_names_its_type_in_the_body_and_in_a_header() {
        let reply = Reply::of(
            Service::CloudTrail,
            "DescribeTrails",
            "id-1",
            Err(AwsError::throttled(Service::CloudTrail)),
        );
        let value: Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!(
            value,
            json!({"__type": "ThrottlingException", "message": "Rate exceeded"})
        );
        assert!(
            reply
                .headers
                .contains(&("x-amzn-errortype", "ThrottlingException".to_owned()))
        );
    }

    #[test]
    fn each_service_throttles_in_its_own_words() {
        let codes = [Service::Sts, Service::CloudTrail, Service::Organizations]
            .map(|service| AwsError::throttled(service).code);
        assert_eq!(
            codes,
            [
                "Throttling",
                "ThrottlingException",
                "TooManyRequestsException"
            ]
        );
    }

    #[test]
    fn a_query_answer_wraps_its_result() {
        let reply = Reply::of(
            Service::Sts,
            "GetCallerIdentity",
            "id-1",
            Ok(Payload::Xml(element("Account", "012345678901"))),
        );
        assert!(body(&reply).starts_with("<GetCallerIdentityResponse xmlns="));
        assert!(body(&reply).contains(
            "<GetCallerIdentityResult><Account>012345678901</Account></GetCallerIdentityResult>"
        ));
    }
}
