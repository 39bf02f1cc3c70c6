//! Go's names for what TLS is made of, as exporter-toolkit's schema uses them, and what rustls has of it.

use rustls::crypto::SupportedKxGroup;
use rustls::crypto::aws_lc_rs::{ALL_CIPHER_SUITES, kx_group};
use rustls::{SupportedCipherSuite, SupportedProtocolVersion};

/// Suites of Go that rustls leaves out on purpose: they lack forward secrecy or authenticated encryption.
const WEAK_SUITES: [&str; 11] = [
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
];

/// Whether a version of TLS may be spoken, and how it is called.
pub(super) fn version(name: &str) -> Result<&'static SupportedProtocolVersion, String> {
    match name {
        "TLS12" => Ok(&rustls::version::TLS12),
        "TLS13" => Ok(&rustls::version::TLS13),
        "TLS10" | "TLS11" => Err(format!(
            "{name} is broken and not offered; write TLS12 or TLS13"
        )),
        _ => Err(format!(
            "{} is no TLS version; write TLS12 or TLS13",
            shown(name)
        )),
    }
}

/// The cipher suite of a name.
pub(super) fn cipher_suite(name: &str) -> Result<SupportedCipherSuite, String> {
    let goes_by = |suite: &&SupportedCipherSuite| {
        let own = suite.suite().as_str().unwrap_or_default();
        match own.strip_prefix("TLS13_") {
            Some(rest) => name.strip_prefix("TLS_") == Some(rest),
            None => own == name,
        }
    };
    if let Some(suite) = ALL_CIPHER_SUITES.iter().find(goes_by) {
        return Ok(*suite);
    }
    if WEAK_SUITES.contains(&name) {
        return Err(format!("{name} is weak and not offered; leave it out"));
    }
    Err(format!(
        "{} is no cipher suite; there are {}",
        shown(name),
        known_suites()
    ))
}

/// The suites of TLS 1.2 by name; those of TLS 1.3 are always on, as they are in Go.
fn known_suites() -> String {
    let names = ALL_CIPHER_SUITES
        .iter()
        .filter_map(|suite| suite.suite().as_str());
    let names: Vec<_> = names.filter(|name| !name.starts_with("TLS13_")).collect();
    names.join(", ")
}

/// The key exchange group of a name.
pub(super) fn curve(name: &str) -> Result<&'static dyn SupportedKxGroup, String> {
    match name {
        "X25519" => Ok(kx_group::X25519),
        "CurveP256" => Ok(kx_group::SECP256R1),
        "CurveP384" => Ok(kx_group::SECP384R1),
        "X25519MLKEM768" => Ok(kx_group::X25519MLKEM768),
        "CurveP521" => Err("CurveP521 is not offered; write CurveP384 or X25519".into()),
        _ => Err(format!(
            "{} is no curve; there are X25519, X25519MLKEM768, CurveP256, CurveP384",
            shown(name)
        )),
    }
}

/// A name of the operator's, cut and made visible.
pub(super) fn shown(name: &str) -> String {
    format!("{:?}", name.chars().take(64).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rustls_has_goes_by_its_go_name() {
        for name in [
            "TLS_AES_128_GCM_SHA256",
            "TLS_AES_256_GCM_SHA384",
            "TLS_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        ] {
            assert!(cipher_suite(name).is_ok(), "{name}");
        }
        for name in ["X25519", "CurveP256", "CurveP384", "X25519MLKEM768"] {
            assert!(curve(name).is_ok(), "{name}");
        }
        assert!(version("TLS12").is_ok() && version("TLS13").is_ok());
    }

    #[test]
    fn what_it_has_not_is_refused_by_name() {
        for name in WEAK_SUITES
            .iter()
            .chain(&["TLS_INVENTED", "", "TLS13_", "TLS_"])
        {
            let error = cipher_suite(name).expect_err(name);
            assert!(error.contains(name), "{error}");
        }
        for name in ["CurveP521", "Curve25519", ""] {
            assert!(curve(name).expect_err(name).contains(name));
        }
        for name in ["TLS10", "TLS11", "SSL30", "1.2"] {
            assert!(version(name).expect_err(name).contains(name));
        }
    }
}
