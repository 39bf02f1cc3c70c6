//! `check`: polls every account once and prints what came of it, for people or for scripts.

use std::io::{self, IsTerminal, Write as _};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use comfy_table::presets::NOTHING;
use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table};

use crate::compliance::{State, Verdict};
use crate::engine::Engine;
use crate::facts::Destination;
use crate::snapshot::{AccountState, Snapshot};
use crate::web::everything;

/// Exit code where no account is non-compliant but some are unknown.
const EXIT_UNKNOWN: u8 = 2;

/// How many accounts stand how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// Proven to satisfy the rule.
    pub compliant: usize,
    /// Proven not to.
    pub non_compliant: usize,
    /// Neither.
    pub unknown: usize,
    /// There are more accounts than these, of which nothing is known.
    pub partial: bool,
}

impl Summary {
    /// Counts the accounts of a snapshot at `now`.
    pub fn of(snapshot: &Snapshot, now: SystemTime) -> Self {
        let mut summary = Self::default();
        for account in snapshot.accounts.values() {
            match account.standing.verdict(now).state {
                State::Compliant => summary.compliant += 1,
                State::NonCompliant => summary.non_compliant += 1,
                State::Unknown => summary.unknown += 1,
            }
        }
        summary
    }

    /// The exit code of `check`: a proven failure outranks an unknown, and accounts that could not be listed are unknown.
    pub fn exit_code(self) -> u8 {
        match self {
            Self {
                non_compliant: 1.., ..
            } => 1,
            Self { unknown: 1.., .. } | Self { partial: true, .. } => EXIT_UNKNOWN,
            Self { .. } => 0,
        }
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let total = self.compliant + self.non_compliant + self.unknown;
        let (compliant, non_compliant, unknown) =
            (self.compliant, self.non_compliant, self.unknown);
        write!(
            f,
            "{total} accounts: {compliant} compliant, {non_compliant} non-compliant, {unknown} unknown"
        )?;
        if self.partial {
            f.write_str("; there are more accounts, not listed or over the limit: see the log")?;
        }
        Ok(())
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
pub fn table(snapshot: &Snapshot, now: SystemTime, colour: bool) -> String {
    let mut rows: Vec<_> = snapshot
        .accounts
        .values()
        .map(|a| (a.standing.verdict(now), a))
        .collect();
    rows.sort_by_key(|(verdict, account)| (urgency(verdict.state), account.account.key.clone()));
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
    for (verdict, account) in rows {
        table.add_row(row(account, verdict, now));
    }
    table.trim_fmt()
}

/// Non-compliant before unknown before compliant.
fn urgency(state: State) -> u8 {
    match state {
        State::NonCompliant => 0,
        State::Unknown => 1,
        State::Compliant => 2,
    }
}

fn row(account: &AccountState, verdict: Verdict, now: SystemTime) -> Vec<Cell> {
    let id = account.id.map_or_else(|| "-".into(), |id| id.to_string());
    let name = account.account.name.as_deref().unwrap_or("-");
    let count = account.standing.counts().multi_region;
    let evidence = account.standing.evidence(now);
    vec![
        Cell::new(id),
        Cell::new(printable(name)),
        state(verdict.state),
        Cell::new(verdict.reason.as_str()),
        Cell::new(count.map_or_else(|| "-".into(), |n| n.to_string())),
        Cell::new(last_delivery(account, now)),
        Cell::new(evidence.map_or("-".into(), |arn| printable(arn.as_str()))),
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

/// How long ago any trail of the account last delivered to S3.
fn last_delivery(account: &AccountState, now: SystemTime) -> String {
    let trails = account.standing.trails().iter();
    let latest = trails
        .filter_map(|t| {
            t.status
                .as_ref()?
                .value
                .delivery(Destination::S3)
                .latest
                .known()
        })
        .max();
    latest.map_or_else(|| "-".into(), |at| ago(at, now))
}

fn ago(at: SystemTime, now: SystemTime) -> String {
    let age = now.duration_since(at).unwrap_or_default().as_secs();
    format!(
        "{} ago",
        humantime::format_duration(Duration::from_secs(age))
    )
}

/// A name from outside, fit for a terminal: no control characters.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            }
        })
        .collect()
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
pub fn print_table(snapshot: &Snapshot, summary: Summary, now: SystemTime) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let table = table(snapshot, now, stdout.is_terminal() && !refused);
    writeln!(stdout, "{table}\n\n{summary}")
}

/// Prints what `/api/v1/accounts` answers.
pub fn print_json(snapshot: &Arc<Snapshot>, now: SystemTime) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    for piece in everything(Arc::clone(snapshot), now) {
        stdout.write_all(&piece)?;
    }
    writeln!(stdout)
}
