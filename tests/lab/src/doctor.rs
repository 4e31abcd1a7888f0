//! Says whether this machine has what the lab needs, quickly and without fetching anything.

use std::fmt;

use crate::cache::Cache;
use crate::fetch::Part;
use crate::java::{self, Java};
use crate::tools;

/// One line of the doctor's report.
#[derive(Debug)]
pub struct Check {
    pub what: String,
    /// Where it was found, or how it will be had.
    pub found: Result<String, String>,
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.found {
            Ok(found) => write!(f, "ok       {:<18} {found}", self.what),
            Err(missing) => write!(f, "missing  {:<18} {missing}", self.what),
        }
    }
}

/// Checks what the given parts need; a part that is in the cache needs no tool to fetch it.
pub fn examine(cache: &Cache, parts: &[Part]) -> Vec<Check> {
    let mut checks = vec![program("setsid"), program("flock")];
    let mut javas: Vec<Java> = Vec::new();
    for part in parts {
        checks.push(part_check(cache, *part));
        if let Part::Cassandra(release) = part
            && !javas.contains(&release.java())
        {
            javas.push(release.java());
        }
    }
    checks.extend(javas.into_iter().map(|java| java_check(cache, java)));
    checks
}

fn part_check(cache: &Cache, part: Part) -> Check {
    let what = part.entry();
    if cache.has(&what) {
        let found = cache.path(&what).display().to_string();
        return Check {
            what,
            found: Ok(found),
        };
    }
    let tool = match part {
        Part::Cassandra(_) => "mvn",
        Part::Minio | Part::Grpcurl | Part::Etcd | Part::FakeGcs => "go",
        Part::Azurite => "npm",
    };
    let found = tools::need(tool).map(|path| format!("will be fetched with {}", path.display()));
    Check {
        what,
        found: found.map_err(|error| error.to_string()),
    }
}

fn java_check(cache: &Cache, java: Java) -> Check {
    let what = java.to_string();
    if let Some(program) = java::find(cache, java) {
        return Check {
            what,
            found: Ok(program.display().to_string()),
        };
    }
    let found = match java {
        Java::J17 => java::ensure(cache, java).map(|path| path.display().to_string()),
        Java::J8 | Java::J11 => tools::need("apt-get")
            .and_then(|_| tools::need("dpkg"))
            .map(|_| "will be fetched with apt-get and dpkg".to_owned()),
    };
    Check {
        what,
        found: found.map_err(|error| error.to_string()),
    }
}

fn program(name: &str) -> Check {
    let found = tools::need(name).map(|path| path.display().to_string());
    Check {
        what: name.to_owned(),
        found: found.map_err(|error| error.to_string()),
    }
}
