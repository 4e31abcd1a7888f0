//! The jobs of a document: a command of Kubernetes' with its arguments.

use model::{
    MaintenanceArgs, MaintenanceCommand, MaintenanceJob, Selection, TableRef, UnknownCommand,
};
use serde_json::Value;

use super::reader::{Fields, Problems};

const ARGUMENTS: &[&str] = &[
    "keyspace_name",
    "tables",
    "jobs",
    "source_datacenter",
    "rack",
    "no_validate",
    "no_snapshot",
    "skip_corrupted",
    "split_output",
    "start_token",
    "end_token",
    "pod_name",
    "new_tokens",
    "fast",
    "force",
];

/// Arguments that Kubernetes has, and why they are refused.
const REFUSED_ARGUMENTS: &[(&str, &str)] = &[
    (
        "pod_name",
        "there are no pods; `rack` and the datacenter choose nodes",
    ),
    ("new_tokens", "nodes are not moved"),
    ("fast", "nodes are restarted one after the other"),
    ("force", "no node is restarted while another is down"),
];

/// Commands that Kubernetes has, and why they are refused.
const REFUSED_COMMANDS: &[(&str, &str)] = &[
    ("move", "nodes are not moved"),
    ("replacenode", "nodes are not replaced"),
    ("tsreload", "trust stores are not reloaded"),
    (
        "refresh",
        "in Kubernetes it has the operator bring pods up to date, of which there are none here; to load SSTables from a \
         table's folder use `ringkeep maintenance run refresh`",
    ),
];

/// A job, and the rack that it is limited to.
pub struct Job {
    pub job: MaintenanceJob,
    pub rack: Option<String>,
}

pub fn read(value: &Value, path: &str, problems: &mut Problems) -> Option<Job> {
    let fields = Fields::of(value, path, &["name", "command", "args"], problems)?;
    fields.text("name", problems);
    let word = fields.required_text("command", problems)?;
    let command = command(&word, &fields.place("command"), problems)?;
    let mut job = MaintenanceJob::new(command);
    let mut rack = None;
    if let Some(args) = fields.mapping("args", ARGUMENTS, problems) {
        args.refuse(REFUSED_ARGUMENTS, problems);
        rack = args.text("rack", problems);
        job.selection = selection(&args, problems);
        job.args = arguments(&args, problems);
    }
    for problem in job.problems() {
        problems.say(format!("{path}: {problem}"));
    }
    Some(Job { job, rack })
}

fn command(word: &str, path: &str, problems: &mut Problems) -> Option<MaintenanceCommand> {
    if let Some((_, why)) = REFUSED_COMMANDS
        .iter()
        .find(|(refused, _)| *refused == word)
    {
        problems.say(format!("{path}: `{word}` is not run here: {why}"));
        return None;
    }
    let command: Result<MaintenanceCommand, UnknownCommand> = word.parse();
    command
        .map_err(|error| problems.say(format!("{path}: {error}")))
        .ok()
}

fn selection(args: &Fields<'_>, problems: &mut Problems) -> Selection {
    let keyspace = args.text("keyspace_name", problems);
    let tables = args.texts("tables", problems);
    match keyspace.filter(|keyspace| !keyspace.is_empty()) {
        None => {
            if !tables.is_empty() {
                let place = args.place("tables");
                problems.say(format!("{place} needs keyspace_name"));
            }
            Selection::default()
        }
        Some(keyspace) if tables.is_empty() => Selection {
            keyspaces: vec![keyspace],
            tables: Vec::new(),
        },
        Some(keyspace) => Selection {
            keyspaces: Vec::new(),
            tables: tables
                .into_iter()
                .map(|table| TableRef::new(&keyspace, table))
                .collect(),
        },
    }
}

fn arguments(args: &Fields<'_>, problems: &mut Problems) -> MaintenanceArgs {
    let jobs = args.number("jobs", problems);
    MaintenanceArgs {
        jobs: jobs.map(|jobs| u32::try_from(jobs).unwrap_or(u32::MAX)),
        no_validate: args.flag("no_validate", problems),
        no_snapshot: args.flag("no_snapshot", problems),
        skip_corrupted: args.flag("skip_corrupted", problems),
        split_output: args.flag("split_output", problems),
        start_token: args.text("start_token", problems),
        end_token: args.text("end_token", problems),
        source_datacenter: args.text("source_datacenter", problems),
        primary_range: None,
    }
}
