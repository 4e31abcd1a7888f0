//! The settings of standalone: those of the services, less what joins them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use blob_store::{FolderConfig, StoreConfig};
use chassis::config;
use chassis::server::{self, ServerConfig};
use chassis::{ClientTlsSettings, TelemetryConfig};
use node_agent::{AgentConfig, CassandraConfig};
use serde::{Deserialize, Serialize};
use task_runner::TasksConfig;

use crate::{Error, Options};

/// The port of all services where none is set.
pub const PORT: u16 = 7400;
/// The port of the first agent in the process; each further one has the next.
const FIRST_AGENT_PORT: u16 = 7401;
/// Any free port of the loopback address.
const ANY_PORT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
/// Below the folder that the process was started in, so that a first try needs no rights.
const DATA_DIR: &str = "ringkeep-data";

/// All settings of the process.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// State of tasks and agents, and the store where none is set.
    pub data_dir: PathBuf,
    #[serde(deserialize_with = "server::on_port::<PORT, _>")]
    pub server: ServerConfig,
    pub telemetry: TelemetryConfig,
    /// A folder below `data_dir` where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store: Option<StoreConfig>,
    pub tasks: TasksConfig,
    pub clients: ClientsConfig,
    /// Agents in this process, for nodes on this machine. Others are reached by the address given to `cluster add`.
    pub agents: Vec<AgentEntry>,
}

/// How agents elsewhere are reached.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClientsConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<ClientTlsSettings>,
}

/// An agent in this process, with the sections of an agent apart.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AgentEntry {
    /// For people and for the folder of its journal; made from its place in the list where absent.
    pub name: String,
    /// The address to give to `cluster add`; 127.0.0.1 with 7401 and up where absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub listen: Option<SocketAddr>,
    pub cassandra: CassandraConfig,
    pub agent: AgentConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: DATA_DIR.into(),
            server: ServerConfig::on_port(PORT),
            telemetry: TelemetryConfig::default(),
            store: None,
            tasks: TasksConfig::default(),
            clients: ClientsConfig::default(),
            agents: Vec::new(),
        }
    }
}

impl Config {
    /// Loads the file and the environment, lets the command line win, and fills in what depends on other settings.
    pub fn load(options: &Options) -> Result<Self, Error> {
        let mut config: Self = config::load(options.config.as_deref(), config::environment())?;
        if let Some(data_dir) = &options.data_dir {
            config.data_dir.clone_from(data_dir);
        }
        if let Some(listen) = &options.listen {
            config.server.listen = listen.parse().map_err(|_| Error::Listen(listen.clone()))?;
        }
        config.complete();
        config.check_names()?;
        Ok(config)
    }

    /// Fills in what depends on other settings.
    pub fn complete(&mut self) {
        let data_dir = self.data_dir.clone();
        self.store = Some(self.store_config());
        for (at, entry) in self.agents.iter_mut().enumerate() {
            entry.complete(at, &data_dir);
        }
    }

    /// The store that is set, or the folder that stands in for it.
    pub fn store_config(&self) -> StoreConfig {
        self.store.clone().unwrap_or_else(|| {
            StoreConfig::Folder(FolderConfig {
                path: self.data_dir.join("store"),
            })
        })
    }

    /// Checks what would be refused at start: who may call, and the files of TLS.
    pub(crate) fn check(&self) -> Result<(), Error> {
        server::check(&self.server).map_err(Error::Checked)?;
        for entry in &self.agents {
            server::check(&entry.server(&self.server)).map_err(Error::Checked)?;
        }
        self.tasks.events.check().map_err(Error::Events)?;
        let tls = self.clients.tls.as_ref();
        tls.map_or(Ok(()), ClientTlsSettings::check)
            .map_err(Error::Tls)
    }

    /// Two agents of one name would share a journal.
    fn check_names(&self) -> Result<(), Error> {
        for (at, entry) in self.agents.iter().enumerate() {
            if entry.name.contains(['/', '\\']) || entry.name == ".." {
                return Err(Error::AgentName(entry.name.clone()));
            }
            if self.agents[..at]
                .iter()
                .any(|other| other.name == entry.name)
            {
                return Err(Error::AgentTwice(entry.name.clone()));
            }
        }
        Ok(())
    }
}

impl AgentEntry {
    /// Its own address, with TLS, limits and grace of the main one.
    pub(crate) fn server(&self, main: &ServerConfig) -> ServerConfig {
        ServerConfig {
            listen: self.listen.unwrap_or(ANY_PORT),
            metrics_listen: None,
            ..main.clone()
        }
    }

    fn complete(&mut self, at: usize, data_dir: &Path) {
        if self.name.is_empty() {
            self.name = format!("agent-{}", at + 1);
        }
        // An agent apart keeps its journal in a system folder; one in this process keeps it with the rest.
        if self.agent.state_dir == AgentConfig::default().state_dir {
            self.agent.state_dir = data_dir.join("agents").join(&self.name);
        }
        let port = u16::try_from(at)
            .ok()
            .and_then(|at| FIRST_AGENT_PORT.checked_add(at));
        let address = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
        // More agents than ports cannot be: then any free one will do.
        self.listen.get_or_insert(address(port.unwrap_or(0)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(toml: &str) -> Result<Config, Error> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ringkeep.toml");
        std::fs::write(&path, toml).expect("written");
        Config::load(&Options {
            config: Some(path),
            data_dir: Some("/data".into()),
            listen: Some("127.0.0.1:0".into()),
            ..Options::default()
        })
    }

    #[test]
    fn what_is_not_set_lies_below_the_data_folder() {
        let config = load("[[agents]]\n[[agents]]\nname = 'b'").expect("loads");
        let folder = FolderConfig {
            path: "/data/store".into(),
        };
        assert_eq!(config.store, Some(StoreConfig::Folder(folder)));
        let agents = &config.agents;
        assert_eq!(agents[0].agent.state_dir, Path::new("/data/agents/agent-1"));
        assert_eq!(agents[1].agent.state_dir, Path::new("/data/agents/b"));
        assert_eq!(agents[0].listen, "127.0.0.1:7401".parse().ok());
        assert_eq!(agents[1].listen, "127.0.0.1:7402".parse().ok());
        assert_eq!(
            config.server.listen,
            "127.0.0.1:0".parse().expect("an address")
        );
    }

    #[test]
    fn what_is_set_stays() {
        let toml = "[store]\nkind = 'folder'\npath = '/b'\n[[agents]]\nlisten = '127.0.0.1:9'\n[agents.agent]\nstate_dir = '/s'";
        let config = load(toml).expect("loads");
        assert_eq!(
            config.store,
            Some(StoreConfig::Folder(FolderConfig { path: "/b".into() }))
        );
        assert_eq!(config.agents[0].agent.state_dir, Path::new("/s"));
        assert_eq!(config.agents[0].listen, "127.0.0.1:9".parse().ok());
    }

    #[test]
    fn mistakes_are_refused_by_name() {
        for (toml, named) in [
            ("data_dri = '/x'", "data_dri"),
            ("[[agents]]\n[agents.cassandra]\nnodetol = []", "nodetol"),
            ("[[agents]]\nname = 'a'\n[[agents]]\nname = 'a'", "`a`"),
            ("[[agents]]\nname = 'a/b'", "a/b"),
        ] {
            let error = load(toml).expect_err(toml);
            assert!(error.is_usage(), "{toml}");
            let said = crate::describe(&error);
            assert!(said.contains(named), "{toml}: {said}");
        }
    }

    #[test]
    fn a_check_refuses_what_could_not_serve() {
        for (toml, named) in [
            ("[[agents]]\nlisten = '0.0.0.0:1'", "allow_unauthenticated"),
            ("[clients.tls]\nca = '/no/such.pem'", "/no/such.pem"),
            (
                "[server]\ntls = { certificate = '/no/such.pem', key = '/k' }",
                "/no/such.pem",
            ),
        ] {
            let error = load(toml).expect(toml).check().expect_err(toml);
            assert!(error.is_usage(), "{toml}");
            let shown = crate::describe(&error);
            assert!(shown.contains(named), "{toml}: {shown}");
        }
    }

    #[test]
    fn the_settings_in_effect_can_be_read_back() {
        let config = load("[[agents]]").expect("loads");
        let text = chassis::config::render(&config);
        load(&text).expect(&text);
    }
}
