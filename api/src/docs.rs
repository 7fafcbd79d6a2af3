//! The reference for readers, made from the OpenAPI document: one page, no script, nothing loaded from elsewhere.

use std::collections::BTreeSet;

use actix_web::{HttpResponse, web};
use serde_json::{Map, Value};

use crate::discovery::{escape, html, page_with_index, phrase, prose};
use crate::wire::resource;

const METHODS: &[&str] = &["get", "head", "post", "put", "patch", "delete", "options"];
/// Objects in objects are shown in one table to this depth; deeper ones ought to be schemas of their own.
const DEPTH: usize = 6;

/// The page, made once at the start and kept in the application's data.
#[derive(Debug, Clone)]
pub struct Reference(web::Bytes);

impl Reference {
    /// The reference of this document.
    pub fn new(openapi: &Value) -> Self {
        Self(render(openapi).into())
    }
}

/// The route `/docs`. It reads a `web::Data<Reference>`.
pub fn configure(cfg: &mut web::ServiceConfig) {
    cfg.service(resource("/docs").get(docs));
}

async fn docs(reference: web::Data<Reference>) -> HttpResponse {
    html(reference.0.clone())
}

/// A whole HTML page from an OpenAPI 3.1 document. What the document lacks, the page lacks.
pub fn render(openapi: &Value) -> String {
    let document = Document { openapi };
    let groups = document.groups();
    let title = text(&openapi["info"]["title"]);
    let mut body = document.introduction();
    body.push_str(&document.authentication());
    for group in &groups {
        body.push_str(&document.group(group));
    }
    body.push_str(&document.schemas());
    page_with_index(&format!("{title} · reference"), &document.index(&groups), &body)
}

struct Document<'a> {
    openapi: &'a Value,
}

/// The operations of one tag.
struct Group<'a> {
    tag: String,
    description: &'a str,
    operations: Vec<Operation<'a>>,
}

struct Operation<'a> {
    method: &'static str,
    path: &'a str,
    /// Parameters and more that hold for the whole path.
    item: &'a Value,
    value: &'a Value,
}

impl Operation<'_> {
    fn anchor(&self) -> String {
        match self.value["operationId"].as_str() {
            Some(id) => format!("operation-{}", anchor(id)),
            None => format!("operation-{}-{}", self.method, anchor(self.path)),
        }
    }

    fn title(&self) -> String {
        let class = if self.value["deprecated"] == true { " class=\"deprecated\"" } else { "" };
        let title = self.value["summary"].as_str().unwrap_or(self.path);
        format!("<span{class}>{}</span>", phrase(title.trim_end_matches('.')))
    }
}

impl<'a> Document<'a> {
    fn groups(&self) -> Vec<Group<'a>> {
        let mut groups: Vec<Group<'a>> = list(&self.openapi["tags"])
            .iter()
            .map(|tag| Group {
                tag: text(&tag["name"]).to_owned(),
                description: text(&tag["description"]),
                operations: Vec::new(),
            })
            .collect();
        for (path, item) in entries(&self.openapi["paths"]) {
            for method in METHODS {
                let Some(value) = item.get(method) else { continue };
                let tag = value["tags"][0].as_str().unwrap_or("Other");
                let place = groups.iter().position(|group| group.tag == tag).unwrap_or_else(|| {
                    groups.push(Group { tag: tag.to_owned(), description: "", operations: Vec::new() });
                    groups.len() - 1
                });
                groups[place].operations.push(Operation { method, path, item, value });
            }
        }
        groups.retain(|group| !group.operations.is_empty());
        groups
    }

    fn index(&self, groups: &[Group]) -> String {
        let mut html = String::from(
            "<ul><li><a href=\"/\">Wijk aan Zet</a></li><li><a href=\"#main\">Introduction</a></li>",
        );
        html.push_str("<li><a href=\"#authentication\">Authentication</a></li></ul>");
        for Group { tag, operations, .. } in groups {
            html.push_str(&format!("<p><a href=\"#tag-{}\">{}</a></p><ul>", anchor(tag), escape(tag)));
            for operation in operations {
                html.push_str(&format!(
                    "<li><a href=\"#{}\">{}</a></li>",
                    operation.anchor(),
                    operation.title()
                ));
            }
            html.push_str("</ul>");
        }
        html.push_str("<p><a href=\"#schemas\">Schemas</a></p><ul>");
        for (name, _) in entries(&self.openapi["components"]["schemas"]) {
            html.push_str(&format!("<li><a href=\"#schema-{}\">{}</a></li>", anchor(name), escape(name)));
        }
        html + "</ul>"
    }

    fn introduction(&self) -> String {
        let info = &self.openapi["info"];
        let mut html = format!(
            "<p class=\"kicker\">Version {} · OpenAPI {}: <a href=\"/v1/openapi.json\">JSON</a>, \
             <a href=\"/v1/openapi.yaml\">YAML</a></p><h1>{}</h1>",
            escape(text(&info["version"])),
            escape(text(&self.openapi["openapi"])),
            escape(text(&info["title"]))
        );
        if let Some(summary) = info["summary"].as_str() {
            html.push_str(&format!("<p class=\"lede\">{}</p>", phrase(summary)));
        }
        html.push_str(&prose(text(&info["description"])));
        let mut facts = String::new();
        let mut fact = |name: &str, value: String| {
            if !value.is_empty() {
                facts.push_str(&format!("<dt>{name}</dt><dd>{value}</dd>"));
            }
        };
        for server in list(&self.openapi["servers"]) {
            let url = format!("<code>{}</code>", escape(text(&server["url"])));
            let description = phrase(text(&server["description"]));
            fact("Address", if description.is_empty() { url } else { format!("{url} {description}") });
        }
        let [name, url, email] = ["name", "url", "email"].map(|key| text(&info["contact"][key]));
        let contact: Vec<String> = [link(url, if name.is_empty() { url } else { name }), escape(email)]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect();
        fact("Contact", contact.join(", "));
        fact("Licence", link(text(&info["license"]["url"]), text(&info["license"]["name"])));
        if facts.is_empty() { html } else { format!("{html}<dl class=\"doors\">{facts}</dl>") }
    }

    fn authentication(&self) -> String {
        let mut html = String::from("<h2 id=\"authentication\">Authentication</h2>");
        let schemes = &self.openapi["components"]["securitySchemes"];
        let mut scopes: Vec<(String, String)> = Vec::new();
        for (name, scheme) in entries(schemes) {
            let kind: Vec<&str> = ["type", "scheme", "bearerFormat", "in", "name"]
                .iter()
                .filter_map(|key| scheme[*key].as_str())
                .collect();
            html.push_str(&format!("<h3>{}</h3><p>{}</p>", escape(name), escape(&kind.join(", "))));
            html.push_str(&prose(text(&scheme["description"])));
            for (_, flow) in entries(&scheme["flows"]) {
                for (scope, description) in entries(&flow["scopes"]) {
                    if !scopes.iter().any(|(known, _)| known == scope) {
                        scopes.push((scope.clone(), text(description).to_owned()));
                    }
                }
            }
        }
        if entries(schemes).is_empty() {
            html.push_str("<p>None is needed.</p>");
        }
        // A bearer scheme cannot list its scopes: its description does, or else the operations name them.
        let described = |scope: &str| {
            entries(schemes)
                .iter()
                .any(|(_, scheme)| text(&scheme["description"]).contains(&format!("`{scope}`")))
        };
        let named: BTreeSet<&str> = self
            .groups()
            .iter()
            .flat_map(|group| &group.operations)
            .flat_map(|operation| list(self.security(operation.value)))
            .flat_map(|requirement| entries(requirement))
            .flat_map(|(_, scopes)| list(scopes))
            .filter_map(Value::as_str)
            .collect();
        for scope in named {
            if !described(scope) && !scopes.iter().any(|(known, _)| known == scope) {
                scopes.push((scope.to_owned(), String::new()));
            }
        }
        let rows: Vec<[String; 2]> = scopes
            .iter()
            .map(|(scope, description)| [format!("<code>{}</code>", escape(scope)), phrase(description)])
            .collect();
        html + &table("Scopes", ["Scope", "What a token with it may do"], &rows)
    }

    /// The requirements of an operation, or those of the whole document.
    fn security<'v>(&'v self, operation: &'v Value) -> &'v Value {
        operation.get("security").unwrap_or(&self.openapi["security"])
    }

    fn group(&self, group: &Group) -> String {
        let Group { tag, description, operations } = group;
        let mut html =
            format!("<section><h2 id=\"tag-{}\">{}</h2>{}", anchor(tag), escape(tag), prose(description));
        for operation in operations {
            html.push_str(&self.operation(operation));
        }
        html + "</section>"
    }

    fn operation(&self, operation: &Operation) -> String {
        let Operation { method, path, item, value } = operation;
        let mut html = format!(
            "<article id=\"{}\"><h3>{}</h3><p class=\"call\"><b>{}</b> <code>{}</code></p>",
            operation.anchor(),
            operation.title(),
            method.to_uppercase(),
            escape(path)
        );
        if value["deprecated"] == true {
            html.push_str("<p class=\"warning\">Deprecated: it will go in a next major version.</p>");
        }
        html.push_str(&prose(text(&value["description"])));
        html.push_str(&self.access(value));
        html.push_str(&self.parameters(item, value));
        html.push_str(&self.request_body(&value["requestBody"]));
        html.push_str(&self.responses(&value["responses"]));
        html + "</article>"
    }

    fn access(&self, operation: &Value) -> String {
        let mut ways: Vec<String> = Vec::new();
        for requirement in list(self.security(operation)) {
            let schemes = entries(requirement);
            if schemes.is_empty() {
                ways.insert(0, "open to anybody".to_owned());
            }
            for (_, scopes) in schemes {
                let scopes: Vec<String> = list(scopes)
                    .iter()
                    .map(|scope| format!("<code>{}</code>", escape(text(scope))))
                    .collect();
                ways.push(match scopes.is_empty() {
                    true => "with a token".to_owned(),
                    false => format!("with a token that has the scope {}", scopes.join(" and ")),
                });
            }
        }
        ways.dedup();
        match ways.is_empty() {
            true => "<p><strong>Access:</strong> open to anybody.</p>".to_owned(),
            false => format!("<p><strong>Access:</strong> {}.</p>", ways.join("; or ")),
        }
    }

    fn parameters(&self, item: &Value, operation: &Value) -> String {
        let own: Vec<&Value> =
            list(&operation["parameters"]).iter().map(|value| self.resolve(value)).collect();
        let is_own =
            |shared: &Value| own.iter().any(|own| own["name"] == shared["name"] && own["in"] == shared["in"]);
        let shared = list(&item["parameters"]).iter().map(|value| self.resolve(value));
        let rows: Vec<[String; 4]> = shared
            .filter(|shared| !is_own(shared))
            .chain(own.iter().copied())
            .map(|parameter| {
                let schema = &parameter["schema"];
                let mut about = prose(text(&parameter["description"]));
                if parameter.get("description").is_none() {
                    about.push_str(&prose(text(&schema["description"])));
                }
                about.push_str(&self.constraints(schema));
                about.push_str(&examples(parameter));
                [
                    name(
                        text(&parameter["name"]),
                        parameter["required"] == true,
                        parameter["deprecated"] == true,
                    ),
                    escape(text(&parameter["in"])),
                    self.type_of(schema),
                    about,
                ]
            })
            .collect();
        titled(&table("Parameters", ["Name", "In", "Type", "About"], &rows), "Parameters")
    }

    fn request_body(&self, body: &Value) -> String {
        let body = self.resolve(body);
        if body.is_null() {
            return String::new();
        }
        let mut html = format!(
            "<h4>Request body{}</h4>{}",
            if body["required"] == true { ", required" } else { "" },
            prose(text(&body["description"]))
        );
        for (media, content) in entries(&body["content"]) {
            html.push_str(&format!(
                "<p><code>{}</code>: {}</p>{}",
                escape(media),
                self.type_of(&content["schema"]),
                // Of a schema with a name the fields stand here too: who fills in a body should not have to jump.
                self.fields(self.resolve(&content["schema"]))
            ));
            html.push_str(&self.media_examples(content));
        }
        html
    }

    fn responses(&self, responses: &Value) -> String {
        let mut details = String::new();
        let rows: Vec<[String; 4]> = entries(responses)
            .iter()
            .map(|(status, response)| {
                let response = self.resolve(response);
                let content: Vec<String> = entries(&response["content"])
                    .iter()
                    .map(|(media, content)| {
                        let examples = self.media_examples(content);
                        if !examples.is_empty() && status.starts_with('2') {
                            details.push_str(&examples);
                        }
                        match content.get("schema") {
                            Some(schema) => {
                                format!("<code>{}</code> {}", escape(media), self.type_of(schema))
                            }
                            None => format!("<code>{}</code>", escape(media)),
                        }
                    })
                    .collect();
                let headers: Vec<String> = entries(&response["headers"])
                    .iter()
                    .map(|(name, _)| format!("<code>{}</code>", escape(name)))
                    .collect();
                [
                    escape(status),
                    prose(text(&response["description"])),
                    content.join("<br>"),
                    headers.join(", "),
                ]
            })
            .collect();
        titled(&table("Responses", ["Status", "Meaning", "Body", "Headers"], &rows), "Responses") + &details
    }

    fn schemas(&self) -> String {
        let mut html = String::from("<section><h2 id=\"schemas\">Schemas</h2>");
        for (name, schema) in entries(&self.openapi["components"]["schemas"]) {
            html.push_str(&format!(
                "<article id=\"schema-{}\"><h3>{}</h3>{}<p><strong>Type:</strong> {}</p>{}{}{}</article>",
                anchor(name),
                escape(name),
                prose(text(&schema["description"])),
                self.type_of(schema),
                self.constraints(schema),
                self.fields(schema),
                examples(schema)
            ));
        }
        html + "</section>"
    }

    /// The fields of an object, and of the objects in it, as one table.
    fn fields(&self, schema: &Value) -> String {
        let mut rows = Vec::new();
        self.add_fields("", schema, DEPTH, &mut rows);
        table("Fields", ["Field", "Type", "About"], &rows)
    }

    fn add_fields(&self, prefix: &str, schema: &Value, depth: usize, rows: &mut Vec<[String; 3]>) {
        if depth == 0 {
            return;
        }
        for key in ["allOf", "oneOf", "anyOf"] {
            for part in list(&schema[key]).iter().filter(|part| part.get("$ref").is_none()) {
                self.add_fields(prefix, part, depth - 1, rows);
            }
        }
        let required = list(&schema["required"]);
        for (key, field) in entries(&schema["properties"]) {
            let path = format!("{prefix}{key}");
            let is_required = required.iter().any(|name| name == key.as_str());
            let about = prose(text(&field["description"])) + &self.constraints(field) + &examples(field);
            rows.push([name(&path, is_required, field["deprecated"] == true), self.type_of(field), about]);
            self.add_fields(&format!("{path}."), field, depth - 1, rows);
            self.add_fields(&format!("{path}[]."), &field["items"], depth - 1, rows);
        }
        if schema["additionalProperties"].is_object() {
            self.add_fields(&format!("{prefix}*."), &schema["additionalProperties"], depth - 1, rows);
        }
    }

    /// A type in words, with links to the schemas that have a name.
    fn type_of(&self, schema: &Value) -> String {
        if let Some(reference) = schema["$ref"].as_str() {
            let name = reference.rsplit('/').next().unwrap_or(reference);
            return format!("<a href=\"#schema-{}\">{}</a>", anchor(name), escape(name));
        }
        for (key, word) in [("oneOf", " or "), ("anyOf", " or "), ("allOf", " and ")] {
            let parts: Vec<String> = list(&schema[key]).iter().map(|part| self.type_of(part)).collect();
            if !parts.is_empty() {
                return parts.join(word);
            }
        }
        let kinds: Vec<&str> = match &schema["type"] {
            Value::String(kind) => vec![kind.as_str()],
            Value::Array(kinds) => kinds.iter().map(text).collect(),
            _ if schema["properties"].is_object() => vec!["object"],
            _ => {
                return if schema["enum"].is_array() || schema.get("const").is_some() {
                    "value"
                } else {
                    "any"
                }
                .to_owned();
            }
        };
        let parts: Vec<String> = kinds.iter().map(|kind| self.simple_type(kind, schema)).collect();
        parts.join(" or ")
    }

    fn simple_type(&self, kind: &str, schema: &Value) -> String {
        match kind {
            "array" => format!("array of {}", self.type_of(&schema["items"])),
            "object" if schema["additionalProperties"].is_object() => {
                format!("map of {}", self.type_of(&schema["additionalProperties"]))
            }
            "null" => "null".to_owned(),
            _ => match schema["format"].as_str() {
                Some(format) => format!("{} ({})", escape(kind), escape(format)),
                None => escape(kind),
            },
        }
    }

    /// What a value must keep to, in a line.
    fn constraints(&self, schema: &Value) -> String {
        let mut parts: Vec<String> = Vec::new();
        let values: Vec<String> = list(&schema["enum"]).iter().map(code).collect();
        if !values.is_empty() {
            parts.push(format!("one of {}", values.join(", ")));
        }
        for (key, words) in [
            ("const", "always"),
            ("default", "default"),
            ("minimum", "at least"),
            ("exclusiveMinimum", "more than"),
            ("maximum", "at most"),
            ("exclusiveMaximum", "less than"),
            ("multipleOf", "a multiple of"),
            ("pattern", "pattern"),
        ] {
            if let Some(value) = schema.get(key) {
                parts.push(format!("{words} {}", code(value)));
            }
        }
        for (least, most, what) in [
            ("minLength", "maxLength", "characters"),
            ("minItems", "maxItems", "items"),
            ("minProperties", "maxProperties", "fields"),
        ] {
            match (schema[least].as_u64(), schema[most].as_u64()) {
                (Some(least), Some(most)) => parts.push(format!("{least} to {most} {what}")),
                (Some(least), None) => parts.push(format!("at least {least} {what}")),
                (None, Some(most)) => parts.push(format!("at most {most} {what}")),
                (None, None) => {}
            }
        }
        for (key, holds, words) in [
            ("uniqueItems", true, "no item twice"),
            ("additionalProperties", false, "no other fields"),
            ("readOnly", true, "only in answers"),
            ("writeOnly", true, "only in requests"),
        ] {
            if schema[key] == holds {
                parts.push(words.to_owned());
            }
        }
        if schema["items"].is_object() && schema["items"].get("$ref").is_none() {
            let of_items = self.constraints(&schema["items"]);
            if !of_items.is_empty() {
                return line(&parts)
                    + &of_items.replacen("<p class=\"small\">", "<p class=\"small\">Each item: ", 1);
            }
        }
        line(&parts)
    }

    fn media_examples(&self, content: &Value) -> String {
        let mut html = examples(content);
        for (name, example) in entries(&content["examples"]) {
            let example = self.resolve(example);
            let title = example["summary"].as_str().unwrap_or(name);
            html.push_str(&example_block(title, &example["value"]));
        }
        html
    }

    /// What a reference within the document points at; anything else as it is.
    fn resolve(&self, value: &'a Value) -> &'a Value {
        value["$ref"]
            .as_str()
            .and_then(|reference| reference.strip_prefix('#'))
            .and_then(|pointer| self.openapi.pointer(pointer))
            .unwrap_or(value)
    }
}

/// A field's or parameter's name, and whether it must be there.
fn name(name: &str, required: bool, deprecated: bool) -> String {
    let class = if deprecated { " class=\"deprecated\"" } else { "" };
    let note = if required { "<span class=\"required\">required</span>" } else { "" };
    format!("<code{class}>{}</code>{note}", escape(name))
}

/// The example of a parameter, field or schema: a short one in the line, a long one to unfold.
fn examples(value: &Value) -> String {
    let example = value.get("example").or_else(|| value["examples"].get(0));
    match example {
        None | Some(Value::Null) => String::new(),
        Some(example @ (Value::Object(_) | Value::Array(_))) => example_block("Example", example),
        Some(example) => format!("<p class=\"small\">Example: {}</p>", code(example)),
    }
}

fn example_block(title: &str, example: &Value) -> String {
    let example = match example {
        Value::String(example) => example.clone(),
        other => serde_json::to_string_pretty(other).unwrap_or_default(),
    };
    let title = if title == "Example" { title.to_owned() } else { format!("Example: {}", escape(title)) };
    format!("<details><summary>{title}</summary><pre><code>{}</code></pre></details>", escape(&example))
}

fn code(value: &Value) -> String {
    let value = match value {
        Value::String(value) => value.clone(),
        other => other.to_string(),
    };
    format!("<code>{}</code>", escape(&value))
}

fn line(parts: &[String]) -> String {
    if parts.is_empty() { String::new() } else { format!("<p class=\"small\">{}</p>", parts.join("; ")) }
}

/// Nothing when there are no rows. A column that is empty throughout is left out.
fn table<const N: usize>(label: &str, columns: [&str; N], rows: &[[String; N]]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let shown: Vec<usize> = (0..N).filter(|column| rows.iter().any(|row| !row[*column].is_empty())).collect();
    let head: String =
        shown.iter().map(|column| format!("<th scope=\"col\">{}</th>", escape(columns[*column]))).collect();
    let cells = |row: &[String; N]| -> String {
        shown.iter().map(|column| format!("<td>{}</td>", row[*column])).collect()
    };
    let body: String = rows.iter().map(|row| format!("<tr>{}</tr>", cells(row))).collect();
    format!(
        "<div class=\"wide\"><table aria-label=\"{}\"><thead><tr>{head}</tr></thead>\
         <tbody>{body}</tbody></table></div>",
        escape(label)
    )
}

fn titled(html: &str, title: &str) -> String {
    if html.is_empty() { String::new() } else { format!("<h4>{title}</h4>{html}") }
}

/// A link to a web address; the text alone when it is no such address.
fn link(url: &str, label: &str) -> String {
    match url.starts_with("https://") || url.starts_with("http://") {
        true => format!("<a href=\"{}\">{}</a>", escape(url), escape(label)),
        false => escape(label),
    }
}

/// A name as it may stand behind `#`.
fn anchor(name: &str) -> String {
    name.chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' })
        .collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn entries(value: &Value) -> Vec<(&String, &Value)> {
    value.as_object().map(Map::iter).into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use actix_web::App;
    use actix_web::test::{TestRequest, call_service, init_service, read_body};
    use serde_json::json;

    use super::*;

    fn document() -> Value {
        json!({
            "openapi": "3.1.0",
            "info": {
                "title": "Advice & <answers>", "version": "1.2.3", "description": "First `code`.\n\nSecond <script>alert(1)</script>.",
                "contact": { "name": "Us", "url": "javascript:alert(1)", "email": "us@example.nl" },
                "license": { "name": "EUPL-1.2", "url": "https://eupl.eu/" }
            },
            "servers": [{ "url": "https://api.test/v1" }],
            "tags": [{ "name": "advice", "description": "Advice (advies)." }, { "name": "unused" }],
            "paths": {
                "/advice/{id}": {
                    "parameters": [{ "$ref": "#/components/parameters/Id" }],
                    "get": {
                        "tags": ["advice"], "operationId": "getAdvice", "summary": "Read an advice.",
                        "security": [{}, { "bearer": ["internal:read"] }],
                        "parameters": [{ "name": "limit", "in": "query", "description": "How many.",
                            "schema": { "type": "integer", "minimum": 1, "maximum": 1000, "default": 100 } }],
                        "responses": {
                            "200": { "description": "The advice.", "headers": { "ETag": {} },
                                "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Advice" },
                                    "example": { "subject": "</pre><b>" } } } },
                            "404": { "$ref": "#/components/responses/NotFound" }
                        }
                    },
                    "put": {
                        "tags": ["advice"], "operationId": "putAdvice", "summary": "Replace", "deprecated": true,
                        "security": [{ "bearer": ["advice:write"] }],
                        "requestBody": { "required": true, "content": { "application/json": {
                            "schema": { "$ref": "#/components/schemas/Advice" } } } },
                        "responses": { "204": { "description": "Done" } }
                    }
                },
                "/loose": { "get": { "responses": {} } }
            },
            "components": {
                "securitySchemes": { "bearer": { "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                    "description": "Scopes:\n\n`advice:write`: write." } },
                "parameters": { "Id": { "name": "id", "in": "path", "required": true, "schema": { "type": "string", "format": "uuid" } } },
                "responses": { "NotFound": { "description": "Nothing there." } },
                "schemas": {
                    "Advice": {
                        "type": "object", "required": ["subject"], "description": "An advice.", "additionalProperties": false,
                        "properties": {
                            "subject": { "type": "string", "minLength": 1, "maxLength": 300, "example": "<b>Trams</b>", "description": "What it is about." },
                            "kind": { "$ref": "#/components/schemas/Kind" },
                            "sentOn": { "type": ["string", "null"], "format": "date" },
                            "points": { "type": "array", "maxItems": 50, "items": { "type": "object",
                                "properties": { "number": { "type": "integer" } } } },
                            "labels": { "type": "object", "additionalProperties": { "type": "string" } }
                        }
                    },
                    "Kind": { "type": "string", "enum": ["letter", "<i>"] },
                    "Either": { "oneOf": [{ "$ref": "#/components/schemas/Kind" }, { "type": "null" }] },
                    "Loop": { "type": "object", "properties": { "next": { "$ref": "#/components/schemas/Loop" } } }
                }
            }
        })
    }

    #[test]
    fn all_text_is_escaped() {
        let page = render(&document());
        for markup in ["<script", "<b>Trams", "</pre><b>", "<answers>", "<i>", "href=\"javascript"] {
            assert!(!page.contains(markup), "{markup}");
        }
        assert!(page.contains("<h1>Advice &amp; &lt;answers&gt;</h1>"));
        assert!(page.contains("<p>First <code>code</code>.</p><p>Second &lt;script&gt;"));
        assert!(page.contains("<code>&lt;b&gt;Trams&lt;/b&gt;</code>"));
    }

    #[test]
    fn operations_tell_who_may_what() {
        let page = render(&document());
        for expected in [
            "<h2 id=\"tag-advice\">advice</h2><p>Advice (advies).</p>",
            "<article id=\"operation-getAdvice\"><h3><span>Read an advice</span></h3>",
            "<b>GET</b> <code>/advice/{id}</code>",
            "open to anybody; or with a token that has the scope <code>internal:read</code>.",
            "<strong>Access:</strong> with a token that has the scope <code>advice:write</code>.",
            "<code>id</code><span class=\"required\">required</span></td><td>path</td><td>string (uuid)</td>",
            "<p>How many.</p><p class=\"small\">default <code>100</code>; at least <code>1</code>; at most <code>1000</code></p>",
            "<td>200</td><td><p>The advice.</p></td><td><code>application/json</code> <a href=\"#schema-Advice\">Advice</a></td>",
            "<p>Nothing there.</p>",
            "<span class=\"deprecated\">Replace</span>",
            "Request body, required",
            "<p><code>advice:write</code>: write.</p>",
            "<tr><td><code>internal:read</code></td></tr></tbody>",
            "operation-get--loose",
        ] {
            assert!(page.contains(expected), "{expected}");
        }
        assert!(!page.contains("tag-unused") && !page.contains("<tr><td><code>advice:write"));
    }

    #[test]
    fn schemas_tell_fields_types_and_bounds() {
        let page = render(&document());
        for expected in [
            "<article id=\"schema-Advice\"><h3>Advice</h3><p>An advice.</p>",
            "<code>subject</code><span class=\"required\">required</span></td><td>string</td>",
            "1 to 300 characters",
            "<td><a href=\"#schema-Kind\">Kind</a></td>",
            "<td>string (date) or null</td>",
            "<td>array of object</td>",
            "<code>points[].number</code>",
            "<td>map of string</td>",
            "one of <code>letter</code>, <code>&lt;i&gt;</code>",
            "<a href=\"#schema-Kind\">Kind</a> or null",
            "no other fields",
        ] {
            assert!(page.contains(expected), "{expected}");
        }
    }

    #[test]
    fn every_link_on_the_page_arrives_and_every_anchor_is_one() {
        let page = render(&document());
        let after = |mark: &str| -> Vec<String> {
            page.split(mark).skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
        };
        let ids = after(" id=\"");
        let unique: BTreeSet<&String> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len());
        for target in after("href=\"#") {
            assert!(unique.contains(&target), "{target}");
        }
    }

    #[test]
    fn an_empty_document_is_still_a_page() {
        assert!(render(&Value::Null).contains("<h2 id=\"schemas\">"));
    }

    #[actix_web::test]
    async fn the_page_is_served_with_its_policy() {
        let reference = web::Data::new(Reference::new(&document()));
        let app = init_service(App::new().app_data(reference).configure(configure)).await;
        let answer = call_service(&app, TestRequest::with_uri("/docs").to_request()).await;
        assert_eq!(answer.headers().get("Content-Type").unwrap(), "text/html; charset=utf-8");
        assert!(answer.headers().contains_key("Content-Security-Policy"));
        assert!(read_body(answer).await.starts_with(b"<!doctype html>"));
    }
}
