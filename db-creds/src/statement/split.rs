//! Where one statement ends and the next begins: at semicolons of the top level.

use super::lexer::{Token, TokenKind};

/// The statements among the tokens of `text`: without their semicolons, and without those that hold nothing but comments.
///
/// A semicolon within parentheses (`CREATE RULE .. DO (a; b)`) or within `BEGIN ATOMIC .. END` of a function's body
/// (PostgreSQL 14) parts nothing.
pub(super) fn statements<'t>(text: &'t str, tokens: &'t [Token]) -> impl Iterator<Item = &'t [Token]> {
    let mut depth = Depth::default();
    tokens
        .split(move |token| depth.ends_statement(text, token))
        .filter(|statement| statement.iter().any(|token| token.kind != TokenKind::Comment))
}

/// How deep a token stands in what may hold semicolons.
#[derive(Default)]
struct Depth {
    parentheses: usize,
    blocks: usize,
    /// The word before is BEGIN: ATOMIC makes it a block.
    is_after_begin: bool,
}

impl Depth {
    fn ends_statement(&mut self, text: &str, token: &Token) -> bool {
        if token.kind == TokenKind::Comment {
            return false;
        }
        let is_after_begin = std::mem::take(&mut self.is_after_begin);
        let content = text.get(token.span.clone()).unwrap_or_default();
        match token.kind {
            TokenKind::Other => match content {
                "(" => self.parentheses += 1,
                ")" => self.parentheses = self.parentheses.saturating_sub(1),
                _ => {}
            },
            TokenKind::Word => match content.to_ascii_lowercase().as_str() {
                "begin" => self.is_after_begin = true,
                "atomic" if is_after_begin => self.blocks += 1,
                // Within a block, CASE has an END of its own.
                "case" if self.blocks > 0 => self.blocks += 1,
                "end" => self.blocks = self.blocks.saturating_sub(1),
                _ => {}
            },
            TokenKind::Semicolon if self.parentheses == 0 && self.blocks == 0 => return true,
            _ => {}
        }
        false
    }
}
