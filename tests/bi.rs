//! The flat tables for BI: what the dictionary says of them holds, as JSON and as CSV, for everybody as far as he may see.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use crate::on_both_databases;
use crate::support::{TestApp, draft_of, final_response};

const TABLES: [&str; 15] = [
    "advice",
    "advice-councils",
    "advice-themes",
    "points",
    "responses",
    "agreements",
    "progress",
    "judgements",
    "findings",
    "councils",
    "areas",
    "clusters",
    "themes",
    "office-holders",
    "dates",
];

/// A column as the dictionary has it.
struct Column {
    name: String,
    kind: String,
    nullable: bool,
    merge: bool,
}

async fn dictionary(app: &TestApp) -> BTreeMap<String, Vec<Column>> {
    let reply = app.get("/v1/bi?limit=1000").send().await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    let mut tables: BTreeMap<String, Vec<Column>> = BTreeMap::new();
    for item in reply.json()["items"].as_array().unwrap() {
        let text = |name: &str| item[name].as_str().unwrap().to_owned();
        for word in ["dutch", "english", "source"] {
            assert!(!text(word).is_empty(), "{item}");
        }
        tables.entry(text("table")).or_default().push(Column {
            name: text("column"),
            kind: text("type"),
            nullable: item["nullable"].as_bool().unwrap(),
            merge: item["merge"].as_bool().unwrap(),
        });
    }
    tables
}

async fn rows_for(app: &TestApp, path: &str, token: Option<&str>) -> Vec<Map<String, Value>> {
    let ask = app.get(&format!("/v1/bi/{path}"));
    let ask = match token {
        Some(token) => ask.token(token),
        None => ask,
    };
    let reply = ask.send().await;
    assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.text());
    assert_eq!(reply.header("etag"), "", "{path}");
    let body = reply.json();
    assert_eq!(body["next"], Value::Null);
    body["items"].as_array().unwrap().iter().map(|row| row.as_object().unwrap().clone()).collect()
}

async fn csv_for(app: &TestApp, path: &str, token: Option<&str>) -> Vec<Vec<String>> {
    let sign = if path.contains('?') { '&' } else { '?' };
    let ask = app.get(&format!("/v1/bi/{path}{sign}format=csv"));
    let ask = match token {
        Some(token) => ask.token(token),
        None => ask,
    };
    let reply = ask.send().await;
    assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.text());
    assert_eq!(reply.header("content-type"), "text/csv; charset=utf-8; header=present");
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(reply.body.as_slice());
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}

fn as_cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) if text.starts_with(['=', '+', '-', '@']) => format!("'{text}"),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn fits(kind: &str, value: &Value) -> bool {
    let text = value.as_str();
    match kind {
        "string" => text.is_some(),
        "integer" => value.is_i64(),
        "boolean" => value.is_boolean(),
        "date" => text.is_some_and(|text| text.parse::<chrono::NaiveDate>().is_ok()),
        "date-time" => text
            .is_some_and(|text| text.ends_with('Z') && text.parse::<chrono::DateTime<chrono::Utc>>().is_ok()),
        other => panic!("{other}"),
    }
}

/// Records something of an item that is kept whole.
async fn record(app: &TestApp, path: &str, id: &str, event: &str, body: Value) -> Value {
    let token = app.almighty();
    let item = format!("/v1/{path}/{id}");
    let etag = app.get(&item).token(&token).send().await.header("etag");
    let reply = app.post(&format!("{item}/{event}"), body).token(&token).if_match(&etag).send().await;
    assert_eq!(reply.status, StatusCode::OK, "{path} {event}: {}", reply.text());
    reply.json()
}

async fn add(app: &TestApp, path: &str, body: Value) -> String {
    let reply = app.post(&format!("/v1/{path}"), body).token(&app.almighty()).send().await;
    assert_eq!(reply.status, StatusCode::CREATED, "{path}: {}", reply.text());
    reply.json()["id"].as_str().unwrap().to_owned()
}

/// A published agreement with progress and a judgement; gives accord and agreement.
async fn agreed(app: &TestApp) -> (String, String) {
    let body =
        json!({"council": "rozenburg", "from": "2026-01-01", "to": "2030-12-31", "title": "Wijkakkoord"});
    let accord = add(app, "accords", body).await;
    let body = json!({
        "accord": accord, "number": "1.1", "title": "+31 zebrapad", "size": "small", "owner": {"cluster": "so"},
        "planYear": 2026, "agreedOn": "2026-01-10", "dueOn": "2026-12-01",
    });
    let agreement = add(app, "agreements", body).await;
    record(app, "agreements", &agreement, "progress", json!({"state": "running", "on": "2026-05-01"})).await;
    record(
        app,
        "agreements",
        &agreement,
        "judgements",
        json!({"colour": "orange", "realised": false, "on": "2026-06-01", "note": "@traag"}),
    )
    .await;
    record(app, "accords", &accord, "publication", json!({})).await;
    (accord, agreement)
}

/// A published plan with a finding.
async fn found(app: &TestApp) -> String {
    let body = json!({"title": "Mobiliteit", "cluster": "so", "newPolicy": true, "startedOn": "2026-01-01"});
    let track = add(app, "policy-tracks", body).await;
    let informed = json!({"council": "rozenburg", "on": "2026-02-01", "role": "advisor"});
    record(app, "policy-tracks", &track, "councils", informed).await;
    record(app, "policy-tracks", &track, "publication", json!({})).await;
    let body = json!({"policyTrack": track, "promises": [{
        "number": 1, "phase": "design", "targetGroup": "bewoners", "method": "gesprek", "dueOn": "2026-09-01",
        "influence": "advise",
    }]});
    let plan = add(app, "participation-plans", body).await;
    record(app, "participation-plans", &plan, "adoption", json!({"adoptedOn": "2026-03-01"})).await;
    let finding = json!({"council": "rozenburg", "promise": 1, "verdict": "not_kept", "on": "2026-09-05", "note": "Niets"});
    record(app, "participation-plans", &plan, "findings", finding).await;
    record(app, "participation-plans", &plan, "publication", json!({})).await;
    plan
}

/// An answered, published advice with a theme, a co-signer and a subject that a spreadsheet would run.
async fn answered(app: &TestApp) -> String {
    let mut draft = draft_of("rozenburg");
    draft["subject"] = json!("=HYPERLINK(\"https://example.org\")");
    draft["themes"] = json!(["mobility"]);
    draft["councils"]["cosigners"] = json!([{"council": "pernis"}]);
    draft["points"] =
        json!([{"number": 1, "text": "-1 weg"}, {"number": 2, "text": "Een bank; \"met\" een prullenbak"}]);
    let id = app.draft(draft).await;
    let adoption = json!({"meetingOn": "2026-09-01", "quorum": true, "votesFor": 7, "votesAgainst": 0});
    app.record(&id, "adoption", adoption).await;
    app.record(&id, "submission", json!({"submittedOn": "2026-09-01"})).await;
    app.record(&id, "receipt", json!({"receivedOn": "2026-09-01", "cluster": "so"})).await;
    app.record(&id, "cosignatures", json!({"council": "pernis", "signedOn": "2026-09-02"})).await;
    let mut response = final_response("2026-10-20");
    response["points"] = json!([
        {"number": 1, "outcome": "adopted"}, {"number": 2, "outcome": "not_adopted", "reasons": "Te duur"}
    ]);
    app.record(&id, "responses", response).await;
    app.record(&id, "publication", json!({})).await;
    id
}

on_both_databases! {
    async fn every_table_is_what_the_dictionary_says(app: TestApp) {
        let dictionary = dictionary(&app).await;
        assert_eq!(dictionary.keys().map(String::as_str).collect::<BTreeSet<_>>(), TABLES.into_iter().collect());
        for table in TABLES {
            let columns: Vec<&str> = dictionary[table].iter().map(|column| column.name.as_str()).collect();
            assert_eq!(columns[columns.len() - 2..], ["deleted", "modifiedAt"], "{table}");
            assert_eq!(dictionary[table].iter().filter(|column| column.merge).count(), 1, "{table}");
            // Without rows the columns stand there as well.
            let csv = csv_for(&app, table, None).await;
            assert_eq!(csv[0], columns, "{table}");
        }
        let holder = json!({"name": "A. Voorbeeld", "office": "wethouder"});
        add(&app, "office-holders", holder).await;
        answered(&app).await;
        agreed(&app).await;
        found(&app).await;
        for table in TABLES {
            let columns = &dictionary[table];
            let rows = rows_for(&app, table, None).await;
            assert!(!rows.is_empty(), "{table}");
            for row in &rows {
                assert!(row.keys().eq(columns.iter().map(|column| &column.name)), "{table}: {row:?}");
                for Column { name, kind, nullable, .. } in columns {
                    let value = &row[name];
                    assert!(if value.is_null() { *nullable } else { fits(kind, value) }, "{table} {name}: {value}");
                }
                assert_eq!(row["deleted"], false);
            }
            let csv = csv_for(&app, table, None).await;
            let expected: Vec<Vec<String>> = rows.iter().map(|row| row.values().map(as_cell).collect()).collect();
            assert_eq!(csv[1..], expected, "{table}");
        }
    }

    async fn keys_tell_rows_apart(app: TestApp) {
        answered(&app).await;
        agreed(&app).await;
        found(&app).await;
        let items = app.get("/v1/bi?limit=1000").send().await.json()["items"].as_array().unwrap().clone();
        for table in TABLES {
            let of_table = items.iter().filter(|column| column["table"] == table && column["key"] == true);
            let keys: Vec<&str> = of_table.map(|column| column["column"].as_str().unwrap()).collect();
            let rows = rows_for(&app, table, None).await;
            let distinct: BTreeSet<String> =
                rows.iter().map(|row| keys.iter().map(|key| row[*key].to_string()).collect()).collect();
            assert_eq!(distinct.len(), rows.len(), "{table}: {keys:?}");
        }
    }

    async fn the_facts_are_right(app: TestApp) {
        let advice = answered(&app).await;
        let (_, agreement) = agreed(&app).await;
        found(&app).await;
        let row = &rows_for(&app, "advice?on=2026-10-14", None).await[0];
        assert_eq!((&row["id"], &row["on"]), (&json!(advice), &json!("2026-10-14")));
        assert_eq!((&row["termState"], &row["daysOver"]), (&json!("late"), &json!(1)));
        assert_eq!((&row["daysToAnswer"], &row["area"]), (&json!(49), &json!("rozenburg")));
        assert_eq!((&row["isJoint"], &row["outcome"]), (&json!(true), &json!("partly_adopted")));
        let councils = rows_for(&app, "advice-councils", None).await;
        let roles: Vec<_> = councils.iter().map(|row| (&row["council"], &row["role"], &row["signedOn"])).collect();
        let lead = (&json!("rozenburg"), &json!("lead"), &Value::Null);
        assert_eq!(roles, [lead, (&json!("pernis"), &json!("cosigner"), &json!("2026-09-02"))]);
        let points = rows_for(&app, "points", None).await;
        assert_eq!((&points[1]["outcome"], &points[1]["reasons"]), (&json!("not_adopted"), &json!("Te duur")));
        let before = &rows_for(&app, "agreements?on=2026-05-15", None).await[0];
        assert_eq!((&before["progressState"], &before["colour"]), (&json!("running"), &Value::Null));
        let after = &rows_for(&app, "agreements", None).await[0];
        assert_eq!((&after["id"], &after["colour"]), (&json!(agreement), &json!("orange")));
        let finding = &rows_for(&app, "findings", None).await[0];
        assert_eq!((&finding["council"], &finding["verdict"]), (&json!("rozenburg"), &json!("not_kept")));
        let renamed = rows_for(&app, "councils", None).await;
        let current = renamed.iter().filter(|row| row["isCurrent"] == true).count();
        assert_eq!((current, renamed.len() > 39), (39, true));
    }

    async fn a_spreadsheet_runs_nothing(app: TestApp) {
        answered(&app).await;
        agreed(&app).await;
        for dialect in ["rfc4180", "nl-excel"] {
            for (table, text) in
                [("advice", "'=HYPERLINK("), ("points", "'-1 weg"), ("agreements", "'+31"), ("judgements", "'@traag")]
            {
                let reply = app.get(&format!("/v1/bi/{table}?csv={dialect}")).send().await;
                assert!(reply.text().contains(text), "{table}: {}", reply.text());
                assert_eq!(reply.text().starts_with('\u{feff}'), dialect == "nl-excel");
            }
        }
        let accepted = app.get("/v1/bi/areas").header("accept", "text/csv").send().await;
        assert!(accepted.text().starts_with("code,name,deleted,modifiedAt\r\n"), "{}", accepted.text());
    }

    /// What was not sent shows in no table to a council, and nothing that is not published to anybody outside.
    async fn everybody_gets_the_rows_that_he_may_see(app: TestApp) {
        let id = app.received("rozenburg", "2026-10-01").await;
        let suspension = json!({"from": "2026-10-05", "decidedOn": "2026-10-05", "reason": "geheim"});
        app.record(&id, "suspensions", suspension).await;
        app.record(&id, "responses", json!({"kind": "interim", "by": "official", "text": "geheim"})).await;
        let council = app.token("advice:write", &["rozenburg"], &[]);
        let other = app.token("internal:read", &["pernis"], &[]);
        let cluster = app.token("treatment:write", &[], &["so"]);
        for (token, advice, responses) in
            [(None, 0, 0), (Some(&other), 0, 0), (Some(&council), 1, 0), (Some(&cluster), 1, 1)]
        {
            let token = token.map(String::as_str);
            for (table, expected) in
                [("advice", advice), ("points", advice), ("advice-councils", advice), ("responses", responses)]
            {
                assert_eq!(rows_for(&app, table, token).await.len(), expected, "{table}");
                assert_eq!(csv_for(&app, table, token).await.len(), expected + 1, "{table}");
            }
        }
        assert_eq!(rows_for(&app, "advice", Some(&council)).await[0]["responseCount"], 0);
        assert_eq!(rows_for(&app, "advice", Some(&cluster)).await[0]["responseCount"], 1);
        app.record(&id, "publication", json!({})).await;
        assert_eq!(rows_for(&app, "advice", None).await[0]["responseCount"], 0);
        assert!(rows_for(&app, "responses", None).await.is_empty());
        for table in TABLES {
            let anonymous = app.get(&format!("/v1/bi/{table}")).send().await;
            assert!(!anonymous.text().contains("geheim"), "{table}");
            assert_eq!(anonymous.header("cache-control"), "public, max-age=0, must-revalidate");
            let known = app.get(&format!("/v1/bi/{table}")).token(&council).send().await;
            assert_eq!(known.header("cache-control"), "no-store");
            let head = app.ask(Method::HEAD, &format!("/v1/bi/{table}")).send().await;
            assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
        }
    }

    /// An increment, merged by the column that the dictionary names, gives the very table that is there.
    async fn an_increment_merges_into_the_whole(app: TestApp) {
        let dictionary = dictionary(&app).await;
        let changed = answered(&app).await;
        let vanishing = app.received("pernis", "2026-10-01").await;
        app.record(&vanishing, "publication", json!({})).await;
        let (accord, agreement) = agreed(&app).await;
        let plan = found(&app).await;
        let mut copies = BTreeMap::new();
        for table in TABLES {
            copies.insert(table, rows_for(&app, table, None).await);
        }
        app.clock.set("2026-11-23T12:00:00Z".parse().unwrap());
        let since = "2026-11-23T11:30:00Z";
        for table in TABLES {
            assert!(rows_for(&app, &format!("{table}?modifiedSince={since}"), None).await.is_empty(), "{table}");
            let csv = csv_for(&app, &format!("{table}?modifiedSince={since}"), None).await;
            assert_eq!(csv.len(), 1, "{table}");
        }
        app.record(&changed, "closure", json!({"on": "2026-11-23"})).await;
        app.record(&vanishing, "unpublication", json!({"reason": "vergissing"})).await;
        let token = app.almighty();
        let etag = app.etag(&changed).await;
        let patch = app.ask(Method::PATCH, &format!("/v1/advice/{changed}")).token(&token).if_match(&etag);
        let patched = patch.patch(json!({"themes": [], "reason": "verkeerd ingedeeld"})).send().await;
        assert_eq!(patched.status, StatusCode::OK, "{}", patched.text());
        let later = json!({"state": "reported_done", "on": "2026-11-01"});
        record(&app, "agreements", &agreement, "progress", later).await;
        record(&app, "participation-plans", &plan, "unpublication", json!({"reason": "vergissing"})).await;
        for table in TABLES {
            let merge = &dictionary[table].iter().find(|column| column.merge).unwrap().name;
            let increment = rows_for(&app, &format!("{table}?modifiedSince={since}"), None).await;
            let csv = csv_for(&app, &format!("{table}?modifiedSince={since}"), None).await;
            assert_eq!(csv.len(), increment.len() + 1);
            let ids: BTreeSet<String> = increment.iter().map(|row| row[merge].to_string()).collect();
            let gone: BTreeSet<&str> = increment
                .iter()
                .filter(|row| row["deleted"] == true)
                .map(|row| {
                    for (name, value) in row.iter() {
                        assert!(value.is_null() || [merge, "deleted", "modifiedAt"].contains(&name.as_str()));
                    }
                    row[merge].as_str().unwrap()
                })
                .collect();
            let expected: &[&str] = match table {
                "advice" | "points" | "advice-councils" | "responses" => &[&vanishing],
                // The changed advice has no theme any more.
                "advice-themes" => &[&changed, &vanishing],
                "findings" => &[&plan],
                _ => &[],
            };
            assert_eq!(gone, expected.iter().copied().collect(), "{table}");
            let mut merged: Vec<_> =
                copies[table].iter().filter(|row| !ids.contains(&row[merge].to_string())).cloned().collect();
            merged.extend(increment.into_iter().filter(|row| row["deleted"] == false));
            let texts = |rows: &[Map<String, Value>]| {
                rows.iter().map(|row| Value::Object(row.clone()).to_string()).collect::<BTreeSet<_>>()
            };
            assert_eq!(texts(&merged), texts(&rows_for(&app, table, None).await), "{table}");
        }
        let unseen = app.token("internal:read", &["charlois-zuid"], &[]);
        record(&app, "accords", &accord, "unpublication", json!({"reason": "vergissing"})).await;
        let increment = rows_for(&app, &format!("judgements?modifiedSince={since}"), Some(&unseen)).await;
        assert_eq!((&increment[0]["agreementId"], &increment[0]["deleted"]), (&json!(agreement), &json!(true)));
        assert_eq!((increment.len(), &increment[0]["note"]), (1, &Value::Null));
    }

    /// A change that the public does not see is none in its increment.
    async fn an_increment_holds_what_the_caller_saw_change(app: TestApp) {
        let id = app.received("rozenburg", "2026-10-01").await;
        app.record(&id, "publication", json!({})).await;
        app.clock.set("2026-11-23T12:00:00Z".parse().unwrap());
        app.record(&id, "responses", json!({"kind": "interim", "by": "official", "text": "nog niet"})).await;
        let path = "points?modifiedSince=2026-11-23T11:30:00Z";
        assert!(rows_for(&app, path, None).await.is_empty());
        assert_eq!(rows_for(&app, path, Some(&app.almighty())).await.len(), 1);
    }

    /// More items than are read at a time.
    async fn a_long_table_comes_whole(app: TestApp) {
        const MANY: usize = 405;
        let token = app.almighty();
        let mut drafted = BTreeSet::new();
        for _ in 0..MANY {
            drafted.insert(app.draft(draft_of("rozenburg")).await);
        }
        let rows = rows_for(&app, "points", Some(&token)).await;
        let ids: BTreeSet<String> = rows.iter().map(|row| row["adviceId"].as_str().unwrap().to_owned()).collect();
        assert_eq!((rows.len(), ids == drafted), (MANY, true));
        assert_eq!(csv_for(&app, "advice", Some(&token)).await.len(), MANY + 1);
        assert!(rows_for(&app, "advice", None).await.is_empty());
        // What is gone comes in batches too.
        app.clock.set("2026-11-23T12:00:00Z".parse().unwrap());
        for id in &drafted {
            let etag = app.etag(id).await;
            let gone = app.ask(Method::DELETE, &format!("/v1/advice/{id}")).token(&token).if_match(&etag);
            assert_eq!(gone.send().await.status, StatusCode::NO_CONTENT);
        }
        let gone = rows_for(&app, "advice-themes?modifiedSince=2026-11-23T11:30:00Z", Some(&token)).await;
        assert!(gone.iter().all(|row| row["deleted"] == true));
        let ids: BTreeSet<String> = gone.iter().map(|row| row["adviceId"].as_str().unwrap().to_owned()).collect();
        assert_eq!((gone.len(), ids == drafted), (MANY, true));
    }

    async fn a_query_that_is_not_known_is_refused(app: TestApp) {
        for (path, location) in [
            ("bi/advice?limit=10", "limit"),
            ("bi/advice?on=2026-02-30", "on"),
            ("bi/advice?on=1066-01-01", "on"),
            ("bi/points?on=2026-01-01", "on"),
            ("bi/dates?modifiedSince=yesterday", "modifiedSince"),
            ("bi/dates?modifiedSince=2026-01-01T00:00:00", "modifiedSince"),
            ("bi/dates?format=xml", "format"),
            ("bi/dates?csv=excel", "csv"),
            ("bi?table=advice", "table"),
            ("bi?modifiedSince=2026-01-01T00:00:00Z", "modifiedSince"),
            ("coverage?year=0", "year"),
            ("coverage?council=atlantis", "council"),
        ] {
            let reply = app.get(&format!("/v1/{path}")).send().await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{path}: {}", reply.text());
            assert_eq!(reply.faults()[0].0, location, "{path}");
        }
        assert_eq!(app.get("/v1/bi/nothing").send().await.status, StatusCode::NOT_FOUND);
        let image = app.get("/v1/bi/advice").header("accept", "image/png").send().await;
        assert_eq!(image.status, StatusCode::NOT_ACCEPTABLE);
        assert_eq!(app.post("/v1/bi/advice", json!({})).send().await.status, StatusCode::METHOD_NOT_ALLOWED);
        let tired = app.get("/v1/bi/advice").token("none").send().await;
        assert_eq!(tired.status, StatusCode::UNAUTHORIZED);
    }

    /// The dictionary pages like any list.
    async fn the_dictionary_pages(app: TestApp) {
        let whole = app.get("/v1/bi?limit=1000&count=true").send().await.json();
        let mut path = "/v1/bi?limit=70".to_owned();
        let mut seen = Vec::new();
        loop {
            let page = app.get(&path).send().await.json();
            seen.extend(page["items"].as_array().unwrap().clone());
            match page["next"].as_str() {
                Some(next) => path = next.trim_start_matches(crate::support::PUBLIC_URL).to_owned(),
                None => break,
            }
        }
        assert_eq!((json!(seen.len()), json!(seen)), (whole["total"].clone(), whole["items"].clone()));
        let csv = app.get("/v1/bi?format=csv&limit=1000").send().await.text();
        assert_eq!(csv.lines().count(), seen_rows(&whole) + 1);
    }

    async fn the_coverage_counts_what_is_known_and_no_draft(app: TestApp) {
        app.draft(draft_of("rozenburg")).await;
        app.received("rozenburg", "2026-01-05").await;
        answered(&app).await;
        agreed(&app).await;
        let all = app.get("/v1/coverage?limit=1000").send().await.json();
        assert_eq!(seen_rows(&all), 39 * 5);
        let path = "/v1/coverage?year=2026&council=rozenburg,pernis";
        let two = app.get(path).send().await.json();
        let [pernis, rozenburg] = two["items"].as_array().unwrap().as_slice() else { panic!("{two}") };
        assert_eq!((&pernis["council"], &pernis["advice"]["known"]), (&json!("pernis"), &json!(1)));
        assert_eq!(
            rozenburg["advice"],
            json!({
                "known": 2, "withReceiptDay": 2, "answerExpected": 2, "withAnswerDay": 1, "answered": 1,
                "withOutcome": 1, "withSourceLink": 0, "state": "partial",
                "why": "1 of 2 without the day of the answer; 2 of 2 without a source link.",
            })
        );
        let agreements = json!({
            "known": 1, "judged": 1, "withProgress": 1, "state": "complete",
            "why": "Nothing is missing of what is known.",
        });
        assert_eq!(rozenburg["agreements"], agreements);
        // The same for everybody: it is a count.
        assert_eq!(app.get(path).token(&app.almighty()).send().await.json(), two);
        let csv = app.get(&format!("{path}&format=csv")).send().await.text();
        let lines: Vec<&str> = csv.lines().collect();
        assert!(lines[0].starts_with("council,year,adviceKnown,adviceWithReceiptDay,"), "{csv}");
        assert!(lines[2].starts_with("rozenburg,2026,2,2,2,1,1,1,0,partial,"), "{csv}");
        assert_eq!(lines.len(), 3);
        let past = app.get("/v1/coverage?year=2015").send().await.json();
        assert_eq!(seen_rows(&past), 39);
        assert!(past["items"].as_array().unwrap().iter().all(|row| row["advice"]["state"] == "none"));
    }
}

fn seen_rows(list: &Value) -> usize {
    list["items"].as_array().unwrap().len()
}
