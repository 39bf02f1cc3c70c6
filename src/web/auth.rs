//! Basic authentication against bcrypt hashes.
//!
//! A name that is not known costs as much as one that is. A check that succeeded is remembered, one
//! that failed is not; the same login made by many at once is checked once. Hashing runs beside the
//! runtime, few at once and peer by peer, so that a flood of logins delays neither other work nor
//! the login of another peer for long.

mod checks;
mod turns;

use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use siphasher::sip::SipHasher;

use super::file::UserHashes;
use super::peer::Peer;
use crate::config::Secret;
use crate::threads::Worker;
use checks::{Checks, Fingerprint};
use turns::Turns;

/// What a client is told that should log in.
pub(super) const CHALLENGE: HeaderValue =
    HeaderValue::from_static(r#"Basic realm="cloudtrail-exporter", charset="UTF-8""#);

/// How long one check may take; the costliest hash that is accepted takes about ten seconds.
const HASHING: Duration = Duration::from_mins(1);

/// What a login comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Login {
    /// It is that of a user.
    Good,
    /// It is not.
    Bad,
    /// It was not checked: too many wait to be.
    Unchecked,
}

/// The users there are, and what is known of logins.
pub(super) struct Users {
    hashes: UserHashes,
    logins: Arc<Logins>,
}

/// The logins that were good, and those being checked. It outlives the list of users: what is known
/// of a login holds as long as its user has that hash.
struct Logins {
    checks: Checks,
    turns: Turns,
    hashing: Worker,
}

impl Logins {
    fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            checks: Checks::new(),
            // Half of the machine at most: scrapes of those who are logged in go on.
            turns: Turns::new((cores / 2).max(1)),
            // Turns bound it.
            hashing: Worker::with_limit("login", usize::MAX),
        }
    }

    async fn verify(&self, password: String, hash: Secret, peer: Peer) -> Option<bool> {
        let turn = self.turns.turn(peer).await?;
        let check = move || {
            let fits = bcrypt::verify(password, hash.expose());
            drop(turn);
            fits.unwrap_or(false)
        };
        self.hashing.run(HASHING, check).await.ok()
    }
}

impl Users {
    /// Checks logins of these users; `None` if there are none: then nobody has to log in. What was
    /// known of logins stays known.
    pub(super) fn new(hashes: UserHashes, before: Option<&Self>) -> Option<Self> {
        if hashes.0.is_empty() {
            return None;
        }
        let known = before.map(|before| Arc::clone(&before.logins));
        Some(Self {
            hashes,
            logins: known.unwrap_or_else(|| Arc::new(Logins::new())),
        })
    }

    /// Whether an `Authorization` header is that of a user.
    pub(super) async fn admit(&self, header: Option<&HeaderValue>, peer: Peer) -> Login {
        let Some((name, password)) = header.and_then(login) else {
            return Login::Bad;
        };
        let own = self.hashes.0.iter().find(|(known, _)| *known == name);
        let Some(hash) = own.or_else(|| self.decoy(&name)).map(|(_, hash)| hash) else {
            return Login::Bad;
        };
        let checks = &self.logins.checks;
        let login = Fingerprint::new(checks.key(), &[&name, hash.expose(), &password]);
        let check = self.logins.verify(password, hash.clone(), peer);
        match checks.remember(login, check).await {
            Some(fits) if fits && own.is_some() => Login::Good,
            Some(_) => Login::Bad,
            None => Login::Unchecked,
        }
    }

    /// The user in whose place an unknown one is checked, always the same for a name: where hashes cost differently, so do unknown names.
    fn decoy(&self, name: &str) -> Option<&(String, Secret)> {
        let mut hasher = SipHasher::new_with_key(self.logins.checks.short_key());
        name.hash(&mut hasher);
        let count = self.hashes.0.len() as u64;
        let index = usize::try_from(hasher.finish() % count).ok()?;
        self.hashes.0.get(index)
    }
}

/// The name and password of a header.
fn login(header: &HeaderValue) -> Option<(String, String)> {
    let (scheme, encoded) = header.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let login = STANDARD.decode(encoded.trim()).ok()?;
    let login = String::from_utf8(login).ok()?;
    let (name, password) = login.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::peer::tests::peer;
    use super::*;

    /// The least that bcrypt allows: tests are not about its strength.
    const COST: u32 = 4;

    fn hashes(pairs: &[(&str, &str)]) -> UserHashes {
        let hash = |p: &str| Secret::new(&bcrypt::hash(p, COST).expect("hashed"));
        let pairs = pairs.iter().map(|(n, p)| ((*n).to_owned(), hash(p)));
        UserHashes(pairs.collect())
    }

    fn users(pairs: &[(&str, &str)]) -> Users {
        Users::new(hashes(pairs), None).expect("some users")
    }

    fn header(login: &str) -> HeaderValue {
        let text = format!("Basic {}", STANDARD.encode(login));
        text.parse().expect("a header")
    }

    async fn admitted(users: &Users, login: &str) -> bool {
        users.admit(Some(&header(login)), peer(1)).await == Login::Good
    }

    #[tokio::test]
    async fn a_user_is_admitted_by_his_own_password_only() {
        let users = users(&[("alice", "a"), ("bob", "b:c")]);
        for _ in 0..2 {
            assert!(admitted(&users, "alice:a").await);
            assert!(admitted(&users, "bob:b:c").await);
            for login in [
                "alice:b:c",
                "bob:a",
                "alice:",
                "alice",
                "Alice:a",
                "carol:a",
                ":",
                "",
            ] {
                assert!(!admitted(&users, login).await, "{login}");
            }
        }
    }

    #[tokio::test]
    async fn an_unknown_name_is_not_admitted_by_the_password_it_is_checked_against() {
        let users = users(&[("alice", "a")]);
        assert_eq!(users.decoy("mallory").expect("somebody").0, "alice");
        assert!(!admitted(&users, "mallory:a").await);
        assert!(!admitted(&users, "mallory:a").await);
        assert!(admitted(&users, "alice:a").await);
    }

    #[tokio::test]
    async fn what_is_no_basic_login_is_refused() {
        let users = users(&[("alice", "a")]);
        assert_eq!(users.admit(None, peer(1)).await, Login::Bad);
        for text in [
            "",
            "Basic",
            "Basic ",
            "Basic !!!",
            "Bearer YWxpY2U6YQ==",
            "Basic /w==",
        ] {
            let header = text.parse().expect("a header");
            assert_eq!(
                users.admit(Some(&header), peer(1)).await,
                Login::Bad,
                "{text}"
            );
        }
        let lower = "basic YWxpY2U6YQ==".parse().expect("a header");
        assert_eq!(users.admit(Some(&lower), peer(1)).await, Login::Good);
    }

    #[tokio::test]
    async fn one_login_does_not_stand_for_another_that_reads_the_same_in_a_row() {
        let users = users(&[("ab", "c"), ("a", "x")]);
        assert!(admitted(&users, "ab:c").await);
        assert!(!admitted(&users, "a:bc").await);
    }

    /// A login that has to be checked comes to nothing: all turns are taken.
    async fn take_all_turns(users: &Users) -> Vec<turns::Turn> {
        let mut taken = Vec::new();
        let at_once = Duration::from_millis(1);
        while let Ok(Some(turn)) =
            tokio::time::timeout(at_once, users.logins.turns.turn(peer(9))).await
        {
            taken.push(turn);
        }
        taken
    }

    #[tokio::test]
    async fn good_login_stays_known_when_the_users_are_read_again_unless_its_hash_changed() {
        let before = hashes(&[("alice", "a"), ("bob", "b"), ("carol", "c")]);
        let users = Users::new(before.clone(), None).expect("some users");
        for login in ["alice:a", "bob:b", "carol:c"] {
            assert!(admitted(&users, login).await);
        }
        let [alice, bob, _] = before.0.try_into().expect("three");
        let bob = (bob.0, hashes(&[("bob", "b")]).0.remove(0).1);
        let after = UserHashes(vec![alice, bob]);
        let users = Users::new(after, Some(&users)).expect("some users");
        let turns = take_all_turns(&users).await;
        assert!(admitted(&users, "alice:a").await, "known");
        let checked = async |login: &str| {
            let header = header(login);
            let admit = users.admit(Some(&header), peer(1));
            tokio::time::timeout(Duration::from_millis(50), admit)
                .await
                .is_ok()
        };
        assert!(!checked("bob:b").await, "another hash is checked");
        assert!(!checked("carol:c").await, "as an unknown name is");
        drop(turns);
        assert!(admitted(&users, "bob:b").await);
        assert!(!admitted(&users, "carol:c").await);
    }
}
