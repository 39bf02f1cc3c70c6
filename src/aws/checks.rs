//! The files of certificates that the environment names, checked once: what would fail at each call, or make the SDK panic, is refused here.

use std::path::PathBuf;

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::files::{self, ReadError};
use crate::threads::WorkerError;

/// The largest file of certificates read: many times what a system trusts.
const MAX_CERTIFICATES: u64 = 16 * 1024 * 1024;

/// The way to AWS cannot be set up. Says what to change.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
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
