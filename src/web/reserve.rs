//! A file descriptor kept for the time when there are no more.

use std::fs::File;
use std::io;

use nix::errno::Errno;

/// What the system says when there are no more file descriptors: of this process, and of all.
const NO_MORE: [i32; 2] = [Errno::EMFILE as i32, Errno::ENFILE as i32];

/// A descriptor that is given up when a client could not be accepted otherwise.
#[derive(Debug, Default)]
pub(super) struct Reserve(Option<File>);

impl Reserve {
    /// Takes one again if it was given up; whether there is one now.
    pub(super) fn refill(&mut self) -> bool {
        if self.0.is_none() {
            self.0 = File::open("/dev/null").ok();
        }
        self.0.is_some()
    }

    /// Frees the descriptor; whether there was one.
    pub(super) fn give_up(&mut self) -> bool {
        self.0.take().is_some()
    }
}

/// Whether an error says that there are no more file descriptors.
pub(super) fn is_lack_of_descriptors(error: &io::Error) -> bool {
    error
        .raw_os_error()
        .is_some_and(|code| NO_MORE.contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptor_is_given_up_once_and_taken_again() {
        let mut reserve = Reserve::default();
        assert!(!reserve.give_up());
        assert!(reserve.refill() && reserve.refill());
        assert!(reserve.give_up() && !reserve.give_up());
    }

    #[test]
    fn lack_of_descriptors_is_told_from_other_errors() {
        for code in NO_MORE {
            assert!(is_lack_of_descriptors(&io::Error::from_raw_os_error(code)));
        }
        assert!(!is_lack_of_descriptors(
            &io::ErrorKind::ConnectionAborted.into()
        ));
    }
}
