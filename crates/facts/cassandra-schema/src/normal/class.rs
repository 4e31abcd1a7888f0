//! Class names, which may be written with or without their package.

pub(crate) const COMPACTION: &str = "org.apache.cassandra.db.compaction.";
pub(crate) const COMPRESSION: &str = "org.apache.cassandra.io.compress.";
pub(crate) const TYPES: &str = "org.apache.cassandra.db.marshal.";

/// The class name without this package. A class of another package keeps its package, because it is another class.
pub(crate) fn simple_class<'a>(class: &'a str, package: &str) -> &'a str {
    match class.strip_prefix(package) {
        Some(simple) if !simple.contains('.') => simple,
        _ => class,
    }
}
