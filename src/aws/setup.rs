//! From settings and environment to the one HTTP client and the SDK configuration of the process.

use std::sync::{Arc, LazyLock};

use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
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
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};

use crate::account::Region;
use crate::aws::body::WholeReplies;
pub use crate::aws::checks::SetupError;
use crate::aws::checks::check_certificates;
use crate::aws::limits::CallLimits;
use crate::aws::meter::Meter;
use crate::aws::on_behalf::FromAccount;
use crate::aws::pace::Pace;
use crate::aws::resolver::Resolver;
use crate::aws::sts::Sts;
use crate::aws::user_agent::UserAgent;
use crate::config::{AwsService, AwsSettings, Secret};
use crate::files;
use crate::shared_config::SharedConfig;
use crate::threads::Queue;

/// Attempts of a call to Organizations: one refused page of hundreds would lose the whole listing.
const ORGANIZATIONS_ATTEMPTS: u32 = 8;
/// Variables that hold secrets, whether they are used or not.
const SECRET_VARIABLES: [&str; 3] = [
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
];
const PROXY_VARIABLES: [&str; 6] = [
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
];

/// Reads certificates. A few at once, since each engine of a process has its own set-up; further
/// ones wait for their turn.
static CERTIFICATES: LazyLock<Queue> = LazyLock::new(|| Queue::new("certificates", 4));

/// Who does the cryptography of TLS. Validated, it ends the process if its self-tests fail.
#[cfg(feature = "fips")]
const CRYPTO: CryptoMode = CryptoMode::AwsLcFips;
#[cfg(not(feature = "fips"))]
const CRYPTO: CryptoMode = CryptoMode::AwsLc;

/// The way to AWS: what every client and every provider of credentials is made from.
#[derive(Debug)]
pub(super) struct Reach {
    settings: AwsSettings,
    limits: CallLimits,
    http: SharedHttpClient,
    /// Without an endpoint and a Region of its own. Holds no credentials: each call brings its own.
    sdk: SdkConfig,
    user_agent: UserAgent,
    pub(super) meter: Meter,
    /// Those of the environment, redacted as long as this is there.
    _secrets: Vec<Secret>,
}

impl Reach {
    /// Reads the environment and builds, over `http` if it is given.
    pub(super) async fn new(
        settings: &AwsSettings,
        limits: &CallLimits,
        meter: Meter,
        http: Option<SharedHttpClient>,
    ) -> Result<Self, SetupError> {
        let bundle = CERTIFICATES
            .run(files::DEADLINE, read_certificates)
            .await??;
        let http = http.unwrap_or_else(|| http_client(bundle, proxies(settings), limits));
        let http = SharedHttpClient::new(WholeReplies::new(http, limits));
        // Boxed, since it is large and done once.
        let sdk = Box::pin(sdk_config(settings, limits, http.clone())).await;
        Ok(Self {
            settings: settings.clone(),
            limits: limits.clone(),
            http,
            user_agent: UserAgent::new(&sdk),
            sdk,
            meter,
            _secrets: secrets(),
        })
    }

    /// The configuration of a client: of a service, with the credentials of a profile (or the
    /// exporter's own), in a Region.
    pub(super) fn sdk(
        &self,
        service: AwsService,
        profile: Option<&Arc<str>>,
        region: &Region,
    ) -> SdkConfig {
        let endpoints = self.settings.endpoints(profile);
        let mut sdk = self.sdk.to_builder();
        sdk.set_region(sdk_region(region));
        sdk.set_use_fips(Some(endpoints.fips));
        sdk.set_use_dual_stack(Some(endpoints.dual_stack));
        sdk.set_endpoint_url(endpoints.url(service).map(str::to_owned));
        sdk.build()
    }

    /// Whether a profile has other endpoints than the exporter's own credentials.
    pub(super) fn is_apart(&self, profile: &Arc<str>) -> bool {
        self.settings.endpoints(Some(profile)) != self.settings.endpoints(None)
    }

    /// Whether a profile still says what its endpoints were made of.
    pub(super) fn is_current(&self, profile: Option<&Arc<str>>, shared: &SharedConfig) -> bool {
        self.settings.is_current(profile, shared)
    }

    /// STS in a Region.
    pub(super) fn sts(&self, profile: Option<&Arc<str>>, region: &Region) -> Sts {
        let sdk = self.sdk(AwsService::Sts, profile, region);
        let config = aws_sdk_sts::config::Builder::from(&sdk)
            .interceptor(self.user_agent.clone())
            .interceptor(self.meter.clone());
        let client = aws_sdk_sts::Client::from_conf(config.build());
        let pace = Pace::new(self.limits.sts_per_second);
        Sts::new(client, pace, region.partition(), self.meter.clock())
    }

    /// CloudTrail in a Region.
    pub(super) fn cloudtrail(
        &self,
        profile: Option<&Arc<str>>,
        region: &Region,
    ) -> aws_sdk_cloudtrail::Client {
        let sdk = self.sdk(AwsService::CloudTrail, profile, region);
        let config = aws_sdk_cloudtrail::config::Builder::from(&sdk)
            .credentials_provider(FromAccount)
            .interceptor(FromAccount)
            .interceptor(self.user_agent.clone())
            .interceptor(self.meter.clone());
        aws_sdk_cloudtrail::Client::from_conf(config.build())
    }

    /// Organizations, asked with the exporter's own credentials.
    pub(super) fn organizations(&self) -> aws_sdk_organizations::Client {
        let sdk = self.sdk(AwsService::Organizations, None, &self.settings.region);
        let config = aws_sdk_organizations::config::Builder::from(&sdk)
            .retry_config(retries(ORGANIZATIONS_ATTEMPTS))
            .credentials_provider(FromAccount)
            .interceptor(FromAccount)
            .interceptor(self.user_agent.clone())
            .interceptor(self.meter.clone());
        aws_sdk_organizations::Client::from_conf(config.build())
    }

    /// IAM Identity Center in a Region.
    pub(super) fn sso(&self, profile: Option<&Arc<str>>, region: &Region) -> aws_sdk_sso::Client {
        let sdk = self.sdk(AwsService::Sso, profile, region);
        let config = aws_sdk_sso::config::Builder::from(&sdk).interceptor(self.user_agent.clone());
        aws_sdk_sso::Client::from_conf(config.build())
    }

    /// For the SDK's providers that speak to a metadata service.
    pub(super) fn providers(&self, region: &Region) -> ProviderConfig {
        ProviderConfig::without_region()
            .with_region(Some(sdk_region(region)))
            .with_http_client(self.http.clone())
            .with_retry_config(retries(self.settings.max_attempts))
            .with_timeout_config(timeouts(&self.limits))
    }
}

fn variable(name: &'static str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

/// What the environment holds that no log may show.
fn secrets() -> Vec<Secret> {
    let proxies = PROXY_VARIABLES.into_iter().filter_map(variable);
    let passwords = proxies.filter_map(|url| password(&url).map(Secret::new));
    let keys = SECRET_VARIABLES.into_iter().filter_map(variable);
    passwords
        .chain(keys.map(|text| Secret::new(&text)))
        .collect()
}

/// The password in a URL.
fn password(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let (user, _) = rest.rsplit_once('@')?;
    Some(user.split_once(':')?.1)
}

/// Checks the certificates that the environment names; those of `AWS_CA_BUNDLE`.
fn read_certificates() -> Result<Option<Vec<u8>>, SetupError> {
    check_certificates("SSL_CERT_FILE", &variable)?;
    check_certificates("AWS_CA_BUNDLE", &variable)
}

/// The proxies of the environment; none for an endpoint on this machine, which no proxy could reach.
fn proxies(settings: &AwsSettings) -> ProxyConfig {
    let own = settings.endpoints(None);
    let endpoint = own.url(AwsService::Sts).unwrap_or_default();
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
    // The shared files are read elsewhere, bounded and with better errors.
    let files = EnvConfigFiles::builder().with_contents(EnvConfigFileKind::Config, "");
    // Retries and timeouts are set here so that the SDK never reads the variables for them: it panics on bad ones.
    let loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http)
        .region(sdk_region(&settings.region))
        .profile_files(files.build())
        .use_fips(false)
        .use_dual_stack(false)
        .no_credentials()
        .identity_cache(no_cache())
        .retry_config(retries(settings.max_attempts))
        .timeout_config(timeouts(limits))
        // Bodies are read whole under the attempt's deadline.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        // A wrong clock is shown, not hidden: the correction retries every refusal while it lasts.
        .disable_clock_skew_correction(true);
    let mut sdk = loader.load().await.into_builder();
    // Each client's endpoint is decided by the settings.
    sdk.set_endpoint_url(None);
    sdk.service_config(NoServiceConfig).build()
}

/// No endpoint of a service comes past the settings.
#[derive(Debug)]
struct NoServiceConfig;

impl LoadServiceConfig for NoServiceConfig {
    fn load_config(&self, _key: ServiceConfigKey<'_>) -> Option<String> {
        None
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
    use crate::config::EndpointsByProfile;

    fn settings() -> AwsSettings {
        AwsSettings {
            region: "us-east-1".parse().expect("a Region"),
            endpoint_url: None,
            use_fips: false,
            max_attempts: 3,
            by_profile: EndpointsByProfile::default(),
        }
    }

    #[test]
    fn the_password_of_a_proxy_is_a_secret() {
        assert_eq!(password("http://user:pa@ss@proxy:3128"), Some("pa@ss"));
        assert_eq!(password("http://proxy:3128"), None);
        assert_eq!(password("proxy:3128"), None);
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
