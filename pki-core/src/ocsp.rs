//! The online certificate status protocol (RFC 6960; nonces: RFC 9654): what is asked, what is answered.
//!
//! Pure like everything here: whether a certificate is revoked is a closure's to say, requests and responses are octets.
//!
//! - [`OcspRequest`] is a request that was read, within bounds; or one that is made.
//! - [`OcspResponder`] answers: the authority itself, or a key with a certificate for that purpose.
//! - [`OcspResponse`] is an answer, made or read; [`BasicResponse::verify`] holds it against its authority.
//! - [`responder_role`] is the role for the certificate of a delegated responder.

mod cert_id;
mod delegate;
mod request;
mod responder;
mod response;

pub use self::cert_id::{CertId, CertIdHash};
pub use self::delegate::responder_role;
pub use self::request::{Nonce, OcspRequest, OcspRequestError, RequestSignature};
pub use self::responder::{
    LookupError, OcspError, OcspResponder, RequestSignatures, ResponderError, SerialStatus, StatusPeriod,
    TbsResponseData, Unlisted,
};
pub use self::response::{
    BasicResponse, CertificateStatus, ErrorStatus, OcspResponse, OcspResponseError, ResponderId,
    SingleResponse,
};

/// Requests and responses are smaller than this; a request that is signed with RSA 4096 and brings two certificates has 5 KiB.
const MAX_REQUEST: usize = 16 * 1024;

/// A request asks for one certificate, or for those of a chain; each costs the responder a look-up.
const MAX_SINGLE_REQUESTS: usize = 64;
