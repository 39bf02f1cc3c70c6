//! Who is asking: the long-lived keys of the world and the sessions we issued, with their end. One place turns a signature into a caller or a refusal.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use fastrand::Rng;

use crate::call::Service;
use crate::names::{AccountId, Partition};
use crate::reply::AwsError;
use crate::session_policy::SessionPolicy;
use crate::sigv4::Signature;
use crate::world::World;

/// Expired sessions are kept this long, to be told as expired and not as unknown.
const REMEMBERED: Duration = Duration::from_hours(1);
/// Forgetting is tried each time so many sessions were issued.
const ROUND: usize = 4_096;

/// A caller whose key is good.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Caller {
    pub(crate) account: AccountId,
    pub(crate) partition: Partition,
    pub(crate) arn: String,
    pub(crate) user_id: String,
    pub(crate) policy: Option<SessionPolicy>,
    /// Itself an assumed role, so that a role it assumes is chained.
    pub(crate) is_session: bool,
}

/// Temporary credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Issued {
    pub(crate) access_key: String,
    pub(crate) secret_key: String,
    pub(crate) token: String,
    pub(crate) expires: SystemTime,
}

#[derive(Debug)]
struct Session {
    caller: Caller,
    token: String,
    expires: SystemTime,
}

/// The sessions issued so far.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    by_key: HashMap<String, Session>,
    since_round: usize,
}

impl Sessions {
    /// Opens a session.
    pub(crate) fn issue(
        &mut self,
        caller: Caller,
        now: SystemTime,
        length: Duration,
        rng: &mut Rng,
    ) -> Issued {
        self.forget(now);
        let issued = Issued {
            access_key: format!("ASIA{}", letters(rng, 16)),
            secret_key: word(rng, 40),
            token: format!("IQoJb3JpZ2luX2VjE{}==", word(rng, 240)),
            expires: now.checked_add(length).unwrap_or(now),
        };
        let session = Session {
            caller,
            token: issued.token.clone(),
            expires: issued.expires,
        };
        self.by_key.insert(issued.access_key.clone(), session);
        issued
    }

    fn forget(&mut self, now: SystemTime) {
        self.since_round += 1;
        if self.since_round >= ROUND {
            self.since_round = 0;
            self.by_key
                .retain(|_, session| session.expires + REMEMBERED > now);
        }
    }

    /// The caller behind an access key, whatever else is wrong with the request.
    pub(crate) fn owner(&self, world: &World, access_key: &str) -> Option<Caller> {
        let session = self
            .by_key
            .get(access_key)
            .map(|session| session.caller.clone());
        session.or_else(|| world.access_key(access_key).map(Caller::from))
    }

    /// The caller, or why AWS refuses it. `now` is AWS's clock.
    pub(crate) fn authenticate(
        &self,
        world: &World,
        service: Service,
        signature: Option<&Signature>,
        now: SystemTime,
    ) -> Result<Caller, AwsError> {
        let signature = signature.ok_or_else(|| AwsError::unsigned(service))?;
        if let Some(session) = self.by_key.get(&signature.access_key) {
            if signature.token.as_ref() != Some(&session.token) {
                return Err(AwsError::invalid_token(service));
            }
            if session.expires <= now {
                return Err(AwsError::expired(service));
            }
        }
        if let Some(message) = signature.skew(now) {
            return Err(AwsError::skewed(service, message));
        }
        let caller = self.owner(world, &signature.access_key);
        let at_home = |caller: &Caller| caller.partition == Partition::of_region(&signature.region);
        caller
            .filter(at_home)
            .ok_or_else(|| AwsError::invalid_token(service))
    }
}

impl From<crate::world::AccessKey> for Caller {
    fn from(key: crate::world::AccessKey) -> Self {
        Self {
            account: key.account,
            partition: key.partition,
            arn: format!(
                "arn:{}:iam::{}:user/{}",
                key.partition, key.account, key.user
            ),
            user_id: format!("AIDA{:0>16}", key.account.number()),
            policy: None,
            is_session: false,
        }
    }
}

/// Capital letters and digits, as in key ids.
fn letters(rng: &mut Rng, count: usize) -> String {
    (0..count)
        .filter_map(|_| char::from_digit(rng.u32(0..36), 36))
        .collect::<String>()
        .to_uppercase()
}

/// Letters and digits of either case.
pub(crate) fn word(rng: &mut Rng, count: usize) -> String {
    (0..count).map(|_| rng.alphanumeric()).collect()
}

/// A request id in the form of a version 4 UUID.
pub(crate) fn request_id(rng: &mut Rng) -> String {
    let bits = (rng.u128(..) & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{bits:032x}");
    let part = |range| hex.get(range).unwrap_or_default();
    format!(
        "{}-{}-{}-{}-{}",
        part(0..8),
        part(8..12),
        part(12..16),
        part(16..20),
        part(20..32)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    fn caller() -> Caller {
        crate::world::AccessKey {
            access_key_id: "AKIA".to_owned(),
            account: "012345678901".parse().unwrap(),
            partition: Partition::Aws,
            user: "audit".to_owned(),
        }
        .into()
    }

    fn refusal(
        service: Service,
        change: impl FnOnce(&mut Signature),
        after: u64,
    ) -> Option<String> {
        let (mut sessions, mut rng) = (Sessions::default(), Rng::with_seed(1));
        let issued = sessions.issue(caller(), UNIX_EPOCH, Duration::from_mins(1), &mut rng);
        let mut signature = Signature {
            access_key: issued.access_key,
            region: "us-east-1".to_owned(),
            token: Some(issued.token),
            ..Signature::default()
        };
        change(&mut signature);
        let now = UNIX_EPOCH + Duration::from_secs(after);
        sessions
            .authenticate(&World::default(), service, Some(&signature), now)
            .err()
            .map(|error| error.code)
    }

    #[test]
    fn a_session_is_good_until_it_ends() {
        assert_eq!(refusal(Service::CloudTrail, |_| (), 59), None);
        assert_eq!(
            refusal(Service::CloudTrail, |_| (), 60).as_deref(),
            Some("ExpiredTokenException")
        );
        assert_eq!(
            refusal(Service::Sts, |_| (), 60).as_deref(),
            Some("ExpiredToken")
        );
    }

    #[test]
    fn an_unknown_key_a_wrong_token_and_another_partition_are_refused_alike() {
        let unknown = Some("UnrecognizedClientException");
        assert_eq!(
            refusal(
                Service::CloudTrail,
                |signature| signature.access_key = "ASIAOTHER".to_owned(),
                0
            )
            .as_deref(),
            unknown
        );
        assert_eq!(
            refusal(Service::CloudTrail, |signature| signature.token = None, 0).as_deref(),
            unknown
        );
        assert_eq!(
            refusal(
                Service::CloudTrail,
                |signature| signature.region = "us-gov-west-1".to_owned(),
                0
            )
            .as_deref(),
            unknown
        );
    }

    #[test]
    fn a_request_id_has_the_form_of_a_uuid() {
        let id = request_id(&mut Rng::with_seed(3));
        let lengths: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert_eq!(
            (id.as_bytes()[14], b"89ab".contains(&id.as_bytes()[19])),
            (b'4', true)
        );
    }
}
