//! The figures: the golden ones, as known then and as known now, and the rows behind each.

use actix_web::http::StatusCode;
use domain::metrics::definitions;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::{Reply, TestApp, draft_of, final_response};
use crate::term::golden_cases;

const YEAR: &str = "on=2025-12-31&from=2025-01-01&to=2025-12-31";

async fn ask(app: &TestApp, path: &str) -> Reply {
    let reply = app.get(path).send().await;
    assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.text());
    reply
}

async fn figure(app: &TestApp, path: &str) -> Value {
    ask(app, path).await.json()
}

/// Every row behind an address of `items`, over all its pages.
async fn rows_behind(app: &TestApp, items: &str) -> Vec<Value> {
    let mut rows = Vec::new();
    let mut path = format!("{items}&limit=7");
    loop {
        let page = figure(app, &path).await;
        rows.extend(page["items"].as_array().unwrap().iter().cloned());
        let Some(next) = page["next"].as_str() else { return rows };
        path = next.trim_start_matches(crate::support::PUBLIC_URL).to_owned();
    }
}

/// How many rows a row of a metric says that there are behind it.
fn behind(row: &Value) -> u64 {
    ["denominator", "n", "count"].iter().find_map(|name| row[*name].as_u64()).unwrap()
}

fn row_of<'m>(metric: &'m Value, dimension: &str, value: &str) -> &'m Value {
    metric["rows"].as_array().unwrap().iter().find(|row| row[dimension] == value).unwrap()
}

async fn accord(app: &TestApp, council: &str) -> String {
    let body = json!({"council": council, "from": "2022-03-16", "to": "2030-03-17", "title": "Wijkakkoord"});
    let reply = app.post("/v1/accords", body).token(&app.almighty()).send().await;
    assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text());
    reply.json()["id"].as_str().unwrap().to_owned()
}

async fn agreement(app: &TestApp, accord: &str, number: &str, year: u16) -> String {
    let body = json!({
        "accord": accord, "number": number, "title": "Zebrapad", "size": "small", "owner": {"cluster": "so"},
        "planYear": year, "agreedOn": format!("{year}-01-10"), "dueOn": format!("{year}-10-01")
    });
    let reply = app.post("/v1/agreements", body).token(&app.almighty()).send().await;
    assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text());
    reply.json()["id"].as_str().unwrap().to_owned()
}

/// Records something of an item with the version that stands there.
async fn record(app: &TestApp, path: &str, event: &str, body: Value) -> Reply {
    let token = app.almighty();
    let etag = app.get(path).token(&token).send().await.header("etag");
    app.post(&format!("{path}/{event}"), body).token(&token).if_match(&etag).send().await
}

on_both_databases! {
    async fn the_golden_figures_hold_as_json(app: TestApp) {
        golden_cases(&app).await;
        let metric = figure(&app, &format!("/v1/metrics/answered-in-time?{YEAR}&groupBy=council")).await;
        assert_eq!(metric["definitionVersion"], 1);
        assert_eq!(metric["cohort"], "due");
        assert_eq!(metric["additive"], false);
        let total = &metric["total"];
        assert_eq!((&total["numerator"], &total["denominator"]), (&json!(5), &json!(9)));
        assert_eq!((&total["value"], &total["low"], &total["high"]), (&json!(0.5556), &json!(0.2667), &json!(0.8112)));
        assert_eq!(total["excluded"], json!({"not_due": 1, "suspended": 1, "withdrawn": 1}));
        assert_eq!((&total["small"], &total["ruleStatus"]), (&json!(true), &json!("assumption")));
        assert_eq!(metric["rows"].as_array().unwrap().len(), 39);
        for (council, numerator, denominator) in [("rozenburg", 3, 4), ("pernis", 2, 4), ("hoogvliet", 0, 1)] {
            let row = row_of(&metric, "council", council);
            assert_eq!((&row["numerator"], &row["denominator"]), (&json!(numerator), &json!(denominator)), "{council}");
        }
        let empty = row_of(&metric, "council", "heijplaat");
        assert_eq!((&empty["denominator"], &empty["value"], &empty["low"]), (&json!(0), &Value::Null, &Value::Null));

        let original = figure(&app, &format!("/v1/metrics/answered-in-original-term?{YEAR}")).await;
        let total = &original["total"];
        assert_eq!((&total["numerator"], &total["denominator"]), (&json!(4), &json!(9)));
        assert_eq!((&total["value"], &total["low"], &total["high"]), (&json!(0.4444), &json!(0.1888), &json!(0.7333)));

        let answered = figure(&app, &format!("/v1/metrics/answered-in-time?{YEAR}&cohort=answered")).await;
        assert_eq!(answered["total"]["value"], json!(0.7143));
        assert_eq!(answered["warnings"][0]["code"], "cohort-flatters");

        let times = figure(&app, &format!("/v1/metrics/response-time?{YEAR}")).await;
        let total = &times["total"];
        assert_eq!((&total["n"], &total["events"], &total["median"]), (&json!(12), &json!(7), &json!(56)));
        assert_eq!((&total["p80"], &total["lowerBound"]), (&Value::Null, &json!(121)));
        let net = total["parts"].as_array().unwrap().iter().find(|part| part["code"] == "net").unwrap();
        assert_eq!(net["n"], 12);

        let late = figure(&app, "/v1/metrics/open-late?on=2025-12-31").await;
        assert_eq!(late["total"]["count"], 1);
        assert_eq!(late["total"]["parts"][1], json!({"code": "longest-days-over", "number": 79}));
    }

    async fn the_golden_figures_hold_as_csv(app: TestApp) {
        golden_cases(&app).await;
        let csv = ask(&app, &format!("/v1/metrics/answered-in-time?{YEAR}&groupBy=council&format=csv")).await;
        let mut reader = csv::Reader::from_reader(csv.body.as_slice());
        let columns: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
        let expected = ["row", "council", "numerator", "denominator", "value", "low", "high", "small", "excluded"];
        assert_eq!(columns[..9], expected);
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), 40);
        let total: Vec<&str> = rows[39].iter().take(9).collect();
        let excluded = "not_due=1|suspended=1|withdrawn=1";
        assert_eq!(total, ["total", "", "5", "9", "0.5556", "0.2667", "0.8112", "true", excluded]);
        let rozenburg = rows.iter().find(|row| &row[1] == "rozenburg").unwrap();
        assert_eq!((&rozenburg[2], &rozenburg[3], &rozenburg[4]), ("3", "4", "0.75"));

        let excel = ask(&app, &format!("/v1/metrics/answered-in-time?{YEAR}&csv=nl-excel")).await;
        assert!(excel.text().contains(";0,5556;"), "{}", excel.text());
        let times = ask(&app, &format!("/v1/metrics/response-time?{YEAR}&format=csv")).await;
        assert!(times.text().contains("\r\ntotal,12,7,56,,,121,"), "{}", times.text());
    }

    /// Whatever is counted can be opened, by everybody; what nobody may see is there all the same.
    async fn behind_every_figure_there_are_as_many_rows_as_it_says(app: TestApp) {
        golden_cases(&app).await;
        let hidden = app.received("pernis", "2025-03-03").await;
        for definition in definitions() {
            let group = definition.dimensions.first().map(|dimension| format!("&groupBy={dimension}"));
            let path = format!("/v1/metrics/{}?{YEAR}{}", definition.code, group.unwrap_or_default());
            let metric = figure(&app, &path).await;
            let rows = metric["rows"].as_array().unwrap().iter().filter(|row| behind(row) > 0);
            for row in rows.chain([&metric["total"]]) {
                let opened = rows_behind(&app, row["items"].as_str().unwrap()).await;
                assert_eq!(opened.len() as u64, behind(row), "{path}");
                if let Some(numerator) = row["numerator"].as_u64().filter(|_| !opened.iter().any(|row| row["hidden"] == true)) {
                    let counted = opened.iter().filter(|row| row["numerator"] == true).count();
                    assert_eq!(counted as u64, numerator, "{path}");
                }
            }
        }
        let metric = figure(&app, &format!("/v1/metrics/answered-in-time?{YEAR}")).await;
        assert_eq!(metric["total"]["denominator"], 10);
        let opened = rows_behind(&app, metric["total"]["items"].as_str().unwrap()).await;
        assert_eq!(opened.iter().filter(|row| **row == json!({"hidden": true})).count(), 1);
        assert!(!format!("{opened:?}").contains(&hidden));
        let path = format!("{}&limit=100", metric["total"]["items"].as_str().unwrap());
        let seen = app.get(&path).token(&app.almighty()).send().await;
        assert!(seen.text().contains(&hidden), "{}", seen.text());
    }

    /// What is registered late changes only later views: the same question gives the same bytes for ever.
    async fn an_earlier_view_never_changes(app: TestApp) {
        let ids = golden_cases(&app).await;
        let path = format!("/v1/metrics/answered-in-time?{YEAR}&groupBy=council,quarter");
        let then = ask(&app, &path).await;
        let known_at = then.json()["knownAt"].as_str().unwrap().to_owned();
        let again = format!("{path}&knownAt={known_at}");
        assert_eq!(ask(&app, &again).await.body, then.body);

        // An answer of October is registered a year late.
        app.record(&ids["A08"], "responses", final_response("2025-10-13")).await;
        assert_eq!(ask(&app, &again).await.body, then.body);
        assert_eq!(ask(&app.restarted().await, &again).await.body, then.body);
        let now = figure(&app, &path).await;
        assert_eq!((&now["total"]["numerator"], &now["total"]["denominator"]), (&json!(6), &json!(9)));
        // What is suspended has no deadline, so it is in no quarter.
        assert_eq!(now["rows"].as_array().unwrap().len(), 39 * 4 + 1);
        let items = then.json()["total"]["items"].as_str().unwrap().to_owned();
        assert_eq!(rows_behind(&app, &items).await.len(), 9);
    }

    /// For a random history: what a figure was when it was asked is what it is when it is asked again as known then, on the same
    /// program and on one that starts anew; partitions add up or say that they don't.
    async fn what_was_known_is_what_was_answered(app: TestApp) {
        let answers = random_history(&app, 7, 60).await;
        let restarted = app.restarted().await;
        for (path, body) in &answers {
            assert_eq!(String::from_utf8_lossy(&ask(&restarted, path).await.body), String::from_utf8_lossy(body), "{path}");
            assert_eq!(ask(&app, path).await.body, *body, "{path}");
            let metric: Value = serde_json::from_slice(body).unwrap();
            let rows = metric["rows"].as_array().unwrap();
            if metric["additive"] == true && !rows.is_empty() {
                let sum: u64 = rows.iter().map(behind).sum();
                assert_eq!(sum, behind(&metric["total"]), "{path}");
            }
            let opened = rows_behind(&restarted, metric["total"]["items"].as_str().unwrap()).await;
            assert_eq!(opened.len() as u64, behind(&metric["total"]), "{path}");
        }
        assert!(answers.len() > 40, "{}", answers.len());
    }

    async fn the_organisation_says_done_and_the_council_says_orange(app: TestApp) {
        let accord = accord(&app, "rozenburg").await;
        let disputed = agreement(&app, &accord, "1.1.1", 2025).await;
        let realised = agreement(&app, &accord, "1.1.2", 2025).await;
        for id in [&disputed, &realised] {
            let path = format!("/v1/agreements/{id}");
            let reply = record(&app, &path, "progress", json!({"state": "reported_done", "on": "2025-11-01"})).await;
            assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
        }
        let orange = json!({"colour": "orange", "realised": false, "on": "2025-11-20", "note": "het ligt er half"});
        let reply = record(&app, &format!("/v1/agreements/{disputed}"), "judgements", orange).await;
        assert_eq!(reply.json()["state"], "disputed");
        let green = json!({"colour": "green", "realised": true, "on": "2025-11-20"});
        record(&app, &format!("/v1/agreements/{realised}"), "judgements", green).await;

        let target = figure(&app, "/v1/metrics/collegetarget?on=2025-12-31").await;
        let total = &target["total"];
        assert_eq!((&total["numerator"], &total["denominator"], &total["value"]), (&json!(1), &json!(2), &json!(0.5)));
        let part = |code: &str| total["parts"].as_array().unwrap().iter().find(|part| part["code"] == code).unwrap();
        assert_eq!(part("disputed")["numerator"], 1);
        assert_eq!((&part("running")["numerator"], &part("not-realised")["numerator"]), (&json!(1), &json!(0)));
        let gap = figure(&app, "/v1/metrics/judgement-gap?on=2025-12-31").await;
        assert_eq!((&gap["total"]["numerator"], &gap["total"]["denominator"]), (&json!(1), &json!(2)));
        // Before the council spoke nothing was disputed; nobody learns from the figure which agreements there are.
        let before = figure(&app, "/v1/metrics/judgement-gap?on=2025-11-10").await;
        assert_eq!((&before["total"]["numerator"], &before["total"]["denominator"]), (&json!(0), &json!(2)));
        let opened = rows_behind(&app, gap["total"]["items"].as_str().unwrap()).await;
        assert_eq!(opened, [json!({"hidden": true}), json!({"hidden": true})]);
    }

    async fn every_metric_answers_about_a_city_without_anything(app: TestApp) {
        let list = figure(&app, "/v1/metrics?limit=1000").await;
        assert_eq!(list["items"].as_array().unwrap().len(), definitions().len());
        for definition in definitions() {
            let code = definition.code;
            let json = figure(&app, &format!("/v1/metrics/{code}?on=1950-06-01")).await;
            // The councils are there, whatever they did.
            if definition.items != "council" {
                assert!(json["total"]["value"].is_null() && json["total"]["median"].is_null(), "{code}: {json}");
                assert_eq!(behind(&json["total"]), 0, "{code}");
            }
            let empty = ask(&app, &format!("/v1/metrics/{code}?on=1950-06-01&format=csv")).await.text();
            let full = ask(&app, &format!("/v1/metrics/{code}?format=csv")).await.text();
            assert_eq!(empty.lines().next(), full.lines().next(), "{code}");
            for dimension in definition.dimensions {
                ask(&app, &format!("/v1/metrics/{code}?groupBy={dimension}")).await;
            }
        }
    }

    async fn a_question_that_makes_no_sense_is_refused_with_the_reason(app: TestApp) {
        for (query, location, code) in [
            ("groupBy=council,council", "groupBy", "group_by.duplicate"),
            ("groupBy=council,area", "groupBy", "group_by.council_area"),
            ("groupBy=month,year", "groupBy", "group_by.two_times"),
            ("groupBy=council,kind,level", "groupBy", "length"),
            ("groupBy=colour", "groupBy", "enum"),
            ("on=2026-11-24", "on", "date.future"),
            ("on=1850-01-01", "on", "date.range"),
            ("knownAt=2027-01-01T00:00:00Z", "knownAt", "date.future"),
            ("knownAt=yesterday", "knownAt", "date_time.format"),
            ("from=2026-02-01&to=2026-01-01", "to", "date.order"),
            ("cohort=all", "cohort", "enum"),
            ("unknown=1", "unknown", "unknown"),
        ] {
            let reply = app.get(&format!("/v1/metrics/answered-in-time?{query}")).send().await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{query}: {}", reply.text());
            let found = (location.to_owned(), code.to_owned());
            assert!(reply.faults().contains(&found), "{query}: {:?}", reply.faults());
        }
        let reply = app.get("/v1/metrics/coordinator-load?groupBy=council").send().await;
        assert_eq!(reply.faults(), [("groupBy".to_owned(), "group_by.not_offered".to_owned())]);
        let reply = app.get("/v1/metrics/volume?cohort=due").send().await;
        assert_eq!(reply.faults(), [("cohort".to_owned(), "cohort.not_offered".to_owned())]);
        let reply = app.get("/v1/metrics/nothing").send().await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND);
    }

    /// Before the first thing was ever written the councils are those of the built-in list, and the figures are nothing.
    async fn before_anything_was_known_there_is_nothing(app: TestApp) {
        golden_cases(&app).await;
        let path = format!("/v1/metrics/answered-in-time?{YEAR}&groupBy=council&knownAt=2020-01-01T00:00:00Z");
        let metric = figure(&app, &path).await;
        assert_eq!((&metric["total"]["denominator"], &metric["total"]["value"]), (&json!(0), &Value::Null));
        assert_eq!(metric["rows"].as_array().unwrap().len(), 39);
    }
}

/// Needs both databases at once.
#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn both_databases_give_the_same_bytes() {
    let sqlite = random_history(&TestApp::on_sqlite().await, 11, 40).await;
    let postgres = random_history(&TestApp::on_postgres().await, 11, 40).await;
    assert_eq!(sqlite.len(), postgres.len());
    for ((path, one), (_, other)) in sqlite.iter().zip(&postgres) {
        assert_eq!(String::from_utf8_lossy(one), String::from_utf8_lossy(other), "{path}");
    }
}

/// Lives a random history, and now and then asks a figure; gives each address, with what was known, and what was answered.
async fn random_history(app: &TestApp, seed: u64, steps: u32) -> Vec<(String, Vec<u8>)> {
    let mut state = seed;
    // A generator of our own, so that both databases live the very same history.
    let mut roll = move |sides: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % sides
    };
    let councils = ["rozenburg", "pernis", "hoogvliet"];
    let groups = ["", "&groupBy=council", "&groupBy=month", "&groupBy=quarter", "&groupBy=year"];
    let codes: Vec<&str> = definitions().iter().map(|definition| definition.code).collect();
    let accord = accord(app, "pernis").await;
    let mut open: Vec<String> = Vec::new();
    let mut agreements: Vec<String> = Vec::new();
    let mut answers = Vec::new();
    let mut day = chrono::NaiveDate::from_ymd_opt(2026, 11, 23).unwrap();
    for step in 0..steps {
        day = day + chrono::Days::new(roll(5));
        app.on_day(&day.to_string());
        // Some of it is registered late.
        let happened = day - chrono::Days::new(roll(30));
        match roll(7) {
            0 | 1 => {
                let council = councils[usize::try_from(roll(3)).unwrap()];
                let mut draft = draft_of(council);
                if roll(3) == 0 {
                    draft["level"] = json!("city");
                }
                let id = app.draft(draft).await;
                let on = happened.to_string();
                app.record(
                    &id,
                    "adoption",
                    json!({"meetingOn": on, "quorum": true, "votesFor": 7, "votesAgainst": 0}),
                )
                .await;
                app.record(&id, "submission", json!({"submittedOn": on})).await;
                app.record(&id, "receipt", json!({"receivedOn": on, "cluster": "so"})).await;
                open.push(id);
            }
            2 if !open.is_empty() => {
                let id = open.remove(usize::try_from(roll(open.len() as u64)).unwrap());
                let mut body = final_response(&day.to_string());
                body["considerations"] =
                    json!({"interests": [], "weighing": "afgewogen", "sharedOn": day.to_string()});
                app.record(&id, "responses", body).await;
            }
            3 if !open.is_empty() => {
                let id = open.remove(usize::try_from(roll(open.len() as u64)).unwrap());
                app.record(&id, "withdrawal", json!({"on": day.to_string(), "reason": "achterhaald"})).await;
            }
            4 => {
                let number = format!("1.{step}");
                agreements.push(agreement(app, &accord, &number, 2026).await);
            }
            5 if !agreements.is_empty() => {
                let id = &agreements[usize::try_from(roll(agreements.len() as u64)).unwrap()];
                let states = ["running", "reported_done"];
                let state = states[usize::try_from(roll(2)).unwrap()];
                let body = json!({"state": state, "on": happened.to_string()});
                let reply = record(app, &format!("/v1/agreements/{id}"), "progress", body).await;
                assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
            }
            6 if !agreements.is_empty() => {
                let id = &agreements[usize::try_from(roll(agreements.len() as u64)).unwrap()];
                let colours = [("green", true), ("orange", false), ("red", false)];
                let (colour, realised) = colours[usize::try_from(roll(3)).unwrap()];
                let body = json!({"colour": colour, "realised": realised, "on": happened.to_string()});
                let reply = record(app, &format!("/v1/agreements/{id}"), "judgements", body).await;
                assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
            }
            _ => {}
        }
        let code = codes[usize::try_from(roll(codes.len() as u64)).unwrap()];
        let group = groups[usize::try_from(roll(groups.len() as u64)).unwrap()];
        let on = day - chrono::Days::new(roll(20));
        let path = format!("/v1/metrics/{code}?on={on}&from=2026-01-01&to=2027-12-31{group}");
        let reply = app.get(&path).send().await;
        // Not every metric offers every breakdown.
        if reply.status == StatusCode::OK {
            let known_at = reply.json()["knownAt"].as_str().unwrap().to_owned();
            answers.push((format!("{path}&knownAt={known_at}"), reply.body));
        }
    }
    answers
}
