//! The peer of a scrape over a socket: a server that holds the same bytes ready, and copies and sends them in the same chunks.

use std::convert::Infallible;
use std::path::Path;

use bytes::Bytes;
use cloudtrail_exporter::exposition::CHUNK;
use futures_util::stream::{self, Stream};
use http::Response;
use http_body_util::StreamBody;
use hyper::body::Frame;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// Serves a file to whoever asks for anything, until the process is ended. Prints its address.
pub(crate) async fn serve(path: &Path) {
    let held = Bytes::from(std::fs::read(path).expect("a file"));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    println!("http://{}", listener.local_addr().expect("an address"));
    while let Ok((socket, _)) = listener.accept().await {
        let held = held.clone();
        let answer = service_fn(move |_| {
            let held = held.clone();
            async move { Ok::<_, Infallible>(Response::new(copied(held))) }
        });
        tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), answer));
    }
}

fn copied(held: Bytes) -> StreamBody<impl Stream<Item = Result<Frame<Bytes>, Infallible>>> {
    let starts = (0..held.len()).step_by(CHUNK);
    let chunks = starts.map(move |start| {
        let end = held.len().min(start + CHUNK);
        let chunk = held.get(start..end).unwrap_or_default();
        Ok(Frame::data(Bytes::copy_from_slice(chunk)))
    });
    StreamBody::new(stream::iter(chunks))
}
