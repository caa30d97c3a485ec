//! The set of files of one certificate in a directory.
//!
//! The key and room for the rest are on the disk before the certificate is recorded: a full disk stops the
//! command instead of losing the key. A set that replaces another is built beside it, and the two directories
//! change places in one step, so that no reader ever finds a new key beside an old certificate.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags};
use rustix::io::Errno;

use crate::fault::Fault;
use crate::input;
use crate::layout::SetFile;
use crate::output::{self, Readers};

/// What happens to a set that is already there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Swap {
    Refuse,
    Replace,
}

/// The contents of a set. Without `Debug`: they include a private key.
pub(crate) struct CertificateSet {
    /// Every name that such a set may have.
    pub(crate) names: &'static [&'static str],
    /// Those that it has, in the order in which they get their names.
    pub(crate) files: Vec<SetFile>,
}

/// Refuses a directory whose set must not be replaced: called before anything is signed.
pub(crate) fn check(directory: &Path, names: &[&str], swap: Swap) -> Result<(), Fault> {
    let metadata = match fs::metadata(directory) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(output::unwritable(directory, &error)),
    };
    if !metadata.is_dir() {
        return Err(Fault::usage(
            format!("{} is not a directory", input::name(directory)),
            "name a directory with --out DIR/",
        ));
    }
    match swap {
        Swap::Refuse => {
            match names.iter().map(|name| directory.join(name)).find(|path| path.symlink_metadata().is_ok()) {
                Some(path) => Err(Fault::usage(
                    format!("{} exists and is not replaced", input::name(&path)),
                    "name another directory with --out, or swap the whole set with --replace",
                )),
                None => Ok(()),
            }
        }
        // What else lies in the directory moves along; a directory in it could not do so in one step.
        Swap::Replace => {
            let entries = fs::read_dir(directory).map_err(|error| output::unwritable(directory, &error))?;
            for entry in entries {
                let entry = entry.map_err(|error| output::unwritable(directory, &error))?;
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    return Err(Fault::usage(
                        format!(
                            "{} holds the directory {:?}, so the set cannot be swapped in one step",
                            input::name(directory),
                            entry.file_name().display().to_string()
                        ),
                        "give the set a directory of its own with --out",
                    ));
                }
            }
            Ok(())
        }
    }
}

/// A set whose key is on the disk, under a name that nobody reads, with room for the rest.
pub(crate) struct StagedSet {
    /// Removed on drop, whatever is in it.
    staging: PathBuf,
    target: PathBuf,
    /// The files without a secret: they get their contents last.
    public: Vec<(SetFile, File)>,
    /// The names of the files with one.
    secret: Vec<&'static str>,
    names: &'static [&'static str],
    /// The directory exists: its files, or all of it, are replaced.
    existing: Option<Swap>,
}

impl StagedSet {
    /// Writes the key and takes room for the rest.
    pub(crate) fn reserve(directory: &Path, set: CertificateSet, swap: Swap) -> Result<Self, Fault> {
        check(directory, set.names, swap)?;
        let existing = directory.is_dir().then_some(swap);
        // Through a link, so that what it points to is swapped and the link stays.
        let target = match existing {
            Some(_) => fs::canonicalize(directory).map_err(|error| output::unwritable(directory, &error))?,
            None => strip_slash(directory),
        };
        let staging = match existing {
            Some(Swap::Refuse) => output::temporary_name(&target.join("set"))?,
            Some(Swap::Replace) | None => {
                let parent = output::parent(&target);
                fs::create_dir_all(parent).map_err(|error| output::unwritable(parent, &error))?;
                output::temporary_name(&target)?
            }
        };
        fs::DirBuilder::new()
            .mode(0o755)
            .create(&staging)
            .map_err(|error| output::unwritable(&target, &error))?;
        let mut staged =
            Self { staging, target, public: Vec::new(), secret: Vec::new(), names: set.names, existing };
        staged.fill(set.files).map_err(|error| output::unwritable(directory, &error))?;
        Ok(staged)
    }

    fn fill(&mut self, files: Vec<SetFile>) -> io::Result<()> {
        for one in files {
            let mut file = output::create_new(&self.staging.join(one.name), one.readers)?;
            if one.readers == Readers::Owner {
                file.write_all(&one.contents)?;
                file.sync_all()?;
                self.secret.push(one.name);
            } else {
                output::fill(&file, one.contents.len())?;
                self.public.push((one, file));
            }
        }
        Ok(())
    }

    /// Writes the certificates and gives the set its place.
    pub(crate) fn publish(self) -> Result<(), Fault> {
        self.place().map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => output::exists(&self.target),
            _ => output::unwritable(&self.target, &error),
        })
    }

    fn place(&self) -> io::Result<()> {
        for (one, file) in &self.public {
            output::overwrite(file, &one.contents)?;
            file.sync_data()?;
        }
        match self.existing {
            None => {
                output::rename_new(&self.staging, &self.target)?;
            }
            Some(Swap::Refuse) => {
                for name in self.secret.iter().chain(self.public.iter().map(|(one, _)| &one.name)) {
                    output::rename_new(&self.staging.join(name), &self.target.join(name))?;
                }
            }
            Some(Swap::Replace) => {
                self.carry_over()?;
                exchange(&self.staging, &self.target)?;
            }
        }
        sync_directory(output::parent(&self.target))
    }

    /// Takes along what else lies in the directory, its mode and its owners.
    fn carry_over(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.target)? {
            let entry = entry?;
            let new = self.staging.join(entry.file_name());
            let name = entry.file_name();
            if self.names.iter().any(|known| name == *known) {
                let old = entry.metadata()?;
                if new.is_file() && old.is_file() {
                    keep_owner(&new, &old);
                }
                continue;
            }
            fs::hard_link(entry.path(), new)?;
        }
        let old = fs::metadata(&self.target)?;
        fs::set_permissions(&self.staging, old.permissions())?;
        keep_owner(&self.staging, &old);
        Ok(())
    }
}

impl Drop for StagedSet {
    fn drop(&mut self) {
        // Either what was never published, or, after an exchange, the old set; or nothing.
        let _ = fs::remove_dir_all(&self.staging);
    }
}

/// Two directories change places.
fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    match rustix::fs::renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            Err(io::Error::other("its file system cannot swap two directories in one step"))
        }
        Err(Errno::BUSY) => Err(io::Error::other("it is a mount point, which cannot be swapped in one step")),
        result => Ok(result?),
    }
}

/// A service that owns its files goes on owning them. Without the right to give files away they stay ours.
fn keep_owner(path: &Path, old: &fs::Metadata) {
    if let Ok(new) = fs::metadata(path)
        && (new.uid(), new.gid()) != (old.uid(), old.gid())
    {
        let _ = std::os::unix::fs::chown(path, Some(old.uid()), Some(old.gid()));
    }
}

fn sync_directory(directory: &Path) -> io::Result<()> {
    match File::open(directory).and_then(|directory| directory.sync_all()) {
        // Some file systems have nothing to synchronise in a directory.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        result => result,
    }
}

/// `tls/` and `tls` are one directory; the last name of the path is what is created.
fn strip_slash(path: &Path) -> PathBuf {
    path.components().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Exit;
    use crate::layout::Layout;
    use std::os::unix::fs::PermissionsExt;

    const CERTIFICATE: &str = "cert.pem";
    const KEY: &str = "key.pem";
    const CHAIN: &str = "chain.pem";
    const FULL_CHAIN: &str = "fullchain.pem";

    fn set(text: &str) -> CertificateSet {
        let file = |name, contents: String, readers| SetFile {
            name,
            contents: zeroize::Zeroizing::new(contents.into_bytes()),
            readers,
        };
        CertificateSet {
            names: Layout::Plain.names(),
            files: vec![
                file(KEY, format!("{text} key\n"), Readers::Owner),
                file(CHAIN, format!("{text} chain\n"), Readers::Everyone),
                file(FULL_CHAIN, format!("{text} certificate\n{text} chain\n"), Readers::Everyone),
                file(CERTIFICATE, format!("{text} certificate\n"), Readers::Everyone),
            ],
        }
    }

    fn without_chain(text: &str) -> CertificateSet {
        let mut set = set(text);
        set.files.retain(|file| file.name != CHAIN);
        set
    }

    fn read(directory: &Path, name: &str) -> String {
        fs::read_to_string(directory.join(name)).unwrap()
    }

    fn write(directory: &Path, text: &str, swap: Swap) -> Result<(), Fault> {
        StagedSet::reserve(directory, set(text), swap)?.publish()
    }

    #[test]
    fn a_set_is_written_into_a_new_directory_or_one_that_exists() {
        let dir = tempfile::tempdir().unwrap();
        let existing = dir.path().join("existing");
        fs::create_dir(&existing).unwrap();
        fs::write(existing.join("other"), b"other").unwrap();
        for directory in [&dir.path().join("a/b/new/"), &existing] {
            write(directory, "one", Swap::Refuse).unwrap();
            assert_eq!(read(directory, CERTIFICATE), "one certificate\n");
            assert_eq!(read(directory, FULL_CHAIN), "one certificate\none chain\n");
            let mode = fs::metadata(directory.join(KEY)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert_eq!(fs::read_dir(&existing).unwrap().count(), 5);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[test]
    fn one_file_of_a_set_is_enough_to_refuse() {
        for name in Layout::Plain.names() {
            let dir = tempfile::tempdir().unwrap();
            fs::write(dir.path().join(name), b"theirs").unwrap();
            let fault = write(dir.path(), "one", Swap::Refuse).unwrap_err();
            assert_eq!(fault.exit(), Exit::Usage);
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn replacing_swaps_the_set_and_keeps_the_rest() {
        let dir = tempfile::tempdir().unwrap();
        let directory = dir.path().join("tls");
        write(&directory, "one", Swap::Replace).unwrap();
        fs::write(directory.join("dh.pem"), b"dh").unwrap();
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o750)).unwrap();
        StagedSet::reserve(&directory, without_chain("two"), Swap::Replace).unwrap().publish().unwrap();
        assert_eq!(read(&directory, KEY), "two key\n");
        assert_eq!(read(&directory, "dh.pem"), "dh");
        assert!(!directory.join(CHAIN).exists(), "the old chain is gone with its set");
        assert_eq!(fs::metadata(&directory).unwrap().permissions().mode() & 0o777, 0o750);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_linked_directory_is_swapped_behind_its_link() {
        let dir = tempfile::tempdir().unwrap();
        let (real, link) = (dir.path().join("real"), dir.path().join("link"));
        write(&real, "one", Swap::Refuse).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        write(&link, "two", Swap::Replace).unwrap();
        assert_eq!(read(&real, KEY), "two key\n");
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[test]
    fn a_directory_inside_stops_a_swap() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("sub")).unwrap();
        let fault = write(dir.path(), "one", Swap::Replace).unwrap_err();
        assert_eq!(fault.exit(), Exit::Usage);
    }

    #[test]
    fn a_set_that_is_given_up_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        drop(StagedSet::reserve(&dir.path().join("tls"), set("one"), Swap::Refuse).unwrap());
        drop(StagedSet::reserve(dir.path(), set("one"), Swap::Refuse).unwrap());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn no_reader_sees_a_mixed_set() {
        let dir = tempfile::tempdir().unwrap();
        let directory = dir.path().join("tls");
        write(&directory, "0", Swap::Refuse).unwrap();
        let reader = {
            let directory = directory.clone();
            std::thread::spawn(move || {
                let mut judged = 0;
                while judged < 200 {
                    // A reader that holds the directory sees one set or none of it, never a mixture.
                    let Ok(held) = rustix::fs::open(
                        &directory,
                        rustix::fs::OFlags::DIRECTORY,
                        rustix::fs::Mode::empty(),
                    ) else {
                        panic!("the directory was missing for a moment");
                    };
                    let read = |name: &str| {
                        rustix::fs::openat(&held, name, rustix::fs::OFlags::RDONLY, rustix::fs::Mode::empty())
                            .ok()
                            .and_then(|file| io::read_to_string(File::from(file)).ok())
                    };
                    if let (Some(key), Some(certificate)) = (read(KEY), read(CERTIFICATE)) {
                        assert_eq!(key.split(' ').next(), certificate.split(' ').next());
                        judged += 1;
                    }
                }
            })
        };
        let mut generation = 1;
        while !reader.is_finished() {
            write(&directory, &generation.to_string(), Swap::Replace).unwrap();
            generation += 1;
        }
        reader.join().unwrap();
    }
}
