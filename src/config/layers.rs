//! The layers of a configuration, laid over each other by the `config` crate: what AWS's own variables say, the file, and the variables that set keys.

use std::fmt;

use ::config::{Config, ConfigError, Environment, Map, Source, Value, ValueKind};

use super::errors::{Faults, Read};
use super::keys;
use super::variables::{PREFIX, SEPARATOR, Variables};
use crate::shared_config::SharedConfig;

/// What the `config` crate calls the place of a value that a variable set.
pub(super) const ENVIRONMENT: &str = "the environment";

/// The file's tree as a source of the `config` crate.
#[derive(Clone)]
struct File(Map<String, Value>);

/// Nothing of the text: it may hold secrets.
impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("File(..)")
    }
}

impl Source for File {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        Ok(self.0.clone())
    }
}

/// One tree of all layers. Of the file's tree only the keys that exist are laid in: the crate would read a name such as `a[9]` as a path.
pub(super) fn merge(
    tree: Value,
    variables: &Variables,
    shared: &SharedConfig,
    faults: &Faults,
) -> Read<Value> {
    keys::refuse_unknown(&tree, faults);
    let tree = known(said(tree), faults)?;
    let merged = build(tree.clone(), variables, shared, faults);
    let mut merged = merged.map_err(|problem| faults.tell(None, "", problem))?;
    locate(&mut merged, &tree);
    Ok(merged)
}

fn build(
    tree: Value,
    variables: &Variables,
    shared: &SharedConfig,
    faults: &Faults,
) -> Result<Value, ConfigError> {
    let mut layers = Config::builder().add_source(File(tree.into_table()?));
    let of_variable = variables.aws_region();
    let of_variable = of_variable.map(|(name, region)| (name.to_owned(), region));
    if let Some((place, region)) = of_variable.or_else(|| of_profile(shared)) {
        layers = layers.set_default("aws.region", Value::new(Some(&place), region))?;
    }
    let environment = Environment::with_prefix(PREFIX)
        .prefix_separator(SEPARATOR)
        .separator(SEPARATOR)
        .source(Some(variables.overrides(faults)));
    Ok(layers.add_source(environment).build()?.cache)
}

/// The Region of the profile that `AWS_PROFILE` selects, and where it is written.
fn of_profile(shared: &SharedConfig) -> Option<(String, &str)> {
    let profile = shared.profile(shared.selected())?;
    let place = format!("profile {} in {}: region", profile.name(), shared.files());
    Some((place, profile.get("region")?))
}

/// A tree without the keys whose value is nothing: they are as if not written.
fn said(mut tree: Value) -> Value {
    if let ValueKind::Table(map) = tree.kind {
        let written = map.into_iter().filter(|(_, v)| v.kind != ValueKind::Nil);
        tree.kind = ValueKind::Table(written.map(|(name, v)| (name, said(v))).collect());
    }
    tree
}

/// A tree without the keys at its root that do not exist.
fn known(mut tree: Value, faults: &Faults) -> Read<Value> {
    let ValueKind::Table(map) = &mut tree.kind else {
        let problem =
            "is no table of keys; write poll:, aws:, accounts: and so on at its left edge";
        return Err(faults.tell(tree.origin(), "", problem));
    };
    map.retain(|name, _| keys::find(name).is_some());
    Ok(tree)
}

/// Gives tables back the origin they have in the file, which merging loses.
fn locate(merged: &mut Value, file: &Value) {
    let (ValueKind::Table(inner), ValueKind::Table(of_file)) = (&mut merged.kind, &file.kind)
    else {
        return;
    };
    for (name, value) in inner.iter_mut() {
        if let Some(of_file) = of_file.get(name) {
            locate(value, of_file);
        }
    }
    let origin = file.origin().map(str::to_owned);
    let kind = std::mem::replace(&mut merged.kind, ValueKind::Nil);
    *merged = Value::new(origin.as_ref(), kind);
}
