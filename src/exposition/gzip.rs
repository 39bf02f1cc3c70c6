//! Chunks, compressed as they come.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::preference::{Preference, preferences};

/// Compressed output is handed on when it is this long: about three chunks of input, so that no step takes long.
const CHUNK: usize = 8 * 1024;

/// Whether an `Accept-Encoding` header takes gzip at least as gladly as plain bytes.
pub fn accepts_gzip(accept_encoding: Option<&str>) -> bool {
    let header = accept_encoding.unwrap_or_default();
    let gzip = preference(header, &["gzip", "x-gzip"]).quality;
    let identity = preference(header, &["identity"]);
    let plain = if identity.specific == NAMED {
        identity.quality
    } else {
        0
    };
    gzip > 0 && gzip >= plain
}

/// [`Preference::specific`] of a coding that is named, not covered by `*`.
const NAMED: u8 = 2;

fn preference(header: &str, codings: &[&str]) -> Preference {
    let fitting = preferences(header).filter_map(|(member, quality)| {
        let coding = member.split(';').next().unwrap_or_default().trim();
        let named = codings.iter().any(|c| coding.eq_ignore_ascii_case(c));
        let specific = if named {
            NAMED
        } else {
            u8::from(coding == "*")
        };
        (specific > 0).then_some(Preference { specific, quality })
    });
    fitting.max().unwrap_or_default()
}

/// The same bytes as one gzip stream.
pub fn gzip<C: Iterator<Item = Bytes>>(chunks: C) -> Gzip<C> {
    Gzip {
        chunks,
        encoder: Some(GzEncoder::new(Vec::new(), Compression::fast())),
    }
}

/// See [`gzip`].
pub struct Gzip<C> {
    chunks: C,
    encoder: Option<GzEncoder<Vec<u8>>>,
}

impl<C: Iterator<Item = Bytes>> Iterator for Gzip<C> {
    type Item = Bytes;

    /// Writing to memory cannot fail; if it did, the stream would end without its trailer, which a reader notices.
    fn next(&mut self) -> Option<Bytes> {
        let mut encoder = self.encoder.take()?;
        for chunk in self.chunks.by_ref() {
            encoder.write_all(&chunk).ok()?;
            if encoder.get_ref().len() >= CHUNK {
                let full = std::mem::take(encoder.get_mut());
                self.encoder = Some(encoder);
                return Some(Bytes::from(full));
            }
        }
        encoder.finish().ok().map(Bytes::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn a_client_that_asks_for_gzip_gets_it() {
        for header in [
            "gzip",
            "GZIP",
            "x-gzip",
            "gzip, deflate, br",
            "gzip;q=0.1",
            "*",
            "deflate;q=1, gzip;q=0.5",
            "*;q=0.5, identity;q=0.5",
        ] {
            assert!(accepts_gzip(Some(header)), "{header}");
        }
    }

    #[test]
    fn a_client_that_does_not_gets_plain_bytes() {
        assert!(!accepts_gzip(None));
        for header in [
            "",
            "identity",
            "deflate",
            "gzip;q=0",
            "gzip;q=0.000, *",
            "*;q=0",
            "gzip;q=0.5, identity",
            "gzipped",
            "gzip;q=x",
        ] {
            assert!(!accepts_gzip(Some(header)), "{header}");
        }
    }

    #[test]
    fn the_stream_unpacks_to_the_same_bytes() {
        let chunks: Vec<Bytes> = (0..400_u32)
            .map(|i| Bytes::from(format!("{:x}\n", i.wrapping_mul(2_654_435_761)).repeat(200)))
            .collect();
        let packed: Vec<Bytes> = gzip(chunks.clone().into_iter()).collect();
        assert!(packed.len() > 1);
        let mut unpacked = Vec::new();
        let packed = packed.concat();
        let mut reader = flate2::read::GzDecoder::new(packed.as_slice());
        reader.read_to_end(&mut unpacked).expect("a whole stream");
        assert_eq!(unpacked, chunks.concat());
    }

    #[test]
    fn nothing_is_still_a_stream() {
        let packed: Vec<Bytes> = gzip(std::iter::empty()).collect();
        let packed = packed.concat();
        let mut reader = flate2::read::GzDecoder::new(packed.as_slice());
        assert_eq!(reader.read(&mut [0]).expect("a whole stream"), 0);
    }
}
