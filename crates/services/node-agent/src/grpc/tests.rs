use std::sync::Arc;

use api::client::{self, NodeAgentClient};
use api::level::AGENT_API_LEVEL;
use api::pb::node_agent as pb;
use api::pb::node_agent::node_agent_server::NodeAgentServer;
use api::pb::types as pb_types;
use api::{ErrorKind, RemoteError};
use cassandra_versions::{Confidence, Product};
use chassis::App;
use futures::StreamExt;
use tonic::{Status, Streaming};

use super::{NodeAgentGrpc, SameLevel};
use crate::agent::Agent;
use crate::testing::FakeNode;

fn connect(agent: Agent) -> NodeAgentClient {
    let service = SameLevel(NodeAgentServer::new(NodeAgentGrpc::new(Arc::new(agent))));
    let (routes, _) = App::new().service(service).into_parts();
    client::node_agent(chassis::in_memory(routes))
}

async fn last<T>(stream: Result<tonic::Response<Streaming<T>>, Status>) -> T {
    let messages: Vec<T> = stream
        .unwrap()
        .into_inner()
        .map(Result::unwrap)
        .collect()
        .await;
    messages.into_iter().next_back().unwrap()
}

fn own_host_id() -> String {
    FakeNode::host_id(1).to_string()
}

fn backup() -> Option<pb_types::BackupRef> {
    Some(FakeNode::backup("b1").into())
}

fn targets() -> Vec<pb::TableTarget> {
    let id = FakeNode::table_id(1).to_string();
    vec![pb::TableTarget {
        source: None,
        table: Some(pb_types::TableRef {
            keyspace: "ks".into(),
            table: "full".into(),
        }),
        source_id: id.clone(),
        target_id: id,
    }]
}

#[tokio::test]
async fn a_backup_and_a_restore_go_over_the_wire() {
    let node = FakeNode::new(1, "4.1.9");
    node.tables(&["full"]);
    let table = node.table("full", 1, 0);
    table.sstable("nb-1-big", "one");
    let FakeNode { agent, root, .. } = node;
    let mut client = connect(agent);

    let described = client
        .describe(pb::DescribeRequest {})
        .await
        .unwrap()
        .into_inner()
        .node
        .unwrap();
    assert_eq!(described.unhealthy, "");
    assert_eq!(described.tables[0].formats, ["big-nb"]);
    assert!(described.readable_formats.contains(&"big-me".to_owned()));
    assert!(!described.can_restart);

    let request = pb::TakeSnapshotRequest {
        tag: "ringkeep-tag".into(),
        selection: Some(pb_types::Selection::default()),
    };
    let taken = client.take_snapshot(request).await.unwrap().into_inner();
    assert_eq!((taken.tables, taken.sstables), (1, 1));
    let request = pb::UploadSnapshotRequest {
        tag: "ringkeep-tag".into(),
        backup: backup(),
        kind: pb_types::BackupKind::Full.into(),
        base: String::new(),
        selection: Some(pb_types::Selection::default()),
        snapshot_taken_at: taken.taken_at,
        keep_damaged: false,
        copy_from: String::new(),
    };
    let uploaded = last(client.upload_snapshot(request).await)
        .await
        .manifest
        .unwrap();
    assert_eq!(
        (uploaded.sstables, uploaded.host_id),
        (1, FakeNode::host_id(1).to_string())
    );
    let manifests = vec![pb::SourceManifest {
        host_id: FakeNode::host_id(1).to_string(),
        blake3: uploaded.blake3,
    }];
    client
        .clear_snapshot(pb::ClearSnapshotRequest {
            tag: "ringkeep-tag".into(),
        })
        .await
        .unwrap();

    let keys = client
        .fingerprint_keys(pb::FingerprintKeysRequest {
            backup: backup(),
            names: vec!["system_key".into()],
        })
        .await
        .unwrap()
        .into_inner()
        .keys;
    let key = keys.first().unwrap();
    assert_eq!(
        (key.name.as_str(), key.fingerprint.as_str()),
        ("system_key", "")
    );
    let leaves = client
        .fingerprint_keys(pb::FingerprintKeysRequest {
            backup: backup(),
            names: vec!["../system_key".into()],
        })
        .await;
    assert_eq!(leaves.unwrap_err().code(), tonic::Code::InvalidArgument);
    let elsewhere = pb::StageRestoreRequest {
        restore: "r0".into(),
        backup: backup(),
        source_host_ids: vec![FakeNode::host_id(1).to_string()],
        tables: targets(),
        shares: vec![pb_types::SourceShare {
            source: FakeNode::host_id(1).to_string(),
            keyspaces: vec!["other".into()],
            ranges: Vec::new(),
            trims: false,
        }],
        manifests: manifests.clone(),
        host_id: own_host_id(),
        everything: false,
        go_live: pb::GoLive::Load.into(),
    };
    // What is left out never means everything.
    for (everything, shares, go_live, field) in [
        (false, false, pb::GoLive::Load, "shares"),
        (true, true, pb::GoLive::Load, "everything"),
        (true, false, pb::GoLive::Unspecified, "go_live"),
    ] {
        let mut request = elsewhere.clone();
        request.everything = everything;
        request.go_live = go_live.into();
        if !shares {
            request.shares.clear();
        }
        let refused = client.stage_restore(request).await.map(drop).unwrap_err();
        let refused = RemoteError::from(refused);
        assert_eq!(refused.kind, ErrorKind::InvalidArgument);
        assert_eq!(refused.field.as_deref(), Some(field));
    }
    assert_eq!(
        last(client.stage_restore(elsewhere).await).await.sstables,
        0
    );
    let request = pb::StageRestoreRequest {
        restore: "r1".into(),
        backup: backup(),
        source_host_ids: vec![FakeNode::host_id(1).to_string()],
        tables: targets(),
        shares: Vec::new(),
        manifests,
        host_id: own_host_id(),
        everything: true,
        go_live: pb::GoLive::Load.into(),
    };
    assert_eq!(last(client.stage_restore(request).await).await.sstables, 1);
    let request = pb::LoadStagedRequest {
        restore: "r1".into(),
        tables: targets(),
        host_id: own_host_id(),
    };
    assert_eq!(last(client.load_staged(request).await).await.sstables, 1);
    assert_eq!(table.contents(), ["one", "one"]);
    client
        .finish_restore(pb::FinishRestoreRequest {
            restore: "r1".into(),
            host_id: own_host_id(),
            delete_old_files: false,
        })
        .await
        .unwrap();
    drop(root);
}

#[tokio::test]
async fn a_caller_that_sends_no_level_may_read_and_change_nothing() {
    let node = FakeNode::new(1, "4.1.9");
    node.tables(&["full"]);
    let FakeNode { agent, root, .. } = node;
    let service = SameLevel(NodeAgentServer::new(NodeAgentGrpc::new(Arc::new(agent))));
    let (routes, _) = App::new().service(service).into_parts();
    let channel = chassis::in_memory(routes);
    let mut client = pb::node_agent_client::NodeAgentClient::new(channel);
    let described = client.describe(pb::DescribeRequest {}).await.unwrap();
    assert_eq!(described.into_inner().api_level, AGENT_API_LEVEL);
    let tag = "ringkeep-tag".to_owned();
    let request = pb::ClearSnapshotRequest { tag };
    let refused = client.clear_snapshot(request).await.unwrap_err();
    let refused = RemoteError::from(refused);
    assert_eq!(refused.reason, "API_LEVEL");
    assert!(refused.message.contains("ringkeep-api-level"), "{refused}");
    drop(root);
}

#[tokio::test]
async fn errors_arrive_with_their_reason_field_and_hint() {
    let node = FakeNode::new(1, "4.1.9");
    node.tables(&["full"]);
    node.control
        .misbehave(crate::testing::Misbehaviour::SnapshotFails);
    let FakeNode { agent, root, .. } = node;
    let mut client = connect(agent);
    let mut take = async |tag: &str| {
        let request = pb::TakeSnapshotRequest {
            tag: tag.into(),
            selection: Some(pb_types::Selection::default()),
        };
        RemoteError::from(client.take_snapshot(request).await.unwrap_err())
    };
    let bad = take("../x").await;
    assert_eq!(
        (bad.kind, bad.field.as_deref()),
        (ErrorKind::InvalidArgument, Some("tag"))
    );
    let failed = take("ringkeep-tag").await;
    assert_eq!(failed.reason, "CONTROL_FAILED");
    assert!(failed.message.contains("out of luck"), "{}", failed.message);
    assert!(failed.hint.is_some());
    drop(root);
}

#[tokio::test]
async fn a_node_that_is_down_is_described_as_it_was_last_seen() {
    let node = FakeNode::new(1, "4.1.9");
    node.tables(&["full"]);
    node.control.go_down();
    let FakeNode { agent, root, .. } = node;
    let mut client = connect(agent);
    let described = client
        .describe(pb::DescribeRequest {})
        .await
        .unwrap()
        .into_inner()
        .node
        .unwrap();
    assert!(
        described.unhealthy.contains("Connection refused"),
        "{}",
        described.unhealthy
    );
    drop(root);
}

#[tokio::test]
async fn a_node_is_described_as_the_product_that_the_settings_name() {
    for (product, version, release, written, confidence) in [
        (
            None,
            None,
            "cassandra 4.0.11-2a99ee441fb7",
            "big-nb",
            Confidence::Unknown,
        ),
        (
            Some(Product::Cassandra),
            None,
            "cassandra 4.0.11",
            "big-nb",
            Confidence::Stated,
        ),
        (
            Some(Product::Hcd),
            None,
            "hcd 1.x-4.0.11-2a99ee441fb7",
            "bti-cc",
            Confidence::Stated,
        ),
        (
            Some(Product::Hcd),
            Some("1.2.3"),
            "hcd 1.2.3",
            "bti-cc",
            Confidence::Stated,
        ),
        (
            Some(Product::Dse),
            None,
            "cassandra 4.0.11-2a99ee441fb7",
            "big-nb",
            Confidence::Contradicted,
        ),
    ] {
        let mut node = FakeNode::new(1, "4.0.11-2a99ee441fb7");
        node.tables(&["full"]);
        node.agent.node.settings.product = product;
        node.agent.node.settings.product_version = version.map(str::to_owned);
        let described = crate::describe::describe(&node.agent).await.unwrap();
        assert_eq!(described.release.to_string(), release);
        assert_eq!(described.written_format, written, "{release}");
        let recognition = described.recognition;
        assert_eq!(recognition.confidence, confidence, "{release}");
        let named = recognition.contradictions.join("; ");
        let is_named = named.contains("the setting `product` says dse");
        assert_eq!(is_named, confidence == Confidence::Contradicted, "{named}");
        // A backup is taken all the same.
        assert_eq!(described.unhealthy, "");
    }
}

/// How each call of a restore that is meant for this node ends, by the name of the call.
async fn call_all(client: &mut NodeAgentClient, host_id: &str) -> Vec<(&'static str, RemoteError)> {
    let (restore, host_id) = ("r1".to_owned(), host_id.to_owned());
    let stage = client.stage_restore(pb::StageRestoreRequest {
        restore: restore.clone(),
        backup: backup(),
        tables: targets(),
        host_id: host_id.clone(),
        ..Default::default()
    });
    let stage = stage.await.map(drop);
    let load = client.load_staged(pb::LoadStagedRequest {
        restore: restore.clone(),
        tables: targets(),
        host_id: host_id.clone(),
    });
    let load = load.await.map(drop);
    let stop = client.stop_cassandra(pb::StopCassandraRequest {
        restore: restore.clone(),
        host_id: host_id.clone(),
    });
    let stop = stop.await.map(drop);
    let swap = client.swap_staged(pb::SwapStagedRequest {
        restore: restore.clone(),
        tables: targets(),
        host_id: host_id.clone(),
    });
    let swap = swap.await.map(drop);
    let start = client.start_cassandra(pb::StartCassandraRequest {
        restore: restore.clone(),
        tables: targets(),
        host_id: host_id.clone(),
    });
    let start = start.await.map(drop);
    let cutoff = String::new();
    let mark = client.mark_truncated(pb::MarkTruncatedRequest {
        restore: restore.clone(),
        tables: targets(),
        host_id: host_id.clone(),
        cutoff: cutoff.clone(),
    });
    let mark = mark.await.map(drop);
    let cut_off = client.cut_clients_off(pb::CutClientsOffRequest {
        host_id: host_id.clone(),
        cutoff,
    });
    let cut_off = cut_off.await.map(drop);
    let let_in = client.let_clients_in(pb::LetClientsInRequest {
        restore: restore.clone(),
        host_id: host_id.clone(),
    });
    let let_in = let_in.await.map(drop);
    let swap_back = client.swap_back(pb::SwapBackRequest {
        restore: restore.clone(),
        host_id: host_id.clone(),
    });
    let swap_back = swap_back.await.map(drop);
    let maintain = client.run_maintenance(pb::RunMaintenanceRequest {
        host_id: host_id.clone(),
        ..Default::default()
    });
    let maintain = maintain.await.map(drop);
    let forget = client.forget_built_views(pb::ForgetBuiltViewsRequest {
        views: Vec::new(),
        host_id: host_id.clone(),
    });
    let forget = forget.await.map(drop);
    let rebuild = client.rebuild_views(pb::RebuildViewsRequest {
        views: Vec::new(),
        host_id: host_id.clone(),
    });
    let rebuild = rebuild.await.map(drop);
    let limits = client.set_limits(pb::SetLimitsRequest {
        host_id: host_id.clone(),
        ..Default::default()
    });
    let limits = limits.await.map(drop);
    let finish = client.finish_restore(pb::FinishRestoreRequest {
        restore,
        host_id,
        delete_old_files: true,
    });
    let finish = finish.await.map(drop);
    let answers = [
        ("stage", stage),
        ("load", load),
        ("mark", mark),
        ("cut off", cut_off),
        ("let in", let_in),
        ("swap back", swap_back),
        ("stop", stop),
        ("swap", swap),
        ("start", start),
        ("maintain", maintain),
        ("forget", forget),
        ("rebuild", rebuild),
        ("limits", limits),
        ("finish", finish),
    ];
    answers
        .into_iter()
        .map(|(call, answer)| (call, RemoteError::from(answer.expect_err(call))))
        .collect()
}

#[tokio::test]
async fn no_call_of_a_restore_is_carried_out_that_names_another_node_or_none() {
    let mut node = FakeNode::new(1, "4.1.9");
    node.tables(&["full"]);
    node.table("full", 1, 0).sstable("nb-1-big", "one");
    node.back_up("b1", None).await;
    let marks = node.root.path().join("marks");
    let mark = vec!["touch".to_owned(), marks.display().to_string()];
    node.commands(mark.clone(), mark);
    let control = node.control.clone();
    control.calls.lock().unwrap().clear();
    let FakeNode { agent, root, .. } = node;
    let state = agent.folders.restore_journal("r1");
    // A node that has nothing of a restore may end it.
    let staging = root.path().join("ringkeep-staging/r1");
    std::fs::create_dir_all(&staging).unwrap();
    let mut client = connect(agent);
    let other = FakeNode::host_id(2).to_string();
    for (call, error) in call_all(&mut client, &other).await {
        assert_eq!(
            (error.kind, error.reason.as_str()),
            (ErrorKind::FailedPrecondition, "WRONG_NODE"),
            "{call}"
        );
        assert!(error.hint.is_some(), "{call}");
    }
    for (call, error) in call_all(&mut client, "").await {
        assert_eq!(
            (error.kind, error.field.as_deref()),
            (ErrorKind::InvalidArgument, Some("host_id")),
            "{call}"
        );
    }
    assert!(!marks.exists() && !state.exists(), "nothing was done");
    assert!(staging.exists(), "nothing was deleted");
    assert_eq!(*control.calls.lock().unwrap(), Vec::<String>::new());
    drop(root);
}
