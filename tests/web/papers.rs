//! Certificates made for one test, in a directory of its own.

use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, SanType,
};

/// A directory with `ca.crt`, `server.{crt,key}`, `client_ca.crt`, `client.{crt,key}` (good names) and `other.{crt,key}` (other names).
pub(crate) struct Papers {
    directory: tempfile::TempDir,
}

impl Papers {
    pub(crate) fn new() -> Self {
        let papers = Self {
            directory: tempfile::tempdir().expect("a directory"),
        };
        papers.issue_server();
        let ca = papers.authority("client_ca");
        papers.issue("client", &ca, client_names());
        papers.issue("other", &ca, vec![dns("other.example")]);
        papers
    }

    /// A new pair for the server, signed by a new authority.
    pub(crate) fn issue_server(&self) {
        let ca = self.authority("ca");
        let local = SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST));
        self.issue("server", &ca, vec![dns("localhost"), local]);
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("text")
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).expect("written");
        path
    }

    /// A copy of a web configuration, beside the certificates it names.
    pub(crate) fn copy(&self, file: &Path) -> PathBuf {
        let text = std::fs::read_to_string(file).expect("text");
        let name = file.file_name().and_then(|n| n.to_str());
        self.write(name.expect("a name"), &text)
    }

    /// The configuration of `tests/web/toolkit/NAME.good.yml`.
    pub(crate) fn good(&self, name: &str) -> PathBuf {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/web/toolkit");
        self.copy(&directory.join(format!("{name}.good.yml")))
    }

    fn authority(&self, name: &str) -> CertifiedIssuer<'static, KeyPair> {
        let mut params = named(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let ca = CertifiedIssuer::self_signed(params, key).expect("signed");
        self.write(&format!("{name}.crt"), &ca.pem());
        ca
    }

    fn issue(&self, name: &str, ca: &CertifiedIssuer<'_, KeyPair>, names: Vec<SanType>) {
        let mut params = named(name);
        params.subject_alt_names = names;
        params.extended_key_usages = vec![
            ExtendedKeyUsagePurpose::ServerAuth,
            ExtendedKeyUsagePurpose::ClientAuth,
        ];
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, ca).expect("signed");
        self.write(&format!("{name}.crt"), &certificate.pem());
        self.write(&format!("{name}.key"), &key.serialize_pem());
    }
}

/// A certificate and its signer must differ in name: a client takes it for self-signed otherwise.
fn named(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

fn client_names() -> Vec<SanType> {
    vec![SanType::URI(
        "spiffe://example/prometheus".try_into().expect("text"),
    )]
}

fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().expect("text"))
}
