//! Every key a configuration may have, in one table: what is not in it is refused, and `docs/configuration.md` is held equal to it.

use ::config::{Value, ValueKind};

use super::errors::Faults;
use super::nearest::nearest;

/// The form of a key's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Keys of its own.
    Table,
    /// A list of tables.
    Tables,
    /// A list of texts.
    List,
    /// Text.
    Text,
    /// Text in humantime's form, such as `5m`.
    Duration,
    /// A whole number.
    Number,
    /// `true` or `false`.
    Bool,
}

impl Form {
    /// The name in the documentation.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Tables => "list of tables",
            Self::List => "list",
            Self::Text => "text",
            Self::Duration => "duration",
            Self::Number => "number",
            Self::Bool => "bool",
        }
    }

    /// Whether one environment variable can hold it.
    pub(super) fn is_scalar(self) -> bool {
        !matches!(self, Self::Table | Self::Tables | Self::List)
    }
}

/// One key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Where it stands; `[]` is any item of a list.
    pub path: &'static str,
    /// What its value is.
    pub form: Form,
    /// What stands there if it is not written, as it would be written; `None`: nothing.
    pub default: Option<&'static str>,
}

const fn key(path: &'static str, form: Form) -> Key {
    let default = None;
    Key {
        path,
        form,
        default,
    }
}

const fn set(path: &'static str, form: Form, default: &'static str) -> Key {
    let default = Some(default);
    Key {
        path,
        form,
        default,
    }
}

/// A FIPS build leaves AWS's FIPS endpoints only if the configuration says so.
const USE_FIPS: &str = if crate::FIPS { "true" } else { "false" };

/// Every key, tables before what is in them.
pub const KEYS: &[Key] = &[
    key("poll", Form::Table),
    set("poll.interval", Form::Duration, "5m"),
    set("poll.timeout", Form::Duration, "60s"),
    set("poll.concurrency", Form::Number, "64"),
    key("poll.stale_after", Form::Duration),
    key("aws", Form::Table),
    set("aws.region", Form::Text, "us-east-1"),
    key("aws.endpoint_url", Form::Text),
    set("aws.use_fips", Form::Bool, USE_FIPS),
    set("aws.max_attempts", Form::Number, "3"),
    key("defaults", Form::Table),
    set("defaults.role_name", Form::Text, "cloudtrail-exporter-read"),
    key("defaults.external_id", Form::Text),
    key("defaults.external_id_file", Form::Text),
    key("defaults.external_id_env", Form::Text),
    key("defaults.regions", Form::List),
    key("accounts", Form::Tables),
    key("accounts[].id", Form::Text),
    key("accounts[].name", Form::Text),
    key("accounts[].role_arn", Form::Text),
    key("accounts[].role_name", Form::Text),
    key("accounts[].external_id", Form::Text),
    key("accounts[].external_id_file", Form::Text),
    key("accounts[].external_id_env", Form::Text),
    key("accounts[].profile", Form::Text),
    set("accounts[].ambient", Form::Bool, "false"),
    key("accounts[].region", Form::Text),
    key("accounts[].regions", Form::List),
    key("accounts[].interval", Form::Duration),
    key("discovery", Form::Table),
    key("discovery.organizations", Form::Table),
    set("discovery.organizations.enabled", Form::Bool, "false"),
    key("discovery.organizations.role_arn", Form::Text),
    key("discovery.organizations.external_id", Form::Text),
    key("discovery.organizations.external_id_file", Form::Text),
    key("discovery.organizations.external_id_env", Form::Text),
    set(
        "discovery.organizations.refresh_interval",
        Form::Duration,
        "15m",
    ),
    key("discovery.organizations.include_ous", Form::List),
    key("discovery.organizations.exclude_accounts", Form::List),
    key("compliance", Form::Table),
    set(
        "compliance.required",
        Form::List,
        "multi_region_trail, logging",
    ),
    set("compliance.max_delivery_age", Form::Duration, "3h"),
    key("limits", Form::Table),
    set("limits.max_accounts", Form::Number, "50000"),
    set("limits.max_trails_per_account", Form::Number, "100"),
    set("limits.requests_per_second", Form::Number, "5"),
    key("organization_trails", Form::Table),
    set("organization_trails.status", Form::Text, "member"),
];

/// The key at `path`, where list items are written `[]`.
pub(super) fn find(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.path == path)
}

/// The names of the keys of the table at `path`; the empty path is the file itself.
fn names(path: &str) -> Vec<&'static str> {
    let inside = |key: &Key| match path {
        "" => Some(key.path),
        _ => key.path.strip_prefix(path)?.strip_prefix('.'),
    };
    let names = KEYS.iter().filter_map(inside);
    names.filter(|name| !name.contains('.')).collect()
}

/// Tells every key of the file's tree that is not in the table.
pub(super) fn refuse_unknown(tree: &Value, faults: &Faults) {
    walk(tree, "", "", faults);
}

fn walk(value: &Value, path: &str, pattern: &str, faults: &Faults) {
    match &value.kind {
        ValueKind::Table(map) => {
            let known = names(pattern);
            // A map has no order of its own, and the same text has the same errors.
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_unstable_by_key(|(name, _)| *name);
            for (name, inner) in entries {
                if known.contains(&name.as_str()) {
                    walk(inner, &join(path, name), &join(pattern, name), faults);
                } else if !known.is_empty() {
                    faults.tell(inner.origin(), &join(path, name), unknown(name, &known));
                }
            }
        }
        ValueKind::Array(items) if find(pattern).is_some_and(|k| k.form == Form::Tables) => {
            for (index, item) in items.iter().enumerate() {
                walk(
                    item,
                    &format!("{path}[{index}]"),
                    &format!("{pattern}[]"),
                    faults,
                );
            }
        }
        _ => {}
    }
}

/// `name` inside the table at `path`.
pub(super) fn join(path: &str, name: &str) -> String {
    match path {
        "" => name.to_owned(),
        _ => format!("{path}.{name}"),
    }
}

/// What to write instead of a key that does not exist.
pub(super) fn unknown(name: &str, known: &[&str]) -> String {
    match nearest(name, known) {
        Some(near) => format!("no such key; did you mean {near}?"),
        None => format!(
            "no such key; remove it, or write one of {}",
            known.join(", ")
        ),
    }
}
