//! The sample of the settings says the truth about them.

#[test]
fn the_sample_loads_names_every_key_and_shows_the_defaults() {
    testkit::sample::check::<standalone::Config>("standalone");
}
