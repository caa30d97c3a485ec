//! Input files: `-` is standard input, and nothing is read without a limit.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use zeroize::Zeroizing;

use crate::fault::Fault;

/// How much of a file is read at most, by what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    /// A CSR with a 16 384-bit key and a hundred names has 10 KB.
    Csr,
    /// Certificates with their chains and keys.
    Bundle,
    /// A CRL has about 40 octets for each revocation; this is two million of them.
    Crl,
    /// An OCSP request: what is too large for one still gets its answer.
    OcspRequest,
    /// A passphrase or a sealing key.
    Secret,
    /// All keys of Debian's defect in all sizes are 21 octets each, some hundred thousand.
    WeakKeys,
    /// Whatever `inspect` may be shown, a CRL being the largest.
    Any,
}

impl Limit {
    const fn octets(self) -> u64 {
        match self {
            Self::Csr => 64 << 10,
            Self::Bundle => 1 << 20,
            Self::Crl | Self::Any => 96 << 20,
            Self::OcspRequest | Self::Secret => 64 << 10,
            Self::WeakKeys => 32 << 20,
        }
    }

    const fn what(self) -> &'static str {
        match self {
            Self::Csr => "a certification request",
            Self::Bundle => "a certificate bundle",
            Self::Crl => "a CRL",
            Self::OcspRequest => "an OCSP request",
            Self::Secret => "a secret",
            Self::WeakKeys => "a list of weak keys",
            Self::Any => "a certificate, a request, a CRL or a key",
        }
    }
}

/// The octets of `path`, kept in memory that is cleared afterwards: they may be a key.
///
/// # Errors
///
/// A usage [`Fault`] if the file cannot be read or is larger than `limit`.
pub(crate) fn read(path: &Path, limit: Limit) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let octets = if path == Path::new("-") {
        read_limited(io::stdin().lock(), limit)
    } else {
        File::open(path).and_then(|file| {
            if file.metadata()?.is_dir() {
                return Err(io::ErrorKind::IsADirectory.into());
            }
            read_limited(file, limit)
        })
    }
    .map_err(|error| {
        Fault::usage(
            format!("cannot read {}: {}", name(path), reason(&error)),
            format!("name a readable file with {}, or `-` for standard input", limit.what()),
        )
    })?;
    if octets.len() as u64 > limit.octets() {
        return Err(Fault::usage(
            format!(
                "{} is larger than {} KiB, the most that {} may have",
                name(path),
                limit.octets() >> 10,
                limit.what()
            ),
            format!("name the file with {}; is this the right one?", limit.what()),
        ));
    }
    if octets.is_empty() {
        return Err(Fault::usage(
            format!("{} is empty", name(path)),
            format!("name a file with {}", limit.what()),
        ));
    }
    Ok(octets)
}

/// How a message calls the file.
pub(crate) fn name(path: &Path) -> String {
    if path == Path::new("-") {
        "standard input".to_owned()
    } else {
        format!("{:?}", path.display().to_string())
    }
}

/// The system's words for an error, without its number.
pub(crate) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error ") {
        Some(end) => text.get(..end).unwrap_or(&text).to_lowercase(),
        None => text,
    }
}

fn read_limited(mut source: impl Read, limit: Limit) -> io::Result<Zeroizing<Vec<u8>>> {
    // One more than allowed, so that the caller sees the excess. The buffer grows by moving, and what it leaves
    // behind is cleared: secrets are read through here.
    let mut octets = Zeroizing::new(Vec::with_capacity(8 << 10));
    let mut piece = Zeroizing::new([0_u8; 8 << 10]);
    while octets.len() as u64 <= limit.octets() {
        let read = match source.read(piece.as_mut_slice()) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if octets.len() + read > octets.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(octets.capacity() * 2 + read));
            larger.extend_from_slice(&octets);
            octets = larger;
        }
        octets.extend_from_slice(piece.get(..read).unwrap_or_default());
    }
    Ok(octets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_large_is_refused_before_it_is_parsed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("large.csr");
        std::fs::write(&path, vec![b'x'; 1 << 20]).unwrap();
        let fault = read(&path, Limit::Csr).unwrap_err();
        assert!(fault.fault().contains("larger than 64 KiB"), "{fault}");
        std::fs::write(&path, vec![b'x'; 64 << 10]).unwrap();
        assert_eq!(read(&path, Limit::Csr).unwrap().len(), 64 << 10);
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let dir = tempfile::tempdir().unwrap();
        for path in [dir.path().join("absent"), dir.path().to_owned()] {
            let fault = read(&path, Limit::Csr).unwrap_err();
            assert_eq!(fault.exit(), crate::fault::Exit::Usage);
        }
        let empty = dir.path().join("empty");
        std::fs::write(&empty, b"").unwrap();
        assert!(read(&empty, Limit::Csr).unwrap_err().fault().ends_with("is empty"));
    }
}
