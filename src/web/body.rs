//! Answer bodies: bytes at hand, or chunks that are made as the reader takes them.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use super::renders::Render;

/// What is sent. It keeps what must live until the last byte of it is taken.
pub(super) struct Reply {
    content: Content,
    render: Option<Render>,
    keep: Option<Box<dyn Send>>,
}

enum Content {
    Whole(Option<Bytes>),
    Chunks {
        chunks: Box<dyn Iterator<Item = Bytes> + Send>,
        /// The last poll gave a chunk: others have their turn before the next is made.
        turn: bool,
    },
}

impl Reply {
    /// Bytes at hand.
    pub(super) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self::of(Content::Whole(Some(bytes.into())))
    }

    /// Chunks, each made when the one before it is on its way: a slow reader costs one chunk, and what its maker holds.
    pub(super) fn chunks(chunks: impl Iterator<Item = Bytes> + Send + 'static) -> Self {
        Self::of(Content::Chunks {
            chunks: Box::new(chunks),
            turn: false,
        })
    }

    /// Holds `kept` until the body is dropped.
    pub(super) fn keep(&mut self, kept: impl Send + 'static) {
        self.keep = Some(Box::new(kept));
    }

    /// Counts as being rendered until the body is dropped, but for when its reader does not read.
    pub(super) fn keep_render(&mut self, render: Render) {
        self.render = Some(render);
    }

    fn of(content: Content) -> Self {
        Self {
            content,
            render: None,
            keep: None,
        }
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        if let Some(render) = &mut this.render {
            ready!(render.poll_place(cx));
        }
        let next = match &mut this.content {
            Content::Whole(bytes) => bytes.take(),
            Content::Chunks { turn, .. } if *turn => {
                *turn = false;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Content::Chunks { chunks, turn } => {
                *turn = true;
                chunks.next()
            }
        };
        Poll::Ready(next.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Whole(bytes) => bytes.as_ref().is_none_or(Bytes::is_empty),
            Content::Chunks { .. } => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |b| b.len() as u64))
            }
            Content::Chunks { .. } => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn chunks_are_made_one_by_one_and_arrive_whole() {
        let chunks = ["a", "b", "c"].map(|c| Bytes::from_static(c.as_bytes()));
        let body = Reply::chunks(chunks.into_iter());
        let all = body.collect().await.expect("cannot fail").to_bytes();
        assert_eq!(all, "abc");
    }

    #[test]
    fn a_whole_body_knows_its_length() {
        assert_eq!(Reply::whole("four").size_hint().exact(), Some(4));
        assert!(Reply::whole("").is_end_stream());
        assert_eq!(Reply::chunks(std::iter::empty()).size_hint().exact(), None);
    }
}
