use super::super::fixtures::{REFRESH, members};
use super::*;

#[test]
fn a_listing_that_keeps_half_of_the_fleet_is_believed() {
    let fleet = members(0..10);
    for listing in [
        members(0..10),
        members(0..30),
        members(0..5),
        members(5..10),
    ] {
        assert_eq!(believe(&fleet, &listing, None), Belief::Believed);
    }
    assert_eq!(believe(&[], &members(0..1), None), Belief::Believed);
}

#[test]
fn a_listing_that_loses_more_than_half_of_the_fleet_is_believed_if_one_before_agrees() {
    let fleet = members(0..10);
    let shrunken = members(0..4);
    assert_eq!(believe(&fleet, &shrunken, None), Belief::Shrunken);
    assert_eq!(
        believe(&fleet, &shrunken, Some(&shrunken)),
        Belief::Believed
    );
}

#[test]
fn as_many_accounts_but_mostly_others_is_a_fleet_lost() {
    let others = members(7..17);
    assert_eq!(believe(&members(0..10), &others, None), Belief::Shrunken);
}

#[test]
fn a_fleet_that_goes_on_shrinking_is_not_believed_on_the_way_down() {
    let (fleet, pending) = (members(0..100), members(0..40));
    let belief = believe(&fleet, &members(0..1), Some(&pending));
    assert_eq!(belief, Belief::Shrunken);
}

#[test]
fn a_listing_without_any_account_is_never_believed() {
    assert_eq!(believe(&members(0..10), &[], None), Belief::Empty);
    assert_eq!(believe(&members(0..10), &[], Some(&[])), Belief::Empty);
    assert_eq!(believe(&[], &[], None), Belief::Empty);
}

#[test]
fn failures_are_tried_again_sooner_than_the_interval_but_less_and_less_often() {
    let pauses = [0, 1, 2, 3, 9, u32::MAX].map(|failures| pause(failures, REFRESH).as_secs());
    assert_eq!(pauses, [900, 15, 30, 60, 900, 900]);
    assert_eq!(pause(1, Duration::from_secs(5)), Duration::from_secs(5));
}
