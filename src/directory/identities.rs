//! Whose the credentials are of accounts that are configured without an id. Polls find it out; the
//! merge uses it, so that one account is one entry whatever it was configured or discovered as.

use crate::account::AccountId;
use crate::config::Access;

/// What a poll found out: whose the credentials of an account are.
#[derive(Debug, Clone, PartialEq)]
pub struct Identified {
    /// How the account's session was opened. No two accounts without an id share credentials.
    pub access: Access,
    /// Whose they are.
    pub id: AccountId,
}

/// The identities found last, by credentials: they are few.
#[derive(Debug, Clone, Default)]
pub struct Identities(Vec<Identified>);

impl Identities {
    /// Nothing is found out yet.
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Records an identity. Whether it is another than before.
    pub fn record(&mut self, identified: Identified) -> bool {
        if self.0.contains(&identified) {
            return false;
        }
        self.0.retain(|known| known.access != identified.access);
        self.0.push(identified);
        true
    }

    /// Whose the credentials obtained like this were found to be.
    pub fn of(&self, access: &Access) -> Option<AccountId> {
        let known = self.0.iter().find(|known| known.access == *access);
        known.map(|known| known.id)
    }

    /// Drops what is known of credentials that are configured no longer.
    pub fn retain(&mut self, is_configured: impl Fn(&Access) -> bool) {
        self.0.retain(|known| is_configured(&known.access));
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::id;
    use super::*;

    fn profile(name: &str) -> Access {
        Access::Profile(name.into())
    }

    #[test]
    fn an_identity_holds_until_another_one_is_recorded() {
        let mut identities = Identities::default();
        let mut record = |number| {
            let (access, id) = (Access::Ambient, id(number));
            identities.record(Identified { access, id })
        };
        assert_eq!([7, 7, 8].map(&mut record), [true, false, true]);
        assert_eq!(identities.of(&Access::Ambient), Some(id(8)));
        identities.retain(|_| false);
        assert_eq!(identities.of(&Access::Ambient), None);
    }

    #[test]
    fn an_identity_counts_only_for_the_credentials_it_was_found_with() {
        let mut identities = Identities::default();
        for (name, number) in [("one", 7), ("two", 8)] {
            let (access, id) = (profile(name), id(number));
            assert!(identities.record(Identified { access, id }));
        }
        let known = ["one", "two", "three"].map(|name| identities.of(&profile(name)));
        assert_eq!(known, [Some(id(7)), Some(id(8)), None]);
    }
}
