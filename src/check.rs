//! `check`: polls every account once and prints what came of it, for people or for scripts.

use std::io::{self, IsTerminal, Write as _};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table};

use crate::compliance::State;
use crate::engine::Engine;
use crate::fleet::{Entry, Summary, badness, clean, entry, name};
use crate::snapshot::Snapshot;
use crate::timestamp::Timestamp;
use crate::web::everything;

/// Exit code where no account is non-compliant but some are unknown.
pub const EXIT_UNKNOWN: u8 = 2;

/// The end of the table's last line where accounts are missing.
const PARTIAL: &str = "; there are more accounts, not listed or over the limit: see the log";

/// The exit code for a fleet: a proven failure outranks an unknown. `partial` says that accounts are missing from it, of which nothing is known.
pub fn exit_code(summary: Summary, partial: bool) -> u8 {
    match summary {
        Summary {
            non_compliant: 1.., ..
        } => 1,
        Summary { unknown: 1.., .. } => EXIT_UNKNOWN,
        Summary { .. } if partial => EXIT_UNKNOWN,
        Summary { .. } => 0,
    }
}

/// How many accounts of a snapshot were polled at least once, and of how many: what a progress line shows.
pub fn progress(snapshot: &Snapshot) -> (usize, usize) {
    let polled = snapshot
        .accounts
        .values()
        .filter(|a| a.standing.last_poll().is_some());
    (polled.count(), snapshot.accounts.len())
}

/// The accounts of a snapshot as an aligned table, worst first.
pub fn table(snapshot: &Snapshot, now: Timestamp, colour: bool) -> String {
    let mut entries: Vec<_> = snapshot
        .accounts
        .values()
        .map(|account| entry(account, now))
        .collect();
    entries.sort_by_key(|entry| badness(entry.verdict.state, entry.verdict.reason));
    let mut table = Table::new();
    table
        .load_style(NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    if colour {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    table.set_header([
        "ACCOUNT",
        "NAME",
        "STATE",
        "REASON",
        "MULTI-REGION",
        "LAST DELIVERY",
        "EVIDENCE",
    ]);
    for entry in &entries {
        table.add_row(row(entry, now));
    }
    table.trim_fmt()
}

fn row(entry: &Entry<'_>, now: Timestamp) -> Vec<Cell> {
    let id = entry.state.id.map(|id| id.to_string());
    let standing = &entry.state.standing;
    let count = standing
        .counts()
        .multi_region
        .map(|count| count.to_string());
    let delivered = entry.last_delivery(now).map(|at| ago(at, now));
    let evidence = standing
        .evidence(now)
        .map(|arn| clean(arn.as_str()).into_owned());
    let or_dash = |text: Option<String>| Cell::new(text.unwrap_or_else(|| "-".into()));
    vec![
        or_dash(id),
        Cell::new(name(entry.state)),
        state(entry.verdict.state),
        Cell::new(entry.verdict.reason.as_str()),
        or_dash(count),
        or_dash(delivered),
        or_dash(evidence),
    ]
}

fn state(state: State) -> Cell {
    let cell = Cell::new(state.as_str());
    match state {
        State::Compliant => cell.fg(Color::Green),
        State::NonCompliant => cell.fg(Color::Red).add_attribute(Attribute::Bold),
        State::Unknown => cell.fg(Color::Yellow),
    }
}

fn ago(at: SystemTime, now: Timestamp) -> String {
    let age = now.wall().duration_since(at).unwrap_or_default().as_secs();
    format!(
        "{} ago",
        humantime::format_duration(Duration::from_secs(age))
    )
}

/// Waits until every account was polled, with a progress line on a terminal; `None` if the engine broke.
pub async fn polled(engine: &mut Engine) -> Option<Arc<Snapshot>> {
    let mut snapshots = engine.snapshot();
    let mut line = Progress::on(io::stderr().is_terminal());
    loop {
        let snapshot = Arc::clone(&snapshots.borrow_and_update());
        line.show(progress(&snapshot));
        if snapshot.ready {
            line.end();
            return Some(snapshot);
        }
        tokio::select! {
            changed = snapshots.changed() => changed.ok()?,
            () = engine.broken() => return None,
        }
    }
}

/// The line on a terminal that says how far a check is.
struct Progress(bool);

impl Progress {
    fn on(terminal: bool) -> Self {
        Self(terminal)
    }

    fn show(&mut self, (polled, accounts): (usize, usize)) {
        if self.0 {
            // A terminal that cannot be written to shows nothing; the result is still printed.
            let _ = write!(io::stderr(), "\rpolled {polled} of {accounts} accounts");
        }
    }

    fn end(&mut self) {
        if self.0 {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

/// Prints the table and a line that sums it up: in colour on a terminal, unless `NO_COLOR` asks otherwise.
pub fn print_table(snapshot: &Snapshot, partial: bool, now: Timestamp) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let table = table(snapshot, now, stdout.is_terminal() && !refused);
    let more = if partial { PARTIAL } else { "" };
    let summary = Summary::of(snapshot, now);
    writeln!(stdout, "{table}\n\n{summary}{more}")
}

/// Prints what `/api/v1/accounts` answers.
pub fn print_json(snapshot: &Arc<Snapshot>, now: Timestamp) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    for piece in everything(Arc::clone(snapshot), now) {
        stdout.write_all(&piece)?;
    }
    writeln!(stdout)
}
