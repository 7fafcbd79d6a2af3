//! The contract at work: the OpenAPI document that callers read is the one that their requests are checked against. So
//! what it says of fields, lengths and query keys holds, and every fault is told at once.

use std::collections::{HashMap, HashSet};

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{ValidationError, Validator};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::problem::{ApiError, InputError};

/// The document, ready to check requests.
pub struct Contract {
    /// As JSON text.
    pub json: String,
    /// As YAML text; `openapi.yaml` at the root of the project is the same.
    pub yaml: String,
    operations: HashMap<String, Operation>,
    bodies: HashMap<String, Validator>,
}

/// One operation of the document.
pub struct Operation {
    /// Sets of scopes, any one of which is enough. Empty where an anonymous caller may read.
    pub scopes: Vec<String>,
    /// Whether an anonymous caller may call it.
    pub anonymous: bool,
    /// The schema of the body.
    pub body: Option<String>,
    query: HashMap<String, Parameter>,
}

struct Parameter {
    kind: ParameterKind,
    validator: Validator,
}

#[derive(Clone, Copy)]
enum ParameterKind {
    Text,
    Integer,
    Boolean,
    List,
}

impl Contract {
    /// Reads the document. Fails only if the document itself is no good, which a test holds.
    pub fn new(value: &Value) -> Result<Self, String> {
        let json = serde_json::to_string_pretty(value).map_err(|error| error.to_string())? + "\n";
        let yaml = yaml_serde::to_string(value).map_err(|error| error.to_string())?;
        let components = &value["components"];
        let compile = |schema: Value| {
            let mut whole = schema;
            inline(&mut whole, components);
            jsonschema::draft202012::options()
                .should_validate_formats(true)
                .build(&whole)
                .map_err(|error| error.to_string())
        };
        let mut contract = Self { json, yaml, operations: HashMap::new(), bodies: HashMap::new() };
        for methods in value["paths"].as_object().into_iter().flat_map(Map::values) {
            for operation in methods.as_object().into_iter().flat_map(Map::values) {
                let Some(id) = operation["operationId"].as_str() else { continue };
                let mut query = HashMap::new();
                for parameter in operation["parameters"].as_array().into_iter().flatten() {
                    let (Some("query"), Some(name)) = (parameter["in"].as_str(), parameter["name"].as_str())
                    else {
                        continue;
                    };
                    let schema = &parameter["schema"];
                    let kind = kind_of(schema, components);
                    query.insert(name.to_owned(), Parameter { kind, validator: compile(schema.clone())? });
                }
                let body = operation["requestBody"]["content"]
                    .as_object()
                    .and_then(|content| content.values().next())
                    .and_then(|media| media["schema"]["$ref"].as_str())
                    .map(|reference| reference.trim_start_matches("#/components/schemas/").to_owned());
                let security = operation["security"].as_array();
                let scopes = security
                    .into_iter()
                    .flatten()
                    .filter_map(|requirement| requirement["bearer"].as_array())
                    .flatten()
                    .filter_map(Value::as_str)
                    .map(str::to_owned)
                    .collect();
                let anonymous = security.is_none_or(|requirements| {
                    requirements.is_empty()
                        || requirements.iter().any(|one| one.as_object().is_some_and(Map::is_empty))
                });
                contract.operations.insert(id.to_owned(), Operation { scopes, anonymous, body, query });
            }
        }
        for name in contract
            .operations
            .values()
            .filter_map(|operation| operation.body.clone())
            .chain(["AdviceText".to_owned()])
        {
            let schema = components["schemas"][&name].clone();
            contract.bodies.insert(name, compile(schema)?);
        }
        Ok(contract)
    }

    /// The operation of this id.
    pub fn operation(&self, id: &str) -> Result<&Operation, ApiError> {
        self.operations
            .get(id)
            .ok_or_else(|| ApiError::Internal(format!("operation {id} is not in the contract")))
    }

    /// Checks a body against a schema of the document and reads it.
    pub fn body<T: DeserializeOwned>(&self, schema: &str, mut value: Value) -> Result<T, ApiError> {
        whole_numbers(&mut value);
        let validator = self
            .bodies
            .get(schema)
            .ok_or_else(|| ApiError::Internal(format!("schema {schema} is not in the contract")))?;
        let mut errors = Vec::new();
        for error in validator.iter_errors(&value) {
            describe(&error, "body", "", &mut errors);
        }
        control_characters(&value, "", &mut errors);
        if errors.is_empty() {
            // What the schema lets through and the type does not, such as a number that no computer counts to.
            return serde_json::from_value(value).map_err(|_| {
                ApiError::invalid("body", "", "type", "does not fit the schema of this operation")
            });
        }
        Err(ApiError::Invalid(once_each(errors)))
    }
}

impl Operation {
    /// Checks the query and reads it.
    pub fn query<T: DeserializeOwned>(&self, text: &str) -> Result<T, ApiError> {
        let mut errors = Vec::new();
        let mut values = Map::new();
        let pairs: Vec<(String, String)> = actix_web::web::Query::<Vec<(String, String)>>::from_query(text)
            .map_err(|_| ApiError::invalid("query", "", "syntax", "is not a query of keys and values"))?
            .into_inner();
        for (name, text) in pairs {
            let Some(parameter) = self.query.get(&name) else {
                let known = self.known_keys();
                let location = if name.len() <= 60 { name } else { String::new() };
                errors.push(InputError::new(
                    "query",
                    location,
                    "unknown",
                    format!("is not known here; known are: {known}"),
                ));
                continue;
            };
            if let Some(known) = values.get_mut(&name) {
                // Some clients repeat the key where others join with commas.
                match (parameter.kind, known) {
                    (ParameterKind::List, Value::Array(all)) => all.extend(split(&text)),
                    _ => {
                        errors.push(InputError::new("query", name, "duplicate", "stands in the query twice"))
                    }
                }
                continue;
            }
            let value = match parameter.kind {
                ParameterKind::Text => Value::String(text),
                ParameterKind::Integer => text.parse::<i64>().map_or(Value::String(text), Value::from),
                ParameterKind::Boolean => match text.as_str() {
                    "true" => Value::Bool(true),
                    "false" => Value::Bool(false),
                    _ => Value::String(text),
                },
                ParameterKind::List => split(&text).collect(),
            };
            values.insert(name, value);
        }
        for (name, value) in &values {
            for error in self.query[name].validator.iter_errors(value) {
                describe(&error, "query", name, &mut errors);
            }
            let mut control = Vec::new();
            control_characters(value, "", &mut control);
            if !control.is_empty() {
                errors.push(InputError::new("query", name, "text.control", "holds a control character"));
            }
        }
        if errors.is_empty() {
            return serde_json::from_value(Value::Object(values))
                .map_err(|_| ApiError::invalid("query", "", "type", "does not fit the contract"));
        }
        Err(ApiError::Invalid(once_each(errors)))
    }

    fn known_keys(&self) -> String {
        let mut keys: Vec<&str> = self.query.keys().map(String::as_str).collect();
        keys.sort_unstable();
        if keys.is_empty() { "none".to_owned() } else { keys.join(", ") }
    }
}

/// The values of a list, joined by commas.
fn split(text: &str) -> impl Iterator<Item = Value> {
    text.split(',').map(|part| Value::String(part.to_owned()))
}

/// As many faults as one answer tells. A megabyte of fields that nobody knows would else be answered with five.
const MOST_FAULTS: usize = 100;
/// As many letters of a place as are told: the names on the way to it are the caller's own.
const LONGEST_PLACE: usize = 500;

/// Each fault once, and no more than a caller reads. A control character breaks the pattern of its field too; one of the two
/// says it better.
fn once_each(mut errors: Vec<InputError>) -> Vec<InputError> {
    let control: HashSet<String> = errors
        .iter()
        .filter(|error| error.code == "text.control")
        .map(|error| error.location.clone())
        .collect();
    errors.retain(|error| error.code != "pattern" || !control.contains(&error.location));
    errors.dedup();
    errors.truncate(MOST_FAULTS);
    for error in &mut errors {
        if let Some((end, _)) = error.location.char_indices().nth(LONGEST_PLACE) {
            error.location.truncate(end);
        }
    }
    errors
}

/// Puts each schema that is referred to in the place of the reference; no body of ours refers to itself.
fn inline(schema: &mut Value, components: &Value) {
    match schema {
        Value::Object(fields) => {
            let name =
                fields.get("$ref").and_then(Value::as_str).and_then(|reference| reference.rsplit('/').next());
            if let Some(name) = name {
                *schema = components["schemas"][name].clone();
                inline(schema, components);
                return;
            }
            fields.values_mut().for_each(|field| inline(field, components));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| inline(item, components)),
        _ => {}
    }
}

fn kind_of(schema: &Value, components: &Value) -> ParameterKind {
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) {
        return kind_of(&components["schemas"][name], components);
    }
    let is = |kind: &str| match &schema["type"] {
        Value::String(only) => only == kind,
        Value::Array(several) => several.iter().any(|one| one == kind),
        _ => false,
    };
    if is("array") {
        ParameterKind::List
    } else if is("integer") {
        ParameterKind::Integer
    } else if is("boolean") {
        ParameterKind::Boolean
    } else {
        ParameterKind::Text
    }
}

/// An error of the schema in our words, at its place. Never repeats what was sent, but for the name of an unknown field.
fn describe(error: &ValidationError<'_>, place: &str, parameter: &str, errors: &mut Vec<InputError>) {
    let path = error.instance_path().to_string();
    let at = |path: String| if parameter.is_empty() { path } else { parameter.to_owned() };
    let mut add = |path: String, code: &str, detail: String| {
        errors.push(InputError::new(place, at(path), code, detail))
    };
    match error.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            for name in unexpected {
                let shown: String = name.chars().take(60).collect();
                add(
                    format!("{path}/{}", pointer_step(&shown)),
                    "unknown",
                    "is not a field of this body".to_owned(),
                );
            }
        }
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            add(format!("{path}/{}", pointer_step(name)), "required", "is mandatory".to_owned());
        }
        ValidationErrorKind::Type { kind } => {
            let expected = match kind {
                TypeKind::Single(kind) => kind.to_string(),
                TypeKind::Multiple(kinds) => {
                    kinds.iter().map(|kind| kind.to_string()).collect::<Vec<_>>().join(" or ")
                }
            };
            add(path, "type", format!("expected {expected}"));
        }
        ValidationErrorKind::Format { format } => {
            let (code, expected) = match format.to_string().as_str() {
                "date" => ("date.format", "YYYY-MM-DD".to_owned()),
                "date-time" => {
                    ("date_time.format", "a moment with an offset, such as 2026-11-23T10:00:00Z".to_owned())
                }
                "uuid" => ("uuid.format", "a UUID".to_owned()),
                other => ("format", other.to_owned()),
            };
            add(path, code, format!("expected {expected}"));
        }
        ValidationErrorKind::Enum { options } => {
            let options: Vec<&str> =
                options.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            add(path, "enum", format!("expected one of: {}", options.join(", ")));
        }
        ValidationErrorKind::MinLength { limit } => {
            add(path, "length", format!("at least {limit} characters"))
        }
        ValidationErrorKind::MaxLength { limit } => {
            add(path, "length", format!("at most {limit} characters"))
        }
        ValidationErrorKind::MinItems { limit } => add(path, "length", format!("at least {limit} elements")),
        ValidationErrorKind::MaxItems { limit } => add(path, "length", format!("at most {limit} elements")),
        ValidationErrorKind::Minimum { limit } => add(path, "range", format!("at least {limit}")),
        ValidationErrorKind::Maximum { limit } => add(path, "range", format!("at most {limit}")),
        ValidationErrorKind::Pattern { pattern } => add(path, "pattern", format!("must match {pattern}")),
        ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context } => {
            // Of "null, or this" the second is what the caller meant.
            let only_null = |branch: &[ValidationError<'_>]| {
                matches!(branch, [error] if matches!(error.kind(),
                    ValidationErrorKind::Type { kind: TypeKind::Single(kind) } if kind.to_string() == "null"))
            };
            let meant = context.iter().max_by_key(|branch| {
                let deeper = branch.iter().filter(|error| error.instance_path().to_string() != path).count();
                (!only_null(branch), deeper)
            });
            match meant {
                Some(branch) if !branch.is_empty() => {
                    for error in branch {
                        describe(error, place, parameter, errors);
                    }
                }
                _ => add(path, "type", "does not fit the schema".to_owned()),
            }
        }
        _ => add(path, "schema", "does not fit the schema".to_owned()),
    }
}

/// To JSON 1.0 is the whole number 1 (JSON Schema, 4.2.3); to Rust it is not.
fn whole_numbers(value: &mut Value) {
    match value {
        Value::Number(number) => {
            let float =
                number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0 && float.abs() < 1e15);
            if let Some(float) = float {
                *value = Value::from(float as i64);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(whole_numbers),
        Value::Object(fields) => fields.values_mut().for_each(whole_numbers),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

fn pointer_step(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Control characters have no place in a text, and a database may not take them at all.
fn control_characters(value: &Value, path: &str, errors: &mut Vec<InputError>) {
    match value {
        Value::String(text) => {
            if text.chars().any(|c| c.is_ascii_control() && !matches!(c, '\n' | '\r' | '\t')) {
                errors.push(InputError::new("body", path, "text.control", "holds a control character"));
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                control_characters(item, &format!("{path}/{index}"), errors);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                control_characters(field, &format!("{path}/{}", pointer_step(name)), errors);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
