//! Output: standard output, and files that appear whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags};
use rustix::io::Errno;

use crate::fault::Fault;
use crate::input;

/// What happens to a file that is already there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Existing {
    Refuse,
    Replace,
}

/// Who may read a new file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readers {
    /// 0600: it holds a private key.
    Owner,
    /// 0644, less what the umask takes.
    Everyone,
    /// 0644 whatever the umask says: it is there to be published.
    Published,
}

impl Readers {
    const fn mode(self) -> u32 {
        match self {
            Self::Owner => 0o600,
            Self::Everyone | Self::Published => 0o644,
        }
    }
}

/// Writes to standard output. A reader that has gone away is no fault.
pub(crate) fn print(octets: &[u8]) -> Result<(), Fault> {
    let mut out = io::stdout().lock();
    match out.write_all(octets).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Fault::unusable(
            format!("cannot write to standard output: {}", input::reason(&error)),
            "make room, or name a file with --out",
        )),
        _ => Ok(()),
    }
}

/// A line on standard error for people.
pub(crate) fn note(text: &str) {
    eprintln!("{}", crate::table::printable(text));
}

/// A file that is written under a temporary name beside its target and then takes the target's name.
///
/// Room for it is taken before the act whose answer it holds, so that a full disk stops the act instead of losing
/// the answer.
#[derive(Debug)]
pub(crate) struct StagedFile {
    file: File,
    /// Empty where the target is no regular file and is written directly.
    temporary: PathBuf,
    target: PathBuf,
    existing: Existing,
    readers: Readers,
}

impl StagedFile {
    /// Refuses a target that exists and must not be replaced: called before anything is signed.
    pub(crate) fn check(target: &Path, existing: Existing) -> Result<(), Fault> {
        match fs::symlink_metadata(target) {
            Ok(metadata) if metadata.is_dir() => {
                Err(Fault::usage(format!("{} is a directory", input::name(target)), "name a file with --out"))
            }
            Ok(metadata) if metadata.is_file() || metadata.is_symlink() => match existing {
                // A link to a device, such as /dev/stdout, is written, not replaced.
                _ if is_device(target) => Ok(()),
                Existing::Replace => Ok(()),
                Existing::Refuse => Err(exists(target)),
            },
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => match target.parent() {
                Some(parent) if !parent.as_os_str().is_empty() && !parent.is_dir() => Err(Fault::usage(
                    format!("there is no directory {}", input::name(parent)),
                    "create it, or name another file with --out",
                )),
                _ => Ok(()),
            },
            Err(error) => Err(unwritable(target, &error)),
        }
    }

    /// Takes room for `length` octets beside `target`.
    pub(crate) fn reserve(
        target: &Path,
        length: usize,
        readers: Readers,
        existing: Existing,
    ) -> Result<Self, Fault> {
        Self::check(target, existing)?;
        if is_device(target) {
            let file =
                OpenOptions::new().write(true).open(target).map_err(|error| unwritable(target, &error))?;
            return Ok(Self {
                file,
                temporary: PathBuf::new(),
                target: target.to_owned(),
                existing,
                readers,
            });
        }
        // A symbolic link keeps pointing where it does; what it points to is replaced.
        let target = match existing {
            Existing::Replace => fs::canonicalize(target).unwrap_or_else(|_| target.to_owned()),
            Existing::Refuse => target.to_owned(),
        };
        let temporary = temporary_name(&target)?;
        let file = create_new(&temporary, readers).map_err(|error| unwritable(&target, &error))?;
        let staged = Self { file, temporary, target, existing, readers };
        fill(&staged.file, length).map_err(|error| unwritable(&staged.target, &error))?;
        Ok(staged)
    }

    /// Writes the contents and gives the file its name.
    pub(crate) fn publish(mut self, contents: &[u8]) -> Result<(), Fault> {
        let result = self.write(contents).and_then(|()| {
            if self.temporary.as_os_str().is_empty() {
                return Ok(());
            }
            match self.existing {
                Existing::Replace => fs::rename(&self.temporary, &self.target),
                Existing::Refuse => rename_new(&self.temporary, &self.target),
            }?;
            self.temporary = PathBuf::new();
            Ok(())
        });
        match result {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(exists(&self.target)),
            Err(error) => Err(unwritable(&self.target, &error)),
        }
    }

    fn write(&self, contents: &[u8]) -> io::Result<()> {
        if self.temporary.as_os_str().is_empty() {
            return (&self.file).write_all(contents);
        }
        overwrite(&self.file, contents)?;
        if self.readers == Readers::Published {
            self.file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
        }
        self.file.sync_data()
    }
}

impl Drop for StagedFile {
    fn drop(&mut self) {
        if !self.temporary.as_os_str().is_empty() {
            // Nothing is lost with a file that never got its name, and there is nobody left to tell.
            let _ = fs::remove_file(&self.temporary);
        }
    }
}

/// Writes a whole file at once, where nothing was signed for it.
pub(crate) fn write_file(
    target: &Path,
    contents: &[u8],
    readers: Readers,
    existing: Existing,
) -> Result<(), Fault> {
    StagedFile::reserve(target, contents.len(), readers, existing)?.publish(contents)
}

/// Creates a file that nobody else has, with its final mode from the first moment on.
pub(crate) fn create_new(path: &Path, readers: Readers) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(readers.mode()).open(path)
}

/// Takes `length` octets of room.
pub(crate) fn fill(mut file: &File, length: usize) -> io::Result<()> {
    file.write_all(&vec![b'\n'; length])
}

/// Puts `contents` into the room that was taken.
pub(crate) fn overwrite(mut file: &File, contents: &[u8]) -> io::Result<()> {
    use std::io::Seek;
    file.seek(io::SeekFrom::Start(0))?;
    file.write_all(contents)?;
    file.set_len(contents.len() as u64)
}

/// Renames, unless the new name is taken.
pub(crate) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Some file systems cannot; a hard link refuses a taken name too.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            fs::hard_link(from, to)?;
            fs::remove_file(from)
        }
        result => Ok(result?),
    }
}

/// A name in the same directory that nobody guesses and no program reads.
pub(crate) fn temporary_name(target: &Path) -> Result<PathBuf, Fault> {
    let mut octets = [0_u8; 8];
    getrandom::fill(&mut octets)
        .map_err(|_| Fault::unusable("the system's source of randomness failed", "try again"))?;
    let mut name = OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(format!(".{:016x}", u64::from_be_bytes(octets)));
    Ok(target.with_file_name(name))
}

/// The directory that holds `path`.
pub(crate) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

pub(crate) fn exists(target: &Path) -> Fault {
    Fault::usage(
        format!("{} exists and is not replaced", input::name(target)),
        "name another with --out, or replace it with --force",
    )
}

pub(crate) fn unwritable(target: &Path, error: &io::Error) -> Fault {
    Fault::unusable(
        format!("cannot write {}: {}", input::name(target), input::reason(error)),
        "make room or get access there, or name another place with --out",
    )
}

fn is_device(target: &Path) -> bool {
    fs::metadata(target).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Exit;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_that_exists_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.pem");
        write_file(&path, b"one", Readers::Everyone, Existing::Refuse).unwrap();
        let fault = write_file(&path, b"two", Readers::Everyone, Existing::Refuse).unwrap_err();
        assert_eq!(fault.exit(), Exit::Usage);
        assert_eq!(fs::read(&path).unwrap(), b"one");
        write_file(&path, b"three", Readers::Everyone, Existing::Replace).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"three");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_appears_meanwhile_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.pem");
        let staged = StagedFile::reserve(&path, 3, Readers::Owner, Existing::Refuse).unwrap();
        fs::write(&path, b"theirs").unwrap();
        assert_eq!(staged.publish(b"one").unwrap_err().exit(), Exit::Usage);
        assert_eq!(fs::read(&path).unwrap(), b"theirs");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_staged_file_that_is_given_up_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.pem");
        drop(StagedFile::reserve(&path, 3, Readers::Owner, Existing::Refuse).unwrap());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_key_is_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key.pem");
        write_file(&path, b"k", Readers::Owner, Existing::Refuse).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_full_device_is_a_fault_of_the_disk() {
        let fault =
            write_file(Path::new("/dev/full"), b"x", Readers::Everyone, Existing::Refuse).unwrap_err();
        assert_eq!(fault.exit(), Exit::Unusable);
    }

    #[test]
    fn a_link_keeps_pointing() {
        let dir = tempfile::tempdir().unwrap();
        let (real, link) = (dir.path().join("real"), dir.path().join("link"));
        fs::write(&real, b"old").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        assert!(write_file(&link, b"new", Readers::Everyone, Existing::Refuse).is_err());
        write_file(&link, b"new", Readers::Everyone, Existing::Replace).unwrap();
        assert_eq!(fs::read(&real).unwrap(), b"new");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }
}
