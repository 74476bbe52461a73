//! The tokens of one client: fetched one at a time, kept, and renewed in good time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use azure_core::credentials::AccessToken;
use azure_core::time::OffsetDateTime;
use reqwest::header::HeaderValue;
use tokio::sync::Mutex;
use tracing::{debug, warn};

use super::super::endpoint::Endpoints;
use super::super::error::{Error, Kind};
use super::super::http::Http;
use super::super::retry::{Pace, millis};
use super::super::token::Token;
use super::refusal::{failed, of_library};
use super::{Credential, Source};
use crate::moment::{Clock, Moment};

/// A token is renewed when so much of its life is over, as Microsoft's libraries do; of an hour,
/// that leaves twelve minutes.
const USED: f64 = 0.8;

/// How long a token is kept that this machine's clock takes for expired, and how soon a renewal
/// that failed is tried again while the token still holds.
const SHORTLY: Duration = Duration::from_secs(60);

/// One is fetched at a time, whoever waits for it.
pub(in super::super) struct Tokens {
    credential: Credential,
    endpoints: Endpoints,
    http: Http,
    pace: Pace,
    clock: Clock,
    current: Mutex<Option<Arc<Held>>>,
    /// A token was given out before.
    answered: AtomicBool,
}

/// A token in use.
pub(in super::super) struct Held {
    /// The value of `Authorization`, marked so that nothing prints it.
    pub(in super::super) bearer: HeaderValue,
    token: Token,
    given: Moment,
    /// How old it is when it is to be renewed, and when it has expired.
    renew: Duration,
    life: Option<Duration>,
    /// Whether it came in the place of one that Graph had refused.
    replaces: bool,
    taken: AtomicBool,
}

impl Held {
    fn new(token: &AccessToken, given: Moment, replaces: bool) -> Result<Self, Error> {
        let left = token.expires_on - OffsetDateTime::now_utc();
        let life = Duration::try_from(left).ok().filter(|life| !life.is_zero());
        let mut bearer = HeaderValue::try_from(format!("Bearer {}", token.token.secret()))
            .map_err(|_| failed("it is no text for a header"))?;
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

    /// Graph has answered to it with something other than a 401.
    pub(in super::super) fn was_taken(&self) {
        self.taken.store(true, Ordering::Relaxed);
    }

    /// Whether it is still good when it is so old.
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
        Self {
            credential,
            endpoints,
            http,
            pace,
            clock,
            current: Mutex::default(),
            answered: AtomicBool::new(false),
        }
    }

    pub(in super::super) async fn current(&self) -> Result<Arc<Held>, Error> {
        let mut current = self.current.lock().await;
        let old = match current.as_ref() {
            Some(held) if self.age(held) < held.renew => return Ok(Arc::clone(held)),
            old => old.cloned(),
        };
        let fetched = match (self.fetch(false).await, old) {
            (Ok(fetched), _) => fetched,
            // The old one does for a while yet: no reason to end a run.
            (Err(error), Some(old)) if old.holds_at(self.age(&old) + self.pace.silence) => {
                warn!(error = %error, "the token could not be renewed and is kept for now");
                self.postponed(&old)
            }
            (Err(error), _) => return Err(error),
        };
        Ok(Arc::clone(current.insert(Arc::new(fetched))))
    }

    /// Another one than Graph has just refused, if only because somebody else has renewed it.
    pub(in super::super) async fn renewed(&self, refused: &Arc<Held>) -> Result<Arc<Held>, Error> {
        let mut current = self.current.lock().await;
        if let Some(held) = current.as_ref()
            && held.bearer != refused.bearer
        {
            return Ok(Arc::clone(held));
        }
        // One after the other would be fetched for every request of a run.
        if refused.replaces && !refused.taken.load(Ordering::Relaxed) {
            return Err(failed("Graph refuses a token that was just renewed")
                .with_help("check that the tenant is in the cloud that was asked"));
        }
        let fetched = self.fetch(true).await?;
        Ok(Arc::clone(current.insert(Arc::new(fetched))))
    }

    /// What the token says about itself.
    pub(in super::super) async fn describe(&self) -> Result<Token, Error> {
        Ok(self.current().await?.token.clone())
    }

    pub(in super::super) const fn credential(&self) -> &Credential {
        &self.credential
    }

    /// By every clock: a machine that was suspended has old tokens.
    fn age(&self, held: &Held) -> Duration {
        self.clock.age(&held.given)
    }

    fn postponed(&self, old: &Held) -> Held {
        Held {
            bearer: old.bearer.clone(),
            token: old.token.clone(),
            given: old.given,
            renew: self.age(old).saturating_add(SHORTLY.min(self.pace.longest)),
            life: old.life,
            replaces: old.replaces,
            taken: AtomicBool::new(old.taken.load(Ordering::Relaxed)),
        }
    }

    /// Always by fresh instances of the library's credentials: theirs keep a token longer.
    async fn fetch(&self, replaces: bool) -> Result<Held, Error> {
        let started = self.clock.now();
        let answered = self.answered.load(Ordering::Relaxed);
        let pace = if answered { self.pace.once_answered() } else { self.pace };
        let by = |error: Error| error.by(&self.credential.describe());
        let sources = self.credential.open(&self.endpoints, &self.http, pace).map_err(by)?;
        let token = self.first(&sources).await;
        let ms = millis(self.clock.age(&started));
        match token.and_then(|token| Held::new(&token, self.clock.now(), replaces)).map_err(by) {
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
        let scope = self.endpoints.scope();
        let mut failure = None;
        for source in sources {
            match source.get_token(&[&scope], None).await {
                Ok(token) => return Ok(token),
                // The first way is the usual one: its reason is the one to tell.
                Err(error) => failure = failure.or(Some(of_library(&error))),
            }
        }
        Err(failure.unwrap_or_else(|| Error::new(Kind::Token, &reqwest::Method::POST, "/")))
    }
}

#[cfg(test)]
mod tests;
