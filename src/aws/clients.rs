//! What all accounts share: the way to AWS, one client per service and Region, and base credentials by profile. Made when first asked for, and kept.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use crate::account::Region;
use crate::aws::credentials::{Base, GivenCredentials, Source};
use crate::aws::limits::{CallLimits, MOST_REGIONS};
use crate::aws::meter::Meter;
use crate::aws::on_behalf::FromAccount;
use crate::aws::pace::Pace;
use crate::aws::setup::{Reach, retries, sdk_region};
use crate::aws::sts::Sts;
use crate::aws::user_agent::UserAgent;

/// Attempts of a call to Organizations: one refused page of hundreds would lose the whole listing.
const ORGANIZATIONS_ATTEMPTS: u32 = 8;

pub(super) struct Clients {
    pub(super) reach: Reach,
    user_agent: UserAgent,
    pub(super) meter: Meter,
    pub(super) limits: CallLimits,
    /// Where STS is asked for what is no account's own.
    pub(super) region: Region,
    given: GivenCredentials,
    bases: Lazy<Option<Arc<str>>, Arc<Base>>,
    sts: Lazy<Region, Arc<Sts>>,
    cloudtrail: Lazy<Region, aws_sdk_cloudtrail::Client>,
    /// The pace of calls to Organizations: that of one account.
    pub(super) organizations_pace: Arc<Pace>,
}

impl Clients {
    pub(super) fn new(
        reach: Reach,
        meter: Meter,
        limits: CallLimits,
        region: Region,
        given: GivenCredentials,
    ) -> Self {
        Self {
            user_agent: UserAgent::new(&reach.sdk),
            organizations_pace: Arc::new(Pace::new(limits.calls_per_second)),
            reach,
            meter,
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
            Arc::new(Base::new(source, self.limits.operation))
        })
    }

    /// The exporter's own credentials.
    pub(super) fn own(&self) -> Arc<Base> {
        self.base(None, &self.region)
    }

    fn source(&self, profile: Option<&Arc<str>>, region: &Region) -> Source {
        let providers = self.reach.providers.clone();
        match (self.given.of(profile), profile) {
            (Some(given), _) => Source::Given(given),
            (None, Some(profile)) => {
                Source::Profile(Arc::clone(profile), region.clone(), providers)
            }
            (None, None) => Source::Own(self.region.clone(), providers),
        }
    }

    pub(super) fn sts(&self, region: &Region) -> Arc<Sts> {
        self.sts.get(region, || {
            let config = aws_sdk_sts::config::Builder::from(&self.reach.sdk)
                .region(sdk_region(region))
                .interceptor(self.user_agent.clone())
                .interceptor(self.meter.clone());
            let client = aws_sdk_sts::Client::from_conf(config.build());
            let pace = Pace::new(self.limits.sts_per_second);
            Arc::new(Sts::new(client, pace, region.partition()))
        })
    }

    pub(super) fn cloudtrail(&self, region: &Region) -> aws_sdk_cloudtrail::Client {
        self.cloudtrail.get(region, || {
            let config = aws_sdk_cloudtrail::config::Builder::from(&self.reach.sdk)
                .region(sdk_region(region))
                .credentials_provider(FromAccount)
                .interceptor(FromAccount)
                .interceptor(self.user_agent.clone())
                .interceptor(self.meter.clone());
            aws_sdk_cloudtrail::Client::from_conf(config.build())
        })
    }

    /// Rarely asked, so not kept.
    pub(super) fn organizations(&self) -> aws_sdk_organizations::Client {
        let config = aws_sdk_organizations::config::Builder::from(&self.reach.sdk)
            .retry_config(retries(ORGANIZATIONS_ATTEMPTS))
            .credentials_provider(FromAccount)
            .interceptor(FromAccount)
            .interceptor(self.user_agent.clone())
            .interceptor(self.meter.clone());
        aws_sdk_organizations::Client::from_conf(config.build())
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
