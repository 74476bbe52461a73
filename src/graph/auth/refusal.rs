//! Turns the reason for a missing token into one line, with help.
//!
//! Not here: reasons that are known before a token is requested (`choose`, `certificate`, `workload`).

use std::error::Error as _;
use std::iter::successors;

use reqwest::Method;

use super::super::error::cause::{deepest, help_without_connection, is_about_trust};
use super::super::error::{Error, ErrorKind};

/// The numbers of the errors by which Entra says that it cannot do this at the moment (Microsoft Entra
/// documentation, "Microsoft Entra authentication and authorization error codes", checked 2026-11).
const NOT_READY: [&str; 2] = ["90033", "90055"];

pub(super) fn failed(message: &str) -> Error {
    Error::new(ErrorKind::Token, &Method::POST, "/oauth2/v2.0/token").with_message(message)
}

/// Returns the error for a failure of Microsoft's library. Entra's own message begins with its number,
/// `AADSTS7000215: Invalid client secret provided.`, and ends before its ids. The library repeats a message
/// of more than one line with escapes.
pub(super) fn of_library(error: &azure_core::Error) -> Error {
    let text = error.to_string();
    let Some((_, entra)) = text.split_once("AADSTS") else {
        let mut causes = successors(error.source(), |&cause| cause.source());
        if causes.any(|cause| cause.is::<reqwest::Error>()) {
            let why = deepest(error);
            let failed = failed(&why).with_help(help_without_connection(&why));
            return if is_about_trust(&why) { failed } else { failed.without_sign_in() };
        }
        // When the library's own retries end, its message says so instead of naming the reason.
        if text.contains("be retried") {
            return failed(&deepest(error)).without_sign_in();
        }
        let (_, reason) = text.split_once("authentication failed.").unwrap_or(("", &text));
        return failed(reason);
    };
    let (number, words) = entra.split_once(':').unwrap_or((entra, ""));
    let number: String = number.chars().take_while(char::is_ascii_digit).collect();
    let words = ["\\r", "\\n", "\r", "\n", "Trace ID:"]
        .iter()
        .filter_map(|end| words.find(end))
        .min()
        .and_then(|end| words.get(..end))
        .unwrap_or(words);
    let failed = failed(words).with_code(&format!("AADSTS{number}"));
    if NOT_READY.contains(&number.as_str()) { failed.without_sign_in() } else { failed }
}

/// Returns the help for an error code of Entra (Microsoft Entra documentation, "Microsoft Entra
/// authentication and authorization error codes", checked 2026-11).
pub(in super::super) fn help(code: &str) -> Option<&'static str> {
    match code {
        "" => Some("sign in with `az login`, or set `AZURE_CLIENT_ID` and `AZURE_CLIENT_SECRET`"),
        "AADSTS7000215" => Some("`AZURE_CLIENT_SECRET` must be the secret's value, not its id"),
        "AADSTS7000222" => Some("the secret or certificate has expired: add a new one"),
        "AADSTS700016" => {
            Some("check `AZURE_CLIENT_ID`, and that the application is in this tenant")
        }
        "AADSTS700027" | "AADSTS50013" => Some(
            "check that the application has this certificate, and that this machine's clock is right",
        ),
        "AADSTS70021" | "AADSTS700211" | "AADSTS700212" | "AADSTS700213" => Some(
            "check the issuer, subject and audience of the application's federated credential; a \
             new one works after some minutes",
        ),
        "AADSTS90002" | "AADSTS900023" => Some("check the tenant's id or domain"),
        "AADSTS500011" => Some("check that the tenant is in the configured cloud"),
        "AADSTS700024" => Some("check that this machine's clock is right"),
        "AADSTS50076" | "AADSTS50079" => Some("sign in again with `az login`: MFA is required"),
        "AADSTS50173" | "AADSTS700082" => Some("sign in again with `az login`"),
        "AADSTS53003" => Some("a Conditional Access policy blocks this sign-in"),
        "AADSTS90033" => Some("try again in a few minutes: the sign-in service is not ready"),
        _ => None,
    }
}
