//! Names of Java classes.

/// The name of a class without its package.
pub fn simple_name(class: &str) -> &str {
    class.rsplit('.').next().unwrap_or(class)
}
