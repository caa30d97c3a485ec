//! Stored documents: JSON with a format number.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Reads a document of format `wanted`; `format` says which one it has.
pub(crate) fn read<T: DeserializeOwned>(
    json: &[u8],
    wanted: u32,
    format: impl Fn(&T) -> u32,
) -> Result<T, DocumentError> {
    #[derive(serde::Deserialize)]
    struct Format {
        format: u32,
    }
    // The happy case reads once.
    match serde_json::from_slice::<T>(json) {
        Ok(document) if format(&document) == wanted => Ok(document),
        Ok(document) => Err(DocumentError::Format { format: format(&document), wanted }),
        Err(error) => match serde_json::from_slice::<Format>(json) {
            Ok(Format { format }) if format != wanted => Err(DocumentError::Format { format, wanted }),
            _ => Err(DocumentError::Malformed { problem: error.to_string() }),
        },
    }
}

/// Writes a document.
pub(crate) fn write<T: Serialize>(document: &T) -> Result<String, DocumentError> {
    serde_json::to_string(document).map_err(|error| DocumentError::Malformed { problem: error.to_string() })
}

/// A stored document that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DocumentError {
    /// Written by a newer version.
    Format {
        /// Its format.
        format: u32,
        /// The one that this version reads.
        wanted: u32,
    },
    /// Not a document of the present format.
    Malformed {
        /// Where and what.
        problem: String,
    },
}

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Format { format, wanted } => {
                write!(f, "the document has format {format}; this version reads format {wanted}")
            }
            Self::Malformed { problem } => write!(f, "the document cannot be read: {problem}"),
        }
    }
}

impl std::error::Error for DocumentError {}
