//! The two formats: how they differ, and which of them a scraper asks for.

use super::preference::{Preference, parameter, preferences};

/// How the same samples are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Prometheus text 0.0.4, the default.
    Text,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

/// The type of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A value that goes up and down.
    Gauge,
    /// A value that only goes up.
    Counter,
    /// Observations in buckets.
    Histogram,
}

impl Kind {
    /// The word both formats use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
            Self::Histogram => "histogram",
        }
    }
}

/// Units whose names end a family's name, so that OpenMetrics can be told.
const UNITS: [&str; 2] = ["seconds", "bytes"];

/// The unit that ends a name (without `_total`), if one does.
pub fn unit(name: &str) -> Option<&'static str> {
    let last = name.rsplit('_').next().unwrap_or_default();
    UNITS.into_iter().find(|unit| *unit == last)
}

impl Format {
    /// Both formats.
    pub const ALL: [Self; 2] = [Self::Text, Self::OpenMetrics];

    /// The value of `Content-Type`.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// The format that an `Accept` header prefers. OpenMetrics only for a scraper that names it; text whenever in doubt, never a refusal.
    pub fn negotiate(accept: Option<&str>) -> Self {
        let accept = accept.unwrap_or("*/*");
        let open = Self::OpenMetrics.preference(accept);
        let text = Self::Text.preference(accept);
        let named = open.specific >= NAMED;
        if open.quality > text.quality
            || (named && open.quality > 0 && open.quality == text.quality)
        {
            return Self::OpenMetrics;
        }
        Self::Text
    }

    /// How much a header wants this format: the most specific range that fits decides.
    fn preference(self, accept: &str) -> Preference {
        let fitting = preferences(accept).filter_map(|(range, quality)| {
            let specific = self.fit(range)?;
            Some(Preference { specific, quality })
        });
        fitting.max().unwrap_or_default()
    }

    /// How specifically a media range fits this format, if it does.
    fn fit(self, range: &str) -> Option<u8> {
        let name = range.split(';').next().unwrap_or_default().trim();
        let (kind, subkind, version) = match self {
            Self::Text => ("text/*", "text/plain", "0.0.4"),
            Self::OpenMetrics => ("application/*", "application/openmetrics-text", "1.0.0"),
        };
        if name == "*/*" {
            return Some(1);
        }
        if name.eq_ignore_ascii_case(kind) {
            return Some(2);
        }
        let asked = parameter(range, "version");
        let fits = name.eq_ignore_ascii_case(subkind) && asked.is_none_or(|v| v == version);
        fits.then_some(NAMED + u8::from(asked.is_some()))
    }

    /// Writes what comes before the first sample of a family.
    pub(super) fn open(self, out: &mut String, name: &str, kind: Kind, help: &str) {
        match self {
            Self::Text => {
                push_all(out, &["# HELP ", name, " ", help, "\n"]);
                push_all(out, &["# TYPE ", name, " ", kind.as_str(), "\n"]);
            }
            Self::OpenMetrics => open_metrics(out, name, kind, help),
        }
    }

    /// What comes after the last sample.
    pub(super) fn end(self) -> &'static str {
        match self {
            Self::Text => "",
            Self::OpenMetrics => "# EOF\n",
        }
    }
}

/// [`Format::fit`] of a range that names the format itself.
const NAMED: u8 = 3;

/// OpenMetrics names a counter's family without `_total` and tells the unit.
fn open_metrics(out: &mut String, name: &str, kind: Kind, help: &str) {
    let name = name.strip_suffix("_total").unwrap_or(name);
    push_all(out, &["# TYPE ", name, " ", kind.as_str(), "\n"]);
    if let Some(unit) = unit(name) {
        push_all(out, &["# UNIT ", name, " ", unit, "\n"]);
    }
    push_all(out, &["# HELP ", name, " ", help, "\n"]);
}

fn push_all(out: &mut String, parts: &[&str]) {
    for part in parts {
        out.push_str(part);
    }
}

#[cfg(test)]
mod tests {
    use super::Format::{OpenMetrics, Text};
    use super::*;

    #[test]
    fn a_scraper_gets_the_format_it_prefers() {
        for (accept, format) in [
            (
                "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
                OpenMetrics,
            ),
            (
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7,application/openmetrics-text;version=1.0.0;escaping=underscores;q=0.6,text/plain;version=0.0.4;q=0.4,*/*;q=0.3",
                OpenMetrics,
            ),
            (
                "text/plain;version=0.0.4;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1",
                Text,
            ),
            ("application/openmetrics-text", OpenMetrics),
            ("Application/OpenMetrics-Text; Version=1.0.0", OpenMetrics),
            (
                "application/openmetrics-text; version=\"1.0.0\"",
                OpenMetrics,
            ),
            ("application/openmetrics-text, text/plain", OpenMetrics),
            ("application/*", OpenMetrics),
        ] {
            assert_eq!(Format::negotiate(Some(accept)), format, "{accept}");
        }
    }

    #[test]
    fn in_doubt_it_is_text() {
        assert_eq!(Format::negotiate(None), Text);
        for accept in [
            "",
            "*/*",
            "*/*;q=0",
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "text/plain",
            "text/plain;q=0",
            "garbage",
            ",;=,;;q=,",
            "application/openmetrics-text;q=0",
            "application/openmetrics-text;q=0, */*",
            "application/openmetrics-text;version=0.0.1",
            "application/openmetrics-text;version=2.0.0,text/plain;q=0.1",
            "application/openmetrics-text;q=x",
        ] {
            assert_eq!(Format::negotiate(Some(accept)), Text, "{accept}");
        }
    }

    #[test]
    fn units_are_read_from_the_end_of_a_name() {
        assert_eq!(
            unit("cloudtrail_account_poll_duration_seconds"),
            Some("seconds")
        );
        assert_eq!(unit("process_resident_memory_bytes"), Some("bytes"));
        assert_eq!(unit("cloudtrail_account_trails"), None);
    }
}
