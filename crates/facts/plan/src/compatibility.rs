//! What the version matrix has to say of a pair of releases, as findings.

mod page;

use cassandra_versions::{Refusal, Release, Rule, Verdict, compatibility};
use model::Severity;
use model::plan::Compatibility;

use crate::codes;
use crate::findings::Findings;

pub use page::page;

/// Whether a backup of one release restores into another, by the releases alone.
pub fn check_compatibility(from: &Release, to: &Release) -> Compatibility {
    let mut findings = Findings::default();
    let rules = check(from, to, false, &mut findings);
    if rules.contains(&Rule::SchemaValidation) {
        findings.say(
            codes::SCHEMA_VALIDATION_REQUIRED,
            format!("{from} to {to}"),
            "HCD lacks some of DSE's features, and the schema may use them",
            "the plan of a restore names each such feature that the backup uses: DSE_FEATURE_UNSUPPORTED",
        );
    }
    if rules.contains(&Rule::UpgradeWhereOlder) {
        findings.say(
            codes::UPGRADE_SSTABLES_REQUIRED,
            format!("{from} to {to}"),
            format!("restored SSTables that are older than what {to} writes stay so until they are upgraded"),
            by_step("the restore has a step for it if the backup has such", to),
        );
    }
    Compatibility {
        supported: !findings.refuse(),
        findings: findings.into_sorted(),
    }
}

/// Adds the findings on the pair; returns the rules that hold for it.
pub(crate) fn check(
    from: &Release,
    to: &Release,
    allow_unlisted: bool,
    findings: &mut Findings,
) -> Vec<Rule> {
    let subject = format!("{from} to {to}");
    match compatibility(from, to) {
        Verdict::Supported { rules } => {
            for rule in &rules {
                say_rule(*rule, &subject, from, to, findings);
            }
            rules
        }
        Verdict::Refused(Refusal::Downgrade) => {
            say_downgrade(from, to, findings);
            Vec::new()
        }
        Verdict::Refused(Refusal::Unlisted { nearest }) => {
            let severity = if allow_unlisted {
                Severity::Warning
            } else {
                Severity::Refusal
            };
            let (path, hint) = match nearest {
                Some(path) => (
                    format!("; the nearest supported path is {path}"),
                    "restore along that path, upgrading the SSTables at each stop",
                ),
                None => (
                    ", and no path of supported pairs leads there".to_owned(),
                    "",
                ),
            };
            findings.say_as(
                severity,
                codes::VERSION_PAIR_UNSUPPORTED,
                subject,
                format!("restoring {from} into {to} is not supported{path}"),
                hint,
            );
            Vec::new()
        }
    }
}

pub(crate) fn say_downgrade(from: &Release, to: &Release, findings: &mut Findings) {
    findings.say(
        codes::VERSION_DOWNGRADE,
        format!("{from} to {to}"),
        format!("{to} is older than {from}, and SSTables cannot be made older"),
        format!("restore into the release line of {from} or a later one"),
    );
}

fn by_step(step: &str, to: &Release) -> String {
    format!(
        "{step}; later: `ringkeep maintenance run upgradesstables CLUSTER`; by hand: {}",
        to.upgrade_command()
    )
}

fn say_rule(rule: Rule, subject: &str, from: &Release, to: &Release, findings: &mut Findings) {
    match rule {
        Rule::UpgradeSstables => findings.say(
            codes::UPGRADE_SSTABLES_REQUIRED,
            subject,
            format!("restored SSTables stay in the format of {from} until they are upgraded"),
            by_step("the restore has a step for it", to),
        ),
        Rule::LaterMinor => findings.say(
            codes::LATER_MINOR_VERSION,
            subject,
            format!(
                "{to} is a later minor release: SSTables are upgraded where their format differs"
            ),
            "",
        ),
        Rule::CassandraOntoHcd => findings.say(
            codes::CASSANDRA_ONTO_HCD,
            subject,
            "HCD reads the SSTables of Cassandra 4 and writes its own format",
            by_step("the restore has a step that upgrades them", to),
        ),
        // With a plan it is said what was found.
        Rule::SchemaValidation | Rule::UpgradeWhereOlder => {}
        Rule::PatchDowngrade => findings.say(
            codes::PATCH_DOWNGRADE,
            subject,
            format!(
                "{to} is an earlier patch release than {from} and writes an older SSTable format"
            ),
            format!("bring the target to {from} if you can"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(from: &str, to: &str, supported: bool, said: &[&str]) {
        let release = |text: &str| text.parse::<Release>().expect("a release");
        let found = check_compatibility(&release(from), &release(to));
        assert_eq!(found.supported, supported);
        let codes: Vec<&str> = found.findings.iter().map(|f| f.code.as_str()).collect();
        assert_eq!(codes, said);
    }

    #[test]
    fn an_upgrade_is_said_to_need_upgradesstables() {
        check(
            "cassandra 3.11.19",
            "cassandra 4.1.9",
            true,
            &["UPGRADE_SSTABLES_REQUIRED"],
        );
    }

    #[test]
    fn the_command_is_named_in_the_form_that_the_target_needs() {
        for (from, to, command) in [
            (
                "cassandra 3.11.19",
                "cassandra 4.1.9",
                "nodetool upgradesstables",
            ),
            (
                "cassandra 4.1.9",
                "hcd 1.2.3",
                "nodetool upgradesstables -a",
            ),
        ] {
            let release = |text: &str| text.parse::<Release>().expect("a release");
            let found = check_compatibility(&release(from), &release(to)).findings;
            let ends = |hint: &str| hint.ends_with(&format!("by hand: {command}"));
            assert!(found.iter().any(|finding| ends(&finding.hint)), "{found:?}");
        }
    }

    #[test]
    fn a_downgrade_is_refused() {
        check(
            "cassandra 4.1.9",
            "cassandra 4.0.17",
            false,
            &["VERSION_DOWNGRADE"],
        );
    }

    #[test]
    fn every_rule_has_a_code_in_the_table() {
        for rule in [
            Rule::UpgradeSstables,
            Rule::UpgradeWhereOlder,
            Rule::LaterMinor,
            Rule::CassandraOntoHcd,
            Rule::SchemaValidation,
            Rule::PatchDowngrade,
        ] {
            assert!(codes::Code::find(rule.code()).is_some(), "{rule:?}");
        }
    }

    #[test]
    fn an_unlisted_pair_names_the_nearest_path() {
        let release = |text: &str| text.parse::<Release>().expect("a release");
        let found = check_compatibility(&release("cassandra 3.11.19"), &release("cassandra 5.0.5"));
        assert!(!found.supported);
        assert!(found.findings[0].message.contains("3.11 → 4.1 → 5.0"));
    }

    #[test]
    fn a_lifted_refusal_is_a_warning_and_a_downgrade_is_never_lifted() {
        for (to, refuse) in [("cassandra 5.0.5", false), ("cassandra 3.0.30", true)] {
            let mut findings = Findings::default();
            let release = |text: &str| text.parse::<Release>().expect("a release");
            super::check(
                &release("cassandra 3.11.19"),
                &release(to),
                true,
                &mut findings,
            );
            assert_eq!(findings.refuse(), refuse, "{to}");
        }
    }
}
