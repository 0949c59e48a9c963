//! The `dianjing` command: arguments in, data on stdout, words on stderr.

mod args;
mod chinese;
mod chinese_usage;
mod exit;
mod logging;
mod progress;
mod settings;
mod show;
mod verbs;

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::FromArgMatches;

/// Set by Ctrl-C; every long step looks at it between examples.
static CANCELLED: AtomicBool = AtomicBool::new(false);

fn main() -> ExitCode {
    let lang = settings::language();
    let matches = match chinese::command(lang).try_get_matches() {
        Ok(matches) => matches,
        Err(usage) => return exit::usage(&usage, lang),
    };
    let arguments = args::Arguments::from_arg_matches(&matches).expect("clap checked the arguments already");
    match &arguments.verb {
        args::Verb::Serve(verb) => {
            logging::start_serving(arguments.quiet, arguments.verbose, verb.log_format)
        }
        _ => logging::start(arguments.verbose),
    }
    stop_on_ctrl_c();
    pass_over_damaged_sounds();
    match verbs::run(arguments, lang) {
        Ok(code) => code,
        Err(error) => exit::failure(&error, lang),
    }
}

/// The first Ctrl-C, or a termination signal, asks the run to stop in order; the second ends the process at once.
fn stop_on_ctrl_c() {
    let set = ctrlc::set_handler(|| {
        if CANCELLED.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    });
    if let Err(error) = set {
        tracing::warn!(%error, "Ctrl-C will end the program without tidying up");
    }
}

/// A decoder that panics over a damaged sound is told of as a problem of that file, so it is not printed besides.
fn pass_over_damaged_sounds() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !base::sound::is_guarded() {
            print(panic);
        }
    }));
}
