//! What a connection is doing, as the service, the body and the socket of it know it together.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// No request of it is being answered, since then; `fresh` if there never was one.
    Waiting {
        /// Since when.
        since: Instant,
        /// It has not sent a request yet.
        fresh: bool,
    },
    /// A request is being answered.
    Answering,
    /// The answer is made, but not all of it is on its way.
    Flushing,
}

/// A connection's phase, shared between its parts.
#[derive(Debug, Clone)]
pub(super) struct Activity(Arc<Mutex<Phase>>);

impl Activity {
    /// A connection that was opened at `now`.
    pub(super) fn new(now: Instant) -> Self {
        Self(Arc::new(Mutex::new(Phase::Waiting {
            since: now,
            fresh: true,
        })))
    }

    /// What it is doing.
    pub(super) fn phase(&self) -> Phase {
        *self.lock()
    }

    /// A request begins; its answer is made when the guard is dropped.
    pub(super) fn answer(&self) -> Answering {
        *self.lock() = Phase::Answering;
        Answering(self.clone())
    }

    /// All that was written is on its way.
    pub(super) fn flushed(&self, now: Instant) {
        let mut phase = self.lock();
        if *phase == Phase::Flushing {
            *phase = Phase::Waiting {
                since: now,
                fresh: false,
            };
        }
    }

    fn lock(&self) -> MutexGuard<'_, Phase> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request is being answered for as long as this lives.
pub(super) struct Answering(Activity);

impl Drop for Answering {
    fn drop(&mut self) {
        *self.0.lock() = Phase::Flushing;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_waits_again_only_when_its_answer_is_on_its_way() {
        let now = Instant::now();
        let activity = Activity::new(now);
        activity.flushed(now);
        assert!(matches!(
            activity.phase(),
            Phase::Waiting { fresh: true, .. }
        ));
        let answering = activity.answer();
        activity.flushed(now);
        assert_eq!(activity.phase(), Phase::Answering);
        drop(answering);
        assert_eq!(activity.phase(), Phase::Flushing);
        activity.flushed(now);
        assert!(matches!(
            activity.phase(),
            Phase::Waiting { fresh: false, .. }
        ));
    }
}
