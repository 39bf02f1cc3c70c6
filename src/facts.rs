//! Facts: what AWS said about one account in one poll, and how each question that got no answer failed.
//!
//! Data without judgement. A question that failed is an `Err` with its [`Failure`], never a missing entry, so nothing here can be read as "no" by
//! omission. SDK types do not reach this far; [`crate::compliance`] judges.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::account::{AccountId, Region, TrailArn};
use crate::timestamp::Timestamp;

/// The kinds of call an account's poll makes, in the order in which it makes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// STS: open a session in the account.
    AssumeRole,
    /// STS: whose credentials are these?
    GetCallerIdentity,
    /// CloudTrail: the trails visible in a Region.
    DescribeTrails,
    /// CloudTrail: is a trail logging and delivering?
    GetTrailStatus,
    /// CloudTrail: which events does a trail record?
    GetEventSelectors,
}

impl Operation {
    /// Every operation, in call order.
    pub const ALL: [Self; 5] = [
        Self::AssumeRole,
        Self::GetCallerIdentity,
        Self::DescribeTrails,
        Self::GetTrailStatus,
        Self::GetEventSelectors,
    ];

    /// AWS's name for it, as in the `operation` label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AssumeRole => "AssumeRole",
            Self::GetCallerIdentity => "GetCallerIdentity",
            Self::DescribeTrails => "DescribeTrails",
            Self::GetTrailStatus => "GetTrailStatus",
            Self::GetEventSelectors => "GetEventSelectors",
        }
    }
}

/// Why a call has no answer. A closed list: AWS's codes and the network's faults end here, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Failure {
    /// Refused by IAM, by a service control policy or by a trust policy.
    AccessDenied,
    /// The account has not enabled the Region.
    RegionDisabled,
    /// No credentials, or credentials that AWS does not take.
    Credentials,
    /// AWS's clock and ours differ too much to sign requests.
    ClockSkew,
    /// Asked too often.
    Throttled,
    /// One of our own deadlines passed.
    Timeout,
    /// Refused, reset, closed early, or no such host.
    Network,
    /// The TLS layer refused the peer.
    Tls,
    /// A success that does not have the documented shape.
    Malformed,
    /// 5xx.
    ServerError,
    /// The trail asked about is not known there.
    NotFound,
    /// Not asked: the account that owns the trail is asked instead. No call, so no failing call; the organization-trail join supplies the answer.
    NotAsked,
    /// Any other code.
    Other,
}

impl Failure {
    /// Every value that [`Failure::as_str`] can take.
    pub const LABELS: [&'static str; 11] = [
        "access_denied",
        "region_disabled",
        "credentials",
        "clock_skew",
        "throttled",
        "timeout",
        "network",
        "tls",
        "malformed",
        "server_error",
        "other",
    ];

    /// The value of a `reason` label. A trail that is not found, or not asked about, has no label of its own.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccessDenied => "access_denied",
            Self::RegionDisabled => "region_disabled",
            Self::Credentials => "credentials",
            Self::ClockSkew => "clock_skew",
            Self::Throttled => "throttled",
            Self::Timeout => "timeout",
            Self::Network => "network",
            Self::Tls => "tls",
            Self::Malformed => "malformed",
            Self::ServerError => "server_error",
            Self::NotFound | Self::NotAsked | Self::Other => "other",
        }
    }
}

/// A time that AWS reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Moment {
    /// AWS reports none: it never happened.
    #[default]
    Never,
    /// It happened then.
    At(SystemTime),
    /// AWS reports a time outside 2013-01-01 to now + 1 day: nothing is known.
    Implausible,
}

impl Moment {
    /// CloudTrail began in 2013: 2013-01-01T00:00:00Z.
    const FIRST: u64 = 1_356_998_400;
    /// How far ahead of our clock a time may lie before it is taken for garbage.
    const AHEAD: Duration = Duration::from_hours(24);

    /// The time `seconds` after the UNIX epoch, as AWS sends it, if that can be true at `now`.
    pub fn new(seconds: f64, now: SystemTime) -> Self {
        let at = Duration::try_from_secs_f64(seconds)
            .ok()
            .and_then(|since_epoch| SystemTime::UNIX_EPOCH.checked_add(since_epoch));
        let first = SystemTime::UNIX_EPOCH + Duration::from_secs(Self::FIRST);
        match at {
            Some(at) if at >= first && ahead(at, now) <= Self::AHEAD => Self::At(at),
            _ => Self::Implausible,
        }
    }

    /// The time, if one is known.
    pub fn known(self) -> Option<SystemTime> {
        match self {
            Self::At(at) => Some(at),
            Self::Never | Self::Implausible => None,
        }
    }
}

/// How far `at` lies in the future of `now`.
fn ahead(at: SystemTime, now: SystemTime) -> Duration {
    at.duration_since(now).unwrap_or_default()
}

/// A value and the moment at which AWS was read for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dated<T> {
    /// What was read.
    pub value: T,
    /// When the first attempt of the call that read it was made.
    pub at: Timestamp,
}

/// One trail as `DescribeTrails` describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trail {
    /// The trail's identity.
    pub arn: TrailArn,
    /// The trail's name.
    pub name: Arc<str>,
    /// Where the trail lives and calls about it go. `None` if neither the answer nor the ARN names a Region of the account's partition.
    pub home_region: Option<Region>,
    /// Covers every enabled Region.
    pub multi_region: bool,
    /// Covers every account of an organization.
    pub organization: bool,
    /// Digest files are written. `None` if the answer does not say.
    pub log_file_validation: Option<bool>,
    /// The events of CloudTrail's own deliveries are recorded. If not, deliveries may rest in an idle
    /// Region. `None` if the answer does not say.
    pub recursive_logging: Option<bool>,
    /// The bucket log files go to.
    pub s3_bucket: Option<Arc<str>>,
    /// The KMS key that encrypts log files.
    pub kms_key_id: Option<Arc<str>>,
    /// The CloudWatch Logs group events go to.
    pub log_group_arn: Option<Arc<str>>,
    /// The SNS topic deliveries are announced on.
    pub sns_topic_arn: Option<Arc<str>>,
}

impl Trail {
    /// Owned by another account than `account`: an organization trail seen by a member.
    pub fn is_foreign_to(&self, account: AccountId) -> bool {
        self.arn.owner() != account
    }
}

/// Where a trail delivers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Destination {
    /// Log files in S3.
    S3,
    /// Digest files in S3.
    S3Digest,
    /// CloudWatch Logs.
    CloudWatchLogs,
    /// SNS notifications.
    Sns,
}

impl Destination {
    /// Every destination.
    pub const ALL: [Self; 4] = [Self::S3, Self::S3Digest, Self::CloudWatchLogs, Self::Sns];

    /// The value of the `destination` label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::S3Digest => "s3_digest",
            Self::CloudWatchLogs => "cloudwatch_logs",
            Self::Sns => "sns",
        }
    }
}

/// What `GetTrailStatus` says of one destination.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Delivery {
    /// The last successful delivery.
    pub latest: Moment,
    /// AWS's text for the trouble with the last attempt; `None` if there was none (absent, empty and `None` all mean that).
    pub error: Option<Arc<str>>,
}

/// One trail as `GetTrailStatus` describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrailStatus {
    /// Recording.
    pub logging: bool,
    /// Deliveries, in the order of [`Destination::ALL`]; read with [`TrailStatus::delivery`].
    pub deliveries: [Delivery; 4],
    /// When logging was last started.
    pub started: Moment,
    /// When logging was last stopped.
    pub stopped: Moment,
}

impl TrailStatus {
    /// What is said of one destination.
    pub fn delivery(&self, to: Destination) -> &Delivery {
        let [s3, digest, logs, sns] = &self.deliveries;
        match to {
            Destination::S3 => s3,
            Destination::S3Digest => digest,
            Destination::CloudWatchLogs => logs,
            Destination::Sns => sns,
        }
    }
}

/// Which events a trail records, as `GetEventSelectors` says it: one kind or the other, never both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventSelectors {
    /// No selector of one's own: all management events.
    Default,
    /// Basic selectors.
    Basic(Vec<BasicSelector>),
    /// Advanced selectors; an empty list records nothing.
    Advanced(Vec<AdvancedSelector>),
}

/// A basic event selector, as far as management events go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BasicSelector {
    /// Management events at all (AWS's default: yes).
    pub management_events: bool,
    /// Which of them.
    pub read_write: ReadWrite,
    /// Event sources left out.
    pub excluded_sources: Vec<Arc<str>>,
}

/// `ReadWriteType` of a basic selector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadWrite {
    /// Read and write events.
    All,
    /// Read events only.
    ReadOnly,
    /// Write events only.
    WriteOnly,
}

/// An advanced event selector: its conditions, all of which an event must meet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AdvancedSelector {
    /// The conditions.
    pub fields: Vec<FieldSelector>,
}

/// One condition of an advanced selector. Several lists must all hold; within a positive list one value suffices.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FieldSelector {
    /// The event field, such as `eventCategory`, `readOnly`, `eventSource`.
    pub field: Arc<str>,
    /// The field is one of these.
    pub equals: Vec<Arc<str>>,
    /// The field is none of these.
    pub not_equals: Vec<Arc<str>>,
    /// An operator other than these two is used as well.
    pub other_operators: bool,
}

/// When the answers about one trail were asked for: at the first attempt of each call, since an
/// answer may be outstanding for as long as a host sleeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dates {
    /// The `DescribeTrails` that described it.
    pub described: Timestamp,
    /// `GetTrailStatus`.
    pub status: Timestamp,
    /// `GetEventSelectors`.
    pub selectors: Timestamp,
}

impl Dates {
    /// All at one moment.
    pub fn all(at: Timestamp) -> Self {
        Self {
            described: at,
            status: at,
            selectors: at,
        }
    }
}

/// What one poll heard of one trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrailFacts {
    /// Its description.
    pub trail: Trail,
    /// Its status.
    pub status: Result<TrailStatus, Failure>,
    /// How the call failed in the home Region, where another Region's shadow copy answered instead.
    /// Only whether the trail is logging is its status then; times are that Region's own.
    pub shadow: Option<Failure>,
    /// Its event selectors.
    pub selectors: Result<EventSelectors, Failure>,
    /// When that was asked for.
    pub dates: Dates,
}

/// How `DescribeTrails` went in one Region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegionAnswer {
    /// Every trail visible there was read.
    Whole,
    /// Some entries were malformed or over the limit and dropped: the rest may prove a trail, never its absence.
    Partial,
    /// The account has not enabled the Region: an answer, with no trails in it.
    Disabled,
    /// No answer.
    Failed(Failure),
}

impl RegionAnswer {
    /// What is missing from the answer; `None` where it says all there is to say, as a disabled Region does.
    pub fn failure(self) -> Option<Failure> {
        match self {
            Self::Whole | Self::Disabled => None,
            Self::Partial => Some(Failure::Malformed),
            Self::Failed(failure) => Some(failure),
        }
    }
}

/// What one poll heard of one account whose identity was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountFacts {
    /// The account that answered.
    pub account: AccountId,
    /// `DescribeTrails`, in the order in which the Regions were asked; at least one.
    pub regions: Vec<(Region, RegionAnswer)>,
    /// When the oldest of those answers was asked for.
    pub described: Timestamp,
    /// The distinct trails seen, by ARN, ascending.
    pub trails: Vec<TrailFacts>,
}

impl AccountFacts {
    /// The same facts, all asked for at one moment.
    #[must_use]
    pub fn dated(mut self, at: Timestamp) -> Self {
        self.described = at;
        for heard in &mut self.trails {
            heard.dates = Dates::all(at);
        }
        self
    }
}

/// How one poll of one account ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PollOutcome {
    /// The account answered, wholly or in part.
    Answered(AccountFacts),
    /// No session could be opened: nothing was asked.
    NoSession {
        /// The call that failed.
        operation: Operation,
        /// Why.
        failure: Failure,
    },
    /// The credentials belong to another account than the one they are published under.
    WrongAccount {
        /// Whose they are.
        found: AccountId,
    },
}

/// One poll of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Poll {
    /// When it ended; its facts are older.
    pub ended: Timestamp,
    /// How long it took.
    pub duration: Duration,
    /// What came of it.
    pub outcome: PollOutcome,
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;

    fn now() -> SystemTime {
        NOW + Duration::from_hours(500_000)
    }

    #[test]
    fn a_plausible_time_is_taken() {
        assert_eq!(Moment::new(1_800_000_000.0, now()), Moment::At(now()));
    }

    #[test]
    fn times_outside_2013_to_tomorrow_are_implausible() {
        let tomorrow = 1_800_000_000.0 + 86_400.0;
        assert_eq!(Moment::new(1_356_998_399.0, now()), Moment::Implausible);
        assert!(matches!(Moment::new(1_356_998_400.0, now()), Moment::At(_)));
        assert!(matches!(Moment::new(tomorrow, now()), Moment::At(_)));
        for seconds in [0.0, -1e12, 1e308, f64::NAN, f64::INFINITY, tomorrow + 1.0] {
            assert_eq!(
                Moment::new(seconds, now()),
                Moment::Implausible,
                "{seconds}"
            );
        }
    }

    #[test]
    fn only_a_known_time_is_a_time() {
        assert_eq!(Moment::At(now()).known(), Some(now()));
        assert_eq!(Moment::Never.known(), None);
        assert_eq!(Moment::Implausible.known(), None);
    }

    #[test]
    fn operations_and_destinations_are_named_as_documented() {
        let operations = [
            "AssumeRole",
            "GetCallerIdentity",
            "DescribeTrails",
            "GetTrailStatus",
            "GetEventSelectors",
        ];
        assert_eq!(Operation::ALL.map(Operation::as_str), operations);
        let destinations = ["s3", "s3_digest", "cloudwatch_logs", "sns"];
        assert_eq!(Destination::ALL.map(Destination::as_str), destinations);
    }

    #[test]
    fn deliveries_are_kept_in_the_order_of_destinations() {
        let delivery = |hours| Delivery {
            latest: Moment::At(NOW + Duration::from_hours(hours)),
            error: None,
        };
        let status = TrailStatus {
            logging: true,
            deliveries: [0, 1, 2, 3].map(delivery),
            started: Moment::Never,
            stopped: Moment::Never,
        };
        for (to, expected) in Destination::ALL.into_iter().zip(&status.deliveries) {
            assert_eq!(status.delivery(to), expected);
        }
    }

    #[test]
    fn only_what_is_missing_from_an_answer_is_a_failure() {
        assert_eq!(RegionAnswer::Whole.failure(), None);
        assert_eq!(RegionAnswer::Disabled.failure(), None);
        let malformed = Some(Failure::Malformed);
        assert_eq!(RegionAnswer::Partial.failure(), malformed);
        let timeout = RegionAnswer::Failed(Failure::Timeout);
        assert_eq!(timeout.failure(), Some(Failure::Timeout));
    }

    #[test]
    fn failures_are_labelled_in_the_order_of_the_list() {
        let labels = [
            Failure::AccessDenied,
            Failure::RegionDisabled,
            Failure::Credentials,
            Failure::ClockSkew,
            Failure::Throttled,
            Failure::Timeout,
            Failure::Network,
            Failure::Tls,
            Failure::Malformed,
            Failure::ServerError,
            Failure::Other,
        ];
        assert_eq!(labels.map(Failure::as_str), Failure::LABELS);
        assert_eq!(Failure::NotFound.as_str(), "other");
    }
}
