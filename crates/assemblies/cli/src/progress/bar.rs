//! One bar on a terminal.

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

const BYTES_TEMPLATE: &str =
    "{prefix} [{bar:30}] {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {msg}";
/// Until a total is known there is nothing to fill a bar with.
const UNKNOWN_TEMPLATE: &str = "{prefix} {spinner} {msg}";
/// How often the spinner turns between two messages of the service.
const SPINNER_INTERVAL: std::time::Duration = std::time::Duration::from_millis(200);

/// A bar over bytes, with what is being worked on behind it.
pub struct Bar {
    bar: ProgressBar,
    bytes_known: bool,
}

impl Bar {
    pub fn new(what: &str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        Self::over(bar, what)
    }

    /// One of several bars.
    pub fn among(bars: &MultiProgress, what: &str) -> Self {
        Self::over(bars.add(ProgressBar::no_length()), what)
    }

    fn over(bar: ProgressBar, what: &str) -> Self {
        bar.set_style(style(UNKNOWN_TEMPLATE));
        bar.set_prefix(what.to_owned());
        bar.enable_steady_tick(SPINNER_INTERVAL);
        Self {
            bar,
            bytes_known: false,
        }
    }

    pub fn show(&mut self, done: u64, total: u64, message: String) {
        if total > 0 {
            if !self.bytes_known {
                self.bar.set_style(style(BYTES_TEMPLATE));
                // What was done before the watch began is no measure of speed.
                self.bar.reset_eta();
                self.bytes_known = true;
            }
            self.bar.set_length(total);
            self.bar.set_position(done);
        }
        self.bar.set_message(message);
    }

    pub fn set_what(&self, what: String) {
        self.bar.set_prefix(what);
    }

    pub fn say(&self, message: String) {
        self.bar.set_message(message);
    }

    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .expect("the templates are constants that a test builds")
        .progress_chars("=> ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_well_formed() {
        style(BYTES_TEMPLATE);
        style(UNKNOWN_TEMPLATE);
    }
}
