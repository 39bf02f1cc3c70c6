use super::super::fixtures::{ambient, config, configured, id, member, members};
use super::*;
use crate::account::Region;

fn directory(config: &Config, members: &[Member]) -> Directory {
    directory_after(config, members, &Directory::default())
}

fn directory_after(config: &Config, members: &[Member], previous: &Directory) -> Directory {
    let inputs = Inputs {
        config,
        members,
        attempted: true,
        shard: Shard::ALL,
    };
    build(&inputs, previous)
}

fn by_id(directory: &Directory, number: u64) -> &Arc<Account> {
    &directory.accounts[&AccountKey::Id(id(number))]
}

#[test]
fn a_discovered_account_is_reached_by_the_default_role_in_the_partition_of_the_default_region() {
    let directory = directory(&config(vec![]), &[member(7)]);
    let account = by_id(&directory, 7);
    let Access::Role { role, .. } = &account.access else {
        panic!("{:?}", account.access);
    };
    assert_eq!(
        role.as_str(),
        "arn:aws-us-gov:iam::000000000007:role/audit/read"
    );
    assert_eq!(account.partition.as_str(), "aws-us-gov");
    assert_eq!(account.source, Source::Organizations);
    assert_eq!(account.name.as_deref(), Some("member-7"));
    assert_eq!(account.organizational_unit.as_deref(), Some("ou-root-1"));
    let regions: Vec<&str> = account.regions.iter().map(Region::as_str).collect();
    assert_eq!(regions, ["us-gov-west-1", "us-gov-east-1"]);
}

#[test]
fn an_account_both_configured_and_discovered_is_one_account_with_the_settings_of_the_file() {
    let directory = directory(&config(vec![configured(7)]), &members([7, 8]));
    assert_eq!(directory.accounts.len(), 2);
    let account = by_id(&directory, 7);
    assert_eq!(account.access, configured(7).access);
    assert_eq!(account.regions, configured(7).regions);
    assert_eq!(account.interval, configured(7).interval);
    assert_eq!(account.partition.as_str(), "aws");
    assert_eq!(account.source, Source::Config);
    assert_eq!(
        account.name.as_deref(),
        Some("member-7"),
        "the file gives no name"
    );
    assert_eq!(account.organizational_unit.as_deref(), Some("ou-root-1"));
}

#[test]
fn the_name_in_the_file_wins_over_the_one_of_the_organization() {
    let mut named = configured(7);
    named.name = Some("audit".into());
    let directory = directory(&config(vec![named]), &[member(7)]);
    assert_eq!(by_id(&directory, 7).name.as_deref(), Some("audit"));
}

#[test]
fn an_ambient_account_without_a_name_is_called_ambient() {
    let directory = directory(&config(vec![ambient(None)]), &[]);
    let account = &directory.accounts[&AccountKey::Name("ambient".into())];
    assert_eq!((account.id, account.source), (None, Source::Ambient));
    assert_eq!(account.name.as_deref(), Some("ambient"));
}

#[test]
fn an_ambient_account_of_the_file_comes_from_the_configuration() {
    let directory = directory(&config(vec![ambient(Some("monitoring"))]), &[]);
    let account = &directory.accounts[&AccountKey::Name("monitoring".into())];
    assert_eq!(account.source, Source::Config);
}

#[test]
fn excluded_accounts_are_left_out_unless_the_file_names_them() {
    let mut config = config(vec![configured(2)]);
    let organizations = config.organizations.as_mut().expect("discovery");
    organizations.exclude_accounts = vec![id(1), id(2)];
    let directory = directory(&config, &members([1, 2, 3]));
    let keys: Vec<_> = directory.accounts.keys().cloned().collect();
    assert_eq!(keys, [2, 3].map(|n| AccountKey::Id(id(n))));
}

#[test]
fn without_discovery_a_stale_listing_counts_for_nothing_and_the_directory_is_complete() {
    let mut config = config(vec![configured(1)]);
    config.organizations = None;
    let inputs = Inputs {
        config: &config,
        members: &members([1, 2]),
        attempted: false,
        shard: Shard::ALL,
    };
    let directory = build(&inputs, &Directory::default());
    assert_eq!(directory.accounts.len(), 1);
    assert_eq!(by_id(&directory, 1).name, None);
    assert!(directory.complete);
}

#[test]
fn before_the_first_listing_was_attempted_the_directory_is_not_complete() {
    let config = config(vec![configured(1)]);
    for attempted in [false, true] {
        let inputs = Inputs {
            config: &config,
            members: &[],
            attempted,
            shard: Shard::ALL,
        };
        assert_eq!(build(&inputs, &Directory::default()).complete, attempted);
    }
}

#[test]
fn beyond_the_limit_accounts_are_left_out_in_a_fixed_order_and_counted() {
    let mut config = config(vec![configured(900), ambient(Some("monitoring"))]);
    config.limits.max_accounts = 4;
    let expected = [1, 2, 900].map(|n| AccountKey::Id(id(n)));
    for listing in [[1, 2, 3, 4], [4, 3, 2, 1]] {
        let directory = directory(&config, &members(listing));
        let keys: Vec<_> = directory.accounts.keys().cloned().collect();
        assert_eq!(keys[..3], expected);
        assert_eq!(keys[3], AccountKey::Name("monitoring".into()));
        assert_eq!(directory.cut, 2);
    }
}

#[test]
fn a_shard_takes_its_part_and_knows_the_rest_as_neighbours() {
    let config = config(vec![ambient(Some("monitoring"))]);
    let listing = members(1..100);
    let parts = [0, 1, 2].map(|ordinal| {
        let shard = Shard::new(ordinal, 3).expect("in range");
        let inputs = Inputs {
            config: &config,
            members: &listing,
            attempted: true,
            shard,
        };
        build(&inputs, &Directory::default())
    });
    let whole = directory(&config, &listing).accounts;
    for part in &parts {
        assert!(part.accounts.len() > 20, "{}", part.accounts.len());
        assert_eq!(part.accounts.clone().union(part.neighbours.clone()), whole);
        assert_eq!(part.accounts.len() + part.neighbours.len(), whole.len());
    }
    let [a, b, c] = parts.map(|part| part.accounts);
    assert_eq!(a.union(b).union(c), whole);
}

#[test]
fn an_account_that_did_not_change_keeps_its_arc() {
    let before = directory(&config(vec![configured(1)]), &members([2, 3]));
    let mut listing = members([2, 3, 4]);
    listing[1].name = Some("renamed".into());
    let after = directory_after(&config(vec![configured(1)]), &listing, &before);
    let same = |n| Arc::ptr_eq(by_id(&before, n), by_id(&after, n));
    assert_eq!([1, 2, 3].map(same), [true, true, false]);
    assert!(by_id(&after, 3).is_asked_like(by_id(&before, 3)));
}

#[test]
fn accounts_with_the_same_life_of_a_proof_share_one_policy_also_over_a_reload() {
    let mut slow = configured(3);
    slow.interval = Duration::from_hours(1);
    let config = config(vec![configured(1), configured(2), slow]);
    let before = directory(&config, &members([4]));
    let policy = |directory: &Directory, n| Arc::clone(&by_id(directory, n).policy);
    assert!(Arc::ptr_eq(&policy(&before, 1), &policy(&before, 2)));
    assert!(Arc::ptr_eq(&policy(&before, 1), &policy(&before, 4)));
    assert_eq!(policy(&before, 1).stale_after, Duration::from_mins(15));
    assert_eq!(policy(&before, 3).stale_after, Duration::from_hours(3));
    let after = directory_after(&config, &members([4, 5]), &before);
    assert!(Arc::ptr_eq(&policy(&before, 1), &policy(&after, 5)));
}

#[test]
fn a_new_requirement_is_a_new_policy_but_the_account_is_asked_as_before() {
    let mut config = config(vec![configured(1)]);
    let before = directory(&config, &[]);
    config.compliance.max_delivery_age = Duration::from_hours(1);
    let after = directory_after(&config, &[], &before);
    let (before, after) = (by_id(&before, 1), by_id(&after, 1));
    assert_eq!(after.policy.max_delivery_age, Duration::from_hours(1));
    assert!(!Arc::ptr_eq(before, after) && after.is_asked_like(before));
}

#[test]
fn a_directory_without_the_accounts_that_are_asked_for_is_partial() {
    let mut config = config(vec![configured(7)]);
    assert!(directory(&config, &[]).is_partial(), "never listed");
    assert!(!directory(&config, &members([8])).is_partial());
    config.limits.max_accounts = 1;
    assert!(directory(&config, &members([8])).is_partial(), "cut");
    config.organizations = None;
    assert!(!directory(&config, &[]).is_partial());
}
