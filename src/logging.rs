//! Logs: to stderr, in logfmt or JSON. The HTTP stack is capped at warnings, since its finer levels
//! print requests, and the SDK at errors, since its warnings print answers whole, the external ID
//! of a profile and lines of its files. What they warn of, the account's own line tells.
//!
//! A daemon's lines go through a bounded queue and a thread of its own: a reader of the log that
//! stopped reading holds up nothing. Lines that do not fit are dropped and counted.

use std::time::Duration;

use clap::ValueEnum;
use tracing_appender::non_blocking::{ErrorCounter, NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::redaction::Redacting;
use crate::threads::Worker;

/// Lines that may wait for the reader of the log. One that reads takes them faster than polls write
/// them.
const QUEUE: usize = 1024;
/// How long an ending process waits for its last lines to be taken. With the time that requests in
/// flight are given it stays within the three seconds that a stop may take.
const FLUSH: Duration = Duration::from_millis(400);

/// The format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// `key=value` pairs.
    Logfmt,
    /// One JSON object a line.
    Json,
}

/// How lines get to stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// At once; whoever logs waits for the reader.
    Direct,
    /// Through a queue; nothing waits for the reader.
    Queued,
}

/// Logging, begun. [`Logs::finish`] is its end.
#[derive(Debug)]
pub struct Logs {
    queue: Option<WorkerGuard>,
    dropped: DroppedLines,
}

/// How many lines were dropped because the log's reader did not take them in time.
#[derive(Debug, Clone)]
pub struct DroppedLines(Option<ErrorCounter>);

impl DroppedLines {
    /// So many until now.
    pub fn count(&self) -> u64 {
        let dropped = self.0.as_ref().map_or(0, ErrorCounter::dropped_lines);
        dropped as u64
    }
}

impl Logs {
    /// The lines dropped, for a counter.
    pub fn dropped(&self) -> DroppedLines {
        self.dropped.clone()
    }

    /// Has the lines that wait written, if that can be done soon.
    pub fn finish(self) {
        if let Some(queue) = self.queue {
            // The guard's own wait is longer, and it writes to standard output, which may be stuck
            // as well.
            let _ = Worker::new("log-flush").wait(FLUSH, move || drop(queue));
        }
    }
}

/// Starts logging for the rest of the process.
pub fn init(level: &str, format: LogFormat, delivery: Delivery) -> Logs {
    match delivery {
        Delivery::Direct => {
            subscribe(level, format, || Redacting(std::io::stderr()));
            Logs {
                queue: None,
                dropped: DroppedLines(None),
            }
        }
        Delivery::Queued => {
            let (writer, queue) = queued(Redacting(std::io::stderr()));
            let dropped = DroppedLines(Some(writer.error_counter()));
            subscribe(level, format, writer);
            Logs {
                queue: Some(queue),
                dropped,
            }
        }
    }
}

fn queued(to: impl std::io::Write + Send + 'static) -> (NonBlocking, WorkerGuard) {
    NonBlockingBuilder::default()
        .buffered_lines_limit(QUEUE)
        .lossy(true)
        .thread_name("log")
        .finish(to)
}

fn subscribe<W>(level: &str, format: LogFormat, writer: W)
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    // Not the filter that reads patterns: it would bring a regex engine, a megabyte of it.
    let ours = level.parse().unwrap_or(LevelFilter::INFO);
    let filter = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("aws_", LevelFilter::ERROR)
        .with_targets(["cloudtrail_exporter", "aws_simulator"].map(|target| (target, ours)));
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        LogFormat::Logfmt => registry.with(logfmt(writer)).init(),
        LogFormat::Json => registry.with(json(writer)).init(),
    }
}

fn logfmt<S, W>(writer: W) -> impl tracing_subscriber::Layer<S>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    tracing_logfmt::builder()
        .with_span_name(false)
        .with_span_path(false)
        .layer()
        .with_writer(writer)
}

fn json<S, W>(writer: W) -> impl tracing_subscriber::Layer<S>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_writer(writer)
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::time::Instant;

    use super::*;

    /// Takes a line when it is let.
    struct Gate(Receiver<()>, Sender<Vec<u8>>);

    impl Write for Gate {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            let _ = self.1.send(line.to_vec());
            Ok(line.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn stuck_reader_blocks_neither_the_writer_nor_the_end_and_lost_lines_are_counted() {
        let (open, closed) = channel();
        let (taken, lines) = channel();
        let (mut writer, guard) = queued(Gate(closed, taken));
        let dropped = DroppedLines(Some(writer.error_counter()));
        let began = Instant::now();
        for _ in 0..2 * QUEUE {
            writer.write_all(b"line\n").expect("never fails");
        }
        // One may be in the hands of the thread.
        let lost = dropped.count();
        assert!((QUEUE as u64 - 1..=QUEUE as u64).contains(&lost), "{lost}");
        let logs = Logs {
            queue: Some(guard),
            dropped,
        };
        logs.finish();
        assert!(began.elapsed() < Duration::from_secs(10));
        drop(open);
        let kept = lines.iter().count() as u64;
        assert_eq!(kept + lost, 2 * QUEUE as u64);
    }

    #[test]
    fn lines_that_wait_are_written_before_the_end() {
        let (open, closed) = channel::<()>();
        drop(open);
        let (taken, lines) = channel();
        let (mut writer, guard) = queued(Gate(closed, taken));
        for _ in 0..100 {
            writer.write_all(b"line\n").expect("never fails");
        }
        let logs = Logs {
            queue: Some(guard),
            dropped: DroppedLines(None),
        };
        logs.finish();
        assert_eq!(lines.try_iter().count(), 100);
        assert_eq!(DroppedLines(None).count(), 0);
    }
}
