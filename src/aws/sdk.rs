//! The adapter: the AWS SDK behind the port. One HTTP client, one client per service and Region, and each call signed with its account's own session.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::SystemTime;

use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use crate::account::{AccountId, Region, TrailArn};
use crate::aws::classify::Service;
use crate::aws::clients::Clients;
use crate::aws::convert::{self, Misshapen};
use crate::aws::credentials::GivenCredentials;
use crate::aws::fault::Failed;
use crate::aws::limits::CallLimits;
use crate::aws::meter::Meter;
use crate::aws::on_behalf::OnBehalf;
use crate::aws::session::{Lease, Session};
use crate::aws::setup::{Reach, SetupError};
use crate::aws::sts::secrets;
use crate::aws::{Aws, CallError, TrailList};
use crate::config::AwsSettings;
use crate::directory::Account;
use crate::facts::{EventSelectors, Operation, TrailStatus};
use crate::self_metrics::SelfMetrics;

/// AWS, through its SDK. Cheap to clone.
#[derive(Clone)]
pub struct SdkAws(Arc<Clients>);

impl SdkAws {
    /// The way to AWS, checked. Makes no call.
    pub async fn new(
        settings: &AwsSettings,
        metrics: SelfMetrics,
        limits: CallLimits,
        given: GivenCredentials,
    ) -> Result<Self, SetupError> {
        let reach = Reach::new(settings, &limits, Meter::new(metrics), None).await?;
        Ok(Self::made(reach, settings, limits, given))
    }

    /// The same over another HTTP client, which plays AWS without a socket.
    #[doc(hidden)]
    pub async fn over(
        http: SharedHttpClient,
        settings: &AwsSettings,
        metrics: SelfMetrics,
        limits: CallLimits,
        given: GivenCredentials,
    ) -> Result<Self, SetupError> {
        let reach = Reach::new(settings, &limits, Meter::new(metrics), Some(http)).await?;
        Ok(Self::made(reach, settings, limits, given))
    }

    fn made(
        reach: Reach,
        settings: &AwsSettings,
        limits: CallLimits,
        given: GivenCredentials,
    ) -> Self {
        let clients = Clients::new(reach, limits, settings.region.clone(), given);
        Self(Arc::new(clients))
    }

    pub(super) fn clients(&self) -> &Clients {
        &self.0
    }

    /// One call to CloudTrail in an account; once more on a new session if the one it has is over.
    async fn ask<T, E, Sent>(
        &self,
        session: &Session,
        region: &Region,
        operation: Operation,
        send: impl Fn(Client) -> Sent,
    ) -> Result<(T, AccountId), CallError>
    where
        E: ProvideErrorMetadata + StdError + 'static,
        Sent: Future<Output = Result<T, SdkError<E>>>,
    {
        let pace = session.pace(region);
        let attempt = async |lease: &Lease| {
            // Outside of the call, since the wait is none of AWS's.
            pace.turn().await;
            let (credentials, retries) = (lease.credentials.clone(), session.retries.clone());
            let account = OnBehalf::new(credentials, retries, Arc::clone(&pace));
            // Boxed at once: the SDK's future is of many kilobytes, and each future around it would hold and move it.
            let call = Box::pin(send(self.0.cloudtrail(&session.account, region)));
            let answer = account.call(call).await;
            let secrets = secrets(&lease.credentials);
            answer.map_err(|error| Failed::of(Service::CloudTrail, &error, &secrets))
        };
        let lease = self.0.lease(session, operation).await?;
        let identity = lease.identity;
        let mut answer = attempt(&lease).await;
        if answer.as_ref().is_err_and(|failed| failed.expired)
            && self.0.reject(session, &lease).await
        {
            answer = attempt(&self.0.lease(session, operation).await?).await;
        }
        session.heard(&answer);
        match answer {
            Ok(answer) => Ok((answer, identity)),
            Err(failed) => Err(failed.during(operation)),
        }
    }

    /// A fact, or the error for an answer that is none.
    fn fact<T>(&self, operation: Operation, fact: Result<T, Misshapen>) -> Result<T, CallError> {
        fact.map_err(|wrong| {
            self.0.reach.meter.misshapen(operation.as_str());
            Failed::misshapen(wrong).during(operation)
        })
    }
}

impl fmt::Debug for SdkAws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SdkAws")
    }
}

impl Aws for SdkAws {
    type Session = Session;

    fn open(&self, account: &Arc<Account>) -> Session {
        Session::new(Arc::clone(account), self.0.limits.calls_per_second)
    }

    async fn identify(&self, session: &Session) -> Result<AccountId, CallError> {
        self.0.begin(session).await
    }

    async fn distrust(&self, session: &Session) {
        session.state.lock().await.distrust();
    }

    async fn describe_trails(
        &self,
        session: &Session,
        region: &Region,
    ) -> Result<TrailList, CallError> {
        let operation = Operation::DescribeTrails;
        let send = |client: Client| client.describe_trails().send();
        let (answer, account) = self.ask(session, region, operation, send).await?;
        let partition = session.account.partition;
        self.fact(operation, convert::trails(&answer, account, partition))
    }

    async fn trail_status(
        &self,
        session: &Session,
        region: &Region,
        trail: &TrailArn,
    ) -> Result<TrailStatus, CallError> {
        let operation = Operation::GetTrailStatus;
        let send = |client: Client| client.get_trail_status().name(trail.as_str()).send();
        let (answer, _) = self.ask(session, region, operation, send).await?;
        self.fact(operation, convert::status(&answer, SystemTime::now()))
    }

    async fn event_selectors(
        &self,
        session: &Session,
        region: &Region,
        trail: &TrailArn,
    ) -> Result<EventSelectors, CallError> {
        let operation = Operation::GetEventSelectors;
        let send = |client: Client| {
            let call = client.get_event_selectors().trail_name(trail.as_str());
            call.send()
        };
        let (answer, _) = self.ask(session, region, operation, send).await?;
        self.fact(operation, convert::selectors(&answer, trail))
    }
}
