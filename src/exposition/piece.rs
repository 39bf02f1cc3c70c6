//! A text that is written again and again.

/// The length of a block: enough for the name of any family, and for what most samples end with.
const BLOCK: usize = 64;

/// A text that is written again and again. A short one is a block, copied whole and cut to its length: to copy as much as the compiler knows takes no
/// call.
#[derive(Debug)]
pub(super) enum Piece {
    Short([u8; BLOCK], usize),
    Long(Box<[u8]>),
}

impl Piece {
    pub(super) fn new(text: impl AsRef<[u8]>) -> Self {
        let text = text.as_ref();
        let mut block = [0; BLOCK];
        match block.get_mut(..text.len()) {
            Some(start) => {
                start.copy_from_slice(text);
                Self::Short(block, text.len())
            }
            None => Self::Long(text.into()),
        }
    }

    /// Appends it.
    pub(super) fn push(&self, out: &mut Vec<u8>) {
        match self {
            Self::Short(block, len) => {
                let end = out.len() + len;
                out.extend_from_slice(block);
                out.truncate(end);
            }
            Self::Long(text) => out.extend_from_slice(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_of_any_length_is_appended_as_it_is() {
        for length in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 10 * BLOCK] {
            let text = "x".repeat(length);
            let mut out = b"before".to_vec();
            let piece = Piece::new(&text);
            piece.push(&mut out);
            piece.push(&mut out);
            assert_eq!(out, format!("before{text}{text}").into_bytes());
        }
    }
}
