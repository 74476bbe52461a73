//! Holds the import table of ARCHITECTURE.md true: who may use whom inside the crate.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};
use syn::{Attribute, ItemFn, ItemImpl, ItemMod, ItemUse, UseTree};

/// Modules that stand below everything: any module may use them.
const ENTRY: [&str; 3] = ["main", "lib", "cli"];

#[test]
fn every_module_uses_only_what_the_table_allows() {
    let table = table();
    let mut faults = Vec::new();
    for file in sources(Path::new("src")) {
        let module = module_of(&file);
        let Some(allowed) = table.get(module.as_str()) else {
            assert!(
                ENTRY.contains(&module.as_str()),
                "`{module}` ({}) is not in the table of ARCHITECTURE.md",
                file.display()
            );
            continue;
        };
        for used in used_by(&file) {
            if used != module && !allowed.contains(&used) && !allowed.contains("everything") {
                faults.push(format!("{}: `{module}` uses `{used}`", file.display()));
            }
        }
    }
    assert!(faults.is_empty(), "against the table in ARCHITECTURE.md:\n{}", faults.join("\n"));
}

#[test]
fn every_module_of_the_table_is_there() {
    let present: BTreeSet<String> =
        sources(Path::new("src")).iter().map(|file| module_of(file)).collect();
    for module in table().keys() {
        assert!(
            present.contains(*module),
            "`{module}` is in the table of ARCHITECTURE.md and nowhere in src"
        );
    }
}

/// The visitor itself: every way of writing a path is seen, and tests are left out.
#[test]
fn the_visitor_sees_every_way_of_writing_a_path() {
    let text = "
        use crate::{number::{self, Region}, tenant as t};
        pub(in crate::nothing) fn f(x: crate::posture::Posture) -> u8 { crate::graph::go::<crate::entra::E>(x) }
        macro_rules! m { () => { crate::plan::guard::guard() } }
        fn g() { println!(\"{}\", crate::render::text::plan()); }
        #[cfg(test)] mod tests { use crate::sandbox::Seed; }
        #[cfg(test)] fn only_in_tests() { crate::sandbox::start(); }
    ";
    let seen = used_in(text);
    for module in ["number", "tenant", "posture", "graph", "entra", "plan", "render"] {
        assert!(seen.contains(module), "`{module}` was not seen in {seen:?}");
    }
    assert!(!seen.contains("sandbox"), "what stands under cfg(test) counts: {seen:?}");
}

/// The table as ARCHITECTURE.md has it: rows of `| modules | may use |`.
fn table() -> BTreeMap<&'static str, BTreeSet<String>> {
    let text: &'static str = include_str!("../../ARCHITECTURE.md");
    let rows = text
        .lines()
        .skip_while(|line| !line.starts_with("| module"))
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let mut table = BTreeMap::new();
    for row in rows {
        let mut cells = row.trim_matches('|').split('|').map(str::trim);
        let (modules, allowed) = (cells.next().unwrap(), cells.next().unwrap());
        let words = |cell: &'static str| {
            cell.split(',')
                .map(|word| word.trim().trim_matches('`'))
                .filter(|word| !word.is_empty())
        };
        let allowed: BTreeSet<String> =
            words(allowed).filter(|word| *word != "nothing").map(str::to_owned).collect();
        for module in words(modules) {
            table.insert(module, allowed.clone());
        }
    }
    assert!(table.len() > 10, "the table of ARCHITECTURE.md was not found");
    table
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// `src/plan/guard.rs` belongs to `plan`.
fn module_of(file: &Path) -> String {
    let first = file.components().nth(1).unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// Files named `tests.rs` are modules under `#[cfg(test)]`.
fn used_by(file: &Path) -> BTreeSet<String> {
    if file.file_name().is_some_and(|name| name == "tests.rs") {
        return BTreeSet::new();
    }
    used_in(&fs::read_to_string(file).unwrap())
}

fn used_in(text: &str) -> BTreeSet<String> {
    let mut seen = Seen::default();
    seen.visit_file(&syn::parse_file(text).unwrap());
    seen.0
}

#[derive(Default)]
struct Seen(BTreeSet<String>);

impl Seen {
    fn tree(&mut self, tree: &UseTree, inside_crate: bool) {
        match tree {
            UseTree::Path(path) if inside_crate => _ = self.0.insert(path.ident.to_string()),
            UseTree::Path(path) if path.ident == "crate" => self.tree(&path.tree, true),
            UseTree::Name(name) if inside_crate => _ = self.0.insert(name.ident.to_string()),
            UseTree::Rename(name) if inside_crate => _ = self.0.insert(name.ident.to_string()),
            UseTree::Group(group) => {
                group.items.iter().for_each(|item| self.tree(item, inside_crate))
            }
            UseTree::Glob(_) if inside_crate => panic!("`use crate::*` hides what is used"),
            _ => {}
        }
    }

    /// Inside macros there are only tokens: `crate`, `::`, a name.
    fn tokens(&mut self, tokens: proc_macro2::TokenStream) {
        let mut last: [String; 3] = Default::default();
        for token in tokens {
            if let proc_macro2::TokenTree::Group(group) = &token {
                self.tokens(group.stream());
            }
            let text = token.to_string();
            if last[0] == "crate" && last[1] == ":" && last[2] == ":" {
                self.0.insert(text.clone());
            }
            last.rotate_left(1);
            last[2] = text;
        }
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes
        .iter()
        .any(|one| one.path().is_ident("cfg") && quote::quote!(#one).to_string().contains("test"))
}

impl<'ast> Visit<'ast> for Seen {
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        if !is_test(&item.attrs) {
            visit::visit_item_fn(self, item);
        }
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        if !is_test(&item.attrs) {
            visit::visit_item_impl(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if !is_test(&item.attrs) {
            self.tree(&item.tree, false);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let mut segments = path.segments.iter();
        if segments.next().is_some_and(|first| first.ident == "crate")
            && let Some(second) = segments.next()
        {
            self.0.insert(second.ident.to_string());
        }
        visit::visit_path(self, path);
    }

    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_macro(&mut self, found: &'ast syn::Macro) {
        self.tokens(found.tokens.clone());
        visit::visit_macro(self, found);
    }
}
