//! User names: made from a template, the caller, the role and random characters, which nothing ever cuts off.

mod template;

use std::fmt;

use crate::random::{RandomError, SecureRandom};
use crate::time::UnixTime;
use template::Template;

/// What a name tells about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsernameMetadata<'a> {
    /// Who asks.
    pub display_name: &'a str,
    /// For which role.
    pub role_name: &'a str,
}

/// A template of user names, in the language of Vault's: Go's templates with a few functions.
#[derive(Clone, Debug)]
pub struct UsernameTemplate {
    text: String,
    template: Template,
    prefix: String,
}

impl UsernameTemplate {
    /// Vault's template for PostgreSQL: `v-DISPLAY8-ROLE8-RANDOM20-UNIXTIME`.
    pub const DEFAULT: &str = r#"{{ printf "v-%s-%s-%s-%s" (.DisplayName | truncate 8) (.RoleName | truncate 8) (random 20) (unix_time) | truncate 63 }}"#;

    /// Reads a template, and makes names with it as a trial.
    ///
    /// # Errors
    ///
    /// [`UsernameError`] for what is no template, for one that fails, and for one with too little randomness.
    pub fn parse(text: &str) -> Result<Self, UsernameError> {
        let template = Template::parse(text)?;
        let trial = |metadata: &UsernameMetadata<'_>, octet: u8, now: UnixTime| {
            let mut rng = move |out: &mut [u8]| {
                out.fill(octet);
                Ok(())
            };
            template.name(metadata, now, &mut rng)
        };
        let long = "x".repeat(80);
        let short = trial(&UsernameMetadata { display_name: "", role_name: "" }, 0, UnixTime::MIN)?;
        let long = UsernameMetadata { display_name: &long, role_name: &long };
        let full = trial(&long, 1, UnixTime::MAX)?;
        let random = full.random_characters().min(short.random_characters());
        if random < LEAST_RANDOM {
            return Err(UsernameError::TooLittleRandomness { random });
        }
        let (short, full) =
            (short.cut(crate::statement::LONGEST_NAME)?, full.cut(crate::statement::LONGEST_NAME)?);
        let prefix = short.chars().zip(full.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a).collect();
        Ok(Self { text: text.into(), template, prefix })
    }

    /// The template's text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What every name of it begins with; empty if they have nothing in common.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// A name of at most `limit` octets.
    ///
    /// # Errors
    ///
    /// [`UsernameError`] when the source fails, or the random characters alone are over the limit.
    pub fn generate(
        &self,
        metadata: &UsernameMetadata<'_>,
        limit: usize,
        now: UnixTime,
        rng: &mut dyn SecureRandom,
    ) -> Result<String, UsernameError> {
        self.template.name(metadata, now, rng)?.cut(limit)
    }
}

impl PartialEq for UsernameTemplate {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for UsernameTemplate {}

/// What is put into a name from outside: letters, digits, `_`, `.` and `-`; a `-` for each other character. A display
/// name comes from a token or an account and may be anything.
pub(crate) fn plain(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    text.chars().map(|c| if is_plain(c) { c } else { '-' }).collect()
}

/// A template that is refused, or that makes no name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UsernameError {
    /// An argument that a function does not take.
    Argument {
        /// The function.
        function: String,
        /// What it takes.
        takes: &'static str,
    },
    /// The name came out empty, or with a control character.
    NotAName,
    /// The source of randomness failed.
    Random(RandomError),
    /// More random characters than fit.
    RandomCut {
        /// How many there are.
        random: usize,
        /// How many fit.
        limit: usize,
    },
    /// It cannot be read.
    Syntax {
        /// What was expected.
        expected: &'static str,
        /// What stood there, cut.
        found: String,
    },
    /// Fewer than five random characters.
    TooLittleRandomness {
        /// How many.
        random: usize,
    },
    /// A field or function that there is not.
    Unknown {
        /// Which.
        name: String,
    },
}

impl From<RandomError> for UsernameError {
    fn from(error: RandomError) -> Self {
        Self::Random(error)
    }
}

impl fmt::Display for UsernameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !matches!(self, Self::Random(_)) {
            f.write_str("invalid username template: ")?;
        }
        match self {
            Self::Argument { function, takes } => write!(f, "{function} takes {takes}"),
            Self::NotAName => f.write_str("it makes an empty name, or one with control characters"),
            Self::Random(error) => write!(f, "{error}"),
            Self::RandomCut { random, limit } => write!(
                f,
                "it would cut {random} random characters to {limit}, and two leases could share a user; ask for fewer of them"
            ),
            Self::Syntax { expected, found } => write!(f, "expected {expected}, found {found:?}"),
            Self::TooLittleRandomness { random } => write!(
                f,
                "it has {random} random characters, and two leases could share a user; use (random 20), at least (random \
                 {LEAST_RANDOM})"
            ),
            Self::Unknown { name } => write!(
                f,
                "there is no {name}; there are .DisplayName, .RoleName, {}",
                template::FUNCTIONS.join(", ")
            ),
        }
    }
}

impl std::error::Error for UsernameError {}

/// Vault's documentation has an example with five.
const LEAST_RANDOM: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::seeded;
    use proptest::prelude::*;

    fn at() -> UnixTime {
        UnixTime::from_secs(1_614_294_836).unwrap()
    }

    fn name(template: &str, display_name: &str, role_name: &str) -> Result<String, UsernameError> {
        let metadata = UsernameMetadata { display_name, role_name };
        UsernameTemplate::parse(template)?.generate(&metadata, 63, at(), &mut seeded(4))
    }

    /// Letters of `pattern`: `R` a random character, everything else itself.
    fn has_shape(text: &str, pattern: &str) -> bool {
        text.len() == pattern.len()
            && text
                .chars()
                .zip(pattern.chars())
                .all(|(c, p)| if p == 'R' { c.is_ascii_alphanumeric() } else { c == p })
    }

    #[test]
    fn names_have_the_shape_of_their_template() {
        let random = "R".repeat(20);
        for (template, display, role, wanted) in [
            (UsernameTemplate::DEFAULT, "root", "ro", format!("v-root-ro-{random}-1614294836")),
            (
                UsernameTemplate::DEFAULT,
                "token",
                "myrolename",
                format!("v-token-myrolena-{random}-1614294836"),
            ),
            (UsernameTemplate::DEFAULT, "", "role", format!("v--role-{random}-1614294836")),
            (UsernameTemplate::DEFAULT, "a'b\"é;", "ro", format!("v-a-b----ro-{random}-1614294836")),
            ("{{.RoleName}}_{{random 5}}", "x", "ro", "ro_RRRRR".into()),
            ("{{ .RoleName | uppercase }}-{{- random 6 -}} -x", "x", "ro", "RO-RRRRRR-x".into()),
            (
                "{{.DisplayName | replace \"a\" \"b\" | lowercase}}{{random 5}}",
                "ANNa",
                "ro",
                "annbRRRRR".into(),
            ),
            ("{{printf \"%s%d%%\" .RoleName 7}}{{random 5}}", "x", "ro", "ro7%RRRRR".into()),
            ("{{/* c */}}{{`a b`}}{{random 5}}", "x", "ro", "a bRRRRR".into()),
            ("{{random 5}}{{.RoleName | sha256 | truncate 4}}", "x", "ro", "RRRRR7ef9".into()),
        ] {
            let name = name(template, display, role).unwrap();
            assert!(has_shape(&name, &wanted), "{template}: {name}, wanted {wanted}");
        }
        let uuid = name("u-{{uuid}}", "x", "ro").unwrap();
        assert!(has_shape(&uuid, "u-RRRRRRRR-RRRR-4RRR-RRRR-RRRRRRRRRRRR"), "{uuid}");
    }

    #[test]
    fn truncate_sha256_keeps_what_it_cuts_recognisable() {
        let made =
            name("{{.RoleName | truncate_sha256 20}}{{random 5}}", "x", "a-very-long-role-name").unwrap();
        assert!(made.starts_with("a-very-long-") && made.len() == 25, "{made}");
        let same = name("{{.RoleName | truncate_sha256 20}}{{random 5}}", "x", "short").unwrap();
        assert!(same.starts_with("short") && same.len() == 10, "{same}");
    }

    /// vault#326, #1605, #8066: the limit of a database cut the random part, two leases shared a user, one revocation
    /// killed both.
    #[test]
    fn what_is_cut_is_never_random() {
        let template = "{{printf \"%s-%s-%s\" .DisplayName .RoleName (random 20) | truncate 32}}";
        let first = name(template, &"d".repeat(40), &"r".repeat(40)).unwrap();
        assert!(has_shape(&first, &format!("{}{}", "d".repeat(12), "R".repeat(20))), "{first}");
        let metadata = UsernameMetadata { display_name: "kubernetes-a-b", role_name: "analytics" };
        let default = UsernameTemplate::parse(UsernameTemplate::DEFAULT).unwrap();
        for limit in 20..63 {
            let cut = default.generate(&metadata, limit, at(), &mut seeded(4)).unwrap();
            let whole = default.generate(&metadata, 63, at(), &mut seeded(4)).unwrap();
            let random = whole.split('-').nth(3).unwrap();
            assert!(cut.len() <= limit && cut.contains(random), "{limit}: {cut}");
        }
        let cut = default.generate(&metadata, 19, at(), &mut seeded(4));
        assert_eq!(cut, Err(UsernameError::RandomCut { random: 20, limit: 19 }));
    }

    #[test]
    fn what_is_refused_when_the_template_is_written() {
        for (template, wanted) in [
            ("", "0 random characters"),
            ("constant", "0 random characters"),
            ("{{random 4}}", "4 random characters"),
            ("{{unix_time}}{{.RoleName}}", "0 random characters"),
            ("{{random 40 | truncate 20}}", "would cut 40 random characters to 20"),
            ("{{random 70}}", "would cut 70 random characters to 63"),
            ("{{ .Nope | bad }}{{random 20}}", "there is no .Nope"),
            ("{{bad 3}}", "there is no bad"),
            ("{{random}}", "random takes"),
            ("{{random \"x\"}}", "random takes"),
            ("{{random 0}}", "random takes"),
            ("{{random 1000}}", "random takes"),
            ("{{random 20 | truncate 0}}", "truncate takes"),
            ("{{random 20 | truncate_sha256 8}}", "truncate_sha256 takes"),
            ("{{printf \"%s\"}}{{random 20}}", "printf takes"),
            ("{{printf \"%x\" 1}}{{random 20}}", "printf takes"),
            ("{{random 20", "expected }}"),
            ("{{random 20 |}}", "expected"),
            ("{{(random 20}}", "expected"),
            ("{{}}{{random 20}}", "expected"),
            ("{{if true}}{{random 20}}{{end}}", "there is no if"),
            ("{{random 20}}\n", "control characters"),
        ] {
            let error = UsernameTemplate::parse(template).unwrap_err().to_string();
            assert!(error.contains(wanted), "{template}: {error}");
        }
        assert!(UsernameTemplate::parse(&"{{(".repeat(10_000)).is_err());
        assert!(UsernameTemplate::parse(&format!("{{{{{}", "(".repeat(100_000))).is_err());
    }

    #[test]
    fn a_prefix_is_what_all_names_begin_with() {
        for (template, prefix) in [
            (UsernameTemplate::DEFAULT, "v-"),
            ("{{.RoleName}}_{{random 5}}", ""),
            ("app_{{random 5}}", "app_"),
            ("{{printf \"tmp-%s\" (random 20)}}", "tmp-"),
        ] {
            assert_eq!(UsernameTemplate::parse(template).unwrap().prefix(), prefix, "{template}");
        }
    }

    proptest! {
        /// Whoever asks, a name fits, begins like the others, and is plain enough for a dollar-quoted body.
        #[test]
        fn names_fit_and_are_plain(display in "\\PC{0,80}", role in "\\PC{0,80}", seed: u64) {
            let template = UsernameTemplate::parse(UsernameTemplate::DEFAULT).unwrap();
            let metadata = UsernameMetadata { display_name: &display, role_name: &role };
            let name = template.generate(&metadata, 63, at(), &mut seeded(seed)).unwrap();
            prop_assert!(name.len() <= 63 && name.starts_with(template.prefix()));
            prop_assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c)));
        }
    }
}
