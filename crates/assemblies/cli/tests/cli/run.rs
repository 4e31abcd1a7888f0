//! Runs one command line in surroundings that are made for the test.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cli::{Patience, Surroundings};
use futures::FutureExt;

/// What a command line left behind.
#[derive(Debug)]
pub struct Ran {
    pub exit: u8,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// Stdout as JSON: fails where anything else is on it.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|error| panic!("{error}; stdout: {}; stderr: {}", self.out, self.err))
    }

    /// Exit code, stdout, stderr, as one text to compare; the port of the fake is masked.
    pub fn transcript(&self, endpoint: &str) -> String {
        let text = format!(
            "exit {}\n--- stdout\n{}--- stderr\n{}",
            self.exit, self.out, self.err
        );
        match endpoint {
            "" => text,
            endpoint => text.replace(endpoint, "ENDPOINT"),
        }
    }
}

/// A stream that can be read after the command has ended.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("no writer panics").clone()).expect("UTF-8")
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .expect("no writer panics")
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Who sits in front of it.
#[derive(Clone, Copy)]
pub enum Person {
    /// Nobody: a script.
    Absent,
    Types(&'static str),
    /// Presses Ctrl-C after a moment of waiting.
    Interrupts,
}

pub async fn ringkeep(endpoint: &str, args: &[&str]) -> Ran {
    ringkeep_with(endpoint, Person::Absent, args).await
}

pub async fn ringkeep_with(endpoint: &str, person: Person, args: &[&str]) -> Ran {
    let (out, err) = (Captured::default(), Captured::default());
    let typed = match person {
        Person::Types(text) => text,
        Person::Absent | Person::Interrupts => "",
    };
    let surroundings = Surroundings {
        out: Box::new(out.clone()),
        err: Box::new(err.clone()),
        input: Box::new(io::Cursor::new(typed)),
        out_is_terminal: false,
        err_is_terminal: false,
        input_is_terminal: matches!(person, Person::Types(_)),
        no_color: false,
        width: Some(100),
        interrupt: match person {
            Person::Interrupts => tokio::time::sleep(Duration::from_millis(200)).boxed(),
            Person::Absent | Person::Types(_) => futures::future::pending().boxed(),
        },
        patience: Patience {
            reconnect: Duration::from_millis(300),
            reconnect_pause: Duration::from_millis(20),
            progress_line_interval: Duration::from_secs(3600),
        },
    };
    // The flag comes last, so that it wins over whatever environment the tests run in.
    let mut line = vec!["ringkeep"];
    line.extend(args);
    if !args.contains(&"--endpoint") && !endpoint.is_empty() {
        line.extend(["--endpoint", endpoint]);
    }
    let line = line.into_iter().map(Into::into).collect::<Vec<_>>();
    let exit = cli::run_in(line, surroundings, |_| async { Ok(None) }).await;
    Ran {
        exit: exit.code(),
        out: out.text(),
        err: err.text(),
    }
}
