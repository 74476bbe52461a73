//! Prefetches the facts of users while the users are still being listed, so that the quota is used from
//! the first page to the last answer.
//!
//! Not here: which users are known early to be needed (`scope`), or which requests are made for which
//! users (`read_strategy`). A user who was read and turns out not to be needed costs a request and nothing else.

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::bulk_states::States;
use super::facts::{FactsRequest, Piece, whole_list, why};
use super::read_strategy::{ListQuestion, UserQuery, Ways};
use crate::graph::{Client, Error, MOST_PARTS};
use crate::id::UserId;
use crate::tenant::facts::Facts;
use crate::tenant::lookup::Extra;
use crate::tenant::method_policy::MethodPolicy;

/// The sender of the users whose facts are needed. When it is dropped, no other user will be needed.
#[derive(Debug)]
pub struct Needed(UnboundedSender<Vec<UserId>>);

/// The receiver of the users whose facts are needed, as they become known.
#[derive(Debug)]
pub struct Coming(UnboundedReceiver<Vec<UserId>>);

/// The facts that were prefetched.
#[derive(Debug)]
pub struct Early(Ways);

/// Returns the two ends of a growing list of users.
#[must_use]
pub fn people() -> (Needed, Coming) {
    let (needed, coming) = unbounded_channel();
    (Needed(needed), Coming(coming))
}

impl Needed {
    /// Adds users whose facts are needed.
    pub fn add(&self, users: Vec<UserId>) {
        // The receiver is gone once reading has failed, and that failure ends the run.
        if !users.is_empty() {
            _ = self.0.send(users);
        }
    }
}

impl Early {
    /// Returns the facts of the user, if they were read.
    #[must_use]
    pub fn of(&self, user: UserId) -> Option<Facts> {
        self.0.facts(user)
    }
}

/// Result of a request that was under way.
enum Reply {
    Pieces(Vec<(UserQuery, Piece)>),
    Listed(Option<usize>),
    States(Option<States>),
}

/// Reads all users that arrive, until no other user can arrive. `everybody` is true if most users of the
/// tenant are wanted. The policy separates the external methods that the tenant still has from those
/// that it had once.
///
/// # Errors
/// Graph could not be asked at all: no token, or no connection.
pub async fn read(
    client: &Client,
    policy: &MethodPolicy,
    (extra, everybody): (Extra, bool),
    Coming(mut coming): Coming,
) -> Result<Early, Error> {
    let reading = Reading { client, wanted: FactsRequest { policy, extra } };
    let stage = client.stage("users read", None);
    let mut ways = Ways::new(extra, everybody);
    let (mut batches, mut questions) = (FuturesUnordered::new(), FuturesUnordered::new());
    let (mut more_may_come, mut last) = (true, None);
    loop {
        while batches.len() < client.lanes()
            && let asks = ways.next(MOST_PARTS)
            && !asks.is_empty()
        {
            batches.push(reading.batch(asks));
        }
        if last.is_none() && ways.is_handed_over() {
            last = Some(client.last_reads());
        }
        if let Some(question) = ways.question() {
            questions.push(reading.question(question));
        }
        if ways.is_done() {
            break;
        }
        let reply = tokio::select! {
            users = coming.recv(), if more_may_come => {
                match users {
                    Some(users) => ways.add(users),
                    None => {
                        more_may_come = false;
                        ways.complete();
                        stage.expects(ways.len());
                    }
                }
                client.tenant_has(ways.len());
                continue;
            }
            Some(reply) = batches.next() => reply,
            Some(reply) = questions.next() => reply,
            // The facts of a user who is not read by now are unknown.
            else => break,
        };
        match reply? {
            Reply::Pieces(pieces) => {
                let read = pieces.into_iter().filter(|(ask, piece)| ways.take(*ask, *piece));
                stage.add(read.count());
            }
            Reply::Listed(users) => ways.listed(users),
            Reply::States(states) => ways.read(states),
        }
    }
    if let Some(strategy) = ways.in_words() {
        client.took("reading", strategy);
    }
    Ok(Early(ways))
}

/// Sends the requests, and turns the answers into facts.
#[derive(Clone, Copy)]
struct Reading<'a> {
    client: &'a Client,
    wanted: FactsRequest<'a>,
}

impl Reading<'_> {
    async fn batch(self, asks: Vec<UserQuery>) -> Result<Reply, Error> {
        let parts = asks.iter().map(|ask| ask.aspect.part(ask.user, self.wanted.extra)).collect();
        let parse = |place: usize, text: &str| match asks.get(place) {
            Some(ask) => ask.aspect.piece(text, self.wanted),
            None => Ok(Piece::Whole(None)),
        };
        let answers = self.client.read_few(parts, parse).await;
        let mut pieces = Vec::with_capacity(asks.len());
        for (place, answer) in answers {
            let Some(ask) = asks.get(place) else { continue };
            match answer {
                Ok(Piece::PartOfMethods) => {
                    let list = whole_list(self.client, ask.user, self.wanted.policy).await?;
                    pieces.push((*ask, list));
                }
                Ok(piece) => pieces.push((*ask, piece)),
                Err(error) if error.concerns_all() => return Err(error),
                Err(error) => pieces.push((*ask, ask.aspect.unknown(why(&error)))),
            }
        }
        Ok(Reply::Pieces(pieces))
    }

    async fn question(self, question: ListQuestion) -> Result<Reply, Error> {
        Ok(match question {
            ListQuestion::HowMany => Reply::Listed(States::listed(self.client).await?),
            ListQuestion::States => Reply::States(States::read(self.client).await?),
        })
    }
}
