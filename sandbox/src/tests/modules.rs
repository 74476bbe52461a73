//! Checks the imports between the modules of this crate: no circle has more than three modules.
//!
//! Not here: the imports between crates (`tests/it/sources/imports.rs` of `mfactl`).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, ItemFn, ItemImpl, ItemMod, ItemUse, UseTree, Visibility};

/// The largest number of modules that may import each other in a circle.
const LARGEST_CIRCLE: usize = 3;

/// The names from the root of the crate to a module. The root itself has none.
type Module = Vec<String>;

type Graph = BTreeMap<Module, BTreeSet<Module>>;

#[test]
fn no_circle_of_imports_is_larger_than_three_modules() {
    let graph = graph();
    assert!(
        graph.len() > 50 && graph.contains_key(&path("graph::odata::page")),
        "modules are missing"
    );
    let circles = circles(&graph);
    let large: Vec<String> = circles
        .iter()
        .filter(|circle| circle.len() > LARGEST_CIRCLE)
        .map(|circle| edges_of(circle, &graph))
        .collect();
    assert!(large.is_empty(), "these modules import each other:\n\n{}", large.join("\n"));
}

#[test]
fn imports_are_seen_however_they_are_written() {
    let modules =
        ["", "store", "odata", "odata::page", "odata::parse", "call", "seeds", "seeds::a"];
    let modules: BTreeSet<Module> = modules.into_iter().map(path).collect();
    let text = "
        mod parse;
        use super::super::{store::Store, seeds};
        pub(in crate::nowhere) fn f(x: crate::call::Call) { seeds::a::all(); self::parse::go() }
        fn g() { println!(\"{}\", super::page::size()); }
        #[cfg(test)] mod tests { use crate::Options; }
    ";
    let nested = path("odata::page");
    let seen = imports(&nested, text, &modules);
    let expected = ["call", "seeds", "seeds::a", "store"].into_iter().map(path).collect();
    assert_eq!(seen, expected);
    let seen = imports(&path("odata"), "use crate::Options; fn f() { parse::go() }", &modules);
    assert_eq!(seen, ["", "odata::parse"].into_iter().map(path).collect());
}

#[test]
fn circles_are_found() {
    let edges =
        [("a", "b"), ("b", "c"), ("c", "a"), ("c", "d"), ("d", "e"), ("e", "d"), ("f", "a")];
    let mut graph = Graph::new();
    for (from, to) in edges {
        graph.entry(path(from)).or_default().insert(path(to));
    }
    let sizes: Vec<usize> = circles(&graph).iter().map(BTreeSet::len).collect();
    assert_eq!(sizes, [3, 2]);
}

fn path(text: &str) -> Module {
    text.split("::").filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// Every module of the crate outside of tests, with the modules that it imports.
fn graph() -> Graph {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files: BTreeMap<Module, PathBuf> =
        sources(&root).into_iter().map(|file| (module_of(&root, &file), file)).collect();
    let modules = files.keys().cloned().collect();
    let imported = |module: &Module, file: &Path| {
        imports(module, &fs::read_to_string(file).unwrap(), &modules)
    };
    files.iter().map(|(module, file)| (module.clone(), imported(module, file))).collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.file_stem().is_some_and(|name| name == "tests") {
            continue;
        }
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            files.push(path);
        }
    }
    files
}

/// `odata/page.rs` is `odata::page`, `odata/mod.rs` is `odata`, `lib.rs` is the root.
fn module_of(root: &Path, file: &Path) -> Module {
    let below = file.strip_prefix(root).unwrap().with_extension("");
    let mut names: Module = below.iter().map(|name| name.to_str().unwrap().to_owned()).collect();
    if names.last().is_some_and(|last| last == "mod" || last == "lib") {
        names.pop();
    }
    names
}

/// The groups of modules that reach each other.
fn circles(graph: &Graph) -> BTreeSet<BTreeSet<&Module>> {
    let reached: BTreeMap<&Module, BTreeSet<&Module>> =
        graph.keys().map(|module| (module, reached_from(module, graph))).collect();
    let both_ways = |one: &Module, other: &Module| {
        let reaches = |from, to| reached.get(from).is_some_and(|set| set.contains(to));
        reaches(one, other) && reaches(other, one)
    };
    let circle_of = |one| graph.keys().filter(|other| both_ways(one, other)).collect();
    graph.keys().map(circle_of).filter(|circle: &BTreeSet<_>| circle.len() > 1).collect()
}

fn reached_from<'g>(start: &'g Module, graph: &'g Graph) -> BTreeSet<&'g Module> {
    let mut reached = BTreeSet::new();
    let mut open = vec![start];
    while let Some(module) = open.pop() {
        open.extend(graph.get(module).into_iter().flatten().filter(|next| reached.insert(*next)));
    }
    reached
}

fn edges_of(circle: &BTreeSet<&Module>, graph: &Graph) -> String {
    let mut text = String::new();
    for module in circle {
        let inside = graph[*module].iter().filter(|next| circle.contains(next));
        let names: Vec<String> = inside.map(shown).collect();
        text += &format!("{} imports {}\n", shown(module), names.join(", "));
    }
    text
}

fn shown(module: &Module) -> String {
    if module.is_empty() { "the root".to_owned() } else { module.join("::") }
}

/// The other modules that the text of a module names.
fn imports(module: &Module, text: &str, modules: &BTreeSet<Module>) -> BTreeSet<Module> {
    let mut seen = Seen::default();
    seen.visit_file(&syn::parse_file(text).unwrap());
    let mut imported = BTreeSet::new();
    let mut named = BTreeMap::new();
    for (name, path) in &seen.uses {
        if let Some((found, rest)) = resolve(module, path, modules) {
            if rest == 0 {
                named.insert(name.clone(), found.clone());
            }
            imported.insert(found);
        }
    }
    for path in &seen.paths {
        let from_here = resolve(module, path, modules);
        let through_a_use = || {
            let (first, rest) = path.split_first()?;
            Some(descend(named.get(first)?.clone(), rest, modules))
        };
        imported.extend(from_here.or_else(through_a_use).map(|(found, _)| found));
    }
    imported.remove(module);
    imported
}

/// The deepest module that a path leads to, and the number of names after it. `None` if the path
/// leads out of the crate.
fn resolve(
    module: &Module,
    path: &[String],
    modules: &BTreeSet<Module>,
) -> Option<(Module, usize)> {
    let (first, rest) = path.split_first()?;
    match first.as_str() {
        "crate" => Some(descend(Module::new(), rest, modules)),
        "self" => Some(descend(module.clone(), rest, modules)),
        "super" => {
            let up = path.iter().take_while(|name| *name == "super").count();
            let start = module.get(..module.len() - up).unwrap().to_vec();
            Some(descend(start, &path[up..], modules))
        }
        _ => {
            let found = descend(module.clone(), path, modules);
            (found.1 < path.len()).then_some(found)
        }
    }
}

fn descend(mut here: Module, names: &[String], modules: &BTreeSet<Module>) -> (Module, usize) {
    for (place, name) in names.iter().enumerate() {
        here.push(name.clone());
        if !modules.contains(&here) {
            here.pop();
            return (here, names.len() - place);
        }
    }
    (here, 0)
}

/// The paths in a file, outside of tests.
#[derive(Default)]
struct Seen {
    /// Imported paths, each with the name that it gets.
    uses: Vec<(String, Vec<String>)>,
    paths: Vec<Vec<String>>,
}

impl Seen {
    fn tree(&mut self, tree: &UseTree, before: &[String]) {
        let with = |name: &syn::Ident| {
            let own = (name != "self" || before.is_empty()).then(|| name.to_string());
            before.iter().cloned().chain(own).collect::<Vec<_>>()
        };
        match tree {
            UseTree::Path(path) => self.tree(&path.tree, &with(&path.ident)),
            UseTree::Group(group) => group.items.iter().for_each(|one| self.tree(one, before)),
            UseTree::Glob(_) => self.uses.push(("*".to_owned(), before.to_vec())),
            UseTree::Name(name) => {
                let path = with(&name.ident);
                self.uses.push((path.last().cloned().unwrap_or_default(), path));
            }
            UseTree::Rename(name) => {
                self.uses.push((name.rename.to_string(), with(&name.ident)));
            }
        }
    }

    /// Inside of macros there are only tokens: names with `::` between them.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Punct(mark) if mark.as_char() == ':' => colons += 1,
                TokenTree::Ident(name) if colons == 2 => {
                    path.push(name.to_string());
                    colons = 0;
                }
                other => {
                    self.paths.push(std::mem::take(&mut path));
                    colons = 0;
                    match other {
                        TokenTree::Ident(name) => path.push(name.to_string()),
                        TokenTree::Group(group) => self.tokens(group.stream()),
                        TokenTree::Punct(_) | TokenTree::Literal(_) => {}
                    }
                }
            }
        }
        self.paths.push(path);
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
            assert!(item.content.is_none(), "`{}` has no file of its own", item.ident);
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
            self.tree(&item.tree, &[]);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.paths.push(path.segments.iter().map(|one| one.ident.to_string()).collect());
        visit::visit_path(self, path);
    }

    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_macro(&mut self, found: &'ast syn::Macro) {
        self.tokens(found.tokens.clone());
        visit::visit_macro(self, found);
    }
}
