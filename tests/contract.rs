//! The document that callers build on: the same everywhere, complete, and true of the routes.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::http::{Method, StatusCode};
use api::wire::API_VERSION;
use serde_json::{Map, Value, json};

use crate::on_both_databases;
use crate::support::{TestApp, accord_of, agreement_of, id_of, motion, plan_of, target, track};

/// One operation of the document.
struct Operation {
    path: String,
    method: String,
    of_path: Vec<Value>,
    value: Value,
}

impl Operation {
    fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    fn parameters(&self, place: &str) -> BTreeSet<String> {
        let own = self.value["parameters"].as_array().cloned().unwrap_or_default();
        own.iter()
            .chain(&self.of_path)
            .filter(|parameter| parameter["in"] == place)
            .filter_map(|parameter| parameter["name"].as_str().map(str::to_owned))
            .collect()
    }

    fn responses(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.value["responses"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(status, response)| (status.as_str(), response))
    }

    fn is_change(&self) -> bool {
        self.method != "get"
    }
}

fn document() -> Value {
    api::openapi::document().unwrap()
}

fn operations(document: &Value) -> Vec<Operation> {
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let of_path = item["parameters"].as_array().cloned().unwrap_or_default();
        for (method, value) in item.as_object().unwrap().iter().filter(|(key, _)| *key != "parameters") {
            operations.push(Operation {
                path: path.clone(),
                method: method.clone(),
                of_path: of_path.clone(),
                value: value.clone(),
            });
        }
    }
    assert!(operations.len() > 50, "{}", operations.len());
    operations
}

/// Visits every object of the document, with its JSON Pointer.
fn each_object(value: &Value, at: &str, visit: &mut impl FnMut(&str, &Map<String, Value>)) {
    match value {
        Value::Object(fields) => {
            visit(at, fields);
            for (name, field) in fields {
                let step = name.replace('~', "~0").replace('/', "~1");
                each_object(field, &format!("{at}/{step}"), visit);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                each_object(item, &format!("{at}/{index}"), visit);
            }
        }
        _ => {}
    }
}

fn is_said(value: &Value) -> bool {
    value.as_str().is_some_and(|text| !text.trim().is_empty())
}

/// One of each that is kept whole, public where it can be, with something in it; addresses by the name of the list.
async fn kept_whole(app: &TestApp, holder: &str) -> BTreeMap<&'static str, String> {
    let accord = app.added("accords", accord_of("rozenburg")).await;
    let agreement = app.added("agreements", agreement_of(&accord, "1.1")).await;
    let track = app.added("policy-tracks", track()).await;
    app.tell(&track, "councils", json!({"council": "rozenburg", "role": "informed"})).await;
    let plan = app.added("participation-plans", plan_of(&track)).await;
    app.tell(&plan, "adoption", json!({"adoptedOn": "2026-03-01"})).await;
    let finding = json!({"council": "rozenburg", "promise": 1, "verdict": "kept", "on": "2026-10-01"});
    app.tell(&plan, "findings", finding).await;
    let talk = json!({"council": "rozenburg", "heldOn": "2026-10-01", "officeHolder": holder});
    let talk = app.added("talks", talk).await;
    app.tell(&talk, "lessons", json!({"text": "Eerder bellen", "owner": "wijkmanager"})).await;
    for item in [&accord, &track, &plan, &talk] {
        app.tell(item, "publication", json!({})).await;
    }
    let assignment = json!({
        "council": "rozenburg", "role": "coordinator", "position": "coordinator-07", "from": "2026-01-01"
    });
    BTreeMap::from([
        ("accords", accord),
        ("agreements", agreement),
        ("policy-tracks", track),
        ("participation-plans", plan),
        ("talks", talk),
        ("commitments", app.added("commitments", motion("24bb002121")).await),
        ("collegetargets", app.added("collegetargets", target()).await),
        ("assignments", app.added("assignments", assignment).await),
    ])
}

on_both_databases! {
    /// Both serve the very file that stands in the repository, to anybody.
    async fn the_document_is_the_file_at_the_root(app: TestApp) {
        let file = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi.yaml")).unwrap();
        let yaml = app.get("/v1/openapi.yaml").send().await;
        assert_eq!(yaml.header("content-type"), "application/yaml");
        assert!(yaml.text() == file, "openapi.yaml is not the generated one: `wijkaanzet openapi` makes it");
        let json = app.get("/v1/openapi.json").send().await;
        assert_eq!(json.header("content-type"), "application/json");
        assert_eq!(json.json(), document());
        assert_eq!(json.header("access-control-allow-origin"), "*");
        assert_eq!(json.json()["info"]["version"], json.header("api-version"));
    }

    /// With the ids of things that are there, no operation ends in "not found" or "method not allowed".
    async fn every_operation_of_the_document_answers(app: TestApp) {
        let advice = app.received("rozenburg", "2026-10-01").await;
        app.record(&advice, "publication", serde_json::json!({})).await;
        let rules = app.get("/v1/term-rules").send().await.json();
        let rule = rules["items"][0]["id"].as_str().unwrap().to_owned();
        let body = serde_json::json!({"name": "A. Voorbeeld", "office": "alderman"});
        let holder = app.post("/v1/office-holders", body).token(&app.almighty()).send().await;
        assert_eq!(holder.status, StatusCode::CREATED, "{}", holder.text());
        let holder = holder.json()["id"].as_str().unwrap().to_owned();
        let public = kept_whole(&app, &holder).await;
        let finding = app.whole(&public["participation-plans"]).await.json()["findings"][0]["id"].clone();
        let document = document();
        for operation in operations(&document) {
            let id = match operation.path.split('/').nth(1).unwrap() {
                "term-rules" => &rule,
                "office-holders" => &holder,
                list => public.get(list).map_or(advice.as_str(), |item| id_of(item)),
            };
            let code = match operation.path.split('/').nth(1).unwrap() {
                "areas" => "charlois",
                "neighbourhoods" => "BU05990110",
                "clusters" => "so",
                "themes" => "mobility",
                "metrics" => "volume",
                "terms-of-office" => "2022-2026",
                "obligations" => "participation-plan",
                _ => "rozenburg",
            };
            let path = operation
                .path
                .replace("{id}", id)
                .replace("{code}", code)
                .replace("{suspensionId}", &advice)
                .replace("{findingId}", finding.as_str().unwrap())
                .replace("{number}", "1");
            let query = if path.ends_with("/calculation") { "?receivedOn=2026-01-01" } else { "" };
            let method: Method = operation.method.to_uppercase().parse().unwrap();
            let reply = app.ask(method, &format!("/v1{path}{query}")).send().await;
            let open = operation.value["security"].as_array().is_none_or(|ways| {
                ways.is_empty() || ways.iter().any(|way| way.as_object().is_some_and(Map::is_empty))
            });
            let expected = if open { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
            assert_eq!(reply.status, expected, "{}: {}", operation.name(), reply.text());
        }
    }
}

#[test]
fn the_document_says_whose_it_is() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["version"], API_VERSION);
    for field in ["name", "url", "email"] {
        assert!(is_said(&document["info"]["contact"][field]), "contact.{field}");
    }
    assert_eq!(document["info"]["license"]["identifier"], "EUPL-1.2");
    let server = document["servers"][0]["url"].as_str().unwrap();
    assert!(server.starts_with("https://") && server.ends_with("/v1"), "{server}");
}

#[test]
fn every_reference_resolves() {
    let document = document();
    let mut seen = 0;
    each_object(&document, "", &mut |at, fields| {
        if let Some(reference) = fields.get("$ref").and_then(Value::as_str) {
            let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{at}: {reference}"));
            assert!(document.pointer(pointer).is_some(), "{at}: {reference} is not there");
            seen += 1;
        }
    });
    assert!(seen > 100);
}

#[test]
fn every_operation_explains_itself() {
    let document = document();
    let tags: BTreeSet<&str> =
        document["tags"].as_array().unwrap().iter().filter_map(|tag| tag["name"].as_str()).collect();
    let mut ids = BTreeSet::new();
    for operation in operations(&document) {
        let name = operation.name();
        for field in ["summary", "description"] {
            assert!(is_said(&operation.value[field]), "{name}: {field}");
        }
        let id = operation.value["operationId"].as_str().unwrap_or_else(|| panic!("{name}: operationId"));
        assert!(ids.insert(id.to_owned()), "{name}: {id} is there twice");
        let own: Vec<&str> =
            operation.value["tags"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        assert!(!own.is_empty() && own.iter().all(|tag| tags.contains(tag)), "{name}: {own:?}");
        assert!(operation.responses().any(|(status, _)| status == "400"), "{name}: 400");
        for parameter in operation.value["parameters"].as_array().into_iter().flatten() {
            assert!(is_said(&parameter["description"]), "{name}: {parameter}");
        }
    }
}

#[test]
fn paths_and_names_are_spelt_as_agreed() {
    let document = document();
    let kebab = |step: &str| step.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    let camel = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    for operation in operations(&document) {
        for step in operation.path.trim_start_matches('/').split('/') {
            let fits =
                step.starts_with('{') || kebab(step) || matches!(step, "openapi.json" | "openapi.yaml");
            assert!(fits, "{}", operation.name());
        }
        for name in operation.parameters("query") {
            assert!(camel(&name), "{}: {name}", operation.name());
        }
    }
    each_object(&document["components"]["schemas"], "", &mut |at, fields| {
        for name in fields.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::keys) {
            assert!(camel(name), "{at}: {name}");
        }
    });
}

#[test]
fn what_a_handler_needs_stands_in_the_document() {
    let document = document();
    for operation in operations(&document) {
        let name = operation.name();
        let in_path: BTreeSet<String> = operation
            .path
            .split('/')
            .filter_map(|step| step.strip_prefix('{')?.strip_suffix('}').map(str::to_owned))
            .collect();
        assert_eq!(operation.parameters("path"), in_path, "{name}");
        let headers = operation.parameters("header");
        let changes_what_is_there = matches!(operation.method.as_str(), "patch" | "put" | "delete")
            || operation.method == "post" && operation.path.contains("{id}");
        assert_eq!(headers.contains("If-Match"), changes_what_is_there, "{name}");
        assert_eq!(headers.contains("Idempotency-Key"), operation.is_change(), "{name}");
        let streams = operation.path.starts_with("/bi/");
        assert_eq!(headers.contains("If-None-Match"), !operation.is_change() && !streams, "{name}");
        let takes_body = operation.is_change() && operation.method != "delete";
        let content = operation.value["requestBody"]["content"].as_object();
        assert_eq!(content.is_some(), takes_body, "{name}");
        if let Some(content) = content {
            let expected = match operation.method.as_str() {
                "patch" => "application/merge-patch+json",
                _ => "application/json",
            };
            assert_eq!(content.keys().collect::<Vec<_>>(), [expected], "{name}");
            assert_eq!(operation.value["requestBody"]["required"], true, "{name}");
        }
        if operation.is_change() {
            let ways = operation.value["security"].as_array().cloned().unwrap_or_default();
            let named = ways.iter().all(|way| way["bearer"].as_array().is_some_and(|all| !all.is_empty()));
            assert!(!ways.is_empty() && named, "{name}: names no scope");
        }
    }
}

#[test]
fn every_answer_is_declared_whole() {
    let document = document();
    for operation in operations(&document) {
        let statuses: BTreeSet<&str> = operation.responses().map(|(status, _)| status).collect();
        let mut expected = BTreeSet::from(["400", "401", "406", "429", "500", "503"]);
        if operation.is_change() {
            expected.extend(["403", "409", "413", "422"]);
        }
        if operation.path.contains('{') {
            expected.insert("404");
        }
        if operation.parameters("header").contains("If-Match") {
            expected.extend(["412", "428"]);
        }
        if operation.value["requestBody"].is_object() {
            expected.insert("415");
        }
        let missing: Vec<_> = expected.difference(&statuses).collect();
        assert!(missing.is_empty(), "{}: {missing:?}", operation.name());
        for (status, response) in operation.responses() {
            let name = format!("{} {status}", operation.name());
            assert!(is_said(&response["description"]), "{name}");
            let headers = &response["headers"];
            if status.starts_with(['2', '3']) {
                assert_eq!(headers["API-Version"]["required"], true, "{name}");
            } else {
                let content = response["content"].as_object().unwrap_or_else(|| panic!("{name}"));
                assert_eq!(content.keys().collect::<Vec<_>>(), ["application/problem+json"], "{name}");
                let schema = &content["application/problem+json"]["schema"]["$ref"];
                assert_eq!(schema, "#/components/schemas/Problem", "{name}");
            }
            let needed: &[&str] = match status {
                "201" => &["Location", "ETag"],
                "308" => &["Location"],
                "304" => &["ETag"],
                "401" => &["WWW-Authenticate"],
                "429" | "503" => &["Retry-After"],
                _ => &[],
            };
            for header in needed {
                assert!(headers[header].is_object(), "{name}: {header}");
            }
            let pages = ["cursor", "after"].iter().any(|key| operation.parameters("query").contains(*key));
            if status == "200" && pages {
                assert!(headers["Link"].is_object(), "{name}: Link");
            }
        }
    }
    let problem = &document["components"]["schemas"]["Problem"];
    assert!(problem["type"] == "object" && problem.get("allOf").is_none(), "{problem}");
}

#[test]
fn every_schema_and_field_has_a_description() {
    let document = document();
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        assert!(is_said(&schema["description"]), "{name}");
    }
    each_object(&document["components"]["schemas"], "", &mut |at, fields| {
        for (name, field) in fields.get("properties").and_then(Value::as_object).into_iter().flatten() {
            let within = field["oneOf"].as_array().into_iter().flatten();
            let said =
                is_said(&field["description"]) || within.into_iter().any(|one| is_said(&one["description"]));
            assert!(said, "{at}: {name}");
        }
    });
}

#[test]
fn examples_stand_in_the_components() {
    let document = document();
    let mut examples = 0;
    each_object(&document["components"], "", &mut |_, fields| {
        examples += usize::from(fields.contains_key("example") || fields.contains_key("examples"));
    });
    assert!(examples > 20, "{examples}");
    // The government's linter takes a key that contains "post", "put" or "patch" for an operation.
    each_object(&document["paths"], "", &mut |at, fields| {
        for example in fields.get("example").into_iter().chain(fields.get("examples")) {
            each_object(example, at, &mut |at, fields| {
                let taken =
                    fields.keys().find(|key| ["post", "put", "patch"].iter().any(|verb| key.contains(verb)));
                assert_eq!(taken, None, "{at}");
            });
        }
    });
}

/// Of two types with one name the document would keep one, and describe the other by it, without a word.
#[test]
fn each_schema_is_of_one_type() {
    let mut files: Vec<std::path::PathBuf> = ["src", "../domain/src"]
        .map(|folder| std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder))
        .into();
    let mut types: std::collections::BTreeMap<String, usize> = std::collections::BTreeMap::new();
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let (mut described, mut other_name) = (false, None);
        for line in std::fs::read_to_string(&path).unwrap().lines() {
            described |= line.starts_with("#[derive(") && line.contains("ToSchema");
            if let Some(name) = line.strip_prefix("#[schema(as = ") {
                other_name = Some(name.trim_end_matches(|c: char| !c.is_alphanumeric()).to_owned());
            }
            let name = line.trim_start_matches("pub ").trim_start_matches("pub(crate) ");
            let Some(name) = name.strip_prefix("struct ").or(name.strip_prefix("enum ")) else { continue };
            let name = name.split(|c: char| !c.is_alphanumeric()).next().unwrap().to_owned();
            if std::mem::take(&mut described) {
                *types.entry(other_name.take().unwrap_or(name)).or_default() += 1;
            }
        }
    }
    assert!(types.len() > 100, "{types:?}");
    let shared: Vec<&String> = types.iter().filter(|(_, types)| **types > 1).map(|(name, _)| name).collect();
    assert_eq!(shared, Vec::<&String>::new());
}
