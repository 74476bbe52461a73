//! A phone number in full goes to Graph and nowhere else: everything that the program prints of a
//! whole tenant is searched for every number that anybody in it has.

use std::collections::BTreeSet;

use mfactl::sandbox::{Fault, Faults, Options, Store, seeds, store_in};
use serde_json::Value;

use crate::invented::last_digits;
use crate::program::exchangelabs;
use crate::promises::digit_strings;
use crate::served::root_files;
use crate::world::World;

/// Every number of the directory and every registered one, as its last eight digits.
pub(crate) fn numbers(store: &Store) -> BTreeSet<String> {
    let mut numbers = BTreeSet::new();
    for one in store.users() {
        let registered = one.methods.iter().filter_map(|method| method.get("phoneNumber"));
        let desks = one.user.get("businessPhones").and_then(Value::as_array);
        let all = registered.chain(desks.into_iter().flatten()).chain(one.user.get("mobilePhone"));
        numbers.extend(all.filter_map(Value::as_str).filter_map(last_digits));
    }
    numbers
}

#[track_caller]
pub(crate) fn shows_none(text: &str, numbers: &BTreeSet<String>) {
    for digits in digit_strings(text) {
        let shown = numbers.iter().find(|number| digits.contains(number.as_str()));
        assert_eq!(shown, None, "in {digits}, in:\n{text}");
    }
}

#[test]
fn a_number_is_found_however_it_is_written() {
    let numbers = BTreeSet::from([last_digits("+31 6 12345678").expect("a number")]);
    for text in
        ["+31612345678", "06 123 456 78", "(06)-12345678", "tel:0031.6.12345678,", "x12345678x"]
    {
        let found = digit_strings(text).iter().any(|digits| digits.contains("12345678"));
        assert!(found, "{text}");
    }
    shows_none("+31 6••••••78 and 1234 of 5678", &numbers);
}

#[test]
fn no_number_of_the_whole_tenant_is_printed() {
    let world = root_files();
    let folder = world.path(".mfactl/sandbox");
    let mut known = numbers(&store_in(&folder).expect("a tenant"));
    assert!(known.len() > 40, "{known:?}");
    let commands: [&[&str]; 11] = [
        &["plan"],
        &["plan", "--all"],
        &["plan", "--format", "json"],
        &["sandbox", "show"],
        &["explain", "j.brown@exchangelabs.nl"],
        &["explain", "h.peters@exchangelabs.nl"],
        &["explain", "j.brown@exchangelabs.nl", "--format", "json"],
        &["apply", "--auto-approve", "--all"],
        &["plan", "--all"],
        &["sandbox", "show"],
        &["sandbox", "show", "j.brown@exchangelabs.nl"],
    ];
    for arguments in commands {
        let run = world.run(arguments).ends(0);
        known.extend(numbers(&store_in(&folder).expect("a tenant")));
        shows_none(&run.text(), &known);
    }
}

#[test]
fn no_number_is_printed_where_everything_fails() {
    let refuse = Faults::by(|part| match part.write {
        Some(_) => {
            Fault::Status { status: 400, code: "invalidRequest".to_owned(), retry_after: None }
        }
        None => Fault::None,
    });
    let cut =
        Faults::by(|part| if part.write.is_some() { Fault::CloseBefore } else { Fault::None });
    for faults in [refuse, cut] {
        let policies = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
        let world = World::of(Options { faults, ..exchangelabs() }).copy(&policies, "policies");
        let run = world.run(&["apply", "--auto-approve", "--all"]).ends(5);
        assert!(run.stdout.contains("Apply: 0 changes done"), "{}", run.text());
        shows_none(&run.text(), &numbers(&Store::new(seeds::exchangelabs())));
    }
}
