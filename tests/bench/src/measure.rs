//! Times of several rounds, and their ratios.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::versus::Versus;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    ReadAndCrc,
    Verify,
    VerifyExtended,
    Recompress,
    Slice,
    SliceToFiles,
    Versus(usize),
}

#[derive(Debug, Default)]
pub struct Rounds {
    times: BTreeMap<Measure, Vec<Duration>>,
}

impl Rounds {
    pub fn time(&mut self, measure: Measure, work: impl FnOnce() -> Result<()>) -> Result<()> {
        let started = Instant::now();
        work()?;
        self.times
            .entry(measure)
            .or_default()
            .push(started.elapsed());
        Ok(())
    }

    fn sorted(&self, measure: Measure) -> Vec<f64> {
        let times = self.times.get(&measure).map(Vec::as_slice);
        let mut seconds: Vec<f64> = times
            .unwrap_or_default()
            .iter()
            .map(Duration::as_secs_f64)
            .collect();
        seconds.sort_by(f64::total_cmp);
        seconds
    }

    fn median(&self, measure: Measure) -> f64 {
        let sorted = self.sorted(measure);
        sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
    }

    pub fn table(&self, versus: &[Versus]) -> String {
        let mut text = format!(
            "\n{:<44} {:>8} {:>8} {:>8}\n",
            "seconds", "min", "median", "max"
        );
        for measure in self.times.keys() {
            let sorted = self.sorted(*measure);
            let (min, max) = (sorted[0], sorted[sorted.len() - 1]);
            let name = name(*measure, versus);
            let median = self.median(*measure);
            let _ = writeln!(text, "{name:<44} {min:>8.3} {median:>8.3} {max:>8.3}");
        }
        let mut ratio = |what: &str, of: Measure, to: Measure| {
            let ratio = self.median(of) / self.median(to);
            let _ = writeln!(text, "{what:<60} {ratio:>8.2}");
        };
        ratio(
            "\nspeed of verify, read + CRC32 = 1",
            Measure::ReadAndCrc,
            Measure::Verify,
        );
        ratio(
            "speed of verify --extended, read + CRC32 = 1",
            Measure::ReadAndCrc,
            Measure::VerifyExtended,
        );
        ratio(
            "speed of slice, decompress + compress = 1",
            Measure::Recompress,
            Measure::Slice,
        );
        ratio(
            "speed of slice into files, decompress + compress = 1",
            Measure::Recompress,
            Measure::SliceToFiles,
        );
        for (index, versus) in versus.iter().enumerate() {
            let other = Measure::Versus(index);
            ratio(
                &format!("speed of verify, {} = 1", versus.name),
                other,
                Measure::Verify,
            );
            ratio(
                &format!("speed of verify --extended, {} = 1", versus.name),
                other,
                Measure::VerifyExtended,
            );
        }
        text
    }
}

fn name(measure: Measure, versus: &[Versus]) -> String {
    match measure {
        Measure::ReadAndCrc => "read + CRC32".to_owned(),
        Measure::Verify => "verify".to_owned(),
        Measure::VerifyExtended => "verify --extended".to_owned(),
        Measure::Recompress => "decompress + compress of the slice's chunks".to_owned(),
        Measure::Slice => "slice".to_owned(),
        Measure::SliceToFiles => "slice into files".to_owned(),
        Measure::Versus(index) => versus[index].name.clone(),
    }
}
