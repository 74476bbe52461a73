//! `--format html`: pages with hostile names, which a real HTML parser reads like pages with harmless ones; the
//! security policy of a page; what a page says at each level of `--disclose`; and pages in a real browser.
//!
//! Not here: the words that the page shares with other outputs (`markdown`, `cli::disclose`).

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use html5ever::tendril::TendrilSink as _;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use mfactl::disclose::{Discloser, Disclosure};
use mfactl::id::UserId;
use mfactl::plan::Plan;
use mfactl::plan::content::PlanContent;
use mfactl::plan::difference::Delta;
use mfactl::plan::review::{Comparison, NotCompared, Review};
use mfactl::render::disclosed;
use mfactl::render::html::{self, HtmlView};
use mfactl::report::{self, PostureReport};
use mfactl::tenant::facts::Read;
use proptest::prelude::*;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::markdown::{name, review_of, world};
use crate::sandbox::sdks::{run, workshop};
use crate::support::tiny_tenant::{TODAY, Tenant, id};

const POLICIES: &str = "\
version: 1
policies:
  p:
    appliesTo: { groups: [All] }
    desired: { phones: { mobile: { from: mobilePhone, region: NL } }, perUserMfa: enabled }
";

fn view(disclose: &Discloser) -> HtmlView<'_> {
    HtmlView { disclose, sandbox: false, part: false, digest: None }
}

fn at(level: Disclosure) -> Discloser {
    Discloser::new(level, "a tenant", None)
}

fn page(plan: &Plan, review: Option<&Review>, level: Disclosure) -> String {
    html::plan(plan, review, view(&at(level)))
}

/// A report on a small tenant, with these names in every place that comes from others.
fn report_of(names: &[String]) -> PostureReport {
    let name = |number: usize| names[number % names.len()].as_str();
    let mut tenant = Tenant::new();
    for (number, (user, _)) in tenant.users.iter_mut().enumerate() {
        user.name = format!("{number:02}{}", name(number)).into();
    }
    let (set, observed) = tenant.observed(POLICIES).expect("a tenant");
    let mut report = report::report(&set, observed, &Read::Known(tenant.roles), TODAY);
    report.identity.domain = name(3).into();
    for slice in &mut report.policies {
        slice.of.name = name(1).into();
    }
    for slice in &mut report.groups {
        slice.of.name = name(2).into();
    }
    for slice in &mut report.roles {
        slice.of.name = name(5).into();
    }
    for (number, finding) in report.findings.iter_mut().enumerate() {
        finding.message = format!("`{}`: {}", name(number), name(4));
    }
    report
}

fn report_page(report: &PostureReport, level: Disclosure) -> String {
    html::report(report, view(&at(level)))
}

/// What a parser makes of a page.
#[derive(Debug, Default, PartialEq, Eq)]
struct Parsed {
    /// How often each element with its attributes is there, in which element.
    elements: BTreeMap<String, usize>,
    /// The texts of elements that hold no elements.
    styles: Vec<String>,
    scripts: Vec<String>,
    data: Vec<String>,
    policy: String,
    comments: usize,
    errors: usize,
}

fn parsed(page: &str) -> Parsed {
    let dom: RcDom = parse_document(RcDom::default(), ParseOpts::default()).one(page);
    let mut found = Parsed { errors: dom.errors.borrow().len(), ..Parsed::default() };
    walk(&dom.document, "", &mut found);
    found
}

fn walk(node: &Handle, parent: &str, found: &mut Parsed) {
    let mut inside = parent.to_owned();
    match &node.data {
        NodeData::Comment { .. } => found.comments += 1,
        NodeData::Element { name, attrs, .. } => {
            inside = name.local.to_string();
            let attributes: BTreeMap<String, String> = attrs
                .borrow()
                .iter()
                .map(|one| (one.name.local.to_string(), one.value.to_string()))
                .collect();
            let text = || text_of(node);
            match (&*inside, attributes.get("type").map(String::as_str)) {
                ("style", _) => found.styles.push(text()),
                ("script", None) => found.scripts.push(text()),
                ("script", Some("application/json")) => found.data.push(text()),
                _ => {}
            }
            if attributes.contains_key("http-equiv") {
                found.policy = attributes["content"].clone();
            }
            // A backtick in a name ends a quoted name, so a message can have more or fewer of these.
            if inside != "code" {
                *found
                    .elements
                    .entry(format!("{parent} > {inside} {attributes:?}"))
                    .or_default() += 1;
            }
        }
        _ => {}
    }
    node.children.borrow().iter().for_each(|child| walk(child, &inside, found));
}

fn text_of(node: &Handle) -> String {
    let mut text = String::new();
    for child in node.children.borrow().iter() {
        if let NodeData::Text { contents } = &child.data {
            text.push_str(&contents.borrow());
        }
    }
    text
}

/// The numbers of rows, words and columns of the data.
fn sizes(found: &Parsed) -> Vec<(usize, usize)> {
    let size = |data: &String| {
        let data: Value = serde_json::from_str(data).expect("JSON");
        let rows = data["rows"].as_array().expect("rows").len();
        (rows, data["columns"].as_array().expect("columns").len())
    };
    found.data.iter().map(size).collect()
}

/// Panics if a page does what no page may do, whatever is in it.
#[track_caller]
fn is_safe(page: &str, found: &Parsed) {
    assert_eq!((found.errors, found.comments), (0, 0), "{page}");
    assert_eq!((found.styles.len(), found.scripts.len()), (1, 1));
    let digest = |text: &str| STANDARD.encode(Sha256::digest(text));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        digest(&found.styles[0]),
        digest(&found.scripts[0])
    );
    assert_eq!(found.policy, policy);
    for element in found.elements.keys() {
        assert!(!element.contains("\"style\"") && !element.contains("\"on"), "{element}");
        assert!(!element.contains("\"src\"") && !element.contains("> base"), "{element}");
        assert!(
            !element.contains("\"href\": \"") || element.contains("\"href\": \"#"),
            "{element}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn html_with_hostile_names_is_read_like_one_with_harmless_names(names in prop::collection::vec(name(), 9)) {
        let harmless: Vec<String> = (0..9).map(|number| format!("name{number}")).collect();
        let (plan, review) = review_of(&names);
        let (plain_plan, plain_review) = review_of(&harmless);
        let pairs = [
            (page(&plan, None, Disclosure::Names), page(&plain_plan, None, Disclosure::Names)),
            (page(&plan, Some(&review), Disclosure::Names), page(&plain_plan, Some(&plain_review), Disclosure::Names)),
            (report_page(&report_of(&names), Disclosure::Names), report_page(&report_of(&harmless), Disclosure::Names)),
        ];
        for (hostile, plain) in pairs {
            let (one, other) = (parsed(&hostile), parsed(&plain));
            is_safe(&hostile, &one);
            prop_assert_eq!(&one.elements, &other.elements, "{}", hostile);
            prop_assert_eq!(sizes(&one), sizes(&other));
        }
    }
}

/// Names that end elements, begin attributes and comments, or hide.
const HOSTILE: [&str; 8] = [
    "<script>alert(1)</script>",
    "\" onload=\"alert(1)",
    "</script><img src=x>",
    "<!-- --!>",
    "</title></style></noscript>",
    "\u{202e}\u{2066}x",
    "\u{2028}\u{0}\u{1b}[2J",
    "]]>&lt;&#60;'",
];

#[test]
fn html_shows_hostile_names_as_text() {
    let names: Vec<String> = HOSTILE.iter().map(|name| (*name).to_owned()).collect();
    let (plan, review) = review_of(&names);
    for page in [
        page(&plan, None, Disclosure::Names),
        page(&plan, Some(&review), Disclosure::Names),
        report_page(&report_of(&names), Disclosure::Names),
    ] {
        is_safe(&page, &parsed(&page));
        assert!(!page.contains(['\u{202e}', '\u{2028}', '\u{0}', '\u{1b}']));
        assert!(page.contains("&lt;script&gt;") && page.contains("\\\\u{202e}"), "{page}");
    }
}

#[test]
fn same_plan_gives_the_same_html() {
    let names = ["a".to_owned(), "b".to_owned()];
    let (plan, review) = review_of(&names);
    for level in Disclosure::ALL {
        assert_eq!(page(&plan, Some(&review), level), page(&plan, Some(&review), level));
        assert_eq!(report_page(&report_of(&names), level), report_page(&report_of(&names), level));
    }
}

#[test]
fn html_of_counts_has_no_single_user_and_no_small_number() {
    let names = ["someone".to_owned()];
    let (plan, review) = review_of(&names);
    let report = report_of(&names);
    let pages = [
        page(&plan, None, Disclosure::Counts),
        page(&plan, Some(&review), Disclosure::Counts),
        report_page(&report, Disclosure::Counts),
    ];
    for page in pages {
        let found = parsed(&page);
        is_safe(&page, &found);
        assert!(found.data.is_empty() && !page.contains("id=\"people\""), "{page}");
        assert!(page.contains("&lt;5"), "{page}");
    }
    let named = page(&plan, None, Disclosure::Names);
    assert!(named.contains("02someone") || named.contains("someone2"), "{named}");
    let disclose = at(Disclosure::Pseudonyms);
    let hidden = disclosed::report(report, &disclose);
    let page = html::report(&hidden, view(&disclose));
    assert!(page.contains("\"u-"), "{page}");
}

#[test]
fn html_of_a_plan_that_is_not_compared_says_why() {
    let (plan, review) = review_of(&["name".to_owned()]);
    let (why, help) = ("the base does not validate".into(), "read it".into());
    let review = Review { result: Err(NotCompared { why, about: None, help }), ..review };
    let page = page(&plan, Some(&review), Disclosure::Names);
    assert!(page.contains("<h1>It is unknown what this change does</h1>"), "{page}");
    assert!(
        page.contains("Not compared with <code>name</code>: the base does not validate."),
        "{page}"
    );
}

/// Every page of a small tenant, from the program itself.
fn pages(folder: &Path) -> Vec<PathBuf> {
    let world = world();
    world.run(&["plan", "--out", "a.plan"]).ends(0);
    let commands: [&[&str]; 8] = [
        &["plan"],
        &["plan", "--disclose", "counts"],
        &["plan", "--against", "base"],
        &["plan", "--against", "base", "--disclose", "pseudonyms"],
        &["show", "a.plan"],
        &["report"],
        &["report", "--at", "2027-03-01"],
        &["report", "--disclose", "counts"],
    ];
    let page = |(number, command): (usize, &&[&str])| {
        let run = world.run(&[command, &["--format", "html"][..]].concat()).ends(0);
        let path = folder.join(format!("page{number}.html"));
        fs::write(&path, run.stdout).expect("a page");
        path
    };
    commands.iter().enumerate().map(page).collect()
}

#[test]
#[ignore = "long: the pages of eight commands"]
fn html_of_every_command_is_safe() {
    let folder = tempfile::tempdir().expect("a folder");
    for path in pages(folder.path()) {
        let page = fs::read_to_string(path).expect("a page");
        is_safe(&page, &parsed(&page));
    }
}

#[test]
fn html_of_the_program_is_safe_and_says_what_the_plan_says() {
    let world = world();
    world.run(&["plan", "--out", "a.plan"]).ends(0);
    // `run` replaces the fingerprint in what a program prints.
    let show = |format| {
        let output = world.command(&["show", "a.plan", "--format", format]).output();
        String::from_utf8(output.expect("the program").stdout).expect("UTF-8")
    };
    let plan: Value = serde_json::from_str(&show("json")).expect("JSON");
    let page = show("html");
    let found = parsed(&page);
    let users = plan["users"].as_object().expect("users");
    assert_eq!(sizes(&found), [(users.len(), 7)]);
    assert!(page.contains(plan["fingerprint"].as_str().expect("a fingerprint")));
    let review = world.run(&["plan", "--against", "base", "--format", "html"]).ends(0).stdout;
    is_safe(&page, &found);
    is_safe(&review, &parsed(&review));
    let order = ["id=\"loosened\"", "id=\"changes\"", "id=\"waiting\"", "id=\"users\""];
    let places: Vec<usize> = order.iter().map(|id| review.find(id).expect(id)).collect();
    assert!(places.is_sorted(), "{places:?}");
}

/// The program of the browser: Debian names it `chromium`.
fn browser() -> PathBuf {
    let path = std::env::var_os("PATH").expect("a path");
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let found = std::env::split_paths(&path)
        .flat_map(|folder| names.map(|name| folder.join(name)))
        .find(|program| program.is_file());
    found.expect("chromium is installed")
}

/// The folder of the driver. Its packages are installed once, because two installations would disturb each other.
fn driver() -> &'static Path {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = workshop("browser");
        run(&folder, "npm", &["ci", "--ignore-scripts", "--silent", "--no-audit", "--no-fund"]);
        folder
    });
    &FOLDER
}

fn in_browser(arguments: &[&Path]) -> String {
    let folder = driver();
    let browser = browser();
    let all: Vec<&str> = [Path::new("pages.mjs"), &browser]
        .into_iter()
        .chain(arguments.iter().copied())
        .map(|path| path.to_str().expect("UTF-8"))
        .collect();
    run(folder, "node", &all)
}

#[test]
#[ignore = "long: installs axe-core and opens pages in chromium"]
fn browser_shows_html_without_a_request_or_a_fault() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut all = pages(folder.path());
    let names: Vec<String> = HOSTILE.iter().map(|name| (*name).to_owned()).collect();
    let (plan, review) = review_of(&names);
    for (number, page) in [
        page(&plan, Some(&review), Disclosure::Names),
        report_page(&report_of(&names), Disclosure::Names),
    ]
    .into_iter()
    .enumerate()
    {
        let path = folder.path().join(format!("hostile{number}.html"));
        fs::write(&path, page).expect("a page");
        all.push(path);
    }
    let all: Vec<&Path> = all.iter().map(PathBuf::as_path).collect();
    assert_eq!(in_browser(&all), "done\n");
}

/// The review of a change for users who are alike.
fn review_of_alike(number: u128) -> (Plan, Review) {
    let (plan, review) = review_of(&["name".to_owned()]);
    let comparison = review.result.as_ref().expect("a comparison");
    let mut heads = comparison.difference.users.values().filter_map(Delta::head);
    let example = heads.find(|one| !one.changes.is_empty()).expect("a user").clone();
    let mut head = PlanContent::default();
    for place in 0..number {
        let mut user = example.clone();
        user.name = format!("firstname.lastname{place}@exchangelabs.nl").into();
        head.users.insert(UserId::from_uuid(id(0x10_0000 + place)), user);
    }
    let result = Ok(Comparison::of(&PlanContent::default(), &head, Vec::new()));
    (plan, Review { against: "main".into(), result })
}

/// A report on many accounts.
fn report_of_many(number: u128) -> PostureReport {
    let mut tenant = Tenant::new();
    let examples = tenant.users.clone();
    for (place, (user, facts)) in (0..number).zip(examples.iter().cycle()) {
        let mut user = user.clone();
        user.id = UserId::from_uuid(id(0x10_0000 + place));
        user.name = format!("firstname.lastname{place}@exchangelabs.nl").into();
        user.account.enabled = true;
        tenant.users.push((user, *facts));
    }
    let everyone = POLICIES.replace("{ groups: [All] }", "{ everyone: true }");
    let (set, observed) = tenant.observed(&everyone).expect("a tenant");
    report::report(&set, observed, &Read::Known(tenant.roles), TODAY)
}

/// Pages of 50,000 users. The time that a browser needs to open them is printed, and not compared with anything.
#[test]
#[ignore = "long: opens pages of 50,000 users in chromium"]
fn browser_opens_html_of_fifty_thousand_users() {
    const MANY: u128 = 50_000;
    let folder = tempfile::tempdir().expect("a folder");
    let (plan, review) = review_of_alike(MANY);
    let (unlike_plan, unlike_review) = super::markdown::review_of_many(50_000);
    let names = Disclosure::Names;
    for (what, page) in [
        ("users alike", page(&plan, Some(&review), names)),
        ("users who all differ", page(&unlike_plan, Some(&unlike_review), names)),
        ("report", report_page(&report_of_many(MANY), names)),
    ] {
        let path = folder.path().join("many.html");
        fs::write(&path, &page).expect("a page");
        let said = in_browser(&[Path::new("--time"), &path]);
        println!("{what}: {} bytes, {said}", page.len());
        assert!(said.contains("200 of 50"), "{said}");
    }
}
