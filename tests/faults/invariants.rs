//! What holds in every scrape, whatever goes wrong.

use std::collections::{BTreeMap, BTreeSet};

use crate::harness::Samples;

/// Panics with the sentence that does not hold.
pub fn hold(samples: &Samples) {
    no_series_twice(samples);
    for (family, labels, value) in &samples.0 {
        assert!(!value.is_nan(), "{family}{labels:?} is NaN");
    }
    let states = sums(samples, "cloudtrail_account_compliance");
    let reasons = sums(samples, "cloudtrail_account_compliance_reason");
    for account in sums(samples, "cloudtrail_account_info").keys() {
        assert_eq!(states.get(account), Some(&(3, 1.0)), "states of {account}");
        assert_eq!(
            reasons.get(account),
            Some(&(1, 1.0)),
            "reasons of {account}"
        );
    }
}

fn no_series_twice(samples: &Samples) {
    let mut seen = BTreeSet::new();
    for (family, labels, _) in &samples.0 {
        assert!(
            seen.insert((family, labels)),
            "{family}{labels:?} stands twice"
        );
    }
}

/// How many series a family has of each account, and their sum.
fn sums(samples: &Samples, family: &str) -> BTreeMap<String, (usize, f64)> {
    let mut sums = BTreeMap::new();
    for (labels, value) in samples.all(family, &[]) {
        let account = format!("{} {}", labels["account_name"], labels["account_id"]);
        let (count, sum) = sums.entry(account).or_insert((0, 0.0));
        *count += 1;
        *sum += value;
    }
    sums
}
