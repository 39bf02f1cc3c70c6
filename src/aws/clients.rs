//! What all accounts share: the way to AWS, one client per service and Region, and base credentials by profile. Made when first asked for, and kept.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use crate::account::Region;
use crate::aws::credentials::{Base, Finder, GivenCredentials, Source};
use crate::aws::limits::{CallLimits, MOST_REGIONS};
use crate::aws::pace::Pace;
use crate::aws::setup::Reach;
use crate::aws::sts::Sts;
use crate::directory::Account;

/// The profile whose credentials and endpoints are used, and a Region.
type There = (Option<Arc<str>>, Region);

pub(super) struct Clients {
    pub(super) reach: Arc<Reach>,
    pub(super) limits: CallLimits,
    /// Where STS is asked for what is no account's own.
    pub(super) region: Region,
    given: GivenCredentials,
    bases: Lazy<Option<Arc<str>>, Arc<Base>>,
    sts: Lazy<There, Arc<Sts>>,
    cloudtrail: Lazy<There, aws_sdk_cloudtrail::Client>,
    /// The pace of calls to Organizations: that of one account.
    pub(super) organizations_pace: Arc<Pace>,
}

impl Clients {
    pub(super) fn new(
        reach: Reach,
        limits: CallLimits,
        region: Region,
        given: GivenCredentials,
    ) -> Self {
        Self {
            organizations_pace: Arc::new(Pace::new(limits.calls_per_second)),
            reach: Arc::new(reach),
            limits,
            region,
            given,
            bases: Lazy::new(usize::MAX),
            sts: Lazy::new(usize::MAX),
            cloudtrail: Lazy::new(MOST_REGIONS),
        }
    }

    /// The credentials of a profile; the exporter's own if `None`. A profile's are found by way of `region`, one of its partition.
    pub(super) fn base(&self, profile: Option<&Arc<str>>, region: &Region) -> Arc<Base> {
        self.bases.get(&profile.cloned(), || {
            let source = self.source(profile, region);
            let clock = self.reach.meter.clock();
            Arc::new(Base::new(source, self.limits.operation, clock))
        })
    }

    /// The exporter's own credentials.
    pub(super) fn own(&self) -> Arc<Base> {
        self.base(None, &self.region)
    }

    fn source(&self, profile: Option<&Arc<str>>, region: &Region) -> Source {
        if let Some(given) = self.given.of(profile) {
            return Source::Given(given);
        }
        let region = profile.map_or(&self.region, |_| region);
        Source::Found(Finder {
            profile: profile.cloned(),
            region: region.clone(),
            reach: Arc::clone(&self.reach),
        })
    }

    pub(super) fn sts(&self, profile: Option<&Arc<str>>, region: &Region) -> Arc<Sts> {
        let there = (self.apart(profile), region.clone());
        self.sts
            .get(&there, || Arc::new(self.reach.sts(profile, region)))
    }

    /// CloudTrail, as it is asked about an account.
    pub(super) fn cloudtrail(
        &self,
        account: &Account,
        region: &Region,
    ) -> aws_sdk_cloudtrail::Client {
        let profile = account.access.profile();
        let there = (self.apart(profile), region.clone());
        self.cloudtrail
            .get(&there, || self.reach.cloudtrail(profile, region))
    }

    /// Rarely asked, so not kept.
    pub(super) fn organizations(&self) -> aws_sdk_organizations::Client {
        self.reach.organizations()
    }

    /// The profile, if its endpoints are not those of the exporter's own credentials: only then are
    /// its clients others.
    fn apart(&self, profile: Option<&Arc<str>>) -> Option<Arc<str>> {
        profile.filter(|name| self.reach.is_apart(name)).cloned()
    }
}

/// A handful of things by key; what is beyond the most that are kept is made each time.
struct Lazy<K, V> {
    things: Mutex<HashMap<K, V>>,
    most: usize,
}

impl<K: Clone + Eq + Hash, V: Clone> Lazy<K, V> {
    fn new(most: usize) -> Self {
        let things = Mutex::default();
        Self { things, most }
    }

    fn get(&self, key: &K, make: impl FnOnce() -> V) -> V {
        let mut things = self.things.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thing) = things.get(key) {
            return thing.clone();
        }
        let thing = make();
        if things.len() < self.most {
            things.insert(key.clone(), thing.clone());
        }
        thing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_made_once_is_kept_and_keys_without_end_are_not() {
        let made = Lazy::new(MOST_REGIONS);
        for key in 0..10 * MOST_REGIONS {
            assert_eq!(made.get(&key, || key), key);
        }
        assert_eq!(made.get(&0, || 1), 0, "the first ones are kept");
        let kept = made.things.lock().map(|things| things.len());
        assert_eq!(kept.ok(), Some(MOST_REGIONS));
    }
}
