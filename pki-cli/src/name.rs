//! Names of mounts, issuers, keys and roles.

use crate::fault::Fault;

/// Vault's rule for names: letters, digits and `_`; `-` and `.` inside; and `default` is a reference, not a name.
///
/// # Errors
///
/// A usage [`Fault`] that says what `what` may be called.
pub(crate) fn check_name(what: &str, name: &str) -> Result<(), Fault> {
    let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let outside = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let sound = name.chars().all(inside)
        && name.chars().next().is_some_and(outside)
        && name.chars().next_back().is_some_and(outside);
    if !sound || name.len() > MAX_NAME {
        return Err(Fault::usage(
            format!("{name:?} cannot be the name of {what}"),
            "a name has letters, digits and `_`, with `-` and `.` inside, and at most 128 characters",
        ));
    }
    if matches!(what, "an issuer" | "a key") && name.eq_ignore_ascii_case("default") {
        return Err(Fault::usage(
            format!("\"default\" is reserved: it refers to the default, and cannot be the name of {what}"),
            "choose another name",
        ));
    }
    Ok(())
}

/// Ours: far above any name in use, far below what a terminal or a log line bears.
const MAX_NAME: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_vaults() {
        for name in ["pki", "pki_int", "root-2026", "a.b", "_", "A9"] {
            assert!(check_name("an issuer", name).is_ok(), "{name}");
        }
        for name in ["", "-a", "a-", ".a", "a b", "a/b", "ä", "a\n", "default", "DEFAULT"] {
            assert!(check_name("an issuer", name).is_err(), "{name}");
        }
        assert!(check_name("a role", "default").is_ok());
    }
}
