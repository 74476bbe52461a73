//! The connection to the tenant: timeouts, trusted certificates, and proxies.

use std::time::{Duration, Instant};

use crate::support::network_faults::{Front, Weather, authority};
use crate::support::tenant_builder::exchangelabs;
use crate::support::world::{PROJECT, World};

/// A tenant that answers the first few requests at once and all others slowly.
fn slow(after: usize, silence: Duration) -> (World, Front) {
    let world = exchangelabs().james_and_jane();
    let front = Front::before(world.server().url(), move |_, nth| match nth < after {
        true => Weather::Fine,
        false => Weather::Late(silence),
    });
    let url = front.url();
    (world.behind(PROJECT, &url, &url), front)
}

#[test]
fn plan_that_exceeds_its_timeout_is_given_up() {
    for after in [0, 3] {
        let (world, _front) = slow(after, Duration::from_secs(20));
        let begun = Instant::now();
        let run = world.run(&["plan", "--timeout", "300ms"]).ends(6);
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        assert_eq!(run.stdout, "");
        assert!(run.stderr.contains("the total time of 300ms is over"), "{}", run.text());
        assert!(run.stderr.contains("help: "), "{}", run.text());
    }
}

/// Writes in flight are unknown, waiting writes are not sent, and the next apply finishes the work.
#[test]
#[ignore = "long: waits for the timeout"]
fn apply_that_exceeds_its_timeout_reports_its_result() {
    let world = exchangelabs().james_and_jane();
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
fn timeout_accepts_only_positive_durations() {
    let world = World::empty();
    for wrong in ["soon", "0s", "-5s", "10"] {
        let run = world.run(&["plan", &format!("--timeout={wrong}")]).ends(1);
        assert!(run.stderr.contains("a duration such as `90s` or `10m`"), "{}", run.text());
    }
    // With a valid duration, the run ends because of the missing project file.
    for right in ["90s", "10m", "1h 30m", "2 hours"] {
        world.run(&["plan", "--timeout", right]).ends(3);
    }
}

#[test]
fn own_authority_is_trusted_if_it_is_named() {
    let world = exchangelabs().james_and_jane();
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
    // On Linux the system reads its authorities from files, and the usual variable names another file.
    if cfg!(target_os = "linux") {
        world.with("SSL_CERT_FILE", file).run(&["plan"]).ends(0);
    }
}

/// The hosts of Microsoft behind a proxy of the test. No other host is contacted.
#[test]
fn microsoft_is_reached_through_the_proxy() {
    let world = exchangelabs().james_and_jane().file("mfactl.yaml", PROJECT);
    let proxy = Front::proxy(world.server().url());
    let world = world.with("HTTPS_PROXY", proxy.url());
    let file = authority().display().to_string();
    let run = world.run(&["plan", "--ca-file", &file]).ends(0);
    assert!(run.stdout.starts_with("mfactl plan   tenant exchangelabs.nl   "), "{}", run.text());
    let mut hosts = proxy.connects();
    hosts.sort_unstable();
    hosts.dedup();
    assert_eq!(hosts, ["graph.microsoft.com:443", "login.microsoftonline.com:443"]);
    // A proxy that decrypts the traffic is not trusted because it is the proxy.
    let run = world.run(&["plan"]).ends(1);
    assert!(run.stderr.contains("if a proxy decrypts the traffic"), "{}", run.text());
}

#[test]
fn this_machine_is_never_reached_through_a_proxy() {
    let world = exchangelabs().james_and_jane();
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

/// The token service of a GitHub job is the only host that is neither this machine nor a host of
/// Microsoft. The name in this test never exists (RFC 6761), so a run without the proxy reaches no
/// host.
#[test]
fn host_in_no_proxy_is_not_contacted_through_the_proxy() {
    let asks = |no_proxy: &str| {
        let world = exchangelabs().james_and_jane().without("AZURE_CLIENT_SECRET");
        let project = world.project(&format!("{PROJECT}credential: githubActions\n"));
        let proxy = Front::proxy(world.server().url());
        let world = world
            .file("mfactl.yaml", project)
            .with("ACTIONS_ID_TOKEN_REQUEST_URL", "https://jobs.invalid/token?x=1")
            .with("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "the-bearer-of-the-job")
            .with("HTTPS_PROXY", proxy.url())
            .with("NO_PROXY", no_proxy);
        let run = world.run(&["plan"]).ends(1);
        assert!(run.stderr.contains("GitHub gave no identity token: "), "{}", run.text());
        assert!(!run.text().contains("the-bearer"), "{}", run.text());
        (proxy.connects(), run.stderr)
    };
    // The decrypting proxy is not trusted, and it is contacted only once.
    let (connects, stderr) = asks("example.com");
    assert_eq!(connects, ["jobs.invalid:443"]);
    assert!(stderr.contains("certificate"), "{stderr}");
    for no_proxy in [".invalid", "example.com, jobs.invalid"] {
        let (connects, stderr) = asks(no_proxy);
        assert_eq!((connects.len(), stderr.contains("certificate")), (0, false), "{stderr}");
    }
}

/// The error names the unreachable proxy, and not a host of Microsoft.
#[test]
#[ignore = "long: the program retries for some seconds before it gives up"]
fn unreachable_proxy_is_named_in_the_error() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let closed = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let world = exchangelabs().james_and_jane().file("mfactl.yaml", PROJECT);
    let run = world.with("HTTPS_PROXY", closed).run(&["plan", "--timeout", "20s"]).ends(6);
    assert!(run.stderr.contains("HTTPS_PROXY"), "{}", run.text());
}
