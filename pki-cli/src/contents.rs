//! What was asked for and what was granted, side by side in the answer.

use pki_core::extension::{Criticality, Extension};
use pki_core::issue::{AskedLifetime, AskedNames, CommonName, Permitted};
use pki_core::key::PublicKey;
use pki_core::name::GeneralName;
use pki_core::time::UnixTime;
use serde_json::{Map, Value, json};

use crate::explanation::Asked;

/// The request in its own words; what it does not speak of is left out.
pub(crate) fn requested(asked: &Asked) -> Value {
    let mut requested = Map::new();
    let (names, not_before, lifetime, extensions) = match asked {
        Asked::Issue(request) => {
            if let Some((key_type, bits)) = request.key {
                requested.insert("key_type".to_owned(), key_type.to_string().into());
                requested.insert("key_bits".to_owned(), bits.into());
            }
            (&request.names, request.not_before, request.lifetime, &request.extensions)
        }
        Asked::Sign(request) => {
            let csr = &request.csr;
            let of_csr = json!({
                "subject": csr.subject().to_string(),
                "names": texts(csr.alternative_names()),
                "extensions": csr.extensions().iter().map(extension).collect::<Vec<_>>(),
            });
            requested.insert("csr".to_owned(), of_csr);
            (&request.names, request.not_before, request.lifetime, &request.extensions)
        }
    };
    let AskedNames { common_name, alternative_names, subject_serial_numbers, user_ids, .. } = names;
    let end = match lifetime {
        AskedLifetime::Default => None,
        AskedLifetime::Ttl(ttl) => Some(("ttl", ttl.as_secs())),
        AskedLifetime::NotAfter(end) => Some(("not_after", end.as_secs())),
    };
    let lists: [(&str, Vec<Value>); 4] = [
        ("names", texts(alternative_names)),
        ("serial_number", subject_serial_numbers.iter().map(|text| text.as_str().into()).collect()),
        ("user_ids", user_ids.iter().map(|text| text.as_str().into()).collect()),
        ("extensions", extensions.iter().map(extension).collect()),
    ];
    let given = lists.into_iter().filter(|(_, values)| !values.is_empty());
    requested.extend(given.map(|(key, values)| (key.to_owned(), Value::from(values))));
    let single: [(&str, Option<Value>); 2] = [
        ("common_name", common_name.as_ref().map(CommonName::as_str).map(Value::from)),
        ("not_before", not_before.map(UnixTime::as_secs).map(Value::from)),
    ];
    let end = end.map(|(key, seconds)| (key, Some(Value::from(seconds))));
    for (key, value) in single.into_iter().chain(end) {
        requested.extend(value.map(|value| (key.to_owned(), value)));
    }
    Value::Object(requested)
}

/// What the certificate says, in the same words.
pub(crate) fn granted(permitted: &Permitted<PublicKey>) -> Value {
    let profile = permitted.profile();
    let policies = permitted
        .policies()
        .iter()
        .map(|policy| json!({ "oid": policy.id.to_string(), "notice": policy.notice, "cps": policy.cps }));
    json!({
        "subject": permitted.subject().to_string(),
        "names": texts(permitted.alternative_names()),
        "key_usage": profile.key_usages().iter().map(|usage| usage.name()).collect::<Vec<_>>(),
        "ext_key_usage": profile.extended_key_usages().iter().map(ToString::to_string).collect::<Vec<_>>(),
        "policies": policies.collect::<Vec<_>>(),
        "extensions": permitted.extensions().iter().map(extension).collect::<Vec<_>>(),
        "not_before": permitted.validity().not_before().as_secs(),
        "not_after": permitted.validity().not_after().as_secs(),
    })
}

fn texts(names: &[GeneralName]) -> Vec<Value> {
    names.iter().map(|name| name.to_string().into()).collect()
}

fn extension(extension: &Extension) -> Value {
    let value: String = extension.value.iter().map(|octet| format!("{octet:02x}")).collect();
    json!({
        "oid": extension.id.to_string(),
        "critical": extension.critical == Criticality::Critical,
        "value": value,
    })
}
