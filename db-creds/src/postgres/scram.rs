//! The verifier that is sent in a password's place (RFC 5803, PostgreSQL manual 55.3).

use std::num::NonZeroU32;

use aws_lc_rs::{digest, hmac, pbkdf2};
use base64ct::{Base64, Encoding};
use zeroize::Zeroizing;

use crate::database::{DatabaseError, DatabaseFault};
use crate::password::Password;

/// How passwords reach the server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PasswordAuthentication {
    /// As verifiers: one failed `CREATE ROLE .. PASSWORD '..'` writes its text into the server's log.
    #[default]
    ScramSha256,
    /// In clear: for servers that need them so.
    Password,
}

impl PasswordAuthentication {
    /// Reads Vault's `password_authentication`; empty is the default, which here is `scram-sha-256`.
    ///
    /// # Errors
    ///
    /// [`DatabaseError`] for another word.
    pub fn parse(text: &str) -> Result<Self, DatabaseError> {
        match text {
            "" | "scram-sha-256" => Ok(Self::ScramSha256),
            "password" => Ok(Self::Password),
            _ => Err(DatabaseError::before(DatabaseFault::Configuration {
                problem: format!(
                    "'{text}' is not a valid password authentication type; there are scram-sha-256 and password"
                ),
            })),
        }
    }

    /// What stands in the statement.
    pub(super) fn sent(
        self,
        password: &Password,
        salt: [u8; 16],
    ) -> Result<Zeroizing<String>, DatabaseError> {
        match self {
            Self::Password => Ok(Zeroizing::new(password.reveal().into())),
            // Clients normalise other characters (RFC 4013) before they hash them; what is ASCII stays as it is.
            Self::ScramSha256 if password.reveal().bytes().all(|octet| (b' '..=b'~').contains(&octet)) => {
                verifier(password, salt)
            }
            Self::ScramSha256 => Err(DatabaseError::before(DatabaseFault::Configuration {
                problem: "the password policy makes passwords that are not ASCII; use an ASCII charset, or \
                          password_authentication=password"
                    .into(),
            })),
        }
    }
}

fn verifier(password: &Password, salt: [u8; 16]) -> Result<Zeroizing<String>, DatabaseError> {
    let failed = || DatabaseError::before(DatabaseFault::Configuration { problem: "SHA-256 failed".into() });
    let iterations = NonZeroU32::new(ITERATIONS).ok_or_else(failed)?;
    let mut salted = Zeroizing::new([0; 32]);
    let password = password.reveal().as_bytes();
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, &salt, password, salted.as_mut());
    let key = hmac::Key::new(hmac::HMAC_SHA256, salted.as_ref());
    let client_key = hmac::sign(&key, b"Client Key");
    let stored_key = digest::digest(&digest::SHA256, client_key.as_ref());
    let server_key = hmac::sign(&key, b"Server Key");
    Ok(Zeroizing::new(format!(
        "SCRAM-SHA-256${ITERATIONS}:{}${}:{}",
        Base64::encode_string(&salt),
        Base64::encode_string(stored_key.as_ref()),
        Base64::encode_string(server_key.as_ref()),
    )))
}

/// PostgreSQL's own.
const ITERATIONS: u32 = 4_096;

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7677 3: user `user`, password `pencil`.
    #[test]
    fn the_vector_of_the_standard() {
        let salt = Base64::decode_vec("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap().try_into().unwrap();
        let sent = PasswordAuthentication::ScramSha256.sent(&Password::new("pencil".into()), salt).unwrap();
        assert_eq!(
            sent.as_str(),
            "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:\
             wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
        );
    }

    #[test]
    fn what_cannot_be_a_verifier_is_refused() {
        let word = Password::new("pässword".into());
        assert!(PasswordAuthentication::ScramSha256.sent(&word, [0; 16]).is_err());
        assert_eq!(PasswordAuthentication::Password.sent(&word, [0; 16]).unwrap().as_str(), "pässword");
        assert_eq!(PasswordAuthentication::parse(""), Ok(PasswordAuthentication::ScramSha256));
        let error = PasswordAuthentication::parse("md5").unwrap_err().to_string();
        assert!(error.starts_with("'md5' is not a valid password authentication type"), "{error}");
    }
}
