//! Whether one logging trail delivers: no S3 error, and something arrived lately. The digest counts as well, since it is written hourly even where
//! nothing happens. Digest errors are not judged here.

use std::time::Duration;

use super::{Policy, Reason, Truth};
use crate::facts::{Destination, Failure, Moment, TrailStatus};
use crate::timestamp::Timestamp;

/// How far ahead of our clock AWS's may be before a time proves nothing.
const SKEW: Duration = Duration::from_mins(5);

/// Whether a trail with this status delivers. `validation` tells whether digests are written, `order` is the place of the status call in the poll.
pub(super) fn delivers(
    status: &TrailStatus,
    validation: Truth,
    order: u32,
    policy: &Policy,
    now: Timestamp,
) -> Truth {
    let s3 = status.delivery(Destination::S3);
    if s3.error.is_some() {
        return Truth::False;
    }
    let known = |answer: Result<bool, Reason>| match answer {
        Ok(known) => known.into(),
        Err(reason) => Truth::Unknown { order, reason },
    };
    let recent = |moment| {
        known(age(moment, now).map(|age| age.is_some_and(|age| age <= policy.max_delivery_age)))
    };
    let digest = status.delivery(Destination::S3Digest).latest;
    let never =
        s3.latest == Moment::Never && (digest == Moment::Never || validation != Truth::True);
    recent(s3.latest)
        .or(recent(digest).and(validation))
        .or(known(just_started(status.started, never, policy, now)))
}

/// Whether the trail started so lately that a delivery is not due yet.
fn just_started(
    started: Moment,
    never_delivered: bool,
    policy: &Policy,
    now: Timestamp,
) -> Result<bool, Reason> {
    match age(started, now)? {
        Some(age) => Ok(age < policy.max_delivery_age),
        None if never_delivered => Err(Reason::Failed(Failure::Malformed)),
        None => Ok(false),
    }
}

/// How long ago it happened, `None` if never; or why that cannot be said.
fn age(moment: Moment, now: Timestamp) -> Result<Option<Duration>, Reason> {
    let at = match moment {
        Moment::Never => return Ok(None),
        Moment::Implausible => return Err(Reason::Failed(Failure::Malformed)),
        Moment::At(at) => at,
    };
    match now.wall().duration_since(at) {
        Ok(age) => Ok(Some(age)),
        Err(ahead) if ahead.duration() > SKEW => Err(Reason::Failed(Failure::ClockSkew)),
        Err(_) => Ok(Some(Duration::ZERO)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compliance::fixtures::{ago, ahead, minutes, now, rule, status};
    use crate::facts::Moment::{Implausible, Never};

    const ORDER: u32 = 4;
    const LONG_AGO: u64 = 1000;
    const UNSAID: Truth = Truth::Unknown {
        order: 0,
        reason: Reason::Stale,
    };

    fn because(failure: Failure) -> Truth {
        let reason = Reason::Failed(failure);
        Truth::Unknown {
            order: ORDER,
            reason,
        }
    }

    /// Judges a trail that last delivered log files and digests and started at these moments.
    fn judge(s3: Moment, digest: Moment, started: Moment, validation: Truth) -> Truth {
        let mut status = status();
        status.deliveries[0].latest = s3;
        status.deliveries[1].latest = digest;
        status.started = started;
        delivers(&status, validation, ORDER, &rule(), now())
    }

    #[test]
    fn a_log_file_within_the_limit_is_a_delivery() {
        for (s3, expected) in [
            (ago(180), Truth::True),
            (
                Moment::At((now() - minutes(180) - Duration::from_nanos(1)).wall()),
                Truth::False,
            ),
            (ago(0), Truth::True),
            (ahead(5), Truth::True),
            (ahead(6), because(Failure::ClockSkew)),
            (Implausible, because(Failure::Malformed)),
            (Never, Truth::False),
        ] {
            assert_eq!(
                judge(s3, Never, ago(LONG_AGO), Truth::True),
                expected,
                "{s3:?}"
            );
        }
    }

    #[test]
    fn a_digest_counts_where_validation_is_on() {
        let old = ago(LONG_AGO);
        for (digest, validation, expected) in [
            (ago(60), Truth::True, Truth::True),
            (ago(60), Truth::False, Truth::False),
            (ago(60), UNSAID, UNSAID),
            (old, UNSAID, Truth::False),
            (Implausible, Truth::True, because(Failure::Malformed)),
            (Implausible, Truth::False, Truth::False),
            (ahead(6), Truth::True, because(Failure::ClockSkew)),
        ] {
            assert_eq!(judge(old, digest, old, validation), expected, "{digest:?}");
        }
    }

    #[test]
    fn a_trail_that_just_started_has_not_to_deliver_yet() {
        for (started, expected) in [
            (ago(179), Truth::True),
            (ago(180), Truth::False),
            (ahead(5), Truth::True),
            (ahead(6), because(Failure::ClockSkew)),
            (Implausible, because(Failure::Malformed)),
        ] {
            assert_eq!(
                judge(Never, Never, started, Truth::True),
                expected,
                "{started:?}"
            );
        }
    }

    #[test]
    fn without_a_start_only_a_trail_that_never_delivered_is_unknown() {
        let old = ago(LONG_AGO);
        let unknown = because(Failure::Malformed);
        for (s3, digest, validation, expected) in [
            (Never, Never, Truth::True, unknown),
            (Never, old, Truth::False, unknown),
            (Never, old, UNSAID, unknown),
            (Never, old, Truth::True, Truth::False),
            (old, Never, Truth::True, Truth::False),
            (old, old, Truth::False, Truth::False),
        ] {
            assert_eq!(judge(s3, digest, Never, validation), expected);
        }
    }

    #[test]
    fn an_s3_error_fails_whatever_arrived() {
        let mut status = status();
        status.deliveries[0].error = Some("NoSuchBucket".into());
        assert_eq!(
            delivers(&status, Truth::True, ORDER, &rule(), now()),
            Truth::False
        );
    }

    #[test]
    fn errors_of_other_destinations_are_not_judged() {
        let mut status = status();
        for delivery in &mut status.deliveries[1..] {
            delivery.error = Some("AccessDenied".into());
        }
        assert_eq!(
            delivers(&status, Truth::True, ORDER, &rule(), now()),
            Truth::True
        );
    }
}
