//! A random role and a random request, which have enough in common that many requests are permitted.

use std::net::IpAddr;
use std::time::Duration;

use pki_core::csr::CertificationRequest;
use pki_core::issue::{AskedLifetime, AskedNames, CommonName, CommonNameInSans, IssueRequest, SignRequest};
use pki_core::key::SigningKey;
use pki_core::key::software::Verifier;
use pki_core::name::{AttributeType, DistinguishedName, DnsName, EmailAddress, GeneralName, OtherName, Uri};
use pki_core::role::{PolicyIdentifier, RoleConfig, RoleKeyType, RoleNotAfterBehavior, Storage};
use pki_core::time::UnixTime;

use super::dice::Dice;
use super::house::{House, Wrong, random};

/// A name as it was drawn: its kind is known, so that a judge need not guess it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Drawn {
    /// A DNS name, lower case, perhaps a wildcard.
    Dns(String),
    /// An e-mail address.
    Email(String),
    /// An IP address.
    Ip(IpAddr),
    /// A URI.
    Uri(String),
    /// An otherName: identifier and value.
    Other(String, String),
    /// Text that is none of these.
    Text(String),
}

/// The names of a request or of its CSR.
#[derive(Clone, Debug, Default)]
pub struct DrawnNames {
    /// The common name.
    pub common_name: Option<Drawn>,
    /// The alternative names.
    pub alternative_names: Vec<Drawn>,
    /// serialNumbers of the subject.
    pub serial_numbers: Vec<String>,
    /// User ids of the subject.
    pub user_ids: Vec<String>,
}

/// A request, and what it was made of.
#[derive(Clone, Debug)]
pub struct DrawnRequest {
    /// The names beside the CSR, or of a request without one.
    pub names: DrawnNames,
    /// Whether the common name stays in the subject alone.
    pub exclude_common_name: bool,
    /// The names in the CSR, if there is one.
    pub in_csr: Option<DrawnNames>,
    /// The lifetime.
    pub lifetime: AskedLifetime,
    /// The index of the key.
    pub key: usize,
}

/// A role. It may be one that cannot be written.
pub fn role(dice: &mut Dice) -> RoleConfig {
    let words = |list: Vec<&str>| list.into_iter().map(str::to_owned).collect::<Vec<String>>();
    let key_type = dice.one(&[
        RoleKeyType::Any,
        RoleKeyType::Any,
        RoleKeyType::Any,
        RoleKeyType::Ec,
        RoleKeyType::Ed25519,
        RoleKeyType::Rsa,
    ]);
    let key_bits = match key_type {
        RoleKeyType::Rsa => dice.one(&[0, 2048, 3072]),
        RoleKeyType::Ec => dice.one(&[0, 256, 256, 384]),
        _ => 0,
    };
    let usages = dice.one(&[
        &["DigitalSignature", "KeyAgreement", "KeyEncipherment"][..],
        &["DigitalSignature", "KeyEncipherment"],
        &["DigitalSignature"],
        &["digitalSignature", "ContentCommitment", "KeyAgreement", "EncipherOnly"],
        &[],
    ]);
    let role = RoleConfig {
        key_type,
        key_bits,
        key_usage: words(usages.to_vec()),
        ttl: dice.one(&[0, 0, 600, 600]),
        max_ttl: dice.one(&[0, 3_600, 604_800, 9_000_000]),
        allow_localhost: dice.chance(40),
        allowed_domains: words(dice.some(&DOMAINS, 6)),
        allow_bare_domains: dice.chance(75),
        allow_subdomains: dice.chance(75),
        allow_glob_domains: dice.chance(50),
        allow_wildcard_certificates: dice.chance(80),
        allow_any_name: dice.chance(30),
        enforce_hostnames: dice.chance(75),
        allow_ip_sans: dice.chance(70),
        allowed_ip_sans_cidr: if dice.chance(30) { words(dice.some(&NETWORKS, 2)) } else { Vec::new() },
        allowed_uri_sans: words(dice.some(&URI_PATTERNS, 2)),
        allowed_other_sans: words(dice.one(&OTHER_PATTERNS).to_vec()),
        allowed_serial_numbers: words(dice.some(&["SN-*", "7", "*"], 1)),
        allowed_user_ids: words(dice.some(&["ann", "b*", "*"], 2)),
        server_flag: dice.chance(70),
        client_flag: dice.chance(60),
        code_signing_flag: dice.chance(10),
        email_protection_flag: dice.chance(10),
        ext_key_usage: if dice.chance(15) {
            words(dice.some(&["ClientAuth", "TimeStamping", "codesigning"], 1))
        } else {
            Vec::new()
        },
        require_cn: dice.chance(25),
        cn_validations: words(
            dice.one(&[&["email", "hostname"][..], &["hostname"], &["email"], &["disabled"]]).to_vec(),
        ),
        use_csr_common_name: dice.chance(70),
        use_csr_sans: dice.chance(70),
        ou: words(dice.some(&["Sales", "IT; Ops", "Größe"], 2)),
        organization: words(dice.some(&["Example", "Other, Inc."], 1)),
        country: words(dice.some(&["DE", "AT"], 1)),
        locality: words(dice.some(&["Graz"], 1)),
        storage: dice.one(&[Storage::Full, Storage::Full, Storage::Index, Storage::None]),
        not_before_duration: dice.one(&[0, 30, 3_600]),
        leaf_not_after_behavior: dice.one(&[
            RoleNotAfterBehavior::Issuer,
            RoleNotAfterBehavior::Issuer,
            RoleNotAfterBehavior::Err,
            RoleNotAfterBehavior::Truncate,
            RoleNotAfterBehavior::Permit,
        ]),
        ..RoleConfig::default()
    };
    RoleConfig {
        not_after: if dice.chance(8) { "2027-02-01T00:00:00Z".to_owned() } else { String::new() },
        not_after_bound: dice.one(&["permit", "permit", "ttl-limited", "forbid"]).to_owned(),
        ext_key_usage_oids: words(if dice.chance(10) { vec!["1.3.6.1.4.1.99999.1"] } else { Vec::new() }),
        policy_identifiers: if dice.chance(15) {
            vec![PolicyIdentifier::new("1.3.6.1.4.1.99999.2".to_owned())]
        } else {
            Vec::new()
        },
        basic_constraints_valid_for_non_ca: dice.chance(20),
        use_pss: dice.chance(20),
        ..role
    }
}

/// A request that a role of [`role`] may permit or not.
pub fn request(dice: &mut Dice, house: &House) -> DrawnRequest {
    let with_csr = dice.chance(40);
    let lifetime = match dice.below(10) {
        0..6 => AskedLifetime::Default,
        6 | 7 => AskedLifetime::Ttl(Duration::from_secs(dice.next() % 5_000_000)),
        _ => {
            let shift = dice.next() % 5_000_000;
            UnixTime::from_secs((house.now.as_secs() + shift).saturating_sub(200_000))
                .map_or(AskedLifetime::Default, AskedLifetime::NotAfter)
        }
    };
    DrawnRequest {
        names: if with_csr && dice.chance(60) { DrawnNames::default() } else { names(dice) },
        exclude_common_name: dice.chance(20),
        in_csr: with_csr.then(|| names(dice)),
        lifetime,
        // The dear kinds of keys are rarer than the cheap ones.
        key: if dice.chance(85) { dice.below(5) } else { dice.below(house.keys.len()) },
    }
}

fn names(dice: &mut Dice) -> DrawnNames {
    let common_name = match dice.below(30) {
        0..24 => Some(dns(dice)),
        24 => Some(email(dice)),
        25 => Some(Drawn::Text("Device 7".to_owned())),
        26 => Some(Drawn::Ip(dice.one(&ADDRESSES).into())),
        _ => None,
    };
    let count = dice.one(&[0, 1, 1, 1, 2, 4]);
    let alternative_names = (0..count)
        .map(|_| match dice.below(20) {
            0..13 => dns(dice),
            13 | 14 => email(dice),
            15 | 16 => Drawn::Ip(dice.one(&ADDRESSES).into()),
            17 | 18 => Drawn::Uri(dice.one(&URIS).to_owned()),
            _ => {
                let (id, value) = dice.one(&OTHERS);
                Drawn::Other(id.to_owned(), value.to_owned())
            }
        })
        .collect();
    let few = |dice: &mut Dice, of: &[&str]| -> Vec<String> {
        if dice.chance(95) { Vec::new() } else { dice.some(of, 1).into_iter().map(str::to_owned).collect() }
    };
    DrawnNames {
        common_name,
        alternative_names,
        serial_numbers: few(dice, &["SN-1", "7", "x"]),
        user_ids: few(dice, &["ann", "bob", "eve"]),
    }
}

fn dns(dice: &mut Dice) -> Drawn {
    let base = dice.one(&BASES);
    let label = dice.one(&["", "", "www.", "www.", "a.b.", "*.", "*.x."]);
    Drawn::Dns(format!("{label}{base}"))
}

fn email(dice: &mut Dice) -> Drawn {
    Drawn::Email(format!("{}@{}", dice.one(&["ann", "Bob.Q"]), dice.one(&BASES)))
}

impl Drawn {
    fn text(&self) -> String {
        match self {
            Self::Dns(text) | Self::Email(text) | Self::Uri(text) | Self::Text(text) => text.clone(),
            Self::Ip(address) => address.to_string(),
            Self::Other(id, value) => format!("{id};utf8:{value}"),
        }
    }

    fn general_name(&self) -> Result<GeneralName, Wrong> {
        Ok(match self {
            Self::Dns(text) => GeneralName::Dns(DnsName::parse(text)?),
            Self::Email(text) => GeneralName::Email(EmailAddress::parse(text)?),
            Self::Ip(address) => GeneralName::Ip(*address),
            Self::Uri(text) => GeneralName::Uri(Uri::parse(text)?),
            Self::Other(..) => GeneralName::OtherName(OtherName::parse(&self.text())?),
            Self::Text(text) => return Err(format!("{text} is no general name").into()),
        })
    }
}

impl DrawnNames {
    fn general_names(&self) -> Result<Vec<GeneralName>, Wrong> {
        self.alternative_names.iter().map(Drawn::general_name).collect()
    }

    fn subject(&self) -> Result<DistinguishedName, Wrong> {
        let common_name = self.common_name.as_ref().map(Drawn::text);
        let attributes =
            [(AttributeType::SerialNumber, &self.serial_numbers), (AttributeType::UserId, &self.user_ids)];
        let attributes = attributes.iter().flat_map(|(kind, values)| {
            values.iter().map(|value| vec![(*kind, value.as_str())]).collect::<Vec<_>>()
        });
        let common_name = common_name.iter().map(|name| vec![(AttributeType::CommonName, name.as_str())]);
        Ok(DistinguishedName::new(attributes.chain(common_name))?)
    }
}

impl DrawnRequest {
    fn asked_names(&self) -> Result<AskedNames, Wrong> {
        let DrawnNames { common_name, serial_numbers, user_ids, .. } = &self.names;
        Ok(AskedNames {
            common_name: common_name.as_ref().map(|name| CommonName::parse(&name.text())).transpose()?,
            common_name_in_sans: if self.exclude_common_name {
                CommonNameInSans::Exclude
            } else {
                CommonNameInSans::Include
            },
            alternative_names: self.names.general_names()?,
            subject_serial_numbers: serial_numbers.clone(),
            user_ids: user_ids.clone(),
        })
    }

    /// The request for a new key.
    ///
    /// # Errors
    ///
    /// [`Wrong`] if a name was drawn that is none.
    pub fn for_issue(&self, house: &House) -> Result<IssueRequest, Wrong> {
        let key = house.keys.get(self.key).map(|(algorithm, _)| (algorithm.key_type(), algorithm.bits()));
        Ok(IssueRequest {
            names: self.asked_names()?,
            lifetime: self.lifetime,
            key,
            ..IssueRequest::default()
        })
    }

    /// The request with a CSR that has these names.
    ///
    /// # Errors
    ///
    /// [`Wrong`] if a name was drawn that is none.
    pub fn for_sign(&self, house: &House, in_csr: &DrawnNames) -> Result<SignRequest, Wrong> {
        let (_, key) = house.keys.get(self.key).ok_or("a key")?;
        let key: &dyn SigningKey = key;
        let names = in_csr.general_names()?;
        let csr = CertificationRequest::create(&in_csr.subject()?, &names, key, &mut random)?;
        Ok(SignRequest {
            names: self.asked_names()?,
            lifetime: self.lifetime,
            ..SignRequest::new(CertificationRequest::from_der(&csr, &Verifier)?)
        })
    }
}

/// What names end in.
const BASES: [&str; 12] = [
    "example.com",
    "example.com",
    "example.com",
    "example.com",
    "example.net",
    "example.net",
    "secret.example.com",
    "badexample.com",
    "glob.test",
    "localhost",
    "elsewhere.test",
    "xn--bcher-kva.example",
];

/// What roles allow. The judge knows that the last is `xn--bcher-kva.example`.
const DOMAINS: [&str; 8] = [
    "example.com",
    "Example.NET",
    "*.glob.test",
    "*example.com",
    "a*.secret.example.com",
    "ann@elsewhere.test",
    "device*",
    "bücher.example",
];

const NETWORKS: [&str; 3] = ["10.0.0.0/8", "192.0.2.0/25", "2001:db8::/32"];

const ADDRESSES: [std::net::Ipv4Addr; 4] = [
    std::net::Ipv4Addr::new(10, 1, 2, 3),
    std::net::Ipv4Addr::new(192, 0, 2, 1),
    std::net::Ipv4Addr::new(192, 0, 2, 200),
    std::net::Ipv4Addr::new(127, 0, 0, 1),
];

const URI_PATTERNS: [&str; 3] = ["spiffe://example.com/*", "urn:x", "*"];

const URIS: [&str; 4] =
    ["spiffe://example.com/db", "SPIFFE://example.com/Web", "urn:x", "https://example.net/a"];

const OTHER_PATTERNS: [&[&str]; 4] =
    [&[], &["*"], &["1.2.3;utf8:x"], &["1.3.6.1.4.1.311.20.2.3;utf8:*@example.com", "1.2.3;utf8:x"]];

const OTHERS: [(&str, &str); 3] = [
    ("1.3.6.1.4.1.311.20.2.3", "ann@example.com"),
    ("1.3.6.1.4.1.311.20.2.3", "ann@other.test"),
    ("1.2.3", "x"),
];
