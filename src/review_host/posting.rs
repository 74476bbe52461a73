//! Posts the one comment: edits the newest comment of its own, deletes older ones, or creates it.
//!
//! INVARIANT: a comment of another author is never edited or deleted, whatever its first line says.
//!
//! Not here: the requests of a host (`github`, `gitlab`, `azure_devops`, `bitbucket`).

use std::time::Duration;

use jiff::Timestamp;

use super::error::ReviewError;
use super::marker::{CommentFile, Marker};
use super::{ReviewComment, ReviewHost};

/// The number of times that a comment is created if the host does not say whether it was.
const TRIES: u32 = 3;
/// The wait before a host is asked whether it created the comment.
const SETTLE: Duration = Duration::from_secs(1);

/// What becomes of the comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Posted {
    /// The change makes no difference, and there is no comment that says otherwise.
    Nothing,
    Created(Option<String>),
    Edited(String),
}

/// What was done, or would be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    pub posted: Posted,
    /// Older comments of the same kind that were deleted.
    pub deleted: Vec<String>,
    /// What could not be done and is no failure.
    pub notes: Vec<String>,
}

/// Own comments about the same tenant and project file.
struct OwnComments {
    newest: Option<ReviewComment>,
    older: Vec<ReviewComment>,
}

impl OwnComments {
    fn of(comments: Vec<ReviewComment>, own_login: &str, marker: &Marker) -> Self {
        let is_own = |comment: &ReviewComment| {
            comment.author == own_login
                && Marker::of_comment(&comment.body).is_some_and(|own| own.is_about_same(marker))
        };
        let mut own: Vec<_> = comments.into_iter().filter(is_own).collect();
        // Ids grow, so the longer id of two is the newer one.
        own.sort_by(|one, other| {
            let key = |comment: &ReviewComment| {
                (comment.created.clone(), comment.id.len(), comment.id.clone())
            };
            key(one).cmp(&key(other))
        });
        let newest = own.pop();
        Self { newest, older: own }
    }
}

/// Posts a comment. A dry run reads the comments and writes nothing.
///
/// # Errors
/// The host refuses a request, or does not answer.
pub async fn post(
    host: &dyn ReviewHost,
    mut file: CommentFile,
    is_dry_run: bool,
    now: Timestamp,
) -> Result<Posting, ReviewError> {
    let own_login = host.own_login().await?;
    let own = OwnComments::of(host.comments().await?, &own_login, file.marker());
    if let Some(older) = own.newest.as_ref().and_then(|one| Marker::of_comment(&one.body)) {
        file.continue_from(&older);
    }
    let mut posting = Posting {
        posted: match &own.newest {
            Some(comment) => Posted::Edited(comment.id.clone()),
            None if file.marker().difference.is_none() => Posted::Nothing,
            None => Posted::Created(None),
        },
        deleted: own.older.iter().map(|comment| comment.id.clone()).collect(),
        notes: Vec::new(),
    };
    if is_dry_run {
        return Ok(posting);
    }
    let body = file.written(now);
    posting.posted = match own.newest {
        Some(comment) => match host.edit(&comment.id, &body, file.marker()).await {
            Ok(()) => Posted::Edited(comment.id),
            // Somebody deleted it in the meantime.
            Err(error) if error.status() == Some(404) => {
                Posted::Created(Some(create(host, &own_login, &body, &file).await?))
            }
            Err(error) => return Err(error),
        },
        None if posting.posted == Posted::Nothing => Posted::Nothing,
        None => Posted::Created(Some(create(host, &own_login, &body, &file).await?)),
    };
    posting.deleted = delete(host, own.older, &mut posting.notes).await;
    posting.notes.extend(host.show_status(&own_login, &file).await?);
    Ok(posting)
}

/// Creates the comment. If the host does not say whether it did, the comments are read again first, so that
/// there are never two.
async fn create(
    host: &dyn ReviewHost,
    own_login: &str,
    body: &str,
    file: &CommentFile,
) -> Result<String, ReviewError> {
    let mut tried = 0;
    loop {
        tried += 1;
        let error = match host.create(body, file.marker()).await {
            Err(error) if error.is_in_doubt() && tried < TRIES => error,
            result => return result,
        };
        tracing::debug!(%error, "the comment may have been created");
        tokio::time::sleep(SETTLE).await;
        let own = OwnComments::of(host.comments().await?, own_login, file.marker());
        let found = own.newest.filter(|one| {
            Marker::of_comment(&one.body).is_some_and(|marker| marker == *file.marker())
        });
        if let Some(comment) = found {
            return Ok(comment.id);
        }
    }
}

/// Deletes older comments. One that stays is a note, because the newest is right.
async fn delete(
    host: &dyn ReviewHost,
    older: Vec<ReviewComment>,
    notes: &mut Vec<String>,
) -> Vec<String> {
    let mut deleted = Vec::new();
    for comment in older {
        match host.delete(&comment.id).await {
            Ok(()) => deleted.push(comment.id),
            Err(error) if error.status() == Some(404) => {}
            Err(error) => notes.push(format!("the older comment {} stays: {error}", comment.id)),
        }
    }
    deleted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_comments_about_the_same_project_are_taken() {
        let line = |tenant: &str| {
            format!("<!-- mfactl v1 {{\"tenant\":\"{tenant}\",\"config\":\"c\"}} -->")
        };
        let comment = |id: &str, author: &str, body: &str, created: &str| ReviewComment {
            id: id.to_owned(),
            author: author.to_owned(),
            body: body.to_owned(),
            created: created.to_owned(),
        };
        let all = vec![
            comment("9", "me", &line("a"), "2026-11-01"),
            comment("10", "me", &line("a"), "2026-11-01"),
            comment("11", "mallory", &line("a"), "2026-11-09"),
            comment("12", "me", &line("b"), "2026-11-09"),
            comment("13", "me", &format!("quoting\n{}", line("a")), "2026-11-09"),
            comment("14", "Me", &line("a"), "2026-11-09"),
        ];
        let marker = Marker::of_comment(&line("a")).unwrap();
        let own = OwnComments::of(all, "me", &marker);
        assert_eq!(own.newest.unwrap().id, "10");
        assert_eq!(own.older.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["9"]);
    }
}
