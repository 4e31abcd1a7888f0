//! The text of docs/findings.md, from the table.

use std::fmt::Write;

use super::ALL;

/// The text of docs/findings.md.
pub fn page() -> String {
    let mut page = String::from(
        "# Findings\n\n\
         What the planner has to say, and what a task has left to be done, comes as findings: `{code, severity, when, subject, message, hint}`. Codes are stable:\n\
         match on them, never on the text. A plan with any **refusal** is not carried out. A **warning** is a consequence to\n\
         know before agreeing; **advice** is something to do or to know. The severity below is the usual one.\n\n\
         This page is made from the table in `crates/facts/plan/src/codes.rs`; after a change there, run\n\
         `UPDATE=1 cargo test -p plan --test findings`.\n",
    );
    for code in ALL {
        let severity = format!("{:?}", code.severity).to_lowercase();
        let when = format!("{:?}", code.when).to_lowercase();
        let about = fill(code.about);
        let _ = write!(
            page,
            "\n## {}\n\n{severity}, {when}\n\n{about}\n",
            code.name
        );
    }
    page
}

/// Wraps a paragraph at the width of the documentation.
fn fill(paragraph: &str) -> String {
    const WIDTH: usize = 118;
    let mut filled = String::new();
    let mut width = 0;
    for word in paragraph.split_whitespace() {
        let len = word.chars().count();
        if width > 0 && width + 1 + len > WIDTH {
            filled.push('\n');
            width = 0;
        } else if width > 0 {
            filled.push(' ');
            width += 1;
        }
        filled.push_str(word);
        width += len;
    }
    filled
}
