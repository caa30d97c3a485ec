//! Outcomes as they are kept for a batch that is committed again.

use pki_core::authority::AuthorityId;
use pki_core::revocation::RevocationReason;

use crate::batch::Outcome;
use crate::crl::{CrlDraft, CrlScope};
use crate::fields::{FieldReader, Fields};
use crate::id::{IssuerId, KeyId, RoleId};
use crate::issuer::CrlSigning;
use crate::lease::LeaseId;
use crate::revocation::Revocation;
use crate::role::RoleVersion;

pub(crate) fn encode(outcomes: &[Outcome]) -> Vec<u8> {
    let mut fields = Fields::default();
    for outcome in outcomes {
        match outcome {
            Outcome::Done => {
                fields.tag(0);
            }
            Outcome::Role(RoleVersion { id, revision }) => {
                fields.tag(1).fixed(id.as_bytes()).number(*revision);
            }
            Outcome::Revision(revision) => {
                fields.tag(2).number(*revision);
            }
            Outcome::Issuer { id, existing, name, key, crl_signing, default } => {
                fields
                    .tag(3)
                    .fixed(id.as_bytes())
                    .flag(*existing)
                    .option(name.as_ref(), |fields, name| {
                        fields.text(name);
                    })
                    .option(key.as_ref(), |fields, key| {
                        fields.fixed(key.as_bytes());
                    })
                    .flag(*crl_signing == CrlSigning::On)
                    .flag(*default);
            }
            Outcome::Certificate(n) => {
                fields.tag(4).number(*n);
            }
            Outcome::Revoked { revocation, already } => {
                let Revocation { id, authority, serial, revoked_at, reason, not_after } = revocation;
                fields
                    .tag(5)
                    .flag(*already)
                    .number(*id)
                    .fixed(authority.as_bytes())
                    .serial(*serial)
                    .time(*revoked_at)
                    .tag(reason.code())
                    .option(*not_after, |fields, at| {
                        fields.time(at);
                    });
            }
            Outcome::Crl(CrlDraft { authority, scope, number, this_update, last_revocation, revoked }) => {
                fields
                    .tag(6)
                    .fixed(authority.as_bytes())
                    .int(scope.code())
                    .large(*number)
                    .time(*this_update)
                    .number(*last_revocation)
                    .number(*revoked);
            }
            Outcome::Lease { fence } => {
                fields.tag(7).number(*fence);
            }
            Outcome::Leases { changed } => {
                fields.tag(8).number(*changed);
            }
            Outcome::Claimed(leases) => {
                fields.tag(9).number(leases.len() as u64);
                for (lease, fence) in leases {
                    fields.text(lease.path()).text(lease.unique()).number(*fence);
                }
            }
        }
    }
    fields.into_bytes()
}

pub(crate) fn decode(octets: &[u8]) -> Option<Vec<Outcome>> {
    let mut reader = FieldReader::new(octets);
    let mut outcomes = Vec::new();
    while !reader.is_empty() {
        outcomes.push(decode_one(&mut reader)?);
    }
    Some(outcomes)
}

fn decode_one(reader: &mut FieldReader<'_>) -> Option<Outcome> {
    let [tag] = reader.array()?;
    Some(match tag {
        0 => Outcome::Done,
        1 => {
            Outcome::Role(RoleVersion { id: RoleId::from_bytes(reader.array()?), revision: reader.number()? })
        }
        2 => Outcome::Revision(reader.number()?),
        3 => Outcome::Issuer {
            id: IssuerId::from_bytes(reader.array()?),
            existing: reader.flag()?,
            name: reader.option(FieldReader::text)?,
            key: reader.option(|reader| reader.array().map(KeyId::from_bytes))?,
            crl_signing: if reader.flag()? { CrlSigning::On } else { CrlSigning::Off },
            default: reader.flag()?,
        },
        4 => Outcome::Certificate(reader.number()?),
        5 => {
            let already = reader.flag()?;
            let revocation = Revocation {
                id: reader.number()?,
                authority: AuthorityId::from_bytes(reader.array()?),
                serial: reader.serial()?,
                revoked_at: reader.time()?,
                reason: reader.array().and_then(|[code]: [u8; 1]| RevocationReason::from_code(code))?,
                not_after: reader.option(FieldReader::time)?,
            };
            Outcome::Revoked { revocation, already }
        }
        6 => Outcome::Crl(CrlDraft {
            authority: AuthorityId::from_bytes(reader.array()?),
            scope: CrlScope::from_code(reader.int()?)?,
            number: reader.large()?,
            this_update: reader.time()?,
            last_revocation: reader.number()?,
            revoked: reader.number()?,
        }),
        7 => Outcome::Lease { fence: reader.number()? },
        8 => Outcome::Leases { changed: reader.number()? },
        9 => {
            let count = reader.number()?;
            let mut leases = Vec::new();
            for _ in 0..count {
                leases.push((LeaseId::from_parts(reader.text()?, reader.text()?), reader.number()?));
            }
            Outcome::Claimed(leases)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use pki_core::serial::SerialNumber;
    use pki_core::time::UnixTime;

    #[test]
    fn every_outcome_comes_back() {
        let authority = AuthorityId::from_bytes([3; 32]);
        let outcomes = vec![
            Outcome::Done,
            Outcome::Role(RoleVersion { id: RoleId::from_bytes([1; 16]), revision: 7 }),
            Outcome::Revision(9),
            Outcome::Issuer {
                id: IssuerId::from_bytes([2; 16]),
                existing: false,
                name: Some("root-2026".into()),
                key: Some(KeyId::from_bytes([4; 16])),
                crl_signing: CrlSigning::On,
                default: true,
            },
            Outcome::Certificate(5),
            Outcome::Revoked {
                revocation: Revocation {
                    id: 1,
                    authority,
                    serial: SerialNumber::parse("0a:0b").unwrap(),
                    revoked_at: UnixTime::MAX,
                    reason: RevocationReason::KeyCompromise,
                    not_after: None,
                },
                already: true,
            },
            Outcome::Crl(CrlDraft {
                authority,
                scope: CrlScope::Shard(7),
                number: u128::MAX,
                this_update: UnixTime::MIN,
                last_revocation: 1,
                revoked: 1,
            }),
            Outcome::Lease { fence: 3 },
            Outcome::Leases { changed: 0 },
            Outcome::Claimed(vec![(LeaseId::parse("database/creds/web/0001").unwrap(), 7)]),
        ];
        let octets = encode(&outcomes);
        assert_eq!(decode(&octets), Some(outcomes));
        for cut in 1..octets.len() {
            // A cut may fall between two outcomes; it must not panic.
            let _ = decode(&octets[..cut]);
        }
        assert_eq!(decode(&[200]), None);
    }
}
