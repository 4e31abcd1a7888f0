//! The collection of findings: a plan goes on after a refusal, so that all reasons are said at once.

use model::{Finding, Severity};

use crate::Code;

#[derive(Debug, Default)]
pub(crate) struct Findings(Vec<Finding>);

impl Findings {
    /// Says something with the severity that its code has.
    pub fn say(
        &mut self,
        code: Code,
        subject: impl ToString,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.say_as(code.severity, code, subject, message, hint);
    }

    /// Says something with another severity than its code has by default.
    pub fn say_as(
        &mut self,
        severity: Severity,
        code: Code,
        subject: impl ToString,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        let finding = Finding {
            code: code.name.to_owned(),
            severity,
            when: code.when,
            subject: subject.to_string(),
            message: message.into(),
            hint: hint.into(),
        };
        if !self.0.contains(&finding) {
            self.0.push(finding);
        }
    }

    pub fn refuse(&self) -> bool {
        self.0.iter().any(Finding::is_refusal)
    }

    /// Refusals first, then warnings, then advice; else in the order in which they were said.
    pub fn into_sorted(mut self) -> Vec<Finding> {
        self.0.sort_by_key(|finding| finding.severity);
        self.0
    }
}
