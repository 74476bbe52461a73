//! The commands, one file for each: its arguments, its help, what it prints and its exit status. The other
//! files are what commands share: options, the terminal, files, errors.
//!
//! Not here: global options (`cli`), the steps of a run (`run`), or how results look (`render`).

mod against;
pub mod apply;
mod approval;
pub mod comment;
pub mod completions;
mod conditions;
mod connect;
pub mod diff;
mod disclosure;
pub mod doctor;
pub mod explain;
pub mod fault;
mod guards;
mod ignored;
mod job;
mod markdown;
pub mod out;
pub mod output;
pub mod plan;
mod progress;
mod random;
mod recorded;
pub mod report;
pub mod run_store;
mod runs;
pub mod sandbox;
mod saved;
pub mod schema;
pub mod selection;
pub mod show;
mod sign_ins;
mod signals;
pub mod snapshot;
pub mod stats;
mod terminal_frontend;
pub mod test;
pub mod undo;
pub mod validate;

use std::path::Path;

use clap::Subcommand;
use tokio::runtime::Builder;

use crate::exit::Exit;
use crate::terminal::say;
use fault::Fault;

/// The commands of mfactl.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check all files offline
    Validate(validate::Args),
    /// Check the policies offline, with invented people
    Test(test::Args),
    /// Show how the tenant differs from the policies
    Plan(plan::Args),
    /// Explain the state of one user, and what would change it
    Explain(explain::Args),
    /// Show the posture of every account in the tenant
    Report(report::Args),
    /// Plan, ask for confirmation, and write the changes
    Apply(apply::Args),
    /// Show a saved plan as `plan` printed it
    Show(show::Args),
    /// Show how two plans from files differ
    Diff(diff::Args),
    /// List the recorded runs, show or check them, or remove the numbers of old ones
    Runs(runs::Args),
    /// Undo the changes of a run: plan, ask for confirmation, and write
    Undo(undo::Args),
    /// Check whether this identity has the permissions that the policies need
    Doctor(doctor::Args),
    /// Serve, reset or show the embedded tenant
    Sandbox(sandbox::Args),
    /// Record the tenant without numbers and names, for plans without a connection
    Snapshot(snapshot::Args),
    /// Post a rendered plan as a comment on a pull request
    Comment(comment::Args),
    /// Print a JSON Schema, for editors and other programs
    Schema(schema::Args),
    /// Print completions for a shell
    Completions(completions::Args),
}

/// Runs one command to its end, and prints an error to standard error. `program` describes the whole
/// command line, for completions.
#[must_use]
pub fn run(command: Command, config: &Path, program: fn() -> clap::Command) -> Exit {
    match dispatch(command, config, program) {
        Ok(exit) => exit,
        Err(fault) => {
            say(&fault.to_string());
            fault.exit()
        }
    }
}

fn dispatch(
    command: Command,
    config: &Path,
    program: fn() -> clap::Command,
) -> Result<Exit, Fault> {
    match command {
        Command::Validate(args) => validate::run(&args, config),
        Command::Test(args) => wait(test::run(&args, config)),
        Command::Plan(args) => wait(plan::run(&args, config)),
        Command::Explain(args) => wait(explain::run(&args, config)),
        Command::Report(args) => wait(report::run(&args, config)),
        Command::Snapshot(args) => wait(snapshot::run(&args, config)),
        Command::Apply(args) => wait(apply::run(&args, config)),
        Command::Show(args) => show::run(&args, config),
        Command::Diff(args) => diff::run(&args, config),
        Command::Runs(args) => wait(runs::run(&args, config)),
        Command::Undo(args) => wait(undo::run(&args, config)),
        Command::Doctor(args) => wait(doctor::run(&args, config)),
        Command::Sandbox(args) => serve(sandbox::run(&args, config)),
        Command::Comment(args) => wait(comment::run(&args)),
        Command::Schema(args) => schema::run(&args),
        Command::Completions(args) => completions::run(&args, program()),
    }
}

/// Runs on one thread: passing work to a second thread costs more than the second thread saves.
fn wait(work: impl Future<Output = Result<Exit, Fault>>) -> Result<Exit, Fault> {
    wait_on(&mut Builder::new_current_thread(), work)
}

/// Runs with one thread for each processor, for a command that serves other programs.
fn serve(work: impl Future<Output = Result<Exit, Fault>>) -> Result<Exit, Fault> {
    wait_on(&mut Builder::new_multi_thread(), work)
}

fn wait_on(
    threads: &mut Builder,
    work: impl Future<Output = Result<Exit, Fault>>,
) -> Result<Exit, Fault> {
    let runtime = threads.enable_all().build().map_err(Fault::Runtime)?;
    let done = runtime.block_on(work);
    // Connections of the embedded tenant may still be open; nothing waits for them.
    runtime.shutdown_background();
    done
}
