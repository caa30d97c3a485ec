//! Presets: what a role of one kind needs on PostgreSQL 13 to 18, by membership in a group.
//!
//! The group holds the rights, once. A user is its member for the time of a lease, so that no lease adds to the access lists
//! of tables: thousands of them make each GRANT slower, until none fits into its row.

use std::fmt;

use crate::statement::LONGEST_NAME;

/// What the users of a preset may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Read every table.
    ReadOnly,
    /// Read and change every row.
    ReadWrite,
    /// Create and own tables; what a user makes belongs to the group.
    Owner,
}

/// A group and the schemas it has access to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preset {
    access: Access,
    group: String,
    schemas: Vec<String>,
    makers: Vec<String>,
}

impl Preset {
    /// A preset for the tables of these schemas. `makers` are the roles that create tables there: what they create later is
    /// covered too. None means the administrator alone.
    ///
    /// # Errors
    ///
    /// [`PresetError`] for names that are not plain: lower-case letters, digits and underscores, a letter first.
    pub fn new(access: Access, group: &str, schemas: &[&str], makers: &[&str]) -> Result<Self, PresetError> {
        if let Some(name) = [group].iter().chain(schemas).chain(makers).find(|name| !is_plain(name)) {
            return Err(PresetError { name: (*name).into() });
        }
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        Ok(Self { access, group: group.into(), schemas: owned(schemas), makers: owned(makers) })
    }

    /// What the administrator runs once, in the database; running it again changes nothing. `version` is the server's own
    /// number: 150018.
    pub fn setup(&self, version: u32) -> Vec<String> {
        let Self { access, group, schemas, makers } = self;
        let mut statements = vec![format!(
            "DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = '{group}') THEN \
             CREATE ROLE {group} NOLOGIN; END IF; END $$"
        )];
        let (tables, sequences) = match access {
            Access::ReadOnly => ("SELECT", "SELECT"),
            Access::ReadWrite => ("SELECT, INSERT, UPDATE, DELETE", "SELECT, USAGE, UPDATE"),
            Access::Owner => ("ALL", "ALL"),
        };
        for schema in schemas {
            // Before PostgreSQL 15 everyone may create tables in `public`, whatever else is granted.
            if version < 150_000 && schema == "public" {
                statements.push("REVOKE CREATE ON SCHEMA public FROM PUBLIC".into());
            }
            let create = if *access == Access::Owner { ", CREATE" } else { "" };
            statements.push(format!("GRANT USAGE{create} ON SCHEMA {schema} TO {group}"));
            statements.push(format!("GRANT {tables} ON ALL TABLES IN SCHEMA {schema} TO {group}"));
            statements.push(format!("GRANT {sequences} ON ALL SEQUENCES IN SCHEMA {schema} TO {group}"));
            let makers = if makers.is_empty() {
                vec![String::new()]
            } else {
                makers.iter().map(|maker| format!("FOR ROLE {maker} ")).collect()
            };
            for maker in makers {
                let default = format!("ALTER DEFAULT PRIVILEGES {maker}IN SCHEMA {schema}");
                statements.push(format!("{default} GRANT {tables} ON TABLES TO {group}"));
                statements.push(format!("{default} GRANT {sequences} ON SEQUENCES TO {group}"));
            }
        }
        statements
    }

    /// The creation statements of a role.
    pub fn creation_statements(&self) -> Vec<String> {
        let group = &self.group;
        let mut statements = vec![format!(
            "CREATE ROLE \"{{{{name}}}}\" WITH LOGIN PASSWORD '{{{{password}}}}' VALID UNTIL '{{{{expiration}}}}' \
             IN ROLE {group}"
        )];
        if self.access == Access::Owner {
            // What it makes belongs to the group from the start, and nothing has to be given away at its end.
            statements.push(format!("ALTER ROLE \"{{{{name}}}}\" SET role = '{group}'"));
        }
        statements
    }
}

/// Names that need no quotes, anywhere.
fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.bytes().all(|octet| octet.is_ascii_lowercase() || octet.is_ascii_digit() || octet == b'_')
        && name.len() <= LONGEST_NAME
        && !name.starts_with("pg_")
}

/// A name that a preset does not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresetError {
    /// The name.
    pub name: String,
}

impl fmt::Display for PresetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "presets take names of lower-case letters, digits and underscores, at most {LONGEST_NAME}, and none that \
             begins with pg_: not {:?}",
            self.name
        )
    }
}

impl std::error::Error for PresetError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statement::{Purpose, Statements};

    #[test]
    fn names_are_plain_or_refused() {
        for name in ["", "Readers", "a b", "a\"b", "a'b", "1a", "pg_readers", "a-b", "é", &"a".repeat(64)] {
            assert!(Preset::new(Access::ReadOnly, name, &["public"], &[]).is_err(), "{name}");
            assert!(Preset::new(Access::ReadOnly, "g", &[name], &[]).is_err(), "{name}");
            assert!(Preset::new(Access::ReadOnly, "g", &[], &[name]).is_err(), "{name}");
        }
    }

    #[test]
    fn creation_statements_are_accepted_and_grant_nothing_but_membership() {
        for access in [Access::ReadOnly, Access::ReadWrite, Access::Owner] {
            let preset = Preset::new(access, "readers", &["public"], &[]).unwrap();
            let statements = Statements::parse(&preset.creation_statements(), Purpose::Creation).unwrap();
            assert!(statements.templates().all(|sql| !sql.contains("GRANT")));
        }
    }

    #[test]
    fn only_old_servers_need_their_public_schema_closed() {
        let preset = Preset::new(Access::ReadOnly, "readers", &["public", "app"], &[]).unwrap();
        let revokes = |version| preset.setup(version).iter().filter(|sql| sql.starts_with("REVOKE")).count();
        assert_eq!((revokes(130_022), revokes(140_000), revokes(150_000), revokes(180_001)), (1, 1, 0, 0));
    }
}
