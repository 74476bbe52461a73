//! Answers that are longer than any answer of Graph, and the core file of a stopped program.

#![expect(clippy::expect_used, reason = "a test fails by panicking, in what it calls as well")]

use std::fs;
use std::process::Child;
use std::sync::LazyLock;
use std::thread;
use std::time::Duration;

use flate2::read::GzDecoder;
use flate2::{Compress, Compression, Crc, FlushCompress};
use serde_json::json;

use crate::support::network_faults::{Front, Seen, Weather};
use crate::support::tenant_builder::exchangelabs;
use crate::support::world::{PROJECT, World};

const EVERYBODY: &str = "\
version: 1
policies:
  all: { appliesTo: { everyone: true }, desired: { perUserMfa: enforced } }
";

/// The beginning of an answer and a gigabyte of blanks, compressed to about a megabyte.
static BOMB: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut deflate = Compress::new(Compression::best(), false);
    let (begin, blanks) = (b"{\"value\":[", vec![b' '; 1 << 20]);
    let (mut sum, mut of_blanks) = (Crc::new(), Crc::new());
    sum.update(begin);
    of_blanks.update(&blanks);
    // The header of gzip, without a file name and a time.
    let mut bytes = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    bytes.extend(deflated(&mut deflate, begin, FlushCompress::Full));
    // After a full flush the compressor remembers nothing, so equal texts become equal bytes.
    let block = deflated(&mut deflate, &blanks, FlushCompress::Full);
    for _ in 0..1024 {
        bytes.extend_from_slice(&block);
        sum.combine(&of_blanks);
    }
    bytes.extend(deflated(&mut deflate, &[], FlushCompress::Finish));
    bytes.extend_from_slice(&sum.sum().to_le_bytes());
    bytes.extend_from_slice(&sum.amount().to_le_bytes());
    assert!(bytes.len() < 2 << 20, "{}", bytes.len());
    bytes
});

fn deflated(deflate: &mut Compress, text: &[u8], flush: FlushCompress) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() + 1024);
    deflate.compress_vec(text, &mut bytes, flush).expect("memory");
    bytes
}

/// The bomb is valid, so the program rejects it because of its length.
#[test]
#[ignore = "long: decompresses a gigabyte"]
fn bomb_decompresses_to_a_gigabyte() {
    let mut gzip = GzDecoder::new(BOMB.as_slice());
    let length = std::io::copy(&mut gzip, &mut std::io::sink()).expect("a valid answer");
    assert_eq!(length, 10 + (1 << 30));
}

fn bomb(status: u16) -> Weather {
    let length = BOMB.len();
    let mut answer = format!(
        "HTTP/1.1 {status} -\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    )
    .into_bytes();
    answer.extend_from_slice(&BOMB);
    Weather::Raw(answer)
}

/// The number in a line of `/proc/<pid>/<file>`. For a moment after its start, a process still has the memory of the
/// process that started it, and its name too.
fn number(child: &Child, file: &str, line: &str) -> Option<u64> {
    let read = |file: &str| fs::read_to_string(format!("/proc/{}/{file}", child.id())).ok();
    read("comm").filter(|name| name == "mfactl\n")?;
    let text = read(file)?;
    let line = text.lines().find_map(|one| one.strip_prefix(line))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Runs the program to its end. Returns its output and its peak memory in MiB.
fn measured(world: &World, arguments: &[&str]) -> (String, u64) {
    let mut command = world.command(arguments);
    let mut child = command
        .stdout(fs::File::create(world.path("out")).expect("a file"))
        .stderr(fs::File::create(world.path("err")).expect("a file"))
        .spawn()
        .expect("the program");
    let mut peak = 0;
    while child.try_wait().expect("a child").is_none() {
        peak = peak.max(number(&child, "status", "VmHWM:").unwrap_or_default());
        thread::sleep(Duration::from_millis(2));
    }
    let output = ["out", "err"].map(|name| fs::read_to_string(world.path(name)).expect("a file"));
    (output.concat(), peak / 1024)
}

fn behind(hook: impl Fn(&Seen) -> Option<Weather> + Send + Sync + 'static) -> (World, Front) {
    let world = exchangelabs().james_and_jane().file("policies/staff.yaml", EVERYBODY);
    let front =
        Front::before(world.server().url(), move |seen, _| hook(seen).unwrap_or(Weather::Fine));
    let url = front.url();
    (world.behind(PROJECT, &url, &url), front)
}

#[cfg(target_os = "linux")]
#[test]
fn answer_that_decompresses_to_a_gigabyte_needs_little_memory() {
    // Every answer of a kind is a bomb, so that many are in flight at the same time.
    for (kind, status) in [
        ("/v1.0/users", 200),
        ("/v1.0/users", 403),
        ("/v1.0/identity/conditionalAccess/policies", 200),
        ("/beta/$batch", 200),
        ("/beta/$batch", 403),
        ("/oauth2/v2.0/token", 200),
        ("/oauth2/v2.0/token", 400),
        ("/.well-known/openid-configuration", 200),
        ("/.well-known/openid-configuration", 400),
    ] {
        let (world, front) = behind(move |seen| seen.path.contains(kind).then(|| bomb(status)));
        let (output, peak) = measured(&world, &["plan"]);
        let met = front.seen().iter().filter(|seen| seen.path.contains(kind)).count();
        assert!(met > 0, "{kind}: {output}");
        assert!(peak > 10, "{kind}: the memory was measured");
        assert!(peak < 400, "{kind} {status}: {peak} MiB for {met} answers\n{output}");
        if status == 200 && kind != "/beta/$batch" {
            assert!(output.contains("is longer than"), "{kind}: {output}");
        }
    }
}

#[test]
fn endless_pages_without_new_rows_are_an_error_that_names_the_list() {
    let (world, front) = behind(|seen| {
        let host = seen.header("host").unwrap_or_default();
        let nth = seen.path.rsplit_once("page-").map_or(0, |(_, nth)| nth.parse().unwrap_or(0));
        let next = format!("http://{host}/v1.0/users?$skiptoken=page-{}", nth + 1);
        let rows = match nth % 3 {
            0 => json!([]),
            _ => {
                json!([{"id": "00000000-0000-4000-8000-00000000000a", "userPrincipalName": "a@b"}])
            }
        };
        let page = json!({ "value": rows, "@odata.nextLink": next });
        seen.path.starts_with("/v1.0/users?").then(|| Weather::json(page.to_string()))
    });
    let run = world.run(&["plan"]).ends(1);
    assert_eq!(run.stdout, "", "no plan is made from an incomplete list");
    let expected = "`GET /v1.0/users` returned a list that does not end";
    assert!(run.stderr.contains(expected), "{}", run.text());
    assert!(front.seen().len() < 1_000, "{}", front.seen().len());
}

/// The memory of a run contains secrets and numbers, so the system must not write it to a core file.
#[cfg(target_os = "linux")]
#[test]
fn run_with_secrets_leaves_no_core_file() {
    for arguments in [&["plan"][..], &["report"], &["apply", "--auto-approve"], &["doctor"]] {
        let (world, front) = behind(|seen| {
            seen.path.contains("/token").then(|| Weather::Late(Duration::from_secs(2)))
        });
        let mut child = world.command(arguments).spawn().expect("the program");
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        while !front.seen().iter().any(|seen| seen.path.contains("/token")) {
            assert!(std::time::Instant::now() < deadline, "{arguments:?}: no token was requested");
            thread::sleep(Duration::from_millis(5));
        }
        let limits = fs::read_to_string(format!("/proc/{}/limits", child.id())).expect("limits");
        let core = limits.lines().find(|line| line.starts_with("Max core file size"));
        let words: Vec<&str> = core.expect("a line").split_whitespace().collect();
        assert_eq!(words.get(4..6), Some(&["0", "0"][..]), "{arguments:?}: {words:?}");
        child.kill().expect("a child");
        child.wait().expect("a child");
    }
}
