//! Whatever a thing is called, it makes no series but its own.

use cloudtrail_exporter::facts::{AccountFacts, Poll, PollOutcome, RegionAnswer, TrailFacts};
use cloudtrail_exporter::labels::MAX_VALUE_BYTES;
use cloudtrail_exporter::snapshot::AccountState;
use proptest::prelude::*;

use crate::fixture::*;
use crate::strict::Family;

const ID: u64 = 210_987_654_321;

/// Names made of what is most likely to break a line.
fn name() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("} 1\nup 0\n".to_owned()),
        Just("\",evil=\"1".to_owned()),
        Just("\\".to_owned()),
        Just("\\n\\x\\\"".to_owned()),
        Just("# EOF\n".to_owned()),
        Just("# TYPE up gauge\n".to_owned()),
        Just("\0\r\t\u{7f}\u{85}\u{2028}".to_owned()),
        Just("\u{202e}\u{2066}\u{200f}\u{61c}".to_owned()),
        Just("x".repeat(10_000)),
        Just("\"".repeat(300)),
        Just("é🦀".repeat(60)),
        any::<String>(),
    ];
    prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

/// A trail whose every name is hostile, as far as its ARN can be.
fn hostile_trail(names: &[String], index: usize) -> TrailFacts {
    let pick = |n: usize| -> String { names[(index + n) % names.len()].clone() };
    let mut facts = trail(ID, &format!("t{index}"));
    let short: String = pick(0).chars().take(20).collect();
    let arn = format!("arn:aws:cloudtrail:us-east-1:{ID}:trail/t{index}{short}");
    facts.trail.arn = arn.parse().expect("a trail");
    facts.trail.name = pick(1).into();
    facts.trail.s3_bucket = Some(pick(2).into());
    facts.trail.kms_key_id = Some(pick(3).into());
    facts.trail.log_group_arn = Some(pick(4).into());
    facts.trail.sns_topic_arn = Some(pick(5).into());
    if let Ok(status) = &mut facts.status {
        status.deliveries[0].error = Some(pick(6).into());
    }
    facts
}

fn plain_trail(index: usize) -> TrailFacts {
    let mut facts = trail(ID, &format!("t{index}"));
    if let Ok(status) = &mut facts.status {
        status.deliveries[0].error = Some("?".into());
    }
    facts
}

fn state_of(name: &str, unit: &str, trails: Vec<TrailFacts>) -> AccountState {
    let mut account = account(ID, name);
    account.organizational_unit = Some(unit.into());
    state(account, &[answered(ID, trails)])
}

/// How many series each family has.
fn shape(families: &[Family]) -> Vec<(&str, usize)> {
    families
        .iter()
        .map(|f| (f.name.as_str(), f.samples.len()))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn hostile_names_make_the_series_that_plain_ones_make(names in prop::collection::vec(name(), 1..8)) {
        let trails = (0..3).map(|i| hostile_trail(&names, i)).collect();
        let hostile = families(&snapshot([state_of(&names[0], &names[names.len() - 1], trails)]));
        let plain = families(&snapshot([state_of("plain", "ou", (0..3).map(plain_trail).collect())]));
        prop_assert_eq!(shape(&hostile), shape(&plain));
    }

    #[test]
    fn every_stored_value_is_short_and_clean(names in prop::collection::vec(name(), 1..8)) {
        let trails = (0..3).map(|i| hostile_trail(&names, i)).collect();
        for family in families(&snapshot([state_of(&names[0], &names[0], trails)])) {
            for (label, value) in family.samples.iter().flat_map(|s| &s.labels) {
                prop_assert!(value.len() <= MAX_VALUE_BYTES, "{}", label);
                let dirty = |c: char| (c.is_control() && c != '\n') || "\u{202e}\u{2066}\u{200f}\u{61c}".contains(c);
                prop_assert!(!value.contains(dirty), "{} {:?}", label, value);
            }
        }
    }
}

#[test]
fn two_arns_that_read_the_same_after_cleaning_are_one_series() {
    let named = |c: char| {
        let mut facts = trail(ID, "x");
        let arn = format!("arn:aws:cloudtrail:us-east-1:{ID}:trail/x{c}");
        facts.trail.arn = arn.parse().expect("a trail");
        facts
    };
    let state = state_of("a", "", vec![named('\u{1}'), named('\u{2}')]);
    assert_eq!(samples(state, "cloudtrail_trail_info").len(), 1);
}

#[test]
fn a_region_asked_twice_is_one_series() {
    let regions = ["us-east-1", "eu-west-1", "us-east-1"].map(|r| (region(r), RegionAnswer::Whole));
    let twice: Poll = poll(PollOutcome::Answered(AccountFacts {
        account: id(ID),
        regions: regions.to_vec(),
        described: ago(60),
        trails: Vec::new(),
    }));
    let up = samples(state(account(ID, "a"), &[twice]), "cloudtrail_region_up");
    assert_eq!(up.len(), 2);
}
