//! Lists on the command line: commas or repeats; an empty value is the empty list.

/// The items of a flag that may be repeated; `None` if it was not given at all.
pub(crate) fn items(values: Option<Vec<String>>) -> Option<Vec<String>> {
    values.map(|values| {
        values
            .iter()
            .flat_map(|value| value.split(','))
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(str::to_owned)
            .collect()
    })
}

/// The same, where a flag that was not given is the empty list.
pub(crate) fn items_or_none(values: Option<Vec<String>>) -> Vec<String> {
    items(values).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_and_repeats_are_the_same() {
        let given = |values: &[&str]| items(Some(values.iter().map(|&v| v.to_owned()).collect()));
        assert_eq!(given(&["a,b", "c"]), Some(vec!["a".into(), "b".into(), "c".into()]));
        assert_eq!(given(&[" a , ,b"]), Some(vec!["a".into(), "b".into()]));
        assert_eq!(given(&[""]), Some(vec![]));
        assert_eq!(items(None), None);
    }
}
