//! What was asked: how often, of whom, where, how fast, and what should never have been asked. Counting only; nothing here decides an answer.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::call::{Call, Service};
use crate::names::AccountId;

/// The most unexpected calls and assumptions remembered one by one.
const REMEMBERED: usize = 10_000;

/// How often one operation was asked about one account in one Region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Count {
    /// `sts`, `cloudtrail`, `organizations`, or the service the signature names.
    pub service: String,
    /// The operation.
    pub operation: String,
    /// The account asked about; absent when the key is unknown.
    pub account: Option<AccountId>,
    /// The Region it was signed for.
    pub region: String,
    /// How many requests.
    pub requests: u64,
}

/// A call no trail auditor makes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unexpected {
    /// The service.
    pub service: String,
    /// The action.
    pub operation: String,
    /// The account whose credentials were used.
    pub account: Option<AccountId>,
    /// The Region it was signed for.
    pub region: String,
}

/// An `AssumeRole` as it was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Assumption {
    /// The role.
    pub role_arn: String,
    /// The session name.
    pub session_name: String,
    /// The external ID sent.
    pub external_id: Option<String>,
    /// The session policy sent, as text.
    pub policy: Option<String>,
    /// The length asked for.
    pub duration_seconds: Option<u64>,
    /// The Region it was signed for.
    pub region: String,
    /// Who asked; absent when the key is unknown.
    pub caller: Option<String>,
    /// Whether credentials were given.
    pub granted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Key {
    service: usize,
    operation: usize,
    region: usize,
    account: Option<AccountId>,
}

/// Requests of the current second, and of the busiest one.
#[derive(Clone, Copy, Debug, Default)]
struct Pace {
    second: u64,
    requests: u64,
    peak: u64,
}

impl Pace {
    fn tick(&mut self, second: u64) -> u64 {
        if self.second != second {
            *self = Self {
                second,
                requests: 0,
                peak: self.peak,
            };
        }
        self.requests += 1;
        self.peak = self.peak.max(self.requests);
        self.requests
    }
}

/// The books.
#[derive(Debug, Default)]
pub(crate) struct Accounting {
    words: Vec<String>,
    counts: HashMap<Key, u64>,
    paces: HashMap<(Option<AccountId>, usize), Pace>,
    total: Pace,
    unexpected: Vec<Unexpected>,
    assumptions: Vec<Assumption>,
}

/// The busiest second of one account in one Region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Busiest {
    account: Option<AccountId>,
    region: String,
    requests: u64,
}

impl Accounting {
    /// Books a call; returns how many `CloudTrail` calls the account made in this Region in this second.
    pub(crate) fn record(
        &mut self,
        call: &Call,
        account: Option<AccountId>,
        now: SystemTime,
    ) -> u64 {
        let second = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let (service, operation) = (self.word(call.service_name()), self.word(&call.operation));
        let region = self.word(call.region());
        *self
            .counts
            .entry(Key {
                service,
                operation,
                region,
                account,
            })
            .or_default() += 1;
        self.total.tick(second);
        if !call.is_expected() && self.unexpected.len() < REMEMBERED {
            self.unexpected.push(unexpected(call, account));
        }
        if call.service == Service::CloudTrail {
            self.paces
                .entry((account, region))
                .or_default()
                .tick(second)
        } else {
            0
        }
    }

    /// Remembers an `AssumeRole`.
    pub(crate) fn assumed(&mut self, assumption: Assumption) {
        if self.assumptions.len() < REMEMBERED {
            self.assumptions.push(assumption);
        }
    }

    /// The place of a word in the table of words: keys stay small at fifty thousand accounts.
    fn word(&mut self, word: &str) -> usize {
        let known = self.words.iter().position(|known| known == word);
        known.unwrap_or_else(|| {
            self.words.push(word.to_owned());
            self.words.len() - 1
        })
    }

    fn said(&self, word: usize) -> String {
        self.words.get(word).cloned().unwrap_or_default()
    }

    /// All counts, in order.
    pub(crate) fn counts(&self) -> Vec<Count> {
        let count = |(key, requests): (&Key, &u64)| Count {
            service: self.said(key.service),
            operation: self.said(key.operation),
            account: key.account,
            region: self.said(key.region),
            requests: *requests,
        };
        let mut counts: Vec<Count> = self.counts.iter().map(count).collect();
        counts.sort();
        counts
    }

    pub(crate) fn unexpected(&self) -> &[Unexpected] {
        &self.unexpected
    }

    pub(crate) fn assumptions(&self) -> &[Assumption] {
        &self.assumptions
    }

    /// The most requests in one second.
    pub(crate) fn peak(&self) -> u64 {
        self.total.peak
    }

    /// The account and Region with the busiest second of `CloudTrail` calls.
    pub(crate) fn busiest(&self) -> Option<Busiest> {
        let ((account, region), pace) = self.paces.iter().max_by_key(|(_, pace)| pace.peak)?;
        Some(Busiest {
            account: *account,
            region: self.said(*region),
            requests: pace.peak,
        })
    }
}

fn unexpected(call: &Call, account: Option<AccountId>) -> Unexpected {
    Unexpected {
        service: call.service_name().to_owned(),
        operation: call.operation.clone(),
        account,
        region: call.region().to_owned(),
    }
}

/// Requests being answered now, and the most there ever were.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    now: AtomicUsize,
    peak: AtomicUsize,
}

/// One request being answered, until dropped.
#[derive(Debug)]
pub(crate) struct Flight<'a>(&'a InFlight);

impl InFlight {
    pub(crate) fn enter(&self) -> Flight<'_> {
        let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
        self.peak.fetch_max(now, Ordering::SeqCst);
        Flight(self)
    }

    pub(crate) fn peak(&self) -> usize {
        self.peak.load(Ordering::SeqCst)
    }

    pub(crate) fn reset(&self) {
        self.peak
            .store(self.now.load(Ordering::SeqCst), Ordering::SeqCst);
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use hyper::Request;
    use std::time::Duration;

    fn call(operation: &str) -> Call {
        let target = format!("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.{operation}");
        Call::read(
            &Request::post("/")
                .header("x-amz-target", target)
                .body(Bytes::new())
                .unwrap(),
        )
    }

    #[test]
    fn calls_are_counted_by_operation_and_account_and_the_busiest_second_is_kept() {
        let mut books = Accounting::default();
        let at = |second| UNIX_EPOCH + Duration::from_secs(second);
        let (one, two) = (AccountId::new(1), AccountId::new(2));
        for (account, second) in [(one, 1), (one, 1), (two, 1), (one, 2)] {
            books.record(&call("DescribeTrails"), account, at(second));
        }
        let counts: Vec<_> = books
            .counts()
            .into_iter()
            .map(|count| (count.account, count.requests))
            .collect();
        assert_eq!(counts, [(one, 3), (two, 1)]);
        assert_eq!((books.peak(), books.busiest().unwrap().requests), (3, 2));
        assert!(books.unexpected().is_empty());
    }

    #[test]
    fn a_writing_call_trips_the_wire() {
        let mut books = Accounting::default();
        books.record(&call("StopLogging"), AccountId::new(7), UNIX_EPOCH);
        assert_eq!(
            books
                .unexpected()
                .first()
                .map(|call| call.operation.as_str()),
            Some("StopLogging")
        );
    }

    #[test]
    fn the_peak_of_requests_in_flight_outlives_them() {
        let in_flight = InFlight::default();
        drop((in_flight.enter(), in_flight.enter()));
        drop(in_flight.enter());
        assert_eq!(in_flight.peak(), 2);
        in_flight.reset();
        assert_eq!(in_flight.peak(), 0);
    }
}
