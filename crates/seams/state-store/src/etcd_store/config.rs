//! The `[state.etcd]` section: where etcd is, and how to reach it.

use std::time::Duration;

use chassis::ClientTlsSettings;
use secret::Secret;
use serde::{Deserialize, Serialize};

use super::client::chain;
use crate::StateError;

/// Room for the longest key within etcd's limit of a request, however many keys it has.
const PREFIX_BYTES_MAX: usize = 128;
/// Segments that every state has below its prefix.
const OWN_SEGMENTS: [&str; 2] = ["entries", "leases"];
const REQUEST_TIMEOUT_SECONDS_MAX: u64 = 60;

/// The `[state.etcd]` section.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EtcdConfig {
    /// The members, as `https://host:2379`. One is called at a time, and the next if it cannot be reached.
    pub endpoints: Vec<String>,
    /// Put before every key, with a `/` after it: the state of one fleet of task-runners.
    pub prefix: String,
    /// Empty, with the password: no login. A login by the certificate alone needs neither.
    pub user: String,
    /// The password that belongs to `user`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// How long one try of a request may take. A read is tried again; a write is not, because it may have happened.
    pub request_timeout_seconds: u64,
    /// TLS of the connections; none if all endpoints are on loopback or on a private network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<ClientTlsSettings>,
}

impl Default for EtcdConfig {
    fn default() -> Self {
        Self {
            endpoints: Vec::new(),
            prefix: "ringkeep".to_owned(),
            user: String::new(),
            password: None,
            request_timeout_seconds: 5,
            tls: None,
        }
    }
}

impl EtcdConfig {
    /// Refuses settings that could not work, by name.
    pub fn check(&self) -> Result<(), StateError> {
        let complaint = if self.endpoints.is_empty() {
            "`state.etcd.endpoints` is empty".to_owned()
        } else if let Some(wrong) = self.unusable_endpoint() {
            wrong
        } else if !is_prefix(&self.prefix) {
            format!(
                "`state.etcd.prefix` is not a path of up to {PREFIX_BYTES_MAX} letters, digits, `-`, `_`, `.` and `/`, without a `/` at either end and without a segment `entries` or `leases`"
            )
        } else if self.user.is_empty() == self.password.is_some() {
            "`state.etcd.user` and `state.etcd.password` are given together or not at all"
                .to_owned()
        } else if !(1..=REQUEST_TIMEOUT_SECONDS_MAX).contains(&self.request_timeout_seconds) {
            format!(
                "`state.etcd.request_timeout_seconds` is not between 1 and {REQUEST_TIMEOUT_SECONDS_MAX}"
            )
        } else if let Some(open) = self.password_in_the_clear() {
            format!("`state.etcd.password` would be sent to `{open}` in the clear; use https://")
        } else if let Some(Err(error)) = self.tls.as_ref().map(ClientTlsSettings::check) {
            format!("`state.etcd.tls` does not work: {}", chain(&error))
        } else {
            return Ok(());
        };
        Err(StateError::Settings { what: complaint })
    }

    pub(super) fn request_timeout(&self) -> Duration {
        Duration::from_secs(self.request_timeout_seconds)
    }

    fn unusable_endpoint(&self) -> Option<String> {
        self.endpoints.iter().find_map(|endpoint| {
            let wrong = if !has_host_and_port(endpoint) {
                "is not `https://host:port`, `http://host:port` or `host:port`"
            } else if self.tls.is_some() && endpoint.starts_with("http://") {
                "is http://, so `state.etcd.tls` would protect nothing; use https://"
            } else {
                return None;
            };
            Some(format!("`{endpoint}` in `state.etcd.endpoints` {wrong}"))
        })
    }

    fn password_in_the_clear(&self) -> Option<&str> {
        self.password.as_ref()?;
        let mut endpoints = self.endpoints.iter().map(String::as_str);
        endpoints.find(|endpoint| !is_private(endpoint, self.tls.is_some()))
    }
}

fn has_host_and_port(endpoint: &str) -> bool {
    let authority = match endpoint.split_once("://") {
        Some(("http" | "https", authority)) => authority,
        Some(_) => return false,
        None => endpoint,
    };
    let parts = authority.trim_end_matches('/').rsplit_once(':');
    parts.is_some_and(|(host, port)| {
        let is_plain = host.starts_with('[') || !host.contains(':');
        is_plain && !host.is_empty() && !host.contains('/') && port.parse::<u16>().is_ok()
    })
}

/// Whether what is sent there can be read by this host at most.
fn is_private(endpoint: &str, has_tls: bool) -> bool {
    let authority = match endpoint.split_once("://") {
        Some(("https", _)) => return true,
        Some((_, authority)) => authority,
        None if has_tls => return true,
        None => endpoint,
    };
    let host = authority
        .rsplit_once(':')
        .map_or(authority, |(host, _)| host);
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse()
            .is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

fn is_prefix(prefix: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    !prefix.is_empty()
        && prefix.len() <= PREFIX_BYTES_MAX
        && prefix.chars().all(is_plain)
        && !prefix.starts_with('/')
        && !prefix.ends_with('/')
        // What is below such a prefix might be among the entries or leases of another state.
        && !prefix.split('/').any(|segment| OWN_SEGMENTS.contains(&segment))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(change: impl FnOnce(&mut EtcdConfig)) -> String {
        let mut config = EtcdConfig {
            endpoints: vec!["http://127.0.0.1:2379".to_owned()],
            ..EtcdConfig::default()
        };
        config.check().expect("these settings work");
        change(&mut config);
        config.check().expect_err("refused").to_string()
    }

    #[test]
    fn settings_that_could_not_work_are_refused_by_name() {
        let login = |config: &mut EtcdConfig| {
            config.user = "ringkeep".to_owned();
            config.password = Some(Secret::new("hush"));
        };
        for (key, refused) in [
            ("endpoints", refusal(|it| it.endpoints.clear())),
            ("prefix", refusal(|it| it.prefix = "/ringkeep".to_owned())),
            ("prefix", refusal(|it| it.prefix = String::new())),
            ("prefix", refusal(|it| it.prefix = "a\0b".to_owned())),
            (
                "prefix",
                refusal(|it| it.prefix = "ringkeep/entries".to_owned()),
            ),
            ("prefix", refusal(|it| it.prefix = "leases/a".to_owned())),
            (
                "endpoints",
                refusal(|it| it.endpoints.push("http://etcd".to_owned())),
            ),
            (
                "endpoints",
                refusal(|it| it.endpoints.push("etcd:2379:x".to_owned())),
            ),
            (
                "endpoints",
                refusal(|it| it.endpoints.push("https:///".to_owned())),
            ),
            (
                "endpoints",
                refusal(|it| it.tls = Some(ClientTlsSettings::default())),
            ),
            ("user", refusal(|it| it.user = "ringkeep".to_owned())),
            (
                "request_timeout_seconds",
                refusal(|it| it.request_timeout_seconds = 0),
            ),
            (
                "password",
                refusal(|it| {
                    login(it);
                    it.endpoints = vec!["http://etcd:2379".to_owned()];
                }),
            ),
            (
                "password",
                refusal(|it| {
                    login(it);
                    it.endpoints = vec!["etcd:2379".to_owned()];
                }),
            ),
        ] {
            assert!(refused.contains(key), "{refused}");
            assert!(!refused.contains("hush"), "{refused}");
        }
    }
}
