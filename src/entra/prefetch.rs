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
use super::read_strategy::{ListQuestion, ReadStrategy, UserQuery};
use crate::graph::{Client, Error, MOST_PARTS};
use crate::id::UserId;
use crate::tenant::facts::Facts;
use crate::tenant::lookup::Extra;
use crate::tenant::method_policy::MethodPolicy;

/// The sender of the users whose facts are needed. When it is dropped, no other user will be needed.
#[derive(Debug)]
pub struct NeededSender(UnboundedSender<Vec<UserId>>);

/// The receiver of these users, as they become known.
#[derive(Debug)]
pub struct NeededReceiver(UnboundedReceiver<Vec<UserId>>);

/// The facts that were prefetched.
#[derive(Debug)]
pub struct PrefetchedFacts(ReadStrategy);

/// Returns the two ends of a growing list of users.
#[must_use]
pub fn needed_users() -> (NeededSender, NeededReceiver) {
    let (sender, receiver) = unbounded_channel();
    (NeededSender(sender), NeededReceiver(receiver))
}

impl NeededSender {
    /// Adds users whose facts are needed.
    pub fn add(&self, users: Vec<UserId>) {
        // The receiver is gone once reading has failed, and that failure ends the run.
        if !users.is_empty() {
            _ = self.0.send(users);
        }
    }
}

impl PrefetchedFacts {
    /// Returns the facts of the user, if they were read.
    #[must_use]
    pub fn of(&self, user: UserId) -> Option<Facts> {
        self.0.facts(user)
    }
}

/// Result of a request that was under way.
enum Reply {
    Pieces(Vec<(UserQuery, Piece)>),
    ListSize(Option<usize>),
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
    NeededReceiver(mut needed): NeededReceiver,
) -> Result<PrefetchedFacts, Error> {
    let reading = Reading { client, wanted: FactsRequest { policy, extra } };
    let stage = client.stage("users read", None);
    let mut strategy = ReadStrategy::new(extra, everybody);
    let (mut batches, mut questions) = (FuturesUnordered::new(), FuturesUnordered::new());
    let (mut may_need_more, mut last) = (true, None);
    loop {
        while batches.len() < client.lanes()
            && let queries = strategy.next_queries(MOST_PARTS)
            && !queries.is_empty()
        {
            batches.push(reading.batch(queries));
        }
        if last.is_none() && strategy.is_all_requested() {
            last = Some(client.last_reads());
        }
        if let Some(question) = strategy.next_question() {
            questions.push(reading.question(question));
        }
        if strategy.is_done() {
            break;
        }
        let reply = tokio::select! {
            users = needed.recv(), if may_need_more => {
                match users {
                    Some(users) => strategy.add(users),
                    None => {
                        may_need_more = false;
                        strategy.complete();
                        stage.expects(strategy.len());
                    }
                }
                client.tenant_has(strategy.len());
                continue;
            }
            Some(reply) = batches.next() => reply,
            Some(reply) = questions.next() => reply,
            // The facts of a user who is not read by now are unknown.
            else => break,
        };
        match reply? {
            Reply::Pieces(pieces) => {
                let read =
                    pieces.into_iter().filter(|(query, piece)| strategy.take(*query, *piece));
                stage.add(read.count());
            }
            Reply::ListSize(users) => strategy.take_list_size(users),
            Reply::States(states) => strategy.take_list(states),
        }
    }
    if let Some(words) = strategy.in_words() {
        client.took("reading", words);
    }
    Ok(PrefetchedFacts(strategy))
}

/// Sends the requests, and turns the answers into facts.
#[derive(Clone, Copy)]
struct Reading<'a> {
    client: &'a Client,
    wanted: FactsRequest<'a>,
}

impl Reading<'_> {
    async fn batch(self, queries: Vec<UserQuery>) -> Result<Reply, Error> {
        let parts =
            queries.iter().map(|query| query.aspect.part(query.user, self.wanted.extra)).collect();
        let parse = |place: usize, text: &str| match queries.get(place) {
            Some(query) => query.aspect.piece(text, self.wanted),
            None => Ok(Piece::Whole(None)),
        };
        let answers = self.client.read_few(parts, parse).await;
        let mut pieces = Vec::with_capacity(queries.len());
        for (place, answer) in answers {
            let Some(query) = queries.get(place) else { continue };
            match answer {
                Ok(Piece::PartOfMethods) => {
                    let list = whole_list(self.client, query.user, self.wanted.policy).await?;
                    pieces.push((*query, list));
                }
                Ok(piece) => pieces.push((*query, piece)),
                Err(error) if error.concerns_all() => return Err(error),
                Err(error) => pieces.push((*query, query.aspect.unknown(why(&error)))),
            }
        }
        Ok(Reply::Pieces(pieces))
    }

    async fn question(self, question: ListQuestion) -> Result<Reply, Error> {
        Ok(match question {
            ListQuestion::Size => Reply::ListSize(States::size(self.client).await?),
            ListQuestion::States => Reply::States(States::read(self.client).await?),
        })
    }
}
