//! A role of IAM Identity Center.

use aws_credential_types::Credentials;
use aws_sdk_sso::Client;
use aws_smithy_types::DateTime;

use super::chain::IdentityCenter;
use crate::aws::classify::Service;
use crate::aws::convert::Misshapen;
use crate::aws::fault::Failed;
use crate::config::Secret;
use crate::facts::Failure;

/// The credentials of a role, for whoever has signed in.
pub(super) async fn role(
    client: &Client,
    role: &IdentityCenter,
    token: &Secret,
) -> Result<Credentials, Failed> {
    let asked = client
        .get_role_credentials()
        .account_id(&role.account_id)
        .role_name(&role.role_name)
        .access_token(token.expose())
        .send();
    let answer = asked.await.map_err(|error| {
        let failed = Failed::of(Service::Sts, &error, &[token.expose()]);
        match failed.failure {
            // Its codes are its own, and most say that the sign-in or the role is not good.
            Failure::Other => Failed::new(Failure::Credentials, failed.detail),
            _ => failed,
        }
    })?;
    let misshapen = || Failed::misshapen(Misshapen("the answer has no complete roleCredentials"));
    let given = answer.role_credentials.ok_or_else(misshapen)?;
    let (Some(id), Some(secret)) = (given.access_key_id, given.secret_access_key) else {
        return Err(misshapen());
    };
    let end = DateTime::from_millis(given.expiration).try_into();
    let end = end.map_err(|_| misshapen())?;
    Ok(Credentials::new(
        id,
        secret,
        given.session_token,
        Some(end),
        "sso",
    ))
}
