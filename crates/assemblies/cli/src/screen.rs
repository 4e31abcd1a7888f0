//! Where output goes: data to stdout, talk and errors to stderr, questions to the person at the terminal.

use std::io::{self, BufRead, Read, Write};

use plan::render::Tone;
use serde::Serialize;
use views::error::{ErrorDocument, ErrorView};

use crate::failure::Failure;
use crate::surroundings::Surroundings;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Aligned tables and sentences, for people.
    Text,
    /// One JSON document whose shape is stable.
    Json,
    /// The same as YAML.
    Yaml,
}

/// The colours in use; each comes with a word of the same meaning.
#[derive(Debug, Clone, Copy)]
pub enum Colour {
    Red,
    Yellow,
    Cyan,
    Green,
}

/// The streams, and how to write on them.
pub struct Screen {
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
    input: Box<dyn BufRead + Send>,
    format: Format,
    quiet: bool,
    colour: bool,
    err_is_terminal: bool,
    input_is_terminal: bool,
}

impl Screen {
    pub fn new(format: Format, quiet: bool, no_color: bool, surroundings: Surroundings) -> Self {
        Self {
            colour: surroundings.out_is_terminal && !no_color && !surroundings.no_color,
            out: surroundings.out,
            err: surroundings.err,
            input: surroundings.input,
            format,
            quiet,
            err_is_terminal: surroundings.err_is_terminal,
            input_is_terminal: surroundings.input_is_terminal,
        }
    }

    /// The result of a command: JSON from the document, or text made from it.
    pub fn result<T: Serialize>(
        &mut self,
        document: &T,
        text: impl FnOnce(&T, &Paint) -> String,
    ) -> Result<(), Failure> {
        let mut shown = match self.format {
            Format::Json => serde_json::to_string_pretty(document)
                .expect("the documents have string keys only and no failing fields"),
            Format::Yaml => serde_yaml_ng::to_string(document)
                .expect("the documents have string keys only and no failing fields"),
            Format::Text => text(document, &self.paint()),
        };
        if !shown.is_empty() && !shown.ends_with('\n') {
            shown.push('\n');
        }
        self.write_out(shown.as_bytes())
    }

    /// Bytes for stdout whatever the format.
    pub fn write_out(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = self.out.write_all(bytes).and_then(|()| self.out.flush());
        match written {
            // The reader has seen enough: `ringkeep backup list | head -1` is no failure.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other.map_err(Failure::Output),
        }
    }

    /// Reads standard input, at most so many bytes of it.
    pub fn read_input(&mut self, limit: u64, into: &mut Vec<u8>) -> io::Result<()> {
        self.input.by_ref().take(limit).read_to_end(into).map(drop)
    }

    /// What a person must read before answering a question: on stderr, quiet or not.
    pub fn tell(&mut self, text: &str) {
        let _ = self.err.write_all(text.as_bytes());
        let _ = self.err.flush();
    }

    /// A line for people on stderr, unless they want quiet. A closed stderr is no reason to fail.
    pub fn talk(&mut self, line: &str) {
        if !self.quiet {
            let _ = writeln!(self.err, "{line}");
        }
    }

    pub fn failure(&mut self, failure: &Failure) {
        let message = api::error::chain(failure);
        let hints = failure.hints();
        let shown = match self.format {
            Format::Json => {
                let document = ErrorDocument {
                    error: ErrorView {
                        message,
                        hints,
                        reason: failure.reason().to_owned(),
                        exit_code: failure.exit().code(),
                    },
                };
                serde_json::to_string(&document).expect("strings and a number always serialize")
            }
            Format::Text | Format::Yaml => {
                let hints = hints.iter().map(|hint| format!("\nhint: {hint}"));
                format!(
                    "error: {}{}",
                    message.replace('\n', " "),
                    hints.collect::<String>()
                )
            }
        };
        let _ = writeln!(self.err, "{shown}");
    }

    /// Checks before anything is called that there can be consent: `--yes`, or a person at a terminal.
    pub fn check_can_agree(&self, yes: bool) -> Result<(), Failure> {
        match yes || self.input_is_terminal {
            true => Ok(()),
            false => Err(Failure::Usage {
                message: "this wants to be agreed to, and nobody is at a terminal to be asked"
                    .into(),
                hint: "agree in advance with --yes".into(),
            }),
        }
    }

    /// Asks before something that cannot be undone.
    pub fn confirm(&mut self, question: &str, yes: bool) -> Result<(), Failure> {
        if yes {
            return Ok(());
        }
        self.check_can_agree(yes)?;
        let _ = write!(self.err, "{question} [y/N] ");
        let _ = self.err.flush();
        let mut answer = String::new();
        let _ = self.input.read_line(&mut answer);
        match answer.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => Err(Failure::Declined),
        }
    }

    /// Whether a bar that redraws itself makes sense.
    pub fn has_live_stderr(&self) -> bool {
        self.err_is_terminal && !self.quiet
    }

    pub fn paint(&self) -> Paint {
        Paint {
            colour: self.colour && self.format == Format::Text,
        }
    }
}

/// Colours words where colours are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Paint {
    colour: bool,
}

impl Paint {
    /// A word of a text that `plan` has written.
    pub fn tone(&self, tone: Tone, word: &str) -> String {
        let colour = match tone {
            Tone::Good => Colour::Green,
            Tone::Refusal => Colour::Red,
            Tone::Warning => Colour::Yellow,
            Tone::Advice => Colour::Cyan,
        };
        self.word(colour, word)
    }

    pub fn word(&self, colour: Colour, word: &str) -> String {
        let code = match colour {
            Colour::Red => 31,
            Colour::Yellow => 33,
            Colour::Cyan => 36,
            Colour::Green => 32,
        };
        match self.colour {
            true => format!("\x1b[{code}m{word}\x1b[0m"),
            false => word.to_owned(),
        }
    }
}
