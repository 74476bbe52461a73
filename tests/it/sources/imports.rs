//! Compares the sources with the import table of ARCHITECTURE.md, which says which module may use which.
//!
//! The crates of the workspace are rows of the table too.
//!
//! Not here: the imports inside the sandbox, which its own tests check.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};
use syn::{Attribute, Item, ItemFn, ItemImpl, ItemMod, ItemUse, UseTree};

/// Modules that are in no row of the table.
const ENTRY: [&str; 3] = ["main", "lib", "cli"];

/// The other crates of the workspace, and their rows in the table. A row is also the folder.
const CRATES: [(&str, &str); 2] = [("mfactl_files", "files"), ("mfactl_sandbox", "sandbox")];

#[test]
fn every_module_uses_only_what_the_table_allows() {
    let table = table();
    let mut faults = Vec::new();
    for file in all_sources() {
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
fn every_module_of_the_table_exists() {
    let present: BTreeSet<String> = all_sources().iter().map(|file| module_of(file)).collect();
    for module in table().keys() {
        assert!(
            present.contains(*module),
            "`{module}` is in the table of ARCHITECTURE.md, but not in the sources"
        );
    }
}

/// The visitor sees every spelling of a path and ignores tests.
#[test]
fn visitor_sees_every_way_of_writing_a_path() {
    let text = "
        use crate::{number::{self, Region}, tenant as t};
        pub(in crate::nothing) fn f(x: crate::posture::Posture) -> u8 { crate::graph::go::<crate::entra::E>(x) }
        macro_rules! m { () => { crate::plan::guard::guard() } }
        fn g() { println!(\"{}\", crate::render::text::plan()); }
        #[cfg(test)] mod tests { use crate::finding::Code; }
        #[cfg(test)] fn only_in_tests() { crate::finding::start(); }
    ";
    let seen = used_in(text).modules;
    for module in ["number", "tenant", "posture", "graph", "entra", "plan", "render"] {
        assert!(seen.contains(module), "`{module}` was not seen in {seen:?}");
    }
    assert!(!seen.contains("finding"), "code under cfg(test) was seen: {seen:?}");
}

#[test]
fn visitor_sees_every_way_of_naming_another_crate() {
    let texts = [
        "use mfactl_sandbox::{self as sandbox, Store};",
        "use mfactl_sandbox as sandbox;",
        "use {std::io, ::mfactl_sandbox::seeds};",
        "fn f(x: mfactl_sandbox::Store) {}",
        "fn f() { println!(\"{}\", mfactl_sandbox::seeds::names()); }",
    ];
    for text in texts {
        assert_eq!(used_in(text).crates, BTreeSet::from(["sandbox".to_owned()]), "{text}");
    }
}

/// Only the command that starts a run prints and asks.
#[test]
fn runs_and_plans_neither_print_nor_ask() {
    let words =
        ["print", "println", "eprint", "eprintln", "stdout", "stderr", "stdin", "print_own", "say"];
    for folder in ["src/run", "src/plan"] {
        for file in sources(Path::new(folder)) {
            let named = names_in(&fs::read_to_string(&file).unwrap());
            let found: Vec<_> = words.iter().filter(|word| named.contains(**word)).collect();
            assert!(found.is_empty(), "{} names {found:?}", file.display());
        }
    }
}

/// A run gets the values of the environment from the command.
#[test]
fn runs_do_not_read_the_environment() {
    for file in sources(Path::new("src/run")) {
        let outside = used_in(&fs::read_to_string(&file).unwrap()).outside;
        assert!(!outside.contains("std::env"), "{} names `std::env`", file.display());
    }
}

/// The result of a plan depends only on its arguments.
#[test]
fn plans_use_no_clock_environment_or_file() {
    for file in sources(Path::new("src/plan")) {
        let outside = used_in(&fs::read_to_string(&file).unwrap()).outside;
        for name in ["std::fs", "std::thread", "std::env", "std::time", "tokio"] {
            assert!(!outside.contains(name), "{} names `{name}`", file.display());
        }
    }
}

#[test]
fn visitor_sees_every_way_of_naming_the_standard_library() {
    let texts = [
        "use std::fs::File;",
        "use std::{fmt, fs};",
        "use std::{fs as files, io};",
        "use std::fs::{self, File};",
        "fn f() { std::fs::read(\"x\"); }",
        "fn f() { println!(\"{:?}\", std::fs::read(\"x\")); }",
    ];
    for text in texts {
        assert!(used_in(text).outside.contains("std::fs"), "{text}");
    }
    let names =
        names_in("/// stdout\nfn f() { println!(\"stderr\"); } #[cfg(test)] fn g() { say() }");
    assert!(names.contains("println"));
    assert!(!["stdout", "stderr", "say"].iter().any(|name| names.contains(*name)), "{names:?}");
}

/// The table of ARCHITECTURE.md: rows of `| modules | may use |`.
fn table() -> BTreeMap<&'static str, BTreeSet<String>> {
    let text: &'static str = include_str!("../../../ARCHITECTURE.md");
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

/// The sources of all crates.
fn all_sources() -> Vec<PathBuf> {
    let mut files = sources(Path::new("src"));
    for (_, folder) in CRATES {
        files.extend(sources(&Path::new(folder).join("src")));
    }
    files
}

/// `src/plan/guard.rs` belongs to `plan`, `sandbox/src/users.rs` to `sandbox`.
fn module_of(file: &Path) -> String {
    let part = |place| file.components().nth(place).unwrap().as_os_str().to_str().unwrap();
    let module = if part(0) == "src" { part(1) } else { part(0) };
    module.trim_end_matches(".rs").to_owned()
}

/// Files named `tests.rs` are modules under `#[cfg(test)]`. In another crate, `crate::` leads to
/// the same row of the table.
fn used_by(file: &Path) -> BTreeSet<String> {
    if file.file_name().is_some_and(|name| name == "tests.rs") {
        return BTreeSet::new();
    }
    let mut seen = used_in(&fs::read_to_string(file).unwrap());
    if file.starts_with("src") {
        seen.crates.append(&mut seen.modules);
    }
    seen.crates
}

fn used_in(text: &str) -> Seen {
    let mut seen = Seen::default();
    seen.visit_file(&syn::parse_file(text).unwrap());
    seen
}

/// Every name in a source text, without comments, strings and tests.
fn names_in(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for item in syn::parse_file(text).unwrap().items {
        let attributes = match &item {
            Item::Fn(one) => &one.attrs,
            Item::Impl(one) => &one.attrs,
            Item::Mod(one) => &one.attrs,
            Item::Use(one) => &one.attrs,
            _ => &Vec::new(),
        };
        if !is_test(attributes) {
            add_names(quote::quote!(#item), &mut names);
        }
    }
    names
}

fn add_names(tokens: proc_macro2::TokenStream, names: &mut BTreeSet<String>) {
    for token in tokens {
        match token {
            proc_macro2::TokenTree::Group(group) => add_names(group.stream(), names),
            proc_macro2::TokenTree::Ident(name) => _ = names.insert(name.to_string()),
            _ => {}
        }
    }
}

#[derive(Default)]
struct Seen {
    /// The first name, and the first two names, of each path that does not begin with `crate`.
    outside: BTreeSet<String>,
    /// The names after `crate::`.
    modules: BTreeSet<String>,
    /// The rows of the other crates.
    crates: BTreeSet<String>,
}

impl Seen {
    /// A name that begins a path, or could begin one.
    fn first(&mut self, name: &impl ToString) {
        let name = name.to_string();
        self.outside.insert(name.clone());
        for (_, row) in CRATES.into_iter().filter(|(one, _)| *one == name) {
            self.crates.insert(row.to_owned());
        }
    }

    /// A name that follows the first one in a `use`.
    fn second(&mut self, first: &str, tree: &UseTree) {
        let name = match tree {
            UseTree::Path(path) => &path.ident,
            UseTree::Name(name) => &name.ident,
            UseTree::Rename(name) => &name.ident,
            UseTree::Group(group) => {
                return group.items.iter().for_each(|item| self.second(first, item));
            }
            UseTree::Glob(_) => return,
        };
        self.outside.insert(format!("{first}::{name}"));
    }

    fn tree(&mut self, tree: &UseTree, inside_crate: bool) {
        match tree {
            UseTree::Path(path) if inside_crate => _ = self.modules.insert(path.ident.to_string()),
            UseTree::Path(path) if path.ident == "crate" => self.tree(&path.tree, true),
            UseTree::Path(path) => {
                self.first(&path.ident);
                self.second(&path.ident.to_string(), &path.tree);
            }
            UseTree::Name(name) if inside_crate => _ = self.modules.insert(name.ident.to_string()),
            UseTree::Name(name) => self.first(&name.ident),
            UseTree::Rename(name) if inside_crate => {
                self.modules.insert(name.ident.to_string());
            }
            UseTree::Rename(name) => self.first(&name.ident),
            UseTree::Group(group) => {
                group.items.iter().for_each(|item| self.tree(item, inside_crate))
            }
            UseTree::Glob(_) if inside_crate => panic!("`use crate::*` hides what is used"),
            UseTree::Glob(_) => {}
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
            self.first(&text);
            if last[0] == "crate" && last[1] == ":" && last[2] == ":" {
                self.modules.insert(text.clone());
            }
            if last[1] == ":" && last[2] == ":" {
                self.outside.insert(format!("{}::{text}", last[0]));
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

    /// Handles items that `syn` leaves as tokens, such as a use of `::name` inside braces.
    fn visit_item(&mut self, item: &'ast Item) {
        match item {
            Item::Verbatim(tokens) => self.tokens(tokens.clone()),
            item => visit::visit_item(self, item),
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if !is_test(&item.attrs) {
            self.tree(&item.tree, false);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let mut names = path.segments.iter().map(|segment| &segment.ident);
        if let Some(first) = names.next() {
            self.first(first);
            if let Some(second) = names.next() {
                self.outside.insert(format!("{first}::{second}"));
                if first == "crate" {
                    self.modules.insert(second.to_string());
                }
            }
        }
        visit::visit_path(self, path);
    }

    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_macro(&mut self, found: &'ast syn::Macro) {
        self.tokens(found.tokens.clone());
        visit::visit_macro(self, found);
    }
}
