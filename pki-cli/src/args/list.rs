//! Lists on the command line: commas, repeats or a JSON array; an empty value is the empty list.

use serde_json::Value;

/// The items of a flag that may be repeated; `None` if it was not given at all.
pub(crate) fn items(values: Option<Vec<String>>) -> Option<Vec<String>> {
    values.map(|values| values.iter().flat_map(|value| of_one(value)).collect())
}

/// The items of one value: a JSON array of texts, for items with commas, else texts with commas between them.
fn of_one(value: &str) -> Vec<String> {
    if value.starts_with('[')
        && let Ok(items) = serde_json::from_str(value)
    {
        return items;
    }
    value.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

/// The same, where a flag that was not given is the empty list.
pub(crate) fn items_or_none(values: Option<Vec<String>>) -> Vec<String> {
    items(values).unwrap_or_default()
}

/// The items of one flag, as JSON.
#[derive(Clone, Debug)]
pub(crate) struct Items(pub(crate) Vec<Value>);

/// One text, commas included, or a JSON array of texts; nothing is the empty list.
///
/// # Errors
///
/// A sentence for something that begins like a JSON array and is none.
pub(crate) fn texts(text: &str) -> Result<Items, String> {
    match text.trim() {
        "" => Ok(Items(Vec::new())),
        json if json.starts_with('[') => array(json),
        text => Ok(Items(vec![text.into()])),
    }
}

/// Object identifiers with commas between them, one JSON object, or a JSON array.
///
/// # Errors
///
/// A sentence for something that begins like JSON and is none.
pub(crate) fn policies(text: &str) -> Result<Items, String> {
    match text.trim() {
        json if json.starts_with('[') => array(json),
        json if json.starts_with('{') => {
            serde_json::from_str(json).map(|object| Items(vec![object])).map_err(not_json)
        }
        list => Ok(Items(items_or_none(Some(vec![list.to_owned()])).into_iter().map(Value::from).collect())),
    }
}

fn array(json: &str) -> Result<Items, String> {
    serde_json::from_str(json).map(Items).map_err(not_json)
}

fn not_json(error: serde_json::Error) -> String {
    format!("it begins like JSON and is none: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_and_repeats_are_the_same() {
        let given = |values: &[&str]| items(Some(values.iter().map(|&v| v.to_owned()).collect()));
        assert_eq!(given(&["a,b", "c"]), Some(vec!["a".into(), "b".into(), "c".into()]));
        assert_eq!(given(&[" a , ,b"]), Some(vec!["a".into(), "b".into()]));
        assert_eq!(given(&[r#"["a,b"]"#, "[c"]), Some(vec!["a,b".into(), "[c".into()]));
        assert_eq!(given(&[""]), Some(vec![]));
        assert_eq!(items(None), None);
    }
}
