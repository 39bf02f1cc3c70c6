//! A response body that goes out as a fault wants it: whole, in drips, half and then silence, half and then the end, or after megabytes of white space.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

use crate::reply::Pace;

/// White space goes out in pieces of this size.
const PADDING: &[u8] = &[b' '; 64 * 1024];

/// Before a cut the first half must be on its way: an error at once would take it back from the send buffer.
const FLUSH_PAUSE: Duration = Duration::from_millis(20);

/// The body of one answer.
#[derive(Debug)]
pub(crate) struct PacedBody {
    left: Bytes,
    padding: u64,
    pause: Option<Duration>,
    sleep: Option<Pin<Box<Sleep>>>,
    /// What the client is promised beyond what it gets.
    withheld: u64,
    end: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Proper,
    Silence,
    Cut,
}

impl PacedBody {
    pub(crate) fn new(body: Bytes, pace: Pace) -> Self {
        let whole = Self {
            left: body,
            padding: 0,
            pause: None,
            sleep: None,
            withheld: 0,
            end: End::Proper,
        };
        match pace {
            Pace::AtOnce => whole,
            Pace::Drip(pause) => Self {
                pause: Some(pause),
                ..whole
            },
            Pace::HangHalfway => whole.half(End::Silence),
            Pace::CutHalfway => whole.half(End::Cut),
            Pace::Padded(padding) => Self { padding, ..whole },
        }
    }

    fn half(self, end: End) -> Self {
        let half = self.left.len() / 2;
        let withheld = self.left.len() as u64 - half as u64;
        Self {
            left: self.left.slice(..half),
            withheld,
            end,
            ..self
        }
    }

    fn next_piece(&mut self) -> Bytes {
        if self.padding > 0 {
            let size = usize::try_from(self.padding)
                .unwrap_or(PADDING.len())
                .min(PADDING.len());
            self.padding -= size as u64;
            return Bytes::from_static(PADDING).slice(..size);
        }
        let size = if self.pause.is_some() {
            1
        } else {
            self.left.len()
        };
        self.left.split_to(size)
    }
}

impl Body for PacedBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(sleep) = &mut self.sleep {
            std::task::ready!(sleep.as_mut().poll(context));
        }
        if self.padding == 0 && self.left.is_empty() {
            return match self.end {
                End::Proper => Poll::Ready(None),
                End::Silence => Poll::Pending,
                End::Cut => Poll::Ready(Some(Err(io::ErrorKind::ConnectionAborted.into()))),
            };
        }
        let piece = self.next_piece();
        let flush = (self.end == End::Cut).then_some(FLUSH_PAUSE);
        self.sleep = self
            .pause
            .or(flush)
            .map(|pause| Box::pin(tokio::time::sleep(pause)));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.end == End::Proper && self.padding == 0 && self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        if self.padding > 0 {
            SizeHint::default()
        } else {
            SizeHint::with_exact(self.left.len() as u64 + self.withheld)
        }
    }
}
