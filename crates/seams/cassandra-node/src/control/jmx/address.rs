//! Where the node's JMX listens: by its own setting, or where nodetool would look for it.

use std::path::Path;

/// Where Cassandra's JMX listens if no setting says otherwise.
const HOST_DEFAULT: &str = "127.0.0.1";
const PORT_DEFAULT: u16 = 7199;

/// Host and port of JMX.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JmxAddress {
    /// Without brackets.
    pub host: String,
    /// Of the RMI registry.
    pub port: u16,
}

impl JmxAddress {
    /// Reads `host:port`, an IPv6 address in brackets.
    pub fn parse(text: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let host = bare.unwrap_or(host);
        let is_host = !host.is_empty() && (bare.is_some() || !host.contains(':'));
        Some(Self {
            host: host.to_owned(),
            port: port.parse().ok().filter(|port| *port > 0)?,
        })
        .filter(|_| is_host)
    }

    /// Where a nodetool with these arguments looks; none for one that is run by another program or takes other options,
    /// such as one in a container or over TLS.
    pub fn of_nodetool(program: &[String]) -> Option<Self> {
        let (name, options) = program.split_first()?;
        if Path::new(name).file_name()? != "nodetool" {
            return None;
        }
        let (mut host, mut port) = (None, None);
        let mut options = options.iter();
        while let Some(option) = options.next() {
            let (option, value) = match option.split_once('=') {
                Some((option, value)) => (option, value),
                None => (option.as_str(), options.next()?.as_str()),
            };
            match option {
                "-h" | "--host" => host = Some(value),
                "-p" | "--port" => port = Some(value.parse().ok()?),
                _ => return None,
            }
        }
        Some(Self {
            host: host.unwrap_or(HOST_DEFAULT).to_owned(),
            port: port.unwrap_or(PORT_DEFAULT),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(address: Option<JmxAddress>) -> Option<(String, u16)> {
        address.map(|it| (it.host, it.port))
    }

    #[test]
    fn a_setting_has_host_and_port() {
        let of = |text| shown(JmxAddress::parse(text));
        assert_eq!(of("n1:7199"), Some(("n1".into(), 7199)));
        assert_eq!(of("[::1]:7199"), Some(("::1".into(), 7199)));
        for wrong in [
            "", "n1", ":7199", "::1:7199", "n1:0", "n1:x", "n1:70000", "[]:7199",
        ] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn nodetools_own_options_lead_to_the_same_node_and_others_to_none() {
        let of = |words: &str| {
            let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
            shown(JmxAddress::of_nodetool(&words))
        };
        let local = |port| Some(("127.0.0.1".to_owned(), port));
        assert_eq!(of("nodetool"), local(7199));
        assert_eq!(of("/opt/cassandra/bin/nodetool -p 7299"), local(7299));
        let remote = Some(("n1".to_owned(), 7299));
        assert_eq!(of("nodetool -h n1 --port=7299"), remote);
        for other in [
            "docker exec c1 nodetool",
            "nodetool --ssl -p 7199",
            "nodetool -p",
            "nodetool -p x",
            "nodetool -u u -p 7199",
            "mytool",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
