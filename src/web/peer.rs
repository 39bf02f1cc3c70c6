//! Who counts as one client: the unit of every share.

use std::net::{IpAddr, Ipv6Addr};

/// An IPv4 address, or a /64 network of IPv6, which is what one customer gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Peer(IpAddr);

impl From<IpAddr> for Peer {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
            v4 @ IpAddr::V4(_) => v4,
        })
    }
}

/// Of what peers hold, the peer that holds most, if that is so much more than `peer` holds that one
/// may change hands without turning their order round.
pub(super) fn greediest(held: impl Iterator<Item = Peer>, peer: Peer) -> Option<Peer> {
    let mut held: Vec<_> = held.collect();
    held.sort_unstable();
    let own = held.iter().filter(|other| **other == peer).count();
    let same = held.chunk_by(|a, b| a == b);
    let most = same.max_by_key(|same| same.len())?;
    (most.len() >= own + 2).then(|| most.first().copied())?
}

#[cfg(test)]
pub(super) mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    /// The `n`th of the loopback network.
    pub(in crate::web) fn peer(n: usize) -> Peer {
        let n = u32::try_from(n).expect("small");
        IpAddr::from(Ipv4Addr::from_bits(0x7f00_0000 + n)).into()
    }

    #[test]
    fn an_ipv6_network_and_a_mapped_ipv4_address_are_one_peer_each() {
        let parse = |text: &str| Peer::from(text.parse::<IpAddr>().expect("an address"));
        assert_eq!(parse("2001:db8::1"), parse("2001:db8::ffff:2"));
        assert_ne!(parse("2001:db8::1"), parse("2001:db8:0:1::1"));
        assert_eq!(parse("::ffff:192.0.2.1"), parse("192.0.2.1"));
    }

    #[test]
    fn the_greediest_holds_at_least_two_more() {
        let held = |counts: &[usize]| {
            let each = counts.iter().enumerate();
            let all = each.flat_map(|(n, count)| std::iter::repeat_n(peer(n), *count));
            greediest(all, peer(0))
        };
        assert_eq!(held(&[0, 2]), Some(peer(1)));
        assert_eq!(held(&[0, 2, 3]), Some(peer(2)));
        assert_eq!(held(&[1, 2]), None);
        assert_eq!(held(&[5, 2]), None);
        assert_eq!(held(&[]), None);
    }
}
