//! The way to the tenant: how long it may take, whose certificates are trusted, and through which
//! proxy it goes.

use std::time::{Duration, Instant};

use crate::cli::program::{exchangelabs, james_and_jane};
use crate::support::network_faults::{Front, Weather, authority};
use crate::support::world::{PROJECT, World};

/// A tenant that takes its time with everything but the first few requests.
fn slow(after: usize, silence: Duration) -> (World, Front) {
    let world = james_and_jane(exchangelabs());
    let front = Front::before(world.server().url(), move |_, nth| match nth < after {
        true => Weather::Fine,
        false => Weather::Late(silence),
    });
    let url = front.url();
    (world.behind(PROJECT, &url, &url), front)
}

#[test]
fn a_plan_that_takes_too_long_is_given_up() {
    for after in [0, 3] {
        let (world, _front) = slow(after, Duration::from_secs(20));
        let begun = Instant::now();
        let run = world.run(&["plan", "--timeout", "300ms"]).ends(1);
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        assert_eq!(run.stdout, "");
        assert!(run.stderr.contains("the total time of 300ms is over"), "{}", run.text());
        assert!(run.stderr.contains("help: "), "{}", run.text());
    }
}

/// What is under way is unknown, what waits is not sent, and the next apply ends it.
#[test]
#[ignore = "long: it waits for its end"]
fn an_apply_that_takes_too_long_says_what_it_did() {
    let world = james_and_jane(exchangelabs());
    let front = Front::before(world.server().url(), |seen, _| match seen.writes() {
        true => Weather::Late(Duration::from_secs(20)),
        false => Weather::Fine,
    });
    let direct = world.project(PROJECT);
    let world = world.behind(PROJECT, &front.url(), &front.url());
    let begun = Instant::now();
    let run = world.run(&["apply", "--auto-approve", "--timeout", "6s"]).ends(5);
    assert!(begun.elapsed() < Duration::from_secs(18), "{:?}", begun.elapsed());
    assert!(run.stdout.contains("Apply: 0 changes done"), "{}", run.text());
    assert!(run.text().contains("the total time of 6s is over"), "{}", run.text());
    assert!(world.server().store().writes().is_empty());
    let world = world.file("mfactl.yaml", direct);
    world.run(&["apply", "--auto-approve", "--timeout", "10m"]).ends(0);
    crate::apply::faults::is_done(&world);
}

#[test]
fn a_time_is_a_time() {
    let world = World::empty();
    for wrong in ["soon", "0s", "-5s", "10"] {
        let run = world.run(&["plan", &format!("--timeout={wrong}")]).ends(1);
        assert!(run.stderr.contains("a duration such as `90s` or `10m`"), "{}", run.text());
    }
    // Right ones get as far as the file that is not there.
    for right in ["90s", "10m", "1h 30m", "2 hours"] {
        world.run(&["plan", "--timeout", right]).ends(3);
    }
}

#[test]
fn an_authority_of_ones_own_is_trusted_when_it_is_named() {
    let world = james_and_jane(exchangelabs());
    let front = Front::tls(world.server().url());
    let world = world.behind(PROJECT, &front.url(), &front.url());
    let file = authority().display().to_string();
    let run = world.run(&["plan"]).ends(1);
    assert!(run.stderr.contains("certificate"), "{}", run.text());
    assert!(run.stderr.contains("help: "), "{}", run.text());
    let run = world.run(&["plan", "--ca-file", &file]).ends(0);
    assert!(run.stdout.contains("Plan: 2 phones to add"), "{}", run.text());
    let run = world.run(&["plan", "--ca-file", "mfactl.yaml"]).ends(1);
    assert!(run.stderr.contains("there is no certificate in it"), "{}", run.text());
    let run = world.run(&["plan", "--ca-file", "nowhere.pem"]).ends(1);
    assert!(run.stderr.contains("`nowhere.pem`"), "{}", run.text());
    // Where the system's authorities are files, the usual variable names others.
    if cfg!(target_os = "linux") {
        world.with("SSL_CERT_FILE", file).run(&["plan"]).ends(0);
    }
}

/// Microsoft's own names, behind a proxy of the test: nothing else is reached.
#[test]
fn microsoft_is_reached_through_the_proxy() {
    let world = james_and_jane(exchangelabs()).file("mfactl.yaml", PROJECT);
    let proxy = Front::proxy(world.server().url());
    let world = world.with("HTTPS_PROXY", proxy.url());
    let file = authority().display().to_string();
    let run = world.run(&["plan", "--ca-file", &file]).ends(0);
    assert!(run.stdout.starts_with("mfactl plan   tenant exchangelabs.nl   "), "{}", run.text());
    let mut hosts = proxy.connects();
    hosts.sort_unstable();
    hosts.dedup();
    assert_eq!(hosts, ["graph.microsoft.com:443", "login.microsoftonline.com:443"]);
    // What opens the traffic is not trusted for being the proxy.
    let run = world.run(&["plan"]).ends(1);
    assert!(run.stderr.contains("if a proxy decrypts the traffic"), "{}", run.text());
}

#[test]
fn this_machine_is_never_reached_through_a_proxy() {
    let world = james_and_jane(exchangelabs());
    let proxy = Front::proxy(world.server().url());
    let names =
        ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
    let world = names.into_iter().fold(world, |world, name| world.with(name, proxy.url()));
    world.run(&["plan"]).ends(0);
    let front = Front::tls(world.server().url());
    let world = world.behind(PROJECT, &front.url(), &front.url());
    let file = authority().display().to_string();
    world.run(&["plan", "--ca-file", &file]).ends(0);
    assert!(!front.seen().is_empty());
    assert_eq!(proxy.connects(), Vec::<String>::new());
}

/// What a job of GitHub's is told to ask is the one host that is neither this machine nor
/// Microsoft's. This one is nowhere (RFC 6761), so that a run without the proxy reaches nobody.
#[test]
fn a_host_of_no_proxy_is_not_reached_through_the_proxy() {
    let asks = |left_out: &str| {
        let world = james_and_jane(exchangelabs()).without("AZURE_CLIENT_SECRET");
        let project = world.project(&format!("{PROJECT}credential: githubActions\n"));
        let proxy = Front::proxy(world.server().url());
        let world = world
            .file("mfactl.yaml", project)
            .with("ACTIONS_ID_TOKEN_REQUEST_URL", "https://jobs.invalid/token?x=1")
            .with("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "the-bearer-of-the-job")
            .with("HTTPS_PROXY", proxy.url())
            .with("NO_PROXY", left_out);
        let run = world.run(&["plan"]).ends(1);
        assert!(run.stderr.contains("GitHub gave no identity token: "), "{}", run.text());
        assert!(!run.text().contains("the-bearer"), "{}", run.text());
        (proxy.connects(), run.stderr)
    };
    // What opens the traffic is not trusted for being the proxy, and is not asked twice.
    let (connects, said) = asks("example.com");
    assert_eq!(connects, ["jobs.invalid:443"]);
    assert!(said.contains("certificate"), "{said}");
    for left_out in [".invalid", "example.com, jobs.invalid"] {
        let (connects, said) = asks(left_out);
        assert_eq!((connects.len(), said.contains("certificate")), (0, false), "{said}");
    }
}

/// A proxy that is not there is the fault, and not Microsoft.
#[test]
#[ignore = "long: the program tries again for some seconds before it gives up"]
fn a_proxy_that_is_not_there_is_told() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let nobody = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let world = james_and_jane(exchangelabs()).file("mfactl.yaml", PROJECT);
    let run = world.with("HTTPS_PROXY", nobody).run(&["plan", "--timeout", "20s"]).ends(1);
    assert!(run.stderr.contains("HTTPS_PROXY"), "{}", run.text());
}
