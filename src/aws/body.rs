//! Replies, read whole and within a bound before the SDK sees them.
//!
//! An HTTP client around the real one: it keeps the number of connections within their budget, reads
//! bodies whole, and hands on only those that have the [envelope](super::envelope) of an answer.

use std::sync::Arc;

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
use tokio::sync::Semaphore;

use crate::aws::envelope::{BadReply, Envelope};
use crate::aws::limits::CallLimits;

impl BadReply {
    /// Only what the network did is worth another attempt.
    fn into_connector_error(self) -> ConnectorError {
        match self {
            Self::CutShort => ConnectorError::io(self.into()),
            _ => ConnectorError::other(self.into(), None),
        }
    }
}

/// An HTTP client that hands on whole answers of bounded size.
#[derive(Debug)]
pub(super) struct WholeReplies {
    inner: SharedHttpClient,
    limit: usize,
    connections: Arc<Semaphore>,
}

impl WholeReplies {
    pub(super) fn new(inner: SharedHttpClient, limits: &CallLimits) -> Self {
        let connections = limits.connections.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            inner,
            limit: limits.body,
            connections: Arc::new(Semaphore::new(connections)),
        }
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
            connections: Arc::clone(&self.connections),
        })
    }
}

#[derive(Debug)]
struct Connector {
    inner: SharedHttpConnector,
    limit: usize,
    connections: Arc<Semaphore>,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (inner, limit) = (self.inner.clone(), self.limit);
        let connections = Arc::clone(&self.connections);
        let envelope = Envelope::of(&request);
        HttpConnectorFuture::new(async move {
            // Never closed, so that a connection is always had.
            let _connection = connections.acquire().await.ok();
            read_whole(inner.call(request).await?, limit, &envelope).await
        })
    }
}

async fn read_whole(
    mut response: HttpResponse,
    limit: usize,
    envelope: &Envelope,
) -> Result<HttpResponse, ConnectorError> {
    let body = if response.status().is_success() {
        success(&mut response, limit, envelope).await
    } else {
        // The status of a failure says enough.
        Ok(read(response.take_body(), limit).await.unwrap_or_default())
    };
    *response.body_mut() = SdkBody::from(body.map_err(BadReply::into_connector_error)?);
    Ok(response)
}

async fn success(
    response: &mut HttpResponse,
    limit: usize,
    envelope: &Envelope,
) -> Result<Bytes, BadReply> {
    envelope.check_head(response)?;
    let body = read(response.take_body(), limit).await?;
    let content_type = response.headers().get("content-type");
    envelope.check_body(content_type.unwrap_or_default(), &body)?;
    Ok(body)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_at_the_limit_is_read_and_one_byte_more_is_not() {
        let body = || SdkBody::from("12345");
        assert_eq!(read(body(), 5).await, Ok(Bytes::from("12345")));
        assert_eq!(read(body(), 4).await, Err(BadReply::TooLarge(4)));
    }
}
