//! Responses, with the headers that every one of them carries.

use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{Response, StatusCode};

use super::body::Reply;

/// A response.
pub(super) type Answer = Response<Reply>;

/// Plain text.
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// A response with a body of some type. What we serve changes with every poll and is nobody else's to keep.
pub(super) fn answer(status: StatusCode, content_type: HeaderValue, body: Reply) -> Answer {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, content_type);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// One line of text.
pub(super) fn text(status: StatusCode, line: &str) -> Answer {
    answer(status, TEXT, Reply::whole(format!("{line}\n")))
}

/// 404.
pub(super) fn not_found() -> Answer {
    text(StatusCode::NOT_FOUND, "Not found.")
}

/// 405, with what is allowed.
pub(super) fn not_allowed(allowed: &'static str) -> Answer {
    let answer = text(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed.");
    with(answer, ALLOW, HeaderValue::from_static(allowed))
}

/// 503, for a client that should come again.
pub(super) fn busy(line: &str) -> Answer {
    let answer = text(StatusCode::SERVICE_UNAVAILABLE, line);
    with(answer, RETRY_AFTER, HeaderValue::from_static("1"))
}

/// The same answer with one more header.
pub(super) fn with(mut answer: Answer, name: HeaderName, value: HeaderValue) -> Answer {
    answer.headers_mut().insert(name, value);
    answer
}
