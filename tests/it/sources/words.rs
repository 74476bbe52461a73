//! Checks all text that a person reads against the list of words at the end of `docs/STYLE.md`: strings,
//! module heads and doc comments of the sources, comments and test names of all code, and pages.
//!
//! Not here: whether a sentence is clear. Only a reader can tell.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};

/// The sources of all crates.
const SOURCES: [&str; 3] = ["src", "files/src", "sandbox/src"];

/// The tests and benches. Their strings are often input or expected output, so only their comments and the
/// names of their tests are checked.
const TESTS: [&str; 2] = ["tests", "benches"];

/// Pages that a person reads. The list of words itself is not checked.
const PAGES: [&str; 6] =
    ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "docs", "policies"];

#[test]
fn strings_and_doc_comments_use_the_words_of_the_style_guide() {
    let banned = banned();
    let mut faults = Vec::new();
    for file in SOURCES.iter().flat_map(|folder| files_under(Path::new(folder), "rs")) {
        let text = fs::read_to_string(&file).unwrap();
        let tokens: TokenStream = text.parse().unwrap();
        let mut strings = Vec::new();
        literals(tokens, &mut strings);
        let strings: Vec<String> = strings.iter().map(|one| without_code(one)).collect();
        let spoken = strings.join("\u{1}");
        faults.extend(found(&spoken, &banned).map(|fault| format!("{}: {fault}", file.display())));
    }
    assert!(faults.is_empty(), "{} against docs/STYLE.md:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn comments_and_test_names_use_the_words_of_the_style_guide() {
    let banned = banned();
    let mut faults = Vec::new();
    let folders = SOURCES.iter().chain(&TESTS);
    for file in folders.flat_map(|folder| files_under(Path::new(folder), "rs")) {
        let text = fs::read_to_string(&file).unwrap();
        let texts = comments_and_test_names(&text);
        let texts: Vec<String> = texts.iter().map(|one| without_code(one)).collect();
        let joined = texts.join("\u{1}");
        faults.extend(found(&joined, &banned).map(|fault| format!("{}: {fault}", file.display())));
    }
    assert!(faults.is_empty(), "{} against docs/STYLE.md:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn comments_and_test_names_are_found() {
    let text = "//! A head\n//! of two lines.\n\n/// A doc.\n#[test]\n#[cfg(unix)]\nfn who_has_it() {\n    \
        // Inside.\n    let number = 1;\n}\n\nfn helper_who() {}\n";
    let texts = comments_and_test_names(text);
    let texts: Vec<&str> =
        texts.iter().map(|one| one.trim()).filter(|one| !one.is_empty()).collect();
    assert_eq!(texts, ["A head\n of two lines.", "A doc.", "Who has it.", "Inside."]);
}

#[test]
fn pages_use_the_words_of_the_style_guide() {
    let banned = banned();
    let mut faults = Vec::new();
    for page in PAGES.iter().flat_map(|page| pages(Path::new(page))) {
        let text = fs::read_to_string(&page).unwrap();
        let text = without_code(text.split("## Words that the test refuses").next().unwrap());
        // A paragraph is one text, a row of a table as well.
        let text = text.replace("\n\n", "\u{1}").replace("\n|", "\u{1}|").replace("\n-", "\u{1}-");
        faults.extend(found(&text, &banned).map(|fault| format!("{}: {fault}", page.display())));
    }
    assert!(faults.is_empty(), "{} against docs/STYLE.md:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn search_finds_each_phrase_of_the_list_and_no_part_of_a_word() {
    let banned = banned();
    assert!(banned.len() > 15, "{banned:?}");
    for phrase in &banned {
        assert_eq!(without_code(&format!("a `{phrase}` b")).trim(), "a ` b");
        let text = format!("The user {phrase}\u{a0}x. The user\n{phrase} y.");
        assert_eq!(found(&text, std::slice::from_ref(phrase)).count(), 2, "{phrase}");
    }
    assert_eq!(
        found("a withholding, besides", &["held".to_owned(), "beside".to_owned()]).count(),
        0
    );
    assert_eq!(found("Fine. Who reads it knows.", &[]).count(), 1);
    assert_eq!(found("Who may read it?\u{1}The people who read it.", &[]).count(), 0);
}

/// Removes text in backticks and fences from a page: names of tests, keys and output.
fn without_code(text: &str) -> String {
    let outside = text.split("```").step_by(2).collect::<Vec<_>>().join("\n\n");
    outside.split('`').step_by(2).collect::<Vec<_>>().join("`")
}

/// The first column of the table at the end of the page, without the parts in brackets.
fn banned() -> Vec<String> {
    let page = fs::read_to_string("docs/STYLE.md").unwrap();
    let (_, table) = page.split_once("## Words that the test refuses").unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| ")).skip(1);
    let cells = rows.map(|row| row.trim_matches('|').split('|').next().unwrap().to_owned());
    let phrases = cells.filter(|cell| !cell.contains('"')).flat_map(|cell| {
        let words =
            cell.split(',').map(|phrase| phrase.split('(').next().unwrap().trim().to_lowercase());
        words.collect::<Vec<_>>()
    });
    phrases.collect()
}

/// The phrases of the list in a text, and sentences that begin with "Who" and are not questions.
/// Texts are separated by U+0001.
fn found<'a>(text: &'a str, banned: &'a [String]) -> impl Iterator<Item = String> + 'a {
    text.split('\u{1}').flat_map(move |one| {
        let plain: String = one.split_whitespace().collect::<Vec<_>>().join(" ");
        let words = format!(" {} ", plain.to_lowercase().replace(|c: char| !is_of_word(c), " "));
        let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
        let words = format!(" {words} ");
        let mut faults = Vec::new();
        for phrase in banned {
            for _ in words.matches(&format!(" {phrase} ")) {
                faults.push(format!("`{phrase}` in: {}", near(&plain, phrase)));
            }
        }
        for sentence in plain.split_inclusive(['.', '?', '!', ':', '|']) {
            let sentence = sentence.trim_start_matches([' ', '|']);
            if sentence.starts_with("Who ") && !sentence.ends_with('?') && sentence.ends_with('.') {
                faults.push(format!("a sentence that begins with `Who`: {sentence}"));
            }
        }
        faults
    })
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '-' || c == '\''
}

/// The words around a phrase.
fn near(text: &str, phrase: &str) -> String {
    let at = text.to_lowercase().find(phrase).unwrap_or(0);
    let from = text.char_indices().map(|(i, _)| i).rfind(|i| *i + 40 <= at).unwrap_or(0);
    text.chars().skip(text.get(..from).map_or(0, |start| start.chars().count())).take(110).collect()
}

/// Every comment of a file, and the name of every test as a sentence.
fn comments_and_test_names(text: &str) -> Vec<String> {
    let mut texts = vec![String::new()];
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        if let Some(comment) = line.strip_prefix("//") {
            // Lines of one comment are one text.
            let mut whole = texts.pop().unwrap_or_default();
            whole += &format!("{}\n", comment.trim_start_matches(['/', '!']));
            texts.push(whole);
            continue;
        }
        if let Some((_, name)) = line.split_once("fn ").filter(|_| is_test) {
            let name = name.split(['(', '<']).next().unwrap_or_default().replace('_', " ");
            let (first, rest) = name.split_at(name.len().min(1));
            texts.push(format!("{}{rest}.", first.to_uppercase()));
        }
        texts.push(String::new());
        is_test = line.starts_with("#[") && (is_test || line.contains("test"));
    }
    texts
}

/// Every string and doc comment of a file, also inside macros.
fn literals(tokens: TokenStream, strings: &mut Vec<String>) {
    // Lines of one comment are one text.
    let mut comment = String::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let inner = group.stream().to_string();
                match inner.strip_prefix("doc = ") {
                    Some(line) => {
                        comment.push_str(&line.trim_matches(['r', '#', '"']).replace("\\n", " "))
                    }
                    None => literals(group.stream(), strings),
                }
            }
            TokenTree::Punct(punct) if matches!(punct.as_char(), '#' | '!') => {}
            TokenTree::Literal(literal) => strings.push(literal.to_string()),
            _ => {
                if !comment.is_empty() {
                    strings.push(std::mem::take(&mut comment));
                }
            }
        }
    }
    strings.push(comment);
}

fn pages(path: &Path) -> Vec<PathBuf> {
    match path.is_dir() {
        true => [files_under(path, "md"), files_under(path, "yaml")].concat(),
        false => vec![path.to_owned()],
    }
}

fn files_under(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_under(&path, extension));
        } else if path.extension().is_some_and(|one| one == extension) {
            files.push(path);
        }
    }
    files.sort();
    files
}
