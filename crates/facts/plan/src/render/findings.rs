//! Findings, grouped by how much they matter, each with what to do about it.

use std::fmt::Write;

use model::{Finding, Severity, When};

use super::{Paint, Tone};
use crate::wording;

/// How many findings of one code are shown one by one.
const EACH_MAX: usize = 5;

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
        for alike in alike(group()) {
            one(&mut out, alike[0]);
            if let [_, others @ ..] = alike.as_slice()
                && !others.is_empty()
            {
                let subjects = others.iter().map(|finding| &finding.subject);
                let subjects: Vec<&String> = subjects.collect();
                let more = wording::count(others.len() as u64);
                let names = wording::list(subjects);
                let line = format!("and {more} more like it: {names}; --output json has all");
                indented(&mut out, &line);
            }
        }
    }
    out
}

/// The findings in their order. Those of one code are together where the first of them is if they are too many to be read.
fn alike<'a>(findings: impl Iterator<Item = &'a Finding>) -> Vec<Vec<&'a Finding>> {
    let findings: Vec<&Finding> = findings.collect();
    let mut groups: Vec<Vec<&Finding>> = Vec::new();
    for finding in &findings {
        let is_alike = |other: &&Finding| other.code == finding.code && other.when == finding.when;
        let is_one_of_many = findings.iter().copied().filter(|it| is_alike(it)).count() > EACH_MAX;
        match groups.iter_mut().find(|group| is_alike(&group[0])) {
            Some(group) if is_one_of_many => group.push(finding),
            _ => groups.push(vec![finding]),
        }
    }
    groups
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
