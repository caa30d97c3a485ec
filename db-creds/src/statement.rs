//! Statements: SQL templates, parsed when the role is written.
//!
//! A template is read as PostgreSQL reads it. A placeholder stands inside `"..."`, `'...'`, `E'...'` or a dollar-quoted
//! body, and its value is escaped for that place, once; anywhere else it is refused, because there a value would be SQL. So
//! no value of a name or a password changes what a statement is.

mod lexer;
mod split;

use std::fmt;
use std::ops::Range;

use zeroize::Zeroizing;

pub use self::lexer::{Escape, LexError, Token, TokenKind, tokens};
use crate::time::{Civil, UnixTime};

/// What statements are for, which says what they may mention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Creating a user: name, password, expiration.
    Creation,
    /// Removing it: name.
    Revocation,
    /// Extending it: name, expiration.
    Renewal,
    /// Changing a password: name, password.
    Rotation,
}

impl Purpose {
    const fn placeholders(self) -> &'static [Placeholder] {
        use Placeholder::{Expiration, Name, Password, Username};
        match self {
            Self::Creation => &[Name, Username, Password, Expiration],
            Self::Revocation => &[Name, Username],
            Self::Renewal => &[Name, Username, Expiration],
            Self::Rotation => &[Name, Username, Password],
        }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Creation => "creation",
            Self::Revocation => "revocation",
            Self::Renewal => "renew",
            Self::Rotation => "rotation",
        })
    }
}

/// What a template can mention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Placeholder {
    /// `{{name}}`: the user.
    Name,
    /// `{{username}}`: the same.
    Username,
    /// `{{password}}`: the password, or the verifier that is sent in its place.
    Password,
    /// `{{expiration}}`: the end of the password, `2026-11-24 09:30:05+0000`.
    Expiration,
}

impl Placeholder {
    const fn text(self) -> &'static str {
        match self {
            Self::Name => "{{name}}",
            Self::Username => "{{username}}",
            Self::Password => "{{password}}",
            Self::Expiration => "{{expiration}}",
        }
    }
}

/// What stands in a template for a while.
#[derive(Clone, Copy)]
pub struct Values<'a> {
    /// The user's name, at most 63 octets.
    pub name: &'a str,
    /// The password or its verifier.
    pub password: Option<&'a str>,
    /// The end of the password.
    pub expiration: Option<UnixTime>,
}

/// Some statements for one purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statements {
    purpose: Purpose,
    statements: Vec<Statement>,
}

impl Statements {
    /// Reads statements. Each element holds one or more, parted by semicolons, or is a JSON array of such elements.
    ///
    /// # Errors
    ///
    /// [`StatementError`], with the number of the statement, counted through all elements from 1.
    pub fn parse<S: AsRef<str>>(elements: &[S], purpose: Purpose) -> Result<Self, StatementError> {
        let mut statements = Vec::new();
        for element in elements {
            for text in spread(element.as_ref()) {
                let number = statements.len() + 1;
                let fault = |fault| StatementError { purpose, number, fault };
                if text.len() > LONGEST {
                    return Err(fault(Fault::TooLong));
                }
                let tokens = tokens(&text).map_err(|error| fault(Fault::Lex(error)))?;
                for statement in split::statements(&text, &tokens) {
                    let number = statements.len() + 1;
                    let parsed = Statement::parse(&text, statement, purpose)
                        .map_err(|fault| StatementError { purpose, number, fault })?;
                    statements.push(parsed);
                }
            }
        }
        if purpose == Purpose::Creation {
            let whole = |fault| Err(StatementError { purpose, number: 0, fault });
            if statements.is_empty() {
                return whole(Fault::Empty);
            }
            if !statements.iter().any(|statement| statement.mentions(Placeholder::Name)) {
                return whole(Fault::NameMissing);
            }
        }
        Ok(Self { purpose, statements })
    }

    /// What they are for.
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// The templates, one statement each.
    pub fn templates(&self) -> impl Iterator<Item = &str> {
        self.statements.iter().map(|statement| statement.template.as_str())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.statements.is_empty()
    }

    /// The number of the first statement whose password stands in a dollar-quoted body: there a verifier, with its `$`, `/`
    /// and `=`, is refused, and only `password_authentication=password` works.
    pub fn password_in_dollar_quotes(&self) -> Option<usize> {
        let is_one = |part: &Part| matches!(part, Part::Value(Placeholder::Password, Place::DollarQuoted));
        self.statements.iter().position(|statement| statement.parts.iter().any(is_one)).map(|at| at + 1)
    }

    /// The statements with these values in their places.
    ///
    /// # Errors
    ///
    /// [`RenderError`] for a value that cannot stand where it is wanted.
    pub fn render(&self, values: &Values<'_>) -> Result<Vec<Sql>, RenderError> {
        self.statements
            .iter()
            .enumerate()
            .map(|(at, statement)| {
                statement.render(values).map_err(|fault| RenderError {
                    purpose: self.purpose,
                    number: at + 1,
                    fault,
                })
            })
            .collect()
    }
}

/// SQL that may hold a secret: wiped after use, and not shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Sql(Zeroizing<String>);

impl Sql {
    /// The text, for the server alone.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Sql {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sql({} octets)", self.0.len())
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Statement {
    template: String,
    parts: Vec<Part>,
    kinds: Vec<TokenKind>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// This part of the template.
    Text(Range<usize>),
    /// A value.
    Value(Placeholder, Place),
}

/// Where a placeholder stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Identifier,
    Literal,
    EscapeLiteral,
    DollarQuoted,
}

impl Statement {
    fn parse(text: &str, tokens: &[Token], purpose: Purpose) -> Result<Self, Fault> {
        let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else { return Err(Fault::Empty) };
        refuse_session_control(text, tokens)?;
        let (begin, end) = (first.span.start, last.span.end);
        let mut parts = Vec::new();
        let mut at = begin;
        while let Some((span, content)) = next_braces(text, at, end) {
            let placeholder = known(content, purpose)?;
            let place = place_of(&span, tokens).map_err(|place| Fault::Place { placeholder, place })?;
            parts.push(Part::Text(at - begin..span.start - begin));
            parts.push(Part::Value(placeholder, place));
            at = span.end;
        }
        parts.push(Part::Text(at - begin..end - begin));
        Ok(Self {
            template: text.get(begin..end).unwrap_or_default().into(),
            parts,
            kinds: tokens.iter().map(|token| token.kind).collect(),
        })
    }

    fn mentions(&self, placeholder: Placeholder) -> bool {
        let same = |found: Placeholder| {
            found == placeholder || (found == Placeholder::Username && placeholder == Placeholder::Name)
        };
        self.parts.iter().any(|part| matches!(part, Part::Value(found, _) if same(*found)))
    }

    fn render(&self, values: &Values<'_>) -> Result<Sql, ValueFault> {
        refuse_bad_name(values.name)?;
        let expiration = values.expiration.map(expiration);
        // Reserved once: a string that grows leaves copies of the password behind.
        let room = values.name.len() + values.password.map_or(0, str::len) + 32;
        let mut sql =
            Zeroizing::new(String::with_capacity(self.template.len() + self.parts.len() * room * 2));
        for part in &self.parts {
            match part {
                Part::Text(range) => sql.push_str(self.template.get(range.clone()).unwrap_or_default()),
                Part::Value(placeholder, place) => {
                    let value = match placeholder {
                        Placeholder::Name | Placeholder::Username => Some(values.name),
                        Placeholder::Password => values.password,
                        Placeholder::Expiration => expiration.as_deref(),
                    };
                    let value = value.ok_or(ValueFault::Missing { placeholder: *placeholder })?;
                    escape(value, *placeholder, *place, &mut sql)?;
                }
            }
        }
        self.refuse_other_structure(&sql)?;
        Ok(Sql(sql))
    }

    /// A second opinion: what is sent has the tokens of its template, and no identifier that the server would cut.
    fn refuse_other_structure(&self, sql: &str) -> Result<(), ValueFault> {
        let tokens = tokens(sql).map_err(|_| ValueFault::Structure)?;
        if !tokens.iter().map(|token| token.kind).eq(self.kinds.iter().copied()) {
            return Err(ValueFault::Structure);
        }
        for token in tokens.iter().filter(|token| token.kind == TokenKind::QuotedIdentifier) {
            let body = sql.get(token.body.clone()).unwrap_or_default();
            let octets = body.replace("\"\"", "\"").len();
            if octets > LONGEST_NAME {
                return Err(ValueFault::TooLong { octets });
            }
        }
        Ok(())
    }
}

/// PostgreSQL's default `NAMEDATALEN` leaves 63 octets, and the server cuts longer names without an error.
fn refuse_bad_name(name: &str) -> Result<(), ValueFault> {
    match name.len() {
        0 => Err(ValueFault::EmptyName),
        octets if octets > LONGEST_NAME => Err(ValueFault::TooLong { octets }),
        _ => Ok(()),
    }
}

/// Puts a value where it stands.
fn escape(value: &str, placeholder: Placeholder, place: Place, sql: &mut String) -> Result<(), ValueFault> {
    if value.contains('\0') {
        return Err(ValueFault::Character { placeholder });
    }
    match place {
        Place::Identifier => push_doubling(value, &['"'], sql),
        Place::Literal => push_doubling(value, &['\''], sql),
        Place::EscapeLiteral => push_doubling(value, &['\'', '\\'], sql),
        // Two parsers read it, the second one unknown: only what is plain in both.
        Place::DollarQuoted if value.chars().all(is_plain) => sql.push_str(value),
        Place::DollarQuoted => return Err(ValueFault::DollarQuoted { placeholder }),
    }
    Ok(())
}

fn push_doubling(value: &str, special: &[char], sql: &mut String) {
    for c in value.chars() {
        if special.contains(&c) {
            sql.push(c);
        }
        sql.push(c);
    }
}

const fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '+' | ' ' | '-')
}

/// `2026-11-24 09:30:05+0000`: UTC, whatever the server's time zone.
fn expiration(time: UnixTime) -> String {
    let Civil { year, month, day, weekday: _, hour, minute, second } = time.civil();
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}+0000")
}

/// An element is SQL, or a JSON array of elements; no SQL begins with a bracket.
fn spread(element: &str) -> Vec<String> {
    if element.trim_start().starts_with('[')
        && let Ok(elements) = serde_json::from_str(element)
    {
        return elements;
    }
    vec![element.into()]
}

/// The next `{{word}}` before `end`: where it is, and what is between the braces. Braces around anything that does not begin
/// like a word, as in `'{{1,2},{3,4}}'`, are SQL's own.
fn next_braces(text: &str, begin: usize, end: usize) -> Option<(Range<usize>, &str)> {
    let mut at = begin;
    loop {
        let open = at + text.get(at..end)?.find("{{")?;
        let rest = text.get(open + 2..end)?;
        let content = rest.split(['{', '}']).next().unwrap_or_default();
        let is_word = content.trim_start().starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '.');
        if is_word && rest.get(content.len()..).is_some_and(|after| after.starts_with("}}")) {
            return Some((open..open + content.len() + 4, content));
        }
        at = open + 1;
    }
}

fn known(content: &str, purpose: Purpose) -> Result<Placeholder, Fault> {
    purpose
        .placeholders()
        .iter()
        .copied()
        .find(|placeholder| placeholder.text().trim_matches(['{', '}']) == content)
        .ok_or_else(|| Fault::Unknown { placeholder: content.into() })
}

/// The place of a placeholder, if a value can stand there.
fn place_of(span: &Range<usize>, tokens: &[Token]) -> Result<Place, WrongPlace> {
    let inside = |range: &Range<usize>| range.start <= span.start && span.end <= range.end;
    let Some(token) = tokens.iter().find(|token| inside(&token.span)) else { return Err(WrongPlace::Bare) };
    if token.kind == TokenKind::Comment {
        return Err(WrongPlace::Comment);
    }
    if !inside(&token.body) {
        return Err(WrongPlace::Bare);
    }
    match token.kind {
        TokenKind::Literal => Ok(Place::Literal),
        TokenKind::EscapeLiteral => {
            let completes = |escape: &Escape| escape.is_open && escape.end == span.start;
            if token.escapes.iter().any(completes) {
                Err(WrongPlace::Escape)
            } else {
                Ok(Place::EscapeLiteral)
            }
        }
        TokenKind::QuotedIdentifier => Ok(Place::Identifier),
        TokenKind::DollarQuoted => Ok(Place::DollarQuoted),
        TokenKind::UnicodeIdentifier | TokenKind::UnicodeLiteral => Err(WrongPlace::Unicode),
        TokenKind::BitLiteral => Err(WrongPlace::Bits),
        TokenKind::Comment
        | TokenKind::Word
        | TokenKind::Number
        | TokenKind::Semicolon
        | TokenKind::Other => Err(WrongPlace::Bare),
    }
}

/// All statements run in one transaction, which the driver begins and ends, on a connection that is used again: they must
/// not end the one nor change the other.
fn refuse_session_control(text: &str, tokens: &[Token]) -> Result<(), Fault> {
    let mut words = tokens
        .iter()
        .filter(|token| token.kind != TokenKind::Comment)
        .map(|token| text.get(token.span.clone()).unwrap_or_default().to_ascii_lowercase());
    let first = words.next().unwrap_or_default();
    let second = words.next().unwrap_or_default();
    let refused = match (first.as_str(), second.as_str()) {
        ("begin" | "start" | "commit" | "end" | "rollback" | "abort", _) => true,
        ("prepare", "transaction") => true,
        ("copy" | "discard" | "listen" | "load", _) => true,
        ("reset", setting) => setting != "role",
        ("set", "local") => {
            let setting = words.next().unwrap_or_default();
            matches!(
                setting.trim_matches('"'),
                "names" | "client_encoding" | "standard_conforming_strings" | "backslash_quote"
            )
        }
        ("set", "constraints") => false,
        ("set", _) => true,
        _ => false,
    };
    if refused { Err(Fault::SessionControl { words: format!("{first} {second}") }) } else { Ok(()) }
}

/// Statements that are refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementError {
    /// What the statements are for.
    pub purpose: Purpose,
    /// The statement's number from 1; 0 for all of them together.
    pub number: usize,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// There is none.
    Empty,
    /// It cannot be read.
    Lex(LexError),
    /// No statement mentions the user.
    NameMissing,
    /// A placeholder where a value cannot stand.
    Place {
        /// Which.
        placeholder: Placeholder,
        /// Where.
        place: WrongPlace,
    },
    /// It would end the transaction or change the session.
    SessionControl {
        /// Its first words.
        words: String,
    },
    /// Over 256 KiB.
    TooLong,
    /// A placeholder that statements of this purpose do not have.
    Unknown {
        /// Which.
        placeholder: String,
    },
}

/// A place where no value can stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrongPlace {
    /// Outside quotes: the server would fold its case, and read it as SQL.
    Bare,
    /// In a bit string.
    Bits,
    /// In a comment, which a value could end.
    Comment,
    /// After a backslash sequence that it would complete.
    Escape,
    /// In a `U&` form, whose escape character is said later.
    Unicode,
}

impl fmt::Display for StatementError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { purpose, number, fault } = self;
        if *number == 0 {
            return match fault {
                Fault::NameMissing => write!(f, "no {purpose} statement mentions \"{{{{name}}}}\""),
                _ => write!(f, "empty {purpose} statements"),
            };
        }
        write!(f, "{purpose} statement {number}: ")?;
        match fault {
            Fault::Empty => f.write_str("it is empty"),
            Fault::Lex(error) => write!(f, "{error}"),
            Fault::NameMissing => f.write_str("it does not mention {{name}}"),
            Fault::Place { placeholder, place } => {
                let text = placeholder.text();
                let quoted = match placeholder {
                    Placeholder::Name | Placeholder::Username => format!("\"{text}\" (or '{text}')"),
                    Placeholder::Password | Placeholder::Expiration => format!("'{text}'"),
                };
                match place {
                    WrongPlace::Bare => write!(f, "{text} stands outside quotes; write {quoted}"),
                    WrongPlace::Bits => write!(f, "{text} stands in a bit string; write {quoted}"),
                    WrongPlace::Comment => write!(f, "{text} stands in a comment; leave it out"),
                    WrongPlace::Escape => {
                        write!(f, "{text} would complete the backslash sequence before it; write {quoted}")
                    }
                    WrongPlace::Unicode => write!(f, "{text} stands in a U& form; write {quoted}"),
                }
            }
            Fault::SessionControl { words } => write!(
                f,
                "{words:?} is refused: all statements run in one transaction on a connection that is used again \
                 (SET LOCAL is accepted)"
            ),
            Fault::TooLong => write!(f, "it is longer than {LONGEST} octets"),
            Fault::Unknown { placeholder } => {
                let all: Vec<&str> = purpose.placeholders().iter().map(|known| known.text()).collect();
                write!(f, "unknown placeholder {{{{{placeholder}}}}}; there are {}", all.join(" "))
            }
        }
    }
}

impl std::error::Error for StatementError {}

/// Values that a statement cannot take. The values are not shown: one may be a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderError {
    /// What the statements are for.
    pub purpose: Purpose,
    /// The statement's number from 1.
    pub number: usize,
    /// What is wrong.
    pub fault: ValueFault,
}

/// What is wrong with a value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValueFault {
    /// A NUL character.
    Character {
        /// Whose.
        placeholder: Placeholder,
    },
    /// Characters outside `[A-Za-z0-9_.:+ -]` for a dollar-quoted body.
    DollarQuoted {
        /// Whose.
        placeholder: Placeholder,
    },
    /// An empty name.
    EmptyName,
    /// No value was given.
    Missing {
        /// For which placeholder.
        placeholder: Placeholder,
    },
    /// The statement would have other tokens than its template.
    Structure,
    /// A name of more than 63 octets.
    TooLong {
        /// How many.
        octets: usize,
    },
}

impl fmt::Display for RenderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { purpose, number, fault } = self;
        write!(f, "{purpose} statement {number}: ")?;
        match fault {
            ValueFault::Character { placeholder } => {
                write!(f, "the value of {} has a NUL character", placeholder.text())
            }
            ValueFault::DollarQuoted { placeholder } => write!(
                f,
                "the value of {} has characters outside [A-Za-z0-9_.:+ -], and the placeholder stands in a dollar-quoted \
                 body, which a second parser reads; use a statement outside dollar quotes",
                placeholder.text()
            ),
            ValueFault::EmptyName => f.write_str("the user's name is empty"),
            ValueFault::Missing { placeholder } => write!(f, "there is no value for {}", placeholder.text()),
            ValueFault::Structure => f.write_str("a value would change the structure of the statement"),
            ValueFault::TooLong { octets } => write!(
                f,
                "a name of {octets} octets is refused: the server would cut it to {LONGEST_NAME} without an error"
            ),
        }
    }
}

impl std::error::Error for RenderError {}

/// The longest name that PostgreSQL does not cut.
pub(crate) const LONGEST_NAME: usize = 63;
/// Ours: no role needs more, and the server reads it for each lease.
const LONGEST: usize = 256 * 1_024;

#[cfg(test)]
mod tests;
