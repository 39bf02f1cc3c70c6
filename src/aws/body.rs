//! Reply bodies, read whole and within a bound before the SDK sees them.
//!
//! The SDK reads a body without a limit and leaves null entries of a list out in silence. Both would make facts of what AWS did not say, so an
//! HTTP client around the real one refuses them.

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::Value;

/// The most objects in one reply. The longest real ones (a page of accounts, a trail's conditions) have some hundred; of empty ones the SDK would make
/// a hundred times the bytes that they are sent in.
const MOST_OBJECTS: usize = 16_384;

/// A success whose body is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadReply {
    /// Larger than the limit.
    #[error("the reply body is over {0} bytes")]
    TooLarge(usize),
    /// Made of more parts than any answer.
    #[error("the reply body holds over {0} objects")]
    TooMany(usize),
    /// The connection ended before the body did.
    #[error("the reply body was cut short")]
    CutShort,
    /// A list in it holds null, which the SDK would leave out.
    #[error("the reply body holds null in a list")]
    NullInList,
}

impl BadReply {
    /// Only what the network did is worth another attempt.
    fn into_connector_error(self) -> ConnectorError {
        match self {
            Self::CutShort => ConnectorError::io(self.into()),
            Self::TooLarge(_) | Self::TooMany(_) | Self::NullInList => {
                ConnectorError::other(self.into(), None)
            }
        }
    }
}

/// An HTTP client that hands on whole bodies of bounded size.
#[derive(Debug)]
pub(super) struct WholeReplies {
    inner: SharedHttpClient,
    limit: usize,
}

impl WholeReplies {
    pub(super) fn new(inner: SharedHttpClient, limit: usize) -> Self {
        Self { inner, limit }
    }
}

impl HttpClient for WholeReplies {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector {
            inner: self.inner.http_connector(settings, components),
            limit: self.limit,
        })
    }
}

#[derive(Debug)]
struct Connector {
    inner: SharedHttpConnector,
    limit: usize,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (answer, limit) = (self.inner.call(request), self.limit);
        HttpConnectorFuture::new(async move { read_whole(answer.await?, limit).await })
    }
}

async fn read_whole(
    mut response: HttpResponse,
    limit: usize,
) -> Result<HttpResponse, ConnectorError> {
    let success = response.status().is_success();
    let body = match read(response.take_body(), limit).await {
        Ok(body) if success && holds_too_many(&body) => Err(BadReply::TooMany(MOST_OBJECTS)),
        Ok(body) if success && holds_null_in_list(&body) => Err(BadReply::NullInList),
        Ok(body) => Ok(body),
        // The status of a failure says enough.
        Err(_) if !success => Ok(Bytes::new()),
        Err(bad) => Err(bad),
    };
    *response.body_mut() = SdkBody::from(body.map_err(BadReply::into_connector_error)?);
    Ok(response)
}

async fn read(body: SdkBody, limit: usize) -> Result<Bytes, BadReply> {
    let read = Limited::new(body, limit).collect().await;
    let whole = read.map_err(|error| {
        if error.is::<LengthLimitError>() {
            BadReply::TooLarge(limit)
        } else {
            BadReply::CutShort
        }
    });
    Ok(whole?.to_bytes())
}

/// Whether a JSON body may hold more than [`MOST_OBJECTS`].
fn holds_too_many(body: &[u8]) -> bool {
    let mut objects = body.iter().filter(|byte| **byte == b'{');
    body.len() > MOST_OBJECTS && objects.nth(MOST_OBJECTS).is_some()
}

/// Whether a JSON body holds null as an entry of a list. The usual body holds no null at all and is not parsed for it.
fn holds_null_in_list(body: &[u8]) -> bool {
    fn within(value: &Value) -> bool {
        match value {
            Value::Array(entries) => entries.iter().any(|entry| entry.is_null() || within(entry)),
            Value::Object(fields) => fields.values().any(within),
            _ => false,
        }
    }
    // As text, for that is searched many bytes at a time.
    std::str::from_utf8(body).is_ok_and(|text| {
        text.contains("null") && serde_json::from_str(text).is_ok_and(|value| within(&value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_in_a_list_is_found_at_any_depth() {
        for body in [
            r#"{"trailList":[null]}"#,
            r#"{"trailList":[{"Name":"a"},null]}"#,
            r#"{"a":{"b":[{"c":[1,null]}]}}"#,
            "[null]",
        ] {
            assert!(holds_null_in_list(body.as_bytes()), "{body}");
        }
    }

    #[test]
    fn null_in_a_field_or_a_text_is_no_null_in_a_list() {
        for body in [
            r#"{"trailList":[{"Name":null}]}"#,
            r#"{"trailList":["null"]}"#,
            r#"{"trailList":null}"#,
            "{}",
            "",
            "<null/>",
            "[null",
        ] {
            assert!(!holds_null_in_list(body.as_bytes()), "{body}");
        }
    }

    #[tokio::test]
    async fn a_body_at_the_limit_is_read_and_one_byte_more_is_not() {
        let body = || SdkBody::from("12345");
        assert_eq!(read(body(), 5).await, Ok(Bytes::from("12345")));
        assert_eq!(read(body(), 4).await, Err(BadReply::TooLarge(4)));
    }
}
