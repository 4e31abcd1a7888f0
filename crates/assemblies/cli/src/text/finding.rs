//! Findings. Their text is the planner's: `plan` writes it.

use model::Finding;

use crate::screen::Paint;

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
