//! The lobby: where connections wait that find no place inside. Only those who have made a whole request get a place that becomes free; all others
//! are told that there is no room, quickly.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{sleep, timeout};

use super::door::{Door, Place};
use super::heard::Heard;
use super::limits;

/// What they are told.
const NO_ROOM: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    content-type: text/plain; charset=utf-8\r\n\
    content-length: 22\r\n\
    retry-after: 1\r\n\
    connection: close\r\n\
    \r\n\
    Too many connections.\n";

/// Waits for a place for a client that speaks plain HTTP; sends it away if there is none.
pub(super) async fn admit<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    peer: IpAddr,
    door: &Arc<Door>,
) -> Option<(Place, Heard<S>)> {
    let read = hear_out(&mut stream, Vec::new()).await;
    if is_whole(&read)
        && let Some(place) = place(peer, door).await
    {
        return Some((place, Heard::new(read.into(), stream)));
    }
    tell(&mut stream).await;
    None
}

/// Waits for a place, as long as it takes to be allowed that of somebody who does not use it.
pub(super) async fn place(peer: IpAddr, door: &Arc<Door>) -> Option<Place> {
    let enter = async {
        loop {
            match door.enter(peer, Instant::now()) {
                Some(place) => return place,
                None => sleep(limits::TRY_AGAIN).await,
            }
        }
    };
    timeout(limits::PATIENCE_WHEN_FULL + limits::TRY_AGAIN, enter)
        .await
        .ok()
}

/// Sends away a client that had a place; `read` is what was read of its request.
pub(super) async fn send_away<S: AsyncRead + AsyncWrite + Unpin>(mut stream: S, read: Vec<u8>) {
    // Closing with unread bytes would reset the connection, and the client might lose the answer.
    hear_out(&mut stream, read).await;
    tell(&mut stream).await;
}

/// What a client says within [`limits::HEAR_OUT`], to the end of a request's head at most.
async fn hear_out<S: AsyncRead + Unpin>(stream: &mut S, mut read: Vec<u8>) -> Vec<u8> {
    let head = async {
        while !is_whole(&read) && read.len() < limits::MAX_HEADER_BYTES {
            if stream.read_buf(&mut read).await? == 0 {
                break;
            }
        }
        io::Result::Ok(())
    };
    let _ = timeout(limits::HEAR_OUT, head).await;
    read
}

/// Whether the client takes the answer does not matter: it leaves either way.
async fn tell<S: AsyncWrite + Unpin>(stream: &mut S) {
    let told = async {
        stream.write_all(NO_ROOM).await?;
        stream.shutdown().await
    };
    let _ = timeout(limits::HEAR_OUT, told).await;
}

fn is_whole(head: &[u8]) -> bool {
    head.windows(4).any(|four| four == b"\r\n\r\n")
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::io::duplex;

    use super::*;

    const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn full() -> (Arc<Door>, Vec<Place>) {
        let door = Arc::<Door>::default();
        let enter = || door.enter(PEER, Instant::now());
        let places = std::iter::from_fn(enter).collect();
        (door, places)
    }

    #[tokio::test]
    async fn a_client_that_asked_gets_the_place_of_one_that_does_not() {
        let (door, _places) = full();
        let (ours, mut theirs) = duplex(1024);
        theirs
            .write_all(b"GET / HTTP/1.1\r\n\r\n")
            .await
            .expect("room");
        let (_place, mut heard) = admit(ours, PEER, &door).await.expect("a place");
        let mut asked = [0; 18];
        heard.read_exact(&mut asked).await.expect("its request");
        assert_eq!(&asked, b"GET / HTTP/1.1\r\n\r\n");
    }

    #[tokio::test]
    async fn a_client_that_asked_while_all_are_busy_is_told_so() {
        let (door, places) = full();
        let _busy: Vec<_> = places.iter().map(|p| p.activity.answer()).collect();
        let (ours, mut theirs) = duplex(1024);
        theirs
            .write_all(b"GET / HTTP/1.1\r\n\r\n")
            .await
            .expect("room");
        assert!(admit(ours, PEER, &door).await.is_none());
        let mut told = String::new();
        theirs.read_to_string(&mut told).await.expect("text");
        assert!(told.starts_with("HTTP/1.1 503 "), "{told}");
        let body = told.split("\r\n\r\n").nth(1).expect("a body");
        assert!(told.contains(&format!("content-length: {}\r\n", body.len())));
    }

    #[tokio::test]
    async fn a_client_that_drips_is_sent_away_soon() {
        let (door, _places) = full();
        let (ours, mut theirs) = duplex(1024);
        theirs.write_all(b"GET / HT").await.expect("room");
        let began = Instant::now();
        assert!(admit(ours, PEER, &door).await.is_none());
        assert!(began.elapsed() < limits::HEAR_OUT * 2);
    }
}
