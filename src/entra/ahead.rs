//! Facts of people who are still being listed, so that the quota is used from the first page on and
//! until the last answer.
//!
//! Not here: of whom it is known early that they are needed (`scope`), or which requests are made for
//! whom (`ways`). Whoever is read and turns out not to be needed costs a request and nothing else.

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::facts::{Piece, Wanted, whole_list, why};
use super::states::States;
use super::ways::{Ask, Question, Ways};
use crate::graph::{Client, Error, MOST_PARTS};
use crate::id::UserId;
use crate::tenant::facts::Facts;
use crate::tenant::lookup::Extra;
use crate::tenant::method_policy::MethodPolicy;

/// Where to say who is needed. Dropped, nobody else will be.
#[derive(Debug)]
pub struct Needed(UnboundedSender<Vec<UserId>>);

/// Who is needed, as it becomes known.
#[derive(Debug)]
pub struct Coming(UnboundedReceiver<Vec<UserId>>);

/// What was read of those who were needed.
#[derive(Debug)]
pub struct Early(Ways);

/// The two ends of a list of people that grows.
#[must_use]
pub fn people() -> (Needed, Coming) {
    let (needed, coming) = unbounded_channel();
    (Needed(needed), Coming(coming))
}

impl Needed {
    /// These are needed too.
    pub fn add(&self, users: Vec<UserId>) {
        // Nobody listens any more once reading has failed, and that ends the run.
        if !users.is_empty() {
            _ = self.0.send(users);
        }
    }
}

impl Early {
    /// What was read of the user.
    #[must_use]
    pub fn of(&self, user: UserId) -> Option<Facts> {
        self.0.facts(user)
    }
}

/// What came of something that was under way.
enum Came {
    Pieces(Vec<(Ask, Piece)>),
    Listed(Option<usize>),
    States(Option<States>),
}

/// Reads everybody who comes, until nobody else does, whether many of the tenant are wanted or few.
/// The policy tells the external methods that the tenant still has from those it had once.
///
/// # Errors
/// Where Graph could not be asked at all: no token, or no connection.
pub async fn read(
    client: &Client,
    policy: &MethodPolicy,
    (extra, everybody): (Extra, bool),
    Coming(mut coming): Coming,
) -> Result<Early, Error> {
    let reading = Reading { client, wanted: Wanted { policy, extra } };
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
        let came = tokio::select! {
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
            Some(came) = batches.next() => came,
            Some(came) = questions.next() => came,
            // Whoever is not read by now is unknown.
            else => break,
        };
        match came? {
            Came::Pieces(pieces) => {
                let read = pieces.into_iter().filter(|(ask, piece)| ways.take(*ask, *piece));
                stage.add(read.count());
            }
            Came::Listed(users) => ways.listed(users),
            Came::States(states) => ways.read(states),
        }
    }
    if let Some(way) = ways.in_words() {
        client.took("reading", way);
    }
    Ok(Early(ways))
}

/// Asks, and makes of the answers what they say.
#[derive(Clone, Copy)]
struct Reading<'a> {
    client: &'a Client,
    wanted: Wanted<'a>,
}

impl Reading<'_> {
    async fn batch(self, asks: Vec<Ask>) -> Result<Came, Error> {
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
        Ok(Came::Pieces(pieces))
    }

    async fn question(self, question: Question) -> Result<Came, Error> {
        Ok(match question {
            Question::HowMany => Came::Listed(States::listed(self.client).await?),
            Question::States => Came::States(States::read(self.client).await?),
        })
    }
}
