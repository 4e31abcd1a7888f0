//! A certificate of every role calls every rpc, over TLS, and is refused exactly where the table of roles says so.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use api::access::{self, Role, Rpc};
use api::fence::Fences;
use api::pb::node_agent::ClearSnapshotRequest;
use api::{RemoteError, client};
use chassis::tls::ServerTls;
use chassis::{ClientTlsSettings, Dialer, ServerConfig};
use standalone::{AgentEntry, Config, Standalone};
use testkit::Authority;
use tokio_util::sync::CancellationToken;
use tonic::transport::Channel;
use tonic::{Code, Request};
use tonic_prost::ProstCodec;

/// Long enough for the agent to find that its Cassandra does not run.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);
const NODE_AGENT: &str = "ringkeep.node_agent.v1.NodeAgent";

struct World {
    folder: tempfile::TempDir,
    ours: Authority,
    /// All services, the first agent among them.
    main: SocketAddr,
    /// The first agent alone.
    agent: SocketAddr,
}

impl World {
    async fn new() -> Self {
        let (folder, ours) = (testkit::folder(), Authority::new("ours"));
        let server = ours.write_issued(folder.path(), "server", &["127.0.0.1"]);
        let mut config = Config {
            data_dir: folder.path().join("data"),
            server: ServerConfig::on_port(0),
            agents: vec![agent_without_cassandra(folder.path())],
            ..Config::default()
        };
        config.server.tls = Some(ServerTls {
            certificate: server.certificate,
            key: server.key,
            client_ca: Some(ours.write_ca(folder.path(), "ca")),
        });
        config.complete();
        let standalone = Standalone::start(config, CancellationToken::new()).await;
        let standalone = standalone.expect("starts");
        let main = standalone.address();
        let agent = standalone.agents().next().expect("an agent").1;
        tokio::spawn(standalone.serve());
        Self {
            folder,
            ours,
            main,
            agent,
        }
    }

    fn channel(&self, address: SocketAddr, role: Option<Role>) -> Channel {
        let uri = role.map(|role| format!("{}{role}", access::ROLE_URI_PREFIX));
        let names: Vec<&str> = ["client"].into_iter().chain(uri.as_deref()).collect();
        let files = self.ours.write_issued(self.folder.path(), "client", &names);
        let settings = ClientTlsSettings {
            ca: Some(self.folder.path().join("ca.pem")),
            certificate: Some(files.certificate),
            key: Some(files.key),
            server_name: None,
        };
        let dialer = Dialer::new(Some(&settings)).expect("the files are good");
        dialer.channel(&address.to_string()).expect("an address")
    }
}

/// A cassandra.yaml whose Cassandra does not run.
fn agent_without_cassandra(folder: &Path) -> AgentEntry {
    let yaml = folder.join("cassandra.yaml");
    let data = folder.join("cassandra-data");
    std::fs::create_dir_all(&data).expect("made");
    let text = format!(
        "cluster_name: t\nrpc_address: 127.0.0.1\nnative_transport_port: 9\ndata_file_directories: ['{}']\n",
        data.display()
    );
    std::fs::write(&yaml, text).expect("written");
    let mut entry = AgentEntry {
        listen: "127.0.0.1:0".parse().ok(),
        ..AgentEntry::default()
    };
    entry.cassandra.config_file = yaml;
    entry.cassandra.nodetool = vec!["/bin/false".into()];
    entry.cassandra.cql_timeout_seconds = 2;
    entry
}

/// How a call with an empty request ends, or begins to be answered.
async fn call(channel: &Channel, rpc: &Rpc) -> Code {
    let mut grpc = tonic::client::Grpc::new(channel.clone());
    grpc.ready().await.expect("the server is there");
    let path = rpc.path().parse().expect("a path");
    let mut request = Request::new(());
    request.set_timeout(CALL_TIMEOUT);
    let codec = ProstCodec::<(), ()>::default();
    match grpc.server_streaming(request, path, codec).await {
        Ok(reply) => match reply.into_inner().message().await {
            Ok(_) => Code::Ok,
            Err(status) => status.code(),
        },
        Err(status) => status.code(),
    }
}

async fn check(world: &World, address: SocketAddr, role: Option<Role>, rpcs: &[&Rpc]) {
    let channel = world.channel(address, role);
    for rpc in rpcs {
        let code = call(&channel, rpc).await;
        let may = role.is_some_and(|role| rpc.roles.contains(&role));
        let path = rpc.path();
        assert_eq!(
            code == Code::PermissionDenied,
            !may,
            "{role:?} {path} {code:?}"
        );
        assert_ne!(code, Code::Unimplemented, "{role:?} {path} is not served");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_role_may_call_exactly_what_its_rows_say() {
    let world = World::new().await;
    let all: Vec<&Rpc> = access::RPCS.iter().collect();
    let of_agent: Vec<&Rpc> = access::RPCS
        .iter()
        .filter(|rpc| rpc.service == NODE_AGENT)
        .collect();
    let roles = Role::ALL.iter().copied().map(Some).chain([None]);
    for role in roles {
        check(&world, world.main, role, &all).await;
        check(&world, world.agent, role, &of_agent).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_runner_that_is_known_by_its_certificate_must_say_under_which_lease_it_acts() {
    let world = World::new().await;
    let channel = world.channel(world.agent, Some(Role::Runner));
    let request = ClearSnapshotRequest {
        tag: "ringkeep-x".to_owned(),
    };
    let mut without = client::node_agent(channel.clone());
    let refused = without.clear_snapshot(request.clone()).await.map(drop);
    let refused = RemoteError::from(refused.expect_err("refused"));
    assert_eq!(refused.reason, "FENCE_ABSENT");
    let fences = "task/0197a1c0-0000-7000-8000-000000000001=1";
    let fences: Fences = fences.parse().expect("fences");
    let mut with = client::node_agent_under(channel, &fences);
    let reply = with
        .clear_snapshot(request)
        .await
        .map_err(RemoteError::from);
    let reason = reply.err().map(|error| error.reason).unwrap_or_default();
    assert!(!reason.starts_with("FENCE"), "{reason}");
}
