//! Lists in pages: empty, overlapping, expired and endless ones. The members of a list do not depend on its
//! pages.

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::support::network_faults::{Front, Seen, Weather};
use crate::support::tenant_builder::exchangelabs;
use crate::support::world::PROJECT;

const EVERYBODY: &str = "\
version: 1
policies:
  all: { appliesTo: { everyone: true }, desired: { perUserMfa: enforced } }
";

/// The faults of a list of users in two pages.
#[derive(Clone, Copy, Debug)]
enum Pages {
    Two,
    /// An empty page is between the two.
    Empty,
    /// The second page repeats some rows of the first.
    Overlapping,
    /// The first link to the second page has expired.
    Expired,
    /// Every link to the second page has expired.
    AlwaysExpired,
    /// A page links to itself.
    Circle,
}

/// Splits the list of the tenant into pages.
fn paged(kind: Pages) -> impl Fn(&Seen, usize) -> Weather + Send + Sync {
    let rest: Arc<Mutex<Vec<Value>>> = Arc::default();
    let expired = AtomicUsize::new(0);
    move |seen, _| {
        let host = seen.header("host").unwrap_or_default().to_owned();
        let link = |token: &str| json!(format!("http://{host}/v1.0/users?$skiptoken={token}"));
        if seen.path.starts_with("/v1.0/users?$top=999") {
            let rest = Arc::clone(&rest);
            let next = link(if matches!(kind, Pages::Empty) { "empty" } else { "second" });
            return Weather::body(move |body| {
                let page: Value = serde_json::from_str(&body).expect("JSON");
                let mut rows = page.get("value").and_then(Value::as_array).expect("rows").clone();
                let again = rows.iter().take(30).skip(20).cloned().collect::<Vec<_>>();
                let mut second = rows.split_off(30);
                if matches!(kind, Pages::Overlapping) {
                    second.extend(again);
                }
                *rest.lock().expect("no panic") = second;
                json!({ "value": rows, "@odata.nextLink": next }).to_string()
            });
        }
        if seen.path.ends_with("$skiptoken=empty") {
            return Weather::json(
                json!({ "value": [], "@odata.nextLink": link("second") }).to_string(),
            );
        }
        if !seen.path.ends_with("$skiptoken=second") {
            return Weather::Fine;
        }
        match kind {
            Pages::Expired if expired.fetch_add(1, Ordering::SeqCst) > 0 => {}
            Pages::Expired | Pages::AlwaysExpired => {
                return Weather::refused(400, "Directory_ExpiredPageToken");
            }
            Pages::Circle => {
                return Weather::json(
                    json!({ "value": [], "@odata.nextLink": link("second") }).to_string(),
                );
            }
            _ => {}
        }
        let rows = rest.lock().expect("no panic").clone();
        Weather::json(json!({ "value": rows }).to_string())
    }
}

#[test]
fn list_in_pages_is_the_same_list() {
    let world = exchangelabs().james_and_jane().file("policies/staff.yaml", EVERYBODY);
    let whole = world.run(&["plan", "--all"]).ends(0).text();
    assert!(whole.contains("x.tran@exchangelabs.nl"), "{whole}");
    for kind in [Pages::Two, Pages::Empty, Pages::Overlapping, Pages::Expired] {
        let front = Front::before(world.server().url(), paged(kind));
        let url = front.url();
        let project = format!("{PROJECT}endpoints:\n  graph: {url}\n  login: {url}\n");
        std::fs::write(world.path("mfactl.yaml"), project).expect("a file");
        let run = world.run(&["plan", "--all"]).ends(0);
        assert_eq!(run.text(), whole, "{kind:?}");
        assert!(front.seen().iter().any(|seen| seen.path.contains("skiptoken")), "{kind:?}");
    }
}

#[test]
fn list_that_never_ends_is_an_error() {
    let world = exchangelabs().james_and_jane().file("policies/staff.yaml", EVERYBODY);
    for (kind, exit, reason) in [
        (Pages::AlwaysExpired, 6, "is a list page that Graph no longer knows"),
        (Pages::Circle, 1, "leads back to a page that was already read"),
    ] {
        let front = Front::before(world.server().url(), paged(kind));
        let url = front.url();
        let project = format!("{PROJECT}endpoints:\n  graph: {url}\n  login: {url}\n");
        std::fs::write(world.path("mfactl.yaml"), project).expect("a file");
        let run = world.run(&["plan"]).ends(exit);
        assert_eq!(run.stdout, "", "no plan is made from an incomplete list");
        assert!(run.stderr.contains(reason), "{}", run.text());
    }
}
