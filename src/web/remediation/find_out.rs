//! Steps that find out more: for verdicts of unknown. Nothing in them changes an account.

use super::{Place, Step, is, quoted};
use crate::account::TrailArn;
use crate::compliance::Reason;
use crate::config::Access;
use crate::facts::Failure;

/// The steps for an unknown verdict.
pub(super) fn steps(reason: Reason, place: &Place<'_>) -> Vec<Step> {
    match reason {
        Reason::NotPolled => vec![Step::words(
            "Wait for the first poll to end; it begins within seconds of the start.",
        )],
        Reason::WrongAccount => wrong_account(place),
        Reason::TrailStatusUnreadable => unreadable(place),
        Reason::Stale => vec![Step::words(
            "The exporter itself has not polled this account for too long: look at its log, and at cloudtrail_exporter_poll_overruns_total.",
        )],
        Reason::Failed(failure) => after(failure, place),
        _ => Vec::new(),
    }
}

fn after(failure: Failure, place: &Place<'_>) -> Vec<Step> {
    let reason = Reason::Failed(failure);
    if is(reason, Failure::AccessDenied) || is(reason, Failure::Credentials) {
        return no_access(place);
    }
    let region = quoted(place.region());
    let ask = Step::run(
        "Ask the same as the exporter, from the machine it runs on:",
        format!("aws cloudtrail describe-trails --region {region}"),
    );
    let words = match failure {
        Failure::RegionDisabled => return region_disabled(place),
        Failure::ClockSkew => {
            return vec![Step::words(
                "The clocks of the exporter's machine and of AWS differ by minutes: make the machine keep time (NTP). cloudtrail_exporter_clock_skew_seconds shows by how much.",
            )];
        }
        Failure::Throttled => {
            "AWS refuses calls because there are too many. Raise poll.interval, lower poll.concurrency, and see who else calls CloudTrail in this account."
        }
        Failure::Timeout => {
            "AWS did not answer in time. See whether the endpoint can be reached from the exporter's machine."
        }
        Failure::Network => {
            "The endpoint cannot be reached: look at DNS, proxy, firewall and VPC endpoints of the exporter's machine."
        }
        Failure::Tls => {
            "The TLS connection failed: look for a proxy that breaks it open, and at the machine's certificate authorities."
        }
        Failure::ServerError => {
            "AWS answered with an error of its own. It usually passes; see the AWS Health Dashboard."
        }
        Failure::Malformed => {
            "AWS answered with something that is no answer: look for a proxy or an endpoint_url that is not CloudTrail."
        }
        _ => "AWS answered with an error that is not known here; the exporter's log has its words.",
    };
    vec![Step::words(words), ask]
}

fn no_access(place: &Place<'_>) -> Vec<Step> {
    let mut steps = vec![Step::run(
        "Who is the exporter? Run this with its credentials, on its machine.",
        "aws sts get-caller-identity",
    )];
    match &place.account.access {
        Access::Role { role, .. } => steps.push(Step::run(
            "May it assume the role? If not, the role is missing, its trust policy names somebody else or asks for another external ID, or a service control policy forbids it.",
            format!("aws sts assume-role --role-session-name look --role-arn {}", quoted(role.as_str())),
        )),
        Access::Profile(profile) => steps.push(Step::run(
            "Are the profile's credentials good?",
            format!("aws sts get-caller-identity --profile {}", quoted(profile)),
        )),
        Access::Ambient => {}
    }
    steps.push(Step::run(
        "The policies it needs, role and trust, for exactly this configuration:",
        "cloudtrail-exporter iam-policy",
    ));
    steps
}

fn region_disabled(place: &Place<'_>) -> Vec<Step> {
    let region = quoted(place.region());
    vec![Step::run(
        "The account has not enabled the Region that is asked. Enable it, or ask another: set region or regions for this account.",
        format!("aws account get-region-opt-status --region-name {region}"),
    )]
}

fn wrong_account(place: &Place<'_>) -> Vec<Step> {
    vec![
        Step::words(format!(
            "The credentials belong to another account than {}. Nothing of it is published. Mend the account's id, role or profile in the configuration.",
            place.id()
        )),
        Step::run("Whose they are:", "aws sts get-caller-identity"),
    ]
}

fn unreadable(place: &Place<'_>) -> Vec<Step> {
    let unread = place
        .multi_region()
        .into_iter()
        .find(|held| held.status.is_none());
    let Some(held) = unread.or_else(|| place.most_hopeful()) else {
        return no_access(place);
    };
    let owner = TrailArn::owner(&held.trail.arn);
    let mut steps = vec![Step::run(
        "The status of the trail is refused. The role needs cloudtrail:GetTrailStatus on the trail's own ARN, which names its owner's account.",
        format!("aws cloudtrail get-trail-status {}", place.named(held)),
    )];
    if place.is_foreign(held) {
        steps.push(Step::words(format!("Or let this exporter poll account {owner} too, which owns the trail: its word then counts for every member.")));
    }
    steps
}
