//! The contract: the OpenAPI document, made from the handlers and completed in one place with what every operation shares.

use std::collections::BTreeMap;

use serde_json::Value;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{HttpMethod, Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{Ref, RefOr, Required, Response};
use utoipa::{Modify, OpenApi};

use crate::dossier::{
    accord, agreement, assignment, collegetarget, commitment, participation_plan, policy_track, talk,
};
use crate::{
    advice, advice_request, bi, changes, coverage, history, journal, metrics, paging, problem, registry,
};

/// The document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Wijk aan Zet API",
        description = "The public, real-time overview of the advice of Rotterdam's 39 neighbourhood councils (wijkraden and dorpsraden): \
the advice, the answers of the college, the expected answer date and the status (motion 25bb004228; letter of the college of 22 April 2025, \
reference M2404-1809).\n\nAnyone may read what is published. Everything else needs a bearer token (OAuth 2.0). Status, outcome and term are \
derived from what happened; nobody types them in. The Dutch word of each field stands in its description; `GET /codes` gives the Dutch label of each code.",
        contact(name = "Gemeente Rotterdam, programma Wijk aan Zet", url = "https://www.rotterdam.nl/wijk-aan-zet", email = "wijkaanzet@rotterdam.nl"),
        license(name = "EUPL-1.2", identifier = "EUPL-1.2")
    ),
    servers((url = "https://api.wijkaanzet.rotterdam.nl/v1", description = "Production")),
    tags(
        (name = "advice", description = "Advice (adviezen) of the councils, and the answers to it."),
        (name = "advice-requests", description = "Requests for advice (adviesaanvragen)."),
        (name = "agreements", description = "Accords (wijkakkoorden) and their agreements (afspraken), with progress and judgement."),
        (name = "participation", description = "Policy tracks (beleidstrajecten), participation plans (participatieplannen) and findings (bevindingen)."),
        (name = "commitments", description = "Commitments to the municipal council: motions and undertakings (moties en toezeggingen)."),
        (name = "collegetargets", description = "Collegetargets, and what was measured."),
        (name = "support", description = "Who supports the councils, and talks with their wijkwethouder."),
        (name = "metrics", description = "Figures (cijfers), how each is calculated, and what stands behind it."),
        (name = "bi", description = "Flat tables for BI, and what is here and what is missing."),
        (name = "changes", description = "The ordered feed of all changes."),
        (name = "audit", description = "The journal (logboek) and its daily roots, to prove what happened."),
        (name = "reference", description = "Councils, areas, term rules and other reference tables."),
        (name = "contract", description = "This document.")
    ),
    paths(
        advice::list_advice, advice::draft_advice, advice::get_advice, advice::change_advice, advice::delete_draft,
        advice::get_advice_term, advice::get_advice_timeline,
        advice::adopt_advice, advice::ratify_advice, advice::cosign_advice, advice::submit_advice, advice::receive_advice,
        advice::treat_advice, advice::suspend_advice, advice::end_suspension, advice::extend_advice,
        advice::respond_to_advice, advice::get_response_draft, advice::put_response_draft, advice::withdraw_advice,
        advice::merge_advice, advice::forward_advice, advice::follow_up_advice, advice::rate_advice, advice::close_advice,
        advice::correct_advice, advice::publish_advice, advice::unpublish_advice,
        advice_request::list_advice_requests, advice_request::get_advice_request, advice_request::request_advice,
        advice_request::refuse_advice_request,
        accord::list_accords,
        accord::get_accord,
        accord::add_accord,
        accord::change_accord,
        accord::publish_accord,
        accord::unpublish_accord,
        agreement::list_agreements,
        agreement::get_agreement,
        agreement::add_agreement,
        agreement::change_agreement,
        agreement::list_progress,
        agreement::report_progress,
        agreement::list_judgements,
        agreement::judge_agreement,
        agreement::watch_agreement,
        agreement::escalate_agreement,
        policy_track::list_policy_tracks,
        policy_track::get_policy_track,
        policy_track::add_policy_track,
        policy_track::change_policy_track,
        policy_track::record_phase,
        policy_track::inform_council,
        policy_track::publish_policy_track,
        policy_track::unpublish_policy_track,
        participation_plan::list_participation_plans,
        participation_plan::get_participation_plan,
        participation_plan::add_participation_plan,
        participation_plan::change_participation_plan,
        participation_plan::adopt_participation_plan,
        participation_plan::publish_participation_plan,
        participation_plan::unpublish_participation_plan,
        participation_plan::list_findings,
        participation_plan::record_finding,
        participation_plan::reply_to_finding,
        commitment::list_commitments,
        commitment::get_commitment,
        commitment::add_commitment,
        commitment::change_commitment,
        commitment::settle_commitment,
        collegetarget::list_collegetargets,
        collegetarget::get_collegetarget,
        collegetarget::add_collegetarget,
        collegetarget::change_collegetarget,
        collegetarget::list_measurements,
        collegetarget::record_measurement,
        talk::list_talks,
        talk::get_talk,
        talk::add_talk,
        talk::correct_talk,
        talk::add_lesson,
        talk::close_lesson,
        talk::publish_talk,
        talk::unpublish_talk,
        assignment::list_assignments,
        assignment::get_assignment,
        assignment::add_assignment,
        assignment::end_assignment,
        metrics::list_metrics, metrics::get_metric, metrics::list_metric_items,
        bi::list_bi_columns,
        bi::get_bi_advice,
        bi::get_bi_advice_councils,
        bi::get_bi_advice_themes,
        bi::get_bi_points,
        bi::get_bi_responses,
        bi::get_bi_agreements,
        bi::get_bi_progress,
        bi::get_bi_judgements,
        bi::get_bi_findings,
        bi::get_bi_councils,
        bi::get_bi_areas,
        bi::get_bi_clusters,
        bi::get_bi_themes,
        bi::get_bi_office_holders,
        bi::get_bi_dates,
        coverage::list_coverage,
        changes::list_changes,
        journal::list_journal,
        journal::list_journal_roots,
        history::get_advice_history,
        history::get_response_draft_history,
        history::get_advice_request_history,
        history::get_accord_history,
        history::get_agreement_history,
        history::get_policy_track_history,
        history::get_participation_plan_history,
        history::get_commitment_history,
        history::get_collegetarget_history,
        history::get_talk_history,
        history::get_assignment_history,
        history::get_council_history,
        history::get_area_history,
        history::get_neighbourhood_history,
        history::get_cluster_history,
        history::get_theme_history,
        history::get_term_of_office_history,
        history::get_obligation_history,
        history::get_term_rule_history,
        history::get_office_holder_history,
        registry::list_councils, registry::get_council, registry::list_areas, registry::get_area,
        registry::list_neighbourhoods, registry::get_neighbourhood, registry::list_clusters, registry::get_cluster,
        registry::list_themes, registry::get_theme, registry::list_terms_of_office, registry::get_term_of_office,
        registry::list_obligations, registry::get_obligation, registry::change_obligation,
        registry::list_term_rules, registry::get_term_rule, registry::calculate_term, registry::add_term_rule, registry::end_term_rule,
        registry::list_office_holders, registry::get_office_holder, registry::add_office_holder, registry::erase_office_holder,
        registry::list_codes, registry::list_holidays, registry::list_unplaced_rows,
        openapi_json, openapi_yaml
    ),
    components(schemas(problem::Problem, problem::InputError, paging::Tombstone, paging::Format, paging::CsvDialect, domain::ids::AreaCode)),
    modifiers(&Shared)
)]
pub struct ApiDoc;

/// This document as JSON.
#[utoipa::path(get, path = "/openapi.json", operation_id = "getOpenApiJson", tag = "contract",
    responses((status = 200, description = "The document.", body = Object)), security(()))]
#[allow(dead_code, reason = "documents the route")]
fn openapi_json() {}

/// This document as YAML.
#[utoipa::path(get, path = "/openapi.yaml", operation_id = "getOpenApiYaml", tag = "contract",
    responses((status = 200, description = "The document.", body = Object, content_type = "application/yaml")), security(()))]
#[allow(dead_code, reason = "documents the route")]
fn openapi_yaml() {}

/// The document as callers get it: what utoipa makes, and what it has no word for.
pub fn document() -> Result<Value, String> {
    let text = ApiDoc::openapi().to_json().map_err(|error| error.to_string())?;
    let mut document: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    each_history(&mut document);
    each_header(&mut document);
    each_path(&mut document);
    each_all_of(&mut document);
    each_link(&mut document);
    each_text(&mut document);
    Ok(document)
}

/// The histories have one schema with the item in it, of which utoipa writes out each use: here they get names like those of other
/// schemas, and name the item instead of repeating it.
fn each_history(document: &mut Value) {
    fn rename(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(reference)) = fields.get_mut("$ref")
                    && let Some(name) = reference.strip_prefix(SCHEMAS).and_then(history_name)
                {
                    *reference = format!("{SCHEMAS}{name}");
                }
                fields.values_mut().for_each(rename);
            }
            Value::Array(items) => items.iter_mut().for_each(rename),
            _ => {}
        }
    }
    rename(document);
    let Some(schemas) = document["components"]["schemas"].as_object_mut() else { return };
    for (name, mut schema) in std::mem::take(schemas) {
        if let Some(of) = name.strip_prefix("HistoryEntry_") {
            let description =
                "The whole item as it then was, with what follows from the day as on the day of the entry.";
            schema["properties"]["item"] =
                serde_json::json!({"$ref": format!("{SCHEMAS}{of}"), "description": description});
        }
        schemas.insert(history_name(&name).unwrap_or(name), schema);
    }
}

const SCHEMAS: &str = "#/components/schemas/";

/// The name of a schema of a history; none where it is another.
fn history_name(name: &str) -> Option<String> {
    let (of, ending) = match name.strip_prefix("HistoryEntry_") {
        Some(of) => (of, "HistoryEntry"),
        None => (name.strip_prefix("HistoryList_")?, "History"),
    };
    Some(format!("{}{ending}", of.strip_suffix("Item").unwrap_or(of)))
}

/// What a path takes: an id is a UUID everywhere, and a number begins at one.
fn each_path(document: &mut Value) {
    let parameters = document["paths"]
        .as_object_mut()
        .into_iter()
        .flat_map(|paths| paths.values_mut())
        .flat_map(|item| item.as_object_mut().into_iter().flat_map(|methods| methods.values_mut()))
        .flat_map(|operation| operation["parameters"].as_array_mut().into_iter().flatten())
        .filter(|parameter| parameter["in"] == "path");
    for parameter in parameters {
        match parameter["name"].as_str() {
            Some("id") => parameter["schema"]["format"] = "uuid".into(),
            Some("number") => {
                parameter["schema"]["minimum"] = 1.into();
                parameter["schema"]["maximum"] = u16::MAX.into();
            }
            _ => {}
        }
    }
}

/// A schema made of others is written out as one plain object: some tools trip over `allOf`, and a part that refuses unknown fields
/// would refuse those of the other parts.
fn each_all_of(document: &mut Value) {
    let Some(schemas) = document["components"]["schemas"].as_object_mut() else { return };
    let names: Vec<String> = schemas.keys().cloned().collect();
    for name in names {
        while schemas[&name].get("allOf").is_some() {
            let parts = schemas[&name]["allOf"].as_array().cloned().unwrap_or_default();
            let mut properties = serde_json::Map::new();
            let mut required: Vec<Value> = Vec::new();
            let mut nested: Vec<Value> = Vec::new();
            for part in parts {
                let reference = part["$ref"].as_str().and_then(|text| text.rsplit('/').next());
                let part = reference.and_then(|name| schemas.get(name)).cloned().unwrap_or(part);
                properties.extend(part["properties"].as_object().cloned().unwrap_or_default());
                required.extend(part["required"].as_array().cloned().unwrap_or_default());
                nested.extend(part["allOf"].as_array().cloned().unwrap_or_default());
            }
            let schema = &mut schemas[&name];
            schema["type"] = "object".into();
            schema["properties"] = properties.into();
            schema["required"] = required.into();
            if let Some(fields) = schema.as_object_mut() {
                fields.remove("allOf");
            }
            if !nested.is_empty() {
                nested.push(schema.clone());
                schema["allOf"] = nested.into();
            }
        }
    }
}

/// A character that has no place in a text, as a class of a regular expression: databases and spreadsheets choke on them.
const CONTROL: &str = r"\x00-\x08\x0B\x0C\x0E-\x1F\x7F";

/// The texts that a caller may send hold no control characters; said once here for every field of every body and query.
fn each_text(document: &mut Value) {
    let mut names: Vec<String> = Vec::new();
    let mut queries: Vec<&mut Value> = Vec::new();
    for operation in document["paths"]
        .as_object_mut()
        .into_iter()
        .flat_map(|paths| paths.values_mut())
        .flat_map(|item| item.as_object_mut().into_iter().flat_map(|methods| methods.values_mut()))
    {
        refs(&operation["requestBody"], &mut names);
        for parameter in operation["parameters"].as_array_mut().into_iter().flatten() {
            if parameter["in"] == "query" {
                queries.push(&mut parameter["schema"]);
            }
        }
    }
    queries.into_iter().for_each(no_control);
    let Some(schemas) = document["components"]["schemas"].as_object_mut() else { return };
    let mut done: Vec<String> = Vec::new();
    while let Some(name) = names.pop() {
        if done.contains(&name) {
            continue;
        }
        if let Some(schema) = schemas.get_mut(&name) {
            refs(schema, &mut names);
            no_control(schema);
            schema["properties"]
                .as_object_mut()
                .into_iter()
                .flat_map(|fields| fields.values_mut())
                .for_each(no_control);
            if schema["properties"].is_null() {
                schema.as_object_mut().map(|fields| fields.remove("properties"));
            }
        }
        done.push(name);
    }
}

fn no_control(schema: &mut Value) {
    if schema["items"].is_object() {
        no_control(&mut schema["items"]);
    }
    let text = match &schema["type"] {
        Value::String(kind) => kind == "string",
        Value::Array(kinds) => kinds.iter().any(|kind| kind == "string"),
        _ => false,
    };
    if !text || schema.get("format").is_some() || schema.get("enum").is_some() {
        return;
    }
    let pattern = match schema.get("pattern").and_then(Value::as_str) {
        None => format!("^[^{CONTROL}]*$"),
        Some(r"^https?://[^\s]+$") => format!(r"^https?://[^\s{CONTROL}]+$"),
        Some(r"\S") => format!(r"^[^{CONTROL}]*[^\s{CONTROL}][^{CONTROL}]*$"),
        Some(r"^\S(.*\S)?$") => format!(r"^[^\s{CONTROL}](?:[^\r\n{CONTROL}]*[^\s{CONTROL}])?$"),
        Some(_) => return,
    };
    schema["pattern"] = pattern.into();
}

fn refs(value: &Value, names: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(name) =
                fields.get("$ref").and_then(Value::as_str).and_then(|text| text.rsplit('/').next())
            {
                names.push(name.to_owned());
            }
            fields.values().for_each(|field| refs(field, names));
        }
        Value::Array(items) => items.iter().for_each(|item| refs(item, names)),
        _ => {}
    }
}

/// From what was made to what can be done with it, for callers and testers that follow links.
fn each_link(document: &mut Value) {
    let follow: [(&str, &[(&str, &str)]); 12] = [
        (
            "/advice",
            &[
                ("read", "getAdvice"),
                ("change", "changeAdvice"),
                ("adopt", "adoptAdvice"),
                ("delete", "deleteDraft"),
            ],
        ),
        ("/advice-requests", &[("read", "getAdviceRequest"), ("refuse", "refuseAdviceRequest")]),
        ("/term-rules", &[("read", "getTermRule"), ("end", "endTermRule")]),
        ("/office-holders", &[("read", "getOfficeHolder")]),
        ("/accords", &[("read", "getAccord"), ("change", "changeAccord"), ("publish", "publishAccord")]),
        (
            "/agreements",
            &[
                ("read", "getAgreement"),
                ("change", "changeAgreement"),
                ("report", "reportProgress"),
                ("judge", "judgeAgreement"),
            ],
        ),
        (
            "/policy-tracks",
            &[
                ("read", "getPolicyTrack"),
                ("change", "changePolicyTrack"),
                ("phase", "recordPhase"),
                ("inform", "informCouncil"),
            ],
        ),
        (
            "/participation-plans",
            &[
                ("read", "getParticipationPlan"),
                ("change", "changeParticipationPlan"),
                ("adopt", "adoptParticipationPlan"),
            ],
        ),
        (
            "/commitments",
            &[("read", "getCommitment"), ("change", "changeCommitment"), ("settle", "settleCommitment")],
        ),
        (
            "/collegetargets",
            &[
                ("read", "getCollegetarget"),
                ("change", "changeCollegetarget"),
                ("measure", "recordMeasurement"),
            ],
        ),
        ("/talks", &[("read", "getTalk"), ("correct", "correctTalk"), ("lesson", "addLesson")]),
        ("/assignments", &[("read", "getAssignment"), ("end", "endAssignment")]),
    ];
    for (path, links) in follow {
        let created = &mut document["paths"][path]["post"]["responses"]["201"];
        for (name, operation) in links {
            let mut parameters = serde_json::json!({"id": "$response.body#/id"});
            if !operation.starts_with("get") {
                parameters["If-Match"] = "$response.header.ETag".into();
            }
            created["links"][*name] = serde_json::json!({"operationId": operation, "parameters": parameters});
        }
    }
}

/// Headers that an answer always carries are marked so; utoipa's header object has no `required`.
fn each_header(document: &mut Value) {
    let Some(paths) = document["paths"].as_object_mut() else { return };
    for operation in paths.values_mut().filter_map(Value::as_object_mut).flat_map(|item| item.values_mut()) {
        let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { continue };
        for response in responses.values_mut() {
            let Some(headers) = response.get_mut("headers").and_then(Value::as_object_mut) else { continue };
            for (name, header) in headers {
                header["required"] = Value::Bool(!matches!(name.as_str(), "ETag" | "Link"));
            }
        }
    }
}

/// What every operation shares.
struct Shared;

impl Modify for Shared {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        if let Some(components) = document.components.as_mut() {
            let scheme = HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .bearer_format("JWT")
                .description(Some(scope_text()))
                .build();
            components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
        }
        for (path, item) in &mut document.paths.paths {
            let methods = [
                (HttpMethod::Get, item.get.as_mut()),
                (HttpMethod::Post, item.post.as_mut()),
                (HttpMethod::Put, item.put.as_mut()),
                (HttpMethod::Patch, item.patch.as_mut()),
                (HttpMethod::Delete, item.delete.as_mut()),
            ];
            for (method, operation) in methods {
                if let Some(operation) = operation {
                    complete(path, &method, operation);
                }
            }
        }
    }
}

fn scope_text() -> String {
    let mut text = String::from(
        "An OAuth 2.0 access token (NL GOV profile). The claims `councils` and `clusters` name for whom it speaks, or [\"*\"].\n\nScopes:\n",
    );
    for (_, scope, meaning) in domain::access::Scope::ALL {
        text.push_str(&format!("\n`{scope}`: {meaning}\n"));
    }
    text
}

/// A change of something that is there: it sends `If-Match`.
fn needs_if_match(path: &str, method: &HttpMethod) -> bool {
    match method {
        HttpMethod::Post => path.contains("{id}"),
        HttpMethod::Patch | HttpMethod::Delete => true,
        _ => false,
    }
}

const POSITION: &str =
    "Where the journal stands after the change; a later request that sends it reads nothing older.";

fn complete(path: &str, method: &HttpMethod, operation: &mut Operation) {
    if operation.description.is_none() {
        operation.description.clone_from(&operation.summary);
    }
    let writes = !matches!(method, HttpMethod::Get);
    let has_body = operation.request_body.is_some();
    let is_list = operation
        .parameters
        .iter()
        .flatten()
        .any(|parameter| matches!(parameter, RefOr::T(parameter) if matches!(parameter.name.as_str(), "cursor" | "after")));
    let scoped = operation.security.as_ref().is_some_and(|security| {
        let text = serde_json::to_string(security).unwrap_or_default();
        text.contains("bearer") && !text.contains("{}")
    });

    let mut headers = Vec::new();
    if needs_if_match(path, method) {
        headers.push(("If-Match", true, "The ETag of the item as it was read.", "\"9.2026-11-23.internal\""));
    }
    if matches!(method, HttpMethod::Put) {
        headers.push(("If-Match", false, "The ETag of what is replaced; left out for the first.", "\"1\""));
    }
    if writes {
        headers.push((
            "Idempotency-Key",
            false,
            "A UUID between quotes, kept for 24 hours: the same request again gets the stored answer.",
            "\"0199b0c4-7d1e-7c3a-9a51-3f3f6a1f2b11\"",
        ));
    }
    // A table that streams has no ETag: nobody knows its end when it begins.
    let streams = path.starts_with("/bi/");
    if !writes && !streams {
        headers.push((
            "If-None-Match",
            false,
            "The ETag that the caller has: the answer is then 304 without a body.",
            "\"9.2026-11-23.public\"",
        ));
    }
    if !writes && !path.starts_with("/openapi") {
        headers.push((
            "Journal-Position",
            false,
            "Read nothing older than this: the `Journal-Position` of an answer to a change, or `next` of the feed.",
            "3q2-796tvu_erb7v3q2-796tvu_erb7v3q2-796tvu8",
        ));
    }
    for (name, required, text, example) in headers {
        let pattern = (name == "Idempotency-Key")
            .then_some(r#"^(?:"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12})$"#);
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Header)
            .required(if required { Required::True } else { Required::False })
            .description(Some(text))
            .schema(Some(
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .pattern(pattern)
                    .examples([serde_json::json!(example)]),
            ))
            .build();
        operation.parameters.get_or_insert_default().push(RefOr::T(parameter));
    }

    let mut errors: Vec<(&str, &str)> = vec![
        ("400", "Something in the request is not valid; all of it is listed."),
        ("401", "No token where one is needed, or one that is no good."),
        ("406", "Accept names nothing that is offered."),
        ("429", "Too many requests."),
        ("500", "Our fault."),
        ("503", "Temporarily unavailable."),
    ];
    // Who asks what was known at an earlier moment needs a scope, also where the item itself needs none.
    let asks_as_known = !path.starts_with("/metrics")
        && operation
            .parameters
            .iter()
            .flatten()
            .any(|parameter| matches!(parameter, RefOr::T(parameter) if parameter.name == "knownAt"));
    if scoped || asks_as_known {
        errors.push(("403", "The token lacks the scope, or the item belongs to another council or cluster."));
    }
    if path.contains('{') {
        errors.push(("404", "Nothing there that the caller may know of."));
    }
    if writes {
        errors.push(("408", "The body did not arrive in time."));
        errors.push(("409", "Not open in the present state, or there already."));
        errors.push(("413", "The body is too large."));
        errors.push(("422", "The Idempotency-Key was used for another request."));
        let publishable = [
            "/advice/{id}",
            "/accords/{id}",
            "/agreements/{id}",
            "/policy-tracks/{id}",
            "/participation-plans/{id}",
            "/talks/{id}",
        ];
        if publishable.iter().any(|item| path.starts_with(item)) {
            errors.push(("410", "It was public and was withdrawn from publication."));
        }
    }
    if has_body {
        errors.push(("415", "Missing or wrong Content-Type."));
    }
    if needs_if_match(path, method) || matches!(method, HttpMethod::Put) {
        errors.push(("412", "Changed since it was read."));
        errors.push(("428", "If-Match is missing."));
    }
    for (status, text) in errors {
        operation
            .responses
            .responses
            .entry(status.to_owned())
            .or_insert_with(|| RefOr::T(ResponseBuilder::new().description(text).build()));
    }
    if !writes && !streams && !path.starts_with("/openapi") {
        operation.responses.responses.insert(
            "304".to_owned(),
            RefOr::T(
                ResponseBuilder::new().description("Not changed since the ETag in If-None-Match.").build(),
            ),
        );
    }
    let responses: &mut BTreeMap<String, RefOr<Response>> = &mut operation.responses.responses;
    for (status, response) in responses {
        let RefOr::T(response) = response else { continue };
        if status.starts_with(['4', '5']) {
            let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
            response.content.clear();
            response.content.insert("application/problem+json".to_owned(), RefOr::T(content));
        }
        let mut header = |name: &str, text: &str| {
            let header = HeaderBuilder::new()
                .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
                .description(Some(text))
                .build();
            response.headers.insert(name.to_owned(), RefOr::T(header));
        };
        header("API-Version", "The full version of the API.");
        match status.as_str() {
            "200" | "201" => {
                if !path.starts_with("/openapi") {
                    header("ETag", "Names this version of the item for this reader.");
                }
                if status == "201" {
                    header("Location", "The address of what was made.");
                }
                if writes {
                    header("Journal-Position", POSITION);
                }
                if status == "200" && is_list {
                    header("Link", "The first and the next page (RFC 8288).");
                }
            }
            "204" if writes => header("Journal-Position", POSITION),
            "304" => header("ETag", "Names this version of the item for this reader."),
            "308" => header("Location", "The address of the advice that it was merged into."),
            "401" => header("WWW-Authenticate", "How to authenticate (RFC 6750)."),
            "429" | "503" => header("Retry-After", "Seconds to wait."),
            _ => {}
        }
    }
}
