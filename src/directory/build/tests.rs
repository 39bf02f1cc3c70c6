use super::super::fixtures::{ambient, config, configured, id, member, members};
use super::*;
use crate::account::Region;
use crate::directory::Identified;

fn directory(config: &Config, members: &[Member]) -> Directory {
    directory_after(config, members, &Directory::default())
}

fn directory_after(config: &Config, members: &[Member], previous: &Directory) -> Directory {
    build(&inputs(config, members), previous)
}

fn inputs<'a>(config: &'a Config, members: &'a [Member]) -> Inputs<'a> {
    Inputs {
        config,
        members,
        attempted: true,
        identities: NONE,
        shard: Shard::ALL,
    }
}

/// No poll found an identity out.
const NONE: &Identities = &Identities::none();

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
    let listing = members([1, 2]);
    let inputs = Inputs {
        attempted: false,
        ..inputs(&config, &listing)
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
            attempted,
            ..inputs(&config, &[])
        };
        assert_eq!(build(&inputs, &Directory::default()).complete, attempted);
    }
}

#[test]
fn beyond_the_limit_new_accounts_are_left_out_in_a_fixed_order_and_counted() {
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
            shard,
            ..inputs(&config, &listing)
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

fn keys(directory: &Directory) -> Vec<AccountKey> {
    directory.accounts.keys().cloned().collect()
}

fn ids(numbers: impl IntoIterator<Item = u64>) -> Vec<AccountKey> {
    numbers.into_iter().map(|n| AccountKey::Id(id(n))).collect()
}

fn limited(max_accounts: usize, accounts: Vec<ConfiguredAccount>) -> Config {
    let mut config = config(accounts);
    config.limits.max_accounts = max_accounts;
    config
}

#[test]
fn accounts_that_are_polled_keep_their_place_when_others_join_a_full_directory() {
    let config = limited(3, vec![]);
    let mut before = directory(&config, &members([10, 20, 30]));
    for listing in [vec![5, 10, 20, 30], vec![1, 2, 10, 20, 25, 30, 40]] {
        let left_out = listing.len() - 3;
        before = directory_after(&config, &members(listing), &before);
        assert_eq!(keys(&before), ids([10, 20, 30]));
        assert_eq!(before.cut, left_out);
    }
    let after = directory_after(&config, &members([5, 10, 30, 40]), &before);
    assert_eq!(keys(&after), ids([5, 10, 30]), "20 left its place");
    assert_eq!(after.cut, 1);
}

#[test]
fn an_account_that_joins_by_the_file_takes_no_place_of_one_that_is_polled() {
    let before = directory(&limited(3, vec![]), &members([10, 20, 30]));
    let with_file = limited(3, vec![configured(5), configured(20)]);
    let after = directory_after(&with_file, &members([10, 20, 30]), &before);
    assert_eq!(keys(&after), ids([10, 20, 30]));
    assert_eq!(by_id(&after, 20).source, Source::Config, "it stays its own");
    assert_eq!(after.cut, 1);
}

#[test]
fn a_lower_limit_leaves_out_the_last_in_order_and_a_higher_one_takes_them_again() {
    let listing = members([10, 20, 30, 40]);
    let before = directory(&limited(4, vec![]), &listing);
    let lower = directory_after(&limited(2, vec![]), &listing, &before);
    assert_eq!((keys(&lower), lower.cut), (ids([10, 20]), 2));
    let higher = directory_after(&limited(4, vec![]), &listing, &lower);
    assert_eq!((higher.accounts.len(), higher.cut), (4, 0));
}

#[test]
fn in_shards_accounts_that_are_polled_keep_their_place_too() {
    let config = limited(20, vec![]);
    let (few, many) = (members(100..300), members(0..400));
    for ordinal in 0..3 {
        let shard = Shard::new(ordinal, 3).expect("in range");
        let of = |listing, previous: &Directory| {
            let inputs = Inputs {
                shard,
                ..inputs(&config, listing)
            };
            build(&inputs, previous)
        };
        let before = of(&few, &Directory::default());
        let after = of(&many, &before);
        assert_eq!(keys(&before), keys(&after), "{ordinal}");
        assert_eq!(before.neighbours, after.neighbours, "{ordinal}");
        assert!(after.cut > before.cut && before.cut > 0, "{ordinal}");
    }
}

fn profile(name: &str) -> ConfiguredAccount {
    ConfiguredAccount {
        access: Access::Profile(name.into()),
        ..ambient(Some(name))
    }
}

/// What polls found out of these accounts.
fn found<const N: usize>(found: [(&ConfiguredAccount, u64); N]) -> Identities {
    let mut identities = Identities::none();
    for (account, number) in found {
        let (access, id) = (account.access.clone(), id(number));
        identities.record(Identified { access, id });
    }
    identities
}

fn directory_found(
    config: &Config,
    members: &[Member],
    identities: &Identities,
    previous: &Directory,
) -> Directory {
    let inputs = Inputs {
        identities,
        ..inputs(config, members)
    };
    build(&inputs, previous)
}

fn named(name: &str) -> AccountKey {
    AccountKey::Name(name.into())
}

#[test]
fn a_discovered_account_gives_way_to_the_entry_of_the_file_whose_credentials_are_its() {
    let monitoring = ambient(Some("monitoring"));
    let config = config(vec![monitoring.clone()]);
    let found = found([(&monitoring, 7)]);
    let before = directory(&config, &members([7, 8]));
    assert_eq!(before.accounts.len(), 3, "not known yet");
    let after = directory_found(&config, &members([7, 8]), &found, &before);
    assert_eq!(keys(&after), [ids([8]), vec![named("monitoring")]].concat());
    let account = &after.accounts[&named("monitoring")];
    assert_eq!(account.known_id(), Some(id(7)));
    assert_eq!(account.access, Access::Ambient);
    assert_eq!(account.interval, monitoring.interval);
    assert_eq!(account.organizational_unit.as_deref(), Some("ou-root-1"));
    assert_eq!(account.name.as_deref(), Some("monitoring"));
    assert!(account.is_asked_like(&before.accounts[&named("monitoring")]));
    assert_eq!(after.key_of(id(7)), Some(named("monitoring")));
    assert!(after.account_of(id(7)).is_some());
}

#[test]
fn the_discovered_account_returns_when_the_entry_leaves_or_is_another_account() {
    let monitoring = ambient(Some("monitoring"));
    let with = config(vec![monitoring.clone()]);
    let seven = found([(&monitoring, 7)]);
    let before = directory_found(&with, &members([7, 8]), &seven, &Directory::default());
    let without = config(vec![]);
    let after = directory_found(&without, &members([7, 8]), &seven, &before);
    assert_eq!(keys(&after), ids([7, 8]));
    let eight = found([(&monitoring, 8)]);
    let after = directory_found(&with, &members([7, 8]), &eight, &before);
    assert_eq!(keys(&after), [ids([7]), vec![named("monitoring")]].concat());
}

#[test]
fn of_two_entries_of_the_file_with_one_identity_the_second_is_the_wrong_account() {
    let (b, a) = (profile("b"), profile("a"));
    let found = found([(&a, 7), (&b, 7)]);
    let config = config(vec![b, a]);
    let directory = directory_found(&config, &members([7]), &found, &Directory::default());
    let of = |name: &str| directory.accounts[&named(name)].found;
    assert_eq!(of("b"), Some(Found::Own(id(7))), "it is written first");
    assert_eq!(of("a"), Some(Found::Taken(id(7))));
    assert_eq!(directory.accounts[&named("a")].known_id(), None);
    assert_eq!(directory.key_of(id(7)), Some(named("b")));
    assert_eq!(directory.accounts.len(), 2, "the discovered one gives way");
}

#[test]
fn an_entry_with_the_id_has_the_account_wherever_it_is_written() {
    let monitoring = ambient(Some("monitoring"));
    let found = found([(&monitoring, 7)]);
    let config = config(vec![monitoring, configured(7)]);
    let directory = directory_found(&config, &[], &found, &Directory::default());
    let other = directory.accounts[&named("monitoring")].found;
    assert_eq!(other, Some(Found::Taken(id(7))));
    assert_eq!(directory.key_of(id(7)), Some(AccountKey::Id(id(7))));
}

#[test]
fn an_identity_is_not_that_of_other_credentials_and_outlives_another_name() {
    let one = profile("one");
    let found = found([(&one, 7)]);
    let renamed = ConfiguredAccount {
        name: Some("renamed".into()),
        ..one
    };
    let other = profile("other");
    let config = config(vec![renamed, other]);
    let directory = directory_found(&config, &[], &found, &Directory::default());
    let renamed = &directory.accounts[&named("renamed")];
    assert_eq!(renamed.found, Some(Found::Own(id(7))));
    assert_eq!(directory.accounts[&named("other")].found, None);
}

#[test]
fn an_excluded_account_is_watched_where_the_credentials_of_an_entry_are_its() {
    let monitoring = ambient(Some("monitoring"));
    let mut config = config(vec![monitoring.clone()]);
    let organizations = config.organizations.as_mut().expect("discovery");
    organizations.exclude_accounts = vec![id(7)];
    let found = found([(&monitoring, 7)]);
    let directory = directory_found(&config, &members([7, 8]), &found, &Directory::default());
    assert_eq!(directory.key_of(id(7)), Some(named("monitoring")));
    assert_eq!(directory.accounts.len(), 2);
}

#[test]
fn an_account_keeps_its_place_under_another_entry_of_a_full_directory() {
    let monitoring = ambient(Some("monitoring"));
    let with = limited(3, vec![monitoring.clone()]);
    let listing = members([5, 7, 8]);
    let found = found([(&monitoring, 7)]);
    let before = directory(&with, &listing);
    assert_eq!(before.cut, 1, "nobody knows yet that 7 is there twice");
    let merged = directory_found(&with, &listing, &found, &before);
    assert_eq!((merged.accounts.len(), merged.cut), (3, 0));
    let more = members([1, 5, 7, 8]);
    let after = directory_found(&limited(3, vec![]), &more, &found, &merged);
    assert_eq!(keys(&after), ids([5, 7, 8]));
    assert_eq!(after.cut, 1);
}
