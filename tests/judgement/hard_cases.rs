//! Hard cases by name: what AWS may say, and the one state and reason that follow. In the order in which the rules are written down.

#![allow(clippy::too_many_lines, reason = "each table is one function")]

use crate::account::TrailArn;
use crate::compliance::{Check, HeldTrail, Reason, Verdict, evaluate, owner};
use crate::facts::{AccountFacts, EventSelectors, Failure, Moment, ReadWrite, RegionAnswer};
use crate::fixtures::{
    AWAY, COMPLIANT, HOME, Sketch, advanced, ago, ahead, asked, basic, basics, both, failed,
    held_by_owner, is_none_of, is_one_of, management, minutes, no, now, organization_trail, owned,
    requiring, rule, trail, unknown, whole,
};
use RegionAnswer::{Disabled, Failed, Partial, Whole};

const KMS: &str = "kms.amazonaws.com";
const RDS: &str = "rdsdata.amazonaws.com";
const TIMEOUT: RegionAnswer = Failed(Failure::Timeout);
const THROTTLED: RegionAnswer = Failed(Failure::Throttled);
const OLD: u64 = 10_000;

type Case = (&'static str, AccountFacts, Verdict);

fn assert_all(required: &[Check], cases: impl IntoIterator<Item = Case>) {
    let policy = requiring(required);
    for (name, facts, expected) in cases {
        assert_eq!(evaluate(&facts, &policy, now()).verdict, expected, "{name}");
    }
}

#[test]
fn presence() {
    let single = || trail("a").single_region();
    let failed_region = |failure| asked([(HOME, Failed(failure))], []);
    assert_all(
        &rule().required,
        [
            ("one good trail", whole([trail("a")]), COMPLIANT),
            ("no trail at all", whole([]), no(Reason::NoTrail)),
            (
                "only a single-Region trail",
                whole([single()]),
                no(Reason::NoMultiRegionTrail),
            ),
            (
                "a single-Region trail in every Region",
                both(
                    Whole,
                    Whole,
                    [single(), trail("b").single_region().living_in(AWAY)],
                ),
                no(Reason::NoMultiRegionTrail),
            ),
            (
                "a single-Region organization trail",
                whole([organization_trail("o").single_region()]),
                no(Reason::NoMultiRegionTrail),
            ),
            (
                "the same name twice, own and organization",
                whole([trail("a").single_region(), organization_trail("a")]),
                COMPLIANT,
            ),
            (
                "one whole answer without trails proves absence, another Region failed",
                both(Whole, TIMEOUT, []),
                no(Reason::NoMultiRegionTrail),
            ),
            (
                "the same, the first asked failed",
                both(TIMEOUT, Whole, []),
                no(Reason::NoMultiRegionTrail),
            ),
            (
                "no trail, the other Region is disabled",
                both(Whole, Disabled, []),
                no(Reason::NoTrail),
            ),
            (
                "no trail, the other answer is partial",
                both(Whole, Partial, []),
                no(Reason::NoMultiRegionTrail),
            ),
            (
                "a good trail beside a malformed entry",
                asked([(HOME, Partial)], [trail("a")]),
                COMPLIANT,
            ),
            (
                "nothing good beside a malformed entry",
                asked([(HOME, Partial)], []),
                failed(Failure::Malformed),
            ),
            (
                "a single-Region trail beside a malformed entry",
                asked([(HOME, Partial)], [single()]),
                failed(Failure::Malformed),
            ),
            (
                "a stopped trail beside a malformed entry",
                asked([(HOME, Partial)], [trail("a").stopped()]),
                failed(Failure::Malformed),
            ),
            (
                "a good trail, seen in one of two Regions",
                both(TIMEOUT, Whole, [trail("a")]),
                COMPLIANT,
            ),
            (
                "every Region is disabled",
                both(Disabled, Disabled, []),
                failed(Failure::RegionDisabled),
            ),
            (
                "one is disabled, one fails",
                both(Disabled, TIMEOUT, []),
                failed(Failure::Timeout),
            ),
            (
                "two Regions with different errors: the first asked names it",
                both(THROTTLED, TIMEOUT, []),
                failed(Failure::Throttled),
            ),
            (
                "the same the other way round",
                both(TIMEOUT, THROTTLED, []),
                failed(Failure::Timeout),
            ),
            (
                "partial first, failed second",
                both(Partial, TIMEOUT, []),
                failed(Failure::Malformed),
            ),
            (
                "access denied",
                failed_region(Failure::AccessDenied),
                failed(Failure::AccessDenied),
            ),
            (
                "credentials refused",
                failed_region(Failure::Credentials),
                failed(Failure::Credentials),
            ),
            (
                "clock skew",
                failed_region(Failure::ClockSkew),
                failed(Failure::ClockSkew),
            ),
            (
                "network",
                failed_region(Failure::Network),
                failed(Failure::Network),
            ),
            ("TLS", failed_region(Failure::Tls), failed(Failure::Tls)),
            (
                "an empty object for an answer",
                failed_region(Failure::Malformed),
                failed(Failure::Malformed),
            ),
            (
                "server error",
                failed_region(Failure::ServerError),
                failed(Failure::ServerError),
            ),
            (
                "any other code",
                failed_region(Failure::Other),
                failed(Failure::Other),
            ),
            (
                "not found has no name of its own",
                failed_region(Failure::NotFound),
                failed(Failure::Other),
            ),
        ],
    );
}

#[test]
fn logging() {
    let unread = |name, failure| trail(name).status_failed(failure);
    assert_all(
        &rule().required,
        [
            (
                "the only trail is stopped",
                whole([trail("a").stopped()]),
                no(Reason::NotLogging),
            ),
            (
                "every trail is stopped",
                whole([trail("a").stopped(), trail("b").stopped()]),
                no(Reason::NotLogging),
            ),
            (
                "one of two is stopped",
                whole([trail("a").stopped(), trail("b")]),
                COMPLIANT,
            ),
            (
                "the multi-Region trail is stopped, a single-Region one logs",
                whole([trail("a").stopped(), trail("b").single_region()]),
                no(Reason::NotLogging),
            ),
            (
                "stopped, with a delivery later than the stop",
                whole([trail("a").stopped().s3(ago(1))]),
                no(Reason::NotLogging),
            ),
            (
                "a status that is refused",
                whole([unread("a", Failure::AccessDenied)]),
                unknown(Reason::TrailStatusUnreadable),
            ),
            (
                "a status that is not found",
                whole([unread("a", Failure::NotFound)]),
                unknown(Reason::TrailStatusUnreadable),
            ),
            (
                "a status without IsLogging",
                whole([unread("a", Failure::Malformed)]),
                failed(Failure::Malformed),
            ),
            (
                "a throttled status",
                whole([unread("a", Failure::Throttled)]),
                failed(Failure::Throttled),
            ),
            (
                "a status whose home Region is disabled, own trail",
                whole([unread("a", Failure::RegionDisabled)]),
                failed(Failure::RegionDisabled),
            ),
            (
                "one logs, the other is unread",
                whole([unread("a", Failure::Timeout), trail("b")]),
                COMPLIANT,
            ),
            (
                "one is stopped, the other unread",
                whole([trail("a").stopped(), unread("b", Failure::Timeout)]),
                failed(Failure::Timeout),
            ),
            (
                "two unread for different reasons: the lower ARN names it",
                whole([unread("a", Failure::Tls), unread("b", Failure::Timeout)]),
                failed(Failure::Tls),
            ),
            (
                "an unread single-Region trail does not matter",
                whole([
                    trail("a").stopped(),
                    unread("b", Failure::Timeout).single_region(),
                ]),
                no(Reason::NotLogging),
            ),
            (
                "an unread trail beside a Region that fails",
                both(THROTTLED, Whole, [unread("a", Failure::Timeout)]),
                failed(Failure::Timeout),
            ),
            (
                "an unread trail where trails may be unseen: the first call names it",
                asked([(HOME, Partial)], [unread("a", Failure::Timeout)]),
                failed(Failure::Malformed),
            ),
            (
                "selectors that are refused do not matter to the rule",
                whole([trail("a").selectors_failed(Failure::AccessDenied)]),
                COMPLIANT,
            ),
            (
                "not logging, whatever the selectors",
                whole([trail("a").stopped().selectors_failed(Failure::Timeout)]),
                no(Reason::NotLogging),
            ),
        ],
    );
}

#[test]
fn delivery() {
    let stale = |name| trail(name).s3(ago(OLD)).digest(ago(OLD));
    let silent = || trail("a").s3(Moment::Never).digest(Moment::Never);
    assert_all(
        &[Check::Delivery],
        [
            ("log files arrive", whole([trail("a")]), COMPLIANT),
            (
                "no trail fails the check that is required",
                whole([]),
                no(Reason::DeliveryStale),
            ),
            (
                "log files are old, digests arrive",
                whole([trail("a").s3(ago(OLD))]),
                COMPLIANT,
            ),
            (
                "digests arrive but validation is off",
                whole([trail("a").s3(ago(OLD)).validated(Some(false))]),
                no(Reason::DeliveryStale),
            ),
            (
                "digests arrive and validation is not told",
                whole([trail("a").s3(ago(OLD)).validated(None)]),
                failed(Failure::Malformed),
            ),
            (
                "both are old",
                whole([stale("a")]),
                no(Reason::DeliveryStale),
            ),
            (
                "exactly at the limit",
                whole([stale("a").s3(ago(180))]),
                COMPLIANT,
            ),
            (
                "a minute over the limit",
                whole([stale("a").s3(ago(181))]),
                no(Reason::DeliveryStale),
            ),
            (
                "the bucket is gone although a file came lately",
                whole([trail("a").failing("NoSuchBucket")]),
                no(Reason::DeliveryFailing),
            ),
            (
                "the bucket is gone right after the start",
                whole([silent().started(ago(1)).failing("AccessDenied")]),
                no(Reason::DeliveryFailing),
            ),
            (
                "one fails, another delivers",
                whole([trail("a").failing("NoSuchBucket"), trail("b")]),
                COMPLIANT,
            ),
            (
                "one fails, another is stale",
                whole([trail("a").failing("NoSuchBucket"), stale("b")]),
                no(Reason::DeliveryFailing),
            ),
            (
                "a stopped trail's error is not the account's",
                whole([trail("a").stopped().failing("NoSuchBucket")]),
                no(Reason::DeliveryStale),
            ),
            (
                "a stopped trail's delivery proves nothing",
                whole([trail("a").stopped(), stale("b")]),
                no(Reason::DeliveryStale),
            ),
            (
                "never delivered, started long ago",
                whole([silent()]),
                no(Reason::DeliveryStale),
            ),
            (
                "never delivered, just started",
                whole([silent().started(ago(179))]),
                COMPLIANT,
            ),
            (
                "never delivered, start not told",
                whole([silent().started(Moment::Never)]),
                failed(Failure::Malformed),
            ),
            (
                "delivered long ago, start not told",
                whole([stale("a").started(Moment::Never)]),
                no(Reason::DeliveryStale),
            ),
            (
                "delivered long ago, started again lately",
                whole([stale("a").started(ago(5))]),
                COMPLIANT,
            ),
            (
                "a delivery a little ahead of our clock",
                whole([stale("a").s3(ahead(5))]),
                COMPLIANT,
            ),
            (
                "a delivery far ahead of our clock",
                whole([stale("a").s3(ahead(6))]),
                failed(Failure::ClockSkew),
            ),
            (
                "a delivery far ahead beside a good digest",
                whole([trail("a").s3(ahead(6))]),
                COMPLIANT,
            ),
            (
                "a delivery at no possible time",
                whole([stale("a").s3(Moment::Implausible)]),
                failed(Failure::Malformed),
            ),
            (
                "a start far ahead of our clock",
                whole([stale("a").started(ahead(6))]),
                failed(Failure::ClockSkew),
            ),
            (
                "a start at no possible time",
                whole([stale("a").started(Moment::Implausible)]),
                failed(Failure::Malformed),
            ),
            (
                "an unread status",
                whole([trail("a").status_failed(Failure::AccessDenied)]),
                unknown(Reason::TrailStatusUnreadable),
            ),
        ],
    );
}

#[test]
fn management_events() {
    let selecting = |selectors: EventSelectors| whole([trail("a").selecting(selectors)]);
    let incomplete = || no(Reason::ManagementEventsIncomplete);
    let reads = || basics([basic(ReadWrite::ReadOnly, &[])]);
    let writes = || basics([basic(ReadWrite::WriteOnly, &[])]);
    let without = |source| basics([basic(ReadWrite::All, &[source])]);
    let narrowed = |field, value| advanced([management([is_none_of(field, &[value])])]);
    let unread = |failure| trail("b").selectors_failed(failure);
    assert_all(
        &[Check::ManagementEvents],
        [
            (
                "no selector of one's own",
                selecting(EventSelectors::Default),
                COMPLIANT,
            ),
            ("two empty lists", selecting(basics([])), COMPLIANT),
            (
                "an advanced list that is present and empty",
                selecting(advanced([])),
                incomplete(),
            ),
            ("read events only", selecting(reads()), incomplete()),
            ("write events only", selecting(writes()), incomplete()),
            ("all but KMS", selecting(without(KMS)), incomplete()),
            (
                "all management events, advanced",
                selecting(advanced([management([])])),
                COMPLIANT,
            ),
            (
                "readOnly both ways",
                selecting(advanced([management([is_one_of(
                    "readOnly",
                    &["true", "false"],
                )])])),
                COMPLIANT,
            ),
            (
                "two selectors, one a kind",
                selecting(advanced([
                    management([is_one_of("readOnly", &["true"])]),
                    management([is_one_of("readOnly", &["false"])]),
                ])),
                COMPLIANT,
            ),
            (
                "all but RDS Data, advanced",
                selecting(narrowed("eventSource", RDS)),
                incomplete(),
            ),
            (
                "narrowed by event name",
                selecting(narrowed("eventName", "x")),
                incomplete(),
            ),
            (
                "reads here, writes there",
                whole([
                    trail("a").selecting(reads()),
                    trail("b").selecting(writes()),
                ]),
                COMPLIANT,
            ),
            (
                "reads here, writes on a stopped trail",
                whole([
                    trail("a").selecting(reads()),
                    trail("b").selecting(writes()).stopped(),
                ]),
                incomplete(),
            ),
            (
                "reads here, writes on a single-Region trail",
                whole([
                    trail("a").selecting(reads()),
                    trail("b").selecting(writes()).single_region(),
                ]),
                incomplete(),
            ),
            (
                "KMS here, RDS there",
                whole([
                    trail("a").selecting(without(KMS)),
                    trail("b").selecting(without(RDS)),
                ]),
                COMPLIANT,
            ),
            (
                "KMS nowhere",
                whole([
                    trail("a").selecting(without(KMS)),
                    trail("b").selecting(without(KMS)),
                ]),
                incomplete(),
            ),
            (
                "full here, unread there",
                whole([trail("a"), unread(Failure::AccessDenied)]),
                COMPLIANT,
            ),
            (
                "reads here, unread there",
                whole([trail("a").selecting(reads()), unread(Failure::AccessDenied)]),
                failed(Failure::AccessDenied),
            ),
            (
                "unread selectors that are not found",
                whole([unread(Failure::NotFound)]),
                failed(Failure::Other),
            ),
            (
                "unread selectors of a stopped trail",
                whole([unread(Failure::Timeout).stopped()]),
                incomplete(),
            ),
            (
                "writes of a trail whose status is unread",
                whole([
                    trail("a").selecting(reads()),
                    trail("b")
                        .selecting(writes())
                        .status_failed(Failure::Throttled),
                ]),
                failed(Failure::Throttled),
            ),
            (
                "reads again of a trail whose status is unread",
                whole([
                    trail("a").selecting(reads()),
                    trail("b")
                        .selecting(reads())
                        .status_failed(Failure::Throttled),
                ]),
                incomplete(),
            ),
            (
                "reads here, other trails may be unseen",
                asked([(HOME, Partial)], [trail("a").selecting(reads())]),
                failed(Failure::Malformed),
            ),
            ("no trail", whole([]), incomplete()),
        ],
    );
}

#[test]
fn one_trail_must_have_it_all() {
    let required = [
        Check::LogFileValidation,
        Check::KmsEncryption,
        Check::CloudWatchLogs,
    ];
    let plain = || trail("a").validated(Some(false));
    assert_all(
        &required,
        [
            (
                "all three",
                whole([trail("a").encrypted().watched()]),
                COMPLIANT,
            ),
            (
                "each on another logging trail",
                whole([trail("a"), plain().encrypted(), trail("c").watched()]),
                COMPLIANT,
            ),
            (
                "no validation",
                whole([plain().encrypted().watched()]),
                no(Reason::LogFileValidationDisabled),
            ),
            (
                "no key",
                whole([trail("a").watched()]),
                no(Reason::KmsEncryptionDisabled),
            ),
            (
                "no log group",
                whole([trail("a").encrypted()]),
                no(Reason::CloudWatchLogsDisabled),
            ),
            (
                "none of them: the first in order names it",
                whole([plain()]),
                no(Reason::LogFileValidationDisabled),
            ),
            (
                "all on a stopped trail",
                whole([trail("a").encrypted().watched().stopped()]),
                no(Reason::LogFileValidationDisabled),
            ),
            (
                "validation not told",
                whole([trail("a").encrypted().watched().validated(None)]),
                failed(Failure::Malformed),
            ),
            (
                "validation not told, no key: a proven no beats an unknown",
                whole([trail("a").validated(None)]),
                no(Reason::KmsEncryptionDisabled),
            ),
            (
                "an unread trail without a key fails for certain",
                whole([trail("a").watched().status_failed(Failure::Tls)]),
                no(Reason::KmsEncryptionDisabled),
            ),
            (
                "an unread trail with everything",
                whole([trail("a").encrypted().watched().status_failed(Failure::Tls)]),
                failed(Failure::Tls),
            ),
        ],
    );
}

#[test]
fn organization_trails() {
    let seen = || organization_trail("o");
    let lost = || seen().status_failed(Failure::RegionDisabled);
    assert_all(
        &rule().required,
        [
            ("an organization trail alone", whole([seen()]), COMPLIANT),
            (
                "a stopped organization trail",
                whole([seen().stopped()]),
                no(Reason::NotLogging),
            ),
            (
                "its status is refused to the member",
                whole([seen().status_failed(Failure::AccessDenied)]),
                unknown(Reason::TrailStatusUnreadable),
            ),
            (
                "it is not found by the member: cannot tell",
                whole([seen().status_failed(Failure::NotFound)]),
                unknown(Reason::TrailStatusUnreadable),
            ),
            (
                "its selectors are refused to the member",
                whole([seen().selectors_failed(Failure::AccessDenied)]),
                COMPLIANT,
            ),
            (
                "its home Region is disabled in the member",
                whole([lost()]),
                failed(Failure::RegionDisabled),
            ),
            (
                "the same, and only its selectors told so",
                whole([seen()
                    .status_failed(Failure::Throttled)
                    .selectors_failed(Failure::RegionDisabled)]),
                failed(Failure::RegionDisabled),
            ),
            (
                "the same, and only DescribeTrails told so",
                both(Disabled, Whole, [seen().status_failed(Failure::Throttled)]),
                failed(Failure::RegionDisabled),
            ),
            (
                "the same beside a good trail of one's own",
                whole([lost(), trail("a")]),
                COMPLIANT,
            ),
            (
                "the same beside a stopped trail of one's own",
                whole([lost(), trail("a").stopped()]),
                failed(Failure::RegionDisabled),
            ),
            (
                "refused, beside a good trail of one's own",
                whole([seen().status_failed(Failure::AccessDenied), trail("a")]),
                COMPLIANT,
            ),
        ],
    );
}

/// Facts joined with an owner who read this trail so many minutes ago.
fn joined(facts: &AccountFacts, held: &HeldTrail) -> AccountFacts {
    let find = |wanted: &TrailArn| (*wanted == held.trail.arn).then(|| owned(held));
    owner::join(facts, &[], find, &rule(), now()).facts
}

#[test]
fn organization_trails_joined_with_their_owner() {
    let refused = || {
        let heard = organization_trail("o").status_failed(Failure::AccessDenied);
        whole([heard.selectors_failed(Failure::AccessDenied)])
    };
    let lost = whole([organization_trail("o").status_failed(Failure::RegionDisabled)]);
    let own = whole([organization_trail("o")]);
    let throttled = whole([organization_trail("o").status_failed(Failure::Throttled)]);
    let good = |age| held_by_owner(&organization_trail("o"), now() - minutes(age));
    let stopped = || held_by_owner(&organization_trail("o").stopped(), now());
    let another = held_by_owner(&organization_trail("p"), now());
    let unreadable = unknown(Reason::TrailStatusUnreadable);
    assert_all(
        &[
            Check::MultiRegionTrail,
            Check::Logging,
            Check::ManagementEvents,
        ],
        [
            (
                "the owner says it logs",
                joined(&refused(), &good(1)),
                COMPLIANT,
            ),
            (
                "the owner says it is stopped",
                joined(&refused(), &stopped()),
                no(Reason::NotLogging),
            ),
            (
                "the owner's facts are at the end of their life",
                joined(&refused(), &good(15)),
                COMPLIANT,
            ),
            (
                "the owner's facts are stale",
                joined(&refused(), &good(16)),
                unreadable,
            ),
            (
                "the owner holds another trail",
                joined(&refused(), &another),
                unreadable,
            ),
            (
                "throttled, and the owner knows",
                joined(&throttled, &good(1)),
                COMPLIANT,
            ),
            (
                "no join where the home Region is disabled",
                joined(&lost, &good(1)),
                failed(Failure::RegionDisabled),
            ),
            (
                "the member's own answer wins",
                joined(&own, &stopped()),
                COMPLIANT,
            ),
        ],
    );
}
