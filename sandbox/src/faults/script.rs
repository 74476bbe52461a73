//! A file of faults: which request, the n-th time, and what goes wrong then.
//!
//! ```yaml
//! faults:
//!   - on: GET /v1.0/users
//!     nth: 2
//!     fault: throttled
//!     retryAfter: 3
//! share:
//!   percent: 10
//! ```
//!
//! Not here: the names of the faults (`words`), or faults by chance (`share`).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::Deserialize;

use super::fault::{Fault, PartInfo};
use super::share::Share;
use super::words::{Details, Word};

/// Why a file of faults cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    #[error("{0}")]
    Read(#[from] std::io::Error),
    #[error("{0}")]
    Yaml(String),
    #[error("fault {number}: `{on}` is not a method and a path, such as `GET /v1.0/users`")]
    On { number: usize, on: String },
    #[error("fault {number}: `{fault}` does not take `{detail}`")]
    Detail { number: usize, detail: &'static str, fault: &'static str },
    #[error("fault {number}: `{detail}` must be {must}")]
    Range { number: usize, detail: &'static str, must: &'static str },
    #[error("`share`: `percent` must be from 0 to 100")]
    Percent,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct File {
    #[serde(default)]
    faults: Vec<Entry>,
    share: Option<ShareEntry>,
    #[serde(default)]
    apps: Vec<AppEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct AppEntry {
    client_id: String,
    roles: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Entry {
    on: String,
    fault: Word,
    nth: Option<u64>,
    times: Option<u64>,
    status: Option<u16>,
    code: Option<String>,
    retry_after: Option<u64>,
    retry_after_date: Option<u64>,
    bytes: Option<u64>,
    seconds: Option<u64>,
    host: Option<String>,
    rows: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ShareEntry {
    percent: u8,
    #[serde(default)]
    seed: u64,
    of: Option<Vec<Word>>,
}

/// The content of the file: rules with faults, of which the first matching one wins, and the rest.
#[derive(Debug, Default)]
pub struct Script {
    pub share: Option<Share>,
    /// The permissions of applications, by client id.
    pub apps: BTreeMap<String, Vec<String>>,
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    method: String,
    path: Vec<String>,
    word: Word,
    fault: Fault,
    /// The first matching request that gets the fault, counted from 1.
    first: u64,
    /// The number of requests that get the fault, from `first` on.
    times: u64,
    seen: Mutex<u64>,
}

impl Script {
    /// Reads a file of faults.
    pub fn parse(text: &str) -> Result<Self, ScriptError> {
        let file: File =
            serde_yaml::from_str(text).map_err(|error| ScriptError::Yaml(error.to_string()))?;
        let rules = (1..).zip(file.faults).map(|(number, entry)| rule(number, entry));
        let rules = rules.collect::<Result<Vec<Rule>, ScriptError>>()?;
        let share = match file.share {
            Some(ShareEntry { percent: 101.., .. }) => return Err(ScriptError::Percent),
            Some(ShareEntry { percent, seed, of: Some(of) }) => Some(Share::of(percent, seed, of)),
            Some(ShareEntry { percent, seed, of: None }) => Some(Share::new(percent, seed)),
            None => None,
        };
        let apps = file.apps.into_iter().map(|app| (app.client_id, app.roles)).collect();
        Ok(Self { rules, share, apps })
    }

    pub(super) fn at(&self, part: &PartInfo) -> Fault {
        let matching = self.rules.iter().filter(|rule| rule.matches(part));
        // Collect all: every matching rule counts the request, also if an earlier rule wins.
        let due: Vec<&Rule> = matching.filter(|rule| rule.is_due()).collect();
        match (due.first(), &self.share) {
            (Some(rule), _) => rule.fault.clone(),
            (None, Some(share)) => share.at(part),
            (None, None) => Fault::None,
        }
    }
}

impl Rule {
    fn matches(&self, part: &PartInfo) -> bool {
        let method = self.method == "*" || self.method.eq_ignore_ascii_case(&part.method);
        let segments: Vec<&str> = part.path.split('/').filter(|part| !part.is_empty()).collect();
        method
            && path_matches(&self.path, &segments)
            && (self.word != Word::ExpiredPage || part.continued)
    }

    fn is_due(&self) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        *seen += 1;
        *seen >= self.first && *seen - self.first < self.times
    }
}

/// `*` matches any one segment, `**` at the end matches any rest.
fn path_matches(pattern: &[String], segments: &[&str]) -> bool {
    match (pattern, segments) {
        ([], []) => true,
        ([rest], _) if rest == "**" => true,
        ([first, pattern @ ..], [segment, segments @ ..]) => {
            (first == "*" || first.eq_ignore_ascii_case(segment)) && path_matches(pattern, segments)
        }
        _ => false,
    }
}

fn rule(number: usize, entry: Entry) -> Result<Rule, ScriptError> {
    let (method, path) = entry
        .on
        .split_once(' ')
        .map(|(method, path)| (method.to_owned(), path.trim()))
        .filter(|(method, path)| !method.is_empty() && path.starts_with('/'))
        .ok_or_else(|| ScriptError::On { number, on: entry.on.clone() })?;
    let path = path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect();
    let given = [
        ("status", entry.status.is_some()),
        ("code", entry.code.is_some()),
        ("retryAfter", entry.retry_after.is_some()),
        ("retryAfterDate", entry.retry_after_date.is_some()),
        ("bytes", entry.bytes.is_some()),
        ("seconds", entry.seconds.is_some()),
        ("host", entry.host.is_some()),
        ("rows", entry.rows.is_some()),
    ];
    let taken = entry.fault.takes();
    if let Some((detail, _)) = given.iter().find(|(name, given)| *given && !taken.contains(name)) {
        return Err(ScriptError::Detail { number, detail, fault: entry.fault.as_str() });
    }
    let range = |detail, must| Err(ScriptError::Range { number, detail, must });
    if entry.status.is_some_and(|status| !(400..600).contains(&status)) {
        return range("status", "from 400 to 599");
    }
    if entry.nth == Some(0) {
        return range("nth", "1 or more");
    }
    if entry.retry_after.is_some() && entry.retry_after_date.is_some() {
        return range("retryAfterDate", "given without `retryAfter`");
    }
    let details = Details {
        status: entry.status,
        code: entry.code,
        retry_after: entry.retry_after,
        retry_after_date: entry.retry_after_date,
        bytes: entry.bytes,
        seconds: entry.seconds,
        host: entry.host,
        rows: entry.rows,
    };
    Ok(Rule {
        method,
        path,
        word: entry.fault,
        fault: entry.fault.fault(&details),
        first: entry.nth.unwrap_or(1),
        // With `nth` alone, one request gets the fault; with neither key, all requests do.
        times: entry.times.unwrap_or(if entry.nth.is_some() { 1 } else { u64::MAX }),
        seen: Mutex::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(method: &str, path: &str, continued: bool) -> PartInfo {
        PartInfo {
            method: method.to_owned(),
            path: path.to_owned(),
            version: None,
            write: None,
            writes: false,
            batch_part: None,
            continued,
        }
    }

    fn script(text: &str) -> Script {
        Script::parse(text).unwrap()
    }

    fn why(text: &str) -> String {
        Script::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn fault_hits_only_the_matching_requests_that_are_due() {
        let script = script(
            "faults:\n  - { on: GET /beta/users/*/authentication/methods, nth: 2, fault: cut-body }\n  - { on: POST /**, times: 2, fault: throttled, retryAfter: 4 }\n  - { on: GET /v1.0/users, fault: expired-page }\n",
        );
        let methods = || script.at(&ask("GET", "/beta/users/a/authentication/methods", false));
        assert_eq!(
            [methods(), methods(), methods()],
            [Fault::None, Fault::CutBody, Fault::None],
            "only the second"
        );
        let post = || script.at(&ask("POST", "/beta/$batch", false));
        let throttled =
            Fault::Status { status: 429, code: "TooManyRequests".to_owned(), retry_after: Some(4) };
        assert_eq!([post(), post(), post()], [throttled.clone(), throttled, Fault::None]);
        assert_eq!(script.at(&ask("GET", "/v1.0/users", false)), Fault::None);
        assert_ne!(script.at(&ask("GET", "/v1.0/users", true)), Fault::None);
        assert_eq!(script.at(&ask("GET", "/v1.0/users/a", true)), Fault::None);
    }

    #[test]
    fn unknown_keys_and_values_out_of_range_are_refused() {
        assert!(why("faults: []\nother: 1\n").contains("other"));
        assert!(why("faults: [{ on: GET /a, fault: cut-body, every: 2 }]").contains("every"));
        assert!(why("faults: [{ on: GET /a, fault: earthquake }]").contains("earthquake"));
        assert_eq!(
            why("faults: [{ on: GET /a, fault: cut-body, seconds: 2 }]"),
            "fault 1: `cut-body` does not take `seconds`"
        );
        assert!(why("faults: [{ on: /a, fault: cut-body }]").starts_with("fault 1: `/a` is not"));
        assert!(why("faults: [{ on: GET /a, fault: slow, nth: 0 }]").contains("1 or more"));
        assert!(why("faults: [{ on: GET /a, fault: status, status: 200 }]").contains("400 to 599"));
        assert_eq!(why("share: { percent: 101 }"), "`share`: `percent` must be from 0 to 100");
    }

    #[test]
    fn as_str_is_the_name_that_files_use() {
        for word in Word::ALL {
            let text = format!("faults: [{{ on: GET /a, fault: {} }}]", word.as_str());
            assert_eq!(script(&text).rules[0].word, word);
        }
    }
}
