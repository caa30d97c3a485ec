//! Remedies as flags that a shell passes on unchanged.

use alloc::string::String;
use alloc::vec::Vec;

use crate::explain::word;

/// A list flag with one more item: `role patch` replaces the whole list.
pub(super) fn list_with(flag: &str, items: &[String], more: &str) -> String {
    let all: Vec<&str> = items.iter().map(String::as_str).chain([more]).collect();
    // Commas part the items of a list, so an item with a comma is written as JSON.
    let value = if all.iter().any(|item| item.contains(',') || item.starts_with('[')) {
        let quoted: Vec<String> = all.iter().map(|item| json_string(item)).collect();
        alloc::format!("[{}]", quoted.join(","))
    } else {
        all.join(",")
    };
    alloc::format!("{flag} {}", word(&value))
}

/// RFC 8259 7.
fn json_string(text: &str) -> String {
    let mut json = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                json.push('\\');
                json.push(c);
            }
            c if c.is_control() => json.push_str(&alloc::format!("\\u{:04x}", u32::from(c))),
            c => json.push(c),
        }
    }
    json.push('"');
    json
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn an_item_with_a_comma_makes_the_list_json() {
        let items = ["a".to_string()];
        assert_eq!(list_with("--x", &items, "b"), "--x a,b");
        assert_eq!(list_with("--x", &[], "*.b"), "--x '*.b'");
        assert_eq!(list_with("--x", &items, "b,\"c\""), r#"--x '["a","b,\"c\""]'"#);
    }
}
