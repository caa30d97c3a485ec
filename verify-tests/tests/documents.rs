//! The README keeps its word: its two commands are those that CI runs, and what it points to is there.

use std::fs;

use verify_tests::asset;

#[test]
fn ci_runs_the_two_commands_of_the_readme() {
    let readme = fs::read_to_string(asset("../README.md")).unwrap();
    let commands: Vec<&str> = readme
        .split("```sh\n")
        .skip(1)
        .filter_map(|block| block.split("\n```").next())
        .flat_map(str::lines)
        .collect();
    assert_eq!(commands.len(), 2, "{commands:?}");
    let ci = fs::read_to_string(asset("../.ci/run")).unwrap();
    let run: Vec<&str> = ci
        .lines()
        .filter(|line| {
            !line.is_empty()
                && !line.starts_with('#')
                && !line.starts_with("set ")
                && !line.starts_with("cd ")
        })
        .collect();
    assert_eq!(run, commands);
}

#[test]
fn what_the_documents_point_to_is_there() {
    let mut missing = Vec::new();
    let mut documents = vec!["README.md".to_owned(), "CONTRIBUTING.md".to_owned(), "SECURITY.md".to_owned()];
    for entry in fs::read_dir(asset("../docs")).unwrap() {
        documents.push(format!("docs/{}", entry.unwrap().file_name().to_string_lossy()));
    }
    for document in &documents {
        let text = fs::read_to_string(asset(&format!("../{document}"))).unwrap();
        let folder = document.rsplit_once('/').map_or("", |(folder, _)| folder);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap_or_default();
            if !file.is_empty() && !file.contains("://") && !asset(&format!("../{folder}/{file}")).exists() {
                missing.push(format!("{document}: {link}"));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn every_dependency_has_its_line() {
    let manifest = fs::read_to_string(asset("../Cargo.toml")).unwrap();
    let page = fs::read_to_string(asset("../docs/DEPENDENCIES.md")).unwrap();
    let missing: Vec<&str> = manifest
        .split("[workspace.dependencies]")
        .nth(1)
        .and_then(|rest| rest.split("\n[").next())
        .unwrap()
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(" = ").map(|(name, _)| name))
        .filter(|name| !page.contains(&format!("`{name}`")))
        .collect();
    assert!(missing.is_empty(), "docs/DEPENDENCIES.md has no line for {missing:?}");
}
