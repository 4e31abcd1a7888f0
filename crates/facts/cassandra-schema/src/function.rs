//! User-defined functions and aggregates.

use model::cql::{literal, quote};

use crate::cql_type::CqlType;
use crate::normal::normal_argument;

/// In which arguments a function of DSE is monotonic.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Monotonic {
    /// Not monotonic.
    #[default]
    No,
    /// `MONOTONIC`: in all arguments.
    All,
    /// `MONOTONIC ON`: in this argument.
    On(String),
}

/// A user-defined function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its keyspace.
    pub keyspace: String,
    /// Its name, which functions with other arguments may share.
    pub name: String,
    /// Names and types of the arguments.
    pub arguments: Vec<(String, CqlType)>,
    /// `CALLED ON NULL INPUT`; else it returns null.
    pub called_on_null: bool,
    /// The type of the result.
    pub returns: CqlType,
    /// `DETERMINISTIC`, which DSE has.
    pub is_deterministic: bool,
    /// `MONOTONIC`, which DSE has.
    pub monotonic: Monotonic,
    /// The language of the body.
    pub language: String,
    /// The source code.
    pub body: String,
}

/// A user-defined aggregate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aggregate {
    /// Its keyspace.
    pub keyspace: String,
    /// Its name, which aggregates with other arguments may share.
    pub name: String,
    /// The types of the arguments.
    pub arguments: Vec<CqlType>,
    /// `SFUNC`: the function that is called for each row.
    pub state_function: String,
    /// `STYPE`: the type of the state.
    pub state_type: CqlType,
    /// `FINALFUNC`: the function that makes the result of the state.
    pub final_function: Option<String>,
    /// `INITCOND`: the literal, as it was written.
    pub initial_condition: Option<String>,
    /// `DETERMINISTIC`, which DSE has.
    pub is_deterministic: bool,
}

impl Function {
    /// The name with the types of the arguments, because functions share names. It is the same whichever release
    /// printed the function.
    pub fn signature(&self) -> String {
        signature(&self.name, self.arguments.iter().map(|(_, of)| of))
    }

    /// The statement that creates it.
    pub fn to_cql(&self) -> String {
        let arguments: Vec<String> = self
            .arguments
            .iter()
            .map(|(name, of)| format!("{} {of}", quote(name)))
            .collect();
        let on_null = if self.called_on_null {
            "CALLED"
        } else {
            "RETURNS NULL"
        };
        let mut cql = format!(
            "CREATE FUNCTION {}.{}({})\n    {on_null} ON NULL INPUT\n    RETURNS {}",
            quote(&self.keyspace),
            quote(&self.name),
            arguments.join(", "),
            self.returns
        );
        if self.is_deterministic {
            cql.push_str("\n    DETERMINISTIC");
        }
        match &self.monotonic {
            Monotonic::No => {}
            Monotonic::All => cql.push_str("\n    MONOTONIC"),
            Monotonic::On(name) => cql.push_str(&format!("\n    MONOTONIC ON {}", quote(name))),
        }
        cql.push_str(&format!(
            "\n    LANGUAGE {}\n    AS {}",
            self.language,
            body_text(&self.body)
        ));
        cql
    }
}

/// The body between `$$`, if that can be parsed back, else as a string.
fn body_text(body: &str) -> String {
    if body.contains("$$") || body.ends_with('$') {
        literal(body)
    } else {
        format!("$${body}$$")
    }
}

impl Aggregate {
    /// The name with the types of the arguments, as [`Function::signature`].
    pub fn signature(&self) -> String {
        signature(&self.name, self.arguments.iter())
    }

    /// The statement that creates it.
    pub fn to_cql(&self) -> String {
        let arguments: Vec<String> = self.arguments.iter().map(ToString::to_string).collect();
        let mut cql = format!(
            "CREATE AGGREGATE {}.{}({})\n    SFUNC {}\n    STYPE {}",
            quote(&self.keyspace),
            quote(&self.name),
            arguments.join(", "),
            quote(&self.state_function),
            self.state_type
        );
        if let Some(function) = &self.final_function {
            cql.push_str(&format!("\n    FINALFUNC {}", quote(function)));
        }
        if let Some(condition) = &self.initial_condition {
            cql.push_str(&format!("\n    INITCOND {condition}"));
        }
        if self.is_deterministic {
            cql.push_str("\n    DETERMINISTIC");
        }
        cql
    }
}

fn signature<'a>(name: &str, types: impl Iterator<Item = &'a CqlType>) -> String {
    let types: Vec<String> = types.map(|of| normal_argument(of).to_string()).collect();
    format!("{name}({})", types.join(", "))
}
