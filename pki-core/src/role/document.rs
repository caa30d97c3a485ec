//! A role as a store keeps it: format, id, revision, every field.

use alloc::string::{String, ToString};
use core::fmt;

use super::RoleConfig;

/// A stored role. Defaults were resolved when it was written, so that a newer version never changes what an older role
/// means.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleDocument {
    format: u32,
    /// The role's immutable id.
    pub id: String,
    /// Which writing of the role this is; the first is 1.
    pub revision: u64,
    /// The fields.
    pub role: RoleConfig,
}

impl RoleDocument {
    /// The format that this version writes.
    pub const FORMAT: u32 = 1;

    /// A document of the present format.
    pub const fn new(id: String, revision: u64, role: RoleConfig) -> Self {
        Self { format: Self::FORMAT, id, revision, role }
    }

    /// Reads a document of any format up to the present one.
    ///
    /// # Errors
    ///
    /// [`RoleDocumentError`] for a newer format, an unknown field, or something that is no document.
    pub fn from_json(json: &[u8]) -> Result<Self, RoleDocumentError> {
        #[derive(serde::Deserialize)]
        struct Format {
            format: u32,
        }
        // The happy case reads once.
        match serde_json::from_slice::<Self>(json) {
            Ok(document) if document.format == Self::FORMAT => Ok(document),
            Ok(Self { format, .. }) => Err(RoleDocumentError::Format { format }),
            Err(error) => match serde_json::from_slice::<Format>(json) {
                Ok(Format { format }) if format != Self::FORMAT => Err(RoleDocumentError::Format { format }),
                _ => Err(RoleDocumentError::Malformed { problem: error.to_string() }),
            },
        }
    }

    /// Writes the document.
    ///
    /// # Errors
    ///
    /// [`RoleDocumentError::Malformed`], which no role in memory leads to.
    pub fn to_json(&self) -> Result<String, RoleDocumentError> {
        serde_json::to_string(self)
            .map_err(|error| RoleDocumentError::Malformed { problem: error.to_string() })
    }
}

/// A stored role that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RoleDocumentError {
    /// Written by a newer version.
    Format {
        /// Its format.
        format: u32,
    },
    /// Not a role of the present format.
    Malformed {
        /// Where and what.
        problem: String,
    },
}

impl fmt::Display for RoleDocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Format { format } => write!(
                f,
                "the stored role has format {format}; this version knows format {} only",
                RoleDocument::FORMAT
            ),
            Self::Malformed { problem } => write!(f, "the stored role cannot be read: {problem}"),
        }
    }
}

impl core::error::Error for RoleDocumentError {}
