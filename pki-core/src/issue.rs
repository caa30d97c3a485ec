//! The way of a certificate: one direction, each step takes the value before it.
//!
//! ```text
//!  IssueRequest | SignRequest                  decoded at the edge: no strings of unknown meaning
//!    | Role::permit | Role::permit_csr         policy; hierarchy::permit_ca for CA certificates
//!  Permitted                                   or a Refusal: the rule, the value, what would be accepted
//!    | Permitted::with_key                     only where we generate: never for a refused request
//!    | SerialNumber::random
//!    | Issuer::prepare                         the chain: validity, path length, names; AIA, CDP, AKI; then the lints
//!  Prepared                                    the octets are fixed; a store reserves them now
//!    | Issuer::sign                            one call on the key, or signing_input and assemble for a remote one
//!  Certificate                                 read again: the same TBS octets, the signature's lints quiet
//! ```

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::certificate::{Certificate, CertificateError};
use crate::csr::CertificationRequest;
use crate::explain::{Refusal, Warning};
use crate::extension::{Extension, PolicyInformation};
use crate::hierarchy::LeafNotAfter;
use crate::identity::Identity;
use crate::issuer::IssuerError;
use crate::key::weak::KeyHistory;
use crate::key::{
    KeyAlgorithm, KeyIdentifier, KeyType, PublicKey, RsaScheme, SignError, Signature, SignatureAlgorithm,
    SigningInput, UnsuitableScheme, VerifyError, VerifySignature,
};
use crate::lint::{self, LintFinding, LintWaiver, Severity};
use crate::name::{DistinguishedName, GeneralName, NameError};
use crate::profile::Profile;
use crate::random::RandomError;
use crate::serial::SerialNumber;
use crate::tbs::{self, RevocationPointers, TbsCertificate};
use crate::time::UnixTime;
use crate::validity::{Validity, ValidityError};

/// A common name that is asked for: free text without control characters, not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommonName(String);

impl CommonName {
    /// Reads a common name. How long it may be is for the rules to say.
    ///
    /// # Errors
    ///
    /// [`NameError::Value`] if it is empty or has a control character.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let wrong = |problem| NameError::Value {
            attribute: crate::name::AttributeType::CommonName,
            value: text.into(),
            problem,
        };
        if text.is_empty() {
            return Err(wrong(crate::name::ValueProblem::Empty));
        }
        if text.chars().any(char::is_control) {
            return Err(wrong(crate::name::ValueProblem::ControlCharacter));
        }
        Ok(Self(text.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether a common name that is a DNS name or an e-mail address becomes an alternative name too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CommonNameInSans {
    /// It does.
    #[default]
    Include,
    /// It stays in the subject alone.
    Exclude,
}

/// The names that a requester asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AskedNames {
    /// The subject's common name.
    pub common_name: Option<CommonName>,
    /// Whether it becomes an alternative name.
    pub common_name_in_sans: CommonNameInSans,
    /// Alternative names: DNS names, e-mail addresses, IP addresses, URIs, other names.
    pub alternative_names: Vec<GeneralName>,
    /// serialNumbers of the subject, which are not the certificate's.
    pub subject_serial_numbers: Vec<String>,
    /// User ids of the subject.
    pub user_ids: Vec<String>,
}

/// The lifetime that a requester asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AskedLifetime {
    /// What the role, else the mount, gives by default.
    #[default]
    Default,
    /// So long from now.
    Ttl(Duration),
    /// Until this time.
    NotAfter(UnixTime),
}

/// A request for a certificate whose key we generate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IssueRequest {
    /// The names.
    pub names: AskedNames,
    /// When it begins; `None` leaves it to the role.
    pub not_before: Option<UnixTime>,
    /// How long.
    pub lifetime: AskedLifetime,
    /// Which key; only where the role allows any. A size of zero is the type's default.
    pub key: Option<(KeyType, u32)>,
    /// Extensions of the requester's own.
    pub extensions: Vec<Extension>,
    /// Who asks; `None` where nobody said so, and templates of roles then stand for nothing.
    pub identity: Option<Identity>,
}

/// A request for a certificate on a CSR.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignRequest {
    /// The CSR, with possession proved.
    pub csr: CertificationRequest,
    /// Names given beside it; the role says which of both count.
    pub names: AskedNames,
    /// When it begins; `None` leaves it to the role.
    pub not_before: Option<UnixTime>,
    /// How long.
    pub lifetime: AskedLifetime,
    /// Extensions of the requester's own, beside those of the CSR.
    pub extensions: Vec<Extension>,
    /// Who asks.
    pub identity: Option<Identity>,
    /// What the caller knows of the key.
    pub key_history: KeyHistory,
}

impl SignRequest {
    /// A request for what the CSR asks for, with a default lifetime.
    pub fn new(csr: CertificationRequest) -> Self {
        Self {
            csr,
            names: AskedNames::default(),
            not_before: None,
            lifetime: AskedLifetime::Default,
            extensions: Vec::new(),
            identity: None,
            key_history: KeyHistory::default(),
        }
    }
}

/// A request that a role, or the rules for CAs, agreed to. `K` is the key it is for, or the algorithm of one that is
/// still to be generated.
///
/// A value of this type is the proof: it has no other source than `Role::permit`, `Role::permit_csr` and
/// `hierarchy::permit_ca`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permitted<K = PublicKey> {
    pub(crate) subject: DistinguishedName,
    pub(crate) alternative_names: Vec<GeneralName>,
    pub(crate) key: K,
    pub(crate) profile: Profile,
    pub(crate) policies: Vec<PolicyInformation>,
    /// The requester's own.
    pub(crate) extensions: Vec<Extension>,
    pub(crate) validity: Validity,
    /// What RSA issuers sign with.
    pub(crate) rsa_scheme: RsaScheme,
    pub(crate) revocation: RevocationPointers,
    /// What the key is called; `None` for what is computed from it.
    pub(crate) subject_key_identifier: Option<KeyIdentifier>,
    /// What the role says about outliving the chain; `None` leaves it to the issuer.
    pub(crate) leaf_not_after: Option<LeafNotAfter>,
    /// Which of the issuer's paths to a root accepted it.
    pub(crate) path: usize,
    /// The lints that the role does without.
    pub(crate) waivers: Vec<LintWaiver>,
    pub(crate) warnings: Vec<Warning>,
}

impl<K> Permitted<K> {
    /// The subject that was granted.
    pub const fn subject(&self) -> &DistinguishedName {
        &self.subject
    }

    /// The alternative names that were granted, in the order of the certificate.
    pub fn alternative_names(&self) -> &[GeneralName] {
        &self.alternative_names
    }

    /// The period that was granted.
    pub const fn validity(&self) -> Validity {
        self.validity
    }

    /// Key usages, purposes, basic constraints.
    pub const fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The certificate policies.
    pub fn policies(&self) -> &[PolicyInformation] {
        &self.policies
    }

    /// The extensions of the requester's own.
    pub fn extensions(&self) -> &[Extension] {
        &self.extensions
    }

    /// What was granted otherwise than asked.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    fn map<T>(self, key: T) -> Permitted<T> {
        let Self {
            subject,
            alternative_names,
            key: _,
            profile,
            policies,
            extensions,
            validity,
            rsa_scheme,
            revocation,
            subject_key_identifier,
            leaf_not_after,
            path,
            waivers,
            warnings,
        } = self;
        Permitted {
            subject,
            alternative_names,
            key,
            profile,
            policies,
            extensions,
            validity,
            rsa_scheme,
            revocation,
            subject_key_identifier,
            leaf_not_after,
            path,
            waivers,
            warnings,
        }
    }
}

impl Permitted<KeyAlgorithm> {
    /// The key to generate.
    pub const fn key_algorithm(&self) -> KeyAlgorithm {
        self.key
    }

    /// The permission, for this key.
    ///
    /// # Errors
    ///
    /// [`IssueError::KeyMismatch`] if the key is not of the permitted algorithm.
    pub fn with_key(self, key: PublicKey) -> Result<Permitted<PublicKey>, IssueError> {
        if key.key_algorithm() != Some(self.key) {
            return Err(IssueError::KeyMismatch { wanted: self.key });
        }
        Ok(self.map(key))
    }
}

impl Permitted<()> {
    /// The permission, for the key of the CSR that the rules were asked about.
    pub(crate) fn for_key(self, key: PublicKey) -> Permitted<PublicKey> {
        self.map(key)
    }
}

impl Permitted<PublicKey> {
    /// The key that the certificate is for.
    pub const fn public_key(&self) -> &PublicKey {
        &self.key
    }
}

/// A certificate whose octets are fixed and only lack a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    pub(crate) tbs: TbsCertificate,
    pub(crate) serial: SerialNumber,
    pub(crate) permitted: Permitted<PublicKey>,
    pub(crate) issuer_key: PublicKey,
}

impl Prepared {
    /// What the issuer's key signs, and with which algorithm; for signers that are asynchronous, remote or air-gapped.
    pub fn signing_input(&self) -> (SignatureAlgorithm, SigningInput<'_>) {
        (self.tbs.algorithm(), SigningInput::Message(self.tbs.der()))
    }

    /// The serial number that was allotted.
    pub const fn serial(&self) -> SerialNumber {
        self.serial
    }

    /// What was permitted.
    pub const fn permitted(&self) -> &Permitted<PublicKey> {
        &self.permitted
    }

    /// The octets to be signed.
    pub const fn tbs(&self) -> &TbsCertificate {
        &self.tbs
    }

    /// Joins a signature from elsewhere, after verifying it with the issuer's key.
    ///
    /// # Errors
    ///
    /// [`IssueError`] if the signature is not one of the issuer's key, or the result is not what was prepared.
    pub fn assemble(
        &self,
        signature: &Signature,
        verifier: &dyn VerifySignature,
    ) -> Result<Certificate, IssueError> {
        verifier
            .verify(&self.issuer_key, self.tbs.algorithm(), self.tbs.der(), signature.as_bytes())
            .map_err(IssueError::Signature)?;
        self.join(signature)
    }

    /// Joins a signature of our own making.
    pub(crate) fn join(&self, signature: &Signature) -> Result<Certificate, IssueError> {
        let der = tbs::signed(self.tbs.der(), self.tbs.algorithm(), signature);
        // What leaves the house is read again: it parses, says what was prepared, and breaks no rule.
        let certificate = Certificate::from_der(&der).map_err(IssueError::Reread)?;
        if certificate.tbs_der() != self.tbs.der() {
            return Err(IssueError::Reread(CertificateError::Malformed));
        }
        // What was to be signed was linted when it was prepared; what stands around it is nobody's to waive.
        match lint::envelope(&der).first() {
            Some(finding) => Err(IssueError::Lint(*finding)),
            None => Ok(certificate),
        }
    }
}

/// Errors stop, unless the role waives the lint, which is a warning then.
pub(crate) fn judge(
    findings: Vec<LintFinding>,
    waivers: &[LintWaiver],
    warnings: &mut Vec<Warning>,
) -> Result<(), IssueError> {
    for finding in findings.into_iter().filter(|finding| finding.severity == Severity::Error) {
        match waivers.iter().find(|waiver| waiver.lint() == finding.lint) {
            Some(waiver) => {
                warnings.push(Warning::LintWaived { finding, reason: waiver.reason().into() });
            }
            None => return Err(IssueError::Lint(finding)),
        }
    }
    Ok(())
}

/// A certificate that could not be issued.
#[derive(Debug)]
#[non_exhaustive]
pub enum IssueError {
    /// A self-signed certificate that makes no issuer.
    Issuer(IssuerError),
    /// The key is not of the algorithm that was permitted.
    KeyMismatch {
        /// The permitted one.
        wanted: KeyAlgorithm,
    },
    /// The certificate would break a clause of the standards, and no role waives it: nothing was handed out.
    Lint(LintFinding),
    /// A name that cannot be encoded.
    Name(NameError),
    /// No randomness.
    Random(RandomError),
    /// The chain says no.
    Refused(Refusal),
    /// The finished certificate does not read as what was prepared: our mistake, and nothing was handed out.
    Reread(CertificateError),
    /// The key did not sign.
    Sign(SignError),
    /// A signature that is not one of the issuer's key.
    Signature(VerifyError),
    /// The issuer's key offers no algorithm that fits.
    SignatureAlgorithm(UnsuitableScheme),
    /// A period that is none.
    Validity(ValidityError),
}

impl fmt::Display for IssueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Issuer(error) => error.fmt(f),
            Self::KeyMismatch { wanted } => {
                write!(
                    f,
                    "the key is not of the permitted type: {} {} is wanted",
                    wanted.key_type(),
                    wanted.bits()
                )
            }
            Self::Lint(finding) => write!(f, "the certificate is withheld: {finding}"),
            Self::Name(error) => error.fmt(f),
            Self::Random(error) => error.fmt(f),
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Reread(error) => write!(f, "the finished certificate was withheld: {error}"),
            Self::Sign(error) => error.fmt(f),
            Self::Signature(error) => write!(f, "the signature is not one of the issuer's key: {error}"),
            Self::SignatureAlgorithm(error) => error.fmt(f),
            Self::Validity(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for IssueError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Issuer(error) => Some(error),
            Self::Lint(finding) => Some(finding),
            Self::Name(error) => Some(error),
            Self::Random(error) => Some(error),
            Self::Refused(refusal) => Some(refusal),
            Self::Reread(error) => Some(error),
            Self::Sign(error) => Some(error),
            Self::Signature(error) => Some(error),
            Self::Validity(error) => Some(error),
            Self::SignatureAlgorithm(error) => Some(error),
            Self::KeyMismatch { .. } => None,
        }
    }
}

impl From<Refusal> for IssueError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<UnsuitableScheme> for IssueError {
    fn from(error: UnsuitableScheme) -> Self {
        Self::SignatureAlgorithm(error)
    }
}

impl From<SignError> for IssueError {
    fn from(error: SignError) -> Self {
        Self::Sign(error)
    }
}

impl From<RandomError> for IssueError {
    fn from(error: RandomError) -> Self {
        Self::Random(error)
    }
}
