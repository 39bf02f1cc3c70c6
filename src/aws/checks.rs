//! What the settings and the environment say of the way to AWS, checked once: what would fail at each call, or make the SDK panic, is refused here.

use std::path::PathBuf;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::account::Partition;
use crate::config::AwsSettings;
use crate::files::{self, ReadError};
use crate::threads::WorkerError;

/// The largest file of certificates read: many times what a system trusts.
const MAX_CERTIFICATES: u64 = 16 * 1024 * 1024;

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
    #[error("{variable}: cannot read {}: {source}", path.display())]
    CertificatesUnreadable {
        /// The variable that names it.
        variable: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: ReadError,
    },
    /// Reading the files of certificates takes too long.
    #[error("reading AWS_CA_BUNDLE and SSL_CERT_FILE {0}: see whether their disk answers")]
    CertificatesOverdue(#[from] WorkerError),
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

/// A look-up in the environment.
pub(super) type Variable<'a> = &'a dyn Fn(&'static str) -> Option<String>;

/// Endpoints are URLs, and go with FIPS or not at all.
pub(super) fn check_endpoints(
    settings: &AwsSettings,
    variable: Variable,
) -> Result<(), SetupError> {
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
pub(super) fn check_certificates(
    variable: &'static str,
    lookup: Variable,
) -> Result<Option<Vec<u8>>, SetupError> {
    let Some(path) = lookup(variable).map(PathBuf::from) else {
        return Ok(None);
    };
    match files::read(&path, MAX_CERTIFICATES) {
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
            "AWS_CA_BUNDLE: cannot read /does/not/exist.pem: No such file or directory (os error 2)"
        );
    }
}
