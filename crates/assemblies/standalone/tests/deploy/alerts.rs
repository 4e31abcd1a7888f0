//! The alerts pass their own tests, and each has a section on what to do.

use std::collections::BTreeSet;
use std::process::Command;

use lab::go_tools::PROMTOOL;
use serde_yaml_ng::Value;

use crate::yaml::items;
use crate::{read, root};

const TESTS: [&str; 2] = ["ringkeep.test.yml", "ringkeep-days.test.yml"];

fn promtool(arguments: &[&str]) -> Option<()> {
    let program = PROMTOOL.or_skip("promtool_finds_no_fault_in_the_rules_and_their_tests_pass")?;
    let output = Command::new(program)
        .args(arguments)
        .current_dir(root().join("deploy/alerts"))
        .output()
        .expect("promtool runs");
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed);
    assert!(output.status.success(), "{arguments:?}: {printed}");
    Some(())
}

#[test]
fn promtool_finds_no_fault_in_the_rules_and_their_tests_pass() {
    if promtool(&["check", "rules", "ringkeep.rules.yml"]).is_some() {
        promtool(&["test", "rules", TESTS[0], TESTS[1]]);
    }
}

/// The alerts, by name.
fn alerts() -> Vec<(String, Value)> {
    let rules: Value =
        serde_yaml_ng::from_str(&read("deploy/alerts/ringkeep.rules.yml")).expect("rules");
    let groups = rules["groups"].as_sequence().expect("groups");
    let rules = groups
        .iter()
        .flat_map(|group| group["rules"].as_sequence().expect("rules"));
    rules
        .map(|rule| {
            (
                rule["alert"].as_str().expect("a name").to_owned(),
                rule.clone(),
            )
        })
        .collect()
}

/// The alerts that a test expects to fire.
fn fired() -> BTreeSet<String> {
    let mut fired = BTreeSet::new();
    for file in TESTS {
        let tests: Value =
            serde_yaml_ng::from_str(&read(&format!("deploy/alerts/{file}"))).expect("tests");
        let checks = items(&tests["tests"])
            .iter()
            .flat_map(|test| items(&test["alert_rule_test"]));
        let fires = checks.filter(|check| !items(&check["exp_alerts"]).is_empty());
        fired.extend(fires.map(|check| check["alertname"].as_str().expect("a name").to_owned()));
    }
    fired
}

#[test]
fn every_alert_has_texts_a_severity_a_test_and_a_section_on_what_to_do() {
    let operate = read("docs/operate.md");
    let fired = fired();
    let alerts = alerts();
    assert!(alerts.len() > 10);
    for (name, rule) in alerts {
        for text in ["summary", "description"] {
            assert!(
                rule["annotations"][text].is_string(),
                "{name} has no {text}"
            );
        }
        let severity = rule["labels"]["severity"].as_str();
        assert!(
            matches!(severity, Some("critical" | "warning")),
            "{name}: {severity:?}"
        );
        let section = format!("docs/operate.md#{}", name.to_lowercase());
        assert_eq!(
            rule["annotations"]["runbook"].as_str(),
            Some(section.as_str())
        );
        assert!(
            operate.lines().any(|line| line == format!("### {name}")),
            "docs/operate.md has no section {name}"
        );
        assert!(fired.contains(&name), "no test has {name} fire");
    }
}
