//! `plan --format markdown`: the page for each host, and pages with hostile names, which a real CommonMark parser
//! reads like pages with harmless ones.
//!
//! Not here: posting (`comment`).

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, in what it calls as well"
)]

use std::path::Path;

use mfactl::disclose::{Discloser, Disclosure};
use mfactl::finding::Code;
use mfactl::plan::Plan;
use mfactl::plan::content::{Governed, PlanContent};
use mfactl::plan::loosening::Loosening;
use mfactl::plan::review::{Comparison, NotCompared, Review};
use mfactl::render::markdown::{Dialect, MarkdownView, markdown};
use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag};

use crate::support::golden::compare;
use crate::support::tenant_builder::exchangelabs;
use crate::support::tiny_tenant::Tenant;
use crate::support::world::World;

const BASE: &str = "\
version: 1
policies:
  staff:
    appliesTo: { users: [j.smith@exchangelabs.nl] }
    desired: { perUserMfa: enabled }
  old:
    priority: 30
    appliesTo: { users: [h.peters@exchangelabs.nl] }
    desired: { perUserMfa: enabled }
";

const HEAD: &str = "\
version: 1
policies:
  staff:
    appliesTo: { everyone: true }
    desired:
      phones:
        mobile: { from: mobilePhone }
      perUserMfa: enabled
";

pub(crate) fn world() -> World {
    let world = exchangelabs().world().file("policies/staff.yaml", HEAD);
    let project = std::fs::read_to_string(world.path("mfactl.yaml")).expect("a project");
    let tight = project.replacen("percent: 100, floor: 0", "percent: 10, floor: 2", 1);
    world
        .file("mfactl.yaml", project)
        .file("base/mfactl.yaml", tight)
        .file("base/policies/staff.yaml", BASE)
        .with("PATH", std::env::var("PATH").expect("a path"))
}

/// The page without the fingerprint, which covers the port of the tenant, and so does the digest.
fn without_hashes(page: &str) -> String {
    let mut shown = String::new();
    let mut run = String::new();
    for letter in page.chars().chain(['\n']) {
        if letter.is_ascii_hexdigit() {
            run.push(letter);
            continue;
        }
        shown += match run.len() {
            8 | 64 if run.bytes().any(|byte| byte.is_ascii_digit()) && letter != '-' => "HASH",
            _ => &run,
        };
        run.clear();
        shown.push(letter);
    }
    shown.trim_end().to_owned() + "\n"
}

#[test]
fn review_looks_as_agreed_on_every_host() {
    let world = world();
    let mut faults = String::new();
    for dialect in Dialect::ALL {
        let host = dialect.as_str();
        let arguments = ["plan", "--against", "base", "--format", "markdown", "--for", host];
        let run = world.run(&arguments).ends(0);
        let path = format!("tests/markdown/review.{host}.md");
        faults += &compare(Path::new(&path), &without_hashes(&run.stdout));
    }
    let arguments = ["plan", "--format", "markdown", "--disclose", "counts"];
    let run = world.run(&arguments).ends(0);
    faults += &compare(Path::new("tests/markdown/plan.counts.md"), &without_hashes(&run.stdout));
    assert!(faults.is_empty(), "{faults}");
}

#[test]
fn same_files_have_no_difference_and_brakes_ask_for_attention() {
    let world = world();
    let run = world.run(&["plan", "--against", ".", "--format", "markdown"]).ends(0);
    let first = run.stdout.lines().next().expect("a marker");
    assert!(
        first.contains("\"difference\":null") && first.contains("\"attention\":false"),
        "{first}"
    );
    assert!(run.stdout.contains("this change has no effect"), "{}", run.stdout);
    let tight = std::fs::read_to_string(world.path("base/mfactl.yaml")).expect("a project");
    let run =
        world.file("mfactl.yaml", tight).run(&["plan", "--against", ".", "--format", "markdown"]);
    assert!(run.stdout.contains("\"attention\":true"), "{}", run.text());
    assert!(
        run.stdout.contains("apply refuses this plan without `--allow changedUsers="),
        "{}",
        run.text()
    );
}

/// A small plan and a review of it, with these names in every place that comes from others.
pub(crate) fn review_of(names: &[String]) -> (Plan, Review) {
    let name = |number: usize| names[number % names.len()].as_str();
    let mut tenant = Tenant::new();
    for (number, (user, _)) in tenant.users.iter_mut().enumerate().skip(2) {
        user.name = format!("{}{number}", name(number)).into();
    }
    let policy = |state: &str| {
        format!(
            "version: 1\npolicies:\n  p:\n    appliesTo: {{ everyone: true }}\n    desired: {{ phones: {{ mobile: {{ \
            from: mobilePhone, region: NL }} }}, perUserMfa: {state} }}\n"
        )
    };
    let base =
        PlanContent::of(&tenant.plan(&policy("enforced")).expect("a plan").plan, Governed::new());
    let mut plan = tenant.plan(&policy("enabled")).expect("a plan").plan;
    for label in &mut plan.policies {
        label.name = name(1).into();
    }
    plan.identity.domain = name(2).into();
    for (number, finding) in plan.findings.iter_mut().enumerate() {
        finding.message = format!("`{}`: {} and {}", name(number), name(3), name(4));
    }
    let head = PlanContent::of(&plan, Governed::new());
    let loosening = Loosening {
        origin: None,
        code: Code::BrakeRaised,
        message: format!("brake `{}` {}", name(5), name(6)),
        place: None,
        policy: Some(name(7).into()),
        concerned: None,
    };
    let result = Ok(Comparison::of(&base, &head, vec![loosening]));
    (plan, Review { against: name(8).into(), result })
}

fn page(plan: &Plan, review: Option<&Review>, dialect: Dialect, level: Disclosure) -> String {
    let disclose = Discloser::new(level, "a tenant", None);
    let marker = if dialect.has_html() { "<!-- mfactl v1 {} -->" } else { "[mfactl-v1]: # \"{}\"" };
    markdown(plan, review, MarkdownView { dialect, disclose: &disclose, marker, digest: None })
}

/// The blocks of a page, in order, and the text outside of code.
fn parsed(page: &str) -> (Vec<String>, Vec<String>) {
    let (mut blocks, mut texts) = (Vec::new(), Vec::new());
    for event in Parser::new_ext(page, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH) {
        match event {
            Event::Start(Tag::Link { dest_url, .. }) => blocks.push(format!("link {dest_url}")),
            Event::Start(Tag::Strong | Tag::Emphasis | Tag::Strikethrough) => {
                blocks.push("emphasis".to_owned());
            }
            Event::Start(tag) => {
                let name = format!("{tag:?}");
                blocks.push(name.split(['(', ' ', '{']).next().unwrap_or_default().to_owned());
            }
            Event::Html(html) | Event::InlineHtml(html) => blocks.push(format!("html {html}")),
            Event::Text(text) => texts.push(text.to_string()),
            _ => {}
        }
    }
    // Numbers in a summary are the program's own.
    let own = |block: String| block.chars().filter(|letter| !letter.is_ascii_digit()).collect();
    (blocks.into_iter().map(own).collect(), texts)
}

fn mentions(text: &str) -> bool {
    let letters: Vec<char> = text.chars().collect();
    letters.windows(2).enumerate().any(|(place, two)| {
        let before = place.checked_sub(1).map(|at| letters[at]);
        let is_word = before.is_some_and(|one| one.is_alphanumeric() || one == '_');
        two[0] == '@' && two[1].is_alphanumeric() && !is_word
    })
}

const PIECES: &[&str] = &[
    "|",
    "`",
    "```",
    "@org/team",
    " @a",
    "#1",
    "<script>",
    "</details>",
    "\n",
    "/close",
    "\u{202e}",
    "\u{3164}",
    "**",
    "_",
    "[x](http://y)",
    "![i](u)",
    "~~",
    "&lt;",
    "\\",
    "- ",
    "# ",
    "> ",
    "1. ",
    "www.a.nl",
    "https://a.nl",
    "-->",
    "<!--",
    "$x$",
    " ",
    "a",
    "é",
    "日",
];

pub(crate) fn name() -> impl Strategy<Value = String> {
    let pieces = prop::collection::vec(prop::sample::select(PIECES.to_vec()), 1..6);
    let pieces = pieces.prop_map(|pieces| pieces.concat());
    prop_oneof![6 => pieces, 1 => any::<String>(), 1 => "[a-z@`|]{60,300}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn page_with_hostile_names_is_read_like_one_with_harmless_names(names in prop::collection::vec(name(), 9)) {
        let harmless: Vec<String> = (0..9).map(|number| format!("name{number}")).collect();
        let (plan, review) = review_of(&names);
        let (plain_plan, plain_review) = review_of(&harmless);
        for dialect in Dialect::ALL {
            for review in [Some((&review, &plain_review)), None] {
                let (one, other) = review.unzip();
                let hostile = page(&plan, one, dialect, Disclosure::Names);
                prop_assert!(hostile.len() <= dialect.most());
                prop_assert_eq!(&hostile, &page(&plan, one, dialect, Disclosure::Names));
                let plain = page(&plain_plan, other, dialect, Disclosure::Names);
                let (blocks, texts) = parsed(&hostile);
                prop_assert_eq!(&blocks, &parsed(&plain).0, "{}\n{}", hostile, plain);
                prop_assert!(!texts.iter().any(|text| mentions(text)), "{}", hostile);
                prop_assert_eq!(hostile.lines().count(), plain.lines().count());
                // The order of findings depends on their messages.
                let begins = |page: &str| {
                    let mut begins: Vec<String> =
                        page.lines().map(|line| line.chars().take(3).collect()).collect();
                    begins.sort_unstable();
                    begins
                };
                prop_assert_eq!(begins(&hostile), begins(&plain));
            }
        }
    }
}

/// A review whose changes are all of different kinds.
pub(crate) fn review_of_many(number: usize) -> (Plan, Review) {
    let (plan, review) = review_of(&["@org/team`|\u{202e}<script>".repeat(4)]);
    let comparison = review.result.as_ref().expect("a comparison");
    let users = &comparison.difference.users;
    let example =
        users.values().find_map(|delta| delta.head().filter(|one| !one.changes.is_empty()));
    let example = example.expect("a user with a change").clone();
    let mut head = PlanContent::default();
    for place in 0..number {
        let mut user = example.clone();
        user.name = format!("`@{place}|{}", "\u{202e}".repeat(80)).into();
        user.is_administrator = Some(mfactl::tenant::user_set::Tristate::Yes);
        for change in user.changes.values_mut() {
            change.policy = format!("{}{place}", "#1`".repeat(30)).into();
        }
        let id = format!("00000000-0000-4000-8000-{place:012}").parse().expect("an id");
        head.users.insert(id, user);
    }
    let result = Ok(Comparison::of(&PlanContent::default(), &head, Vec::new()));
    (plan, Review { against: "main".into(), result })
}

#[test]
fn seven_hundred_unlike_users_fit() {
    unlike_users_fit(700);
}

#[test]
#[ignore = "long: pages of up to 10,000 users, where seven_hundred_unlike_users_fit has 700"]
fn ten_thousand_unlike_users_fit() {
    unlike_users_fit(2_000);
    unlike_users_fit(10_000);
}

fn unlike_users_fit(number: usize) {
    let (plan, review) = review_of_many(number);
    let changed = format!("What changes because of this change: {number} users");
    for dialect in Dialect::ALL {
        for level in Disclosure::ALL {
            let page = page(&plan, Some(&review), dialect, level);
            assert!(page.len() <= dialect.most(), "{dialect:?}: {}", page.len());
            assert!(page.lines().nth(1).expect("a title").starts_with("### MFA plan · "), "{page}");
            assert!(page.contains(&changed), "{page}");
            assert!(page.contains("fingerprint "), "{page}");
        }
    }
}

#[test]
fn plan_that_is_not_compared_says_why() {
    let (plan, review) = review_of(&["name".to_owned()]);
    let (why, help) = ("the base does not validate".into(), "read it".into());
    let not = NotCompared { why, about: None, help };
    let review = Review { result: Err(not), ..review };
    let page = page(&plan, Some(&review), Dialect::GitHub, Disclosure::Names);
    assert!(page.contains("it is unknown what this change does"), "{page}");
    assert!(page.contains("Not compared with `name`: the base does not validate."), "{page}");
}

#[test]
fn digest_stays_if_the_change_does_the_same() {
    let digest = |state: &str| {
        let world = world();
        let extra = format!(
            "version: 1\npolicies:\n  more:\n    priority: 50\n    appliesTo: {{ users: [j.smith@exchangelabs.nl] }}\n    desired: {{ \
             systemPreferredMfa: {state} }}\n"
        );
        let world =
            world.file("policies/more.yaml", &extra).file("base/policies/more.yaml", &extra);
        let page = world.run(&["plan", "--against", "base", "--format", "markdown"]).ends(0).stdout;
        let digest = page.split("\"difference\":\"").nth(1).expect("a digest");
        digest.chars().take_while(char::is_ascii_hexdigit).collect::<String>()
    };
    let one = digest("true");
    assert_eq!(one.len(), 64);
    assert_eq!(one, digest("false"), "what waits anyway is no part of it");
}
