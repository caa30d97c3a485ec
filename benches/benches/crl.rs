//! A full CRL of a million revoked certificates, from a file of entries into a file, against the least that it can cost:
//! SHA-256 over its octets and one signature. And an OCSP answer against one signature.

use std::error::Error;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;

use benches::{Line, compare};
use pki_core::crl::{CertificateRevocationList, CrlNumber, CrlPeriod, CrlScope};
use pki_core::hierarchy::CaRequest;
use pki_core::issuer::Issuer;
use pki_core::key::software::{SoftwareKey, Verifier};
use pki_core::key::{KeyAlgorithm, SignatureAlgorithm, SigningInput, SigningKey};
use pki_core::name::DistinguishedName;
use pki_core::ocsp::{
    CertId, CertIdHash, OcspRequest, OcspResponder, RequestSignatures, SerialStatus, StatusPeriod,
};
use pki_core::random::{RandomError, SecureRandom};
use pki_core::revocation::{RevocationReason, RevokedCertificate};
use pki_core::role::Limits;
use pki_core::serial::SerialNumber;
use pki_core::time::UnixTime;
use sha2::{Digest, Sha256};

const REVOKED: usize = 1_000_000;

/// So many entries are kept together, as a store would keep them.
const TOGETHER: usize = 1_000;

fn main() -> Result<(), Box<dyn Error>> {
    // The benchmarks' time stands still: nothing here depends on it.
    let now = UnixTime::from_secs(1_800_000_000).ok_or("time")?;
    let next_update = UnixTime::from_secs(1_800_259_200).ok_or("time")?;
    let mut rng = |out: &mut [u8]| getrandom::fill(out).map_err(|_| RandomError);
    let key = SoftwareKey::generate(KeyAlgorithm::EcP256, &mut rng)?;
    let name = DistinguishedName::with_common_name("Benchmark Root")?;
    let issuer = Issuer::self_signed(CaRequest::new(name), key, &Limits::default(), now, &mut rng)?;
    let period = CrlPeriod { number: CrlNumber::from_u64(1), this_update: now, next_update };

    let (mut entries, length) = entries(now, &mut rng)?;
    let mut output = tempfile::tempfile()?;
    let before = peak_memory()?;
    write(&issuer, period, &mut entries, length, &mut output, &mut rng)?;
    let beyond = peak_memory()? - before;
    let within = if beyond <= 16 << 10 { "" } else { "  OVER BUDGET" };
    println!("memory for a CRL of {REVOKED} entries beyond the process: {beyond} KiB (budget 16384){within}");

    let mut list = Vec::new();
    output.seek(SeekFrom::Start(0))?;
    output.read_to_end(&mut list)?;
    let read = CertificateRevocationList::from_der(&list)?;
    read.verify_signature(issuer.key().public_key(), &Verifier)?;
    if read.entries().count() != REVOKED {
        return Err("the list lacks entries".into());
    }
    println!("a CRL of {REVOKED} entries: {} octets", list.len());

    Line::print_header();
    let sign = |message: &[u8], rng: &mut dyn SecureRandom| {
        issuer.key().sign(SignatureAlgorithm::EcdsaSha256, SigningInput::Digest(message), rng)
    };
    let mut rng_of_limit = |out: &mut [u8]| getrandom::fill(out).map_err(|_| RandomError);
    compare(
        "full CRL of 1 000 000 revoked, file to file",
        3.0,
        1,
        || sign(&Sha256::digest(&list), &mut rng_of_limit),
        || write(&issuer, period, &mut entries, length, &mut output, &mut rng),
    )
    .print();

    let serial = SerialNumber::parse("01")?;
    let request = OcspRequest::new(vec![CertId::new(CertIdHash::Sha1, issuer.certificate(), serial)], None)?;
    let responder = OcspResponder::of_issuer(&issuer)?;
    let message = vec![0x5a; 300];
    compare(
        "OCSP answer, P-256, against one signature",
        2.0,
        200,
        || {
            issuer.key().sign(
                SignatureAlgorithm::EcdsaSha256,
                SigningInput::Message(&message),
                &mut rng_of_limit,
            )
        },
        || {
            let mut lookup = |_: &SerialNumber| Ok(SerialStatus::Issued);
            let period = StatusPeriod::starting(now, None);
            responder.respond(request.der(), RequestSignatures::Ignore, &mut lookup, period, &mut rng)
        },
    )
    .print();
    Ok(())
}

/// A file of encoded entries, all of one length, and its length.
fn entries(now: UnixTime, rng: &mut dyn SecureRandom) -> Result<(File, usize), Box<dyn Error>> {
    let mut file = tempfile::tempfile()?;
    let mut length = 0;
    for _ in 0..REVOKED / TOGETHER {
        let mut together = Vec::with_capacity(TOGETHER * 48);
        for _ in 0..TOGETHER {
            let serial = SerialNumber::random(rng, now)?;
            let entry = RevokedCertificate::new(serial, now, RevocationReason::KeyCompromise);
            together.extend_from_slice(&entry.entry_der());
        }
        length += together.len();
        file.write_all(&together)?;
    }
    Ok((file, length))
}

fn write(
    issuer: &Issuer<SoftwareKey>,
    period: CrlPeriod,
    entries: &mut File,
    length: usize,
    output: &mut File,
    rng: &mut dyn SecureRandom,
) -> Result<(), Box<dyn Error>> {
    let mut stream = issuer.begin_crl(CrlScope::full(), period, length)?;
    let room = stream.room();
    output.set_len(0)?;
    output.seek(SeekFrom::Start(room as u64))?;
    output.write_all(stream.head())?;
    entries.seek(SeekFrom::Start(0))?;
    let mut together = vec![0; length / (REVOKED / TOGETHER)];
    for _ in 0..REVOKED / TOGETHER {
        entries.read_exact(&mut together)?;
        stream.entries(&together)?;
        output.write_all(&together)?;
    }
    let ends = stream.sign(rng)?;
    output.write_all(&ends.tail)?;
    // A list of this length is far from a boundary of DER's lengths, so the header fills its room.
    if ends.header.len() != room {
        return Err("the header does not fill its room".into());
    }
    output.write_all_at(&ends.header, 0)?;
    Ok(())
}

/// The most memory that this process has had, in KiB.
fn peak_memory() -> Result<usize, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
