//! `tls_server_config`: checked for what can be seen without reading the certificates.

use std::path::Path;

use rustls::crypto::SupportedKxGroup;
use rustls::{ProtocolVersion, SupportedCipherSuite, SupportedProtocolVersion};

use super::names;
use super::pem::Pem;
use super::tree::Table;

pub(super) const KEYS: [&str; 13] = [
    "cert_file",
    "key_file",
    "cert",
    "key",
    "client_ca_file",
    "client_ca",
    "client_auth_type",
    "client_allowed_sans",
    "min_version",
    "max_version",
    "cipher_suites",
    "prefer_server_cipher_suites",
    "curve_preferences",
];

/// Who among the clients needs a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientAuth {
    /// Nobody.
    No,
    /// Nobody, but one that is shown must be good.
    IfGiven,
    /// Everybody.
    Required,
}

/// How TLS is spoken.
#[derive(Debug, Clone)]
pub(crate) struct TlsSettings {
    /// The server's certificate chain.
    pub(crate) certificate: Pem,
    /// Its key.
    pub(crate) key: Pem,
    /// Who signs the certificates of clients; given unless [`ClientAuth::No`].
    pub(crate) client_ca: Option<Pem>,
    /// Who needs a certificate.
    pub(crate) client_auth: ClientAuth,
    /// One of these must be a name in a client's certificate; any, if there are none.
    pub(crate) client_names: Vec<String>,
    /// The versions spoken.
    pub(crate) versions: Vec<&'static SupportedProtocolVersion>,
    /// The cipher suites of TLS 1.2, in order of preference; all, if there are none.
    pub(crate) cipher_suites: Vec<SupportedCipherSuite>,
    /// The key exchange groups, in order of preference; rustls's own choice, if there are none.
    pub(crate) curves: Vec<&'static dyn SupportedKxGroup>,
    /// Our order of cipher suites counts, not the client's.
    pub(crate) own_order: bool,
}

impl TlsSettings {
    /// What the table says; `None` if something in it is wrong, which is told.
    pub(super) fn of(table: &mut Table<'_>, directory: &Path) -> Option<Self> {
        let certificate = Pem::of(table, "cert", directory);
        let key = Pem::of(table, "key", directory);
        let client_ca = Pem::of(table, "client_ca", directory);
        let client_auth = client_auth(table, client_ca.is_some());
        let client_names = client_names(table, client_auth);
        let versions = versions(table);
        let cipher_suites = each(table, "cipher_suites", names::cipher_suite);
        let curves = each(table, "curve_preferences", names::curve);
        let own_order = table.flag("prefer_server_cipher_suites").unwrap_or(true);
        for (name, pem) in [("cert", &certificate), ("key", &key)] {
            if pem.is_none() {
                table.tell(
                    &format!("{name}_file"),
                    &format!("is missing; write it, or {name}"),
                );
            }
        }
        Some(Self {
            certificate: certificate?,
            key: key?,
            client_ca,
            client_auth,
            client_names,
            versions,
            cipher_suites,
            curves,
            own_order,
        })
    }

    /// All that is read for it.
    pub(super) fn sources(&self) -> Vec<Pem> {
        let own = [&self.certificate, &self.key];
        own.into_iter().chain(&self.client_ca).cloned().collect()
    }
}

fn client_auth(table: &mut Table<'_>, has_ca: bool) -> ClientAuth {
    let key = "client_auth_type";
    let name = table.text(key);
    let wanted = match name.as_deref() {
        None | Some("NoClientCert") => ClientAuth::No,
        Some("VerifyClientCertIfGiven") => ClientAuth::IfGiven,
        Some("RequireAndVerifyClientCert") => ClientAuth::Required,
        Some(lax @ ("RequestClientCert" | "RequireAnyClientCert" | "RequireClientCert")) => {
            let problem = format!(
                "{lax} lets unverified certificates in and is not offered; write RequireAndVerifyClientCert"
            );
            table.tell(key, &problem);
            return ClientAuth::No;
        }
        Some(other) => {
            let problem = format!(
                "{} is no policy; write NoClientCert, VerifyClientCertIfGiven or RequireAndVerifyClientCert",
                names::shown(other)
            );
            table.tell(key, &problem);
            return ClientAuth::No;
        }
    };
    match (wanted, has_ca) {
        (ClientAuth::No, true) => {
            table.tell(
                key,
                "is missing although there is a client CA; write RequireAndVerifyClientCert",
            );
        }
        (ClientAuth::IfGiven | ClientAuth::Required, false) => {
            table.tell(
                "client_ca_file",
                "is missing; without it no client certificate can be verified",
            );
        }
        _ => {}
    }
    wanted
}

fn client_names(table: &mut Table<'_>, auth: ClientAuth) -> Vec<String> {
    let key = "client_allowed_sans";
    let names = table.list(key);
    if !names.is_empty() && auth != ClientAuth::Required {
        table.tell(key, "lets in whoever shows no certificate; write client_auth_type: RequireAndVerifyClientCert");
    }
    names
}

fn versions(table: &mut Table<'_>) -> Vec<&'static SupportedProtocolVersion> {
    let mut bound = |key, default| {
        let Some(name) = table.text(key) else {
            return default;
        };
        names::version(&name).unwrap_or_else(|problem| {
            table.tell(key, &problem);
            default
        })
    };
    let min = bound("min_version", &rustls::version::TLS12).version;
    let max = bound("max_version", &rustls::version::TLS13).version;
    let within =
        |v: ProtocolVersion| u16::from(min) <= u16::from(v) && u16::from(v) <= u16::from(max);
    let all = [&rustls::version::TLS13, &rustls::version::TLS12];
    let versions: Vec<_> = all.into_iter().filter(|v| within(v.version)).collect();
    if versions.is_empty() {
        table.tell("min_version", "is above max_version");
    }
    versions
}

fn each<T>(table: &mut Table<'_>, key: &str, named: fn(&str) -> Result<T, String>) -> Vec<T> {
    let mut known = Vec::new();
    for name in table.list(key) {
        match named(&name) {
            Ok(value) => known.push(value),
            Err(problem) => table.tell(key, &problem),
        }
    }
    known
}
