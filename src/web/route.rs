//! Which request is answered by what: pure.

use http::Method;

/// Where the exposition is served: an absolute path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TelemetryPath(String);

impl TelemetryPath {
    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for TelemetryPath {
    fn default() -> Self {
        Self("/metrics".into())
    }
}

impl std::str::FromStr for TelemetryPath {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"/-._~".contains(&b);
        if !text.starts_with('/') || !text.bytes().all(allowed) {
            return Err(format!(
                "{text:?} is not a path: write /metrics, or another path of letters, digits and -._~/"
            ));
        }
        if text.starts_with("/-/") || text.starts_with("/api/") || text.starts_with("/accounts/") {
            return Err(format!(
                "{text} is taken by another page: write another path"
            ));
        }
        Ok(Self(text.into()))
    }
}

/// What answers a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// The exposition.
    Metrics,
    /// The fleet, for people.
    Index,
    /// One account, for people.
    Account,
    /// The fleet, for scripts.
    ApiAccounts,
    /// One account, for scripts.
    ApiAccount,
    /// Alive.
    Healthy,
    /// Everything polled once.
    Ready,
    /// Read the configuration again.
    Reload,
}

/// Why nothing answers a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Missed {
    /// No such path.
    NotFound,
    /// Not by this method; these are allowed.
    Method(Route, &'static str),
}

impl Route {
    /// The value of the `handler` label.
    pub(super) fn handler(self) -> &'static str {
        match self {
            Self::Metrics => "metrics",
            Self::Index => "index",
            Self::Account => "account",
            Self::ApiAccounts | Self::ApiAccount => "api",
            Self::Healthy => "healthy",
            Self::Ready => "ready",
            Self::Reload => "reload",
        }
    }

    fn allowed(self) -> &'static str {
        match self {
            Self::Reload => "POST",
            _ => "GET, HEAD",
        }
    }

    /// What stands at a path.
    fn at(path: &str, telemetry: &TelemetryPath) -> Option<Self> {
        match path {
            _ if path == telemetry.as_str() => Some(Self::Metrics),
            "/" => Some(Self::Index),
            "/api/v1/accounts" => Some(Self::ApiAccounts),
            "/-/healthy" => Some(Self::Healthy),
            "/-/ready" => Some(Self::Ready),
            "/-/reload" => Some(Self::Reload),
            _ if last_part(path, ACCOUNT).is_some() => Some(Self::Account),
            _ if last_part(path, API_ACCOUNT).is_some() => Some(Self::ApiAccount),
            _ => None,
        }
    }
}

/// What stands before an account's id in the address of its page, and of its JSON.
pub(super) const ACCOUNT: &str = "/accounts/";
pub(super) const API_ACCOUNT: &str = "/api/v1/accounts/";

/// The last part of a path below a prefix, if there is one.
pub(super) fn last_part<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    let part = path.strip_prefix(prefix)?;
    (!part.is_empty() && !part.contains('/')).then_some(part)
}

/// Finds what answers a request.
pub(super) fn route(
    method: &Method,
    path: &str,
    telemetry: &TelemetryPath,
) -> Result<Route, Missed> {
    let route = Route::at(path, telemetry).ok_or(Missed::NotFound)?;
    let allowed = route.allowed();
    if allowed.split(", ").any(|name| name == method.as_str()) {
        return Ok(route);
    }
    Err(Missed::Method(route, allowed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(method: &str, path: &str) -> Result<Route, Missed> {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        route(&method, path, &TelemetryPath::default())
    }

    #[test]
    fn every_page_answers_get_and_head() {
        for method in ["GET", "HEAD"] {
            assert_eq!(at(method, "/metrics"), Ok(Route::Metrics));
            assert_eq!(at(method, "/"), Ok(Route::Index));
            assert_eq!(at(method, "/accounts/012345678901"), Ok(Route::Account));
            assert_eq!(at(method, "/api/v1/accounts"), Ok(Route::ApiAccounts));
            assert_eq!(at(method, "/api/v1/accounts/x"), Ok(Route::ApiAccount));
            assert_eq!(at(method, "/-/healthy"), Ok(Route::Healthy));
            assert_eq!(at(method, "/-/ready"), Ok(Route::Ready));
        }
        assert_eq!(at("POST", "/-/reload"), Ok(Route::Reload));
    }

    #[test]
    fn another_method_is_told_which_are_allowed() {
        for method in ["POST", "PUT", "DELETE", "OPTIONS", "get", "BREW"] {
            let missed = Err(Missed::Method(Route::Metrics, "GET, HEAD"));
            assert_eq!(at(method, "/metrics"), missed, "{method}");
        }
        let missed = Err(Missed::Method(Route::Reload, "POST"));
        assert_eq!(at("GET", "/-/reload"), missed);
    }

    #[test]
    fn nothing_stands_beside_the_pages() {
        for path in [
            "",
            "*",
            "/metrics/",
            "//metrics",
            "/-/",
            "/%6Detrics",
            "/x",
            "/accounts/",
            "/accounts/1/2",
            "/api/v1/accounts/",
        ] {
            assert_eq!(at("GET", path), Err(Missed::NotFound), "{path}");
        }
    }

    #[test]
    fn the_exposition_may_stand_elsewhere_but_not_on_another_page() {
        let moved: TelemetryPath = "/probe/cloudtrail".parse().expect("a path");
        let get = |path| route(&Method::GET, path, &moved);
        assert_eq!(get("/probe/cloudtrail"), Ok(Route::Metrics));
        assert_eq!(get("/metrics"), Err(Missed::NotFound));
        for text in ["", "metrics", "/a b", "/a?b", "/-/ready", "/api/x", "/é"] {
            assert!(text.parse::<TelemetryPath>().is_err(), "{text}");
        }
    }
}
