//! A stream whose writer must be done with an answer in time. It knows nothing of HTTP: an answer begins with the first write after a flush.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::phase::{Activity, Phase};

/// Fails writes that take longer than they may, and tells when an answer is on its way.
pub(super) struct Deadline<S> {
    stream: S,
    within: Duration,
    over: Option<Pin<Box<Sleep>>>,
    activity: Activity,
}

impl<S> Deadline<S> {
    /// Allows each answer written to `stream` so much time.
    pub(super) fn new(stream: S, within: Duration, activity: Activity) -> Self {
        Self {
            stream,
            within,
            over: None,
            activity,
        }
    }

    /// The stream itself.
    pub(super) fn into_inner(self) -> S {
        self.stream
    }

    /// Passes on what writing came to, unless it must wait and time is up.
    fn check<T>(
        &mut self,
        cx: &mut Context<'_>,
        result: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        self.activity.wrote(result.is_ready(), Instant::now());
        if result.is_ready() {
            return result;
        }
        let within = self.within;
        let over = self.over.get_or_insert_with(|| Box::pin(sleep(within)));
        ready!(over.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    fn begin(&mut self) {
        let within = self.within;
        self.over.get_or_insert_with(|| Box::pin(sleep(within)));
    }

    fn flushed(&mut self) {
        if self.activity.phase() != Phase::Answering {
            self.over = None;
        }
        self.activity.flushed(Instant::now());
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Deadline<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Deadline<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.begin();
        let result = Pin::new(&mut this.stream).poll_write(cx, buf);
        this.check(cx, result)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.begin();
        let result = Pin::new(&mut this.stream).poll_write_vectored(cx, bufs);
        this.check(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_flush(cx);
        let result = this.check(cx, result);
        if let Poll::Ready(Ok(())) = result {
            this.flushed();
        }
        result
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_shutdown(cx);
        this.check(cx, result)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const WITHIN: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_drips_does_not_gain_time() {
        let (ours, mut theirs) = duplex(1);
        let activity = Activity::new(Instant::now());
        let _answering = activity.answer();
        let mut stream = Deadline::new(ours, WITHIN, activity);
        let began = tokio::time::Instant::now();
        let drip = async {
            loop {
                tokio::time::sleep(Duration::from_secs(10)).await;
                let _ = theirs.read_u8().await;
            }
        };
        let error = tokio::select! {
            result = stream.write_all(&[0; 1000]) => result.expect_err("too slow"),
            () = drip => unreachable!("never ends"),
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(began.elapsed().as_secs(), WITHIN.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn every_answer_has_its_own_time() {
        let (ours, mut theirs) = duplex(64);
        let activity = Activity::new(Instant::now());
        let mut stream = Deadline::new(ours, WITHIN, activity.clone());
        for _ in 0..3 {
            let answering = activity.answer();
            stream.write_all(b"ok").await.expect("in time");
            drop(answering);
            stream.flush().await.expect("in time");
            theirs.read_u16().await.expect("two bytes");
            tokio::time::sleep(WITHIN).await;
        }
        assert!(matches!(activity.phase(), Phase::Waiting { .. }));
    }
}
