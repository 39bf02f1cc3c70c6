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
pub(super) struct Activity(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    phase: Phase,
    /// Since when the client takes nothing of what is written.
    blocked: Option<Instant>,
}

impl Activity {
    /// A connection that was opened at `now`.
    pub(super) fn new(now: Instant) -> Self {
        let phase = Phase::Waiting {
            since: now,
            fresh: true,
        };
        let blocked = None;
        Self(Arc::new(Mutex::new(State { phase, blocked })))
    }

    /// What it is doing.
    pub(super) fn phase(&self) -> Phase {
        self.lock().phase
    }

    /// Since when nothing goes on: no request is being answered, or the client takes nothing of an
    /// answer.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let state = self.lock();
        match state.phase {
            Phase::Waiting { since, .. } => Some(since),
            Phase::Answering | Phase::Flushing => state.blocked,
        }
    }

    /// Since when the client takes nothing of an answer.
    pub(super) fn blocked_since(&self) -> Option<Instant> {
        self.lock().blocked
    }

    /// The client took something of what is written, or takes nothing.
    pub(super) fn wrote(&self, something: bool, now: Instant) {
        let mut state = self.lock();
        if something {
            state.blocked = None;
        } else {
            state.blocked.get_or_insert(now);
        }
    }

    /// A request begins; its answer is made when the guard is dropped.
    pub(super) fn answer(&self) -> Answering {
        self.lock().phase = Phase::Answering;
        Answering(self.clone())
    }

    /// All that was written is on its way.
    pub(super) fn flushed(&self, now: Instant) {
        let mut state = self.lock();
        state.blocked = None;
        if state.phase == Phase::Flushing {
            state.phase = Phase::Waiting {
                since: now,
                fresh: false,
            };
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request is being answered for as long as this lives.
pub(super) struct Answering(Activity);

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.lock().phase = Phase::Flushing;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_that_takes_nothing_is_idle_since_then() {
        let began = Instant::now();
        let at = |seconds| began + std::time::Duration::from_secs(seconds);
        let activity = Activity::new(began);
        assert_eq!(activity.idle_since(), Some(began));
        let _answering = activity.answer();
        assert_eq!(activity.idle_since(), None);
        activity.wrote(false, at(1));
        activity.wrote(false, at(2));
        assert_eq!(activity.idle_since(), Some(at(1)));
        activity.wrote(true, at(3));
        assert_eq!(activity.idle_since(), None);
        assert_eq!(activity.blocked_since(), None);
    }

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
