//! What Organizations may answer when accounts are discovered at the start: the accounts of the
//! file are
//! polled and judged all the same, and discovery recovers by itself.

use crate::expected::lines;
use crate::row::Kind;
use crate::run::Row;
use crate::scene::{Expected, Scene};

macro_rules! rows {
    ($($name:literal: $effect:literal;)*) => {
        /// The rows.
        pub fn rows() -> Vec<Row> {
            vec![$(Row { name: $name, kind: Kind::Aws, run: || recovers($effect) }),*]
        }
    };
}

rows! {
    "listing denied": "access_denied";
    "listing throttled": "throttle";
    "listing 503": "{ status: 503 }";
    "listing reset": "reset";
    "listing hangs": "hang";
    "listing without a document": "malformed";
    "listing truncated": "truncate";
    "listing an empty object": "empty_object";
    "listing null": "{ literal: { body: { Accounts: null } } }";
    "listing HTML": "{ html: 200 }";
    "listing without ids": "{ drop_fields: [Id] }";
    "listing without accounts": "{ literal: { body: { Accounts: [] } } }";
    "no organization": "{ error: { code: AWSOrganizationsNotInUseException } }";
}

const WORLD: &str = "
organization: { management_account: '210000000001' }
credentials: [{ access_key_id: AKIAIOSFODNN7EXAMPLE, account: '210000000001' }]
accounts:
  - { id: '210000000001' }
  - { id: '111111111111', trails: [{ name: main }] }
  - { id: '222222222222', trails: [{ name: main, logging: false }] }
  - { id: '333333333333' }
";
const CONFIG: &str = "
poll: { interval: 2s, timeout: 2s, stale_after: 5s }
aws: { max_attempts: 1 }
discovery: { organizations: { enabled: true, refresh_interval: 1m } }
accounts: [{ id: '111111111111' }, { id: '222222222222' }, { id: '333333333333' }]
";

fn recovers(effect: &str) {
    let fault = format!("faults: [{{ operations: [ListAccounts], effect: {effect} }}]\n");
    let scene = Scene::of(&format!("{fault}{WORLD}"), CONFIG, |_, _, _| {}).well();
    let up = scene.look().one(
        "cloudtrail_exporter_discovery_up",
        &[("source", "organizations")],
    );
    assert_eq!(up, Some(0.0));
    scene.sim.aws().change(|world| world.faults.clear());
    let exporter = lines(&[
        "+ exporter_discovery_last_success_timestamp_seconds{source=organizations} *",
        "~ exporter_accounts{source=organizations} 0 -> 1",
        "~ exporter_discovery_accounts{source=organizations} 0 -> 4",
        "~ exporter_discovery_up{source=organizations} 0 -> 1",
    ]);
    scene.shows(
        "discovery recovers",
        &Expected {
            exporter,
            ..Expected::default()
        },
    );
    scene.end();
}
