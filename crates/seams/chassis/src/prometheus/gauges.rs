//! Gauges that are replaced as a whole: what is no longer there leaves the page with the next replacement.
//!
//! A gauge of the crate `metrics` stays on the page for as long as the process lives, also when the cluster or the schedule
//! of its labels is gone. These follow stored state instead, so that several processes that read the same state show the same.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// A gauge's name and what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gauge {
    pub name: &'static str,
    pub help: &'static str,
}

/// Values of gauges at one moment. The same labels given twice keep the last value.
#[derive(Debug, Clone, Default)]
pub struct Gauges {
    samples: BTreeMap<Gauge, BTreeMap<String, f64>>,
}

impl Gauges {
    pub fn set(&mut self, gauge: Gauge, labels: &[(&str, &str)], value: f64) {
        let of_gauge = self.samples.entry(gauge).or_default();
        of_gauge.insert(rendered(labels), value);
    }

    /// Prometheus's text form.
    pub fn render(&self) -> String {
        let mut page = String::new();
        for (Gauge { name, help }, samples) in &self.samples {
            // Writing to a string does not fail.
            let _ = writeln!(page, "# HELP {name} {help}\n# TYPE {name} gauge");
            for (labels, value) in samples {
                let _ = writeln!(page, "{name}{labels} {value}");
            }
        }
        page
    }
}

fn rendered(labels: &[(&str, &str)]) -> String {
    if labels.is_empty() {
        return String::new();
    }
    let each = labels.iter().map(|(name, value)| {
        let value = value
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n");
        format!("{name}=\"{value}\"")
    });
    format!("{{{}}}", each.collect::<Vec<_>>().join(","))
}

/// The gauges of one owner, shared with the page. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct SharedGauges(Arc<RwLock<Gauges>>);

impl SharedGauges {
    pub fn replace(&self, gauges: Gauges) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = gauges;
    }

    pub fn render(&self) -> String {
        let gauges = self.0.read().unwrap_or_else(PoisonError::into_inner);
        gauges.render()
    }
}

static EXPOSED: Mutex<Vec<SharedGauges>> = Mutex::new(Vec::new());

/// Puts these gauges on this process's page, from now on. Two owners must not have a gauge of the same name.
pub fn expose(gauges: &SharedGauges) {
    let mut exposed = EXPOSED.lock().unwrap_or_else(PoisonError::into_inner);
    exposed.push(gauges.clone());
}

/// All that is exposed.
pub(super) fn render_exposed() -> String {
    let exposed = EXPOSED.lock().unwrap_or_else(PoisonError::into_inner);
    exposed.iter().map(SharedGauges::render).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGE: Gauge = Gauge {
        name: "age_seconds",
        help: "How old.",
    };

    #[test]
    fn what_is_replaced_is_gone_and_labels_are_escaped() {
        let shared = SharedGauges::default();
        let mut gauges = Gauges::default();
        gauges.set(AGE, &[("of", "a\"b\\c\nd")], 1.0);
        gauges.set(AGE, &[("of", "z")], 2.5);
        gauges.set(AGE, &[("of", "z")], 1_764_188_400.0);
        shared.replace(gauges);
        let expected = "# HELP age_seconds How old.\n# TYPE age_seconds gauge\n\
            age_seconds{of=\"a\\\"b\\\\c\\nd\"} 1\nage_seconds{of=\"z\"} 1764188400\n";
        assert_eq!(shared.render(), expected);
        let mut gauges = Gauges::default();
        gauges.set(AGE, &[], 3.0);
        shared.clone().replace(gauges);
        assert!(shared.render().ends_with("\nage_seconds 3\n"));
    }
}
