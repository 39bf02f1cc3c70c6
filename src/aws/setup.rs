//! From settings and environment to the one HTTP client and the SDK configuration of the process.

use std::sync::LazyLock;

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

use crate::account::Region;
use crate::aws::body::WholeReplies;
pub use crate::aws::checks::SetupError;
use crate::aws::checks::{check_certificates, check_endpoints};
use crate::aws::limits::CallLimits;
use crate::aws::resolver::Resolver;
use crate::config::AwsSettings;
use crate::files;
use crate::threads::Worker;

/// Reads certificates. A few at once, since each engine of a process has its own set-up.
static CERTIFICATES: LazyLock<Worker> = LazyLock::new(|| Worker::with_limit("certificates", 4));

/// Who does the cryptography of TLS. Validated, it ends the process if its self-tests fail.
#[cfg(feature = "fips")]
const CRYPTO: CryptoMode = CryptoMode::AwsLcFips;
#[cfg(not(feature = "fips"))]
const CRYPTO: CryptoMode = CryptoMode::AwsLc;

/// The way to AWS: what every client and every provider of credentials is made from.
#[derive(Debug)]
pub(super) struct Reach {
    /// For clients. Holds no credentials: each call brings its own.
    pub(super) sdk: SdkConfig,
    /// For providers of credentials.
    pub(super) providers: Providers,
}

/// What providers of credentials are made with.
#[derive(Debug, Clone)]
pub(super) struct Providers {
    settings: AwsSettings,
    limits: CallLimits,
    http: SharedHttpClient,
}

impl Reach {
    /// Reads the environment and builds, over `http` if it is given.
    pub(super) async fn new(
        settings: &AwsSettings,
        limits: &CallLimits,
        http: Option<SharedHttpClient>,
    ) -> Result<Self, SetupError> {
        check_endpoints(settings, &variable)?;
        let bundle = CERTIFICATES
            .run(files::DEADLINE, read_certificates)
            .await??;
        let http = http.unwrap_or_else(|| http_client(bundle, proxies(settings), limits));
        let http = SharedHttpClient::new(WholeReplies::new(http, limits));
        Ok(Self {
            sdk: sdk_config(settings, limits, http.clone()).await,
            providers: Providers {
                settings: settings.clone(),
                limits: limits.clone(),
                http,
            },
        })
    }
}

fn variable(name: &'static str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

/// Checks the certificates that the environment names; those of `AWS_CA_BUNDLE`.
fn read_certificates() -> Result<Option<Vec<u8>>, SetupError> {
    check_certificates("SSL_CERT_FILE", &variable)?;
    check_certificates("AWS_CA_BUNDLE", &variable)
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
fn http_client(
    bundle: Option<Vec<u8>>,
    proxies: ProxyConfig,
    limits: &CallLimits,
) -> SharedHttpClient {
    let resolver = Resolver::of_system(limits.lookups);
    let idle_per_host = limits.idle_per_host;
    let mut trusted = TrustStore::default();
    if let Some(pem) = bundle {
        trusted.add_pem_certificate(pem);
    }
    let tls = TlsContext::builder().with_trust_store(trusted).build();
    let tls = tls.unwrap_or_default();
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder()
            .tls_provider(Provider::Rustls(CRYPTO))
            .tls_context(tls.clone())
            .proxy_config(proxies.clone())
            .pool_max_idle_per_host(idle_per_host);
        connector.set_connector_settings(settings.cloned());
        if let Some(components) = components {
            connector.set_sleep_impl(components.sleep_impl());
        }
        connector.build_with_resolver(resolver.clone())
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
        .region(sdk_region(&settings.region))
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

impl Providers {
    /// A configuration for one provider that asks STS in this Region. None is used twice: the copies of one share what it once read of the files of
    /// profiles.
    pub(super) fn config(&self, region: &Region) -> ProviderConfig {
        let config = ProviderConfig::without_region()
            .with_region(Some(sdk_region(region)))
            .with_http_client(self.http.clone())
            .with_retry_config(retries(self.settings.max_attempts))
            .with_timeout_config(timeouts(&self.limits));
        if self.settings.use_fips {
            return config.with_use_fips(Some(true));
        }
        config
    }
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

pub(super) fn sdk_region(region: &Region) -> SdkRegion {
    SdkRegion::new(region.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> AwsSettings {
        AwsSettings {
            region: "us-east-1".parse().expect("a Region"),
            endpoint_url: None,
            use_fips: false,
            max_attempts: 3,
        }
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
}
