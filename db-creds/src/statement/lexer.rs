//! PostgreSQL's lexical structure (manual, 4.1), as far as it decides where a token begins and ends.
//!
//! One pass without backtracking. Where versions 13 to 18 would read a text differently, it is refused: a template that
//! means two things is not worth having.

use std::fmt;
use std::ops::Range;

/// A piece of a statement that the server reads as one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it stands, quotes included.
    pub span: Range<usize>,
    /// What stands between its quotes; the whole token where it has none.
    pub body: Range<usize>,
    /// In an `E'...'` literal: the escape sequences, each with the length it could have had. A placeholder must not
    /// complete one.
    pub escapes: Vec<Escape>,
}

/// The kinds of tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// `'...'`, `N'...'`.
    Literal,
    /// `E'...'`.
    EscapeLiteral,
    /// `B'...'` or `X'...'`.
    BitLiteral,
    /// `U&'...'`.
    UnicodeLiteral,
    /// `"..."`.
    QuotedIdentifier,
    /// `U&"..."`.
    UnicodeIdentifier,
    /// `$$...$$` or `$tag$...$tag$`.
    DollarQuoted,
    /// `-- ...` or `/* ... */`.
    Comment,
    /// A key word or an identifier.
    Word,
    /// A number, or `$1`.
    Number,
    /// `;`.
    Semicolon,
    /// One character of an operator, a parenthesis, a comma.
    Other,
}

/// A backslash sequence of an `E'...'` literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Escape {
    /// Where its text ends.
    pub end: usize,
    /// Whether further characters could have belonged to it: `\x4` and one more digit.
    pub is_open: bool,
}

/// The tokens of a text; white space is between them.
///
/// # Errors
///
/// [`LexError`] for what no server reads, and for what two versions of it would read differently.
pub fn tokens(text: &str) -> Result<Vec<Token>, LexError> {
    let mut lexer = Lexer { text, at: 0, tokens: Vec::new() };
    while let Some(octet) = lexer.peek(0) {
        lexer.token(octet)?;
    }
    Ok(lexer.tokens)
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    tokens: Vec<Token>,
}

impl Lexer<'_> {
    fn token(&mut self, octet: u8) -> Result<(), LexError> {
        match (octet, self.peek(1), self.peek(2)) {
            (b' ' | b'\t' | b'\n' | b'\r' | b'\x0c', ..) => {
                self.at += 1;
                Ok(())
            }
            // White space since PostgreSQL 16 only; the others never are.
            (0x00..=0x1f | 0x7f, ..) => Err(LexError::ControlCharacter { at: self.at }),
            (b'-', Some(b'-'), _) => {
                self.line_comment();
                Ok(())
            }
            (b'/', Some(b'*'), _) => self.block_comment(),
            (b'\'', ..) => self.literal(TokenKind::Literal, 0),
            (b'"', ..) => self.quoted(TokenKind::QuotedIdentifier, 0),
            (b'n' | b'N', Some(b'\''), _) => self.literal(TokenKind::Literal, 1),
            (b'e' | b'E', Some(b'\''), _) => self.literal(TokenKind::EscapeLiteral, 1),
            (b'b' | b'B' | b'x' | b'X', Some(b'\''), _) => self.literal(TokenKind::BitLiteral, 1),
            (b'u' | b'U', Some(b'&'), Some(b'\'')) => self.literal(TokenKind::UnicodeLiteral, 2),
            (b'u' | b'U', Some(b'&'), Some(b'"')) => self.quoted(TokenKind::UnicodeIdentifier, 2),
            (b'$', ..) => self.dollar(),
            (b'0'..=b'9', ..) => self.number(self.at),
            (b';', ..) => {
                self.push(TokenKind::Semicolon, self.at..self.at + 1);
                Ok(())
            }
            (octet, ..) if is_word_start(octet) => {
                let end = self.end_of(self.at, is_word_part);
                self.push(TokenKind::Word, self.at..end);
                Ok(())
            }
            _ => {
                let width =
                    self.text.get(self.at..).and_then(|rest| rest.chars().next()).map_or(1, char::len_utf8);
                self.push(TokenKind::Other, self.at..self.at + width);
                Ok(())
            }
        }
    }

    /// `--` to the end of the line.
    fn line_comment(&mut self) {
        let end = self.end_of(self.at, |octet| octet != b'\n' && octet != b'\r');
        self.push(TokenKind::Comment, self.at..end);
    }

    /// `/* ... */`, which nests.
    fn block_comment(&mut self) -> Result<(), LexError> {
        let begin = self.at;
        let (mut at, mut depth) = (begin, 0_usize);
        loop {
            match (self.octet(at), self.octet(at + 1)) {
                (Some(b'/'), Some(b'*')) => {
                    depth += 1;
                    at += 2;
                }
                (Some(b'*'), Some(b'/')) => {
                    depth -= 1;
                    at += 2;
                    if depth == 0 {
                        self.push(TokenKind::Comment, begin..at);
                        return Ok(());
                    }
                }
                (Some(_), _) => at += 1,
                (None, _) => return Err(LexError::Unterminated { what: "comment", at: begin }),
            }
        }
    }

    /// A literal in single quotes after a prefix. Literals that only white space with a line break parts are one (4.1.2.1),
    /// and the second half of an `E'...'` has escapes too: it is a token of its own here, of the same kind.
    fn literal(&mut self, kind: TokenKind, prefix: usize) -> Result<(), LexError> {
        self.quoted(kind, prefix)?;
        while let Some(quote) = self.continuation() {
            self.at = quote;
            self.quoted(kind, 0)?;
        }
        Ok(())
    }

    /// From the quote after `prefix` octets to its partner; a doubled quote is one inside.
    fn quoted(&mut self, kind: TokenKind, prefix: usize) -> Result<(), LexError> {
        let begin = self.at;
        let body = begin + prefix + 1;
        let quote = self.octet(begin + prefix).unwrap_or(b'\'');
        let mut escapes = Vec::new();
        let mut at = body;
        loop {
            match self.octet(at) {
                None => {
                    let what = if quote == b'"' { "quoted identifier" } else { "literal" };
                    return Err(LexError::Unterminated { what, at: begin });
                }
                Some(b'\\') if kind == TokenKind::EscapeLiteral => {
                    let escape = self.escape(at);
                    at = escape.end;
                    escapes.push(escape);
                }
                Some(octet) if octet == quote => {
                    if self.octet(at + 1) == Some(quote) {
                        at += 2;
                        continue;
                    }
                    self.tokens.push(Token { kind, span: begin..at + 1, body: body..at, escapes });
                    self.at = at + 1;
                    return Ok(());
                }
                Some(_) => at += 1,
            }
        }
    }

    /// A backslash sequence (4.1.2.2).
    fn escape(&self, at: usize) -> Escape {
        let hexadecimal = |digits: usize| {
            let end = (at + 2..at + 2 + digits)
                .find(|&place| !self.octet(place).is_some_and(|octet| octet.is_ascii_hexdigit()))
                .unwrap_or(at + 2 + digits);
            Escape { end, is_open: end < at + 2 + digits }
        };
        match self.octet(at + 1) {
            Some(b'x') => hexadecimal(2),
            Some(b'u') => hexadecimal(4),
            Some(b'U') => hexadecimal(8),
            Some(b'0'..=b'7') => {
                let end = (at + 2..at + 4)
                    .find(|&place| !matches!(self.octet(place), Some(b'0'..=b'7')))
                    .unwrap_or(at + 4);
                Escape { end, is_open: end < at + 4 }
            }
            // A backslash before a placeholder would escape the value's first character.
            Some(b'{') | None => Escape { end: at + 1, is_open: true },
            Some(_) => Escape { end: at + 2, is_open: false },
        }
    }

    /// Where the next literal begins, if only white space and comments with a line break come before it: the scanner's
    /// `{horiz_whitespace}*{newline}{special_whitespace}*{quote}`.
    fn continuation(&self) -> Option<usize> {
        let mut at = self.at;
        let mut has_break = false;
        loop {
            match (self.octet(at), self.octet(at + 1)) {
                (Some(b'\n' | b'\r'), _) => {
                    has_break = true;
                    at += 1;
                }
                (Some(b' ' | b'\t' | b'\x0c'), _) => at += 1,
                (Some(b'-'), Some(b'-')) => {
                    at = self.end_of(at, |octet| octet != b'\n' && octet != b'\r');
                    // A comment needs its own line break.
                    self.octet(at)?;
                }
                (Some(b'\''), _) if has_break => return Some(at),
                _ => return None,
            }
        }
    }

    /// `$tag$ ... $tag$` (4.1.2.4), `$1`, or a lone dollar sign.
    fn dollar(&mut self) -> Result<(), LexError> {
        let begin = self.at;
        if self.peek(1).is_some_and(|octet| octet.is_ascii_digit()) {
            return self.number(begin + 1);
        }
        let tag_end = match self.peek(1) {
            Some(octet) if is_word_start(octet) => {
                self.end_of(begin + 1, |octet| is_word_part(octet) && octet != b'$')
            }
            _ => begin + 1,
        };
        if self.octet(tag_end) != Some(b'$') {
            self.push(TokenKind::Other, begin..begin + 1);
            return Ok(());
        }
        let body = tag_end + 1;
        let tag = self.text.get(begin..body).unwrap_or_default();
        let rest = self.text.get(body..).unwrap_or_default();
        let Some(length) = rest.find(tag) else {
            return Err(LexError::Unterminated { what: "dollar-quoted body", at: begin });
        };
        let end = body + length;
        self.tokens.push(Token {
            kind: TokenKind::DollarQuoted,
            span: begin..end + tag.len(),
            body: body..end,
            escapes: Vec::new(),
        });
        self.at = end + tag.len();
        Ok(())
    }

    /// A number and what letters follow it. Whether `1E'..'`, `0x1F$a$` and the like are one token or two changed from
    /// version to version.
    fn number(&mut self, digits: usize) -> Result<(), LexError> {
        let end = self.end_of(digits, |octet| is_word_part(octet) && octet != b'$' || octet == b'.');
        let letters = self.text.get(digits..end).is_some_and(|text| text.bytes().any(is_word_start));
        match self.octet(end) {
            Some(b'\'' | b'"' | b'$' | b'&') if letters || self.octet(end) == Some(b'$') => {
                Err(LexError::Ambiguous { at: self.at })
            }
            _ => {
                self.push(TokenKind::Number, self.at..end);
                Ok(())
            }
        }
    }

    fn push(&mut self, kind: TokenKind, span: Range<usize>) {
        self.at = span.end;
        self.tokens.push(Token { kind, body: span.clone(), span, escapes: Vec::new() });
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.octet(self.at + ahead)
    }

    fn octet(&self, at: usize) -> Option<u8> {
        self.text.as_bytes().get(at).copied()
    }

    fn end_of(&self, begin: usize, belongs: impl Fn(u8) -> bool) -> usize {
        let rest = self.text.as_bytes().get(begin..).unwrap_or_default();
        begin + rest.iter().take_while(|&&octet| belongs(octet)).count()
    }
}

/// `ident_start`: letters, underscore, everything beyond ASCII.
const fn is_word_start(octet: u8) -> bool {
    octet.is_ascii_alphabetic() || octet == b'_' || octet >= 0x80
}

/// `ident_cont`: those, digits and the dollar sign.
const fn is_word_part(octet: u8) -> bool {
    is_word_start(octet) || octet.is_ascii_digit() || octet == b'$'
}

/// A text that is no sequence of tokens. Places are octets from the beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LexError {
    /// A number that runs into a quote or a dollar sign.
    Ambiguous {
        /// Where.
        at: usize,
    },
    /// A control character outside quotes.
    ControlCharacter {
        /// Where.
        at: usize,
    },
    /// A quote or a comment that does not end.
    Unterminated {
        /// Which.
        what: &'static str,
        /// Where it begins.
        at: usize,
    },
}

impl fmt::Display for LexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ambiguous { at } => {
                write!(f, "the number at octet {at} runs into a quote; put a space between them")
            }
            Self::ControlCharacter { at } => write!(f, "a control character stands at octet {at}"),
            Self::Unterminated { what, at } => write!(f, "the {what} that begins at octet {at} does not end"),
        }
    }
}

impl std::error::Error for LexError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The tokens, each with a letter for its kind.
    fn lexed(text: &str) -> Vec<String> {
        tokens(text)
            .unwrap()
            .iter()
            .map(|token| {
                let letter = match token.kind {
                    TokenKind::Literal => 'l',
                    TokenKind::EscapeLiteral => 'e',
                    TokenKind::BitLiteral => 'b',
                    TokenKind::UnicodeLiteral => 'u',
                    TokenKind::QuotedIdentifier => 'q',
                    TokenKind::UnicodeIdentifier => 'U',
                    TokenKind::DollarQuoted => 'd',
                    TokenKind::Comment => 'c',
                    TokenKind::Word => 'w',
                    TokenKind::Number => 'n',
                    TokenKind::Semicolon => ';',
                    TokenKind::Other => 'o',
                };
                format!("{letter}{}", text.get(token.span.clone()).unwrap())
            })
            .collect()
    }

    #[test]
    fn tokens_are_those_of_the_server() {
        for (name, text, wanted) in [
            ("white space", " \t\r\n\u{c}", vec![]),
            ("doubled quotes", "'it''s' \"a\"\"b\"", vec!["l'it''s'", "q\"a\"\"b\""]),
            ("a backslash is itself", r"'a\' b", vec![r"l'a\'", "wb"]),
            ("an escaped quote", r"E'a\'b' c", vec![r"eE'a\'b'", "wc"]),
            ("an escaped backslash", r"e'a\\' c", vec![r"ee'a\\'", "wc"]),
            ("a doubled quote in escapes", r"e'a''b'", vec![r"ee'a''b'"]),
            ("a word that ends in e", "like'a'", vec!["wlike", "l'a'"]),
            ("national", "N'a' n'b'", vec!["lN'a'", "ln'b'"]),
            ("bits", "B'01' x'ff'", vec!["bB'01'", "bx'ff'"]),
            ("unicode", "U&'a' u&\"b\" U & 'c'", vec!["uU&'a'", "Uu&\"b\"", "wU", "o&", "l'c'"]),
            ("continued", "'a'\n 'b'", vec!["l'a'", "l'b'"]),
            ("continued escapes", "E'a' -- x\n\t'b\\'c'", vec!["eE'a'", "e'b\\'c'"]),
            ("not continued on one line", "E'a' 'b\\' c", vec!["eE'a'", "l'b\\'", "wc"]),
            ("not continued by a block comment", "E'a' /*\n*/ 'b\\'", vec!["eE'a'", "c/*\n*/", "l'b\\'"]),
            ("dollar quotes", "$$a'b$$ $x$c$$d$x$", vec!["d$$a'b$$", "d$x$c$$d$x$"]),
            ("another tag inside", "$a$ $b$ $a$ $b$ $b$", vec!["d$a$ $b$ $a$", "d$b$ $b$"]),
            ("a tag with digits", "$a1$;$a1$", vec!["d$a1$;$a1$"]),
            ("no tag", "$1 $ a$b$c", vec!["n$1", "o$", "wa$b$c"]),
            ("beyond ASCII", "é$ü$ $ü$x$ü$", vec!["wé$ü$", "d$ü$x$ü$"]),
            ("line comment", "a -- 'b\nc", vec!["wa", "c-- 'b", "wc"]),
            ("nested comment", "/* a /* ' */ b */ c", vec!["c/* a /* ' */ b */", "wc"]),
            (
                "comment within an operator",
                "a+--b\nc*/*d*/e",
                vec!["wa", "o+", "c--b", "wc", "o*", "c/*d*/", "we"],
            ),
            ("numbers", "1.5e10 0x1F $2;", vec!["n1.5e10", "n0x1F", "n$2", ";;"]),
            ("semicolons", "a;;';'", vec!["wa", ";;", ";;", "l';'"]),
        ] {
            assert_eq!(lexed(text), wanted, "{name}");
        }
    }

    #[test]
    fn what_no_server_reads_is_refused() {
        for (name, text) in [
            ("literal", "'a"),
            ("literal that ends in a doubled quote", "'a''"),
            ("escape at the end", r"E'a\"),
            ("escaped quote at the end", r"E'a\'"),
            ("continuation", "'a'\n'b"),
            ("identifier", "\"a"),
            ("dollar quote", "$$a$"),
            ("dollar quote with another tag", "$a$b$c$"),
            ("comment", "/* a"),
            ("nested comment", "/* /* */"),
            ("nothing", "a\0b"),
            ("vertical tab", "'a'\x0b'b'"),
            ("delete", "a \x7f"),
            ("real or escape", "1E'a'"),
            ("hexadecimal or dollar quote", "0x1F$a$b$a$"),
            ("parameter or dollar quote", "$1$a$b$a$"),
            ("number or unicode", "1U&'a'"),
        ] {
            assert!(tokens(text).is_err(), "{name}: {:?}", tokens(text));
        }
    }

    #[test]
    fn escapes_that_could_go_on_are_open() {
        let open =
            |text: &str| tokens(text).unwrap()[0].escapes.iter().map(|e| e.is_open).collect::<Vec<_>>();
        assert_eq!(open(r"E'\n\\\''"), [false, false, false]);
        assert_eq!(
            open(r"E'\x4{\x41{\u004{\u0041{\U0000004{\1{\123{\{'"),
            [true, false, true, false, true, true, false, true]
        );
    }

    proptest! {
        /// Tokens come in order, do not overlap, lie on character boundaries, and only white space is between them.
        #[test]
        fn tokens_cover_the_text(text in r#"[-aeEnxU&$'"/*\\;{}1 \n\té]{0,40}"#) {
            if let Ok(tokens) = tokens(&text) {
                let mut at = 0;
                for token in tokens {
                    prop_assert!(text.get(at..token.span.start).unwrap().chars().all(char::is_whitespace));
                    prop_assert!(token.span.start < token.span.end);
                    prop_assert!(text.get(token.body.clone()).is_some());
                    at = token.span.end;
                }
                prop_assert!(text.get(at..).unwrap().chars().all(char::is_whitespace));
            }
        }
    }
}
