//! Worlds that are read, refused, and made of fleets.

use super::*;
use crate::timeline::Change;
use crate::{Account, AccountId, DEMO_WORLD};

fn refused(text: &str) -> String {
    World::parse(text).unwrap_err().to_string()
}

#[test]
fn the_demo_world_has_twenty_four_accounts_that_say_what_to_expect() {
    let world = World::parse(DEMO_WORLD).unwrap();
    assert_eq!(world.accounts.len(), 24);
    let expected: Vec<_> = world
        .accounts
        .values()
        .filter_map(|account| account.expect.as_ref())
        .collect();
    assert_eq!(expected.len(), 24);
    for state in ["compliant", "non_compliant", "unknown"] {
        assert!(
            expected
                .iter()
                .filter(|expect| expect.state == state)
                .count()
                >= 3,
            "{state}"
        );
    }
}

#[test]
fn the_demo_world_repeats_itself_exactly() {
    let world = World::parse(DEMO_WORLD).unwrap();
    let mut end_of_round = world.clone();
    let mut changes: Vec<&Change> = world.changes.iter().collect();
    changes.sort_by_key(|change| change.after);
    for change in changes {
        change.apply(&mut end_of_round).unwrap();
    }
    assert_eq!(end_of_round, world);
}

#[test]
fn a_world_written_out_reads_back_the_same() {
    let mut world = World::parse(DEMO_WORLD).unwrap();
    world.fleets.push(Fleet {
        accounts: 3,
        first_id: AccountId::new(5).unwrap(),
        name: "f".to_owned(),
        like: Account::default(),
    });
    let json = serde_json::to_string(&world).unwrap();
    assert_eq!(World::parse(&json).unwrap(), world);
}

#[test]
fn an_unknown_key_is_refused_with_its_line() {
    let error = refused("seed: 1\naccounts:\n  - id: \"111111111111\"\n    trials: []\n");
    assert!(
        error.contains("line 4") && error.contains("trials"),
        "{error}"
    );
}

#[test]
fn a_leading_zero_survives_without_quotes_and_a_short_id_is_refused() {
    let world = World::parse("accounts: [{id: 012345678901}]").unwrap();
    assert!(world.account("012345678901".parse().unwrap()).is_some());
    assert!(refused("accounts: [{id: 12345678901}]").contains("not 12 digits"));
}

#[test]
fn what_makes_no_sense_together_is_refused() {
    let twice = r#"accounts: [{id: "111111111111"}, {id: "111111111111"}]"#;
    assert!(refused(twice).contains("described twice"));
    assert!(refused("accounts: [{name: x}]").contains("no id"));
    assert!(
        refused(r#"organization: {management_account: "111111111111"}"#)
            .contains("management account")
    );
    assert!(
        refused("faults: [{operations: [DescribeTrail], effect: hang}]")
            .contains("no such operation: \"DescribeTrail\"")
    );
    assert!(refused("faults: [{probability: 2, effect: hang}]").contains("between 0 and 1"));
    assert!(
        refused(r#"changes: [{after: 5s, account: "111111111111", set: {}}]"#)
            .contains("change after 5s: there is no account")
    );
    assert!(
        refused(r#"fleets: [{accounts: 2, first_id: "999999999999"}]"#)
            .contains("more than 12 digits")
    );
}

#[test]
fn fifty_thousand_alike_take_one_entry_and_one_of_them_can_be_changed_alone() {
    let mut world = World::parse(
        r#"fleets: [{accounts: 50000, first_id: "200000000000", like: {trails: [{name: main}]}}]"#,
    )
    .unwrap();
    assert_eq!((world.accounts.len(), world.all().count()), (0, 50_000));
    let (third, fourth) = (
        AccountId::new(200_000_000_003).unwrap(),
        AccountId::new(200_000_000_004).unwrap(),
    );
    world
        .account_mut(third)
        .unwrap()
        .trail_mut("main")
        .unwrap()
        .logging = false;
    assert_eq!((world.accounts.len(), world.all().count()), (1, 50_000));
    assert_eq!(world.name_of(third), "fleet-3");
    assert!(
        !world.account(third).unwrap().trails[0].logging
            && world.account(fourth).unwrap().trails[0].logging
    );
    assert!(
        world
            .account(AccountId::new(200_000_050_000).unwrap())
            .is_none()
    );
}

#[test]
fn every_example_of_the_readme_is_a_world() {
    let readme = include_str!("../../README.md");
    let examples: Vec<&str> = readme
        .split("```yaml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert_eq!(examples.len(), 3);
    for example in examples {
        let read: Result<World, _> = serde_saphyr::from_str(example);
        assert!(read.is_ok(), "{example}\n{read:?}");
    }
}
