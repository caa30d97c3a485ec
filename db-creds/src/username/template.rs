//! The part of Go's template language that user names use: actions, pipelines, calls in parentheses.

use sha2::{Digest, Sha256};

use super::{UsernameError, UsernameMetadata, plain};
use crate::random::{self, BASE62, SecureRandom};
use crate::time::UnixTime;

/// A template, parsed.
#[derive(Clone, Debug)]
pub(super) struct Template(Vec<Piece>);

#[derive(Clone, Debug)]
enum Piece {
    Text(String),
    Action(Pipeline),
}

/// Commands, each given the value of the one before as its last argument.
type Pipeline = Vec<Command>;

#[derive(Clone, Debug)]
enum Command {
    Value(Operand),
    Call(Function, Vec<Operand>),
}

#[derive(Clone, Debug)]
enum Operand {
    DisplayName,
    RoleName,
    Text(String),
    Number(u64),
    Pipeline(Pipeline),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Base62,
    Lowercase,
    Printf,
    Replace,
    Sha256,
    Truncate,
    TruncateSha256,
    UnixTime,
    UnixTimeMillis,
    Uppercase,
    Uuid,
}

/// The functions, for those who ask.
pub(super) const FUNCTIONS: [&str; 11] = [
    "random N",
    "truncate N",
    "truncate_sha256 N",
    "uppercase",
    "lowercase",
    "replace OLD NEW",
    "sha256",
    "unix_time",
    "unix_time_millis",
    "uuid",
    "printf",
];

/// A text that remembers which of its characters are random.
#[derive(Clone, Debug, Default)]
pub(super) struct Marked(Vec<(char, Origin)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Origin {
    Fixed,
    Random,
}

impl Template {
    pub(super) fn parse(text: &str) -> Result<Self, UsernameError> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, action)) = rest.split_once("{{") {
            let (trims_before, action) = match action.strip_prefix("- ") {
                Some(action) => (true, action),
                None => (false, action),
            };
            let before = if trims_before { before.trim_end() } else { before };
            pieces.push(Piece::Text(before.into()));
            if let Some(comment) = action.strip_prefix("/*") {
                rest = comment.split_once("*/}}").ok_or_else(|| expected("*/}}", comment))?.1;
                continue;
            }
            let mut reader = Reader { rest: action };
            pieces.push(Piece::Action(reader.pipeline(0)?));
            reader.skip_space();
            rest = match (reader.rest.strip_prefix("-}}"), reader.rest.strip_prefix("}}")) {
                (Some(after), _) => after.trim_start(),
                (None, Some(after)) => after,
                (None, None) => return Err(expected("}}", reader.rest)),
            };
        }
        pieces.push(Piece::Text(rest.into()));
        Ok(Self(pieces))
    }

    /// A name, not yet cut.
    pub(super) fn name(
        &self,
        metadata: &UsernameMetadata<'_>,
        now: UnixTime,
        rng: &mut dyn SecureRandom,
    ) -> Result<Marked, UsernameError> {
        let mut scope = Scope {
            display_name: plain(metadata.display_name),
            role_name: plain(metadata.role_name),
            now,
            rng,
        };
        let mut name = Marked::default();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => name.0.extend(Marked::fixed(text).0),
                Piece::Action(pipeline) => name.0.extend(scope.pipeline(pipeline)?.0),
            }
        }
        Ok(name)
    }
}

impl Marked {
    fn fixed(text: &str) -> Self {
        Self(text.chars().map(|c| (c, Origin::Fixed)).collect())
    }

    fn random(text: &str) -> Self {
        Self(text.chars().map(|c| (c, Origin::Random)).collect())
    }

    fn text(&self) -> String {
        self.0.iter().map(|(c, _)| c).collect()
    }

    fn octets(&self) -> usize {
        self.0.iter().map(|(c, _)| c.len_utf8()).sum()
    }

    pub(super) fn random_characters(&self) -> usize {
        self.0.iter().filter(|(_, origin)| *origin == Origin::Random).count()
    }

    /// At most `limit` octets: fixed characters go, from the end, until it fits; random ones never.
    fn truncated(mut self, limit: usize) -> Result<Self, UsernameError> {
        let mut octets = self.octets();
        while octets > limit {
            let last = self.0.iter().rposition(|(_, origin)| *origin == Origin::Fixed);
            let Some(last) = last else {
                return Err(UsernameError::RandomCut { random: self.0.len(), limit });
            };
            octets -= self.0.remove(last).0.len_utf8();
        }
        Ok(self)
    }

    /// The name in a database whose names have at most `limit` octets.
    pub(super) fn cut(self, limit: usize) -> Result<String, UsernameError> {
        let name = self.truncated(limit)?.text();
        if name.is_empty() || name.contains(char::is_control) {
            return Err(UsernameError::NotAName);
        }
        Ok(name)
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn pipeline(&mut self, depth: usize) -> Result<Pipeline, UsernameError> {
        if depth > DEEPEST {
            return Err(expected("fewer parentheses", self.rest));
        }
        let mut commands = vec![self.command(depth)?];
        loop {
            self.skip_space();
            match self.rest.strip_prefix('|') {
                Some(rest) => {
                    self.rest = rest;
                    commands.push(self.command(depth)?);
                }
                None => return Ok(commands),
            }
        }
    }

    fn command(&mut self, depth: usize) -> Result<Command, UsernameError> {
        self.skip_space();
        if !self.rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return self.operand(depth)?.map(Command::Value).ok_or_else(|| expected("a value", self.rest));
        }
        let name = self.word();
        let function = Function::named(name).ok_or_else(|| UsernameError::Unknown { name: name.into() })?;
        let mut operands = Vec::new();
        while let Some(operand) = self.operand(depth)? {
            operands.push(operand);
        }
        Ok(Command::Call(function, operands))
    }

    /// The next operand; `None` where a command ends.
    fn operand(&mut self, depth: usize) -> Result<Option<Operand>, UsernameError> {
        self.skip_space();
        let rest = self.rest;
        let operand = match rest.chars().next() {
            Some('(') => {
                self.skip(1);
                let pipeline = self.pipeline(depth + 1)?;
                self.skip_space();
                self.rest = self.rest.strip_prefix(')').ok_or_else(|| expected(")", self.rest))?;
                Operand::Pipeline(pipeline)
            }
            Some('.') => {
                self.skip(1);
                match self.word() {
                    "DisplayName" => Operand::DisplayName,
                    "RoleName" => Operand::RoleName,
                    name => return Err(UsernameError::Unknown { name: format!(".{name}") }),
                }
            }
            Some('"') => {
                let mut values = serde_json::Deserializer::from_str(rest).into_iter::<String>();
                let Some(Ok(text)) = values.next() else { return Err(expected("a string", rest)) };
                self.skip(values.byte_offset());
                Operand::Text(text)
            }
            Some('`') => {
                let text = rest.split('`').nth(1).unwrap_or_default();
                self.skip(text.len() + 1);
                self.rest = self.rest.strip_prefix('`').ok_or_else(|| expected("`", rest))?;
                Operand::Text(text.into())
            }
            Some('0'..='9') => Operand::Number(self.word().parse().map_err(|_| expected("a number", rest))?),
            _ => return Ok(None),
        };
        Ok(Some(operand))
    }

    fn word(&mut self) -> &str {
        let end = self.rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        word
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn skip(&mut self, octets: usize) {
        self.rest = self.rest.get(octets..).unwrap_or_default();
    }
}

impl Function {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "lowercase" => Self::Lowercase,
            "printf" => Self::Printf,
            "random" => Self::Base62,
            "replace" => Self::Replace,
            "sha256" => Self::Sha256,
            "truncate" => Self::Truncate,
            "truncate_sha256" => Self::TruncateSha256,
            "unix_time" => Self::UnixTime,
            "unix_time_millis" => Self::UnixTimeMillis,
            "uppercase" => Self::Uppercase,
            "uuid" => Self::Uuid,
            _ => return None,
        })
    }
}

struct Scope<'a> {
    display_name: String,
    role_name: String,
    now: UnixTime,
    rng: &'a mut dyn SecureRandom,
}

impl Scope<'_> {
    fn pipeline(&mut self, pipeline: &Pipeline) -> Result<Marked, UsernameError> {
        let mut value = None;
        for command in pipeline {
            value = Some(match (command, value) {
                (Command::Value(operand), None) => self.operand(operand)?,
                (Command::Value(_), Some(_)) => return Err(expected("a function after |", "a value")),
                (Command::Call(function, operands), piped) => {
                    let mut arguments = Vec::with_capacity(operands.len() + 1);
                    for operand in operands {
                        arguments.push(self.operand(operand)?);
                    }
                    arguments.extend(piped);
                    self.call(*function, arguments)?
                }
            });
        }
        Ok(value.unwrap_or_default())
    }

    fn operand(&mut self, operand: &Operand) -> Result<Marked, UsernameError> {
        Ok(match operand {
            Operand::DisplayName => Marked::fixed(&self.display_name),
            Operand::RoleName => Marked::fixed(&self.role_name),
            Operand::Text(text) => Marked::fixed(text),
            Operand::Number(number) => Marked::fixed(&number.to_string()),
            Operand::Pipeline(pipeline) => self.pipeline(pipeline)?,
        })
    }

    fn call(&mut self, function: Function, arguments: Vec<Marked>) -> Result<Marked, UsernameError> {
        let wrong = |function: &str, takes| UsernameError::Argument { function: function.into(), takes };
        let number = |text: &Marked| text.text().parse::<usize>().ok();
        match (function, arguments.as_slice()) {
            (Function::Base62, [count]) => match number(count) {
                Some(count @ 1..=100) => Ok(Marked::random(&random::characters(self.rng, BASE62, count)?)),
                _ => Err(wrong("random", "a number from 1 to 100")),
            },
            (Function::Base62, _) => Err(wrong("random", "a number from 1 to 100")),
            (Function::Truncate, [limit, text]) => match number(limit) {
                Some(limit @ 1..) => text.clone().truncated(limit),
                _ => Err(wrong("truncate", "a number of at least 1 and a text")),
            },
            (Function::Truncate, _) => Err(wrong("truncate", "a number of at least 1 and a text")),
            (Function::TruncateSha256, [limit, text]) => match number(limit) {
                Some(limit @ 9..) => truncate_sha256(text.clone(), limit),
                _ => Err(wrong("truncate_sha256", "a number of at least 9 and a text")),
            },
            (Function::TruncateSha256, _) => {
                Err(wrong("truncate_sha256", "a number of at least 9 and a text"))
            }
            (Function::Uppercase, [text]) => Ok(text.clone().mapped(|c| c.to_ascii_uppercase())),
            (Function::Uppercase, _) => Err(wrong("uppercase", "a text")),
            (Function::Lowercase, [text]) => Ok(text.clone().mapped(|c| c.to_ascii_lowercase())),
            (Function::Lowercase, _) => Err(wrong("lowercase", "a text")),
            (Function::Replace, [old, new, text]) if text.random_characters() == 0 => {
                Ok(Marked::fixed(&text.text().replace(&old.text(), &new.text())))
            }
            (Function::Replace, _) => Err(wrong("replace", "old, new and a text without random characters")),
            (Function::Sha256, [text]) if text.random_characters() == 0 => {
                Ok(Marked::fixed(&hexadecimal(&Sha256::digest(text.text().as_bytes()))))
            }
            (Function::Sha256, _) => Err(wrong("sha256", "a text without random characters")),
            (Function::UnixTime, []) => Ok(Marked::fixed(&self.now.as_secs().to_string())),
            (Function::UnixTime, _) => Err(wrong("unix_time", "nothing")),
            (Function::UnixTimeMillis, []) => Ok(Marked::fixed(&format!("{}000", self.now.as_secs()))),
            (Function::UnixTimeMillis, _) => Err(wrong("unix_time_millis", "nothing")),
            (Function::Uuid, []) => self.uuid(),
            (Function::Uuid, _) => Err(wrong("uuid", "nothing")),
            (Function::Printf, [format, arguments @ ..]) => {
                printf(&format.text(), arguments).ok_or_else(|| wrong("printf", PRINTF))
            }
            (Function::Printf, []) => Err(wrong("printf", PRINTF)),
        }
    }

    /// Version 4 (RFC 9562 5.4).
    fn uuid(&mut self) -> Result<Marked, UsernameError> {
        let mut octets = [0; 16];
        self.rng.fill(&mut octets)?;
        let digits: Vec<char> = hexadecimal(&octets).chars().collect();
        let mut uuid = Marked::default();
        for (at, digit) in digits.into_iter().enumerate() {
            if matches!(at, 8 | 12 | 16 | 20) {
                uuid.0.push(('-', Origin::Fixed));
            }
            uuid.0.push(match at {
                12 => ('4', Origin::Fixed),
                16 => (variant(digit), Origin::Random),
                _ => (digit, Origin::Random),
            });
        }
        Ok(uuid)
    }
}

impl Marked {
    fn mapped(mut self, map: impl Fn(char) -> char) -> Self {
        for (c, _) in &mut self.0 {
            *c = map(*c);
        }
        self
    }
}

/// The first `limit - 8` characters, and eight hexadecimal ones of the digest of the rest.
fn truncate_sha256(text: Marked, limit: usize) -> Result<Marked, UsernameError> {
    if text.octets() <= limit {
        return Ok(text);
    }
    let kept = text.0.len().min(limit - 8);
    let (head, tail) = text.0.split_at_checked(kept).unwrap_or((&text.0, &[]));
    let rest = Marked(tail.to_vec());
    if rest.random_characters() > 0 {
        return Err(UsernameError::RandomCut { random: text.random_characters(), limit });
    }
    let digest = hexadecimal(&Sha256::digest(rest.text().as_bytes()));
    let mut cut = Marked(head.to_vec());
    cut.0.extend(Marked::fixed(digest.get(..8).unwrap_or_default()).0);
    Ok(cut)
}

/// `%s`, `%d`, `%v`, `%q` and `%%`; each argument once.
fn printf(format: &str, arguments: &[Marked]) -> Option<Marked> {
    let mut arguments = arguments.iter();
    let mut printed = Marked::default();
    let mut characters = format.chars();
    while let Some(c) = characters.next() {
        if c != '%' {
            printed.0.push((c, Origin::Fixed));
            continue;
        }
        match characters.next()? {
            '%' => printed.0.push(('%', Origin::Fixed)),
            's' | 'd' | 'v' => printed.0.extend(arguments.next()?.0.iter().copied()),
            'q' => {
                printed.0.push(('"', Origin::Fixed));
                printed.0.extend(arguments.next()?.0.iter().copied());
                printed.0.push(('"', Origin::Fixed));
            }
            _ => return None,
        }
    }
    if arguments.next().is_some() { None } else { Some(printed) }
}

/// One of the four digits that mark the variant of RFC 9562.
fn variant(digit: char) -> char {
    let at = digit.to_digit(16).unwrap_or(0) as usize % 4;
    ['8', '9', 'a', 'b'].get(at).copied().unwrap_or('8')
}

fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

fn expected(expected: &'static str, found: &str) -> UsernameError {
    UsernameError::Syntax { expected, found: found.chars().take(20).collect() }
}

const PRINTF: &str = "a format of %s, %d, %v, %q, %% and as many values";
/// Ours: no name needs more, and a stack is finite.
const DEEPEST: usize = 16;
