//! HTTP requests answered and being answered.

use prometheus::{IntCounterVec, IntGauge, IntGaugeVec, Result};

use super::SelfMetrics;
use super::registrar::{InFlight, Registrar};

/// The HTTP handlers, as the `handler` label names them.
pub const HANDLERS: [&str; 8] = [
    "metrics", "index", "account", "api", "healthy", "ready", "reload", OTHER,
];
/// The status codes the server answers with; anything else is counted as `other`.
pub const CODES: [&str; 13] = [
    "200", "400", "401", "403", "404", "405", "408", "413", "429", "431", "500", "503", OTHER,
];
const OTHER: &str = "other";

#[derive(Clone)]
pub(super) struct Metrics {
    requests: IntCounterVec,
    in_flight: IntGauge,
    /// Without a child until a certificate is served: no time would be a lie.
    certificate_expiry: IntGaugeVec,
}

impl Metrics {
    pub(super) fn new(r: &Registrar) -> Result<Self> {
        let requests = r.counters(
            "cloudtrail_exporter_http_requests_total",
            "HTTP requests answered.",
            &["handler", "code"],
        )?;
        for handler in HANDLERS {
            for code in CODES {
                requests.with_label_values(&[handler, code]);
            }
        }
        let in_flight = r.gauge(
            "cloudtrail_exporter_http_requests_in_flight",
            "HTTP requests being answered.",
        )?;
        let certificate_expiry = r.gauges(
            "cloudtrail_exporter_web_certificate_expiry_timestamp_seconds",
            "When the certificate that is served expires, in seconds since the UNIX epoch.",
            &[],
        )?;
        Ok(Self {
            requests,
            in_flight,
            certificate_expiry,
        })
    }
}

impl SelfMetrics {
    /// The certificate served from now on expires then, in seconds since the UNIX epoch.
    pub fn set_certificate_expiry(&self, at: i64) {
        let none: [&str; 0] = [];
        self.http
            .certificate_expiry
            .with_label_values(&none)
            .set(at);
    }

    /// An HTTP request begins; it is in flight until the guard is dropped.
    pub fn http_begins(&self) -> InFlight {
        InFlight::new(&self.http.in_flight)
    }

    /// An HTTP request was answered, with this status, by one of [`HANDLERS`].
    pub fn http_answered(&self, handler: &str, code: u16) {
        let labels = [
            listed(&HANDLERS, handler),
            listed(&CODES, &code.to_string()),
        ];
        self.http.requests.with_label_values(&labels).inc();
    }
}

fn listed(list: &[&'static str], value: &str) -> &'static str {
    list.iter().find(|known| **known == value).unwrap_or(&OTHER)
}
