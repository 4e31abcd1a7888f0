//! What a request is about, read from its bytes: the ids that the audit log shows.
//!
//! Names of fields are looked up in the descriptors once, so that a new rpc with fields of the usual names needs no line
//! here. The bytes are read only as far as they are at hand; a request that is larger is shown with less.

use std::collections::HashMap;
use std::sync::OnceLock;

use prost::Message;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FileDescriptorSet, MethodDescriptorProto};

use super::Rpc;
use crate::Described;
use crate::pb::node_agent::node_agent_server::NodeAgentServer;
use crate::pb::planner::planner_server::PlannerServer;
use crate::pb::storage_catalog::storage_catalog_server::StorageCatalogServer;
use crate::pb::task_runner::task_runner_server::TaskRunnerServer;

/// Longer values are cut off: no id is longer, and a log line has an end.
const VALUE_CHARS_MAX: usize = 128;

/// The ids that a request names; absent if it names none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    pub cluster: Option<String>,
    pub backup: Option<String>,
    /// The cluster that is restored into.
    pub target: Option<String>,
    pub task: Option<String>,
    pub host: Option<String>,
    pub restore: Option<String>,
    pub snapshot: Option<String>,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Cluster,
    Backup,
    Target,
    Task,
    Host,
    Restore,
    Snapshot,
}

/// Where the id lies: the number of the field, below those of the messages around it.
type Path = Vec<u32>;

/// Reads the ids from the first bytes of a request message.
pub fn named_fields(rpc: &Rpc, message: &[u8]) -> Named {
    let mut named = Named::default();
    let paths = PATHS.get_or_init(paths).get(&(rpc.service, rpc.method));
    for (kind, path) in paths.into_iter().flatten() {
        let Some(text) = text_at(message, path) else {
            continue;
        };
        let place = match kind {
            Kind::Cluster => &mut named.cluster,
            Kind::Backup => &mut named.backup,
            Kind::Target => &mut named.target,
            Kind::Task => &mut named.task,
            Kind::Host => &mut named.host,
            Kind::Restore => &mut named.restore,
            Kind::Snapshot => &mut named.snapshot,
        };
        *place = Some(text);
    }
    named
}

type Paths = HashMap<(&'static str, &'static str), Vec<(Kind, Path)>>;
static PATHS: OnceLock<Paths> = OnceLock::new();

fn paths() -> Paths {
    let sets = [
        <TaskRunnerServer<()> as Described>::DESCRIPTORS,
        <StorageCatalogServer<()> as Described>::DESCRIPTORS,
        <PlannerServer<()> as Described>::DESCRIPTORS,
        <NodeAgentServer<()> as Described>::DESCRIPTORS,
    ];
    let mut found = Paths::new();
    for bytes in sets {
        let set = FileDescriptorSet::decode(bytes).expect("the build encoded it");
        let messages: HashMap<String, &DescriptorProto> = set
            .file
            .iter()
            .flat_map(|file| {
                let full =
                    |message: &DescriptorProto| format!(".{}.{}", file.package(), message.name());
                file.message_type.iter().map(move |one| (full(one), one))
            })
            .collect();
        for rpc in super::RPCS.iter().filter(|rpc| rpc.changes) {
            if let Some(method) = method(&set, rpc) {
                let mut paths = Vec::new();
                collect(&messages, method.input_type(), rpc, "", &[], &mut paths);
                found.insert((rpc.service, rpc.method), paths);
            }
        }
    }
    found
}

fn method<'a>(set: &'a FileDescriptorSet, rpc: &Rpc) -> Option<&'a MethodDescriptorProto> {
    set.file.iter().find_map(|file| {
        let service = file
            .service
            .iter()
            .find(|service| format!("{}.{}", file.package(), service.name()) == rpc.service)?;
        service.method.iter().find(|one| one.name() == rpc.method)
    })
}

/// All fields of a message whose names are those of ids, also one and two messages further down.
fn collect(
    messages: &HashMap<String, &DescriptorProto>,
    message: &str,
    rpc: &Rpc,
    names: &str,
    numbers: &[u32],
    paths: &mut Vec<(Kind, Path)>,
) {
    const DEPTH_MAX: usize = 3;
    let Some(message) = messages.get(message).filter(|_| numbers.len() < DEPTH_MAX) else {
        return;
    };
    for field in &message.field {
        if field.label() == Label::Repeated {
            continue;
        }
        let full = match names {
            "" => field.name().to_owned(),
            names => format!("{names}.{}", field.name()),
        };
        let mut path = numbers.to_vec();
        path.push(field.number() as u32);
        match field.r#type() {
            Type::String => paths.extend(kind(rpc, &full).map(|kind| (kind, path))),
            Type::Message => collect(messages, field.type_name(), rpc, &full, &path, paths),
            _ => {}
        }
    }
}

fn kind(rpc: &Rpc, names: &str) -> Option<Kind> {
    match names {
        "name" if rpc.method.ends_with("Cluster") => Some(Kind::Cluster),
        "cluster" | "backup.cluster" | "restore.backup.cluster" => Some(Kind::Cluster),
        "name" | "backup.name" | "restore.backup.name" => Some(Kind::Backup),
        "target" | "restore.target" => Some(Kind::Target),
        "id" | "task_id" => Some(Kind::Task),
        "host_id" => Some(Kind::Host),
        "restore" => Some(Kind::Restore),
        "tag" => Some(Kind::Snapshot),
        _ => None,
    }
}

fn text_at(message: &[u8], path: &[u32]) -> Option<String> {
    let (&number, rest) = path.split_first()?;
    let bytes = bytes_of(message, number)?;
    if !rest.is_empty() {
        return text_at(bytes, rest);
    }
    let text = std::str::from_utf8(bytes).ok()?;
    (!text.is_empty()).then(|| text.chars().take(VALUE_CHARS_MAX).collect())
}

/// The bytes of the last field of this number that is at hand whole.
fn bytes_of(mut message: &[u8], number: u32) -> Option<&[u8]> {
    const VARINT: u64 = 0;
    const EIGHT_BYTES: u64 = 1;
    const LENGTH: u64 = 2;
    const FOUR_BYTES: u64 = 5;
    let mut found = None;
    while let Some(tag) = varint(&mut message) {
        let length = match tag & 7 {
            VARINT => match varint(&mut message) {
                Some(_) => 0,
                None => break,
            },
            EIGHT_BYTES => 8,
            FOUR_BYTES => 4,
            LENGTH => match varint(&mut message) {
                Some(length) => length,
                None => break,
            },
            _ => break,
        };
        let Some((bytes, after)) = usize::try_from(length)
            .ok()
            .and_then(|length| message.split_at_checked(length))
        else {
            break;
        };
        if tag & 7 == LENGTH && tag >> 3 == u64::from(number) {
            found = Some(bytes);
        }
        message = after;
    }
    found
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::find;
    use crate::pb;

    fn named(path: &str, message: &impl Message) -> Named {
        named_fields(find(path).expect(path), &message.encode_to_vec())
    }

    fn backup() -> Option<pb::types::BackupRef> {
        Some(pb::types::BackupRef {
            cluster: "prod".into(),
            name: "nightly".into(),
        })
    }

    #[test]
    fn ids_are_found_by_the_names_of_their_fields() {
        let start = pb::task_runner::StartRestoreRequest {
            restore: Some(pb::task_runner::PlanRestoreRequest {
                backup: backup(),
                target: "copy".into(),
                ..Default::default()
            }),
            plan: 7,
            queue: None,
        };
        let expected = Named {
            cluster: Some("prod".into()),
            backup: Some("nightly".into()),
            target: Some("copy".into()),
            ..Named::default()
        };
        let path = "/ringkeep.task_runner.v1.TaskRunner/StartRestore";
        assert_eq!(named(path, &start), expected);

        let pin = pb::storage_catalog::PinBackupRequest {
            backup: backup(),
            task_id: "t".into(),
            ..Default::default()
        };
        let expected = Named {
            task: Some("t".into()),
            target: None,
            ..expected
        };
        let path = "/ringkeep.storage_catalog.v1.StorageCatalog/PinBackup";
        assert_eq!(named(path, &pin), expected);

        let add = pb::task_runner::AddClusterRequest {
            name: "prod".into(),
            agents: vec!["a:1".into()],
            find_agents: false,
        };
        let path = "/ringkeep.task_runner.v1.TaskRunner/AddCluster";
        assert_eq!(named(path, &add).cluster.as_deref(), Some("prod"));
    }

    #[test]
    fn a_part_of_a_request_or_nonsense_names_what_is_at_hand_and_never_panics() {
        let path = "/ringkeep.node_agent.v1.NodeAgent/SwapStaged";
        let rpc = find(path).expect("a row");
        let swap = pb::node_agent::SwapStagedRequest {
            restore: "r".into(),
            tables: Vec::new(),
            host_id: "h".repeat(300),
        };
        let whole = swap.encode_to_vec();
        let named = named_fields(rpc, &whole);
        assert_eq!(named.host, Some("h".repeat(VALUE_CHARS_MAX)));
        for length in 0..whole.len() {
            let part = named_fields(rpc, &whole[..length]);
            assert_eq!(part.host, None);
            assert_eq!(part.restore.is_some(), length >= 3, "{length}");
        }
        for nonsense in [
            &[0xff; 40][..],
            &[10, 0xff, 0xff],
            &[0x0f],
            &[26, 2, 0xff, 0xfe],
        ] {
            assert_eq!(named_fields(rpc, nonsense), Named::default());
        }
    }
}
