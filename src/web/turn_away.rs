//! Connections there is no room for: they are told so, quickly, and closed.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::limits;

/// What they are told.
const NO_ROOM: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    content-type: text/plain; charset=utf-8\r\n\
    content-length: 22\r\n\
    retry-after: 1\r\n\
    connection: close\r\n\
    \r\n\
    Too many connections.\n";

/// Tells a client that there is no room, within [`limits::TURN_AWAY`]. `read` is what was read of its request already.
pub(super) async fn turn_away<S: AsyncRead + AsyncWrite + Unpin>(stream: S, read: Vec<u8>) {
    // Whether it went well does not matter: the client leaves either way.
    let _ = timeout(limits::TURN_AWAY, tell(stream, read)).await;
}

/// The request is read before it is answered: closing with unread bytes would reset the connection, and the client might lose the answer.
async fn tell<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    mut read: Vec<u8>,
) -> io::Result<()> {
    while !is_whole(&read) && read.len() < limits::MAX_HEADER_BYTES {
        if stream.read_buf(&mut read).await? == 0 {
            return Ok(());
        }
    }
    stream.write_all(NO_ROOM).await?;
    stream.shutdown().await
}

fn is_whole(head: &[u8]) -> bool {
    head.windows(4).any(|four| four == b"\r\n\r\n")
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;

    use super::*;

    #[tokio::test]
    async fn a_client_that_asked_gets_its_answer() {
        let (ours, mut theirs) = duplex(1024);
        theirs.write_all(b"/ HTTP/1.1\r\n\r\n").await.expect("room");
        turn_away(ours, b"GET ".to_vec()).await;
        let mut told = String::new();
        theirs.read_to_string(&mut told).await.expect("text");
        assert!(told.starts_with("HTTP/1.1 503 "), "{told}");
        let body = told.split("\r\n\r\n").nth(1).expect("a body");
        assert!(told.contains(&format!("content-length: {}\r\n", body.len())));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_drips_is_not_waited_for() {
        let (ours, mut theirs) = duplex(1024);
        theirs.write_all(b"GET / HT").await.expect("room");
        let began = tokio::time::Instant::now();
        turn_away(ours, Vec::new()).await;
        assert_eq!(began.elapsed().as_millis(), limits::TURN_AWAY.as_millis());
    }
}
