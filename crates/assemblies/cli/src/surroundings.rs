//! What a command line runs in: streams, terminal or not, Ctrl-C. Handed in, so that tests choose it.

use std::io::{self, BufRead, BufReader, IsTerminal, Write};
use std::time::Duration;

use clap::error::ErrorKind;
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::exit::Exit;

/// Limits on waiting.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// How long a broken connection to a watched task is retried: longer than a service takes to restart.
    pub reconnect: Duration,
    /// Between two tries.
    pub reconnect_pause: Duration,
    /// Between two progress lines where stderr is not a terminal.
    pub progress_line_interval: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            reconnect: Duration::from_secs(60),
            reconnect_pause: Duration::from_millis(500),
            progress_line_interval: Duration::from_secs(5),
        }
    }
}

/// What a command line runs in.
pub struct Surroundings {
    pub out: Box<dyn Write + Send>,
    pub err: Box<dyn Write + Send>,
    pub input: Box<dyn BufRead + Send>,
    pub out_is_terminal: bool,
    pub err_is_terminal: bool,
    /// Whether there is a person to ask.
    pub input_is_terminal: bool,
    /// NO_COLOR is set.
    pub no_color: bool,
    /// Columns that help wraps at; the terminal's if absent.
    pub width: Option<usize>,
    /// Ready when the user wants to stop waiting.
    pub interrupt: BoxFuture<'static, ()>,
    pub patience: Patience,
}

impl Surroundings {
    pub fn of_process() -> Self {
        Self {
            out: Box::new(io::stdout()),
            err: Box::new(io::stderr()),
            input: Box::new(BufReader::new(io::stdin())),
            out_is_terminal: io::stdout().is_terminal(),
            err_is_terminal: io::stderr().is_terminal(),
            input_is_terminal: io::stdin().is_terminal(),
            no_color: std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
            width: None,
            // Polled only while a command waits, so that Ctrl-C kills every other command as usual.
            interrupt: tokio::signal::ctrl_c().map(|_| ()).boxed(),
            patience: Patience::default(),
        }
    }

    /// Shows clap's message: requested help and version on stdout, mistakes on stderr.
    pub(crate) fn show_parse_error(mut self, error: &clap::Error) -> Exit {
        let asked_for = matches!(
            error.kind(),
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
        );
        let (stream, is_terminal, exit) = match asked_for {
            true => (&mut self.out, self.out_is_terminal, Exit::Done),
            false => (&mut self.err, self.err_is_terminal, Exit::Usage),
        };
        let rendered = error.render();
        let text = match is_terminal && !self.no_color {
            true => rendered.ansi().to_string(),
            false => rendered.to_string(),
        };
        // If even this stream is closed, there is no place left to report to.
        let _ = stream.write_all(text.as_bytes());
        exit
    }
}
