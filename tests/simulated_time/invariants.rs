//! What must hold after each step, whatever happened.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use cloudtrail_exporter::account::AccountId;
use cloudtrail_exporter::compliance::{Reason, State, Verdict};
use cloudtrail_exporter::exposition::{Exposition, Format};
use cloudtrail_exporter::snapshot::{AccountState, Snapshot};
use cloudtrail_exporter::timestamp::Timestamp;

use crate::fake;
use crate::step::{ACCOUNTS, Step};
use crate::world::{World, key};

/// A poll in which nothing hangs and no clock jumps takes less.
const SHORT: Duration = Duration::from_secs(1);

/// What was published after the step before.
pub(crate) struct Invariants {
    rendered: bool,
    last: Option<Timestamp>,
    since: HashMap<AccountId, (State, Option<SystemTime>)>,
    states: HashMap<AccountId, State>,
    lapsed: HashMap<AccountId, Timestamp>,
}

/// One account as it is published.
struct Published<'a> {
    place: usize,
    /// Where the journal has its answers.
    slot: usize,
    id: Option<AccountId>,
    verdict: Verdict,
    since: Option<SystemTime>,
    world: &'a World,
}

impl Invariants {
    pub(crate) fn new(rendered: bool) -> Self {
        Self {
            rendered,
            last: None,
            since: HashMap::new(),
            states: HashMap::new(),
            lapsed: HashMap::new(),
        }
    }

    pub(crate) fn hold(
        &mut self,
        step: Step,
        state: &fake::State,
        snapshot: &Snapshot,
        now: Timestamp,
    ) -> Result<(), String> {
        let world = &state.world;
        let published = everything(world, snapshot, now)?;
        let before = self.last.replace(now);
        let took = before.map_or(Duration::ZERO, |b| now.boot().saturating_sub(b.boot()));
        for account in &published {
            account.is_consistent()?;
            account.is_proven(state, now)?;
            account.is_found_out(step)?;
            self.begins_once(account, step, took)?;
            self.lapses_for_good(account, state, step, now)?;
        }
        self.remember(&published);
        if self.rendered {
            is_well_formed(snapshot, now)?;
        }
        Ok(())
    }

    /// When a state began does not move while it lasts.
    fn begins_once(
        &self,
        account: &Published<'_>,
        step: Step,
        took: Duration,
    ) -> Result<(), String> {
        let before = account.id.and_then(|id| self.since.get(&id));
        let Some((state, since)) = before.filter(|(_, since)| since.is_some()) else {
            return Ok(());
        };
        // In the middle of such a step the state may have been another one.
        let unseen = match step {
            Step::Policy | Step::Membership(_) | Step::Identity => true,
            Step::Poll(_, None) if took < SHORT => false,
            Step::Poll(..) => account.verdict.state != State::NonCompliant,
            _ => false,
        };
        if unseen || *state != account.verdict.state || *since == account.since {
            return Ok(());
        }
        account.broken(&format!(
            "its state began {since:?}, now {:?}",
            account.since
        ))
    }

    /// What has lapsed comes back with a newer answer, never with a clock.
    fn lapses_for_good(
        &mut self,
        account: &Published<'_>,
        heard: &fake::State,
        step: Step,
        now: Timestamp,
    ) -> Result<(), String> {
        let Some(id) = account.id else { return Ok(()) };
        if matches!(step, Step::Policy) {
            // Another conjunction: it may stand on checks whose own proofs have not lapsed.
            self.lapsed.remove(&id);
        }
        let was = self.states.get(&id).copied();
        let ended = (was, account.verdict.state) == (Some(State::Compliant), State::Unknown);
        if ended && matches!(step, Step::Wait(_) | Step::Sleep(_) | Step::SetWall(_)) {
            self.lapsed.insert(id, now);
        }
        if account.verdict.state != State::Compliant {
            return Ok(());
        }
        match self.lapsed.remove(&id) {
            Some(lapsed) if !heard.journal.heard_since(account.slot, lapsed) => {
                account.broken("its proof had lapsed, and AWS was not asked since")
            }
            _ => Ok(()),
        }
    }

    fn remember(&mut self, published: &[Published<'_>]) {
        let with_id = || published.iter().filter_map(|a| Some((a.id?, a)));
        self.since = with_id()
            .map(|(id, a)| (id, (a.verdict.state, a.since)))
            .collect();
        self.states = with_id().map(|(id, a)| (id, a.verdict.state)).collect();
        let ids: HashSet<AccountId> = with_id().map(|(id, _)| id).collect();
        self.lapsed.retain(|id, _| ids.contains(id));
    }
}

/// Each account's verdict, for a story.
pub(crate) fn published(snapshot: &Snapshot, now: Timestamp) -> String {
    let told = |state: &Arc<AccountState>| {
        let verdict = state.standing.verdict(now);
        let id = state.id.map(|id| id.to_string()).unwrap_or_default();
        let id = id.trim_start_matches('0');
        format!(
            "{id}: {}/{}",
            verdict.state.as_str(),
            verdict.reason.as_str()
        )
    };
    let told: Vec<String> = snapshot.accounts.values().map(told).collect();
    told.join(", ")
}

/// Every account that is watched, once and no other.
fn everything<'a>(
    world: &'a World,
    snapshot: &Snapshot,
    now: Timestamp,
) -> Result<Vec<Published<'a>>, String> {
    let mut published = Vec::new();
    for place in (0..ACCOUNTS).filter(|place| world.watched[*place]) {
        let state = snapshot.accounts.get(&key(place));
        let state = state.ok_or_else(|| format!("account {place} is absent"))?;
        let id = world.published_id(place);
        if state.id != id {
            return Err(format!(
                "account {place} is published as {:?}, not as {id:?}",
                state.id
            ));
        }
        published.push(Published {
            place,
            slot: world.slot(place),
            id,
            verdict: state.standing.verdict(now),
            since: state.standing.since(now),
            world,
        });
    }
    if snapshot.accounts.len() != published.len() {
        return Err(format!(
            "{} accounts are published",
            snapshot.accounts.len()
        ));
    }
    Ok(published)
}

impl Published<'_> {
    fn broken(&self, what: &str) -> Result<(), String> {
        let Verdict { state, reason } = self.verdict;
        let (state, reason) = (state.as_str(), reason.as_str());
        Err(format!("account {}: {state}/{reason}: {what}", self.place))
    }

    /// Compliant is `ok`, and nothing else is.
    fn is_consistent(&self) -> Result<(), String> {
        let ok = self.verdict.reason == Reason::Ok;
        if ok == (self.verdict.state == State::Compliant) {
            return Ok(());
        }
        self.broken("the reason is of another state")
    }

    /// A verdict stands on answers: compliance on fresh ones.
    fn is_proven(&self, state: &fake::State, now: Timestamp) -> Result<(), String> {
        let (journal, logging) = (&state.journal, self.world.logging_required);
        let (slot, reader) = (self.slot, self.place);
        match self.verdict.state {
            State::Compliant if !journal.proves_compliance(slot, reader, logging, now) => {
                self.broken("no fresh answers of AWS prove it")
            }
            State::NonCompliant if !journal.proved_non_compliance(slot, logging) => {
                self.broken("no answers of AWS ever proved it")
            }
            _ => Ok(()),
        }
    }

    /// After one whole good poll what is true is published.
    fn is_found_out(&self, step: Step) -> Result<(), String> {
        let Step::Poll(place, jump) = step else {
            return Ok(());
        };
        if place != self.place || !self.world.is_healthy(place) {
            return Ok(());
        }
        match (self.world.is_compliant(place), self.verdict.state) {
            (false, State::NonCompliant) | (true, State::Compliant) => Ok(()),
            // Answers that are old by now neither prove compliance nor end an alarm.
            (true, _) if jump.is_some() => Ok(()),
            (truth, _) => self.broken(&format!("a whole good poll found compliant={truth}")),
        }
    }
}

/// The text of a scrape has no series twice, no NaN, and one state and one reason an account.
fn is_well_formed(snapshot: &Snapshot, now: Timestamp) -> Result<(), String> {
    let chunks = Exposition::new(snapshot, Vec::new(), now, Format::Text);
    let bytes = chunks.collect::<Vec<_>>().concat();
    let text = String::from_utf8(bytes).map_err(|e| e.to_string())?;
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let mut series = HashSet::new();
    let count = |name: &str, line: &str| usize::from(line.starts_with(name));
    let (mut states, mut reasons) = (0, 0);
    for line in samples {
        let (name, value) = line.rsplit_once(' ').ok_or("a line without a value")?;
        if !series.insert(name.to_owned()) || value == "NaN" {
            return Err(format!("twice, or no number: {line}"));
        }
        states += count("cloudtrail_account_compliance{", line) * usize::from(value == "1");
        reasons += count("cloudtrail_account_compliance_reason{", line);
    }
    let accounts = snapshot.accounts.len();
    if (states, reasons) != (accounts, accounts) {
        return Err(format!(
            "{states} states, {reasons} reasons, {accounts} accounts"
        ));
    }
    Ok(())
}
