//! Logins that were good, and those being checked, by a fingerprint that only this process can make.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

/// Good logins remembered: more than there are scrapers.
const MAX_GOOD: usize = 256;
/// Checks held at once, done or not, before those that nobody waits for any more are dropped: more than there may be connections.
const MAX_HELD: usize = 1024;

/// What identifies a login without being of use to anybody who reads memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Of some parts. Each goes in with its length: no two rows of parts read the same.
    pub(super) fn new(key: &[u8], parts: &[&str]) -> Self {
        let mut hash = Sha256::new_with_prefix(key);
        for part in parts {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }
}

/// The memory of logins.
pub(super) struct Checks {
    key: [u8; 32],
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    checks: HashMap<Fingerprint, Arc<OnceCell<bool>>>,
    good: VecDeque<Fingerprint>,
}

impl Checks {
    /// An empty memory with a key of its own.
    pub(super) fn new() -> Self {
        let mut key = [0; 32];
        let random = rustls::crypto::aws_lc_rs::default_provider().secure_random;
        if random.fill(&mut key).is_err() {
            // No randomness to be had: the key of the standard library's maps must do.
            let state = std::hash::RandomState::new();
            let one = std::hash::BuildHasher::hash_one(&state, 1_u8).to_le_bytes();
            key = Sha256::digest(one).into();
        }
        Self {
            key,
            held: Mutex::default(),
        }
    }

    /// The key of fingerprints.
    pub(super) fn key(&self) -> &[u8] {
        &self.key
    }

    /// Half of the key, for hashing names.
    pub(super) fn short_key(&self) -> &[u8; 16] {
        self.key.first_chunk().unwrap_or(&[0; 16])
    }

    /// What is known of a login; `check` is run if nothing is, once however many ask. `None` if it came to nothing.
    pub(super) async fn remember(
        &self,
        login: Fingerprint,
        check: impl Future<Output = Option<bool>>,
    ) -> Option<bool> {
        let cell = self.lock().hold(login);
        let check = async { check.await.ok_or(()) };
        let fits = *cell.get_or_try_init(|| check).await.ok()?;
        self.lock().settle(login, fits);
        Some(fits)
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn hold(&mut self, login: Fingerprint) -> Arc<OnceCell<bool>> {
        if self.checks.len() >= MAX_HELD {
            // A client that left before its check was done leaves it behind.
            self.checks
                .retain(|_, cell| cell.initialized() || Arc::strong_count(cell) > 1);
        }
        Arc::clone(self.checks.entry(login).or_default())
    }

    fn settle(&mut self, login: Fingerprint, fits: bool) {
        if !fits {
            self.checks.remove(&login);
        } else if !self.good.contains(&login) {
            self.good.push_back(login);
        }
        if self.good.len() > MAX_GOOD
            && let Some(oldest) = self.good.pop_front()
        {
            self.checks.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::FutureExt;

    use super::*;

    fn login(n: usize) -> Fingerprint {
        Fingerprint::new(b"key", &[&n.to_string()])
    }

    async fn asked(checks: &Checks, n: usize, outcome: bool) -> bool {
        let ran = AtomicUsize::new(0);
        let check = async {
            ran.fetch_add(1, Ordering::Relaxed);
            Some(outcome)
        };
        assert_eq!(checks.remember(login(n), check).await, Some(outcome));
        ran.into_inner() > 0
    }

    #[tokio::test]
    async fn only_what_succeeded_is_remembered() {
        let checks = Checks::new();
        assert!(asked(&checks, 1, true).await);
        assert!(!asked(&checks, 1, true).await);
        assert!(asked(&checks, 2, false).await);
        assert!(asked(&checks, 2, false).await);
    }

    #[tokio::test]
    async fn memory_is_bounded_and_the_oldest_goes_first() {
        let checks = Checks::new();
        for n in 0..=MAX_GOOD {
            asked(&checks, n, true).await;
        }
        assert_eq!(checks.lock().checks.len(), MAX_GOOD);
        assert!(!asked(&checks, MAX_GOOD, true).await);
        assert!(asked(&checks, 0, true).await);
    }

    #[tokio::test]
    async fn checks_that_nobody_waits_for_are_dropped() {
        let checks = Checks::new();
        for n in 0..MAX_HELD * 2 {
            let check = checks.remember(login(n), std::future::pending());
            assert!(check.now_or_never().is_none());
        }
        assert!(checks.lock().checks.len() <= MAX_HELD);
    }

    #[tokio::test]
    async fn the_same_login_by_many_at_once_is_checked_once() {
        let (checks, ran) = (Checks::new(), AtomicUsize::new(0));
        let check = || async {
            ran.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            Some(true)
        };
        let all = (0..150).map(|_| checks.remember(login(1), check()));
        let all = futures_util::future::join_all(all).await;
        assert!(all.into_iter().all(|fits| fits == Some(true)));
        assert_eq!(ran.into_inner(), 1);
    }

    #[test]
    fn parts_that_read_the_same_in_a_row_are_not_the_same() {
        let of = |parts: &[&str]| Fingerprint::new(b"key", parts);
        assert_ne!(of(&["ab", "c"]), of(&["a", "bc"]));
        assert_ne!(of(&["a"]), of(&["a", ""]));
    }
}
