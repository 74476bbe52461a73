//! Whether a registered phone is there now, asked by its own address. A list of methods can show for a
//! while what was taken away, and not yet what was added; one phone by its id is read where it is
//! kept (Graph documentation of phoneAuthenticationMethod, checked 2026-11).
//!
//! Not here: the list (`facts`).

use serde::de::IgnoredAny;

use super::write::phone_url;
use crate::graph::{Client, Error, Part};
use crate::id::UserId;
use crate::settings::Setting;

/// Whether each of these phones is surely there. One of which that cannot be said is not.
///
/// # Errors
/// Where Graph could not be asked at all: no token, or no connection.
pub async fn are_there(client: &Client, phones: &[(UserId, Setting)]) -> Result<Vec<bool>, Error> {
    let mut there = vec![false; phones.len()];
    let mut failed = None;
    let known: Vec<(usize, String)> = phones
        .iter()
        .enumerate()
        .filter_map(|(place, (user, setting))| Some((place, phone_url(*user, *setting)?)))
        .collect();
    let parts = known.iter().map(|(_, url)| Part::get(url.clone()));
    client
        .read_each(parts, |asked, answer: Result<IgnoredAny, Error>| {
            let Some(slot) = known.get(asked).and_then(|(place, _)| there.get_mut(*place)) else {
                return;
            };
            *slot = answer.is_ok();
            if let Err(error) = answer
                && error.concerns_all()
            {
                failed.get_or_insert(error);
            }
        })
        .await;
    failed.map_or(Ok(there), Err)
}
