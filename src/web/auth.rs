//! Basic authentication against bcrypt hashes.
//!
//! A name that is not known costs as much as one that is. A check that succeeded is remembered, one that failed is not; the same login made by many
//! at once is checked once. Hashing runs beside the runtime, few at once, so that a flood of logins delays no other work.

mod checks;

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use siphasher::sip::SipHasher;
use tokio::sync::Semaphore;

use super::file::UserHashes;
use crate::config::Secret;
use checks::{Checks, Fingerprint};

/// What a client is told that should log in.
pub(super) const CHALLENGE: HeaderValue =
    HeaderValue::from_static(r#"Basic realm="cloudtrail-exporter", charset="UTF-8""#);

/// The users there are, and the logins that were good.
pub(super) struct Users {
    hashes: UserHashes,
    checks: Checks,
    hashing: Arc<Semaphore>,
}

impl Users {
    /// Checks logins of these users; `None` if there are none: then nobody has to log in.
    pub(super) fn new(hashes: UserHashes) -> Option<Self> {
        if hashes.0.is_empty() {
            return None;
        }
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Some(Self {
            hashes,
            checks: Checks::new(),
            // Half of the machine at most: scrapes of those who are logged in go on.
            hashing: Arc::new(Semaphore::new((cores / 2).max(1))),
        })
    }

    /// Whether an `Authorization` header is that of a user.
    pub(super) async fn admit(&self, header: Option<&HeaderValue>) -> bool {
        let Some((name, password)) = header.and_then(login) else {
            return false;
        };
        let own = self.hashes.0.iter().find(|(known, _)| *known == name);
        let Some(hash) = own.or_else(|| self.decoy(&name)).map(|(_, hash)| hash) else {
            return false;
        };
        let login = Fingerprint::new(self.checks.key(), &[&name, hash.expose(), &password]);
        let check = self.verify(password, hash.clone());
        let fits = self.checks.remember(login, check).await;
        fits && own.is_some()
    }

    /// The user in whose place an unknown one is checked, always the same for a name: where hashes cost differently, so do unknown names.
    fn decoy(&self, name: &str) -> Option<&(String, Secret)> {
        let mut hasher = SipHasher::new_with_key(self.checks.short_key());
        name.hash(&mut hasher);
        let count = self.hashes.0.len() as u64;
        let index = usize::try_from(hasher.finish() % count).ok()?;
        self.hashes.0.get(index)
    }

    async fn verify(&self, password: String, hash: Secret) -> bool {
        let Ok(permit) = Arc::clone(&self.hashing).acquire_owned().await else {
            return false;
        };
        let check = move || {
            let fits = bcrypt::verify(password, hash.expose());
            drop(permit);
            fits.unwrap_or(false)
        };
        tokio::task::spawn_blocking(check).await.unwrap_or(false)
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
    use super::*;

    /// The least that bcrypt allows: tests are not about its strength.
    const COST: u32 = 4;

    fn users(pairs: &[(&str, &str)]) -> Users {
        let hash = |p: &str| Secret::new(&bcrypt::hash(p, COST).expect("hashed"));
        let pairs = pairs.iter().map(|(n, p)| ((*n).to_owned(), hash(p)));
        Users::new(UserHashes(pairs.collect())).expect("some users")
    }

    fn header(login: &str) -> HeaderValue {
        let text = format!("Basic {}", STANDARD.encode(login));
        text.parse().expect("a header")
    }

    async fn admitted(users: &Users, login: &str) -> bool {
        users.admit(Some(&header(login))).await
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
        assert!(!users.admit(None).await);
        for text in [
            "",
            "Basic",
            "Basic ",
            "Basic !!!",
            "Bearer YWxpY2U6YQ==",
            "Basic /w==",
        ] {
            let header = text.parse().expect("a header");
            assert!(!users.admit(Some(&header)).await, "{text}");
        }
        let lower = "basic YWxpY2U6YQ==".parse().expect("a header");
        assert!(users.admit(Some(&lower)).await);
    }

    #[tokio::test]
    async fn one_login_does_not_stand_for_another_that_reads_the_same_in_a_row() {
        let users = users(&[("ab", "c"), ("a", "x")]);
        assert!(admitted(&users, "ab:c").await);
        assert!(!admitted(&users, "a:bc").await);
    }
}
