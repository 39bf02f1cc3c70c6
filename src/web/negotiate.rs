//! Request headers, read as the lists they are.

use http::HeaderMap;
use http::header::HeaderName;

/// All values of a header as one list.
pub(super) fn joined(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let values = headers.get_all(name).iter();
    let texts: Vec<_> = values.filter_map(|v| v.to_str().ok()).collect();
    (!texts.is_empty()).then(|| texts.join(", "))
}
