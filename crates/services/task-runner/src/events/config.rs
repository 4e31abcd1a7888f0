//! The settings of events.

use chassis::webhook::{Webhook, WebhookConfig, WebhookError};
use serde::{Deserialize, Serialize};

/// Receivers at most: each event is written once for each of them.
const WEBHOOKS_MAX: usize = 8;

/// `[tasks.events]`. All task-runners that share a state have the same.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EventsConfig {
    /// Hours after which an event that could not be delivered is dropped.
    pub keep_hours: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub webhooks: Vec<WebhookConfig>,
}

impl Default for EventsConfig {
    fn default() -> Self {
        Self {
            keep_hours: 24,
            webhooks: Vec::new(),
        }
    }
}

/// Why the settings of events do not work.
#[derive(Debug, thiserror::Error)]
pub enum EventsError {
    #[error("more than {WEBHOOKS_MAX} webhooks")]
    TooMany,
    #[error("two webhooks have the name `{0}`")]
    Twice(String),
    #[error("`{0}` is no name for a webhook: write 1 to 64 letters, digits, `-` and `_`")]
    Name(String),
    #[error(transparent)]
    Webhook(#[from] WebhookError),
}

impl EventsConfig {
    /// Checks what would be refused at start.
    pub fn check(&self) -> Result<(), EventsError> {
        if self.webhooks.len() > WEBHOOKS_MAX {
            return Err(EventsError::TooMany);
        }
        for (at, config) in self.webhooks.iter().enumerate() {
            let name = &config.name;
            if !is_name(name) {
                return Err(EventsError::Name(name.clone()));
            }
            if self.webhooks[..at].iter().any(|other| other.name == *name) {
                return Err(EventsError::Twice(name.clone()));
            }
            Webhook::open(config)?;
        }
        Ok(())
    }
}

/// Names are parts of keys.
fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (1..=64).contains(&name.len()) && name.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(webhooks: &str) -> String {
        let config: EventsConfig = serde_json::from_str(webhooks).expect("settings");
        match config.check() {
            Ok(()) => "fine".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn settings_that_cannot_work_are_refused_before_anything_runs() {
        let one = |more: &str| format!(r#"{{"webhooks":[{{"name":"a",{more}}}]}}"#);
        assert_eq!(check(&one(r#""url":"http://h:1/x""#)), "fine");
        assert_eq!(check(&one(r#""url":"http://[::1]:1/x?y=z""#)), "fine");
        for (settings, part) in [
            (one(r#""url":"ftp://h/x""#), "`url` of webhook `a`"),
            (one(r#""url":"h/x""#), "`url` of webhook `a`"),
            (
                one(r#""url":"https://me:word@h/x""#),
                "the `url` of webhook `a` has a login",
            ),
            (
                one(r#""url":"http://h","header":"a b","secret":"s""#),
                "`header` of webhook `a`",
            ),
            (
                one(r#""url":"http://h","secret":"a\nb""#),
                "`secret` of webhook `a`",
            ),
            (
                r#"{"webhooks":[{"name":"a/b","url":"http://h"}]}"#.to_owned(),
                "`a/b` is no name",
            ),
            (
                r#"{"webhooks":[{"name":"a","url":"http://h"},{"name":"a","url":"http://i"}]}"#
                    .to_owned(),
                "two webhooks",
            ),
        ] {
            let found = check(&settings);
            assert!(found.contains(part), "{settings}: {found}");
        }
    }
}
