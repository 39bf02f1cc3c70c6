//! The envelope of an answer: what a success of AWS must be before the SDK may read it.
//!
//! The SDK takes every 2xx for a success, takes the last value of a key that is written twice, and
//! leaves null entries of a list out. Each would make facts of what AWS did not say.

use std::borrow::Cow;

use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};

mod json;
mod xml;

pub use json::check as check_json;
pub use xml::check as check_xml;

/// The domains that AWS's own endpoints lie in, one for each partition and kind of address.
const AWS_DOMAINS: [&str; 13] = [
    ".amazonaws.com",
    ".api.aws",
    ".amazonaws.com.cn",
    ".api.amazonwebservices.com.cn",
    ".amazonaws.eu",
    ".api.amazonwebservices.eu",
    ".c2s.ic.gov",
    ".api.aws.ic.gov",
    ".sc2s.sgov.gov",
    ".api.aws.scloud",
    ".cloud.adc-e.uk",
    ".csp.hci.ic.gov",
    ".api.aws.hci.ic.gov",
];

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
    /// A success other than 200.
    #[error("the reply has status {0} instead of 200")]
    Status(u16),
    /// An HTML page where AWS itself was asked.
    #[error("the reply is an HTML page")]
    Html,
    /// Compressed, although that was not asked for.
    #[error("the reply body has a content encoding")]
    Encoded,
    /// Not UTF-8.
    #[error("the reply body is not UTF-8")]
    NotUtf8,
    /// Not one JSON object and nothing else.
    #[error("the reply body is not one JSON object")]
    NotAnObject,
    /// Not one XML document with the root element of the operation.
    #[error("the reply body is not the XML document of the operation")]
    NotADocument,
    /// A key or an element is written twice.
    #[error("the reply body holds a key twice")]
    Doubled,
    /// A list in it holds null, which the SDK would leave out.
    #[error("the reply body holds null in a list")]
    NullInList,
}

/// What the answer to a request has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Envelope {
    body: Body,
    /// One of AWS's own endpoints is asked, which never answers with HTML; an emulator may.
    of_aws: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Body {
    /// CloudTrail and Organizations.
    Json,
    /// STS, and the name of the root element.
    Xml(String),
    /// Sources of credentials, each with a protocol of its own.
    Anything,
}

impl Envelope {
    /// The envelope of the answer to `request`.
    pub(super) fn of(request: &HttpRequest) -> Self {
        Self {
            body: Body::of(request),
            of_aws: is_of_aws(request.uri()),
        }
    }

    /// Whether the head of a success is that of an answer.
    pub(super) fn check_head(&self, answer: &HttpResponse) -> Result<(), BadReply> {
        let header = |name| answer.headers().get(name).unwrap_or_default();
        match answer.status().as_u16() {
            _ if self.body == Body::Anything => Ok(()),
            200 if self.of_aws && is_html(header("content-type")) => Err(BadReply::Html),
            200 if !is_plain(header("content-encoding")) => Err(BadReply::Encoded),
            200 => Ok(()),
            other => Err(BadReply::Status(other)),
        }
    }

    /// Whether the body of a success is that of an answer.
    pub(super) fn check_body(&self, content_type: &str, body: &[u8]) -> Result<(), BadReply> {
        if self.body == Body::Anything {
            return Ok(());
        }
        if !body.is_ascii() && !is_utf8(content_type) {
            return Err(BadReply::NotUtf8);
        }
        match &self.body {
            Body::Json => check_json(body),
            Body::Xml(root) => check_xml(body, root),
            Body::Anything => Ok(()),
        }
    }
}

impl Body {
    fn of(request: &HttpRequest) -> Self {
        let header = |name| request.headers().get(name).unwrap_or_default();
        if !header("x-amz-target").is_empty() {
            return Self::Json;
        }
        let form = header("content-type").starts_with("application/x-www-form-urlencoded");
        let action = request.body().bytes().filter(|_| form).and_then(action);
        action.map_or(Self::Anything, |action| {
            Self::Xml(format!("{action}Response"))
        })
    }
}

/// The operation that a form names.
fn action(form: &[u8]) -> Option<Cow<'_, str>> {
    let mut pairs = form.split(|byte| *byte == b'&');
    let action = pairs.find_map(|pair| pair.strip_prefix(b"Action="))?;
    Some(String::from_utf8_lossy(action))
}

/// Whether a URL names one of AWS's own endpoints.
fn is_of_aws(url: &str) -> bool {
    let (_, after) = url.split_once("://").unwrap_or(("", url));
    let host = after.split(['/', '?', ':']).next().unwrap_or_default();
    AWS_DOMAINS.iter().any(|domain| host.ends_with(domain))
}

fn is_html(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default();
    kind.trim().eq_ignore_ascii_case("text/html")
}

fn is_plain(content_encoding: &str) -> bool {
    let encoding = content_encoding.trim();
    encoding.is_empty() || encoding.eq_ignore_ascii_case("identity")
}

/// Whether a content type leaves the text in UTF-8, as it is unless said otherwise.
fn is_utf8(content_type: &str) -> bool {
    let parameters = content_type.split(';').skip(1).map(str::trim);
    let mut charsets = parameters.filter_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches('"');
        name.trim().eq_ignore_ascii_case("charset").then_some(value)
    });
    charsets.all(|charset| charset.eq_ignore_ascii_case("utf-8"))
}

#[cfg(test)]
mod tests;
