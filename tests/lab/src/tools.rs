//! The programs of the machine that the lab calls, and how to get each where it is missing.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Lines of a failed program that are worth repeating.
const OUTPUT_LINES_MAX: usize = 25;

/// Program and what to do where it is missing.
const INSTALL: [(&str, &str); 8] = [
    (
        "mvn",
        "install Apache Maven (Debian: apt-get install maven)",
    ),
    (
        "go",
        "install Go 1.24 or newer (https://go.dev/dl, or apt-get install golang)",
    ),
    (
        "npm",
        "install Node.js with npm (https://nodejs.org, or apt-get install npm)",
    ),
    (
        "node",
        "install Node.js (https://nodejs.org, or apt-get install nodejs)",
    ),
    (
        "apt-get",
        "use Debian, or install the JDK by hand and name it in RINGKEEP_LAB_JAVA8 or RINGKEEP_LAB_JAVA11",
    ),
    (
        "dpkg",
        "use Debian, or install the JDK by hand and name it in RINGKEEP_LAB_JAVA8 or RINGKEEP_LAB_JAVA11",
    ),
    (
        "setsid",
        "install util-linux (Debian: apt-get install util-linux)",
    ),
    (
        "flock",
        "install util-linux (Debian: apt-get install util-linux)",
    ),
];

/// The program in `PATH`, or one sentence that says what is missing and how to get it.
pub fn need(program: &str) -> Result<PathBuf> {
    if let Some(path) = find(program) {
        return Ok(path);
    }
    let hint = INSTALL
        .iter()
        .find(|(name, _)| *name == program)
        .map_or("install it and put it in PATH", |(_, hint)| *hint);
    bail!("`{program}` is missing: {hint}")
}

pub fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

/// Runs to the end and returns stdout; a failure repeats the last lines of what was printed.
pub fn run(command: &mut Command, doing: &str) -> Result<String> {
    let output = command.output().with_context(|| {
        format!(
            "could not run {} to {doing}",
            Path::new(command.get_program()).display()
        )
    })?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        let printed = format!("{stdout}\n{}", String::from_utf8_lossy(&output.stderr));
        bail!(
            "could not {doing}: {}\n{}",
            output.status,
            last_lines(&printed, OUTPUT_LINES_MAX)
        );
    }
    Ok(stdout)
}

pub fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_is_named_with_what_to_do() {
        let error = need("no-such-program").unwrap_err().to_string();
        assert_eq!(
            error,
            "`no-such-program` is missing: install it and put it in PATH"
        );
    }

    #[test]
    fn a_failed_program_repeats_its_last_words() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo broken >&2; exit 3"]);
        let error = run(&mut command, "try").unwrap_err().to_string();
        assert!(
            error.starts_with("could not try: exit status: 3"),
            "{error}"
        );
        assert!(error.ends_with("broken"), "{error}");
    }
}
