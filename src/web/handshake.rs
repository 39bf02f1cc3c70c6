//! The beginning of a TLS connection.

use std::io;
use std::sync::Arc;

use rustls::ServerConfig;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::limits;

/// The first byte of every TLS connection: a handshake record.
const HANDSHAKE: u8 = 0x16;

/// What a client is told that speaks plain HTTP here; Go's servers say the same.
const SPEAK_TLS: &[u8] =
    b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";

/// Shakes hands within [`limits::TLS_HANDSHAKE`].
pub(super) async fn shake(
    stream: TcpStream,
    config: Arc<ServerConfig>,
) -> Option<TlsStream<TcpStream>> {
    let shaken = timeout(limits::TLS_HANDSHAKE, try_shake(stream, config)).await;
    match shaken.ok()? {
        Ok(stream) => Some(stream),
        Err(error) => {
            tracing::debug!(%error, "a TLS handshake failed");
            None
        }
    }
}

async fn try_shake(
    mut stream: TcpStream,
    config: Arc<ServerConfig>,
) -> io::Result<TlsStream<TcpStream>> {
    let mut first = [0];
    stream.peek(&mut first).await?;
    if first != [HANDSHAKE] {
        stream.write_all(SPEAK_TLS).await?;
        stream.shutdown().await?;
        return Err(io::Error::other("no TLS"));
    }
    TlsAcceptor::from(config).accept(stream).await
}
