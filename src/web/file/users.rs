//! `basic_auth_users`: names and bcrypt hashes.

use bcrypt::HashParts;

use super::tree::Table;
use crate::config::Secret;

/// With a lower cost no check ever succeeds.
const MIN_COST: u32 = 4;
/// A check at this cost takes about ten seconds; at a higher one the operator locks himself out.
const MAX_COST: u32 = 17;

/// Users and the hashes of their passwords, by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct UserHashes(pub(crate) Vec<(String, Secret)>);

impl UserHashes {
    /// What the file says.
    pub(super) fn of(root: &mut Table<'_>) -> Self {
        let mut users = Vec::new();
        for (name, hash) in root.texts("basic_auth_users") {
            match fault(&name, &hash) {
                None => users.push((name, Secret::new(&hash))),
                Some(problem) => root.tell(&format!("basic_auth_users.{name}"), problem),
            }
        }
        Self(users)
    }
}

fn fault(name: &str, hash: &str) -> Option<&'static str> {
    let parts = hash.parse::<HashParts>().ok();
    let Some(cost) = parts.map(|p| p.get_cost()).filter(|cost| *cost >= MIN_COST) else {
        return Some("is not a bcrypt hash; write what htpasswd -nBC 10 prints after the colon");
    };
    if name.contains(':') {
        return Some("has a colon in its name, which basic authentication cannot send");
    }
    (cost > MAX_COST)
        .then_some("costs so much that a login takes minutes; hash with a cost of 10 to 14")
}
