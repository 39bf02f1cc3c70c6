//! Which management events are recorded: the union of event selectors over selectors and over trails.
//!
//! An event is recorded if any selector of any logging multi-Region trail matches it. A selector that narrows in a way not understood here proves
//! nothing and counts as recording nothing.

use std::cmp::Reverse;

use super::candidate::Candidate;
use super::coverage::Coverage;
use super::truth::DatedTruth;
use super::{Check, Truth};
use crate::facts::{AdvancedSelector, BasicSelector, EventSelectors, FieldSelector, ReadWrite};
use crate::timestamp::Timestamp;

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

/// Whether the logging trails among `candidates` together record all events of a kind. `unseen`
/// tells whether there may be trails not listed.
pub(super) fn recorded_by(
    candidates: &[Candidate],
    unseen: DatedTruth,
    kind: EventKind,
) -> DatedTruth {
    let mut shares: Vec<_> = candidates.iter().map(|c| share(c, kind)).collect();
    shares.push((Coverage::FULL, unseen));
    if let Some(at) = fully_recorded(&shares) {
        let truth = Truth::True;
        return DatedTruth { truth, at };
    }
    let oldest = shares.iter().map(|(_, found)| found.at);
    let oldest = oldest.reduce(Timestamp::earliest).unwrap_or(unseen.at);
    DatedTruth {
        truth: not_proven(&shares),
        at: oldest,
    }
}

type Share<'a> = (Coverage<'a>, DatedTruth);

/// If what is proven records everything: the age of the fewest, freshest shares that do.
fn fully_recorded(shares: &[Share<'_>]) -> Option<Timestamp> {
    let mut proven: Vec<&Share> = Vec::new();
    proven.extend(
        shares
            .iter()
            .filter(|(_, found)| found.truth == Truth::True),
    );
    proven.sort_by_key(|(_, found)| Reverse(found.at.boot()));
    let mut union = Coverage::NOTHING;
    let mut oldest: Option<Timestamp> = None;
    for (coverage, found) in proven {
        if coverage.adds_to(&union) {
            union = union.union(coverage);
            oldest = Some(oldest.map_or(found.at, |at| at.earliest(found.at)));
        }
    }
    oldest.filter(|_| union.is_full())
}

/// What holds where the proven shares leave a gap: unknown if an open one could fill it.
fn not_proven(shares: &[Share<'_>]) -> Truth {
    let union = |counts: fn(Truth) -> bool| {
        let counted = shares.iter().filter(|(_, found)| counts(found.truth));
        Coverage::of_all(counted.map(|(coverage, _)| coverage.clone()))
    };
    let proven = union(|truth| truth == Truth::True);
    if !union(|truth| truth != Truth::False).is_full() {
        return Truth::False;
    }
    let adding = shares
        .iter()
        .filter(|(coverage, _)| coverage.adds_to(&proven));
    let doubt = adding.map(|(_, found)| found.truth);
    doubt.fold(Truth::False, Truth::or)
}

/// What one trail can add at most, and whether it does.
fn share<'a>(candidate: &Candidate<'a>, kind: EventKind) -> Share<'a> {
    let logging = candidate.logging();
    let at = candidate.asked(Check::ManagementEvents);
    let (coverage, truth) = match candidate.selectors() {
        Ok(selectors) => (coverage(selectors, kind), logging),
        Err(unknown) => (Coverage::FULL, logging.and(unknown)),
    };
    (coverage, DatedTruth { truth, at })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compliance::fixtures::{
        Sketch, advanced, asked, basic, basics, is_none_of, is_one_of, management, trail, whole,
    };
    use crate::compliance::{Reason, presence};
    use crate::facts::{AccountFacts, Failure, RegionAnswer};

    const KMS: &str = "kms.amazonaws.com";
    const RDS: &str = "rdsdata.amazonaws.com";
    const ONE_CALL: u32 = 1;

    fn without_management() -> BasicSelector {
        BasicSelector {
            management_events: false,
            ..basic(ReadWrite::All, &[])
        }
    }

    fn read_only(values: &[&str]) -> EventSelectors {
        advanced([management([is_one_of("readOnly", values)])])
    }

    fn sources(condition: FieldSelector) -> EventSelectors {
        advanced([management([condition])])
    }

    fn starts_with(field: &str) -> FieldSelector {
        FieldSelector {
            other_operators: true,
            ..is_none_of(field, &["x"])
        }
    }

    #[test]
    fn kinds_are_named_as_documented() {
        assert_eq!(EventKind::ALL.map(EventKind::as_str), ["read", "write"]);
    }

    /// Asserts which kinds the selectors record in full: read, write.
    fn assert_records(selectors: &EventSelectors, expected: [bool; 2]) {
        let found = EventKind::ALL.map(|kind| records(selectors, kind));
        assert_eq!(found, expected, "{selectors:?}");
        assert_eq!(records_all(selectors), expected == [true, true]);
    }

    #[test]
    fn without_a_selector_of_ones_own_everything_is_recorded() {
        assert_records(&EventSelectors::Default, [true, true]);
        assert_records(&basics([]), [true, true]);
    }

    #[test]
    fn an_empty_advanced_list_records_nothing() {
        assert_records(&advanced([]), [false, false]);
    }

    #[test]
    fn a_basic_selector_records_the_kinds_it_names() {
        for (read_write, expected) in [
            (ReadWrite::All, [true, true]),
            (ReadWrite::ReadOnly, [true, false]),
            (ReadWrite::WriteOnly, [false, true]),
        ] {
            assert_records(&basics([basic(read_write, &[])]), expected);
        }
        assert_records(&basics([without_management()]), [false, false]);
        assert_records(&basics([basic(ReadWrite::All, &[KMS])]), [false, false]);
    }

    #[test]
    fn basic_selectors_complete_one_another() {
        let halves = [
            basic(ReadWrite::ReadOnly, &[]),
            basic(ReadWrite::WriteOnly, &[]),
        ];
        assert_records(&basics(halves), [true, true]);
        let different = [
            basic(ReadWrite::All, &[KMS]),
            basic(ReadWrite::WriteOnly, &[RDS]),
        ];
        assert_records(&basics(different), [false, true]);
        let same = [
            basic(ReadWrite::All, &[KMS]),
            basic(ReadWrite::All, &[KMS, RDS]),
        ];
        assert_records(&basics(same), [false, false]);
    }

    #[test]
    fn an_advanced_selector_must_ask_for_management_events() {
        assert_records(&advanced([management([])]), [true, true]);
        let data = AdvancedSelector {
            fields: vec![is_one_of("eventCategory", &["Data"])],
        };
        let silent = AdvancedSelector {
            fields: vec![is_one_of("readOnly", &["true", "false"])],
        };
        let all_but_data = AdvancedSelector {
            fields: vec![is_none_of("eventCategory", &["Data"])],
        };
        for selector in [data, silent, all_but_data, AdvancedSelector::default()] {
            assert_records(&advanced([selector]), [false, false]);
        }
        let contradiction = management([is_none_of("eventCategory", &["Management"])]);
        assert_records(&advanced([contradiction]), [false, false]);
    }

    #[test]
    fn read_only_narrows_to_a_kind() {
        assert_records(&read_only(&["true"]), [true, false]);
        assert_records(&read_only(&["false"]), [false, true]);
        assert_records(&read_only(&["true", "false"]), [true, true]);
        let not_reading = management([is_none_of("readOnly", &["true"])]);
        assert_records(&advanced([not_reading]), [false, true]);
        let both = management([
            is_one_of("readOnly", &["true"]),
            is_one_of("readOnly", &["false"]),
        ]);
        assert_records(&advanced([both]), [false, false]);
    }

    #[test]
    fn event_sources_are_handled_exactly() {
        assert_records(&sources(is_none_of("eventSource", &[KMS])), [false, false]);
        assert_records(&sources(is_one_of("eventSource", &[KMS])), [false, false]);
        let split = [
            management([is_none_of("eventSource", &[KMS])]),
            management([is_one_of("eventSource", &[KMS])]),
        ];
        assert_records(&advanced(split), [true, true]);
        let kms_writes = management([
            is_one_of("eventSource", &[KMS]),
            is_one_of("readOnly", &["false"]),
        ]);
        let rest = management([is_none_of("eventSource", &[KMS])]);
        assert_records(&advanced([kms_writes, rest]), [false, true]);
    }

    #[test]
    fn one_condition_may_name_sources_and_exclude_some_of_them() {
        let condition = FieldSelector {
            not_equals: vec![RDS.into()],
            ..is_one_of("eventSource", &[KMS, RDS])
        };
        let rest = |left_out| management([is_none_of("eventSource", left_out)]);
        let with = |left_out| advanced([management([condition.clone()]), rest(left_out)]);
        assert_records(&with(&[KMS]), [true, true]);
        assert_records(&with(&[KMS, RDS]), [false, false]);
    }

    #[test]
    fn conditions_of_one_selector_must_all_hold() {
        let neither = management([
            is_none_of("eventSource", &[KMS]),
            is_none_of("eventSource", &[RDS]),
        ]);
        let only = |source| management([is_one_of("eventSource", &[source])]);
        assert_records(&advanced([neither.clone(), only(KMS)]), [false, false]);
        assert_records(&advanced([neither, only(KMS), only(RDS)]), [true, true]);
    }

    #[test]
    fn what_narrows_in_another_way_proves_nothing() {
        let empty = FieldSelector {
            field: "eventSource".into(),
            ..FieldSelector::default()
        };
        for condition in [
            is_none_of("eventName", &["Decrypt"]),
            is_one_of("userIdentity.arn", &["x"]),
            starts_with("eventSource"),
            starts_with("readOnly"),
            starts_with("eventCategory"),
            empty,
        ] {
            assert_records(&sources(condition.clone()), [false, false]);
            let beside = advanced([management([condition]), management([])]);
            assert_records(&beside, [true, true]);
        }
    }

    fn account(facts: &AccountFacts, kind: EventKind) -> Truth {
        let unseen = DatedTruth {
            truth: presence::unseen(&facts.regions),
            at: facts.described,
        };
        recorded_by(&Candidate::all(facts), unseen, kind).truth
    }

    fn because(order: u32, reason: Reason) -> Truth {
        Truth::Unknown { order, reason }
    }

    fn reads() -> EventSelectors {
        basics([basic(ReadWrite::ReadOnly, &[])])
    }

    #[test]
    fn trails_complete_one_another() {
        let excluding = |source| basics([basic(ReadWrite::All, &[source])]);
        let facts = whole([
            trail("a").selecting(excluding(KMS)),
            trail("b").selecting(excluding(RDS)),
        ]);
        assert_eq!(account(&facts, EventKind::Read), Truth::True);
    }

    #[test]
    fn a_stopped_or_single_region_trail_adds_nothing() {
        for other in [trail("b").stopped(), trail("b").single_region()] {
            let facts = whole([trail("a").selecting(reads()), other]);
            assert_eq!(account(&facts, EventKind::Read), Truth::True);
            assert_eq!(account(&facts, EventKind::Write), Truth::False);
        }
    }

    #[test]
    fn unread_selectors_of_a_logging_trail_leave_open_what_others_do_not_record() {
        let unread = trail("b").selectors_failed(Failure::Timeout);
        let facts = whole([trail("a").selecting(reads()), unread]);
        let timeout = Reason::Failed(Failure::Timeout);
        assert_eq!(account(&facts, EventKind::Read), Truth::True);
        assert_eq!(
            account(&facts, EventKind::Write),
            because(ONE_CALL + 3, timeout)
        );
    }

    #[test]
    fn selectors_that_are_not_found_are_another_failure() {
        let facts = whole([trail("a").selectors_failed(Failure::NotFound)]);
        let other = Reason::Failed(Failure::Other);
        assert_eq!(
            account(&facts, EventKind::Read),
            because(ONE_CALL + 1, other)
        );
    }

    #[test]
    fn unread_selectors_of_a_stopped_trail_are_of_no_consequence() {
        let facts = whole([trail("a").stopped().selectors_failed(Failure::Timeout)]);
        assert_eq!(account(&facts, EventKind::Read), Truth::False);
    }

    #[test]
    fn a_trail_whose_logging_is_unread_may_add_no_more_than_it_selects() {
        let unread = trail("b")
            .selecting(reads())
            .status_failed(Failure::Timeout);
        let facts = whole([trail("a").stopped(), unread]);
        let timeout = Reason::Failed(Failure::Timeout);
        assert_eq!(
            account(&facts, EventKind::Read),
            because(ONE_CALL + 2, timeout)
        );
        assert_eq!(account(&facts, EventKind::Write), Truth::False);
    }

    #[test]
    fn a_call_that_could_add_nothing_names_no_reason() {
        let adds_nothing = trail("a")
            .selecting(reads())
            .status_failed(Failure::Throttled);
        let may_add = trail("b").selectors_failed(Failure::Timeout);
        let facts = whole([adds_nothing, may_add]);
        let timeout = Reason::Failed(Failure::Timeout);
        assert_eq!(
            account(&facts, EventKind::Write),
            because(ONE_CALL + 3, timeout)
        );
    }

    #[test]
    fn a_trail_that_no_answer_showed_may_record_everything() {
        let answer = RegionAnswer::Failed(Failure::Tls);
        let facts = asked([("us-east-1", answer)], [trail("a").selecting(reads())]);
        let tls = Reason::Failed(Failure::Tls);
        assert_eq!(account(&facts, EventKind::Read), Truth::True);
        assert_eq!(account(&facts, EventKind::Write), because(0, tls));
    }
}
