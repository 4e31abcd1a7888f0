//! Three task-runners as processes on one etcd: whichever is killed or stopped, another goes on with its task.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use api::client::{Channel, TaskRunnerClient, task_runner};
use api::clients::{RemoteTaskRunner, TaskRunner};
use api::pb::node_agent::node_agent_server::NodeAgentServer;
use api::pb::planner::planner_server::PlannerServer;
use api::pb::storage_catalog::storage_catalog_server::StorageCatalogServer;
use api::pb::task_runner::{self as pb, TaskState};
use api::pb::types::BackupKind;
use lab::Etcd;
use lab::ports::free_port;
use schedule::RunOutcome;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::service::Routes;

use crate::fake_agent::FakeAgent;
use crate::fake_catalog::FakeCatalog;
use crate::fake_planner::FakePlanner;
use crate::fenced_agent::FencedAgent;
use crate::fleet::{Fault, Fleet};
use crate::schedules::{nightly, schedule, shop};
use crate::world::is_final;

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);
/// The port of the fake agents, each on a loopback address of its own.
const AGENT_PORT: u16 = 7401;
const RUNNERS: usize = 3;
const SHORT_LEASE: u64 = 5;
/// Longer than etcd takes to start again.
const LONG_LEASE: u64 = 300;

/// Agents, catalog and planner of this process, an etcd, and task-runners that are processes of their own.
struct Place {
    fleet: Fleet,
    runners: Vec<Process>,
    etcd: Etcd,
    folder: TempDir,
}

/// A task-runner, killed when dropped.
struct Process {
    child: Child,
    client: TaskRunnerClient,
    typed: RemoteTaskRunner,
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Process {
    fn kill(&mut self) {
        // It may have been killed before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &id]).status();
        assert!(sent.expect("kill").success());
    }
}

async fn serve(address: SocketAddr, routes: Routes) -> SocketAddr {
    let listener = TcpListener::bind(address).await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let server = tonic::transport::Server::builder().add_routes(routes);
    tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
    address
}

/// Loopback addresses that no other test has.
fn nodes() -> [String; 2] {
    static TESTS: AtomicU8 = AtomicU8::new(0);
    let test = TESTS.fetch_add(1, Ordering::SeqCst);
    let [.., high, low] = std::process::id().to_be_bytes();
    let network = 128 + high % 64;
    [1, 2].map(|at| format!("127.{network}.{low}.{}", test * 8 + at))
}

impl Place {
    async fn start(lease_seconds: u64) -> Self {
        let nodes = nodes();
        let fleet = Fleet::new(&[&nodes[0], &nodes[1]]);
        for (at, node) in nodes.iter().enumerate() {
            let fake = FakeAgent {
                fleet: fleet.clone(),
                at,
            };
            let fenced = FencedAgent {
                inner: NodeAgentServer::new(fake),
                fleet: fleet.clone(),
                node: node.clone(),
            };
            let address = format!("{node}:{AGENT_PORT}").parse().expect("an address");
            serve(address, Routes::new(fenced)).await;
        }
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let catalog = FakeCatalog {
            fleet: fleet.clone(),
        };
        let catalog = Routes::new(StorageCatalogServer::new(catalog));
        let planner = FakePlanner {
            fleet: fleet.clone(),
        };
        let planner = Routes::new(PlannerServer::new(planner));
        let (catalog, planner) = (serve(any, catalog).await, serve(any, planner).await);
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let etcd = Etcd::start(folder.path().join("etcd")).await;
        let etcd = etcd.expect("etcd starts");
        let mut runners = Vec::new();
        for at in 0..RUNNERS {
            let settings = format!(
                "[server]\nlisten = \"127.0.0.1:0\"\n\
                 [state]\nkind = \"etcd\"\n[state.etcd]\nendpoints = [\"{}\"]\n\
                 [clients]\ncatalog = \"http://{catalog}\"\nplanner = \"http://{planner}\"\n\
                 [tasks]\nlease_seconds = {lease_seconds}\nschedules_every_seconds = 1\nstep_retry_first_ms = 20\n",
                etcd.endpoint()
            );
            runners.push(start(folder.path(), at, &settings).await);
        }
        Self {
            fleet,
            runners,
            etcd,
            folder,
        }
    }

    fn log(&self, at: usize) -> String {
        let log = self.folder.path().join(format!("runner-{at}.log"));
        std::fs::read_to_string(log).expect("a log")
    }

    /// What the second node is asked for, and where it is held up.
    fn upload(&self) -> String {
        format!("upload {}", self.fleet.nodes[1])
    }

    /// Registers the cluster, and begins a backup that is held up on the second node.
    async fn backup(&mut self, driver: usize, fault: Fault) -> String {
        let call = self.upload();
        self.fleet.fail(&call, &[fault]);
        let client = &mut self.runners[driver].client;
        let agents = self.fleet.nodes.iter();
        let cluster = pb::AddClusterRequest {
            name: "shop".into(),
            agents: agents.map(|node| format!("{node}:{AGENT_PORT}")).collect(),
            find_agents: false,
        };
        client.add_cluster(cluster).await.expect("a cluster");
        let backup = pb::CreateBackupRequest {
            cluster: "shop".into(),
            name: format!("b{driver}"),
            kind: BackupKind::Full as i32,
            ..pb::CreateBackupRequest::default()
        };
        let created = client.create_backup(backup).await.expect("a backup");
        until("the upload is held up", || self.fleet.count(&call) > 0).await;
        created.into_inner().task_id
    }

    async fn end_of(&mut self, through: usize, id: &str) -> TaskState {
        let until = Instant::now() + PATIENCE;
        loop {
            let request = pb::GetTaskRequest { id: id.into() };
            // Refused while the state cannot be reached.
            let reply = self.runners[through].client.get_task(request).await;
            if let Ok(reply) = &reply {
                let task = reply.get_ref().task.as_ref().expect("a task");
                if is_final(task.state()) {
                    return task.state();
                }
            }
            assert!(Instant::now() < until, "still {reply:#?}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    #[track_caller]
    fn check_rules(&self) {
        let violations = self.fleet.facts().violations.clone();
        assert_eq!(violations, Vec::<String>::new());
    }

    /// Waits for so many more runs of the schedule.
    async fn more_runs(&self, through: usize, count: usize) {
        let before = self.good_runs(through).await;
        let until = Instant::now() + PATIENCE;
        while self.good_runs(through).await < before + count {
            assert!(Instant::now() < until, "no run is made");
            sleep(Duration::from_millis(50)).await;
        }
    }

    async fn good_runs(&self, through: usize) -> usize {
        let got = self.runners[through]
            .typed
            .get_schedule(&shop(), &nightly())
            .await;
        let (_, past) = got.expect("a schedule");
        let good = past
            .iter()
            .filter(|run| run.outcome == RunOutcome::Succeeded);
        good.count()
    }
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < until, "{what}");
        sleep(Duration::from_millis(10)).await;
    }
}

/// Starts a process on a free port, and waits until it replies.
async fn start(folder: &Path, at: usize, settings: &str) -> Process {
    let port = free_port().expect("a free port");
    let settings = settings.replace("127.0.0.1:0", &format!("127.0.0.1:{port}"));
    let file = folder.join(format!("runner-{at}.toml"));
    std::fs::write(&file, settings).expect("a file");
    let log = std::fs::File::create(folder.join(format!("runner-{at}.log"))).expect("a log");
    let child = Command::new(env!("CARGO_BIN_EXE_ringkeep-task-runner"))
        .arg("--config")
        .arg(&file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("it starts");
    let address = format!("http://127.0.0.1:{port}");
    let channel: Channel = api::client::channel(&address, None).expect("an address");
    let mut process = Process {
        child,
        client: task_runner(channel.clone()),
        typed: RemoteTaskRunner::new(channel),
    };
    let until = Instant::now() + PATIENCE;
    let request = || pb::ListTasksRequest::default();
    while process.client.list_tasks(request()).await.is_err() {
        let log = std::fs::read_to_string(folder.join(format!("runner-{at}.log")));
        assert!(Instant::now() < until, "{log:?}");
        let has_ended = process.child.try_wait().expect("its state").is_some();
        assert!(!has_ended, "{log:?}");
        sleep(Duration::from_millis(50)).await;
    }
    process
}

#[tokio::test(flavor = "multi_thread")]
async fn the_task_of_a_killed_process_is_finished_by_another_and_so_are_its_schedules() {
    let mut place = Place::start(SHORT_LEASE).await;
    let id = place.backup(0, Fault::Hang).await;
    place.runners[0].kill();
    assert_eq!(place.end_of(1, &id).await, TaskState::Succeeded);
    assert_eq!(
        place.fleet.count(&place.upload()),
        2,
        "the lost one and the next"
    );
    place.check_rules();

    let put = place.runners[1]
        .typed
        .put_schedule(schedule("* * * * * *"), false);
    put.await.expect("a schedule");
    place.more_runs(1, 2).await;
    place.runners[1].kill();
    place.more_runs(2, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_was_stopped_beyond_its_lease_does_nothing_when_it_wakes() {
    let mut place = Place::start(SHORT_LEASE).await;
    let id = place.backup(0, Fault::Hang).await;
    place.runners[0].signal("-STOP");
    // Its call hangs as long as it is stopped: that is no driving.
    place.fleet.facts().hanging.clear();
    assert_eq!(place.end_of(1, &id).await, TaskState::Succeeded);
    let changes = place.fleet.changes();
    place.runners[0].signal("-CONT");
    // By then it has found its lease lost.
    assert_eq!(place.end_of(0, &id).await, TaskState::Succeeded);
    assert_eq!(place.fleet.changes(), changes);
    place.check_rules();
    let refused = place.fleet.facts().fenced.clone();
    assert_eq!(refused, Vec::<String>::new(), "not even tried");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_etcd_is_gone_a_running_step_finishes_and_the_task_goes_on_when_it_is_back() {
    let mut place = Place::start(LONG_LEASE).await;
    let id = place.backup(0, Fault::Gate).await;
    place.etcd.kill();
    place.fleet.facts().gate.cancel();
    until("the upload ends", || {
        place.fleet.facts().uploaded.len() == 2
    })
    .await;
    until("the driver cannot write what came of it", || {
        place.log(0).contains("state store not reached")
    })
    .await;
    let request = pb::ListTasksRequest::default();
    let refused = place.runners[0].client.list_tasks(request).await;
    refused.expect_err("the runner lives, and etcd is gone");
    assert_eq!(place.fleet.count("commit"), 0, "nothing was started");
    place.etcd.restart().await.expect("etcd starts");
    assert_eq!(place.end_of(2, &id).await, TaskState::Succeeded);
    assert_eq!(place.fleet.count(&place.upload()), 1, "nothing ran twice");
    place.check_rules();
}
