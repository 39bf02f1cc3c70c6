//! Bound sockets: bound first, served later, so that a port in use is an error at the start.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

use tokio::net::{TcpListener, TcpSocket};

use super::limits;

/// A socket that listens.
#[derive(Debug)]
pub struct Listener(pub(super) TcpListener);

impl Listener {
    /// Binds an address as Prometheus's exporters write it: `HOST:PORT`, or `:PORT` for every address of the machine. Call it within the runtime.
    pub fn bind(address: &str) -> io::Result<Self> {
        let named = |e: io::Error| io::Error::new(e.kind(), format!("{address}: {e}"));
        match address.strip_prefix(':') {
            Some(port) => Self::everywhere(port),
            None => Self::named(address),
        }
        .map_err(named)
    }

    /// Takes a socket that somebody else bound, such as systemd. Call it within the runtime.
    pub fn from_std(listener: std::net::TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        TcpListener::from_std(listener).map(Self)
    }

    /// The address it is bound to.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// The first address of a name, IPv4 first: `localhost` is 127.0.0.1, as it is to other exporters.
    fn named(address: &str) -> io::Result<Self> {
        let (v4, v6): (Vec<_>, Vec<_>) = address.to_socket_addrs()?.partition(SocketAddr::is_ipv4);
        Self::first_of(v4.into_iter().chain(v6))
    }

    /// IPv6 with IPv4 in it; IPv4 alone where the kernel has no IPv6.
    fn everywhere(port: &str) -> io::Result<Self> {
        let wrong = |_| io::Error::new(io::ErrorKind::InvalidInput, "the port is not a number");
        let port: u16 = port.parse().map_err(wrong)?;
        Self::first_of([
            SocketAddr::from(([0_u16; 8], port)),
            SocketAddr::from(([0_u8; 4], port)),
        ])
    }

    /// The first of a name's addresses that can be bound; the error of the first if none can.
    fn first_of(addresses: impl IntoIterator<Item = SocketAddr>) -> io::Result<Self> {
        let mut first_error = None;
        for address in addresses {
            match Self::listen(address) {
                Ok(listener) => return Ok(listener),
                Err(e) if e.kind() == io::ErrorKind::AddrInUse => return Err(e),
                Err(e) => first_error = first_error.or(Some(e)),
            }
        }
        Err(first_error.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into()))
    }

    fn listen(address: SocketAddr) -> io::Result<Self> {
        let socket = match address {
            SocketAddr::V4(_) => TcpSocket::new_v4(),
            SocketAddr::V6(_) => TcpSocket::new_v6(),
        }?;
        // A restart must not wait for connections of the last run to leave TIME_WAIT.
        socket.set_reuseaddr(true)?;
        // Connections inherit it.
        socket.set_send_buffer_size(limits::SEND_BUFFER)?;
        socket.bind(address)?;
        socket.listen(limits::BACKLOG).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_alone_is_every_address() {
        let listener = Listener::bind(":0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        assert!(address.ip().is_unspecified());
    }

    #[tokio::test]
    async fn a_port_in_use_is_an_error_that_names_the_address() {
        let first = Listener::bind("127.0.0.1:0").expect("a free port");
        let address = first.local_addr().expect("an address").to_string();
        let error = Listener::bind(&address).expect_err("in use");
        assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
        assert!(error.to_string().starts_with(&address), "{error}");
    }

    #[tokio::test]
    async fn what_is_no_address_is_an_error() {
        for text in ["", ":", ":http", "10065", "127.0.0.1", "127.0.0.1:99999"] {
            assert!(Listener::bind(text).is_err(), "{text}");
        }
    }
}
