//! Builds the services, joins them, and serves them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use api::clients::{RemotePlanner, RemoteStorageCatalog};
use blob_store::Store;
use chassis::server::{self, BoundServer};
use chassis::{App, Dialer, Services, in_memory, prometheus};
use futures::future::join_all;
use state_store::{Clock, StateConfig};
use task_runner::{Dependencies, Runner};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tracing::warn;

use crate::agents::{Connector, LocalAgent};
use crate::data_dir::DataDir;
use crate::{Config, Error};

/// All services, built, with their addresses taken: connections are accepted from now on and served by
/// [`serve`](Self::serve).
pub struct Standalone {
    bound: BoundServer,
    routes: Routes,
    services: Services,
    agents: Vec<LocalAgent>,
    runner: Runner,
    shutdown: CancellationToken,
    grace: Duration,
    store: Store,
    /// Held until the last service has ended.
    _data_dir: DataDir,
}

impl Standalone {
    /// Takes the data folder and the addresses, then builds the services from the store upwards.
    pub async fn start(config: Config, shutdown: CancellationToken) -> Result<Self, Error> {
        config.tasks.events.check().map_err(Error::Events)?;
        let data_dir = DataDir::take(&config.data_dir)?;
        let bound = server::bind(&config.server).await?;
        let clock: Clock = Arc::new(jiff::Timestamp::now);
        let store_config = config.store_config();
        let store = blob_store::open(&store_config).await?;

        let mut app = App::new();
        let mut agents = Vec::new();
        for (at, entry) in config.agents.into_iter().enumerate() {
            let store = (store.clone(), store_config.clone());
            let agent = LocalAgent::build(entry, &config.server, store).await?;
            if at == 0 {
                app = agent.add_to(app);
            }
            agents.push(agent);
        }
        let dialer = Dialer::new(config.clients.tls.as_ref()).map_err(Error::Tls)?;
        let limits = config.tasks.agent_limits();
        let connector = Connector::new(bound.address(), &agents, dialer, limits);

        let catalog = storage_catalog::service(store.clone(), clock.clone());
        let planner = planner::build();
        let catalog_channel = in_memory(App::new().service(catalog.clone()).into_parts().0);
        let planner_channel = in_memory(App::new().service(planner.clone()).into_parts().0);
        let dependencies = Dependencies {
            catalog: Arc::new(RemoteStorageCatalog::with_limits(
                catalog_channel,
                config.tasks.catalog_limits(),
            )),
            planner: Arc::new(RemotePlanner::new(planner_channel)),
            agents: Arc::new(connector),
            store: state_store::open(&StateConfig::redb(data_dir.state())).await?,
            clock,
            shutdown: shutdown.clone(),
        };
        let (task_runner, runner) = task_runner::build(&config.tasks, dependencies);
        prometheus::count_build("standalone");
        prometheus::expose(runner.gauges());
        let app = app.service(catalog).service(planner).service(task_runner);
        let (routes, services) = app.into_parts();
        Ok(Self {
            bound,
            routes,
            services,
            agents,
            runner,
            shutdown,
            grace: Duration::from_secs(config.server.shutdown_grace_seconds),
            store,
            _data_dir: data_dir,
        })
    }

    /// The one address of all services.
    pub fn address(&self) -> SocketAddr {
        self.bound.address()
    }

    /// The agents of this process, by name, with the addresses to register them under.
    pub fn agents(&self) -> impl Iterator<Item = (&str, SocketAddr)> {
        self.agents
            .iter()
            .map(|agent| (agent.name.as_str(), agent.address()))
    }

    /// What people and scripts wait for, in one line.
    pub fn ready_line(&self) -> String {
        let agent = |agent: &LocalAgent| {
            let (name, address) = (&agent.name, agent.address());
            match agent.absent() {
                None => format!("{name} on {address}"),
                Some(why) => format!("{name} on {address}, which is absent ({why})"),
            }
        };
        let agents: Vec<String> = self.agents.iter().map(agent).collect();
        let agents = match agents.as_slice() {
            [] => "no agents of its own".to_owned(),
            agents => format!("agents: {}", agents.join(", ")),
        };
        format!(
            "ringkeep standalone is ready on {}; store: {}; {agents}",
            self.address(),
            self.store.describe(),
        )
    }

    /// Serves until asked to end. Then calls are drained, and tasks come to a safe point from which they go on with the
    /// next start.
    pub async fn serve(self) -> Result<(), Error> {
        let shutdown = self.shutdown;
        let main = async {
            let served = self
                .bound
                .serve(self.routes, &self.services, shutdown.clone())
                .await;
            // Whatever ends first, ends all: half of the addresses is no service.
            shutdown.cancel();
            served.map_err(Error::from)
        };
        let agents = self.agents.into_iter().map(|agent| async {
            let served = agent.serve(shutdown.clone()).await;
            shutdown.cancel();
            served
        });
        let tasks = async {
            shutdown.cancelled().await;
            if tokio::time::timeout(self.grace, self.runner.drain())
                .await
                .is_err()
            {
                warn!("tasks that outlasted the grace are cut; they go on with the next start");
            }
        };
        let (main, agents, ()) = tokio::join!(main, join_all(agents), tasks);
        main?;
        agents.into_iter().collect()
    }
}
