//! From settings and environment to the one HTTP client and the SDK configuration of the process. Everything that would fail at each call, or make
//! the SDK panic, is checked here once.

use std::path::PathBuf;

use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::identity::SharedIdentityCache;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::region::Region as SdkRegion;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::account::Partition;
use crate::aws::body::WholeReplies;
use crate::aws::limits::CallLimits;
use crate::config::AwsSettings;

/// The variables that hold an endpoint for services we call.
const ENDPOINT_VARIABLES: [&str; 4] = [
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_STS",
    "AWS_ENDPOINT_URL_CLOUDTRAIL",
    "AWS_ENDPOINT_URL_ORGANIZATIONS",
];

/// The way to AWS cannot be set up. Says what to change.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// An endpoint is no URL.
    #[error("{0} is not a URL: write http://HOST:PORT or https://HOST")]
    Endpoint(&'static str),
    /// FIPS endpoints and an endpoint of one's own exclude each other.
    #[error("FIPS endpoints and {0} exclude each other: remove one of them")]
    FipsEndpoint(&'static str),
    /// There are no FIPS endpoints in China.
    #[error("there are no FIPS endpoints in the Regions of China: turn FIPS off")]
    FipsInChina,
    /// A file of certificates cannot be read.
    #[error("{variable}: cannot read {}", path.display())]
    CertificatesUnreadable {
        /// The variable that names it.
        variable: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A file of certificates holds none, or one that is damaged.
    #[error("{variable}: {} {wrong}: it must hold certificates in PEM form", path.display())]
    CertificatesBad {
        /// The variable that names it.
        variable: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        wrong: &'static str,
    },
}

/// The way to AWS: what every client and every provider of credentials is made from.
#[derive(Debug)]
pub(super) struct Reach {
    /// For clients. Holds no credentials: each call brings its own.
    pub(super) sdk: SdkConfig,
    /// For providers of credentials.
    pub(super) providers: ProviderConfig,
}

/// A look-up in the environment.
type Variable<'a> = &'a dyn Fn(&'static str) -> Option<String>;

impl Reach {
    /// Reads the environment and builds.
    pub(super) async fn new(
        settings: &AwsSettings,
        limits: &CallLimits,
    ) -> Result<Self, SetupError> {
        let variable: Variable = &|name| std::env::var(name).ok().filter(|text| !text.is_empty());
        check_endpoints(settings, variable)?;
        check_certificates("SSL_CERT_FILE", variable)?;
        let bundle = check_certificates("AWS_CA_BUNDLE", variable)?;
        let http = http_client(bundle, proxies(settings));
        let http = SharedHttpClient::new(WholeReplies::new(http, limits.body));
        Ok(Self {
            sdk: sdk_config(settings, limits, http.clone()).await,
            providers: provider_config(settings, limits, http),
        })
    }
}

fn check_endpoints(settings: &AwsSettings, variable: Variable) -> Result<(), SetupError> {
    let fips = settings.use_fips || is_true(variable("AWS_USE_FIPS_ENDPOINT"));
    let mut endpoints = vec![("aws.endpoint_url", settings.endpoint_url.clone())];
    if !is_true(variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")) {
        endpoints.extend(ENDPOINT_VARIABLES.map(|name| (name, variable(name))));
    }
    for (name, url) in endpoints {
        match url {
            Some(url) if !is_endpoint(&url) => return Err(SetupError::Endpoint(name)),
            Some(_) if fips => return Err(SetupError::FipsEndpoint(name)),
            _ => {}
        }
    }
    if fips && settings.region.partition() == Partition::AwsCn {
        return Err(SetupError::FipsInChina);
    }
    Ok(())
}

fn is_true(value: Option<String>) -> bool {
    value.is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

fn is_endpoint(url: &str) -> bool {
    url.parse::<http::Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.host().is_some_and(|host| !host.is_empty())
    })
}

/// The certificates of the file that a variable names. The SDK panics on a damaged one, and overlooks a file without any.
fn check_certificates(
    variable: &'static str,
    lookup: Variable,
) -> Result<Option<Vec<u8>>, SetupError> {
    let Some(path) = lookup(variable).map(PathBuf::from) else {
        return Ok(None);
    };
    match std::fs::read(&path) {
        Err(source) => Err(SetupError::CertificatesUnreadable {
            variable,
            path,
            source,
        }),
        Ok(pem) => match fault_in(&pem) {
            Some(wrong) => Err(SetupError::CertificatesBad {
                variable,
                path,
                wrong,
            }),
            None => Ok(Some(pem)),
        },
    }
}

fn fault_in(pem: &[u8]) -> Option<&'static str> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let added = certificate.map(|certificate| roots.add(certificate));
        if !matches!(added, Ok(Ok(()))) {
            return Some("holds a damaged certificate");
        }
    }
    roots.is_empty().then_some("holds no certificate")
}

/// The proxies of the environment; none for an endpoint on this machine, which no proxy could reach.
fn proxies(settings: &AwsSettings) -> ProxyConfig {
    let endpoint = settings.endpoint_url.as_deref().unwrap_or_default();
    let uri = endpoint.parse::<http::Uri>().unwrap_or_default();
    match uri.host() {
        Some("localhost" | "127.0.0.1" | "[::1]") => ProxyConfig::disabled(),
        _ => ProxyConfig::from_env(),
    }
}

/// One pool of connections for everything; the system's roots and `bundle` are trusted.
fn http_client(bundle: Option<Vec<u8>>, proxies: ProxyConfig) -> SharedHttpClient {
    let mut trusted = TrustStore::default();
    if let Some(pem) = bundle {
        trusted.add_pem_certificate(pem);
    }
    let tls = TlsContext::builder().with_trust_store(trusted).build();
    let tls = tls.unwrap_or_default();
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder()
            .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
            .tls_context(tls.clone())
            .proxy_config(proxies.clone());
        connector.set_connector_settings(settings.cloned());
        if let Some(components) = components {
            connector.set_sleep_impl(components.sleep_impl());
        }
        connector.build()
    })
}

async fn sdk_config(
    settings: &AwsSettings,
    limits: &CallLimits,
    http: SharedHttpClient,
) -> SdkConfig {
    // Retries and timeouts are set here so that the SDK never reads the variables for them: it panics on bad ones.
    let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http)
        .region(sdk_region(settings))
        .no_credentials()
        .identity_cache(no_cache())
        .retry_config(retries(settings.max_attempts))
        .timeout_config(timeouts(limits))
        // Bodies are read whole under the attempt's deadline.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        // A wrong clock is shown, not hidden: the correction retries every refusal while it lasts.
        .disable_clock_skew_correction(true);
    if let Some(url) = &settings.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    if settings.use_fips {
        loader = loader.use_fips(true);
    }
    loader.load().await
}

fn provider_config(
    settings: &AwsSettings,
    limits: &CallLimits,
    http: SharedHttpClient,
) -> ProviderConfig {
    let config = ProviderConfig::without_region()
        .with_region(Some(sdk_region(settings)))
        .with_http_client(http)
        .with_retry_config(retries(settings.max_attempts))
        .with_timeout_config(timeouts(limits));
    if settings.use_fips {
        return config.with_use_fips(Some(true));
    }
    config
}

/// Each call brings its own credentials; a cache would only hold ten thousand of them twice.
pub(super) fn no_cache() -> SharedIdentityCache {
    aws_sdk_sts::config::IdentityCache::no_cache()
}

/// Standard retries; adaptive ones would let a throttled account slow the others.
pub(super) fn retries(max_attempts: u32) -> RetryConfig {
    RetryConfig::standard().with_max_attempts(max_attempts.max(1))
}

fn timeouts(limits: &CallLimits) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(limits.connect)
        .operation_attempt_timeout(limits.attempt)
        .operation_timeout(limits.operation)
        .build()
}

fn sdk_region(settings: &AwsSettings) -> SdkRegion {
    SdkRegion::new(settings.region.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn settings() -> AwsSettings {
        AwsSettings {
            region: "us-east-1".parse().expect("a Region"),
            endpoint_url: None,
            use_fips: false,
            max_attempts: 3,
        }
    }

    fn check(settings: &AwsSettings, environment: &[(&str, &str)]) -> Result<(), String> {
        let lookup = |name: &'static str| {
            let found = environment.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        check_endpoints(settings, &lookup).map_err(|error| error.to_string())
    }

    #[test]
    fn an_endpoint_must_be_a_url() {
        for url in [
            "localhost:5000",
            "ftp://host",
            "http://",
            "http:///path",
            "x",
        ] {
            let error = check(&settings(), &[("AWS_ENDPOINT_URL_STS", url)]).expect_err(url);
            assert!(
                error.starts_with("AWS_ENDPOINT_URL_STS is not a URL"),
                "{error}"
            );
        }
        let url = "http://127.0.0.1:5000";
        assert_eq!(check(&settings(), &[("AWS_ENDPOINT_URL", url)]), Ok(()));
    }

    #[test]
    fn an_endpoint_on_this_machine_is_reached_without_a_proxy() {
        let disabled = |url: &str| {
            let mut settings = settings();
            settings.endpoint_url = Some(url.to_owned());
            proxies(&settings).is_disabled()
        };
        assert!(disabled("http://127.0.0.1:4000"));
        assert!(disabled("http://localhost:4000"));
        assert!(disabled("http://[::1]:4000"));
        assert!(!disabled("https://sts.example.com"));
        assert!(!proxies(&settings()).is_disabled());
    }

    #[test]
    fn an_endpoint_that_is_to_be_ignored_is_not_checked() {
        let ignored = [
            ("AWS_ENDPOINT_URL", "nonsense"),
            ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
        ];
        assert_eq!(check(&settings(), &ignored), Ok(()));
    }

    #[test]
    fn fips_and_an_endpoint_of_ones_own_exclude_each_other() {
        let mut settings = settings();
        settings.endpoint_url = Some("https://localhost".to_owned());
        let error = check(&settings, &[("AWS_USE_FIPS_ENDPOINT", "true")]).expect_err("both");
        assert!(error.contains("aws.endpoint_url exclude"), "{error}");
    }

    #[test]
    fn fips_in_china_is_refused() {
        let mut settings = settings();
        settings.use_fips = true;
        assert_eq!(check(&settings, &[]), Ok(()));
        settings.region = "cn-north-1".parse().expect("a Region");
        assert!(check(&settings, &[]).is_err());
    }

    fn certificates(content: &[u8]) -> Result<Option<Vec<u8>>, String> {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(content).expect("written");
        let path = file.path().display().to_string();
        check_certificates("AWS_CA_BUNDLE", &|_| Some(path.clone()))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_ca_bundle_must_hold_certificates() {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("made");
        let pem = made.cert.pem();
        assert_eq!(
            certificates(pem.as_bytes()),
            Ok(Some(pem.clone().into_bytes()))
        );
        let none = certificates(b"hello").expect_err("no certificate");
        assert!(none.contains("holds no certificate"), "{none}");
        let damaged = pem.replacen("MII", "AAA", 1);
        let damaged = certificates(damaged.as_bytes()).expect_err("damaged");
        assert!(damaged.contains("holds a damaged certificate"), "{damaged}");
    }

    #[test]
    fn a_ca_bundle_that_is_not_there_is_named() {
        let lookup = |_: &'static str| Some("/does/not/exist.pem".to_owned());
        let error = check_certificates("AWS_CA_BUNDLE", &lookup).expect_err("no file");
        assert_eq!(
            error.to_string(),
            "AWS_CA_BUNDLE: cannot read /does/not/exist.pem"
        );
    }
}
