//! User-defined functions and aggregates.

use model::cql::{literal, quote};

use crate::cql_type::CqlType;
use crate::normal::normal_argument;

/// On which arguments a function of DSE keeps their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Monotonic {
    #[default]
    No,
    All,
    On(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    pub keyspace: String,
    pub name: String,
    pub arguments: Vec<(String, CqlType)>,
    pub called_on_null: bool,
    pub returns: CqlType,
    pub is_deterministic: bool,
    pub monotonic: Monotonic,
    pub language: String,
    pub body: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aggregate {
    pub keyspace: String,
    pub name: String,
    pub arguments: Vec<CqlType>,
    pub state_function: String,
    pub state_type: CqlType,
    pub final_function: Option<String>,
    /// The literal, as it was written.
    pub initial_condition: Option<String>,
    pub is_deterministic: bool,
}

impl Function {
    /// The name with the types of the arguments, because functions share names: the same whichever release printed it.
    pub fn signature(&self) -> String {
        signature(&self.name, self.arguments.iter().map(|(_, of)| of))
    }

    pub fn to_cql(&self) -> String {
        let arguments: Vec<String> = self
            .arguments
            .iter()
            .map(|(name, of)| format!("{} {of}", quote(name)))
            .collect();
        let on_null = match self.called_on_null {
            true => "CALLED",
            false => "RETURNS NULL",
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

/// Between `$$` where that can be read back.
fn body_text(body: &str) -> String {
    match body.contains("$$") || body.ends_with('$') {
        true => literal(body),
        false => format!("$${body}$$"),
    }
}

impl Aggregate {
    pub fn signature(&self) -> String {
        signature(&self.name, self.arguments.iter())
    }

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
