//! Lists come in pages, continued by an opaque cursor.

use core::fmt;
use core::str::FromStr;

/// Where a list goes on. Opaque: its text is to be given back, not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor(pub(crate) u64);

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "c{:x}", self.0)
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        text.strip_prefix('c')
            .filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|digits| u64::from_str_radix(digits, 16).ok())
            .filter(|&position| i64::try_from(position).is_ok())
            .map(Self)
            .ok_or(CursorError)
    }
}

/// A text that no list gave as its cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CursorError;

impl fmt::Display for CursorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("this cursor did not come from a list")
    }
}

impl core::error::Error for CursorError {}

/// The order of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// What was stored last comes first.
    #[default]
    NewestFirst,
    /// What was stored first comes first.
    OldestFirst,
}

/// Which part of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// Where the last page ended; `None` starts.
    pub after: Option<Cursor>,
    /// At most so many items, at most [`PageRequest::LIMIT`].
    pub limit: usize,
    /// The order, the same for all pages of a list.
    pub order: Order,
}

impl PageRequest {
    /// No page has more items, so that one answer fits in memory.
    pub const LIMIT: usize = 10_000;

    /// The first `limit` items, newest first.
    pub const fn first(limit: usize) -> Self {
        Self { after: None, limit, order: Order::NewestFirst }
    }
}

/// A part of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// In order.
    pub items: Vec<T>,
    /// Where the next page starts; `None` when this is the last.
    pub next: Option<Cursor>,
}
