//! `accounts:`: each item becomes a [`ConfiguredAccount`] with everything it inherits worked in, and no two items are the same account.

use std::time::Duration;

use crate::account::Region;

use super::errors::Read;
use super::external_id::{self, Surroundings};
use super::field::{Field, Table, all};
use super::forms::{account_id, name, region, shown};
use super::settings::{distinct, not_under, regions};
use super::twins::Seen;
use super::way::{Way, way};
use super::{AwsSettings, ConfiguredAccount, Defaults, PollSettings};

/// What an account takes over where it says nothing.
#[derive(Clone, Copy)]
pub(super) struct Inherited<'a> {
    pub(super) poll: Read<&'a PollSettings>,
    pub(super) aws: Read<&'a AwsSettings>,
    pub(super) defaults: Read<&'a Defaults>,
    pub(super) around: Surroundings<'a>,
}

/// Every account of the file.
pub(super) fn accounts(root: &Table<'_>, from: Inherited<'_>) -> Read<Vec<ConfiguredAccount>> {
    let items = root.field("accounts").items()?;
    let mut seen = Seen::default();
    let read = |item: &Field<'_>| {
        let table = item.table()?;
        let account = account(&table, from)?;
        seen.take(&table, &account)?;
        Ok(account)
    };
    all(items.iter().map(read).collect())
}

fn account(table: &Table<'_>, from: Inherited<'_>) -> Read<ConfiguredAccount> {
    let id = table.field("id").parsed(account_id);
    let name = table.field("name").parsed(name);
    let interval = interval(&table.field("interval"), from);
    let way = way(table, id);
    let first = first_region(table, way.as_ref().ok(), from);
    let further = further_regions(table, first.as_ref().map_err(|told| *told), from);
    let external_id = external_id::read(table, from.around);
    let (way, first) = (way?, first?);
    way.may_reach(table, &first, from.aws?.region.partition())?;
    let account = ConfiguredAccount {
        id: id?.or(way.account()),
        name: name?,
        access: way.access(table, &first, external_id?, from.defaults?)?,
        regions: distinct(std::iter::once(first).chain(further?)),
        interval: interval?,
    };
    known(table, &account, from.around.shards)?;
    Ok(account)
}

/// An account without an id is known by its name; not among several shards, which divide the
/// accounts by their ids before any credentials tell one.
fn known(table: &Table<'_>, account: &ConfiguredAccount, shards: usize) -> Read<()> {
    if account.id.is_some() {
        return Ok(());
    }
    if shards > 1 {
        return Err(table.wrong(format!(
            "has no id, and no shard of {shards} can know whether the account is its own; write id:"
        )));
    }
    if account.name.is_none() {
        return Err(table.wrong(
            "has neither id nor name; write name:, since only its credentials tell the id",
        ));
    }
    Ok(())
}

fn interval(field: &Field<'_>, from: Inherited<'_>) -> Read<Duration> {
    let Some(interval) = field.duration()? else {
        return Ok(from.poll?.interval);
    };
    not_under(
        field,
        interval,
        from.poll.map(|poll| poll.timeout),
        "poll.timeout",
    )?;
    let poll = from.poll?;
    match poll.stale_after {
        Some(stale_after) if stale_after < interval + poll.timeout => {
            let most = shown(stale_after.saturating_sub(poll.timeout));
            let [interval, timeout, stale_after] = [interval, poll.timeout, stale_after].map(shown);
            Err(field.wrong(format!(
                "{interval} and poll.timeout ({timeout}) are longer than poll.stale_after ({stale_after}): each proof would lapse before the next; write {most} or less"
            )))
        }
        _ => Ok(interval),
    }
}

/// Its own Region, else that of its profile, else that of all.
fn first_region(table: &Table<'_>, way: Option<&Way>, from: Inherited<'_>) -> Read<Region> {
    if let Some(own) = table.field("region").parsed(region)? {
        return Ok(own);
    }
    let profile = way.and_then(Way::profile);
    match profile.and_then(|name| from.around.shared.profile(name)?.get("region")) {
        Some(text) => region(text).map_err(|problem| {
            table
                .field("profile")
                .wrong(format!("has the region {problem}"))
        }),
        None => from.aws.map(|aws| aws.region.clone()),
    }
}

/// Its own further Regions, else those inherited, as far as they are of its partition.
fn further_regions(
    table: &Table<'_>,
    first: Read<&Region>,
    from: Inherited<'_>,
) -> Read<Vec<Region>> {
    let field = table.field("regions");
    let own = regions(&field, first, "the account's first Region")?;
    if field.is_said() {
        return Ok(own);
    }
    let partition = first?.partition();
    let same = |region: &&Region| region.partition() == partition;
    Ok(from
        .defaults?
        .regions
        .iter()
        .filter(same)
        .cloned()
        .collect())
}
