//! The log on standard error, for a user who looks for the cause of a problem.
//!
//! It is off by default, because findings and errors are reported without it. Other crates log
//! warnings and errors only, at every level: their lower levels print bodies.
//! Not here: what is logged about a request (`graph`).

use std::io::{self, Write};

use clap::ValueEnum;
use tracing::level_filters::LevelFilter;
use tracing::{Dispatch, dispatcher};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::{Registry, fmt};

use crate::disclose::outgoing;
use crate::untrusted::{Json, log_line};

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Level {
    #[default]
    Off,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// The format of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

impl From<Level> for LevelFilter {
    fn from(level: Level) -> Self {
        match level {
            Level::Off => Self::OFF,
            Level::Error => Self::ERROR,
            Level::Warn => Self::WARN,
            Level::Info => Self::INFO,
            Level::Debug => Self::DEBUG,
            Level::Trace => Self::TRACE,
        }
    }
}

/// Starts to write the log of this run to standard error.
pub fn start(level: Level, format: LogFormat) {
    if level != Level::Off {
        // An error means that a log exists already: a test has set it.
        _ = dispatcher::set_global_default(to(level, format, io::stderr));
    }
}

/// Returns a log that writes to `writer`.
pub fn to<W>(level: Level, format: LogFormat, writer: W) -> Dispatch
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let own = LevelFilter::from(level);
    let filter = Targets::new()
        .with_default(own.min(LevelFilter::WARN))
        .with_target(env!("CARGO_CRATE_NAME"), own);
    let lines = fmt::layer().with_writer(Lines { writer, format }).with_ansi(false);
    let lines = match format {
        LogFormat::Text => lines.boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).boxed(),
    };
    Registry::default().with(lines.with_filter(filter)).into()
}

/// Turns each event into one line, whatever the event contains.
struct Lines<W> {
    writer: W,
    format: LogFormat,
}

impl<'a, W: MakeWriter<'a>> MakeWriter<'a> for Lines<W> {
    type Writer = Line<W::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Line { out: self.writer.make_writer(), format: self.format }
    }
}

/// The line of one event. The event arrives in one write.
struct Line<W> {
    out: W,
    format: LogFormat,
}

impl<W: Write> Write for Line<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = outgoing(text.strip_suffix('\n').unwrap_or(&text));
        let line = match self.format {
            LogFormat::Text => log_line(&line),
            LogFormat::Json => Json::escaped(&line),
        };
        self.out.write_all(format!("{line}\n").as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
