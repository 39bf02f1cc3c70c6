//! Blocking work beside the runtime, on threads of its own: neither the runtime's thread waits for
//! it, nor its thread pool, which slow name look-ups can fill.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

/// Why a job has no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WorkerError {
    /// It takes too long. It goes on, and no other is started before it ends.
    #[error("did not end within {}", humantime::format_duration(*.0))]
    Overdue(Duration),
    /// An earlier job has not ended, nor does one in time where jobs wait for their turn.
    #[error("an earlier attempt has not ended")]
    Busy,
    /// The system starts no more threads.
    #[error("no thread can be started")]
    NoThread,
    /// The job panicked.
    #[error("failed unexpectedly")]
    Panicked,
}

/// Runs blocking jobs of one kind: each on a thread of its own, with a deadline, and a bounded
/// number at once. A job that is stuck for ever costs one thread, however often it is tried again.
#[derive(Debug, Clone)]
pub struct Worker {
    name: &'static str,
    limit: usize,
    running: Arc<AtomicUsize>,
}

/// Runs blocking jobs of one kind as a [`Worker`] does, but those beyond the number at once wait for
/// their turn.
#[derive(Debug, Clone)]
pub struct Queue {
    worker: Worker,
    places: Arc<Semaphore>,
}

impl Queue {
    /// So many jobs at once, on threads of this name.
    pub fn new(name: &'static str, places: usize) -> Self {
        Self {
            worker: Worker::with_limit(name, usize::MAX),
            places: Arc::new(Semaphore::new(places)),
        }
    }

    /// Runs a job and waits for it without blocking: so long for its turn, and so long again for
    /// its end.
    pub async fn run<T: Send + 'static>(
        &self,
        within: Duration,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, WorkerError> {
        let place = timeout(within, Arc::clone(&self.places).acquire_owned()).await;
        // It is never closed.
        let Ok(Ok(place)) = place else {
            return Err(WorkerError::Busy);
        };
        let job = move || {
            let value = job();
            // Kept by a job that is stuck.
            drop(place);
            value
        };
        self.worker.run(within, job).await
    }
}

/// The right to run one job, given back when dropped.
struct Slot(Arc<AtomicUsize>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Worker {
    /// One job at a time, on threads of this name.
    pub fn new(name: &'static str) -> Self {
        Self::with_limit(name, 1)
    }

    /// So many jobs at once at most.
    pub fn with_limit(name: &'static str, limit: usize) -> Self {
        Self {
            name,
            limit,
            running: Arc::default(),
        }
    }

    /// Runs a job and waits for it without blocking.
    pub async fn run<T: Send + 'static>(
        &self,
        within: Duration,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, WorkerError> {
        let (sender, result) = oneshot::channel();
        self.start(job, move |value| drop(sender.send(value)))?;
        match timeout(within, result).await {
            Ok(result) => result.map_err(|_| WorkerError::Panicked),
            Err(_) => Err(WorkerError::Overdue(within)),
        }
    }

    /// Runs a job and blocks until it ends or is overdue.
    pub fn wait<T: Send + 'static>(
        &self,
        within: Duration,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, WorkerError> {
        let (sender, result) = mpsc::sync_channel(1);
        self.start(job, move |value| drop(sender.send(value)))?;
        result.recv_timeout(within).map_err(|error| match error {
            mpsc::RecvTimeoutError::Timeout => WorkerError::Overdue(within),
            mpsc::RecvTimeoutError::Disconnected => WorkerError::Panicked,
        })
    }

    fn start<T>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
        report: impl FnOnce(T) + Send + 'static,
    ) -> Result<(), WorkerError> {
        let slot = self.acquire().ok_or(WorkerError::Busy)?;
        let work = move || {
            let value = job();
            // Before the result is out: whoever has it may start the next job.
            drop(slot);
            report(value);
        };
        let thread = thread::Builder::new().name(self.name.to_owned());
        let started = thread.spawn(work);
        started.map(drop).map_err(|_| WorkerError::NoThread)
    }

    fn acquire(&self) -> Option<Slot> {
        let one_more = |running| (running < self.limit).then_some(running + 1);
        self.running
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more)
            .ok()?;
        Some(Slot(Arc::clone(&self.running)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(50);
    const PATIENCE: Duration = Duration::from_secs(20);

    /// A job that ends when the sender is dropped.
    fn stuck() -> (mpsc::Sender<()>, impl FnOnce() + Send + 'static) {
        let (release, wait) = mpsc::channel::<()>();
        (release, move || _ = wait.recv())
    }

    #[tokio::test]
    async fn stuck_job_is_overdue_blocks_the_next_and_gives_way_when_it_ends() {
        let worker = Worker::new("test");
        let (release, job) = stuck();
        assert_eq!(worker.run(SOON, job).await, Err(WorkerError::Overdue(SOON)));
        assert_eq!(worker.run(PATIENCE, || 1).await, Err(WorkerError::Busy));
        assert_eq!(worker.wait(PATIENCE, || 1), Err(WorkerError::Busy));
        drop(release);
        let deadline = std::time::Instant::now() + PATIENCE;
        while worker.wait(PATIENCE, || 1) != Ok(1) {
            assert!(std::time::Instant::now() < deadline, "still busy");
            thread::yield_now();
        }
    }

    #[tokio::test]
    async fn next_job_can_start_as_soon_as_the_last_has_reported() {
        let worker = Worker::new("test");
        for n in 0..200 {
            assert_eq!(worker.run(PATIENCE, move || n).await, Ok(n));
            assert_eq!(worker.wait(PATIENCE, move || n), Ok(n));
        }
    }

    #[tokio::test]
    async fn jobs_of_a_queue_wait_for_their_turn_and_not_for_ever() {
        let (queue, at_once) = (Queue::new("test", 2), Arc::new(AtomicUsize::new(0)));
        let mut jobs = tokio::task::JoinSet::new();
        for n in 0..50 {
            let (queue, at_once) = (queue.clone(), Arc::clone(&at_once));
            let job = move || {
                let others = at_once.fetch_add(1, Ordering::AcqRel);
                thread::yield_now();
                at_once.fetch_sub(1, Ordering::AcqRel);
                (n, others < 2)
            };
            jobs.spawn(async move { queue.run(PATIENCE, job).await });
        }
        let mut ended: Vec<_> = jobs.join_all().await.into_iter().flatten().collect();
        ended.sort_unstable();
        assert_eq!(ended, (0..50).map(|n| (n, true)).collect::<Vec<_>>());
        let held: Vec<_> = (0..2).map(|_| stuck()).collect();
        let mut releases = Vec::new();
        for (release, job) in held {
            assert_eq!(queue.run(SOON, job).await, Err(WorkerError::Overdue(SOON)));
            releases.push(release);
        }
        assert_eq!(queue.run(SOON, || 1).await, Err(WorkerError::Busy));
        drop(releases);
        assert_eq!(queue.run(PATIENCE, || 1).await, Ok(1));
    }

    #[test]
    fn waiting_is_bounded_too() {
        let worker = Worker::new("test");
        let (_release, job) = stuck();
        assert_eq!(worker.wait(SOON, job), Err(WorkerError::Overdue(SOON)));
    }

    #[tokio::test]
    async fn panicking_job_frees_its_place() {
        let worker = Worker::new("test");
        let job = || panic!("a test's own");
        assert_eq!(
            worker.run::<()>(PATIENCE, job).await,
            Err(WorkerError::Panicked)
        );
        assert_eq!(worker.run(PATIENCE, || 1).await, Ok(1));
    }

    #[test]
    fn a_job_runs_while_the_runtimes_pool_is_full_of_stuck_ones() {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_time().max_blocking_threads(1).build();
        let runtime = runtime.expect("a runtime");
        let (release, job) = stuck();
        let result = runtime.block_on(async {
            let pool = tokio::task::spawn_blocking(job);
            let result = Worker::new("test").run(PATIENCE, || 1).await;
            assert!(!pool.is_finished());
            result
        });
        drop(release);
        assert_eq!(result, Ok(1));
    }
}
