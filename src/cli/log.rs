//! The log: what is written to standard error for whoever looks for a fault.
//!
//! Off unless asked for, as findings and errors are told without it. Other crates are heard from
//! warnings up only, whatever is asked: further down they print bodies. Not here: what a call says
//! about itself (`graph`).

use std::io::{self, Write};

use clap::ValueEnum;
use tracing::level_filters::LevelFilter;
use tracing::{Dispatch, dispatcher};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::{Registry, fmt};

use crate::untrusted::{Json, log_line};

/// How much is written.
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

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
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

/// Writes the log of this run to standard error, from here on.
pub fn start(level: Level, format: Format) {
    if level != Level::Off {
        // An error means that somebody writes one already: a test.
        _ = dispatcher::set_global_default(to(level, format, io::stderr));
    }
}

/// The log, to be written somewhere.
pub fn to<W>(level: Level, format: Format, writer: W) -> Dispatch
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let own = LevelFilter::from(level);
    let filter = Targets::new()
        .with_default(own.min(LevelFilter::WARN))
        .with_target(env!("CARGO_CRATE_NAME"), own);
    let lines = fmt::layer().with_writer(Lines { writer, format }).with_ansi(false);
    let lines = match format {
        Format::Text => lines.boxed(),
        Format::Json => lines.json().flatten_event(true).with_current_span(false).boxed(),
    };
    Registry::default().with(lines.with_filter(filter)).into()
}

/// Makes one line of each event, whatever is in it.
struct Lines<W> {
    writer: W,
    format: Format,
}

impl<'a, W: MakeWriter<'a>> MakeWriter<'a> for Lines<W> {
    type Writer = Line<W::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        Line { out: self.writer.make_writer(), format: self.format }
    }
}

/// The line of one event, which comes in one piece.
struct Line<W> {
    out: W,
    format: Format,
}

impl<W: Write> Write for Line<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = text.strip_suffix('\n').unwrap_or(&text);
        let line = match self.format {
            Format::Text => log_line(line),
            Format::Json => Json::escaped(line),
        };
        self.out.write_all(format!("{line}\n").as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
