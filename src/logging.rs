//! Logs: to stderr, in logfmt or JSON. The HTTP stack is capped at warnings, since its finer levels print requests, and the SDK at errors, since its
//! warnings print answers whole, the external ID of a profile and lines of its files. What they warn of, the account's own line tells.

use clap::ValueEnum;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// The format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// `key=value` pairs.
    Logfmt,
    /// One JSON object a line.
    Json,
}

/// Starts logging for the rest of the process.
pub fn init(level: &str, format: LogFormat) {
    // Not the filter that reads patterns: it would bring a regex engine, a megabyte of it.
    let ours = level.parse().unwrap_or(LevelFilter::INFO);
    let filter = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("aws_", LevelFilter::ERROR)
        .with_targets(["cloudtrail_exporter", "aws_simulator"].map(|target| (target, ours)));
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        LogFormat::Logfmt => registry.with(logfmt()).init(),
        LogFormat::Json => registry.with(json()).init(),
    }
}

fn logfmt<S>() -> impl tracing_subscriber::Layer<S>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    tracing_logfmt::builder()
        .with_span_name(false)
        .with_span_path(false)
        .layer()
        .with_writer(std::io::stderr)
}

fn json<S>() -> impl tracing_subscriber::Layer<S>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_writer(std::io::stderr)
}
