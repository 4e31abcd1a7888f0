//! `ringkeep status`: is everything there, and when was the last backup?
//!
//! The services are asked by a cheap call of their own rather than by gRPC health: behind one address there is one
//! health service, and an ingress cannot know whose was meant.

use api::clients::{Planner, StorageCatalog, TaskRunner};
use api::{ErrorKind, RemoteError};
use cassandra_versions::Release;
use plan::TextTable;
use views::backup_list::BackupSummaryView;
use views::cluster::ClusterStateView;
use views::status::{AgentView, ClusterStatusView, ServiceView, StatusView, StoreView};

use crate::context::{Context, Service};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::screen::{Colour, Paint};

/// Long enough for a slow ingress, short enough for a person who wants to know what is wrong.
const PROBE_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(15);

/// What the planner is asked about: any release will do.
const SAMPLE_RELEASE: &str = "cassandra 4.1.0";

/// The response to a cheap call, or an error if it does not come in time.
async fn probe<T>(call: impl Future<Output = Result<T, RemoteError>>) -> Result<T, RemoteError> {
    match tokio::time::timeout(PROBE_TIMEOUT, call).await {
        Ok(response) => response,
        Err(_) => {
            let message = format!("no response within {} s", PROBE_TIMEOUT.as_secs());
            Err(RemoteError::new(ErrorKind::Unavailable, "", message))
        }
    }
}

pub async fn run(context: &mut Context) -> Result<(), Failure> {
    // A wrong endpoint or TLS file is a mistake in the command line, and is no evidence about any service.
    context.task_runner()?;
    let store = store(context).await;
    let planner = planner(context).await;
    let clusters = clusters(context).await;
    let backups = backups(context).await.unwrap_or_default();

    let everything = [
        store.as_ref().err(),
        planner.as_ref().err(),
        clusters.as_ref().err(),
    ];
    if everything
        .iter()
        .all(|error| error.is_some_and(|e| e.exit() == Exit::Unreachable))
    {
        return clusters.map(|_| ());
    }
    let mut services = vec![
        service(Service::TaskRunner, &clusters),
        service(Service::StorageCatalog, &store),
        service(Service::Planner, &planner),
    ];
    let clusters = with_last_backups(clusters.unwrap_or_default(), &backups);
    services.push(agents_as_service(&clusters));
    let ok = services.iter().all(|service| service.ok)
        && store.as_ref().is_ok_and(|store| store.reachable);
    let status = StatusView {
        endpoint: context.endpoint().to_owned(),
        ok,
        services,
        store: store.ok(),
        clusters,
    };
    context.screen.result(&status, text)?;
    match status.ok {
        true => Ok(()),
        false => Err(Failure::Unhealthy(what_is_wrong(&status))),
    }
}

async fn store(context: &mut Context) -> Result<StoreView, Failure> {
    let catalog = context.catalog()?;
    let status = probe(catalog.get_store_status()).await;
    let status = status.map_err(|error| context.failed(Service::StorageCatalog, error))?;
    Ok(StoreView::from(&status))
}

async fn planner(context: &mut Context) -> Result<(), Failure> {
    let planner = context.planner()?;
    let release: Release = SAMPLE_RELEASE.parse().expect("the constant is a release");
    let checked = probe(planner.check_compatibility(release.clone(), release)).await;
    checked.map_err(|error| context.failed(Service::Planner, error))?;
    Ok(())
}

async fn clusters(context: &mut Context) -> Result<Vec<ClusterStateView>, Failure> {
    let runner = context.task_runner()?;
    let failed = |error| context.failed(Service::TaskRunner, error);
    let mut clusters = Vec::new();
    for cluster in probe(runner.list_clusters()).await.map_err(failed)? {
        let state = probe(runner.get_cluster(&cluster.name)).await;
        clusters.push(ClusterStateView::from(&state.map_err(failed)?));
    }
    Ok(clusters)
}

async fn backups(context: &mut Context) -> Result<Vec<BackupSummaryView>, Failure> {
    let catalog = context.catalog()?;
    let listed = probe(catalog.list_backups(None)).await;
    let listed = listed.map_err(|error| context.failed(Service::StorageCatalog, error))?;
    Ok(listed.iter().map(BackupSummaryView::from).collect())
}

fn service<T>(service: Service, response: &Result<T, Failure>) -> ServiceView {
    ServiceView {
        service: service.as_str(),
        ok: response.is_ok(),
        detail: response
            .as_ref()
            .err()
            .map(|failure| api::error::chain(failure)),
    }
}

/// Each cluster with its newest complete backup; the catalog lists newest first.
fn with_last_backups(
    clusters: Vec<ClusterStateView>,
    backups: &[BackupSummaryView],
) -> Vec<ClusterStatusView> {
    let status = |cluster: ClusterStateView| ClusterStatusView {
        last_backup: backups
            .iter()
            .find(|backup| backup.cluster == cluster.name && backup.state == "complete")
            .cloned(),
        agents: agents(&cluster),
        name: cluster.name,
    };
    clusters.into_iter().map(status).collect()
}

fn agents(cluster: &ClusterStateView) -> Vec<AgentView> {
    let answering = cluster.nodes.iter().map(|node| AgentView {
        agent: node.agent.clone(),
        node: Some(node.node.clone()),
        ok: node.healthy,
        detail: node.detail.clone(),
    });
    let silent = cluster.unreachable.iter().map(|agent| AgentView {
        agent: agent.agent.clone(),
        node: None,
        ok: false,
        detail: Some(format!("does not reply: {}", agent.reason)),
    });
    answering.chain(silent).collect()
}

/// The fourth service runs many times: it is well when all its agents are.
fn agents_as_service(clusters: &[ClusterStatusView]) -> ServiceView {
    let agents = || clusters.iter().flat_map(|cluster| &cluster.agents);
    let bad = agents().filter(|agent| !agent.ok).count();
    ServiceView {
        service: "node-agent",
        ok: bad == 0,
        detail: match (agents().count(), bad) {
            (0, _) => Some("no cluster is registered".into()),
            (_, 0) => None,
            (all, bad) => Some(format!("{bad} of {all} agents not well")),
        },
    }
}

fn what_is_wrong(status: &StatusView) -> String {
    let services = status.services.iter().filter(|service| !service.ok);
    let mut wrong: Vec<String> = services.map(|service| service.service.to_owned()).collect();
    if status.store.as_ref().is_some_and(|store| !store.reachable) {
        wrong.push("store".into());
    }
    wrong.join(", ")
}

fn text(status: &StatusView, paint: &Paint) -> String {
    let word = |ok: bool| match ok {
        true => paint.word(Colour::Green, "ok"),
        false => paint.word(Colour::Red, "DOWN"),
    };
    let mut text = format!("endpoint {}\n\n", status.endpoint);
    for service in &status.services {
        let detail = service.detail.as_deref().unwrap_or_default();
        let line = format!("{:<16} {}  {detail}", service.service, word(service.ok));
        text.push_str(&format!("{}\n", line.trim_end()));
    }
    if let Some(store) = &status.store {
        let detail = store.detail.as_deref().unwrap_or_default();
        let line = format!(
            "{:<16} {}  {} {detail}",
            "store",
            word(store.reachable),
            store.store
        );
        text.push_str(&format!("{}\n", line.trim_end()));
    }
    if status.clusters.is_empty() {
        return text;
    }
    let mut table = TextTable::new(&["CLUSTER", ">AGENTS", ">WELL", "LAST BACKUP", "FINISHED"]);
    for cluster in &status.clusters {
        let last = cluster.last_backup.as_ref();
        let finished = last.and_then(|backup| backup.finished_at.as_deref());
        table.row([
            cluster.name.clone(),
            cluster.agents.len().to_string(),
            cluster
                .agents
                .iter()
                .filter(|agent| agent.ok)
                .count()
                .to_string(),
            last.map_or("-".into(), |backup| backup.name.clone()),
            crate::human::time(finished.unwrap_or_default()),
        ]);
    }
    text.push_str(&format!("\n{}", table.render()));
    for agent in status.clusters.iter().flat_map(|cluster| &cluster.agents) {
        if let Some(detail) = agent.detail.as_ref().filter(|_| !agent.ok) {
            text.push_str(&format!("agent {}: {detail}\n", agent.agent));
        }
    }
    text
}
