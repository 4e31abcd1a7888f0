//! The address of a store, as it is configured.

use super::unusable;
use crate::StoreError;

/// Refuses an address that is no URL; an empty one is the store's own. `sends_no_secret` if whoever reads a request could
/// not make others with what proves who asks.
pub fn check_endpoint(endpoint: &str, sends_no_secret: bool) -> Result<(), StoreError> {
    let address = endpoint
        .strip_prefix("https://")
        .or_else(|| endpoint.strip_prefix("http://"));
    let is_url = address.is_some_and(|rest| !rest.is_empty() && !rest.contains(['?', '#', '@']));
    let is_parsed = is_url && endpoint.parse::<http::Uri>().is_ok();
    if !is_parsed && !endpoint.is_empty() {
        return Err(unusable(
            "`store.endpoint` is not a URL that begins with https:// or http://, without credentials or parameters",
        ));
    }
    if endpoint.starts_with("http://") && !sends_no_secret && !is_loopback(endpoint) {
        return Err(unusable(
            "`store.endpoint` begins with http://, over which anyone could read the credentials: use https://",
        ));
    }
    Ok(())
}

fn is_loopback(endpoint: &str) -> bool {
    let uri = endpoint.parse::<http::Uri>();
    uri.is_ok_and(|uri| {
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let address = host.parse::<std::net::IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_leave_this_host_in_the_clear() {
        for (endpoint, sends_no_secret, is_ok) in [
            ("", false, true),
            ("https://store.example", false, true),
            ("http://store.example", false, false),
            ("http://127.0.0.1.store.example", false, false),
            ("http://store.example", true, true),
            ("http://127.0.0.1:10000/account", false, true),
            ("http://[::1]:10000", false, true),
            ("http://localhost:10000", false, true),
        ] {
            let checked = check_endpoint(endpoint, sends_no_secret);
            assert_eq!(checked.is_ok(), is_ok, "{endpoint}");
        }
    }
}
