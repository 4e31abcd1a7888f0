//! Findings off the wire. How they read is written by `plan`.

use api::pb::types as pb;
use model::{Finding, Severity, When};

use crate::screen::Paint;

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

/// Refusals first; each finding with its subject, its sentence, and what to do about it.
pub fn text(findings: &[Finding], paint: &Paint) -> String {
    plan::render::findings(findings, &|tone, word| paint.tone(tone, word))
}
