//! Environment variables: a value of their own, and those of them that set keys.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;

use ::config::Map;

use super::errors::Faults;
use super::keys::{self, Form, KEYS};
use super::nearest::nearest;

/// What the name of a variable that sets a key begins with. Two underscores follow, since Kubernetes sets variables with one for a Service of our name.
pub(super) const PREFIX: &str = "CLOUDTRAIL_EXPORTER";
/// What stands between the parts of such a name.
pub(super) const SEPARATOR: &str = "__";
/// Where AWS tools take the Region from, the first that is set.
const REGION_VARIABLES: [&str; 2] = ["AWS_REGION", "AWS_DEFAULT_REGION"];

/// Environment variables, read once, so that the same text under the same variables always makes the same configuration.
#[derive(Clone, Default)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// Those of this process; what is not UTF-8 is not seen.
    pub fn of_process() -> Self {
        let text = |(name, value): (OsString, OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self(std::env::vars_os().filter_map(text).collect())
    }

    /// One of them.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// One of them, unless it is empty.
    pub(super) fn set(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// The Region AWS's own variables name, with the variable's name.
    pub(super) fn aws_region(&self) -> Option<(&'static str, &str)> {
        let set = REGION_VARIABLES.map(|name| Some((name, self.get(name)?)));
        set.into_iter().flatten().find(|(_, text)| !text.is_empty())
    }

    /// The variables that set keys; those that look as if they did are told. An empty one is as good as unset.
    pub(super) fn overrides(&self, faults: &Faults) -> Map<String, String> {
        let prefix = format!("{PREFIX}{SEPARATOR}");
        let said = self.0.iter().filter(|(_, value)| !value.is_empty());
        let mut overrides = Map::new();
        for (name, value) in said {
            let Some(rest) = name.strip_prefix(&prefix) else {
                continue;
            };
            let path = rest.to_lowercase().replace(SEPARATOR, ".");
            if settable().any(|key| key == path) {
                overrides.insert(name.clone(), value.clone());
            } else {
                faults.tell(Some(name), "", sets_no_key(&path));
            }
        }
        overrides
    }
}

impl FromIterator<(String, String)> for Variables {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

/// The names alone: a value may be a secret.
impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.keys()).finish()
    }
}

/// The variable that sets the key at `path`.
pub(super) fn variable(path: &str) -> String {
    let name = path.replace('.', SEPARATOR).to_uppercase();
    format!("{PREFIX}{SEPARATOR}{name}")
}

/// The keys one variable can set: those that hold one value and stand in no list.
fn settable() -> impl Iterator<Item = &'static str> {
    let single = |key: &&keys::Key| key.form.is_scalar() && !key.path.contains('[');
    KEYS.iter().filter(single).map(|key| key.path)
}

fn sets_no_key(path: &str) -> String {
    let form = keys::find(path).map(|key| key.form);
    if matches!(form, Some(Form::List | Form::Tables)) {
        return "a variable holds no list; write it in the file".to_owned();
    }
    let known: Vec<&str> = settable().collect();
    let near = nearest(path, &known).map(variable);
    near.map_or_else(
        || "sets no key; remove it, or see the documentation for those that do".to_owned(),
        |near| format!("sets no key; did you mean {near}?"),
    )
}
