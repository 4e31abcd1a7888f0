//! Parses the statements of a schema in the dialect of any release line.

mod alter;
mod cursor;
mod entries;
mod error;
mod function;
mod index;
mod option;
mod script;
mod statement;
mod table;
mod types;
mod view;

pub use error::{ParseError, ParseErrorKind, ParseProblem};
pub use statement::{Alters, Made, OnExisting, Statement, parse_statement};
pub use types::parse_type;
