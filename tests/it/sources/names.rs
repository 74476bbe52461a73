//! Checks that names can be found with `grep`: outside of the sandbox, no two types that other files
//! see have the same name.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use syn::{Item, Visibility};

/// Every file of `commands` calls its arguments `Args`, because the module gives the name.
const EXCEPT: [&str; 1] = ["Args"];

#[test]
fn no_two_public_types_have_the_same_name() {
    let mut all: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in ["src", "files/src"].into_iter().flat_map(|folder| sources(Path::new(folder))) {
        let parsed = syn::parse_file(&fs::read_to_string(&file).unwrap()).unwrap();
        for name in public_types(&parsed.items) {
            all.entry(name).or_default().push(file.display().to_string());
        }
    }
    assert!(all.len() > 200, "only {} types were seen", all.len());
    all.retain(|name, files| files.len() > 1 && !EXCEPT.contains(&name.as_str()));
    assert!(all.is_empty(), "types with the same name: {all:#?}");
}

/// The types of a file that are not private to it.
fn public_types(items: &[Item]) -> Vec<String> {
    let named = items.iter().filter_map(|item| match item {
        Item::Struct(one) => Some((&one.vis, &one.ident)),
        Item::Enum(one) => Some((&one.vis, &one.ident)),
        Item::Trait(one) => Some((&one.vis, &one.ident)),
        Item::Type(one) => Some((&one.vis, &one.ident)),
        _ => None,
    });
    let public = named.filter(|(vis, _)| !matches!(vis, Visibility::Inherited));
    public.map(|(_, ident)| ident.to_string()).collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_test = path.file_name().is_some_and(|name| name == "tests" || name == "tests.rs");
        if path.is_dir() && !is_test {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|one| one == "rs") && !is_test {
            files.push(path);
        }
    }
    files.sort();
    files
}
