//! A random role, a random request, a random issuer: what is issued holds nothing that the role does not permit, others
//! verify it, and explaining says what issuing does.
//!
//! A case is made from a seed and its number alone, so that a failing one can be repeated:
//! `cargo run --release -p verify-tests --bin random_roles -- --seed SEED --first CASE --cases 1`.

pub mod dice;
pub mod draw;
pub mod house;
pub mod judge;

use std::process::Command;
use std::time::Duration;

use pki_core::explain::{Answer, DecisionTrace, Explanation, Refusal};
use pki_core::extension::Endpoints;
use pki_core::issue::{IssueError, Permitted};
use pki_core::key::{PublicKey, SigningKey};
use pki_core::role::Role;
use rustls::pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, KeyUsage};

use self::dice::Dice;
pub use self::house::{House, Wrong};
use crate::Workbench;

/// What came of some cases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Roles that cannot be written.
    pub unwritable: u64,
    /// Requests that were refused.
    pub refused: u64,
    /// Certificates that were issued and judged.
    pub issued: u64,
    /// Of these, those that webpki verified.
    pub by_webpki: u64,
    /// Of these, those that OpenSSL verified.
    pub by_openssl: u64,
}

impl Tally {
    /// Both together.
    pub const fn and(self, other: Self) -> Self {
        Self {
            unwritable: self.unwritable + other.unwritable,
            refused: self.refused + other.refused,
            issued: self.issued + other.issued,
            by_webpki: self.by_webpki + other.by_webpki,
            by_openssl: self.by_openssl + other.by_openssl,
        }
    }
}

/// The issuers and keys of a seed.
///
/// # Errors
///
/// [`Wrong`] if they cannot be made.
pub fn house(seed: u64) -> Result<House, Wrong> {
    House::build(&mut Dice::new(seed, u64::MAX))
}

/// Goes through these cases. Each certificate whose case is divisible by `openssl_each` is shown to OpenSSL too.
///
/// # Errors
///
/// The first case that is not as it should be, with its number.
pub fn run(
    house: &House,
    seed: u64,
    cases: impl Iterator<Item = u64>,
    openssl_each: u64,
) -> Result<Tally, Wrong> {
    let bench = Workbench::new();
    let mut tally = Tally::default();
    for case in cases {
        let sample = if case % openssl_each.max(1) == 0 { Sample::Taken } else { Sample::Passed };
        one(house, Dice::new(seed, case), &bench, sample, &mut tally)
            .map_err(|error| format!("--seed {seed} --first {case} --cases 1: {error}"))?;
    }
    Ok(tally)
}

/// Whether OpenSSL sees a certificate that webpki has seen.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sample {
    Taken,
    Passed,
}

fn one(
    house: &House,
    mut dice: Dice,
    bench: &Workbench,
    sample: Sample,
    tally: &mut Tally,
) -> Result<(), Wrong> {
    let config = draw::role(&mut dice);
    let request = draw::request(&mut dice, house);
    let signer = house.signers.get(dice.below(house.signers.len())).ok_or("an issuer")?;
    let Ok(role) = Role::new(config) else {
        tally.unwritable += 1;
        return Ok(());
    };
    let config = role.config();

    // Asked before and without any key, then done.
    let (limits, now) = (&house.limits, house.now);
    let (explained, issued) = match &request.in_csr {
        None => {
            let asked = request.for_issue(house)?;
            let explained = role.explain(&asked, Some(&signer.chain), limits, now);
            let permitted = role.permit(asked, limits, now).and_then(|p| signer.chain.permit(p));
            agree(&explained, &permitted)?;
            let issued = match permitted {
                Err(refusal) => Err(refusal),
                Ok(permitted) => {
                    let wanted = permitted.key_algorithm();
                    let key = house.keys.iter().find(|(algorithm, _)| *algorithm == wanted);
                    let (_, key) = key.ok_or("a key of this algorithm")?;
                    let permitted = permitted.with_key(key.public_key().clone())?;
                    issue(house, signer, permitted)?
                }
            };
            (explained.trace, issued)
        }
        Some(in_csr) => {
            let asked = request.for_sign(house, in_csr)?;
            let explained = role.explain_csr(&asked, Some(&signer.chain), limits, now);
            let permitted = role.permit_csr(asked, limits, now);
            // What the chain grants otherwise is in what is explained, and in what is issued below.
            let permitted = permitted
                .and_then(|permitted| signer.chain.permit_key(permitted))
                .and_then(|permitted| signer.chain.permit(permitted));
            agree(&explained, &permitted)?;
            let issued = match permitted {
                Err(refusal) => Err(refusal),
                Ok(permitted) => issue(house, signer, permitted)?,
            };
            (explained.trace, issued)
        }
    };
    for decision in explained.decisions() {
        judge::decision(config, decision)?;
    }
    match issued {
        Err(refusal) => {
            if explained.verdict() == Answer::Permit {
                return Err(format!("explained as permitted, and refused: {refusal}").into());
            }
            tally.refused += 1;
        }
        Ok(der) => {
            if explained.verdict() == Answer::Refuse {
                return Err(format!("issued, and explained as refused:\n{}", shown(&explained)).into());
            }
            judge::certificate(config, &request, house, signer, &der)
                .and_then(|()| show(house, signer, &der, bench, sample, tally))
                .map_err(|error| {
                    let pem = pki_core::pem::encode(pki_core::pem::CERTIFICATE, &der);
                    format!("{error}\nthe role: {config:?}\nthe request: {request:?}\n{pem}")
                })?;
            tally.issued += 1;
        }
    }
    Ok(())
}

/// Explaining and permitting give the same verdict, the same refusal, the same grant.
fn agree<K: PartialEq + std::fmt::Debug>(
    explained: &Explanation<K>,
    permitted: &Result<Permitted<K>, Refusal>,
) -> Result<(), Wrong> {
    let Explanation { trace, outcome, .. } = explained;
    match (outcome, permitted) {
        (Ok(explained), Ok(permitted)) if explained == permitted => Ok(()),
        (Err(explained), Err(refusal)) => {
            let first = trace.refusals().next().ok_or("a refusal without a line in its trace")?;
            let same = explained.rule() == refusal.rule()
                && explained.value() == refusal.value()
                && explained.to_string() == refusal.to_string()
                && explained.remedy() == refusal.remedy()
                && (first.rule, first.value.as_str()) == (refusal.rule(), refusal.value());
            if same { Ok(()) } else { Err(format!("explained as {explained}, refused as {refusal}").into()) }
        }
        _ => Err(format!("explained as {outcome:?}, answered {permitted:?}").into()),
    }
}

fn issue(
    house: &House,
    signer: &house::Signer,
    permitted: Permitted<PublicKey>,
) -> Result<Result<Vec<u8>, Refusal>, Wrong> {
    let issued = signer.issuer.issue(permitted, &Endpoints::default(), house.now, &mut house::random);
    match issued {
        Ok(certificate) => Ok(Ok(certificate.der().to_vec())),
        Err(IssueError::Refused(refusal)) => Ok(Err(refusal)),
        Err(error) => Err(error.into()),
    }
}

fn shown(trace: &DecisionTrace) -> String {
    trace.seen_by(pki_core::explain::View::Operator).to_string()
}

/// The chain from the issuer up, the root last, as DER.
fn chain(signer: &house::Signer) -> Vec<CertificateDer<'_>> {
    signer.chain.members().map(|member| CertificateDer::from(member.certificate().der())).collect()
}

/// Others verify it: webpki, OpenSSL where webpki cannot, and a sample both.
fn show(
    house: &House,
    signer: &house::Signer,
    der: &[u8],
    bench: &Workbench,
    sample: Sample,
    tally: &mut Tally,
) -> Result<(), Wrong> {
    let beyond_webpki = judge::beyond_webpki(signer, der)?;
    if !beyond_webpki {
        verify(house, signer, der)?;
        tally.by_webpki += 1;
    }
    if beyond_webpki || sample == Sample::Taken {
        verify_with_openssl(bench, house, signer, der)?;
        tally.by_openssl += 1;
    }
    Ok(())
}

/// rustls-webpki finds the path for every purpose of the certificate, and for any where it has none.
fn verify(house: &House, signer: &house::Signer, der: &[u8]) -> Result<(), Wrong> {
    let leaf = CertificateDer::from(der);
    let leaf = EndEntityCert::try_from(&leaf)?;
    let mut chain = chain(signer);
    let root = chain.pop().ok_or("a chain without a root")?;
    let anchors = [webpki::anchor_from_trusted_cert(&root)?];
    let purposes = judge::purposes(der)?;
    let time = UnixTime::since_unix_epoch(Duration::from_secs(house.now.as_secs()));
    let check = |usage| {
        leaf.verify_for_usage(webpki::ALL_VERIFICATION_ALGS, &anchors, &chain, time, usage, None, None)
            .map(drop)
            .map_err(|error| format!("webpki: {error}"))
    };
    for purpose in &purposes {
        check(match purpose.as_str() {
            "1.3.6.1.5.5.7.3.1" => KeyUsage::server_auth(),
            "1.3.6.1.5.5.7.3.2" => KeyUsage::client_auth(),
            "1.3.6.1.5.5.7.3.3" => KeyUsage::required_if_present(&[43, 6, 1, 5, 5, 7, 3, 3]),
            "1.3.6.1.5.5.7.3.4" => KeyUsage::required_if_present(&[43, 6, 1, 5, 5, 7, 3, 4]),
            "1.3.6.1.5.5.7.3.8" => KeyUsage::required_if_present(&[43, 6, 1, 5, 5, 7, 3, 8]),
            // 1.3.6.1.4.1.99999.1
            _ => KeyUsage::required_if_present(&[43, 6, 1, 4, 1, 134, 141, 31, 1]),
        })?;
    }
    // Without purposes of its own it serves those of its chain.
    if purposes.is_empty() {
        check(KeyUsage::required_if_present(&[43, 6, 1, 5, 5, 7, 3, 1]))?;
    }
    Ok(())
}

fn verify_with_openssl(
    bench: &Workbench,
    house: &House,
    signer: &house::Signer,
    der: &[u8],
) -> Result<(), Wrong> {
    let pem = |der: &[u8]| pki_core::pem::encode(pki_core::pem::CERTIFICATE, der);
    let mut chain = chain(signer);
    let root = chain.pop().ok_or("a chain without a root")?;
    bench.write("root.pem", pem(&root));
    bench.write("chain.pem", chain.iter().map(|der| pem(der)).collect::<String>());
    bench.write("leaf.pem", pem(der));
    // Without a bench's `pki`, which these cases do not need.
    let mut openssl = Command::new("openssl");
    openssl.current_dir(bench.path()).args(["verify", "-x509_strict", "-attime"]);
    openssl.arg(house.now.as_secs().to_string()).args(["-CAfile", "root.pem"]);
    if !chain.is_empty() {
        openssl.args(["-untrusted", "chain.pem"]);
    }
    let output = openssl.arg("leaf.pem").output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!(
        "OpenSSL: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
    .into())
}
