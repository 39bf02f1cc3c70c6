//! What one client, and all clients together, may cost us.

use std::time::Duration;

/// A request's head must arrive within this time; also how long a connection may stay idle. Long for a real client on a bad link, short for one
/// that drips.
pub const HEADER_READ: Duration = Duration::from_secs(5);
/// A TLS handshake must be done within this time.
pub const TLS_HANDSHAKE: Duration = Duration::from_secs(5);
/// An answer must be taken within this time: three times Prometheus's default scrape timeout.
pub const RESPONSE_WRITE: Duration = Duration::from_secs(30);
/// Bytes of a request's head. Go's default is 1 MiB; no scraper sends 2 KiB.
pub const MAX_HEADER_BYTES: usize = 16 * 1024;
/// Header fields of a request. Browsers send about 20.
pub const MAX_HEADERS: usize = 64;
/// Connections at once, where there are file descriptors enough: far below the usual limit of 1024,
/// which AWS connections share.
pub const MAX_CONNECTIONS: usize = 256;
/// Connections at once from one address (IPv6: from one /64 network), so that one client cannot have them all.
pub const MAX_CONNECTIONS_PER_PEER: usize = 32;
/// A connection that has not sent a request, or has taken nothing of its answer, for this long
/// makes room for a new one when there is none left.
pub const PATIENCE_WHEN_FULL: Duration = Duration::from_millis(250);
/// Connections at once that wait for a place.
pub const MAX_LOBBY: usize = 256;
/// How long one of them may take to make its request. With [`MAX_LOBBY`] this lets hundreds a second through, even if none of them ever does.
pub const HEAR_OUT: Duration = Duration::from_millis(200);
/// How soon it is looked again whether there is a place.
pub const TRY_AGAIN: Duration = Duration::from_millis(20);
/// Logins of one peer that may wait to be checked.
pub const MAX_LOGINS_PER_PEER: usize = 16;
/// Logins in all that may wait to be checked.
pub const MAX_LOGINS: usize = 128;
/// How long a login may wait: as long as Prometheus waits by default.
pub const LOGIN_WAIT: Duration = Duration::from_secs(10);
/// Answers rendered at once, unless `--web.max-requests` says otherwise.
pub const MAX_RENDERS: usize = 16;
/// A reader that has taken nothing for this long gives its place among the answers rendered to
/// others, and gets one again when it reads on: it costs a buffer, not time. Also how soon it is
/// looked again for one.
pub const RENDER_STALL: Duration = Duration::from_millis(20);
/// How long answers in flight may take to end after shutdown began; leaves half a second of the three that shutdown may take.
pub const DRAIN: Duration = Duration::from_millis(2500);
/// How long a connection without a request is waited for after shutdown began: its request may be under way.
pub const DRAIN_IDLE: Duration = Duration::from_millis(300);
/// How long a client waits for a reload to end.
pub const RELOAD: Duration = Duration::from_secs(30);
/// Connections that the kernel holds until we accept them: a burst of scrapes fits.
pub const BACKLOG: u32 = 1024;
/// How often it is looked whether the web configuration or a certificate changed.
pub const FOLLOW_FILE: Duration = Duration::from_secs(1);
/// What the kernel holds for a reader that does not read; its own choice would grow to megabytes. Fills 10 MB/s at 50 ms of distance.
pub const SEND_BUFFER: u32 = 256 * 1024;
