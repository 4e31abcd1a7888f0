//! Calls an agent by hand.
use api::client;
use api::pb::node_agent as pb;
use api::pb::types as pt;
use futures::StreamExt;

async fn last<T: std::fmt::Debug>(s: Result<tonic::Response<tonic::Streaming<T>>, tonic::Status>) -> Option<T> {
    let mut s = match s { Ok(s) => s.into_inner(), Err(e) => { fail(e) } };
    let mut l = None;
    while let Some(m) = s.next().await { match m { Ok(m) => { eprintln!("{m:?}"); l = Some(m) }, Err(e) => fail(e) } }
    l
}
fn fail(e: tonic::Status) -> ! { let e = api::RemoteError::from(e); eprintln!("ERROR {:?} {} {} hint={:?}", e.kind, e.reason, e.message, e.hint); std::process::exit(1) }

#[tokio::main]
async fn main() {
    let a: Vec<String> = std::env::args().skip(1).collect();
    let mut c = client::node_agent(client::channel(&a[0], None).unwrap());
    let arg = |i: usize| a.get(i).cloned().unwrap_or_default();
    let backup = |n: String| Some(pt::BackupRef { cluster: "c".into(), name: n });
    match a[1].as_str() {
        "describe" => println!("{:#?}", c.describe(pb::DescribeRequest {}).await.unwrap_or_else(|e| fail(e)).into_inner()),
        "schema" => {
            let s = c.get_schema(pb::GetSchemaRequest { keyspaces: a[2..].to_vec() }).await.unwrap_or_else(|e| fail(e)).into_inner().schema.unwrap();
            for e in s.entries { println!("-- {:?} {} {} {}", e.kind(), e.keyspace, e.name, e.base_table); for q in e.cql { println!("{q};"); } }
        }
        "cql" => {
            let text = std::fs::read_to_string(arg(2)).unwrap();
            let statements = model::cql::statements(&text).into_iter().map(str::to_owned).collect();
            println!("{:?}", c.execute_cql(pb::ExecuteCqlRequest { statements }).await.unwrap_or_else(|e| fail(e)).into_inner());
        }
        "snapshot" => println!("{:?}", c.take_snapshot(pb::TakeSnapshotRequest { tag: arg(2), selection: None }).await.unwrap_or_else(|e| fail(e)).into_inner()),
        "upload" => {
            let kind = if a.len() > 5 { pt::BackupKind::Differential } else { pt::BackupKind::Full };
            last(c.upload_snapshot(pb::UploadSnapshotRequest { tag: arg(2), backup: backup(arg(3)), kind: kind.into(), base: arg(5), selection: None, snapshot_taken_at: arg(4) }).await).await;
        }
        "clear" => { c.clear_snapshot(pb::ClearSnapshotRequest { tag: arg(2) }).await.unwrap_or_else(|e| fail(e)); }
        op @ ("stage" | "load" | "swap") => {
            // restore backup source ; tables from describe of the target, by the ids in it
            let d = c.describe(pb::DescribeRequest {}).await;
            let file = format!("/tmp/na/targets-{}", arg(2));
            let tables: Vec<(String, String, String)> = if op == "swap" || std::path::Path::new(&file).exists() {
                std::fs::read_to_string(&file).unwrap().lines().map(|l| { let p: Vec<_> = l.split(' ').collect(); (p[0].into(), p[1].into(), p[2].into()) }).collect()
            } else {
                let d = d.unwrap_or_else(|e| fail(e)).into_inner().node.unwrap();
                let v: Vec<_> = d.tables.into_iter().filter(|t| !t.view || arg(5) == "views").map(|t| { let r = t.table.unwrap(); (r.keyspace, r.table, t.id) }).collect();
                std::fs::write(&file, v.iter().map(|t| format!("{} {} {}\n", t.0, t.1, t.2)).collect::<String>()).unwrap();
                v
            };
            let tables = tables.into_iter().map(|(k, t, id)| pb::TableTarget { table: Some(pt::TableRef { keyspace: k, table: t }), source_id: id.clone(), target_id: id }).collect();
            match op {
                "stage" => { last(c.stage_restore(pb::StageRestoreRequest { restore: arg(2), backup: backup(arg(3)), source_host_ids: arg(4).split(',').map(str::to_owned).collect(), tables }).await).await; }
                "load" => { last(c.load_staged(pb::LoadStagedRequest { restore: arg(2), tables }).await).await; }
                _ => println!("{:?}", c.swap_staged(pb::SwapStagedRequest { restore: arg(2), tables }).await.unwrap_or_else(|e| fail(e)).into_inner()),
            }
        }
        "stop" => { c.stop_cassandra(pb::StopCassandraRequest {}).await.unwrap_or_else(|e| fail(e)); }
        "start" => { c.start_cassandra(pb::StartCassandraRequest {}).await.unwrap_or_else(|e| fail(e)); }
        "finish" => println!("{:?}", c.finish_restore(pb::FinishRestoreRequest { restore: arg(2) }).await.unwrap_or_else(|e| fail(e)).into_inner()),
        "upgrade" => { last(c.upgrade_sstables(pb::UpgradeSstablesRequest { tables: vec![pt::TableRef { keyspace: arg(2), table: arg(3) }] }).await).await; }
        "views" => { last(c.await_views(pb::AwaitViewsRequest { views: vec![pt::TableRef { keyspace: arg(2), table: arg(3) }] }).await).await; }
        other => panic!("{other}"),
    }
}
