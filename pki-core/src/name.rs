//! Names: distinguished names (RFC 5280 4.1.2.4) and general names (RFC 5280 4.2.1.6).

mod constraint;
mod dns;
mod general;
mod other;
mod text;

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use const_oid::ObjectIdentifier;
use der::{Decode, Reader, SliceReader, Tag};

pub(crate) use self::constraint::{CommonNameHost, PresentedNames, Subtrees};
pub use self::constraint::{
    Domain, DomainScope, IpNetwork, Mailboxes, NameConstraints, NameConstraintsError, NameFault, NameKind,
    NameViolation, Subtree, SubtreeError,
};
pub use self::dns::{DnsName, DnsNameError, Wildcard};
pub use self::general::{EmailAddress, EmailAddressError, GeneralName, GeneralNameError, Uri, UriError};
pub use self::other::{OtherName, OtherNameError};
pub use self::text::NameTextError;

use crate::oid;
use crate::tlv::{self, Tlv};

/// A distinguished name, kept as the DER it came in or was made as.
///
/// Order, repeated attributes and multi-valued RDNs survive untouched: an issuer's name goes into what it signs byte
/// for byte. Equality (`==`) compares those bytes; [`DistinguishedName::matches`] compares as RFC 5280 7.1 does.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct DistinguishedName(Vec<u8>);

/// The attributes that a name can be made of here (X.520, RFC 4519).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum AttributeType {
    /// C
    Country,
    /// O
    Organization,
    /// OU
    OrganizationalUnit,
    /// L
    Locality,
    /// ST
    Province,
    /// STREET
    StreetAddress,
    /// postalCode
    PostalCode,
    /// CN
    CommonName,
    /// serialNumber: of the subject, not of the certificate
    SerialNumber,
    /// UID
    UserId,
    /// DC
    DomainComponent,
    /// emailAddress
    EmailAddress,
}

impl AttributeType {
    const ALL: [Self; 12] = [
        Self::Country,
        Self::Organization,
        Self::OrganizationalUnit,
        Self::Locality,
        Self::Province,
        Self::StreetAddress,
        Self::PostalCode,
        Self::CommonName,
        Self::SerialNumber,
        Self::UserId,
        Self::DomainComponent,
        Self::EmailAddress,
    ];

    /// The short name of RFC 4519, or the usual one.
    pub const fn short_name(self) -> &'static str {
        match self {
            Self::Country => "C",
            Self::Organization => "O",
            Self::OrganizationalUnit => "OU",
            Self::Locality => "L",
            Self::Province => "ST",
            Self::StreetAddress => "STREET",
            Self::PostalCode => "postalCode",
            Self::CommonName => "CN",
            Self::SerialNumber => "serialNumber",
            Self::UserId => "UID",
            Self::DomainComponent => "DC",
            Self::EmailAddress => "emailAddress",
        }
    }

    /// The most characters that a value may have (RFC 5280 appendix A.1, upper bounds; X.520).
    pub const fn max_characters(self) -> usize {
        match self {
            Self::Country => 2,
            Self::Organization | Self::OrganizationalUnit | Self::CommonName | Self::SerialNumber => 64,
            Self::Locality | Self::Province | Self::StreetAddress => 128,
            Self::PostalCode => 40,
            Self::UserId => 256,
            Self::DomainComponent => 63,
            Self::EmailAddress => 255,
        }
    }

    const fn oid(self) -> ObjectIdentifier {
        match self {
            Self::Country => oid::COUNTRY,
            Self::Organization => oid::ORGANIZATION,
            Self::OrganizationalUnit => oid::ORGANIZATIONAL_UNIT,
            Self::Locality => oid::LOCALITY,
            Self::Province => oid::PROVINCE,
            Self::StreetAddress => oid::STREET_ADDRESS,
            Self::PostalCode => oid::POSTAL_CODE,
            Self::CommonName => oid::COMMON_NAME,
            Self::SerialNumber => oid::SERIAL_NUMBER,
            Self::UserId => oid::USER_ID,
            Self::DomainComponent => oid::DOMAIN_COMPONENT,
            Self::EmailAddress => oid::EMAIL_ADDRESS,
        }
    }

    fn from_oid(oid: ObjectIdentifier) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.oid() == oid)
    }

    /// Which string type holds `value`.
    fn string_tag(self, value: &str) -> u8 {
        match self {
            // RFC 5280 appendix A.1: these two are IA5String.
            Self::DomainComponent | Self::EmailAddress => tlv::IA5_STRING,
            _ if value.chars().all(is_printable) => tlv::PRINTABLE_STRING,
            _ => tlv::UTF8_STRING,
        }
    }

    /// Checks one value against the type's length and alphabet.
    fn check(self, value: &str) -> Result<(), NameError> {
        let wrong = |problem| Err(NameError::Value { attribute: self, value: value.to_owned(), problem });
        let characters = value.chars().count();
        if characters == 0 {
            return wrong(ValueProblem::Empty);
        }
        if characters > self.max_characters() {
            return wrong(ValueProblem::TooLong { characters });
        }
        if value.chars().any(char::is_control) {
            return wrong(ValueProblem::ControlCharacter);
        }
        match self {
            // X.520 6.3.1: the two letters of ISO 3166.
            Self::Country if !(characters == 2 && value.chars().all(|c| c.is_ascii_alphabetic())) => {
                wrong(ValueProblem::NotACountryCode)
            }
            // RFC 5280 appendix A.1: PrintableString.
            Self::SerialNumber if !value.chars().all(is_printable) => wrong(ValueProblem::NotPrintable),
            Self::DomainComponent | Self::EmailAddress if !value.is_ascii() => wrong(ValueProblem::NotAscii),
            _ => Ok(()),
        }
    }
}

/// X.680 41.4: the alphabet of PrintableString.
const fn is_printable(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || matches!(c, ' ' | '\'' | '(' | ')' | '+' | ',' | '-' | '.' | '/' | ':' | '=' | '?')
}

impl DistinguishedName {
    /// The name without any attribute.
    pub fn empty() -> Self {
        Self(alloc::vec![tlv::SEQUENCE, 0])
    }

    /// A name of these relative distinguished names, in this order; each may have several attributes.
    ///
    /// Empty inner lists are left out. Within one RDN the order is DER's (X.690 11.6), and equal attributes are one.
    ///
    /// # Errors
    ///
    /// [`NameError`] for a value that is empty, too long, or outside its attribute's alphabet.
    pub fn new<'a, R, A>(rdns: R) -> Result<Self, NameError>
    where
        R: IntoIterator<Item = A>,
        A: IntoIterator<Item = (AttributeType, &'a str)>,
    {
        let mut der = Tlv::with_capacity(64);
        let mut outcome = Ok(());
        der.nest(tlv::SEQUENCE, |name| {
            for rdn in rdns {
                let mut attributes: Vec<Vec<u8>> = Vec::new();
                for (kind, value) in rdn {
                    if let Err(error) = kind.check(value) {
                        outcome = Err(error);
                        return;
                    }
                    let mut attribute = Tlv::with_capacity(value.len() + 16);
                    attribute.nest(tlv::SEQUENCE, |content| {
                        content.oid(kind.oid()).value(kind.string_tag(value), value.as_bytes());
                    });
                    attributes.push(attribute.into_vec());
                }
                if attributes.is_empty() {
                    continue;
                }
                // X.690 11.6: the elements of a SET OF ascend by their encodings.
                attributes.sort();
                attributes.dedup();
                name.nest(tlv::SET, |set| {
                    for attribute in &attributes {
                        set.raw(attribute);
                    }
                });
            }
        });
        outcome.map(|()| Self(der.into_vec()))
    }

    /// A name with a common name only.
    ///
    /// # Errors
    ///
    /// As [`DistinguishedName::new`].
    pub fn with_common_name(common_name: &str) -> Result<Self, NameError> {
        Self::new([[(AttributeType::CommonName, common_name)]])
    }

    /// Reads the DER of a Name.
    ///
    /// # Errors
    ///
    /// [`NameError::Malformed`] if it is not one.
    pub fn from_der(der: &[u8]) -> Result<Self, NameError> {
        let name = Self(der.to_vec());
        name.read(|_, _, _, _| ()).map_err(|_| NameError::Malformed)?;
        Ok(name)
    }

    /// The DER of the Name.
    pub fn der(&self) -> &[u8] {
        &self.0
    }

    /// Whether the name has no attributes.
    pub fn is_empty(&self) -> bool {
        self.0.len() <= 2
    }

    /// The values of one attribute type, in order, as text; values that are no text are left out.
    pub fn values(&self, wanted: AttributeType) -> Vec<String> {
        let mut values = Vec::new();
        let wanted = wanted.oid();
        let _ = self.read(|_, oid, tag, value| {
            if oid == wanted {
                values.extend(text_of(tag, value));
            }
        });
        values
    }

    /// The last common name: the most specific one, where there are several.
    pub fn common_name(&self) -> Option<String> {
        self.values(AttributeType::CommonName).pop()
    }

    /// How many attributes of one type there are, also of values that are no text.
    pub(crate) fn count(&self, wanted: AttributeType) -> usize {
        let mut count = 0;
        let _ = self.read(|_, oid, _, _| count += usize::from(oid == wanted.oid()));
        count
    }

    /// Each attribute, with its type where that is known here, as `O=Example`.
    pub(crate) fn attributes(&self) -> Vec<(Option<AttributeType>, String)> {
        let mut attributes = Vec::new();
        let _ = self.read(|_, oid, tag, value| {
            attributes.push((AttributeType::from_oid(oid), Attribute { oid, tag, value }.to_string()));
        });
        attributes
    }

    /// Whether two names are the same by RFC 5280 7.1: RDN by RDN, without regard to letter case, to the kind of
    /// string, and to white space at the ends or repeated within.
    pub fn matches(&self, other: &Self) -> bool {
        self.0 == other.0 || self.folded() == other.folded()
    }

    /// Whether the first RDNs of this name are those of `base` (RFC 5280 7.1); each name begins with the empty one.
    pub fn begins_with(&self, base: &Self) -> bool {
        self.folded().starts_with(&base.folded())
    }

    /// Octets that are the same for two names exactly when they [match](Self::matches): what an index of names is made
    /// of. Not DER, and not a name.
    pub fn comparison_form(&self) -> Vec<u8> {
        let mut form = Vec::with_capacity(self.0.len());
        let mut put = |octets: &[u8]| {
            form.extend_from_slice(&(octets.len() as u64).to_be_bytes());
            form.extend_from_slice(octets);
        };
        for rdn in self.folded() {
            put(&[]);
            for (oid, value) in rdn {
                put(oid.as_bytes());
                match value {
                    Folded::Text(text) => {
                        put(b"text");
                        put(text.as_bytes());
                    }
                    Folded::Other(octets) => {
                        put(b"other");
                        put(&octets);
                    }
                }
            }
        }
        form
    }

    /// Each RDN as its sorted, folded attributes.
    fn folded(&self) -> Vec<Vec<(ObjectIdentifier, Folded)>> {
        let mut rdns: Vec<Vec<(ObjectIdentifier, Folded)>> = Vec::new();
        let _ = self.read(|rdn, oid, tag, value| {
            if rdns.len() <= rdn {
                rdns.push(Vec::new());
            }
            let folded = match text_of(tag, value) {
                Some(text) => Folded::Text(fold(&text)),
                None => Folded::Other(value.to_vec()),
            };
            if let Some(last) = rdns.last_mut() {
                last.push((oid, folded));
            }
        });
        for rdn in &mut rdns {
            rdn.sort();
        }
        rdns
    }

    /// Calls `each` with the RDN's index and the attribute's type, string tag and content octets.
    pub(crate) fn read(&self, mut each: impl FnMut(usize, ObjectIdentifier, Tag, &[u8])) -> der::Result<()> {
        tlv::read_sequence(&self.0, |name| {
            let mut index = 0;
            while !name.is_finished() {
                let mut rdn = SliceReader::new(tlv::content_of(name, Tag::Set)?)?;
                loop {
                    let mut attribute = SliceReader::new(tlv::content_of(&mut rdn, Tag::Sequence)?)?;
                    let oid = ObjectIdentifier::decode(&mut attribute)?;
                    let (tag, value) = tlv::any_of(&mut attribute)?;
                    attribute.finish()?;
                    each(index, oid, tag, value);
                    if rdn.is_finished() {
                        break;
                    }
                }
                index += 1;
            }
            Ok(())
        })
    }
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Folded {
    Text(String),
    Other(Vec<u8>),
}

fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.extend(word.chars().flat_map(char::to_lowercase));
    }
    folded
}

/// The text of a directory string (RFC 5280 4.1.2.4), or of an IA5String.
fn text_of(tag: Tag, value: &[u8]) -> Option<String> {
    match tag {
        Tag::Utf8String => core::str::from_utf8(value).ok().map(ToOwned::to_owned),
        Tag::PrintableString | Tag::Ia5String | Tag::NumericString if value.is_ascii() => {
            core::str::from_utf8(value).ok().map(ToOwned::to_owned)
        }
        // TeletexString is read as ISO 8859-1, as everybody does.
        Tag::TeletexString => Some(value.iter().map(|&octet| char::from(octet)).collect()),
        Tag::BmpString => {
            let units = value.chunks(2).map(|unit| match unit {
                [high, low] => u16::from_be_bytes([*high, *low]),
                _ => 0xfffd,
            });
            char::decode_utf16(units).collect::<Result<_, _>>().ok()
        }
        _ => None,
    }
}

/// Attributes in the order of the name, as `CN=www.example.com, O=Example`; a multi-valued RDN has `+` between its
/// values.
impl fmt::Display for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut outcome = Ok(());
        let mut previous = None;
        let read = self.read(|rdn, oid, tag, value| {
            let separator = match previous {
                None => "",
                Some(index) if index == rdn => " + ",
                Some(_) => ", ",
            };
            previous = Some(rdn);
            outcome = outcome.and_then(|()| {
                f.write_str(separator)?;
                Attribute { oid, tag, value }.fmt(f)
            });
        });
        read.map_err(|_| fmt::Error)?;
        outcome
    }
}

/// One attribute of a name, as `O=Example`.
struct Attribute<'a> {
    oid: ObjectIdentifier,
    tag: Tag,
    value: &'a [u8],
}

impl fmt::Display for Attribute<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match AttributeType::from_oid(self.oid) {
            Some(kind) => f.write_str(kind.short_name())?,
            None => self.oid.fmt(f)?,
        }
        f.write_str("=")?;
        match text_of(self.tag, self.value) {
            Some(text) => write_escaped(f, &text),
            None => {
                f.write_str("#")?;
                self.value.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
            }
        }
    }
}

/// RFC 4514 2.4, and control characters in hexadecimal: a terminal must show what is there.
fn write_escaped(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    use core::fmt::Write as _;
    for c in text.chars() {
        match c {
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' => write!(f, "\\{c}")?,
            c if c.is_control() => write!(f, "\\{:02x}", u32::from(c))?,
            c => f.write_char(c)?,
        }
    }
    Ok(())
}

impl fmt::Debug for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DistinguishedName({self})")
    }
}

/// What makes a value unfit for its attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValueProblem {
    /// A control character, such as NUL.
    ControlCharacter,
    /// No characters.
    Empty,
    /// Not the two letters of ISO 3166.
    NotACountryCode,
    /// A character beyond ASCII.
    NotAscii,
    /// A character outside PrintableString.
    NotPrintable,
    /// More characters than the attribute's upper bound.
    TooLong {
        /// How many there are.
        characters: usize,
    },
}

/// A name that cannot be read or made.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameError {
    /// The DER is not that of a Name.
    Malformed,
    /// A value that its attribute cannot have.
    Value {
        /// The attribute.
        attribute: AttributeType,
        /// The value.
        value: String,
        /// What is wrong with it.
        problem: ValueProblem,
    },
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Value { attribute, value, problem } = self else {
            return f.write_str("the name is not the DER of a distinguished name (RFC 5280 4.1.2.4)");
        };
        let name = attribute.short_name();
        match problem {
            ValueProblem::ControlCharacter => write!(f, "{name} {value:?} contains a control character"),
            ValueProblem::Empty => write!(f, "{name} is empty; leave it out instead"),
            ValueProblem::NotACountryCode => {
                write!(f, "{name} {value:?} is not a country code of two letters (ISO 3166), such as DE")
            }
            ValueProblem::NotAscii => write!(f, "{name} {value:?} has characters beyond ASCII"),
            ValueProblem::NotPrintable => {
                write!(f, "{name} {value:?} has characters other than letters, digits, space and '()+,-./:=?")
            }
            ValueProblem::TooLong { characters } => write!(
                f,
                "{name} {value:?} has {characters} characters, at most {} are allowed (RFC 5280 appendix A.1)",
                attribute.max_characters()
            ),
        }
    }
}

impl core::error::Error for NameError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn order_and_repeats_are_kept() {
        use AttributeType::{CommonName, Country, Organization, OrganizationalUnit};
        let name = DistinguishedName::new([
            alloc::vec![(Country, "DE")],
            alloc::vec![(Organization, "Example, Inc.")],
            alloc::vec![(OrganizationalUnit, "Z"), (OrganizationalUnit, "E"), (OrganizationalUnit, "Z")],
            alloc::vec![(CommonName, "Gr\u{fc}n")],
        ])
        .unwrap();
        assert_eq!(name.to_string(), "C=DE, O=Example\\, Inc., OU=E + OU=Z, CN=Grün");
        assert_eq!(name.values(OrganizationalUnit), ["E", "Z"]);
        assert_eq!(DistinguishedName::from_der(name.der()), Ok(name));
    }

    #[test]
    fn names_match_without_regard_to_case_space_and_string_type() {
        let one = DistinguishedName::with_common_name("Example  Root CA").unwrap();
        let two = DistinguishedName::with_common_name(" example root ca").unwrap();
        // UTF8String "EXAMPLE ROOT CA"
        let mut three = b"\x30\x1a\x31\x18\x30\x16\x06\x03\x55\x04\x03\x0c\x0f".to_vec();
        three.extend_from_slice(b"EXAMPLE ROOT CA");
        let three = DistinguishedName::from_der(&three).unwrap();
        assert!(one.matches(&two) && two.matches(&three) && one != two);
        assert!(!one.matches(&DistinguishedName::with_common_name("ExampleRoot CA").unwrap()));
        assert!(!one.matches(&DistinguishedName::empty()));
        assert_eq!(one.comparison_form(), three.comparison_form());
    }

    #[test]
    fn the_comparison_form_is_the_same_exactly_where_names_match() {
        use AttributeType::{CommonName, Organization, OrganizationalUnit};
        let name = |rdns: &[&[(AttributeType, &str)]]| {
            DistinguishedName::new(rdns.iter().map(|rdn| rdn.iter().copied())).unwrap()
        };
        let names = [
            name(&[]),
            name(&[&[(CommonName, "a b")]]),
            name(&[&[(CommonName, "A  B")]]),
            name(&[&[(Organization, "a b")]]),
            name(&[&[(CommonName, "a")], &[(CommonName, "b")]]),
            name(&[&[(CommonName, "b")], &[(CommonName, "a")]]),
            name(&[&[(CommonName, "a"), (OrganizationalUnit, "b")]]),
            name(&[&[(OrganizationalUnit, "B"), (CommonName, "A")]]),
            name(&[&[(CommonName, "a")], &[(OrganizationalUnit, "b")]]),
        ];
        for one in &names {
            for other in &names {
                let same = one.comparison_form() == other.comparison_form();
                assert_eq!(same, one.matches(other), "{one} and {other}");
            }
        }
    }

    #[test]
    fn values_out_of_bounds_are_refused() {
        use AttributeType::{CommonName, Country, SerialNumber};
        for (kind, value) in [
            (CommonName, ""),
            (CommonName, "a\0b"),
            (CommonName, "12345678901234567890123456789012345678901234567890123456789012345"),
            (Country, "DEU"),
            (Country, "D1"),
            (SerialNumber, "a*b"),
        ] {
            let error = DistinguishedName::new([[(kind, value)]]).unwrap_err();
            assert!(matches!(error, NameError::Value { .. }), "{value}");
            assert!(!error.to_string().is_empty());
        }
    }

    proptest! {
        #[test]
        fn any_octets_are_a_name_or_refused(octets in proptest::collection::vec(any::<u8>(), 0..60)) {
            if let Ok(name) = DistinguishedName::from_der(&octets) {
                let _ = name.to_string();
                prop_assert!(name.matches(&name));
            }
        }

        #[test]
        fn a_common_name_reads_back(text in "[^\\p{Cc}]{1,64}") {
            let name = DistinguishedName::with_common_name(&text).unwrap();
            prop_assert_eq!(name.common_name(), Some(text));
        }
    }
}
