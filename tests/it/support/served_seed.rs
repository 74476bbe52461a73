//! A seed that is being served, and a client that asks it: for reading without the program.

use std::time::Duration;

use mfactl::graph::{Client, Credential, Endpoints, Pace};
use mfactl_sandbox::records::{Document, Seed};
use mfactl_sandbox::{Fault, Faults, Options, Server, start};
use serde_json::Value;

/// A server and a client of it, which gives up at once.
pub(crate) async fn serve(seed: Seed, faults: Faults) -> (Server, Client) {
    let server = start(Options { faults, ..Options::in_memory(seed) }).await.unwrap();
    let endpoints = Endpoints::parse(server.url(), server.url()).unwrap();
    let pace = Pace {
        base: Duration::from_millis(1),
        longest: Duration::from_millis(2),
        tries: 2,
        ..Pace::default()
    };
    let credential = Credential::client_secret("sandbox", "mfactl", "sandbox");
    let client = Client::builder(endpoints).pace(pace).build(credential).unwrap();
    (server, client)
}

/// Refuses every request whose path holds the words.
pub(crate) fn refuse(words: &'static str, status: u16, code: &'static str) -> Faults {
    Faults::by(move |part| {
        if part.path.contains(words) {
            Fault::Status { status, code: code.to_owned(), retry_after: None }
        } else {
            Fault::None
        }
    })
}

/// The members of a literal object.
pub(crate) fn document(literal: Value) -> Document {
    match literal {
        Value::Object(members) => members,
        other => panic!("no object: {other}"),
    }
}
