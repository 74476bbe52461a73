//! The tokens of one client: fetched one at a time, kept, and renewed before they expire.
//!
//! Not here: what a token contains (`token`).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use azure_core::credentials::AccessToken;
use azure_core::time::OffsetDateTime;
use reqwest::header::HeaderValue;
use tokio::sync::Mutex;
use tracing::{debug, warn};

use super::super::endpoint::Endpoints;
use super::super::error::{Error, ErrorKind};
use super::super::http::Http;
use super::super::retry::{Pace, millis};
use super::super::token::Token;
use super::refusal::{failed, of_library};
use super::{Credential, Source};
use crate::moment::{Clock, Moment};

/// The fraction of a token's life after which it is renewed, as in Microsoft's libraries. For a life of an
/// hour, twelve minutes are left.
const USED: f64 = 0.8;

/// How long a token is used that has expired by this machine's clock, and how soon a failed renewal is tried
/// again while the old token is still valid.
const SHORTLY: Duration = Duration::from_secs(60);

/// The tokens of one client. Only one token is fetched at a time, even if several requests wait for it.
pub(in super::super) struct Tokens {
    credential: Credential,
    endpoints: Endpoints,
    /// What the tokens are for.
    scope: String,
    http: Http,
    pace: Pace,
    clock: Clock,
    current: Mutex<Option<Arc<CachedToken>>>,
    /// The sign-in service has given a token before.
    answered: AtomicBool,
}

/// A token in use.
pub(in super::super) struct CachedToken {
    /// The value of the `Authorization` header, marked as sensitive so that nothing prints it.
    pub(in super::super) bearer: HeaderValue,
    token: Token,
    given: Moment,
    /// The age at which it is renewed.
    renew: Duration,
    /// The age at which it has expired.
    life: Option<Duration>,
    /// Whether it replaces a token that Graph had refused.
    replaces: bool,
    /// Whether Graph has accepted it.
    taken: AtomicBool,
}

impl CachedToken {
    fn new(token: &AccessToken, given: Moment, replaces: bool) -> Result<Self, Error> {
        let left = token.expires_on - OffsetDateTime::now_utc();
        let life = Duration::try_from(left).ok().filter(|life| !life.is_zero());
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", token.token.secret()))
            .map_err(|_| failed("the token cannot be sent in a header"))?;
        bearer.set_sensitive(true);
        Ok(Self {
            bearer,
            token: Token::decode(token.token.secret()),
            given,
            renew: life.map_or(SHORTLY, |life| life.mul_f64(USED)),
            life,
            replaces,
            taken: AtomicBool::new(false),
        })
    }

    /// Returns the token without the word before it.
    pub(in super::super) fn secret(&self) -> &str {
        let value = self.bearer.to_str().unwrap_or_default();
        value.strip_prefix("Bearer ").unwrap_or_default()
    }

    /// Notes that Graph has answered a request with this token, with another status than 401.
    pub(in super::super) fn was_taken(&self) {
        self.taken.store(true, Ordering::Relaxed);
    }

    /// Returns whether the token is still valid at this age.
    fn holds_at(&self, age: Duration) -> bool {
        self.life.is_some_and(|life| age < life)
    }
}

impl Tokens {
    pub(in super::super) fn new(
        credential: Credential,
        endpoints: Endpoints,
        http: Http,
        pace: Pace,
        clock: Clock,
    ) -> Self {
        let scope = endpoints.scope();
        Self {
            credential,
            endpoints,
            scope,
            http,
            pace,
            clock,
            current: Mutex::default(),
            answered: AtomicBool::new(false),
        }
    }

    /// Returns tokens of the same credential for something else than Graph.
    pub(in super::super) fn for_scope(&self, scope: &str) -> Self {
        let (credential, endpoints) = (self.credential.clone(), self.endpoints.clone());
        let tokens =
            Self::new(credential, endpoints, self.http.clone(), self.pace, self.clock.clone());
        Self { scope: scope.to_owned(), ..tokens }
    }

    pub(in super::super) async fn current(&self) -> Result<Arc<CachedToken>, Error> {
        let mut current = self.current.lock().await;
        let old = match current.as_ref() {
            Some(held) if self.age(held) < held.renew => return Ok(Arc::clone(held)),
            old => old.cloned(),
        };
        let fetched = match (self.fetch(false).await, old) {
            (Ok(fetched), _) => fetched,
            // The old token is valid for a while yet, so the run can continue.
            (Err(error), Some(old)) if old.holds_at(self.age(&old) + self.pace.silence) => {
                warn!(error = %error, "the token could not be renewed; the old one is used for now");
                self.postponed(&old)
            }
            (Err(error), _) => return Err(error),
        };
        Ok(Arc::clone(current.insert(Arc::new(fetched))))
    }

    /// Returns another token than the one that Graph refused. Another request may have renewed it already.
    pub(in super::super) async fn renewed(
        &self,
        refused: &Arc<CachedToken>,
    ) -> Result<Arc<CachedToken>, Error> {
        let mut current = self.current.lock().await;
        if let Some(held) = current.as_ref()
            && held.bearer != refused.bearer
        {
            return Ok(Arc::clone(held));
        }
        // Without this check, every request of a run would fetch another token.
        if refused.replaces && !refused.taken.load(Ordering::Relaxed) {
            return Err(failed("Graph refuses a token that was just renewed")
                .with_help("check that the tenant is in the configured cloud"));
        }
        let fetched = self.fetch(true).await?;
        Ok(Arc::clone(current.insert(Arc::new(fetched))))
    }

    /// Returns the claims of the current token.
    pub(in super::super) async fn describe(&self) -> Result<Token, Error> {
        Ok(self.current().await?.token.clone())
    }

    pub(in super::super) const fn credential(&self) -> &Credential {
        &self.credential
    }

    /// Returns the age of a token by every clock: the time of a suspend counts too.
    fn age(&self, held: &CachedToken) -> Duration {
        self.clock.age(&held.given)
    }

    fn postponed(&self, old: &CachedToken) -> CachedToken {
        CachedToken {
            bearer: old.bearer.clone(),
            token: old.token.clone(),
            given: old.given,
            renew: self.age(old).saturating_add(SHORTLY.min(self.pace.longest)),
            life: old.life,
            replaces: old.replaces,
            taken: AtomicBool::new(old.taken.load(Ordering::Relaxed)),
        }
    }

    /// Fetches a token, always with fresh instances of the library's credentials: a used instance would
    /// return its cached token.
    async fn fetch(&self, replaces: bool) -> Result<CachedToken, Error> {
        let started = self.clock.now();
        let answered = self.answered.load(Ordering::Relaxed);
        let pace = if answered { self.pace.once_answered() } else { self.pace };
        let by = |error: Error| error.by(&self.credential.describe());
        let sources = self.credential.open(&self.endpoints, &self.http, pace).map_err(by)?;
        let token = self.first(&sources).await;
        let ms = millis(self.clock.age(&started));
        match token
            .and_then(|token| CachedToken::new(&token, self.clock.now(), replaces))
            .map_err(by)
        {
            Ok(held) => {
                self.answered.store(true, Ordering::Relaxed);
                let seconds = held.life.map(|life| life.as_secs());
                debug!(credential = self.credential.describe(), ms, seconds, "token");
                Ok(held)
            }
            Err(error) => {
                debug!(
                    credential = self.credential.describe(),
                    ms,
                    code = error.code(),
                    "no token"
                );
                Err(error)
            }
        }
    }

    async fn first(&self, sources: &[Source]) -> Result<AccessToken, Error> {
        let mut failure = None;
        for source in sources {
            match source.get_token(&[&self.scope], None).await {
                Ok(token) => return Ok(token),
                // The first source is the usual one, so its error is reported.
                Err(error) => failure = failure.or(Some(of_library(&error))),
            }
        }
        Err(failure.unwrap_or_else(|| Error::new(ErrorKind::Token, &reqwest::Method::POST, "/")))
    }
}

#[cfg(test)]
mod tests;
