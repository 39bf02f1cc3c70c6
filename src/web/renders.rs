//! How many answers may be rendered at once. An answer counts while its reader takes it; one whose reader has stopped reading costs no time and
//! gives its place to others, so that slow readers cannot keep a scraper out.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::limits;

/// The answers being rendered, each with the time of its last progress.
#[derive(Debug)]
pub(super) struct Renders {
    max: usize,
    next: AtomicU64,
    active: Mutex<Vec<(u64, Instant)>>,
}

/// The right to render one answer.
#[derive(Debug)]
pub(super) struct Render {
    renders: Arc<Renders>,
    number: u64,
}

impl Renders {
    /// At most `max` at once; 0 for any number.
    pub(super) fn new(max: usize) -> Self {
        let max = if max == 0 { usize::MAX } else { max };
        Self {
            max,
            next: AtomicU64::default(),
            active: Mutex::default(),
        }
    }

    /// One more, if there is room for it.
    pub(super) fn begin(self: &Arc<Self>, now: Instant) -> Option<Render> {
        let mut active = self.lock();
        if active.len() >= self.max {
            active.retain(|(_, at)| now.saturating_duration_since(*at) < limits::RENDER_STALL);
        }
        if active.len() >= self.max {
            return None;
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        active.push((number, now));
        Some(Render {
            renders: Arc::clone(self),
            number,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(u64, Instant)>> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Render {
    /// The reader asks for more.
    pub(super) fn progress(&self, now: Instant) {
        let mut active = self.renders.lock();
        if let Some(own) = active.iter_mut().find(|(n, _)| *n == self.number) {
            own.1 = now;
        }
    }
}

impl Drop for Render {
    fn drop(&mut self) {
        self.renders.lock().retain(|(n, _)| *n != self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_the_limit_are_rendered_at_once() {
        let (renders, now) = (Arc::new(Renders::new(2)), Instant::now());
        let first = renders.begin(now).expect("room");
        let _second = renders.begin(now).expect("room");
        assert!(renders.begin(now).is_none());
        drop(first);
        assert!(renders.begin(now).is_some());
    }

    #[test]
    fn a_reader_that_stopped_reading_gives_its_place_away() {
        let (renders, now) = (Arc::new(Renders::new(2)), Instant::now());
        let stalled = renders.begin(now).expect("room");
        let reading = renders.begin(now).expect("room");
        let later = now + limits::RENDER_STALL;
        reading.progress(later);
        let third = renders.begin(later).expect("the place of the stalled one");
        assert!(renders.begin(later).is_none());
        drop((stalled, third, reading));
        assert!(renders.lock().is_empty());
    }

    #[test]
    fn zero_is_no_limit() {
        let (renders, now) = (Arc::new(Renders::new(0)), Instant::now());
        let all: Option<Vec<_>> = (0..1000).map(|_| renders.begin(now)).collect();
        assert!(all.is_some());
    }
}
