//! Reads the files an operator names: regular files only, whole, and up to a limit. It never waits
//! for a writer, as a plain read of a FIFO does; what may hang all the same, such as a network
//! disk, runs on a [`Worker`](crate::threads::Worker).

use std::fs::{File, FileType, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::Duration;

use nix::fcntl::OFlag;

/// How long reading may take before it counts as failed: long for a slow disk, short for an
/// operator who waits.
pub const DEADLINE: Duration = Duration::from_secs(5);
/// A file that changes while it is read is read again so often before that is an error.
const ATTEMPTS: usize = 3;

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The system refused.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is something else than a regular file.
    #[error("{0}, not a regular file")]
    NotRegular(&'static str),
    /// It is larger than the limit, in bytes.
    #[error("larger than {0} bytes")]
    TooLarge(u64),
    /// It was written to while it was read, each time.
    #[error("changes while it is read")]
    Changing,
}

/// The content of a regular file of at most `limit` bytes, as it was at one moment. Symbolic links
/// are followed.
pub fn read(path: &Path, limit: u64) -> Result<Vec<u8>, ReadError> {
    for _ in 0..ATTEMPTS {
        if let Some(content) = read_once(path, limit)? {
            return Ok(content);
        }
    }
    Err(ReadError::Changing)
}

/// The same for text.
pub fn read_text(path: &Path, limit: u64) -> Result<String, ReadError> {
    let not_utf8 = |_| io::Error::new(io::ErrorKind::InvalidData, "not UTF-8");
    Ok(String::from_utf8(read(path, limit)?).map_err(not_utf8)?)
}

/// `None` if the file changed meanwhile.
fn read_once(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, ReadError> {
    // Looked at before it is opened, since opening a device can do something, and after, since it
    // may be replaced.
    check(&std::fs::metadata(path)?, limit)?;
    let file = open(path)?;
    let before = file.metadata()?;
    check(&before, limit)?;
    let mut content = Vec::new();
    (&file).take(limit + 1).read_to_end(&mut content)?;
    if content.len() as u64 > limit {
        return Err(ReadError::TooLarge(limit));
    }
    Ok(is_same(&before, &file.metadata()?).then_some(content))
}

/// Opens without waiting for anybody at the other end.
fn open(path: &Path) -> io::Result<File> {
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits())
        .open(path)
}

fn check(metadata: &Metadata, limit: u64) -> Result<(), ReadError> {
    if !metadata.is_file() {
        return Err(ReadError::NotRegular(kind(metadata.file_type())));
    }
    if metadata.len() > limit {
        return Err(ReadError::TooLarge(limit));
    }
    Ok(())
}

fn kind(file: FileType) -> &'static str {
    match file {
        _ if file.is_dir() => "a directory",
        _ if file.is_fifo() => "a FIFO",
        _ if file.is_socket() => "a socket",
        _ => "a device",
    }
}

fn is_same(before: &Metadata, after: &Metadata) -> bool {
    let version = |m: &Metadata| (m.len(), m.mtime(), m.mtime_nsec());
    version(before) == version(after)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::net::UnixListener;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    const LIMIT: u64 = 1 << 20;

    fn problem(path: &Path) -> String {
        read(path, LIMIT).expect_err("not read").to_string()
    }

    #[test]
    fn file_is_read_through_symbolic_links_up_to_the_limit() {
        let folder = tempfile::tempdir().expect("a folder");
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        std::os::unix::fs::symlink(&file, &link).expect("linked");
        let content = vec![b'x'; 1 << 20];
        std::fs::write(&file, &content).expect("written");
        assert_eq!(read(&link, LIMIT).expect("read"), content);
        std::fs::write(&file, [content, vec![b'x']].concat()).expect("written");
        assert_eq!(problem(&link), "larger than 1048576 bytes");
        std::fs::remove_file(&file).expect("removed");
        assert!(problem(&link).starts_with("No such file"));
    }

    #[test]
    fn whatever_is_not_a_regular_file_is_named_and_not_waited_for() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(problem(folder.path()), "a directory, not a regular file");
        for device in ["/dev/zero", "/dev/null"] {
            assert_eq!(problem(device.as_ref()), "a device, not a regular file");
        }
        let fifo = folder.path().join("fifo");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).expect("made");
        assert_eq!(problem(&fifo), "a FIFO, not a regular file");
        let socket = folder.path().join("socket");
        let _bound = UnixListener::bind(&socket).expect("bound");
        assert_eq!(problem(&socket), "a socket, not a regular file");
    }

    #[test]
    fn fifo_that_takes_the_place_of_a_file_does_not_block_the_opening() {
        let folder = tempfile::tempdir().expect("a folder");
        let fifo = folder.path().join("fifo");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).expect("made");
        let file = open(&fifo).expect("opened at once");
        let error = check(&file.metadata().expect("metadata"), LIMIT).expect_err("a FIFO");
        assert_eq!(error.to_string(), "a FIFO, not a regular file");
    }

    #[test]
    fn sparse_file_of_three_gigabytes_is_refused_unread() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        file.as_file().set_len(3 << 30).expect("sparse");
        assert_eq!(problem(file.path()), "larger than 1048576 bytes");
    }

    #[test]
    fn file_without_a_size_is_bounded_while_it_is_read() {
        // The kernel says that files of /proc have 0 bytes.
        let path = Path::new("/proc/self/maps");
        assert!(read(path, LIMIT).is_ok_and(|content| !content.is_empty()));
        let error = read(path, 16).expect_err("longer");
        assert_eq!(error.to_string(), "larger than 16 bytes");
    }

    #[test]
    fn file_that_is_replaced_while_it_is_read_is_read_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("file");
        let [old, new] = [b'o', b'n'].map(|byte| vec![byte; 300_000]);
        std::fs::write(&path, &old).expect("written");
        let stop = Arc::new(AtomicBool::new(false));
        let replacing = std::thread::spawn({
            let (path, stop, old) = (path.clone(), Arc::clone(&stop), old.clone());
            move || {
                let other = path.with_extension("new");
                let both = [new, old];
                for content in both.iter().cycle() {
                    std::fs::write(&other, content).expect("written");
                    std::fs::rename(&other, &path).expect("renamed");
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                }
            }
        });
        for _ in 0..50 {
            let content = read(&path, LIMIT).expect("read");
            assert_eq!(content.len(), old.len());
            assert!(content.iter().all(|byte| *byte == content[0]));
        }
        stop.store(true, Ordering::Relaxed);
        replacing.join().expect("ended");
    }

    #[test]
    fn file_that_differs_after_it_was_read_is_not_the_same() {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        let before = file.as_file().metadata().expect("metadata");
        assert!(is_same(
            &before,
            &file.as_file().metadata().expect("metadata")
        ));
        file.write_all(b"more").expect("written");
        assert!(!is_same(
            &before,
            &file.as_file().metadata().expect("metadata")
        ));
    }
}
