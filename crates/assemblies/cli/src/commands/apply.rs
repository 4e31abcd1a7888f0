//! `ringkeep apply`

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use api::clients::TaskRunner;
use jiff::Timestamp;
use model::ClusterName;
use views::maintenance::AppliedView;
use views::task::TaskView;

use crate::context::{Context, Service};
use crate::documents::{self, BYTES_MAX, Document};
use crate::failure::Failure;
use crate::wait;

/// Runs the maintenance that documents ask for: CassandraTask and K8ssandraTask of control.k8ssandra.io/v1alpha1.
///
/// The documents are those of Mission Control and k8ssandra-operator, and need no Kubernetes here. Every field is either
/// honoured or refused by name; if anything in the file is refused, nothing is started. Applying the same document again
/// starts nothing, however long ago its task has ended: it is the same task, found by its kind, namespace and name. To run
/// the same again, give the document another name.
///
/// A CassandraTask names a datacenter. If exactly one registered cluster has one of that name, it is meant; else name the
/// cluster with --cluster or by the annotation `ringkeep/cluster`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A file with one or several YAML or JSON documents; `-` reads them from standard input.
    #[arg(long, short, value_name = "FILE")]
    file: PathBuf,
    /// The registered cluster, whatever the documents say of it.
    #[arg(long, value_name = "CLUSTER")]
    cluster: Option<ClusterName>,
    /// Waits for each task before the next document is applied. Ctrl-C stops the waiting (exit code 1), not the task.
    #[arg(long)]
    wait: bool,
}

const EXAMPLES: &str = "\
Examples:
  ringkeep apply -f upgrade-sstables.yaml --wait
  ringkeep apply -f - < tasks.yaml
  ringkeep get cassandratask upgrade-sstables -o yaml";

pub async fn run(args: Args, context: &mut Context) -> Result<(), Failure> {
    let text = read(&args.file, context)?;
    let documents = documents::read(&text, args.cluster.as_ref(), Timestamp::now());
    let documents = documents.map_err(|problems| Failure::Documents { problems })?;
    let mut applied: Vec<AppliedView> = Vec::new();
    let ended = apply_all(documents, args.wait, &mut applied, context).await;
    // What was started before a document was refused is shown, too.
    if !applied.is_empty() {
        context.screen.result(&applied, |applied, _| {
            applied.iter().map(sentence).collect()
        })?;
    }
    ended
}

async fn apply_all(
    documents: Vec<Document>,
    wait: bool,
    applied: &mut Vec<AppliedView>,
    context: &mut Context,
) -> Result<(), Failure> {
    for document in documents {
        let Document {
            kind,
            namespace,
            name,
            start,
        } = document;
        let started = context.task_runner()?.start_maintenance(start).await;
        let started = started.map_err(|error| context.failed(Service::TaskRunner, error))?;
        applied.push(AppliedView {
            kind: kind.as_str(),
            namespace: (!namespace.is_empty()).then_some(namespace),
            name,
            cluster: started.cluster.to_string(),
            task_id: started.task.to_string(),
            existed: started.existed,
            task: None,
        });
        if wait {
            let ended = wait::until_final(started.task, context).await?;
            if let Some(last) = applied.last_mut() {
                last.task = Some(TaskView::from(&ended));
            }
            wait::verdict(&ended)?;
        }
    }
    Ok(())
}

fn sentence(applied: &AppliedView) -> String {
    let AppliedView {
        kind,
        name,
        task_id,
        cluster,
        ..
    } = applied;
    let is = match applied.existed {
        true => "was applied before",
        false => "is applied",
    };
    let state = applied
        .task
        .as_ref()
        .map_or(String::new(), |task| format!(", {}", task.state));
    format!("{kind} `{name}` {is}: task {task_id} on cluster {cluster}{state}\n")
}

fn read(path: &Path, context: &mut Context) -> Result<String, Failure> {
    let shown = path.display();
    let failed = |why: String| Failure::Usage {
        message: format!("cannot read `{shown}`: {why}"),
        hint: "name a file of YAML documents, or `-` for standard input".into(),
    };
    let mut bytes = Vec::new();
    // One more than allowed, so that a longer file is noticed.
    let read = match path == Path::new("-") {
        true => context.screen.read_input(BYTES_MAX + 1, &mut bytes),
        false => File::open(path)
            .and_then(|file| file.take(BYTES_MAX + 1).read_to_end(&mut bytes))
            .map(drop),
    };
    read.map_err(|error| failed(error.to_string()))?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(failed(format!("it is longer than {BYTES_MAX} bytes")));
    }
    String::from_utf8(bytes).map_err(|_| failed("it is not UTF-8".to_owned()))
}
