//! What changes while the simulator runs. A change names its target and what to set there, as a merge patch (RFC 7396): objects merge, `null` goes back to the default, anything
//! else replaces. Changes fall due by the clock they are given; nothing here waits.

use std::time::{Duration, SystemTime};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::names::AccountId;
use crate::world::World;

/// One change: `{after: 45s, account: "...", trail: main, set: {logging: false}}`. With neither `account` nor `fault`, `set` is merged into the world itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// This long after the start.
    #[serde(default, with = "humantime_serde")]
    pub after: Duration,
    /// And again, each time this much later.
    #[serde(
        default,
        with = "humantime_serde",
        skip_serializing_if = "Option::is_none"
    )]
    pub every: Option<Duration>,
    /// The account to change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// The trail of that account to change, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trail: Option<String>,
    /// The fault to change, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// What to set.
    pub set: Map<String, Value>,
}

impl Change {
    /// Makes the change. On an error the world is as it was.
    pub fn apply(&self, world: &mut World) -> Result<(), String> {
        match (&self.account, &self.trail, &self.fault) {
            (Some(account), trail, None) => {
                self.apply_to_account(world, *account, trail.as_deref())
            }
            (None, None, Some(name)) => {
                let fault = world.faults.iter_mut().find(|fault| fault.name == *name);
                patch(
                    fault.ok_or_else(|| format!("there is no fault named {name:?}"))?,
                    &self.set,
                )
            }
            (None, None, None) => patch(world, &self.set),
            _ => Err(
                "a change names an account, or an account and a trail, or a fault, or nothing"
                    .to_owned(),
            ),
        }
    }

    fn apply_to_account(
        &self,
        world: &mut World,
        id: AccountId,
        trail: Option<&str>,
    ) -> Result<(), String> {
        let account = world
            .account_mut(id)
            .ok_or_else(|| format!("there is no account {id}"))?;
        let Some(name) = trail else {
            return patch(account, &self.set);
        };
        let trail = account.trail_mut(name);
        patch(
            trail.ok_or_else(|| format!("account {id} has no trail named {name:?}"))?,
            &self.set,
        )
    }
}

/// Merges `set` into any part of a world.
fn patch<T: Serialize + DeserializeOwned>(
    target: &mut T,
    set: &Map<String, Value>,
) -> Result<(), String> {
    let mut value = serde_json::to_value(&*target).map_err(|error| error.to_string())?;
    merge(&mut value, set);
    *target = serde_json::from_value(value).map_err(|error| error.to_string())?;
    Ok(())
}

/// RFC 7396.
pub(crate) fn merge(target: &mut Value, set: &Map<String, Value>) {
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(fields) = target.as_object_mut() else {
        return;
    };
    for (key, value) in set {
        match value {
            Value::Null => drop(fields.remove(key)),
            Value::Object(inner) => merge(fields.entry(key.as_str()).or_insert(Value::Null), inner),
            other => drop(fields.insert(key.clone(), other.clone())),
        }
    }
}

/// When each change of a world is due next.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    due: Vec<Option<SystemTime>>,
}

impl Timeline {
    /// The timeline of a world that starts at `start`.
    pub(crate) fn new(changes: &[Change], start: SystemTime) -> Self {
        Self {
            due: changes
                .iter()
                .map(|change| start.checked_add(change.after))
                .collect(),
        }
    }

    /// The earliest change due at `now` with its moment; the next call gives the one after it.
    pub(crate) fn next(
        &mut self,
        changes: &[Change],
        now: SystemTime,
    ) -> Option<(usize, SystemTime)> {
        let due = self
            .due
            .iter()
            .enumerate()
            .filter_map(|(index, due)| Some((index, (*due)?)));
        let (index, moment) = due
            .filter(|(_, moment)| *moment <= now)
            .min_by_key(|(_, moment)| *moment)?;
        let again = changes
            .get(index)
            .and_then(|change| moment.checked_add(change.every?));
        if let Some(due) = self.due.get_mut(index) {
            *due = again;
        }
        Some((index, moment))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::time::UNIX_EPOCH;

    fn change(after: u64, every: Option<u64>) -> Change {
        Change {
            after: Duration::from_secs(after),
            every: every.map(Duration::from_secs),
            account: None,
            trail: None,
            fault: None,
            set: Map::new(),
        }
    }

    #[test]
    fn changes_fall_due_in_order_of_time_and_repeat() {
        let changes = [change(30, None), change(10, Some(15))];
        let mut timeline = Timeline::new(&changes, UNIX_EPOCH);
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(timeline.next(&changes, at(9)), None);
        let due: Vec<_> = std::iter::from_fn(|| timeline.next(&changes, at(40))).collect();
        assert_eq!(due, [(1, at(10)), (1, at(25)), (0, at(30)), (1, at(40))]);
    }

    #[test]
    fn a_merge_patch_merges_objects_replaces_lists_and_removes_nulls() {
        let mut value = json!({"a": {"b": 1, "c": 2}, "list": [1, 2], "gone": true});
        merge(
            &mut value,
            json!({"a": {"b": 9}, "list": [3], "gone": null})
                .as_object()
                .unwrap(),
        );
        assert_eq!(value, json!({"a": {"b": 9, "c": 2}, "list": [3]}));
    }

    #[test]
    fn a_change_sets_what_it_names_and_a_wrong_one_says_what_is_missing() {
        let mut world =
            World::parse(r#"{accounts: [{id: "111111111111", trails: [{name: main}]}]}"#).unwrap();
        let id = "111111111111".parse().unwrap();
        let set = json!({"logging": false}).as_object().unwrap().clone();
        let stop = Change {
            account: Some(id),
            trail: Some("main".to_owned()),
            set,
            ..change(0, None)
        };
        stop.apply(&mut world).unwrap();
        assert!(
            !world
                .account_mut(id)
                .unwrap()
                .trail_mut("main")
                .unwrap()
                .logging
        );
        let wrong = Change {
            trail: Some("other".to_owned()),
            ..stop
        };
        assert!(
            wrong
                .apply(&mut world)
                .unwrap_err()
                .contains("no trail named \"other\"")
        );
    }
}
