//! What holds however Cassandra was asked: what to do after an error, and how Cassandra words a snapshot that exists.

/// What a snapshot fails with, on all release lines, for a tag that exists or that another call is taking.
const EXISTS_WORDS: [&str; 2] = ["already exists", "duplicate hard link"];

pub const LOGIN_HINT: &str = "set jmx_username and jmx_password in [cassandra] to a login that JMX accepts; with Cassandra's own \
     logins, also see that enough replicas of system_auth are up";
pub const FAILED_HINT: &str = "Cassandra's system.log has the whole story";
pub const TIMEOUT_HINT: &str = "see Cassandra's log, or raise nodetool_timeout_seconds";

/// Whether a snapshot failed because of another of the same tag.
pub fn already_exists(why: &str) -> bool {
    EXISTS_WORDS.iter().any(|words| why.contains(words))
}
