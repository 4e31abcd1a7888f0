//! Findings, grouped by how much they matter, each with what to do about it.

use std::fmt::Write;

use model::{Finding, Severity, When};

use super::{Paint, Tone};

const GROUPS: [(Severity, &str, Tone); 3] = [
    (Severity::Refusal, "refusals", Tone::Refusal),
    (Severity::Warning, "warnings", Tone::Warning),
    (Severity::Advice, "advice", Tone::Advice),
];

/// Refusals first. Nothing where there are none.
pub fn findings(findings: &[Finding], paint: Paint<'_>) -> String {
    let mut out = String::new();
    for (severity, title, tone) in GROUPS {
        let group = || findings.iter().filter(|f| f.severity == severity);
        let count = group().count();
        if count == 0 {
            continue;
        }
        if !out.is_empty() {
            out.push('\n');
        }
        let _ = writeln!(out, "{} ({count})", paint(tone, title));
        group().for_each(|finding| one(&mut out, finding));
    }
    out
}

fn one(out: &mut String, finding: &Finding) {
    let when = match finding.when {
        When::Before => "before",
        When::During => "during",
        When::After => "after",
    };
    let words = [finding.code.as_str(), &finding.subject];
    let words = words.iter().filter(|word| !word.is_empty());
    let named: Vec<&str> = words.copied().collect();
    let _ = writeln!(out, "  {} ({when})", named.join(" "));
    indented(out, &finding.message);
    if !finding.hint.is_empty() {
        indented(out, &format!("hint: {}", finding.hint));
    }
}

/// Hints may hold CQL of several lines.
fn indented(out: &mut String, text: &str) {
    for line in text.lines() {
        let _ = writeln!(out, "      {line}");
    }
}
