//! The check run `mfactl` on the head commit: people can edit a comment, and not the output of a check
//! (GitHub, "REST API endpoints for check runs", checked 2026-11).
//!
//! Not here: the comment itself (`github`).

use reqwest::Method;
use serde_json::{Value, json};

use super::error::ReviewError;
use super::github::{GitHubComments, id};
use super::marker::CommentFile;

const NAME: &str = "mfactl";
/// The largest summary in bytes.
const SUMMARY: usize = 65_535;
const TITLE: usize = 200;

/// Writes the check run of the head commit. Returns a note if the token may not write checks.
pub(super) async fn show(
    host: &GitHubComments,
    own_login: &str,
    file: &CommentFile,
) -> Result<Option<String>, ReviewError> {
    match write(host, own_login, file).await {
        Ok(()) => Ok(None),
        Err(error) if error.status() == Some(403) => Ok(Some(
            "no check run was written: the job lacks `permissions: { checks: write }`".to_owned(),
        )),
        Err(error) => Err(error),
    }
}

async fn write(
    host: &GitHubComments,
    own_login: &str,
    file: &CommentFile,
) -> Result<(), ReviewError> {
    let head = host.head().await?;
    let query = [("check_name", NAME), ("filter", "latest"), ("per_page", "100")];
    let list = host.url(&["commits", head, "check-runs"], &query);
    let answer = host.api.get("list the check runs", list).await?;
    // A login of an app is its slug and `[bot]`.
    let app = own_login.strip_suffix("[bot]").unwrap_or(own_login);
    let is_own = |run: &&Value| {
        run.pointer("/app/slug").and_then(Value::as_str) == Some(app)
            && run.get("name").and_then(Value::as_str) == Some(NAME)
    };
    let runs = answer.body.get("check_runs").and_then(Value::as_array);
    let existing = runs.into_iter().flatten().filter(is_own).filter_map(id).next();
    let mut body = json!({
        "name": NAME,
        "status": "completed",
        // Neutral does not block a merge, and is not shown as passed.
        "conclusion": if file.marker().attention { "neutral" } else { "success" },
        "output": { "title": title(file.text()), "summary": summary(file.text()) },
    });
    let (method, url) = match &existing {
        Some(id) => (Method::PATCH, host.url(&["check-runs", id], &[])),
        None => {
            if let Some(body) = body.as_object_mut() {
                body.insert("head_sha".to_owned(), json!(head));
            }
            (Method::POST, host.url(&["check-runs"], &[]))
        }
    };
    host.api.send("write the check run", method, url, Some(&body)).await.map(|_| ())
}

/// Returns the first line that has words, without the signs of a heading.
fn title(text: &str) -> String {
    let lines = text.lines().map(|line| line.trim_start_matches('#').trim());
    let first = lines.into_iter().find(|line| !line.is_empty()).unwrap_or("MFA plan");
    first.chars().take(TITLE).collect()
}

/// Returns the whole sections at the beginning of a text that fit.
fn summary(text: &str) -> &str {
    if text.len() <= SUMMARY {
        return text;
    }
    let mut end = 0;
    for at in section_ends(text) {
        if at > SUMMARY {
            break;
        }
        end = at;
    }
    text.get(..end).unwrap_or_default().trim_end()
}

/// Returns the offsets at which a section ends: before an empty line outside of fences and `<details>`.
fn section_ends(text: &str) -> Vec<usize> {
    let (mut ends, mut at, mut depth, mut fence) = (Vec::new(), 0_usize, 0_usize, None);
    for line in text.split_inclusive('\n') {
        let words = line.trim();
        let mark = ["```", "~~~"].into_iter().find(|mark| words.starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            (None, None) => {
                depth += words.matches("<details").count();
                depth = depth.saturating_sub(words.matches("</details>").count());
            }
            _ => {}
        }
        if words.is_empty() && depth == 0 && fence.is_none() {
            ends.push(at);
        }
        at += line.len();
    }
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summary_is_cut_at_the_end_of_a_section() {
        let details = format!("<details>\n\n{}\n\n</details>", "é".repeat(20_000));
        let fence = format!("```\n\n{}\n\n```", "x".repeat(30_000));
        let text = format!("### Head\n\n{details}\n\n{fence}\n\nlast");
        assert_eq!(summary(&text), format!("### Head\n\n{details}"));
        assert_eq!(summary("### Head\n\nlast"), "### Head\n\nlast");
        assert_eq!(summary(&"x".repeat(SUMMARY + 1)), "");
        assert_eq!(title("\n### MFA `plan`\n"), "MFA `plan`");
    }
}
