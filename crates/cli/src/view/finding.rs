//! Findings, grouped by how much they matter.

use api::pb::types as pb;
use model::{Finding, Severity, When};

use crate::screen::{Colour, Paint};

/// A severity that this release does not know is shown as a warning; whether a plan is refused, the plan itself says.
pub fn from_wire(finding: &pb::Finding) -> Finding {
    Finding {
        code: finding.code.clone(),
        severity: match finding.severity() {
            pb::Severity::Refusal => Severity::Refusal,
            pb::Severity::Warning | pb::Severity::Unspecified => Severity::Warning,
            pb::Severity::Advice => Severity::Advice,
        },
        when: match finding.when() {
            pb::When::Before | pb::When::Unspecified => When::Before,
            pb::When::During => When::During,
            pb::When::After => When::After,
        },
        subject: finding.subject.clone(),
        message: finding.message.clone(),
        hint: finding.hint.clone(),
    }
}

pub fn all_from_wire(findings: &[pb::Finding]) -> Vec<Finding> {
    findings.iter().map(from_wire).collect()
}

/// The codes that refuse, each once, for an error's one line.
pub fn refusals(findings: &[Finding]) -> Vec<String> {
    let mut codes: Vec<String> = Vec::new();
    for finding in findings.iter().filter(|finding| finding.is_refusal()) {
        if !codes.contains(&finding.code) {
            codes.push(finding.code.clone());
        }
    }
    codes
}

const GROUPS: [(Severity, &str, Colour); 3] = [
    (Severity::Refusal, "refusal", Colour::Red),
    (Severity::Warning, "warning", Colour::Yellow),
    (Severity::Advice, "advice", Colour::Cyan),
];

/// Refusals first; each finding with its subject, its sentence, and what to do indented below.
pub fn text(findings: &[Finding], paint: &Paint) -> String {
    let mut text = String::new();
    for (severity, word, colour) in GROUPS {
        for finding in findings
            .iter()
            .filter(|finding| finding.severity == severity)
        {
            let when = match finding.when {
                When::Before => "before",
                When::During => "during",
                When::After => "after",
            };
            let subject = match finding.subject.as_str() {
                "" => String::new(),
                subject => format!(" {subject}"),
            };
            text.push_str(&format!(
                "{} ({when}) {}{subject}\n",
                paint.word(colour, word),
                finding.code
            ));
            text.push_str(&indented(&finding.message, "    "));
            if !finding.hint.is_empty() {
                text.push_str(&indented(&format!("hint: {}", finding.hint), "      "));
            }
        }
    }
    text
}

/// Hints may hold CQL of several lines; each is indented.
fn indented(text: &str, indent: &str) -> String {
    text.lines()
        .map(|line| format!("{indent}{line}\n"))
        .collect()
}
