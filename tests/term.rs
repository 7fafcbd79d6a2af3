//! The clock: the golden cases through HTTP, the explanation line by line, and the rules behind it.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use chrono::NaiveDate;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::{Reply, TestApp, draft_of, final_response};

/// The built-in rule of 42 calendar days.
const BUILT_IN: &str = "01434b29-bc00-7000-8000-000000000001";

/// What `term` says of a golden case on 31 December 2025.
struct Golden {
    name: &'static str,
    original_due_on: Option<&'static str>,
    due_on: Option<&'static str>,
    state: &'static str,
    days_over: Option<i64>,
}

const fn golden(
    name: &'static str,
    due: Option<(&'static str, &'static str)>,
    state: &'static str,
    days_over: Option<i64>,
) -> Golden {
    let (original_due_on, due_on) = match due {
        Some((original, effective)) => (Some(original), Some(effective)),
        None => (None, None),
    };
    Golden { name, original_due_on, due_on, state, days_over }
}

const GOLDEN: [Golden; 12] = [
    golden("A01", Some(("2025-02-17", "2025-02-17")), "answered_in_time", Some(0)),
    golden("A02", Some(("2025-04-22", "2025-04-22")), "answered_in_time", Some(0)),
    golden("A03", Some(("2025-04-22", "2025-04-22")), "answered_in_time", Some(0)),
    golden("A04", Some(("2025-07-14", "2025-07-14")), "answered_late", Some(1)),
    golden("A05", Some(("2025-07-14", "2025-08-11")), "answered_in_time", Some(0)),
    golden("A06", Some(("2025-07-14", "2025-07-14")), "answered_late", Some(21)),
    golden("A07", Some(("2025-10-27", "2025-10-27")), "answered_in_time", Some(0)),
    golden("A08", Some(("2025-10-13", "2025-10-13")), "very_late", Some(79)),
    golden("A09", Some(("2026-01-12", "2026-01-12")), "running", Some(0)),
    golden("A10", Some(("2025-10-13", "2025-10-13")), "ended", Some(0)),
    golden("A11", Some(("2025-07-14", "2025-07-14")), "very_late", Some(49)),
    golden("A12", None, "suspended", None),
];

/// The twelve advice of the golden cases, published, by name.
pub async fn golden_cases(app: &TestApp) -> BTreeMap<&'static str, String> {
    let cases = [
        ("A01", "rozenburg", "2025-01-06", Some("2025-02-10")),
        ("A02", "rozenburg", "2025-03-07", Some("2025-04-18")),
        ("A03", "rozenburg", "2025-03-10", Some("2025-04-22")),
        ("A04", "rozenburg", "2025-06-02", Some("2025-07-15")),
        ("A05", "pernis", "2025-06-02", Some("2025-08-04")),
        ("A06", "pernis", "2025-06-02", Some("2025-08-04")),
        ("A07", "pernis", "2025-09-01", Some("2025-10-27")),
        ("A08", "pernis", "2025-09-01", None),
        ("A09", "hoogvliet", "2025-12-01", None),
        ("A10", "hoogvliet", "2025-09-01", None),
        ("A11", "hoogvliet", "2025-06-02", None),
        ("A12", "hoogvliet", "2025-10-01", None),
    ];
    let mut ids = BTreeMap::new();
    for (name, council, received_on, answered_on) in cases {
        let id = app.received(council, received_on).await;
        match name {
            "A05" => extend(app, &id, 28, "2025-07-01").await,
            "A06" => extend(app, &id, 28, "2025-07-20").await,
            "A07" => {
                let suspension = suspend(app, &id, "2025-09-15").await;
                let reply = resume(app, &id, &suspension, "2025-09-29").await;
                assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
            }
            "A10" => withdraw(app, &id, "2025-09-20").await,
            "A11" => withdraw(app, &id, "2025-09-01").await,
            "A12" => {
                suspend(app, &id, "2025-10-20").await;
            }
            _ => {}
        }
        if let Some(answered_on) = answered_on {
            app.record(&id, "responses", final_response(answered_on)).await;
        }
        app.record(&id, "publication", json!({})).await;
        ids.insert(name, id);
    }
    ids
}

async fn extend(app: &TestApp, id: &str, days: u16, decided_on: &str) {
    let body = json!({"days": days, "decidedOn": decided_on, "reason": "overleg over geld"});
    app.record(id, "extensions", body).await;
}

async fn withdraw(app: &TestApp, id: &str, on: &str) {
    app.record(id, "withdrawal", json!({"on": on, "reason": "achterhaald"})).await;
}

/// Suspends from a day on; gives the id of the suspension.
async fn suspend(app: &TestApp, id: &str, from: &str) -> String {
    let body = json!({"from": from, "decidedOn": from, "reason": "de raad is om meer gevraagd"});
    let advice = app.record(id, "suspensions", body).await;
    advice["suspensions"].as_array().unwrap().last().unwrap()["id"].as_str().unwrap().to_owned()
}

async fn resume(app: &TestApp, id: &str, suspension: &str, to: &str) -> Reply {
    let etag = app.etag(id).await;
    app.ask(actix_web::http::Method::PATCH, &format!("/v1/advice/{id}/suspensions/{suspension}"))
        .patch(json!({"to": to}))
        .token(&app.almighty())
        .if_match(&etag)
        .send()
        .await
}

/// A term rule with only what differs from six weeks for unsolicited advice.
fn rule(changes: Value) -> Value {
    let mut rule = json!({
        "days": 42, "unit": "calendar_days", "kinds": ["unsolicited"], "levels": [], "dueSoonDays": 7,
        "veryLateDays": 28, "validFrom": "2026-01-01", "ground": "verordening, artikel 12", "status": "adopted"
    });
    for (name, value) in changes.as_object().unwrap() {
        rule[name] = value.clone();
    }
    rule
}

async fn add_rule(app: &TestApp, changes: Value) -> String {
    let reply = app.post("/v1/term-rules", rule(changes)).token(&app.almighty()).send().await;
    assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text());
    reply.json()["id"].as_str().unwrap().to_owned()
}

/// An advice of a council that was sent in on a day.
async fn submitted(app: &TestApp, on: &str) -> String {
    let id = app.draft(draft_of("rozenburg")).await;
    let adoption = json!({"meetingOn": on, "quorum": true, "votesFor": 7, "votesAgainst": 0});
    app.record(&id, "adoption", adoption).await;
    app.record(&id, "submission", json!({"submittedOn": on})).await;
    id
}

async fn receive(app: &TestApp, id: &str, body: Value) -> Reply {
    let etag = app.etag(id).await;
    let path = format!("/v1/advice/{id}/receipt");
    app.post(&path, body).token(&app.almighty()).if_match(&etag).send().await
}

/// What a public path answers, which must be 200.
async fn read(app: &TestApp, path: &str) -> Value {
    let reply = app.get(path).send().await;
    assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.text());
    reply.json()
}

/// The names of the golden cases on all pages of a list, in order.
async fn names_on(app: &TestApp, ids: &BTreeMap<&str, String>, path: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut next = Some(path.to_owned());
    while let Some(path) = next {
        let page = read(app, &path).await;
        for item in page["items"].as_array().unwrap() {
            let name = ids.iter().find(|(_, id)| item["id"] == **id).unwrap().0;
            names.push((*name).to_owned());
        }
        next = page["next"].as_str().map(|next| next.trim_start_matches("https://api.test").to_owned());
    }
    names
}

fn steps(explained: &Value) -> Vec<&str> {
    explained["lines"].as_array().unwrap().iter().map(|line| line["step"].as_str().unwrap()).collect()
}

fn line<'v>(explained: &'v Value, step: &str) -> &'v Value {
    let lines = explained["lines"].as_array().unwrap();
    lines.iter().find(|line| line["step"] == step).unwrap_or_else(|| panic!("no {step}: {explained}"))
}

/// The day that receipt and all `days` of the lines add up to.
fn replayed(explained: &Value) -> NaiveDate {
    let receipt: NaiveDate = line(explained, "receipt")["on"].as_str().unwrap().parse().unwrap();
    let lines = explained["lines"].as_array().unwrap();
    let days: i64 = lines.iter().filter_map(|line| line["days"].as_i64()).sum();
    receipt + chrono::Duration::days(days)
}

on_both_databases! {
    /// Design 5. Item, list and explanation give the same term, while the clock stands in 2026.
    async fn the_golden_cases_hold_on_item_list_and_explanation(app: TestApp) {
        let ids = golden_cases(&app).await;
        let list = read(&app, "/v1/advice?on=2025-12-31&limit=1000").await;
        for Golden { name, original_due_on, due_on, state, days_over } in GOLDEN {
            let id = &ids[name];
            let expected = json!({
                "rule": BUILT_IN, "ruleStatus": "assumption", "originalDueOn": original_due_on, "dueOn": due_on,
                "state": state, "daysOver": days_over, "on": "2025-12-31"
            });
            let item = read(&app, &format!("/v1/advice/{id}?on=2025-12-31")).await;
            assert_eq!(item["term"], expected, "{name}");
            let items = list["items"].as_array().unwrap();
            let listed = items.iter().find(|listed| listed["id"] == **id).unwrap();
            assert_eq!(*listed, item, "{name}");
            let explained = read(&app, &format!("/v1/advice/{id}/term?on=2025-12-31")).await;
            assert_eq!(explained["term"], expected, "{name}");
        }
        let today = read(&app, &format!("/v1/advice/{}", ids["A09"])).await;
        assert_eq!(today["term"]["on"], "2026-11-23");
        assert_eq!(today["term"]["state"], "very_late");
        assert_eq!(today["term"]["daysOver"], 315);
    }

    async fn the_days_of_the_lines_add_up_to_the_deadline(app: TestApp) {
        let ids = golden_cases(&app).await;
        for Golden { name, due_on, .. } in GOLDEN {
            let explained = read(&app, &format!("/v1/advice/{}/term?on=2025-12-31", ids[name])).await;
            match due_on {
                Some(due_on) => assert_eq!(replayed(&explained).to_string(), due_on, "{name}: {explained}"),
                None => assert_eq!(steps(&explained), ["receipt", "rule", "suspension", "state"], "{name}"),
            }
        }
    }

    async fn the_explanation_names_each_holiday_that_it_skips(app: TestApp) {
        let ids = golden_cases(&app).await;
        let good_friday = read(&app, &format!("/v1/advice/{}/term?on=2025-12-31", ids["A02"])).await;
        let roll = line(&good_friday, "roll");
        assert_eq!(roll["days"], 4);
        assert_eq!(roll["source"], "Algemene termijnenwet art. 1");
        for skipped in ["Good Friday", "Saturday", "Sunday", "Easter Monday"] {
            assert!(roll["text"].as_str().unwrap().contains(skipped), "{skipped}: {roll}");
        }
        let easter = read(&app, &format!("/v1/advice/{}/term?on=2025-12-31", ids["A03"])).await;
        assert_eq!(line(&easter, "roll")["days"], 1);
        assert!(line(&easter, "roll")["text"].as_str().unwrap().contains("Easter Monday"));
    }

    async fn the_list_filters_and_sorts_on_the_term_of_the_reference_day(app: TestApp) {
        let ids = golden_cases(&app).await;
        let late = "/v1/advice?termState=late,very_late&on=2025-12-31&sort=-daysOver";
        assert_eq!(names_on(&app, &ids, late).await, ["A08", "A11"]);
        // `late` takes in `very_late`.
        assert_eq!(
            names_on(&app, &ids, "/v1/advice?termState=late&on=2025-12-31&sort=-daysOver").await,
            ["A08", "A11"]
        );
        assert_eq!(names_on(&app, &ids, "/v1/advice?termState=suspended&on=2025-12-31").await, ["A12"]);
        let most_over_first =
            ["A08", "A11", "A06", "A04", "A01", "A02", "A03", "A05", "A07", "A09", "A10", "A12"];
        for limit in [1, 3, 5, 1000] {
            let path = format!("/v1/advice?on=2025-12-31&sort=-daysOver&limit={limit}");
            assert_eq!(names_on(&app, &ids, &path).await, most_over_first, "limit {limit}");
        }
        let in_july = "/v1/advice?dueFrom=2025-07-14&dueTo=2025-07-14&on=2025-12-31";
        assert_eq!(names_on(&app, &ids, in_july).await, ["A04", "A06", "A11"]);
        let from_autumn = "/v1/advice?dueFrom=2025-10-01&on=2025-12-31&sort=-dueOn";
        assert_eq!(names_on(&app, &ids, from_autumn).await, ["A09", "A07", "A08", "A10"]);
        let counted = read(&app, "/v1/advice?termState=very_late&on=2025-12-31&count=true&limit=1").await;
        assert_eq!(counted["total"], 2);
        // The day after Christmas of 2024 nothing was received yet.
        let before = read(&app, "/v1/advice?termState=not_received&on=2024-12-26&count=true").await;
        assert_eq!(before["total"], 12);
    }

    async fn the_overdue_are_the_same_alone_and_among_all_others(app: TestApp) {
        let ids = golden_cases(&app).await;
        for on in ["2025-07-20", "2025-08-20", "2025-12-31", "2026-11-23"] {
            for sort in ["-daysOver", "daysOver", "dueOn", "-dueOn", "-receivedOn"] {
                let all = read(&app, &format!("/v1/advice?on={on}&sort={sort}")).await;
                for (asked, states) in [("late", &["late", "very_late"][..]), ("very_late", &["very_late"])] {
                    let is_so = |item: &&Value| states.contains(&item["term"]["state"].as_str().unwrap());
                    let expected = all["items"].as_array().unwrap().iter().filter(is_so);
                    let name = |item: &Value| ids.iter().find(|(_, id)| item["id"] == ***id).unwrap().0.to_string();
                    let expected: Vec<String> = expected.map(name).collect();
                    for limit in [1, 2, 100] {
                        let path = format!("/v1/advice?on={on}&termState={asked}&sort={sort}&limit={limit}");
                        assert_eq!(names_on(&app, &ids, &path).await, expected, "{path}");
                    }
                }
            }
        }
    }

    async fn a_walk_through_the_list_stays_on_its_day_past_midnight(app: TestApp) {
        let ids = golden_cases(&app).await;
        let first = read(&app, "/v1/advice?sort=-daysOver&limit=6").await;
        app.on_day("2026-11-24");
        let next = first["next"].as_str().unwrap().trim_start_matches("https://api.test").to_owned();
        let second = read(&app, &next).await;
        let items =
            [first["items"].as_array().unwrap().as_slice(), second["items"].as_array().unwrap()].concat();
        assert!(items.iter().all(|item| item["term"]["on"] == "2026-11-23"), "{items:?}");
        let mut seen: Vec<&str> = items.iter().map(|item| item["id"].as_str().unwrap()).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), ids.len());
    }

    async fn a_calculation_is_a_what_if_that_writes_nothing(app: TestApp) {
        let path = format!("/v1/term-rules/{BUILT_IN}/calculation?receivedOn=2025-03-07");
        let explained = read(&app, &path).await;
        assert_eq!(explained["term"]["dueOn"], "2025-04-22");
        assert_eq!(explained["term"]["on"], "2025-03-07");
        assert_eq!(explained["term"]["state"], "running");
        assert_eq!(replayed(&explained).to_string(), "2025-04-22");
        assert_eq!(steps(&explained), ["receipt", "rule", "sum", "roll", "state"]);
        let without_day = app.get(&format!("/v1/term-rules/{BUILT_IN}/calculation")).send().await;
        assert_eq!(without_day.status, StatusCode::BAD_REQUEST);
        assert_eq!(without_day.faults()[0].0, "receivedOn");
        let unknown = "/v1/term-rules/01999999-0000-7000-8000-000000000001/calculation?receivedOn=2025-03-07";
        assert_eq!(app.get(unknown).send().await.status, StatusCode::NOT_FOUND);
    }

    async fn working_days_skip_weekends_and_holidays(app: TestApp) {
        let rule = add_rule(&app, json!({"days": 10, "unit": "working_days"})).await;
        // 2026-04-30 is a Thursday; 5 May and Ascension Day, 14 May, are no working days.
        let path = format!("/v1/term-rules/{rule}/calculation?receivedOn=2026-04-30");
        let explained = read(&app, &path).await;
        assert_eq!(explained["term"]["dueOn"], "2026-05-18");
        assert_eq!(replayed(&explained).to_string(), "2026-05-18");
    }

    /// Rule 5 of design 4.
    async fn a_new_rule_touches_only_what_is_received_from_its_first_day_on(app: TestApp) {
        let earlier = app.received("rozenburg", "2026-11-02").await;
        let new = add_rule(&app, json!({"days": 14, "validFrom": "2026-11-02"})).await;
        let day_before = app.received("rozenburg", "2026-11-01").await;
        let first_day = app.received("rozenburg", "2026-11-02").await;
        let token = app.almighty();
        let mut terms = Vec::new();
        for id in [&earlier, &day_before, &first_day] {
            let term = app.get(&format!("/v1/advice/{id}")).token(&token).send().await.json()["term"].clone();
            terms.push((
                term["rule"].as_str().unwrap().to_owned(),
                term["ruleStatus"].as_str().unwrap().to_owned(),
                term["dueOn"].as_str().unwrap().to_owned(),
            ));
        }
        let six_weeks = |due_on: &str| (BUILT_IN.to_owned(), "assumption".to_owned(), due_on.to_owned());
        // 13 and 14 December 2026 are a Sunday and a Monday.
        assert_eq!(terms[0], six_weeks("2026-12-14"));
        assert_eq!(terms[1], six_weeks("2026-12-14"));
        assert_eq!(terms[2], (new, "adopted".to_owned(), "2026-11-16".to_owned()));
    }

    async fn of_two_equal_rules_the_receipt_names_one(app: TestApp) {
        let short = add_rule(&app, json!({"days": 14})).await;
        let long = add_rule(&app, json!({"days": 70})).await;
        let id = submitted(&app, "2026-10-01").await;
        let receipt = json!({"receivedOn": "2026-10-01", "cluster": "so"});
        let torn = receive(&app, &id, receipt.clone()).await;
        assert_eq!(torn.status, StatusCode::CONFLICT, "{}", torn.text());
        assert_eq!(torn.faults(), [(String::new(), "term-rule-ambiguous".to_owned())]);
        let detail = torn.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(&short) && detail.contains(&long), "{detail}");
        let mut named = receipt.clone();
        // The built-in rule is valid that day, but wider than these.
        named["reason"] = json!("zo besloten");
        named["rule"] = json!(BUILT_IN);
        let wider = receive(&app, &id, named.clone()).await;
        assert_eq!(wider.status, StatusCode::BAD_REQUEST, "{}", wider.text());
        assert_eq!(wider.faults(), [("/rule".to_owned(), "term_rule.not_valid".to_owned())]);
        named["rule"] = json!(short);
        let received = receive(&app, &id, named).await;
        assert_eq!(received.status, StatusCode::OK, "{}", received.text());
        assert_eq!(received.json()["term"]["rule"], json!(short));
        assert_eq!(received.json()["term"]["dueOn"], "2026-10-15");
    }

    async fn a_rule_of_no_norm_leaves_no_deadline(app: TestApp) {
        let mut letter = draft_of("rozenburg");
        letter["kind"] = json!("letter");
        let id = app.draft(letter).await;
        let adoption = json!({"meetingOn": "2026-10-01", "quorum": true, "votesFor": 7, "votesAgainst": 0});
        app.record(&id, "adoption", adoption).await;
        app.record(&id, "submission", json!({"submittedOn": "2026-10-01"})).await;
        let received = app.record(&id, "receipt", json!({"receivedOn": "2026-10-01", "cluster": "so"})).await;
        assert_eq!(received["term"]["state"], "no_norm");
        assert_eq!(received["term"]["dueOn"], Value::Null);
        assert_eq!(received["term"]["daysOver"], Value::Null);
        let etag = app.etag(&id).await;
        let body = json!({"days": 7, "decidedOn": "2026-10-02", "reason": "meer tijd"});
        let path = format!("/v1/advice/{id}/extensions");
        let extended = app.post(&path, body).token(&app.almighty()).if_match(&etag).send().await;
        assert_eq!(extended.status, StatusCode::CONFLICT);
        assert_eq!(extended.faults(), [(String::new(), "no-norm".to_owned())]);
    }

    async fn an_open_suspension_leaves_no_deadline_until_the_answer_closes_it(app: TestApp) {
        // 2026-10-01 and 42 days is 2026-11-12.
        let id = app.received("rozenburg", "2026-10-01").await;
        suspend(&app, &id, "2026-10-12").await;
        let path = format!("/v1/advice/{id}");
        let open = app.get(&path).token(&app.almighty()).send().await.json();
        assert_eq!(open["term"]["state"], "suspended");
        assert_eq!(open["term"]["dueOn"], Value::Null);
        assert_eq!(open["term"]["originalDueOn"], Value::Null);
        assert_eq!(open["suspensions"][0]["to"], Value::Null);
        let acknowledgement = json!({"kind": "acknowledgement", "sentOn": "2026-10-13", "by": "official"});
        let acknowledged = app.record(&id, "responses", acknowledgement).await;
        assert_eq!(acknowledged["term"]["state"], "suspended");
        let answered = app.record(&id, "responses", final_response("2026-11-20")).await;
        assert_eq!(answered["suspensions"][0]["to"], "2026-11-20");
        // 39 days stood still: 2026-12-21 is a Monday.
        assert_eq!(answered["term"]["dueOn"], "2026-12-21");
        assert_eq!(answered["term"]["state"], "answered_in_time");
    }

    async fn suspensions_do_not_overlap_and_end_after_they_begin(app: TestApp) {
        let id = app.received("rozenburg", "2026-10-01").await;
        let first = suspend(&app, &id, "2026-10-12").await;
        let etag = app.etag(&id).await;
        let again = json!({"from": "2026-10-20", "decidedOn": "2026-10-20", "reason": "nog eens"});
        let path = format!("/v1/advice/{id}/suspensions");
        let overlapping = app.post(&path, again).token(&app.almighty()).if_match(&etag).send().await;
        assert_eq!(overlapping.status, StatusCode::CONFLICT, "{}", overlapping.text());
        assert_eq!(overlapping.faults(), [(String::new(), "suspension-overlap".to_owned())]);
        let empty = resume(&app, &id, &first, "2026-10-12").await;
        assert_eq!(empty.status, StatusCode::BAD_REQUEST);
        assert_eq!(empty.faults(), [("/to".to_owned(), "date.order".to_owned())]);
        let ended = resume(&app, &id, &first, "2026-10-19").await;
        assert_eq!(ended.status, StatusCode::OK, "{}", ended.text());
        assert_eq!(ended.json()["term"]["dueOn"], "2026-11-19");
        let twice = resume(&app, &id, &first, "2026-10-20").await;
        assert_eq!(twice.status, StatusCode::CONFLICT);
        assert_eq!(twice.faults(), [(String::new(), "already-recorded".to_owned())]);
        let unknown = resume(&app, &id, "01999999-0000-7000-8000-000000000001", "2026-10-20").await;
        assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    }

    async fn what_is_decided_after_the_deadline_is_kept_and_shown_as_void(app: TestApp) {
        let id = app.received("rozenburg", "2026-09-01").await;
        extend(&app, &id, 28, "2026-10-14").await;
        suspend(&app, &id, "2026-10-15").await;
        app.record(&id, "publication", json!({})).await;
        let advice = read(&app, &format!("/v1/advice/{id}")).await;
        assert_eq!(advice["extensions"][0]["void"], true);
        assert_eq!(advice["suspensions"][0]["void"], true);
        assert_eq!(advice["term"]["dueOn"], "2026-10-13");
        assert_eq!(advice["term"]["state"], "very_late");
        assert_eq!(advice["term"]["daysOver"], 41);
        let explained = read(&app, &format!("/v1/advice/{id}/term")).await;
        for step in ["void_extension", "void_suspension"] {
            assert_eq!(line(&explained, step)["days"], Value::Null, "{explained}");
            assert!(line(&explained, step)["text"].as_str().unwrap().contains("void"), "{explained}");
        }
        let timeline = read(&app, &format!("/v1/advice/{id}/timeline")).await;
        let void = timeline["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|entry| entry["text"].as_str().unwrap().contains("void, without effect"));
        assert_eq!(void.count(), 2, "{timeline}");
    }

    async fn on_the_deadline_day_an_extension_is_still_in_time(app: TestApp) {
        let id = app.received("rozenburg", "2026-09-01").await;
        extend(&app, &id, 28, "2026-10-13").await;
        let advice = app.get(&format!("/v1/advice/{id}")).token(&app.almighty()).send().await.json();
        assert_eq!(advice["extensions"][0]["void"], false);
        assert_eq!(advice["term"]["originalDueOn"], "2026-10-13");
        assert_eq!(advice["term"]["dueOn"], "2026-11-10");
    }

    /// Nothing that was received before a rule ended changes; what comes after it needs another.
    async fn an_ended_rule_holds_for_what_was_received_before(app: TestApp) {
        let before = app.received("rozenburg", "2026-10-15").await;
        let path = format!("/v1/term-rules/{BUILT_IN}");
        let etag = app.get(&path).send().await.header("etag");
        let end = |etag: &str| {
            let patch =
                app.ask(actix_web::http::Method::PATCH, &path).patch(json!({"validTo": "2026-09-30", "reason": "verordening"}));
            patch.token(&app.almighty()).if_match(etag)
        };
        assert_eq!(end("\"0\"").send().await.status, StatusCode::PRECONDITION_FAILED);
        let ended = end(&etag).send().await;
        assert_eq!(ended.status, StatusCode::OK, "{}", ended.text());
        assert_eq!(ended.json()["validTo"], "2026-09-30");
        let advice = app.get(&format!("/v1/advice/{before}")).token(&app.almighty()).send().await.json();
        assert_eq!(advice["term"]["dueOn"], "2026-11-26");
        let last_day = app.received("rozenburg", "2026-09-30").await;
        let term = app.get(&format!("/v1/advice/{last_day}/term")).token(&app.almighty()).send().await.json();
        assert_eq!(term["term"]["rule"], BUILT_IN);
        let late = submitted(&app, "2026-10-01").await;
        let receipt = json!({"receivedOn": "2026-10-01", "cluster": "so"});
        let without = receive(&app, &late, receipt.clone()).await;
        assert_eq!(without.status, StatusCode::CONFLICT, "{}", without.text());
        assert_eq!(without.faults(), [(String::new(), "term-rule-missing".to_owned())]);
        let new = add_rule(&app, json!({"days": 14, "validFrom": "2026-10-01"})).await;
        assert_eq!(receive(&app, &late, receipt).await.json()["term"]["rule"], json!(new));
    }
}
