//! Schemas of real nodes: read without a problem, made again as they were, and made on the next releases as rewritten.

mod read;
mod statements;

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use cassandra_schema::{Object, Rewrite, SameMeaning, Schema, Target, replay_order, rewrite};
use lab::session::run;
use lab::workload::{self, KEYSPACES};
use lab::{Cluster, Release};
use scylla::client::session::Session;

const ALL_KEYSPACES: [&str; 3] = [KEYSPACES[0], KEYSPACES[1], statements::KEYSPACE];

/// One release after the other, each with the schemas of those before it.
#[tokio::test(flavor = "multi_thread")]
async fn schemas_are_read_made_again_and_carried_to_later_releases() -> Result<()> {
    let mut complaints = Vec::new();
    let mut known: Vec<(Release, Schema)> = Vec::new();
    for release in Release::ALL {
        let bench = Bench::start(release).await?;
        let schema = match bench.fill().await {
            Ok(schema) => schema,
            Err(error) => {
                complaints.push(format!("{release}: {error:#}"));
                continue;
            }
        };
        // As it is, and as it was with those before it.
        let what = format!("{release} made again");
        complaints.extend(bench.check(&what, &schema).await?);
        for (from, older) in &known {
            // 4.0 and 4.1 know the same.
            if *from == Release::C40 || release == Release::C40 {
                continue;
            }
            let what = format!("{from} on {release}");
            let rewritten = bench.rewritten(older)?;
            complaints.extend(bench.check(&what, &rewritten).await?);
        }
        known.push((release, schema));
    }
    ensure!(complaints.is_empty(), "{}", complaints.join("\n\n"));
    Ok(())
}

/// A node whose schema is made again and again.
struct Bench {
    cluster: Cluster,
    session: Session,
}

impl Bench {
    async fn start(release: Release) -> Result<Self> {
        let mut builder = Cluster::builder(release)
            .name("schemas")
            .heap_mb(384)
            .setting("auto_snapshot", "false");
        if release >= Release::C50 {
            builder = builder.setting("dynamic_data_masking_enabled", "true");
        }
        let cluster = builder.start().await?;
        let session = cluster.session().await?;
        Ok(Self { cluster, session })
    }

    /// Makes everything that the line knows, and reads it.
    async fn fill(&self) -> Result<Schema> {
        workload::make_schema(&self.cluster).await?;
        run(&self.session, workload::DROP_COLUMN).await?;
        let mut refused = Vec::new();
        for statement in statements::statements(self.cluster.release()) {
            if let Err(error) = run(&self.session, &statement).await {
                refused.push(format!("{error:#}"));
            }
        }
        ensure!(refused.is_empty(), "{}", refused.join("\n"));
        let schema = self.read().await?;
        let counts = (
            schema.tables.len(),
            schema.views.len(),
            schema.indexes.len(),
        );
        ensure!(
            counts.0 >= 14 && counts.1 == 3 && counts.2 >= 10,
            "{counts:?} were found"
        );
        Ok(schema)
    }

    async fn read(&self) -> Result<Schema> {
        read::schema(&self.cluster, &self.session, &ALL_KEYSPACES).await
    }

    fn cassandra(&self) -> Result<cassandra_versions::Release> {
        let version = self.cluster.release().version();
        Ok(format!("cassandra {version}").parse()?)
    }

    /// For this release, with everything kept that the lab's nodes are set up for.
    fn rewritten(&self, schema: &Schema) -> Result<Schema> {
        let target = Target {
            release: self.cassandra()?,
            datacenters: BTreeMap::from([("dc1".to_owned(), 1)]),
        };
        let kept = [Rewrite::LeaveIndexOut, Rewrite::LeaveViewOut];
        let rewritten = rewrite(schema, &target, &|_, rewrite| !kept.contains(&rewrite));
        Ok(rewritten.schema)
    }

    /// Makes the schema in the place of all that was there, and tells what is not as it should be.
    async fn check(&self, what: &str, wanted: &Schema) -> Result<Vec<String>> {
        let mut complaints = Vec::new();
        for keyspace in ALL_KEYSPACES {
            run(
                &self.session,
                &format!("DROP KEYSPACE IF EXISTS \"{keyspace}\""),
            )
            .await?;
        }
        let release = self.cassandra()?;
        for object in replay_order(wanted) {
            for statement in object.to_cql_for(&release) {
                if let Err(error) = run(&self.session, &statement).await {
                    complaints.push(format!("{what}: refused: {error:#}"));
                }
            }
        }
        let found = match self.read().await {
            Ok(found) => found,
            Err(error) => {
                complaints.push(format!("{what}: {error:#}"));
                return Ok(complaints);
            }
        };
        let found = replay_order(&found);
        for wanted in replay_order(wanted) {
            match found.iter().find(|found| found.key() == wanted.key()) {
                None => complaints.push(format!("{what}: {:?} is not there", wanted.key())),
                Some(found) if !is_same(wanted, *found) => complaints.push(format!(
                    "{what}: wanted {}\nfound {}\n{}",
                    wanted.to_cql().join(";\n"),
                    found.to_cql().join(";\n"),
                    shown(wanted, *found)
                )),
                Some(_) => {}
            }
        }
        if found.len() != replay_order(wanted).len() {
            complaints.push(format!("{what}: there are {} objects", found.len()));
        }
        println!("{what}: {} objects compared", found.len());
        Ok(complaints)
    }
}

/// The same meaning, under the same id.
fn is_same(a: Object, b: Object) -> bool {
    match (a, b) {
        (Object::Keyspace(a), Object::Keyspace(b)) => a.same_definition(b),
        (Object::Type(a), Object::Type(b)) => a.same_definition(b),
        (Object::Function(a), Object::Function(b)) => a.same_definition(b),
        (Object::Aggregate(a), Object::Aggregate(b)) => a.same_definition(b),
        (Object::Table(a), Object::Table(b)) if b.has_no_cql => {
            a.compact_storage && b.compact_storage && a.id.is_some() && a.id == b.id
        }
        (Object::Table(a), Object::Table(b)) => {
            a.same_definition(b)
                && a.dropped.len() == b.dropped.len()
                && a.id.is_some()
                && a.id == b.id
        }
        (Object::Index(a), Object::Index(b)) => a.same_definition(b),
        (Object::View(a), Object::View(b)) => {
            a.same_definition(b) && a.id.is_some() && a.id == b.id
        }
        _ => false,
    }
}

/// The normal forms, for who has to look for the difference.
fn shown(a: Object, b: Object) -> String {
    use cassandra_schema::Normal;
    match (a, b) {
        (Object::Table(a), Object::Table(b)) => format!("{:?}\n{:?}", a.normal(), b.normal()),
        (Object::View(a), Object::View(b)) => format!("{:?}\n{:?}", a.normal(), b.normal()),
        (Object::Index(a), Object::Index(b)) => format!("{:?}\n{:?}", a.normal(), b.normal()),
        _ => format!("{a:?}\n{b:?}"),
    }
}
