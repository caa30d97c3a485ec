use super::*;
use proptest::prelude::*;

const CREATE: &str = r#"CREATE ROLE "{{name}}" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}';
GRANT SELECT ON ALL TABLES IN SCHEMA public TO "{{name}}";"#;

fn creation(sql: &str) -> Result<Statements, StatementError> {
    Statements::parse(&[sql], Purpose::Creation)
}

fn values<'a>(name: &'a str, password: &'a str) -> Values<'a> {
    Values { name, password: Some(password), expiration: UnixTime::from_secs(1_795_512_605) }
}

fn rendered(sql: &str, values: &Values<'_>) -> Result<Vec<String>, RenderError> {
    let statements = creation(sql).unwrap();
    Ok(statements.render(values)?.iter().map(|sql| sql.as_str().to_owned()).collect())
}

#[test]
fn values_stand_in_their_places() {
    assert_eq!(
        rendered(CREATE, &values("v-root-ro", "pw")).unwrap(),
        [
            "CREATE ROLE \"v-root-ro\" WITH LOGIN PASSWORD 'pw' VALID UNTIL '2026-11-24 09:30:05+0000'",
            "GRANT SELECT ON ALL TABLES IN SCHEMA public TO \"v-root-ro\"",
        ]
    );
}

#[test]
fn values_are_escaped_for_their_place() {
    let hostile = r#"a"b'c\d{{name}}"#;
    for (name, template, wanted) in [
        ("identifier", r#"x "{{name}}""#, r#"x "a""b'c\d{{name}}""#),
        ("literal", "x '{{name}}'", r#"x 'a"b''c\d{{name}}'"#),
        ("national literal", "x N'{{username}}'", r#"x N'a"b''c\d{{name}}'"#),
        ("escape literal", "x E'{{name}}'", r#"x E'a"b''c\\d{{name}}'"#),
        ("continued escape literal", "x E'a'\n'{{name}}'", "x E'a'\n'a\"b''c\\\\d{{name}}'"),
        ("after a finished sequence", r"x E'\x41\\{{name}}'", r#"x E'\x41\\a"b''c\\d{{name}}'"#),
        ("twice", r#"x "{{name}}" '{{name}}'"#, r#"x "a""b'c\d{{name}}" 'a"b''c\d{{name}}'"#),
    ] {
        assert_eq!(rendered(template, &values(hostile, "p")).unwrap(), [wanted], "{name}");
    }
}

#[test]
fn semicolons_of_the_top_level_part_statements() {
    for (name, sql, wanted) in [
        ("two", r#"a "{{name}}"; b ;; -- c"#, vec![r#"a "{{name}}""#, "b"]),
        ("in quotes", r#"a ';' "{{name}};" ; b"#, vec![r#"a ';' "{{name}};""#, "b"]),
        (
            "a block",
            r#"DO $$ BEGIN x; END $$; y "{{name}}""#,
            vec!["DO $$ BEGIN x; END $$", r#"y "{{name}}""#],
        ),
        (
            "a rule",
            r#"CREATE RULE r AS DO (a; b); x "{{name}}""#,
            vec!["CREATE RULE r AS DO (a; b)", r#"x "{{name}}""#],
        ),
        (
            "a body of standard SQL",
            r#"CREATE FUNCTION f() BEGIN /* c */ ATOMIC SELECT CASE WHEN a THEN b END; SELECT 2; END; x "{{name}}""#,
            vec![
                "CREATE FUNCTION f() BEGIN /* c */ ATOMIC SELECT CASE WHEN a THEN b END; SELECT 2; END",
                r#"x "{{name}}""#,
            ],
        ),
        ("a JSON array", r#"["a \"{{name}}\"; b", "c"]"#, vec![r#"a "{{name}}""#, "b", "c"]),
    ] {
        let statements = creation(sql).unwrap();
        assert_eq!(statements.templates().collect::<Vec<_>>(), wanted, "{name}");
    }
}

#[test]
fn braces_of_sql_are_no_placeholders() {
    let sql = r#"x "{{name}}" '{{1,2},{3,4}}' '{"a": {"b": 1}}'"#;
    assert_eq!(creation(sql).unwrap().templates().collect::<Vec<_>>(), [sql]);
}

#[test]
fn what_is_refused_when_the_role_is_written() {
    for (name, sql, wanted) in [
        ("nothing", "", "empty creation statements"),
        ("only a comment", "-- {{name}}\n;", "empty creation statements"),
        ("no user", "CREATE ROLE x PASSWORD '{{password}}'", "mentions \"{{name}}\""),
        ("bare", "CREATE ROLE {{name}} LOGIN", "stands outside quotes; write \"{{name}}\""),
        (
            "bare, second statement",
            "CREATE ROLE \"{{name}}\"; DROP ROLE {{name}}",
            "creation statement 2: {{name}}",
        ),
        ("bare password", "CREATE ROLE \"{{name}}\" PASSWORD {{password}}", "write '{{password}}'"),
        ("line comment", "CREATE ROLE \"{{name}}\" -- {{password}}", "stands in a comment"),
        ("block comment", "CREATE ROLE \"{{name}}\" /* {{name}} */", "stands in a comment"),
        ("unicode literal", "CREATE ROLE \"{{name}}\" PASSWORD U&'{{password}}'", "stands in a U& form"),
        ("unicode identifier", "CREATE ROLE U&\"{{name}}\"", "stands in a U& form"),
        ("bit string", "CREATE ROLE \"{{name}}\" PASSWORD X'{{password}}'", "stands in a bit string"),
        ("after a backslash", r"CREATE ROLE E'\{{name}}'", "backslash sequence"),
        ("after three backslashes", r"CREATE ROLE E'\\\{{name}}'", "backslash sequence"),
        ("in a hexadecimal sequence", r"CREATE ROLE E'\x{{name}}'", "backslash sequence"),
        ("in an octal sequence", r"CREATE ROLE E'\12{{name}}'", "backslash sequence"),
        ("in a unicode sequence", r"CREATE ROLE E'\u00{{name}}'", "backslash sequence"),
        ("across quotes", "CREATE ROLE '{{na''me}}'", "unknown placeholder"),
        ("as a dollar tag", "CREATE ROLE \"{{name}}\" ${{name}}$ a ${{name}}$", "outside quotes"),
        (
            "unknown",
            "CREATE ROLE \"{{user}}\"",
            "unknown placeholder {{user}}; there are {{name}} {{username}}",
        ),
        ("another case", "CREATE ROLE \"{{Name}}\"", "unknown placeholder {{Name}}"),
        ("with spaces", "CREATE ROLE \"{{ name }}\"", "unknown placeholder {{ name }}"),
        ("of another language", "CREATE ROLE \"{{.Name}}\"", "unknown placeholder {{.Name}}"),
        ("an open quote", "CREATE ROLE \"{{name}}\" PASSWORD '", "does not end"),
        ("commit", "CREATE ROLE \"{{name}}\"; COMMIT", "\"commit \" is refused"),
        ("commit after a comment", "/* */ cOmMiT; CREATE ROLE \"{{name}}\"", "is refused"),
        ("begin", "BEGIN; CREATE ROLE \"{{name}}\"", "is refused"),
        ("rollback", "CREATE ROLE \"{{name}}\"; ROLLBACK TO a", "is refused"),
        ("prepare", "PREPARE TRANSACTION 'x'; CREATE ROLE \"{{name}}\"", "is refused"),
        ("set", "SET ROLE x; CREATE ROLE \"{{name}}\"", "is refused"),
        ("set names", "SET LOCAL NAMES 'x'; CREATE ROLE \"{{name}}\"", "is refused"),
        ("set quoting", "SET LOCAL standard_conforming_strings = off; x '{{name}}'", "is refused"),
        ("reset", "RESET ALL; x '{{name}}'", "is refused"),
        ("copy", "COPY t FROM STDIN; x '{{name}}'", "is refused"),
    ] {
        match creation(sql) {
            Err(error) => assert!(error.to_string().contains(wanted), "{name}: {error}"),
            Ok(statements) => panic!("{name}: {statements:?}"),
        }
    }
}

#[test]
fn each_purpose_has_its_placeholders() {
    for (purpose, sql, accepted) in [
        (Purpose::Revocation, "DROP ROLE \"{{name}}\"", true),
        (Purpose::Revocation, "x '{{password}}'", false),
        (Purpose::Revocation, "x '{{expiration}}'", false),
        (Purpose::Renewal, "ALTER ROLE \"{{username}}\" VALID UNTIL '{{expiration}}'", true),
        (Purpose::Renewal, "x '{{password}}'", false),
        (Purpose::Rotation, "ALTER ROLE \"{{username}}\" PASSWORD '{{password}}'", true),
        (Purpose::Rotation, "x '{{expiration}}'", false),
        (Purpose::Revocation, "", true),
    ] {
        assert_eq!(Statements::parse(&[sql], purpose).is_ok(), accepted, "{purpose}: {sql}");
    }
}

#[test]
fn session_settings_that_end_with_the_transaction_are_accepted() {
    for sql in
        ["SET LOCAL ROLE x; a \"{{name}}\"; RESET ROLE", "SET CONSTRAINTS ALL DEFERRED; a \"{{name}}\""]
    {
        assert!(creation(sql).is_ok(), "{sql}");
    }
}

#[test]
fn values_that_cannot_stand_are_refused_without_being_shown() {
    let long = "x".repeat(64);
    for (name, template, user, password, wanted) in [
        ("empty name", "x '{{name}}'", "", "p", "empty"),
        ("a name of 64", "x '{{name}}'", long.as_str(), "p", "64 octets"),
        ("a prefix makes it 64", "x \"abcd{{name}}\"", long.get(..60).unwrap(), "p", "64 octets"),
        ("NUL in a name", "x \"{{name}}\"", "a\0b", "p", "NUL"),
        ("NUL in a password", "x '{{name}}{{password}}'", "a", "s\0cret", "NUL"),
        ("quote in a body", "DO $$x '{{name}}'$$", "a'b", "p", "dollar-quoted"),
        ("dollar in a body", "DO $$x '{{name}}'$$", "a$$b", "p", "dollar-quoted"),
        ("brace in a body", "DO $a$x '{{name}}'$a$", "{{password}}", "p", "dollar-quoted"),
        ("not ASCII in a body", "DO $$x '{{name}}'$$", "é", "p", "dollar-quoted"),
        (
            "verifier in a body",
            "DO $$x '{{name}}' '{{password}}'$$",
            "a",
            "SCRAM-SHA-256$secret",
            "{{password}} has",
        ),
    ] {
        let error = rendered(template, &values(user, password)).unwrap_err().to_string();
        assert!(error.contains(wanted), "{name}: {error}");
        assert!(!error.contains("cret"), "{name}: {error}");
    }
    let statements = creation("x '{{name}}{{password}}'").unwrap();
    let error = statements.render(&Values { password: None, ..values("a", "") }).unwrap_err();
    assert_eq!(error.fault, ValueFault::Missing { placeholder: Placeholder::Password });
    assert_eq!(statements.password_in_dollar_quotes(), None);
    assert_eq!(creation("a; DO $$x '{{name}}{{password}}'$$").unwrap().password_in_dollar_quotes(), Some(2));
    let sql = &statements.render(&values("a", "secret")).unwrap()[0];
    assert!(!format!("{sql:?}").contains("secret"));
}

/// What a server would make of the body of a token.
fn decoded(sql: &str, token: &Token) -> String {
    let body = sql.get(token.body.clone()).unwrap();
    match token.kind {
        TokenKind::Literal => body.replace("''", "'"),
        TokenKind::EscapeLiteral => body.replace("''", "'").replace("\\\\", "\\"),
        TokenKind::QuotedIdentifier => body.replace("\"\"", "\""),
        _ => body.to_owned(),
    }
}

fn template() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "\"{{name}}\"",
        "'{{name}}'",
        "E'{{password}}'",
        "'{{password}}'",
        "$$ '{{name}}' $$",
        "$t$ {{name}} $t$",
        "'a'\n'{{name}}'",
        "E'a'\n'{{password}}'",
        "-- c\n",
        "/* ' */",
        "'{{expiration}}'",
        "\"a {{username}}\"",
        "E'\\\\{{name}}'",
        "CREATE",
        "1.5",
        ",",
        "N'{{password}}{{name}}'",
        "{{name}}",
        "U&'{{name}}'",
        "'",
        "\"",
        "$$",
        "E'\\{{name}}'",
        "{{",
        "}}",
    ]);
    prop::collection::vec(piece, 1..8).prop_map(|pieces| format!("x '{{{{name}}}}' {}", pieces.join(" ")))
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z0-9_.:+ -]{1,30}",
        r#"[-a'"\\$;/*{}n\n ]{1,30}"#,
        "\\PC{1,15}",
        Just("{{password}}".to_owned()),
        Just("'; DROP ROLE x; --".to_owned()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// No value of a user name, a display name in it, or a password changes what a statement is.
    #[test]
    fn values_never_change_the_structure(template in template(), name in value(), password in value()) {
        let Ok(statements) = creation(&template) else { return Ok(()) };
        let Ok(rendered) = statements.render(&values(&name, &password)) else { return Ok(()) };
        for (sql, template) in rendered.iter().zip(statements.templates()) {
            let (before, after) = (tokens(template).unwrap(), tokens(sql.as_str()).unwrap());
            prop_assert_eq!(before.len(), after.len(), "{} -> {}", template, sql.as_str());
            for (before, after) in before.iter().zip(&after) {
                prop_assert_eq!(before.kind, after.kind);
                // What the server reads is the template's own text with the values in it.
                let wanted = decoded(template, before)
                    .split("{{name}}").map(|rest| rest.split("{{username}}").map(|rest| rest
                        .split("{{expiration}}").map(|rest| rest
                            .split("{{password}}").collect::<Vec<_>>().join(&password))
                        .collect::<Vec<_>>().join("2026-11-24 09:30:05+0000"))
                    .collect::<Vec<_>>().join(&name)).collect::<Vec<_>>().join(&name);
                prop_assert_eq!(decoded(sql.as_str(), after), wanted);
            }
        }
    }

    /// What is accepted is accepted again, statement by statement.
    #[test]
    fn statements_stand_alone(template in template()) {
        if let Ok(statements) = creation(&template) {
            let joined = statements.templates().collect::<Vec<_>>().join("\n;");
            prop_assert_eq!(creation(&joined).unwrap(), statements);
        }
    }
}
