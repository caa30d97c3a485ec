//! Statement templates: what is accepted is accepted again, and no value changes the tokens of a statement. Template, name
//! and password are parted by unit separators.
#![no_main]

use db_creds::statement::{Purpose, Statements, Values, tokens};
use db_creds::time::UnixTime;

libfuzzer_sys::fuzz_target!(|input: &str| {
    let mut parts = input.splitn(3, '\u{1f}');
    let (template, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or("v-x"));
    let Ok(statements) = Statements::parse(&[template], Purpose::Creation) else { return };
    let templates: Vec<&str> = statements.templates().collect();
    let joined = templates.join("\n;");
    if !joined.starts_with('[') {
        assert_eq!(Statements::parse(&[&joined], Purpose::Creation).unwrap(), statements);
    }
    let values = Values { name, password: parts.next(), expiration: Some(UnixTime::MIN) };
    let Ok(rendered) = statements.render(&values) else { return };
    for (template, sql) in templates.iter().zip(&rendered) {
        let kinds = |text: &str| tokens(text).unwrap().iter().map(|token| token.kind).collect::<Vec<_>>();
        assert_eq!(kinds(template), kinds(sql.as_str()));
    }
});
