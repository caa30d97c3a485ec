//! An issuer and the ways that lead from it to a root.

use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

use super::{Granted, Proposal, ask_below, own_key};
use crate::explain::{Inquiry, No, Refusal, RuleId, Warning};
use crate::issue::Permitted;
use crate::issuer::{IssuerCertificate, IssuerError};
use crate::key::PublicKey;
use crate::profile::{PathLength, Profile};

/// An issuer's certificate and those above it: what a certificate has to agree with that is to stand below. It needs no
/// key, so that a request can be judged without one.
///
/// A cross-signed CA has several paths to a root. One of them must accept a certificate, the preferred one if it does;
/// verifiers take the one that suits them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IssuerChain {
    certificate: IssuerCertificate,
    /// What stands above it, the preferred path first. Never empty; a path may be.
    paths: Vec<Vec<IssuerCertificate>>,
    leaf_not_after: LeafNotAfter,
}

/// What happens where a certificate would outlive a member of its chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LeafNotAfter {
    /// It is refused.
    #[default]
    Refuse,
    /// It ends with the first of them to end, and a warning says so.
    Truncate,
    /// It outlives them, and a warning says so.
    Permit,
}

impl LeafNotAfter {
    /// Vault's word: `err`, `truncate`, `permit`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refuse => "err",
            Self::Truncate => "truncate",
            Self::Permit => "permit",
        }
    }
}

impl FromStr for LeafNotAfter {
    type Err = LeafNotAfterError;

    fn from_str(text: &str) -> Result<Self, LeafNotAfterError> {
        match text {
            // Vault's second word is for CAs, which are refused here by the first one too.
            "err" | "always_enforce_err" => Ok(Self::Refuse),
            "truncate" => Ok(Self::Truncate),
            "permit" => Ok(Self::Permit),
            _ => Err(LeafNotAfterError),
        }
    }
}

impl IssuerChain {
    /// An issuer of which no more is known than its own certificate.
    pub fn new(certificate: IssuerCertificate) -> Self {
        Self { certificate, paths: alloc::vec![Vec::new()], leaf_not_after: LeafNotAfter::Refuse }
    }

    /// The same issuer, knowing the certificates above it: its own issuer first, the root last.
    ///
    /// # Errors
    ///
    /// [`IssuerError::Chain`] if one is not named as the issuer of the one before it.
    pub fn with_path(mut self, above: Vec<IssuerCertificate>) -> Result<Self, IssuerError> {
        self.check_path(&above)?;
        self.paths = alloc::vec![above];
        Ok(self)
    }

    /// The same issuer, knowing another path, for what the paths before it refuse.
    ///
    /// # Errors
    ///
    /// As [`IssuerChain::with_path`].
    pub fn or_path(mut self, above: Vec<IssuerCertificate>) -> Result<Self, IssuerError> {
        self.check_path(&above)?;
        self.paths.push(above);
        Ok(self)
    }

    /// The same issuer, with its word on certificates that would outlive it.
    #[must_use]
    pub const fn with_leaf_not_after(mut self, leaf_not_after: LeafNotAfter) -> Self {
        self.leaf_not_after = leaf_not_after;
        self
    }

    fn check_path(&self, above: &[IssuerCertificate]) -> Result<(), IssuerError> {
        let mut below = &self.certificate;
        for next in above {
            if !below.certificate().issuer().matches(next.subject()) {
                return Err(IssuerError::Chain {
                    below: below.subject().clone(),
                    above: next.subject().clone(),
                });
            }
            below = next;
        }
        Ok(())
    }

    /// The issuer's own certificate.
    pub const fn certificate(&self) -> &IssuerCertificate {
        &self.certificate
    }

    #[cfg(feature = "rcgen")]
    pub(crate) fn into_certificate(self) -> IssuerCertificate {
        self.certificate
    }

    /// The issuer's own certificate and those above it on the preferred path, the root last.
    pub fn members(&self) -> impl Iterator<Item = &IssuerCertificate> {
        core::iter::once(&self.certificate).chain(self.paths.first().into_iter().flatten())
    }

    /// The same along the path that accepted a certificate.
    pub fn members_for<K>(
        &self,
        permitted: &Permitted<K>,
    ) -> impl Iterator<Item = &IssuerCertificate> + use<'_, K> {
        core::iter::once(&self.certificate).chain(self.paths.get(permitted.path).into_iter().flatten())
    }

    /// Asks every member of the chain whether a certificate may stand below it.
    ///
    /// # Errors
    ///
    /// [`Refusal`] of the first rule that says no, where no path agrees: the preferred path's.
    pub fn permit<K>(&self, mut permitted: Permitted<K>) -> Result<Permitted<K>, Refusal> {
        let proposal = Proposal {
            subject: Some(&permitted.subject),
            alternative_names: &permitted.alternative_names,
            validity: Some(permitted.validity),
            profile: &permitted.profile,
            policies: &permitted.policies,
            leaf_not_after: permitted.leaf_not_after,
        };
        let mut outcome = None;
        let mut refusals = Vec::new();
        for (index, path) in self.paths().enumerate() {
            match self.ask_path(&path, &proposal, &mut Inquiry::brief()) {
                Ok(granted) if outcome.is_none() => outcome = Some((index, granted)),
                Ok(_) => {}
                Err(no) => refusals.push(no),
            }
        }
        let Some((index, Granted { path_length: granted, not_after })) = outcome else {
            let mut inquiry = Inquiry::thorough();
            let answer = self.ask(&proposal, &mut inquiry);
            // What was refused briefly is refused thoroughly.
            return match answer.err().or_else(|| refusals.into_iter().next()) {
                Some(no) => Err(inquiry.refuse(no)),
                None => Ok(permitted),
            };
        };
        permitted.path = index;
        permitted.warnings.extend(refusals.into_iter().map(|no| Warning::PathRefuses { reason: no.reason }));
        self.conclude(&mut permitted, granted, not_after);
        Ok(permitted)
    }

    fn conclude<K>(
        &self,
        permitted: &mut Permitted<K>,
        granted: Option<PathLength>,
        not_after: Option<crate::time::UnixTime>,
    ) {
        let members: Vec<&IssuerCertificate> = self.members_for(permitted).collect();
        let asked = permitted.validity.not_after();
        let first = members.iter().map(|member| member.validity().not_after()).min();
        let mut warnings = Vec::new();
        match not_after {
            Some(end) if end < asked => {
                warnings.push(Warning::NotAfterCapped { asked, granted: end, limit: "the end of its chain" });
            }
            _ if first.is_some_and(|first| first < asked) => warnings.push(Warning::OutlivesChain),
            _ => {}
        }
        // RFC 5280 7.1 lets names match whose octets differ, but some verifiers compare octets.
        let differ = members.windows(2).any(|pair| match pair {
            [below, above] => below.certificate().issuer() != above.subject(),
            _ => false,
        });
        if differ {
            warnings.push(Warning::NameBytesDiffer);
        }
        if let (Profile::Authority { path_length, .. }, Some(granted)) = (&mut permitted.profile, granted) {
            if granted == PathLength::AtMost(0) && *path_length != granted {
                warnings.push(Warning::PathLengthZero);
            }
            *path_length = granted;
        }
        if let Some(end) = not_after.filter(|end| *end < asked) {
            permitted.validity = permitted.validity.until(end);
        }
        permitted.warnings.extend(warnings);
    }

    /// The one rule that looks at the key: a CA's own key belongs into no certificate below it.
    ///
    /// # Errors
    ///
    /// [`Refusal`] if a member of the chain has this key.
    pub fn permit_key(&self, permitted: Permitted<PublicKey>) -> Result<Permitted<PublicKey>, Refusal> {
        let mut inquiry = Inquiry::brief();
        match self.ask_key(&permitted.key, &mut inquiry) {
            Ok(()) => Ok(permitted),
            Err(no) => Err(inquiry.refuse(no)),
        }
    }

    pub(crate) fn ask_key(&self, key: &PublicKey, inquiry: &mut Inquiry) -> Result<(), No> {
        let members: Vec<&IssuerCertificate> =
            core::iter::once(&self.certificate).chain(self.paths.iter().flatten()).collect();
        inquiry.ask(RuleId::ISSUER_OWN_KEY, || key.key_type().to_string(), || own_key(&members, key))
    }

    /// The other rules of the chain, in order: those of the first path that accepts, else of the preferred one.
    pub(crate) fn ask(&self, proposal: &Proposal<'_>, inquiry: &mut Inquiry) -> Result<Granted, No> {
        let paths: Vec<Vec<&IssuerCertificate>> = self.paths().collect();
        let accepts =
            |path: &Vec<&IssuerCertificate>| self.ask_path(path, proposal, &mut Inquiry::brief()).is_ok();
        let chosen = if paths.len() > 1 { paths.iter().position(accepts) } else { None };
        let path = paths.into_iter().nth(chosen.unwrap_or(0)).unwrap_or_default();
        self.ask_path(&path, proposal, inquiry)
    }

    fn ask_path(
        &self,
        path: &[&IssuerCertificate],
        proposal: &Proposal<'_>,
        inquiry: &mut Inquiry,
    ) -> Result<Granted, No> {
        let granted = ask_below(path, proposal, self.leaf_not_after, inquiry);
        inquiry.conclude(granted)
    }

    fn paths(&self) -> impl Iterator<Item = Vec<&IssuerCertificate>> {
        self.paths.iter().map(|path| core::iter::once(&self.certificate).chain(path).collect())
    }
}

/// A word that says nothing about certificates that would outlive their chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeafNotAfterError;

impl fmt::Display for LeafNotAfterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it is err, truncate or permit")
    }
}

impl core::error::Error for LeafNotAfterError {}
