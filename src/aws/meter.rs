//! Counts and times every attempt of every call, and reads AWS's clock from its answers.

use std::error::Error as StdError;
use std::fmt;
use std::time::{Duration, Instant, SystemTime};

use aws_sdk_cloudtrail::operation::{
    describe_trails::DescribeTrailsError, get_event_selectors::GetEventSelectorsError,
    get_trail_status::GetTrailStatusError,
};
use aws_sdk_organizations::operation::{
    list_accounts::ListAccountsError, list_accounts_for_parent::ListAccountsForParentError,
    list_organizational_units_for_parent::ListOrganizationalUnitsForParentError,
};
use aws_sdk_sts::operation::{
    assume_role::AssumeRoleError, get_caller_identity::GetCallerIdentityError,
};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, Error, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, Metadata, OrchestratorError};
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::DateTime;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use aws_smithy_types::date_time::Format;
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::aws::aws_clock::AwsClock;
use crate::aws::classify::{Fault, Service, Stage, classify};
use crate::aws::fault::of_connector;
use crate::facts::Failure;
use crate::self_metrics::{AWS_OPERATIONS, SelfMetrics};

/// An interceptor of the SDK's clients that keeps the self metrics.
#[derive(Clone)]
pub(super) struct Meter(SelfMetrics, AwsClock);

/// The call under way.
#[derive(Debug)]
struct Metered {
    labels: Labels,
    /// When the attempt under way was sent. One that is never sent is not timed.
    sent: Option<Instant>,
}

impl Storable for Metered {
    type Storer = StoreReplace<Self>;
}

/// The labels of an operation: service and name.
type Labels = (&'static str, &'static str);

impl Meter {
    pub(super) fn new(metrics: SelfMetrics) -> Self {
        Self(metrics, AwsClock::default())
    }

    /// AWS's clock, as its newest answer shows it.
    pub(super) fn clock(&self) -> AwsClock {
        self.1.clone()
    }

    /// An answer arrived whole, but does not have the documented shape.
    pub(super) fn misshapen(&self, operation: &str) {
        if let Some((service, operation)) = listed(operation) {
            self.0
                .aws_attempt_failed(service, operation, Failure::Malformed);
        }
    }

    fn attempted(&self, (service, operation): Labels, took: Duration, attempt: u32) {
        self.0.aws_attempt(service, operation, took, attempt > 1);
    }

    fn failed(&self, (service, operation): Labels, fault: &Fault<'_>) {
        let failure = classify(asked(service), fault);
        self.0.aws_attempt_failed(service, operation, failure);
    }
}

fn listed(operation: &str) -> Option<Labels> {
    AWS_OPERATIONS.into_iter().find(|row| row.1 == operation)
}

fn asked(service: &str) -> Service {
    match service {
        "sts" => Service::Sts,
        "organizations" => Service::Organizations,
        _ => Service::CloudTrail,
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meter")
    }
}

#[dyn_dispatch_hint]
impl Intercept for Meter {
    fn name(&self) -> &'static str {
        "Meter"
    }

    fn read_after_serialization(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let labels = cfg.load::<Metadata>().and_then(|it| listed(it.name()));
        let state = cfg.interceptor_state();
        if let Some(labels) = labels {
            state.store_put(Metered { labels, sent: None });
        }
        // The SDK meters too, for an OpenTelemetry that is not there. From here on the name is for its figures alone, and without one it does not build
        // their attributes: a twentieth of a poll's CPU.
        state.unset::<Metadata>();
        Ok(())
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(call) = cfg.get_mut_from_interceptor_state::<Metered>() {
            call.sent = Some(Instant::now());
        }
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let attempt = cfg.load::<RequestAttempts>();
        let attempt = attempt.map_or(1, RequestAttempts::attempts);
        if let Some(call) = cfg.get_mut_from_interceptor_state::<Metered>() {
            if let Some(sent) = call.sent.take() {
                self.attempted(call.labels, sent.elapsed(), attempt);
            }
            if let Some(Err(error)) = context.output_or_error() {
                self.failed(call.labels, &fault(error, context.response()));
            }
        }
        if let Some(date) = context.response().and_then(date) {
            self.0
                .set_clock_skew(seconds_apart(date, SystemTime::now()));
            self.1.read(date);
        }
        Ok(())
    }
}

/// AWS's clock.
fn date(answer: &HttpResponse) -> Option<SystemTime> {
    let date = DateTime::from_str(answer.headers().get("date")?, Format::HttpDate).ok()?;
    date.try_into().ok()
}

/// AWS's clock minus ours, in seconds.
fn seconds_apart(aws: SystemTime, ours: SystemTime) -> f64 {
    match aws.duration_since(ours) {
        Ok(ahead) => ahead.as_secs_f64(),
        Err(behind) => -behind.duration().as_secs_f64(),
    }
}

fn fault<'a>(error: &'a OrchestratorError<Error>, answer: Option<&HttpResponse>) -> Fault<'a> {
    let meta = error.as_operation_error().and_then(metadata);
    Fault {
        stage: stage(error, answer),
        code: meta.and_then(ErrorMetadata::code),
        message: meta.and_then(ErrorMetadata::message),
        status: answer.map(|answer| answer.status().as_u16()),
    }
}

fn stage(error: &OrchestratorError<Error>, answer: Option<&HttpResponse>) -> Stage {
    match error.as_connector_error() {
        Some(connector) => of_connector(connector),
        None if error.is_timeout_error() => Stage::Deadline,
        None if answer.is_some() => Stage::Answered,
        None => Stage::Unsent,
    }
}

/// Code and message of an error whose type the SDK has erased.
fn metadata(error: &Error) -> Option<&ErrorMetadata> {
    fn of<E>(error: &Error) -> Option<&ErrorMetadata>
    where
        E: ProvideErrorMetadata + StdError + Send + Sync + fmt::Debug + 'static,
    {
        error.downcast_ref::<E>().map(ProvideErrorMetadata::meta)
    }
    of::<DescribeTrailsError>(error)
        .or_else(|| of::<GetTrailStatusError>(error))
        .or_else(|| of::<GetEventSelectorsError>(error))
        .or_else(|| of::<AssumeRoleError>(error))
        .or_else(|| of::<GetCallerIdentityError>(error))
        .or_else(|| of::<ListAccountsError>(error))
        .or_else(|| of::<ListAccountsForParentError>(error))
        .or_else(|| of::<ListOrganizationalUnitsForParentError>(error))
}
