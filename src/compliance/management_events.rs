//! Which management events are recorded: the union of event selectors over selectors and over trails.
//!
//! An event is recorded if any selector of any logging multi-Region trail matches it. A selector that narrows in a way not understood here proves
//! nothing and counts as recording nothing.

use super::Truth;
use super::candidate::Candidate;
use super::coverage::Coverage;
use crate::facts::{AdvancedSelector, BasicSelector, EventSelectors, FieldSelector, ReadWrite};

/// Read or write management events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventKind {
    /// Events that read.
    Read,
    /// Events that change something.
    Write,
}

impl EventKind {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::Read, Self::Write];

    /// The value of the `kind` label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }

    /// The value of the event field `readOnly`.
    fn read_only(self) -> &'static str {
        match self {
            Self::Read => "true",
            Self::Write => "false",
        }
    }

    fn is_in(self, selected: ReadWrite) -> bool {
        match selected {
            ReadWrite::All => true,
            ReadWrite::ReadOnly => self == Self::Read,
            ReadWrite::WriteOnly => self == Self::Write,
        }
    }
}

/// Whether selectors record all management events of a kind.
pub fn records(selectors: &EventSelectors, kind: EventKind) -> bool {
    coverage(selectors, kind).is_full()
}

/// Whether selectors record all management events.
pub(super) fn records_all(selectors: &EventSelectors) -> bool {
    EventKind::ALL.iter().all(|kind| records(selectors, *kind))
}

/// Whether the logging trails among `candidates` together record all events of a kind. `unseen` tells whether there may be trails not listed.
pub(super) fn recorded_by(candidates: &[Candidate], unseen: Truth, kind: EventKind) -> Truth {
    let mut shares: Vec<_> = candidates.iter().map(|c| share(c, kind)).collect();
    shares.push((Coverage::FULL, unseen));
    let union = |counts: fn(Truth) -> bool| {
        let counted = shares.iter().filter(|(_, truth)| counts(*truth));
        Coverage::of_all(counted.map(|(coverage, _)| coverage.clone()))
    };
    let proven = union(|truth| truth == Truth::True);
    let possible = union(|truth| truth != Truth::False);
    let adding = shares
        .iter()
        .filter(|(coverage, _)| coverage.adds_to(&proven));
    let doubt = adding
        .map(|(_, truth)| *truth)
        .fold(Truth::False, Truth::or);
    match (proven.is_full(), possible.is_full()) {
        (true, _) => Truth::True,
        (false, true) => doubt,
        (false, false) => Truth::False,
    }
}

/// What one trail can add at most, and whether it does.
fn share<'a>(candidate: &Candidate<'a>, kind: EventKind) -> (Coverage<'a>, Truth) {
    let logging = candidate.logging();
    match candidate.selectors() {
        Ok(selectors) => (coverage(selectors, kind), logging),
        Err(unknown) => (Coverage::FULL, logging.and(unknown)),
    }
}

/// The sources whose events of a kind the selectors record. An empty basic list is no selector of one's own.
fn coverage(selectors: &EventSelectors, kind: EventKind) -> Coverage<'_> {
    match selectors {
        EventSelectors::Default => Coverage::FULL,
        EventSelectors::Basic(list) if list.is_empty() => Coverage::FULL,
        EventSelectors::Basic(list) => Coverage::of_all(list.iter().map(|s| basic(s, kind))),
        EventSelectors::Advanced(list) => Coverage::of_all(list.iter().map(|s| advanced(s, kind))),
    }
}

fn basic(selector: &BasicSelector, kind: EventKind) -> Coverage<'_> {
    if !selector.management_events || !kind.is_in(selector.read_write) {
        return Coverage::NOTHING;
    }
    let excluded = selector.excluded_sources.iter().map(AsRef::as_ref);
    Coverage::Excluding(excluded.collect())
}

fn advanced(selector: &AdvancedSelector, kind: EventKind) -> Coverage<'_> {
    let is_management = |f: &FieldSelector| {
        &*f.field == "eventCategory" && f.equals.iter().any(|value| &**value == "Management")
    };
    if !selector.fields.iter().any(is_management) {
        return Coverage::NOTHING;
    }
    let conditions = selector.fields.iter().map(|field| condition(field, kind));
    conditions.fold(Coverage::FULL, |all, one| all.intersection(&one))
}

/// The sources whose management events of a kind meet one condition.
fn condition(field: &FieldSelector, kind: EventKind) -> Coverage<'_> {
    let values = admitted(field);
    let all_if = |meets: bool| {
        if meets {
            Coverage::FULL
        } else {
            Coverage::NOTHING
        }
    };
    match &*field.field {
        "eventCategory" => all_if(values.contains("Management")),
        "readOnly" => all_if(values.contains(kind.read_only())),
        "eventSource" => values,
        _ => Coverage::NOTHING,
    }
}

/// The values a condition admits, as far as it is understood.
fn admitted(field: &FieldSelector) -> Coverage<'_> {
    if field.other_operators {
        return Coverage::NOTHING;
    }
    let listed = Coverage::Only(field.equals.iter().map(AsRef::as_ref).collect());
    let others = Coverage::Excluding(field.not_equals.iter().map(AsRef::as_ref).collect());
    match (field.equals.is_empty(), field.not_equals.is_empty()) {
        (true, true) => Coverage::NOTHING,
        (true, false) => others,
        (false, _) => listed.intersection(&others),
    }
}
