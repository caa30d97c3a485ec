//! The part of HCL that password policies use.

use super::{CharsetRule, PolicyError};

/// Length and rules of a policy.
pub(super) fn policy(text: &str) -> Result<(usize, Vec<CharsetRule>), PolicyError> {
    let mut reader = Reader { rest: text, line: 1 };
    let (mut length, mut rules) = (None, Vec::new());
    while let Some(word) = reader.word()? {
        match word {
            "length" => {
                reader.symbol("=")?;
                if length.replace(reader.number()?).is_some() {
                    return Err(reader.expected("one length"));
                }
            }
            "rule" => {
                let kind = reader.string()?;
                if kind != "charset" {
                    return Err(PolicyError::UnknownRule { rule: kind });
                }
                rules.push(reader.charset()?);
            }
            _ => return Err(reader.expected("length or rule")),
        }
    }
    let length = length.ok_or_else(|| reader.expected("length = N"))?;
    Ok((length, rules))
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Reader<'a> {
    /// `{ charset = "..." min-chars = N }`
    fn charset(&mut self) -> Result<CharsetRule, PolicyError> {
        self.symbol("{")?;
        let (mut charset, mut min_chars) = (None, None);
        while !self.symbol_if("}")? {
            let word = self.word()?;
            self.symbol("=")?;
            let is_twice = match word {
                Some("charset") => charset.replace(self.string()?).is_some(),
                Some("min-chars") => min_chars.replace(self.number()?).is_some(),
                _ => return Err(self.expected("charset, min-chars or a closing brace")),
            };
            if is_twice {
                return Err(self.expected("charset and min-chars once"));
            }
        }
        Ok(CharsetRule { charset: charset.ok_or(PolicyError::NoCharset)?, min_chars: min_chars.unwrap_or(0) })
    }

    /// The next word, quoted or not; `None` at the end.
    fn word(&mut self) -> Result<Option<&'a str>, PolicyError> {
        self.skip_space()?;
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (quote, rest) = match self.rest.strip_prefix('"') {
            Some(rest) => ("\"", rest),
            None => ("", self.rest),
        };
        let end =
            rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_').unwrap_or(rest.len());
        let (word, rest) = rest.split_at_checked(end).unwrap_or((rest, ""));
        match rest.strip_prefix(quote) {
            Some(rest) if !word.is_empty() => {
                self.rest = rest;
                Ok(Some(word))
            }
            _ => Err(self.expected("a word")),
        }
    }

    fn number(&mut self) -> Result<usize, PolicyError> {
        self.word()?.and_then(|word| word.parse().ok()).ok_or_else(|| self.expected("a number"))
    }

    /// `"..."` with JSON's escapes, which are HCL's.
    fn string(&mut self) -> Result<String, PolicyError> {
        self.skip_space()?;
        let mut values = serde_json::Deserializer::from_str(self.rest).into_iter::<String>();
        match values.next() {
            Some(Ok(text)) => {
                self.rest = self.rest.get(values.byte_offset()..).unwrap_or_default();
                Ok(text)
            }
            _ => Err(self.expected("a string in double quotes")),
        }
    }

    fn symbol(&mut self, symbol: &str) -> Result<(), PolicyError> {
        if self.symbol_if(symbol)? { Ok(()) } else { Err(self.expected(symbol)) }
    }

    fn symbol_if(&mut self, symbol: &str) -> Result<bool, PolicyError> {
        self.skip_space()?;
        let rest = self.rest.strip_prefix(symbol);
        self.rest = rest.unwrap_or(self.rest);
        Ok(rest.is_some())
    }

    /// White space and comments of all three kinds.
    fn skip_space(&mut self) -> Result<(), PolicyError> {
        loop {
            let trimmed = self.rest.trim_start();
            let skipped = if trimmed.starts_with('#') || trimmed.starts_with("//") {
                trimmed.split_once('\n').map_or("", |(_, rest)| rest)
            } else if let Some(comment) = trimmed.strip_prefix("/*") {
                comment.split_once("*/").ok_or_else(|| self.expected("the end of the comment"))?.1
            } else {
                trimmed
            };
            let is_done = skipped.len() == trimmed.len();
            let gone = self.rest.len() - skipped.len();
            self.line += self.rest.bytes().take(gone).filter(|&octet| octet == b'\n').count();
            self.rest = skipped;
            if is_done {
                return Ok(());
            }
        }
    }

    fn expected(&self, expected: &str) -> PolicyError {
        PolicyError::Syntax { line: self.line, expected: expected.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_are_read() {
        let text = "# ours\nlength = 20 // twenty\nrule \"charset\" {\n  charset = \"abc\\\"\\\\\"\n  min-chars = 1\n}\n\
                    rule \"charset\" { \"charset\" = \"0123\" } /* the\nend */";
        let rule = |charset: &str, min_chars| CharsetRule { charset: charset.into(), min_chars };
        assert_eq!(policy(text), Ok((20, vec![rule("abc\"\\", 1), rule("0123", 0)])));
    }

    #[test]
    fn what_is_no_policy_is_refused() {
        for (name, text, wanted) in [
            ("nothing", "", "line 1 of the policy: expected length = N"),
            ("no length", "rule \"charset\" { charset = \"a\" }", "expected length = N"),
            ("two lengths", "length = 4\nlength = 5", "line 2 of the policy: expected one length"),
            ("a length in words", "length = four", "expected a number"),
            ("a negative length", "length = -4", "expected a number"),
            ("an unknown rule", "length = 4 rule \"regex\" {}", "unrecognized rule type regex"),
            (
                "an unknown field",
                "length = 4 rule \"charset\" { colour = \"a\" }",
                "expected charset, min-chars",
            ),
            ("an unknown setting", "colour = 4", "expected length or rule"),
            ("no charset", "length = 4 rule \"charset\" { min-chars = 1 }", "no charset"),
            ("an open rule", "length = 4 rule \"charset\" { charset = \"a\"", "expected"),
            ("an open string", "length = 4 rule \"charset\" { charset = \"a }", "expected a string"),
            ("an open comment", "length = 4 /* x", "expected the end of the comment"),
            ("a quoted half", "\"length = 4", "expected a word"),
        ] {
            let error = policy(text).unwrap_err().to_string();
            assert!(error.contains(wanted), "{name}: {error}");
        }
    }
}
