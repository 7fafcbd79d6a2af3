//! An advice from draft to answer: the events, their refusals, and what the public sees of them.

use actix_web::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::{Reply, TestApp, draft_of, final_response};

const UNKNOWN: &str = "01999999-0000-7000-8000-000000000001";

fn path(id: &str) -> String {
    format!("/v1/advice/{id}")
}

/// Tries an event with the version that stands there, as somebody who may do everything.
async fn attempt(app: &TestApp, id: &str, event: &str, body: Value) -> Reply {
    let etag = app.etag(id).await;
    attempt_as(app, &app.almighty(), &etag, id, event, body).await
}

async fn attempt_as(app: &TestApp, token: &str, etag: &str, id: &str, event: &str, body: Value) -> Reply {
    app.post(&format!("/v1/advice/{id}/{event}"), body).token(token).if_match(etag).send().await
}

async fn change(app: &TestApp, id: &str, mut patch: Value) -> Reply {
    if patch.get("reason").is_none() {
        patch["reason"] = json!("verschreven");
    }
    let etag = app.etag(id).await;
    app.ask(Method::PATCH, &path(id)).patch(patch).token(&app.almighty()).if_match(&etag).send().await
}

/// As somebody who sees all of it.
async fn whole(app: &TestApp, id: &str) -> Value {
    let reply = app.get(&path(id)).token(&app.almighty()).send().await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    reply.json()
}

async fn public(app: &TestApp, id: &str) -> Value {
    let reply = app.get(&path(id)).send().await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    reply.json()
}

/// The status for somebody without a token.
async fn public_status(app: &TestApp, path: &str) -> StatusCode {
    app.get(path).send().await.status
}

#[track_caller]
fn assert_invalid(reply: &Reply, faults: &[(&str, &str)]) {
    assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{}", reply.text());
    assert_eq!(reply.problem(), "invalid-input");
    let expected: Vec<_> =
        faults.iter().map(|(place, code)| ((*place).to_owned(), (*code).to_owned())).collect();
    assert_eq!(reply.faults(), expected, "{}", reply.text());
}

#[track_caller]
fn assert_conflict(reply: &Reply, code: &str) {
    assert_eq!(reply.status, StatusCode::CONFLICT, "{}", reply.text());
    assert_eq!(reply.problem(), "conflict");
    assert_eq!(reply.faults(), [(String::new(), code.to_owned())], "{}", reply.text());
}

fn adoption(on: &str) -> Value {
    json!({"meetingOn": on, "quorum": true, "votesFor": 7, "votesAgainst": 0})
}

fn correction(field: &str, value: Value) -> Value {
    json!({"field": field, "value": value, "reason": "verkeerd overgenomen"})
}

/// A draft with points 1 to 3 on a level.
fn three_points(level: &str) -> Value {
    let mut draft = draft_of("rozenburg");
    draft["level"] = json!(level);
    draft["points"] = json!([
        {"number": 1, "text": "Maak een zebrapad"},
        {"number": 2, "text": "Verlaag de snelheid"},
        {"number": 3, "text": "Plaats verlichting"}
    ]);
    draft
}

/// Takes a draft to receipt, all on one day; gives its id.
async fn received_as(app: &TestApp, draft: Value, on: &str) -> String {
    let id = app.draft(draft).await;
    app.record(&id, "adoption", adoption(on)).await;
    app.record(&id, "submission", json!({"submittedOn": on})).await;
    app.record(&id, "receipt", json!({"receivedOn": on, "cluster": "so"})).await;
    id
}

/// An advice that was received and published; gives its id.
async fn published(app: &TestApp, council: &str, received_on: &str) -> String {
    let id = app.received(council, received_on).await;
    app.record(&id, "publication", json!({})).await;
    id
}

/// Brings a new advice to a status; gives its id.
async fn in_status(app: &TestApp, status: &str) -> String {
    let id = app.draft(draft_of("rozenburg")).await;
    let steps: &[(&str, &str, Value)] = &[
        ("draft", "adoption", adoption("2026-10-01")),
        ("adopted", "submission", json!({"submittedOn": "2026-10-01"})),
        ("submitted", "receipt", json!({"receivedOn": "2026-10-01", "cluster": "so"})),
        ("received", "treatment", json!({"on": "2026-10-01"})),
        ("in_treatment", "responses", final_response("2026-10-01")),
        ("answered", "follow-ups", json!({"point": 1, "state": "planned", "on": "2026-10-01"})),
        ("in_follow_up", "closure", json!({"on": "2026-10-01"})),
    ];
    let (last, side_step) = match status {
        "withdrawn" => {
            ("received", Some(("withdrawal", json!({"on": "2026-10-01", "reason": "achterhaald"}))))
        }
        "forwarded" => ("received", Some(("forwarding", json!({"on": "2026-10-01", "body": "Waterschap"})))),
        other => (other, None),
    };
    for (from, event, body) in steps.iter().take_while(|(from, ..)| *from != last) {
        let advice = app.record(&id, event, body.clone()).await;
        assert_ne!(advice["status"], *from, "{event}");
    }
    if let Some((event, body)) = side_step {
        app.record(&id, event, body).await;
    }
    assert_eq!(whole(app, &id).await["status"], status);
    id
}

on_both_databases! {
    async fn an_advice_goes_from_draft_to_a_public_answer(app: TestApp) {
        let id = app.received("rozenburg", "2026-10-01").await;
        app.record(&id, "responses", final_response("2026-10-20")).await;
        let anonymous = app.get(&format!("/v1/advice/{id}")).send().await;
        assert_eq!(anonymous.status, StatusCode::NOT_FOUND);
        app.record(&id, "publication", json!({})).await;
        let public = app.get(&format!("/v1/advice/{id}")).send().await.json();
        assert_eq!(public["status"], "answered");
        assert_eq!(public["outcome"], "adopted");
        assert_eq!(public["term"]["state"], "answered_in_time");
        assert_eq!(public["term"]["dueOn"], "2026-11-12");
    }

    async fn each_event_sets_the_status_and_raises_the_version_by_one(app: TestApp) {
        let mut draft = draft_of("rozenburg");
        draft["councils"]["cosigners"] = json!([{"council": "hoogvliet"}]);
        let id = app.draft(draft).await;
        let pause = json!({"from": "2026-09-16", "decidedOn": "2026-09-16", "reason": "meer gevraagd"});
        let steps = [
            ("cosignatures", json!({"council": "hoogvliet", "signedOn": "2026-09-10"}), "draft"),
            ("adoption", adoption("2026-09-10"), "adopted"),
            ("submission", json!({"submittedOn": "2026-09-11", "letterOn": "2026-09-09"}), "submitted"),
            (
                "receipt",
                json!({"receivedOn": "2026-09-14", "cluster": "so", "listedOn": "2026-09-17"}),
                "received",
            ),
            ("treatment", json!({"on": "2026-09-15"}), "in_treatment"),
            ("suspensions", pause, "in_treatment"),
            (
                "extensions",
                json!({"days": 7, "decidedOn": "2026-09-16", "reason": "vakantie"}),
                "in_treatment",
            ),
            (
                "responses",
                json!({"kind": "acknowledgement", "sentOn": "2026-09-17", "by": "official"}),
                "in_treatment",
            ),
            (
                "responses",
                json!({"kind": "interim", "sentOn": "2026-09-18", "by": "official"}),
                "in_treatment",
            ),
            ("forwarding", json!({"on": "2026-09-18", "cluster": "sb"}), "in_treatment"),
            ("ratification", json!({"ratifiedOn": "2026-10-01"}), "in_treatment"),
            ("responses", final_response("2026-10-20"), "answered"),
            (
                "follow-ups",
                json!({"point": 1, "state": "planned", "on": "2026-10-21", "dueOn": "2027-03-01"}),
                "in_follow_up",
            ),
            ("ratings", json!({"council": "rozenburg", "on": "2026-10-22", "score": 4}), "in_follow_up"),
            ("closure", json!({"on": "2026-11-01"}), "closed"),
            ("ratings", json!({"council": "hoogvliet", "on": "2026-11-02", "score": 2}), "closed"),
            (
                "responses",
                json!({"kind": "revised", "decidedOn": "2026-11-03", "sentOn": "2026-11-03", "by": "college",
                "points": [{"number": 1, "outcome": "not_adopted", "reasons": "Geen ruimte"}]}),
                "closed",
            ),
            ("corrections", correction("subject", json!("Oversteek bij de basisschool")), "closed"),
            ("publication", json!({}), "closed"),
            ("unpublication", json!({"reason": "bevat een naam"}), "closed"),
        ];
        for (version, (event, body, status)) in (2..).zip(steps) {
            let reply = attempt(&app, &id, event, body).await;
            assert_eq!(reply.status, StatusCode::OK, "{event}: {}", reply.text());
            let advice = reply.json();
            assert_eq!(advice["version"], version, "{event}");
            assert_eq!(advice["status"], status, "{event}");
            assert_eq!(reply.header("etag"), app.etag(&id).await, "{event}");
            assert_eq!(advice, whole(&app, &id).await, "{event}");
        }
        let advice = whole(&app, &id).await;
        assert_eq!(
            json!([advice["letterOn"], advice["submittedOn"], advice["listedOn"], advice["receivedOn"]]),
            json!(["2026-09-09", "2026-09-11", "2026-09-17", "2026-09-14"])
        );
        assert_eq!(advice["outcome"], "not_adopted");
        assert_eq!(advice["cluster"], "sb");
    }

    async fn an_event_that_is_not_open_is_a_conflict(app: TestApp) {
        let target = app.received("pernis", "2026-10-01").await;
        let events = [
            ("adoption", adoption("2026-10-02")),
            ("cosignatures", json!({"council": "hoogvliet", "signedOn": "2026-10-02"})),
            ("submission", json!({"submittedOn": "2026-10-02"})),
            ("receipt", json!({"receivedOn": "2026-10-02", "cluster": "so"})),
            ("treatment", json!({"on": "2026-10-02"})),
            ("suspensions", json!({"from": "2026-10-02", "decidedOn": "2026-10-02", "reason": "vraag"})),
            ("extensions", json!({"days": 7, "decidedOn": "2026-10-02", "reason": "vakantie"})),
            ("acknowledgement", json!({"kind": "acknowledgement", "sentOn": "2026-10-02", "by": "official"})),
            ("final", final_response("2026-10-02")),
            (
                "revised",
                json!({"kind": "revised", "decidedOn": "2026-10-02", "sentOn": "2026-10-02", "by": "college",
                "points": [{"number": 1, "outcome": "adopted"}]}),
            ),
            ("withdrawal", json!({"on": "2026-10-02", "reason": "achterhaald"})),
            ("merge", json!({"into": target, "on": "2026-10-02"})),
            ("forwarding", json!({"on": "2026-10-02", "cluster": "sb"})),
            ("follow-ups", json!({"point": 1, "state": "planned", "on": "2026-10-02"})),
            ("ratings", json!({"council": "rozenburg", "on": "2026-10-02", "score": 4})),
            ("closure", json!({"on": "2026-10-02"})),
            ("ratification", json!({"ratifiedOn": "2026-10-02"})),
            ("publication", json!({})),
        ];
        let in_hand = "suspensions extensions acknowledgement final withdrawal merge forwarding cosignatures \
                       ratification publication";
        let answered = "revised follow-ups ratings closure ratification publication final";
        let open = [
            ("draft", "adoption cosignatures withdrawal"),
            ("adopted", "submission cosignatures withdrawal ratification"),
            ("submitted", "receipt cosignatures withdrawal ratification"),
            ("received", &format!("treatment {in_hand}")),
            ("in_treatment", in_hand),
            ("answered", answered),
            ("in_follow_up", answered),
            ("closed", "revised ratings ratification publication final"),
            ("withdrawn", "publication"),
            ("forwarded", "publication"),
        ];
        for (status, open) in open {
            let id = in_status(&app, status).await;
            let before = whole(&app, &id).await;
            for (event, body) in &events {
                if open.split(' ').any(|name| name == *event) {
                    continue;
                }
                let path = if ["acknowledgement", "final", "revised"].contains(event) {
                    "responses"
                } else {
                    *event
                };
                let reply = attempt(&app, &id, path, body.clone()).await;
                assert_eq!(reply.status, StatusCode::CONFLICT, "{event} while {status}: {}", reply.text());
                assert_conflict(&reply, "transition-not-open");
            }
            assert_eq!(whole(&app, &id).await, before, "{status}");
        }
    }

    async fn there_is_one_final_response(app: TestApp) {
        for status in ["answered", "in_follow_up", "closed"] {
            let id = in_status(&app, status).await;
            let again = attempt(&app, &id, "responses", final_response("2026-10-02")).await;
            assert_conflict(&again, "final-response-exists");
        }
    }

    /// Rule 1: every point has an outcome, and reasons where it is not fully adopted.
    async fn a_final_response_without_reasons_or_outcomes_is_refused(app: TestApp) {
        let id = received_as(&app, three_points("neighbourhood"), "2026-10-01").await;
        let mut response = final_response("2026-10-20");
        response["points"] = json!([{"number": 1, "outcome": "not_adopted"}, {"number": 2, "outcome": "adopted"},
            {"number": 3, "outcome": "needs_study", "reasons": "  "}]);
        let without_reasons = attempt(&app, &id, "responses", response.clone()).await;
        assert_invalid(
            &without_reasons,
            &[
                ("/points/0/reasons", "response.reasons_missing"),
                ("/points/2/reasons", "response.reasons_missing"),
            ],
        );
        response["points"] = json!([{"number": 2, "outcome": "adopted"}]);
        let without_outcomes = attempt(&app, &id, "responses", response.clone()).await;
        assert_invalid(
            &without_outcomes,
            &[("/points", "response.outcome_missing"), ("/points", "response.outcome_missing")],
        );
        let details = without_outcomes.json()["errors"].to_string();
        assert!(details.contains("point 1 ") && details.contains("point 3 "), "{details}");
        response["points"] = json!([{"number": 1, "outcome": "adopted"}, {"number": 1, "outcome": "adopted"},
            {"number": 2, "outcome": "adopted"}, {"number": 3, "outcome": "adopted"}, {"number": 4, "outcome": "adopted"}]);
        let of_others = attempt(&app, &id, "responses", response).await;
        assert_invalid(
            &of_others,
            &[("/points/1/number", "duplicate"), ("/points/4/number", "response.no_such_point")],
        );
    }

    /// Rule 2.
    async fn a_city_level_answer_needs_the_considerations(app: TestApp) {
        for level in ["city", "cross_neighbourhood"] {
            let mut draft = draft_of("rozenburg");
            draft["level"] = json!(level);
            let id = received_as(&app, draft, "2026-10-01").await;
            let bare = attempt(&app, &id, "responses", final_response("2026-10-20")).await;
            assert_invalid(&bare, &[("/considerations", "response.considerations_missing")]);
            let mut weighed = final_response("2026-10-20");
            weighed["considerations"] = json!({
                "interests": [{"text": "doorstroming", "direction": "against"}],
                "weighing": "veiligheid gaat voor", "sharedOn": "2026-10-21"
            });
            let answered = app.record(&id, "responses", weighed).await;
            assert_eq!(answered["responses"][0]["considerations"]["sharedOn"], "2026-10-21");
            // A revised response obeys the same rules.
            let revised = json!({"kind": "revised", "decidedOn": "2026-11-01", "sentOn": "2026-11-01", "by": "college",
                "points": [{"number": 1, "outcome": "not_adopted"}]});
            assert_invalid(
                &attempt(&app, &id, "responses", revised).await,
                &[
                    ("/points/0/reasons", "response.reasons_missing"),
                    ("/considerations", "response.considerations_missing"),
                ],
            );
        }
    }

    /// Rule 4.
    async fn dates_out_of_order_or_in_the_future_are_refused(app: TestApp) {
        let id = app.draft(draft_of("rozenburg")).await;
        let tomorrow = attempt(&app, &id, "adoption", adoption("2026-11-24")).await;
        assert_invalid(&tomorrow, &[("/meetingOn", "date.future")]);
        app.record(&id, "adoption", adoption("2026-10-05")).await;
        let early = attempt(&app, &id, "submission", json!({"submittedOn": "2026-10-04"})).await;
        assert_invalid(&early, &[("/submittedOn", "date.order")]);
        app.record(&id, "submission", json!({"submittedOn": "2026-10-06"})).await;
        let receipt = json!({"receivedOn": "2026-10-05", "cluster": "so"});
        assert_invalid(&attempt(&app, &id, "receipt", receipt).await, &[("/receivedOn", "date.order")]);
        app.record(&id, "receipt", json!({"receivedOn": "2026-10-07", "cluster": "so"})).await;
        let early = attempt(&app, &id, "responses", final_response("2026-10-06")).await;
        assert_invalid(&early, &[("/decidedOn", "date.order"), ("/sentOn", "date.order")]);
        let mut future = final_response("2026-11-24");
        future["decidedOn"] = json!("2026-11-23");
        assert_invalid(&attempt(&app, &id, "responses", future).await, &[("/sentOn", "date.future")]);
        let mut sent_first = final_response("2026-10-20");
        sent_first["decidedOn"] = json!("2026-10-21");
        assert_invalid(&attempt(&app, &id, "responses", sent_first).await, &[("/sentOn", "date.order")]);
        let early =
            attempt(&app, &id, "withdrawal", json!({"on": "2026-10-06", "reason": "achterhaald"})).await;
        assert_invalid(&early, &[("/on", "date.order")]);
    }

    async fn what_happened_on_one_day_is_in_order(app: TestApp) {
        let id = app.received("rozenburg", "2026-11-23").await;
        let answered = app.record(&id, "responses", final_response("2026-11-23")).await;
        assert_eq!(answered["term"]["state"], "answered_in_time");
    }

    async fn all_faults_are_told_at_once(app: TestApp) {
        let draft = json!({
            "kind": "opinion", "subject": "", "level": "neighbourhood", "councils": {"lead": "rozenburg"},
            "letterOn": "23-11-2026", "status": "answered"
        });
        let reply = app.post("/v1/advice", draft).token(&app.almighty()).send().await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{}", reply.text());
        let mut places: Vec<String> = reply.faults().into_iter().map(|(place, _)| place).collect();
        places.sort();
        // The subject is both too short and blank.
        places.dedup();
        assert_eq!(places, ["/kind", "/letterOn", "/status", "/subject"]);

        let mut city = three_points("city");
        city["references"] = json!([{"system": "ibabs-raad", "value": "26bb000123"}]);
        let id = received_as(&app, city, "2026-10-01").await;
        let response = json!({"kind": "final", "sentOn": "2026-11-24", "by": "alderman",
            "points": [{"number": 1, "outcome": "not_adopted"}, {"number": 2, "outcome": "adopted"}]});
        assert_invalid(
            &attempt(&app, &id, "responses", response).await,
            &[
                ("/decidedOn", "required"),
                ("/sentOn", "date.future"),
                ("/points", "response.outcome_missing"),
                ("/points/0/reasons", "response.reasons_missing"),
                ("/considerations", "response.considerations_missing"),
            ],
        );
    }

    async fn codes_that_no_table_knows_are_refused(app: TestApp) {
        let mut draft = draft_of("atlantis");
        draft["councils"]["cosigners"] = json!([{"council": "pernis"}, {"council": "lemuria"}]);
        draft["themes"] = json!(["mobility", "magic"]);
        draft["secondRoundOf"] = json!(UNKNOWN);
        draft["request"] = json!(UNKNOWN);
        let reply = app.post("/v1/advice", draft).token(&app.almighty()).send().await;
        assert_invalid(
            &reply,
            &[
                ("/councils/lead", "unknown"),
                ("/councils/cosigners/1/council", "unknown"),
                ("/themes/1", "unknown"),
                ("/secondRoundOf", "unknown"),
                ("/request", "unknown"),
            ],
        );
        let id = in_status(&app, "submitted").await;
        let receipt = json!({"receivedOn": "2026-10-01", "cluster": "magic", "portfolioHolder": UNKNOWN});
        assert_invalid(
            &attempt(&app, &id, "receipt", receipt).await,
            &[("/cluster", "unknown"), ("/portfolioHolder", "unknown")],
        );
    }

    async fn the_outcome_follows_from_the_points(app: TestApp) {
        let cases = [
            (["adopted", "adopted", "adopted"], "adopted"),
            (["already_policy", "already_policy", "already_policy"], "already_policy"),
            (["adopted", "not_adopted", "not_adopted"], "partly_adopted"),
            (["partly_adopted", "needs_study", "not_adopted"], "partly_adopted"),
            (["not_adopted", "needs_study", "not_competent"], "mixed"),
        ];
        for (outcomes, expected) in cases {
            let id = received_as(&app, three_points("neighbourhood"), "2026-10-01").await;
            assert_eq!(whole(&app, &id).await["outcome"], Value::Null);
            let mut response = final_response("2026-10-20");
            let points = (1..).zip(outcomes).map(
                |(number, outcome)| json!({"number": number, "outcome": outcome, "reasons": "zie brief"}),
            );
            response["points"] = points.collect();
            let answered = app.record(&id, "responses", response).await;
            assert_eq!(answered["outcome"], expected, "{outcomes:?}");
        }
        let mut without_points = draft_of("rozenburg");
        without_points["points"] = json!([]);
        let id = received_as(&app, without_points, "2026-10-01").await;
        let mut response = final_response("2026-10-20");
        response["points"] = json!([]);
        assert_eq!(app.record(&id, "responses", response).await["outcome"], Value::Null);
    }

    /// Rule 3.
    async fn only_a_final_response_stops_the_clock_and_a_revised_one_never_does(app: TestApp) {
        let id = app.received("rozenburg", "2026-09-01").await;
        for kind in ["acknowledgement", "interim"] {
            let message = json!({"kind": kind, "sentOn": "2026-09-02", "by": "official"});
            let advice = app.record(&id, "responses", message).await;
            assert_eq!(advice["term"]["state"], "very_late", "{kind}");
            assert_eq!(advice["answeredOn"], Value::Null, "{kind}");
            let with_points = json!({"kind": kind, "sentOn": "2026-09-02", "by": "official",
                "points": [{"number": 1, "outcome": "adopted"}]});
            let refused = attempt(&app, &id, "responses", with_points).await;
            assert_invalid(&refused, &[("/points", "response.no_outcome_yet")]);
        }
        let answered = app.record(&id, "responses", final_response("2026-10-13")).await;
        assert_eq!(answered["term"]["state"], "answered_in_time");
        let revised = json!({"kind": "revised", "decidedOn": "2026-11-20", "sentOn": "2026-11-20", "by": "college",
            "points": [{"number": 1, "outcome": "not_adopted", "reasons": "Geen ruimte"}]});
        let before = json!({"kind": "revised", "decidedOn": "2026-10-12", "sentOn": "2026-10-12", "by": "college",
            "points": [{"number": 1, "outcome": "adopted"}]});
        assert_invalid(&attempt(&app, &id, "responses", before).await, &[("/sentOn", "date.order")]);
        let advice = app.record(&id, "responses", revised).await;
        assert_eq!(advice["term"], answered["term"]);
        assert_eq!(advice["answeredOn"], "2026-10-13");
        assert_eq!(advice["points"][0]["outcome"], "not_adopted");
        assert_eq!(advice["points"][0]["reasons"], "Geen ruimte");
        assert_eq!(advice["status"], "answered");
    }

    async fn a_revised_response_replaces_point_by_point(app: TestApp) {
        let id = received_as(&app, three_points("neighbourhood"), "2026-10-01").await;
        let mut response = final_response("2026-10-20");
        response["points"] = json!([{"number": 1, "outcome": "adopted"}, {"number": 2, "outcome": "adopted"},
            {"number": 3, "outcome": "adopted"}]);
        app.record(&id, "responses", response).await;
        let revised = |sent_on: &str, number: u8, outcome: &str| {
            json!({"kind": "revised", "decidedOn": sent_on, "sentOn": sent_on, "by": "college",
                "points": [{"number": number, "outcome": outcome, "reasons": "zie brief"}]})
        };
        app.record(&id, "responses", revised("2026-11-10", 2, "not_adopted")).await;
        // Recorded later, sent earlier: the one sent last holds.
        let advice = app.record(&id, "responses", revised("2026-11-05", 2, "needs_study")).await;
        let outcomes: Vec<&Value> =
            advice["points"].as_array().unwrap().iter().map(|point| &point["outcome"]).collect();
        assert_eq!(outcomes, ["adopted", "not_adopted", "adopted"]);
        assert_eq!(advice["outcome"], "partly_adopted");
        let empty =
            json!({"kind": "revised", "decidedOn": "2026-11-11", "sentOn": "2026-11-11", "by": "college"});
        assert_invalid(&attempt(&app, &id, "responses", empty).await, &[("/points", "required")]);
    }

    async fn a_draft_is_changed_by_merge_patch(app: TestApp) {
        let id = app.draft(draft_of("rozenburg")).await;
        let patch =
            json!({"subject": "Zebrapad", "summary": "Kort", "themes": ["mobility"], "level": "city"});
        let changed = change(&app, &id, patch).await;
        assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
        let advice = changed.json();
        assert_eq!(
            json!([
                advice["subject"],
                advice["summary"],
                advice["themes"],
                advice["level"],
                advice["version"]
            ]),
            json!(["Zebrapad", "Kort", ["mobility"], "city", 2])
        );
        assert_eq!(advice["points"][0]["text"], "Maak een zebrapad");
        let emptied = change(&app, &id, json!({"summary": null})).await.json();
        assert_eq!(emptied["summary"], Value::Null);

        assert_invalid(&change(&app, &id, json!({"status": "answered"})).await, &[("/status", "unknown")]);
        assert_invalid(&change(&app, &id, json!({"themes": ["magic"]})).await, &[("/themes/0", "unknown")]);
        let lead = json!({"councils": {"lead": "pernis"}});
        assert_invalid(&change(&app, &id, lead).await, &[("/councils/lead", "immutable")]);
        let signed = json!({"councils": {"lead": "rozenburg", "cosigners": [{"council": "pernis", "signedOn": "2026-11-01"}]}});
        assert_invalid(
            &change(&app, &id, signed).await,
            &[("/councils/cosigners/0/signedOn", "cosigner.signs_itself")],
        );
        let twice = json!({"points": [{"number": 1, "text": "Een"}, {"number": 1, "text": "Twee"}]});
        assert_invalid(&change(&app, &id, twice).await, &[("/points/1/number", "duplicate")]);
        let itself = json!({"secondRoundOf": id});
        assert_invalid(&change(&app, &id, itself).await, &[("/secondRoundOf", "second_round.itself")]);
        let emptied = change(&app, &id, json!({"subject": null})).await;
        assert_eq!(emptied.status, StatusCode::BAD_REQUEST, "{}", emptied.text());
        assert_eq!(emptied.faults()[0].0, "/subject");
    }

    async fn a_patch_asks_for_its_own_type_and_for_if_match(app: TestApp) {
        let id = app.draft(draft_of("rozenburg")).await;
        let token = app.almighty();
        let json = app
            .ask(Method::PATCH, &path(&id))
            .json(json!({"subject": "Zebrapad"}))
            .token(&token)
            .send()
            .await;
        assert_eq!(json.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
        assert_eq!(json.header("accept-patch"), "application/merge-patch+json");
        let patch = || app.ask(Method::PATCH, &path(&id)).patch(json!({"subject": "Zebrapad"})).token(&token);
        let bare = patch().send().await;
        assert_eq!(
            (bare.status, bare.problem()),
            (StatusCode::PRECONDITION_REQUIRED, "if-match-required".to_owned())
        );
        let stale = patch().if_match("\"0.2026-11-23.internal\"").send().await;
        assert_eq!((stale.status, stale.problem()), (StatusCode::PRECONDITION_FAILED, "stale".to_owned()));
        let weak = patch().if_match(&format!("W/{}", app.etag(&id).await)).send().await;
        assert_eq!(weak.status, StatusCode::PRECONDITION_FAILED);
        let yesterday = patch().if_match("\"1.2026-11-22.internal\"").send().await;
        assert_eq!(yesterday.status, StatusCode::OK, "the day does not count: {}", yesterday.text());
    }

    async fn after_adoption_only_themes_level_and_references_change(app: TestApp) {
        let id = in_status(&app, "adopted").await;
        let reference = json!({"system": "ibabs-raad", "value": "26bb000123", "url": "https://gemeenteraad.rotterdam.nl/x"});
        let patch = json!({"themes": ["mobility"], "level": "city", "references": [reference]});
        let changed = change(&app, &id, patch).await;
        assert_eq!(changed.status, StatusCode::OK, "{}", changed.text());
        assert_eq!(changed.json()["references"], json!([reference]));
        for patch in [
            json!({"subject": "Anders"}),
            json!({"summary": "Anders"}),
            json!({"kind": "letter"}),
            json!({"points": []}),
            json!({"letterOn": "2026-10-01"}),
            json!({"councils": {"lead": "rozenburg", "cosigners": [{"council": "pernis"}]}}),
        ] {
            assert_conflict(&change(&app, &id, patch).await, "text-frozen");
        }
        let withdrawn = in_status(&app, "withdrawn").await;
        assert_conflict(
            &change(&app, &withdrawn, json!({"themes": ["mobility"]})).await,
            "transition-not-open",
        );
    }

    /// Rule 2 is not got round by raising the level afterwards.
    async fn the_level_of_an_answered_advice_is_not_raised_without_considerations(app: TestApp) {
        let id = in_status(&app, "answered").await;
        let raised = change(&app, &id, json!({"level": "city"})).await;
        assert_invalid(&raised, &[("/level", "response.considerations_missing")]);
    }

    async fn only_a_draft_that_no_cosigner_was_shown_is_deleted(app: TestApp) {
        let token = app.almighty();
        let delete = async |id: &str| {
            let etag = app.etag(id).await;
            app.ask(Method::DELETE, &path(id)).token(&token).if_match(&etag).send().await
        };
        let id = app.draft(draft_of("rozenburg")).await;
        let bare = app.ask(Method::DELETE, &path(&id)).token(&token).send().await;
        assert_eq!(bare.status, StatusCode::PRECONDITION_REQUIRED);
        let deleted = delete(&id).await;
        assert_eq!((deleted.status, deleted.text()), (StatusCode::NO_CONTENT, String::new()));
        assert_eq!(app.get(&path(&id)).token(&token).send().await.status, StatusCode::NOT_FOUND);
        assert_eq!(app.get("/v1/advice").token(&token).send().await.json()["items"], json!([]));

        let mut shown = draft_of("rozenburg");
        shown["councils"]["cosigners"] = json!([{"council": "pernis"}]);
        let id = app.draft(shown).await;
        assert_conflict(&delete(&id).await, "shown-to-cosigner");
        let alone = change(&app, &id, json!({"councils": {"lead": "rozenburg", "cosigners": []}})).await;
        assert_eq!(alone.status, StatusCode::OK, "{}", alone.text());
        assert_conflict(&delete(&id).await, "shown-to-cosigner");

        let adopted = in_status(&app, "adopted").await;
        assert_conflict(&delete(&adopted).await, "transition-not-open");
    }

    async fn an_invited_council_sees_the_draft_and_signs_itself(app: TestApp) {
        let mut draft = draft_of("rozenburg");
        draft["councils"]["cosigners"] = json!([{"council": "hoogvliet"}, {"council": "overschie"}]);
        let id = app.draft(draft).await;
        let invited = app.token("advice:write", &["hoogvliet"], &[]);
        let other = app.token("advice:write", &["pernis"], &[]);
        let etag = app.get(&path(&id)).token(&invited).send().await.header("etag");
        let signature = |council: &str| json!({"council": council, "signedOn": "2026-11-20"});

        let hidden = attempt_as(&app, &other, &etag, &id, "cosignatures", signature("pernis")).await;
        assert_eq!(hidden.status, StatusCode::NOT_FOUND);
        let forged = attempt_as(&app, &invited, &etag, &id, "cosignatures", signature("overschie")).await;
        assert_eq!((forged.status, forged.problem()), (StatusCode::FORBIDDEN, "not-yours".to_owned()));
        let adopted = attempt_as(&app, &invited, &etag, &id, "adoption", adoption("2026-11-20")).await;
        assert_eq!((adopted.status, adopted.problem()), (StatusCode::FORBIDDEN, "not-yours".to_owned()));
        let signed = attempt_as(&app, &invited, &etag, &id, "cosignatures", signature("hoogvliet")).await;
        assert_eq!(signed.status, StatusCode::OK, "{}", signed.text());
        assert_eq!(
            signed.json()["councils"]["cosigners"][0],
            json!({"council": "hoogvliet", "signedOn": "2026-11-20"})
        );
        assert_conflict(
            &attempt(&app, &id, "cosignatures", signature("hoogvliet")).await,
            "already-recorded",
        );
        let lead = attempt(&app, &id, "cosignatures", signature("rozenburg")).await;
        assert_invalid(&lead, &[("/council", "duplicate")]);
        let mut future = signature("overschie");
        future["signedOn"] = json!("2026-11-24");
        assert_invalid(&attempt(&app, &id, "cosignatures", future).await, &[("/signedOn", "date.future")]);

        // Once it is public, an invitation that was not taken up is nobody's business.
        app.record(&id, "adoption", adoption("2026-11-20")).await;
        app.record(&id, "submission", json!({"submittedOn": "2026-11-20"})).await;
        app.record(&id, "receipt", json!({"receivedOn": "2026-11-20", "cluster": "so"})).await;
        app.record(&id, "publication", json!({})).await;
        let cosigners = public(&app, &id).await["councils"]["cosigners"].clone();
        assert_eq!(cosigners, json!([{"council": "hoogvliet", "signedOn": "2026-11-20"}]));
        assert_eq!(whole(&app, &id).await["councils"]["cosigners"].as_array().unwrap().len(), 2);
        for (council, found) in [("hoogvliet", 1), ("overschie", 0)] {
            let list = app.get(&format!("/v1/advice?council={council}")).send().await.json();
            assert_eq!(list["items"].as_array().unwrap().len(), found, "{council}");
        }
    }

    async fn a_council_that_signed_signs_again_when_the_text_changes(app: TestApp) {
        let mut draft = draft_of("rozenburg");
        draft["councils"]["cosigners"] = json!([{"council": "hoogvliet"}]);
        let id = app.draft(draft).await;
        app.record(&id, "cosignatures", json!({"council": "hoogvliet", "signedOn": "2026-11-20"})).await;
        let dropped = change(&app, &id, json!({"councils": {"lead": "rozenburg", "cosigners": []}})).await;
        assert_invalid(&dropped, &[("/councils/cosigners", "cosigner.signed")]);
        let themes = change(&app, &id, json!({"themes": ["mobility"]})).await.json();
        assert_eq!(themes["councils"]["cosigners"][0]["signedOn"], "2026-11-20");
        let subject = change(&app, &id, json!({"subject": "Zebrapad"})).await.json();
        assert_eq!(subject["councils"]["cosigners"][0]["signedOn"], Value::Null);
    }

    async fn ratification_may_come_after_submission_and_once(app: TestApp) {
        let id = in_status(&app, "submitted").await;
        let early = attempt(&app, &id, "ratification", json!({"ratifiedOn": "2026-09-30"})).await;
        assert_invalid(&early, &[("/ratifiedOn", "date.order")]);
        let ratified = app.record(&id, "ratification", json!({"ratifiedOn": "2026-10-20"})).await;
        assert_eq!(ratified["adoption"]["ratifiedOn"], "2026-10-20");
        assert_eq!(ratified["status"], "submitted");
        let again = attempt(&app, &id, "ratification", json!({"ratifiedOn": "2026-10-21"})).await;
        assert_conflict(&again, "already-recorded");
    }

    async fn an_adoption_has_a_majority(app: TestApp) {
        let id = app.draft(draft_of("rozenburg")).await;
        let mut vote = adoption("2026-11-20");
        vote["votesAgainst"] = json!(7);
        assert_invalid(&attempt(&app, &id, "adoption", vote).await, &[("/votesFor", "adoption.no_majority")]);
    }

    async fn a_merged_advice_points_to_the_other(app: TestApp) {
        let into = published(&app, "pernis", "2026-10-01").await;
        let id = published(&app, "rozenburg", "2026-10-02").await;
        let merged = app
            .record(&id, "merge", json!({"into": into, "on": "2026-10-05", "reason": "zelfde plek"}))
            .await;
        assert_eq!(merged["status"], "merged");
        assert_eq!(merged["merge"]["into"], json!(into));
        assert_eq!(merged["term"]["state"], "ended");
        let other = format!("https://api.test/v1/advice/{into}");
        for method in [Method::GET, Method::HEAD] {
            let anonymous = app.ask(method.clone(), &path(&id)).send().await;
            assert_eq!(anonymous.status, StatusCode::PERMANENT_REDIRECT, "{method}");
            assert_eq!(anonymous.header("location"), other, "{method}");
        }
        let list = app.get("/v1/advice?status=merged").send().await.json();
        assert_eq!(list["items"][0]["merge"], json!({"into": into, "on": "2026-10-05", "reason": null}));

        app.record(&into, "unpublication", json!({"reason": "bevat een naam"})).await;
        for method in [Method::GET, Method::HEAD] {
            let anonymous = app.ask(method.clone(), &path(&id)).send().await;
            // It vanished with the one that it goes on in, for the same reason.
            assert_eq!(anonymous.status, StatusCode::GONE, "{method}");
            if method == Method::GET {
                assert_eq!(anonymous.json()["reason"], "bevat een naam");
            }
            assert_eq!(anonymous.header("location"), "", "{method}");
            let inside = app.ask(method.clone(), &path(&id)).token(&app.almighty()).send().await;
            assert_eq!(inside.status, StatusCode::PERMANENT_REDIRECT, "{method}");
            assert_eq!(inside.header("location"), other, "{method}");
        }
        let left = app.get("/v1/advice?count=true").send().await.json();
        assert_eq!(left["total"], 0, "a list holds no item that leads nowhere");
    }

    async fn what_is_published_is_not_merged_into_what_is_not(app: TestApp) {
        let into = app.received("pernis", "2026-10-01").await;
        let id = published(&app, "rozenburg", "2026-10-02").await;
        let merge = json!({"into": into, "on": "2026-10-05"});
        assert_conflict(&attempt(&app, &id, "merge", merge).await, "merge-target-not-public");
    }

    async fn a_link_that_appears_or_vanishes_is_a_change_of_what_bears_it(app: TestApp) {
        let first = app.received("rozenburg", "2026-10-01").await;
        let mut again = draft_of("rozenburg");
        again["secondRoundOf"] = json!(first);
        let again = app.draft(again).await;
        app.record(&again, "adoption", json!({"meetingOn": "2026-10-02", "quorum": true, "votesFor": 7, "votesAgainst": 0})).await;
        app.record(&again, "submission", json!({"submittedOn": "2026-10-02"})).await;
        app.record(&again, "receipt", json!({"receivedOn": "2026-10-02", "cluster": "so"})).await;
        app.record(&again, "publication", json!({})).await;
        let mut seen = Vec::new();
        for step in ["", "publication", "unpublication"] {
            match step {
                "" => {}
                "publication" => drop(app.record(&first, step, json!({})).await),
                _ => drop(app.record(&first, step, json!({"reason": "bevat een naam"})).await),
            }
            let reply = app.get(&path(&again)).send().await;
            seen.push((reply.header("etag"), reply.json()["secondRoundOf"].clone()));
        }
        assert_eq!(seen[0].1, json!(null));
        assert_eq!(seen[1].1, json!(first));
        assert_eq!(seen[2].1, json!(null));
        assert!(seen[0].0 != seen[1].0 && seen[1].0 != seen[2].0, "{seen:?}");
    }

    async fn the_feed_does_not_repeat_what_was_withdrawn_from_publication(app: TestApp) {
        let id = published(&app, "rozenburg", "2026-10-02").await;
        app.record(&id, "unpublication", json!({"reason": "bevat een naam"})).await;
        let feed = app.get("/v1/changes?limit=1000").send().await;
        assert!(!feed.text().contains("Oversteek"), "an entry from before still tells it");
        let last = feed.json()["items"].as_array().unwrap().last().cloned().unwrap();
        assert_eq!((last["id"].clone(), last["deleted"].clone()), (json!(id), json!(true)));
    }

    async fn a_merged_advice_takes_no_more_writes(app: TestApp) {
        let into = app.received("pernis", "2026-10-01").await;
        let id = app.received("rozenburg", "2026-10-01").await;
        let version =
            app.record(&id, "merge", json!({"into": into, "on": "2026-10-05"})).await["version"].clone();
        let (token, etag) = (app.almighty(), format!("\"{version}.2026-11-23.internal\""));
        for (event, body) in [
            ("treatment", json!({"on": "2026-10-06"})),
            ("responses", final_response("2026-10-06")),
            ("corrections", correction("receivedOn", json!("2026-10-02"))),
            ("publication", json!({})),
            ("withdrawal", json!({"on": "2026-10-06", "reason": "achterhaald"})),
        ] {
            assert_conflict(&attempt_as(&app, &token, &etag, &id, event, body).await, "merged");
        }
        let patch = app.ask(Method::PATCH, &path(&id)).patch(json!({"themes": ["mobility"], "reason": "verkeerd ingedeeld"}));
        assert_conflict(&patch.token(&token).if_match(&etag).send().await, "merged");
        let delete = app.ask(Method::DELETE, &path(&id)).token(&token).if_match(&etag).send().await;
        assert_eq!(delete.status, StatusCode::CONFLICT, "{}", delete.text());
    }

    async fn an_advice_merges_only_into_another_that_goes_on(app: TestApp) {
        let id = app.received("rozenburg", "2026-10-02").await;
        let merge = |into: &str| json!({"into": into, "on": "2026-10-05"});
        assert_invalid(&attempt(&app, &id, "merge", merge(&id)).await, &[("/into", "merge.itself")]);
        assert_invalid(&attempt(&app, &id, "merge", merge(UNKNOWN)).await, &[("/into", "unknown")]);
        let draft = app.draft(draft_of("pernis")).await;
        assert_conflict(&attempt(&app, &id, "merge", merge(&draft)).await, "merge-target-not-submitted");
        let withdrawn = in_status(&app, "withdrawn").await;
        assert_conflict(&attempt(&app, &id, "merge", merge(&withdrawn)).await, "merge-target-ended");
        let early = json!({"into": withdrawn, "on": "2026-10-01"});
        assert_invalid(&attempt(&app, &id, "merge", early).await, &[("/on", "date.order")]);
        let cluster = app.token("treatment:write", &[], &["so"]);
        let etag = app.etag(&id).await;
        let hidden = attempt_as(&app, &cluster, &etag, &id, "merge", merge(&draft)).await;
        assert_invalid(&hidden, &[("/into", "unknown")]);
    }

    async fn forwarding_to_a_cluster_moves_the_advice(app: TestApp) {
        let id = app.received("rozenburg", "2026-10-01").await;
        let so = app.token("treatment:write", &[], &["so"]);
        let sb = app.token("treatment:write", &[], &["sb"]);
        let both = json!({"on": "2026-10-05", "cluster": "sb", "body": "Waterschap"});
        assert_invalid(
            &attempt(&app, &id, "forwarding", both).await,
            &[("/cluster", "forwarding.one_target")],
        );
        let neither = json!({"on": "2026-10-05"});
        assert_invalid(
            &attempt(&app, &id, "forwarding", neither).await,
            &[("/cluster", "forwarding.one_target")],
        );
        let unknown = json!({"on": "2026-10-05", "cluster": "magic"});
        assert_invalid(&attempt(&app, &id, "forwarding", unknown).await, &[("/cluster", "unknown")]);
        let same = json!({"on": "2026-10-05", "cluster": "so"});
        assert_conflict(&attempt(&app, &id, "forwarding", same).await, "already-recorded");

        assert_eq!(app.get(&path(&id)).token(&sb).send().await.status, StatusCode::NOT_FOUND);
        let body = json!({"on": "2026-10-05", "cluster": "sb", "reason": "gaat over beheer"});
        let etag = app.get(&path(&id)).token(&so).send().await.header("etag");
        let moved = attempt_as(&app, &so, &etag, &id, "forwarding", body).await;
        assert_eq!(moved.status, StatusCode::OK, "{}", moved.text());
        assert_eq!(moved.json()["cluster"], "sb");
        assert_eq!(moved.json()["status"], "received");
        assert_eq!(app.get(&path(&id)).token(&so).send().await.status, StatusCode::NOT_FOUND);
        assert_eq!(app.get(&path(&id)).token(&sb).send().await.status, StatusCode::OK);
        app.record(&id, "publication", json!({})).await;
        let published = public(&app, &id).await;
        assert_eq!(
            published["forwardings"],
            json!([{"on": "2026-10-05", "cluster": "sb", "body": null, "reason": null}])
        );
    }

    async fn forwarding_to_a_body_outside_ends_the_process(app: TestApp) {
        let id = published(&app, "rozenburg", "2026-10-01").await;
        let advice = app.record(&id, "forwarding", json!({"on": "2026-10-05", "body": "Waterschap"})).await;
        assert_eq!(advice["status"], "forwarded");
        assert_eq!(advice["term"]["state"], "ended");
        assert_eq!(public(&app, &id).await["status"], "forwarded");
    }

    async fn a_withdrawn_advice_stays_public_without_its_reason(app: TestApp) {
        let id = published(&app, "rozenburg", "2026-10-01").await;
        app.record(&id, "withdrawal", json!({"on": "2026-10-20", "reason": "ruzie in de raad"})).await;
        let advice = public(&app, &id).await;
        assert_eq!(advice["status"], "withdrawn");
        assert_eq!(advice["withdrawal"], json!({"on": "2026-10-20", "reason": null}));
        assert_eq!(advice["term"]["state"], "ended");
        assert_eq!(whole(&app, &id).await["withdrawal"]["reason"], "ruzie in de raad");
    }

    async fn what_was_public_is_gone_and_what_never_was_is_not_found(app: TestApp) {
        let id = published(&app, "rozenburg", "2026-10-01").await;
        assert_conflict(&attempt(&app, &id, "publication", json!({})).await, "already-recorded");
        app.on_day("2026-11-25");
        app.record(&id, "unpublication", json!({"reason": "bevat een naam"})).await;
        let never = app.received("pernis", "2026-10-01").await;
        let draft = app.draft(draft_of("pernis")).await;
        for part in ["", "/term", "/timeline"] {
            let gone = app.get(&format!("/v1/advice/{id}{part}")).send().await;
            assert_eq!((gone.status, gone.problem()), (StatusCode::GONE, "gone".to_owned()), "{part}");
            assert_eq!(gone.json()["reason"], "bevat een naam", "{part}");
            let since = whole(&app, &id).await["publication"]["withdrawnAt"].clone();
            assert_eq!(gone.json()["withdrawnAt"], since, "{part}");
            assert!(since.as_str().unwrap().starts_with("2026-11-25T11:00:00"), "{since}");
            for hidden in [&never, &draft] {
                assert_eq!(
                    public_status(&app, &format!("/v1/advice/{hidden}{part}")).await,
                    StatusCode::NOT_FOUND
                );
            }
        }
        let head = app.ask(Method::HEAD, &path(&id)).send().await;
        assert_eq!(head.status, StatusCode::GONE);
        assert_eq!(app.get("/v1/advice").send().await.json()["items"], json!([]));
        assert_conflict(
            &attempt(&app, &id, "unpublication", json!({"reason": "nog eens"})).await,
            "not-published",
        );
        assert_eq!(whole(&app, &id).await["publication"]["state"], "withdrawn");
        app.record(&id, "publication", json!({})).await;
        assert_eq!(public(&app, &id).await["publication"]["state"], "published");
        assert_eq!(public(&app, &id).await["publication"]["reason"], Value::Null);
    }

    async fn a_response_draft_is_never_public_and_leaves_the_advice_as_it_was(app: TestApp) {
        let id = published(&app, "rozenburg", "2026-10-01").await;
        let address = format!("/v1/advice/{id}/response-draft");
        let cluster = app.token("treatment:write", &[], &["so"]);
        let council = app.token("advice:write", &["rozenburg"], &[]);
        let (before, timeline) = (whole(&app, &id).await, format!("/v1/advice/{id}/timeline"));
        let timeline_before = app.get(&timeline).send().await.json();
        let public_before = app.get(&path(&id)).send().await;

        assert_eq!(app.get(&address).token(&cluster).send().await.status, StatusCode::NOT_FOUND);
        let put = |text: &str| app.ask(Method::PUT, &address).json(json!({"text": text})).token(&cluster);
        let too_soon = put("Geachte raad").if_match("\"1\"").send().await;
        assert_eq!(too_soon.status, StatusCode::PRECONDITION_FAILED);
        let first = put("Geachte raad").send().await;
        assert_eq!(first.status, StatusCode::CREATED, "{}", first.text());
        assert_eq!(first.header("location"), format!("https://api.test{address}"));
        assert_eq!(put("Beste raad").send().await.status, StatusCode::PRECONDITION_REQUIRED);
        let second = put("Beste raad").if_match(&first.header("etag")).send().await;
        assert_eq!((second.status, &second.json()["version"]), (StatusCode::OK, &json!(2)));
        let stale = put("Dag raad").if_match(&first.header("etag")).send().await;
        assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
        let kept = app.get(&address).token(&cluster).send().await;
        assert_eq!(kept.json()["draft"]["text"], "Beste raad");
        assert_eq!(kept.header("etag"), second.header("etag"));

        assert_eq!(public_status(&app, &address).await, StatusCode::UNAUTHORIZED);
        let reader = app.token("internal:read", &["rozenburg"], &[]);
        assert_eq!(app.get(&address).token(&reader).send().await.status, StatusCode::OK);
        let coordinator = app.get(&address).token(&council).send().await;
        assert_eq!(coordinator.status, StatusCode::FORBIDDEN, "{}", coordinator.text());
        assert_eq!(whole(&app, &id).await, before);
        assert_eq!(app.get(&timeline).send().await.json(), timeline_before);
        let public_after = app.get(&path(&id)).send().await;
        assert_eq!(
            (public_after.header("etag"), public_after.body),
            (public_before.header("etag"), public_before.body)
        );
    }

    async fn a_response_is_public_once_it_was_sent(app: TestApp) {
        let id = published(&app, "rozenburg", "2026-10-01").await;
        let interim = json!({"kind": "interim", "by": "official", "text": "We werken eraan",
            "references": [{"system": "ibabs-raad", "value": "26bb000999"}]});
        let advice = app.record(&id, "responses", interim).await;
        let response = advice["responses"][0]["id"].as_str().unwrap().to_owned();
        let council = app.token("advice:write", &["rozenburg"], &[]);
        for token in [None, Some(&council)] {
            let ask = |path: &str| match token {
                None => app.get(path),
                Some(token) => app.get(path).token(token),
            };
            for part in ["", "/term", "/timeline"] {
                let text = ask(&format!("/v1/advice/{id}{part}")).send().await.text();
                assert!(!text.contains(&response) && !text.contains("We werken eraan"), "{part}: {text}");
            }
        }
        let by_reference = "/v1/advice?reference=26bb000999";
        assert_eq!(app.get(by_reference).send().await.json()["items"], json!([]));
        let field = format!("responses.{response}.sentOn");
        app.record(&id, "corrections", correction(&field, json!("2026-10-10"))).await;
        assert_eq!(public(&app, &id).await["responses"][0]["text"], "We werken eraan");
        assert_eq!(app.get(by_reference).send().await.json()["items"][0]["id"], json!(id));
    }

    async fn a_correction_keeps_both_values_and_counts_again(app: TestApp) {
        // Due 2026-10-13; the extension came a day after.
        let id = published(&app, "rozenburg", "2026-09-01").await;
        let late = app
            .record(&id, "extensions", json!({"days": 28, "decidedOn": "2026-10-14", "reason": "geld"}))
            .await;
        assert_eq!(late["extensions"][0]["void"], true);
        let advice = app.record(&id, "corrections", correction("receivedOn", json!("2026-09-15"))).await;
        assert_eq!(advice["receivedOn"], "2026-09-15");
        assert_eq!(advice["extensions"][0]["void"], false);
        assert_eq!(advice["term"]["originalDueOn"], "2026-10-27");
        assert_eq!(advice["term"]["dueOn"], "2026-11-24");
        assert_eq!(
            advice["corrections"],
            json!([{"on": "2026-11-23", "field": "receivedOn", "was": "2026-09-01",
            "is": "2026-09-15", "reason": "verkeerd overgenomen", "ruleChanged": false}])
        );
        let timeline = app.get(&format!("/v1/advice/{id}/timeline")).send().await.json();
        let entries = timeline["items"].as_array().unwrap();
        let entry = entries.iter().find(|entry| entry["event"] == "correction").unwrap();
        assert_eq!(
            json!([entry["field"], entry["was"], entry["is"]]),
            json!(["receivedOn", "2026-09-01", "2026-09-15"])
        );
        assert_eq!(public(&app, &id).await["corrections"][0]["reason"], Value::Null);
    }

    async fn a_correction_outside_its_validity_takes_the_rule_of_that_day(app: TestApp) {
        let rule = json!({"days": 14, "unit": "calendar_days", "kinds": ["unsolicited"], "dueSoonDays": 7,
            "veryLateDays": 28, "validFrom": "2026-06-01", "validTo": "2026-08-31", "ground": "proef", "status": "adopted"});
        let added = app.post("/v1/term-rules", rule).token(&app.almighty()).send().await;
        assert_eq!(added.status, StatusCode::CREATED, "{}", added.text());
        let id = app.draft(draft_of("rozenburg")).await;
        app.record(&id, "adoption", adoption("2026-05-01")).await;
        app.record(&id, "submission", json!({"submittedOn": "2026-05-01"})).await;
        let received = app.record(&id, "receipt", json!({"receivedOn": "2026-06-02", "cluster": "so"})).await;
        assert_eq!(received["term"]["dueOn"], "2026-06-16");
        let within = app.record(&id, "corrections", correction("receivedOn", json!("2026-06-01"))).await;
        assert_eq!(within["corrections"][0]["ruleChanged"], false);
        assert_eq!(within["term"]["rule"], received["term"]["rule"]);
        let outside = app.record(&id, "corrections", correction("receivedOn", json!("2026-05-20"))).await;
        assert_eq!(outside["corrections"][1]["ruleChanged"], true);
        assert_eq!(outside["term"]["ruleStatus"], "assumption");
        assert_eq!(outside["term"]["dueOn"], "2026-07-01");
    }

    async fn a_correction_obeys_the_rules_and_the_right_to_the_field(app: TestApp) {
        let id = in_status(&app, "answered").await;
        for (field, value, place, code) in [
            ("receivedOn", json!("2026-09-30"), "/value", "date.order"),
            ("submittedOn", json!("2026-10-02"), "/value", "date.order"),
            ("receivedOn", json!("2026-10-01"), "/value", "correction.same"),
            ("receivedOn", json!("gisteren"), "/value", "type"),
            ("adoption.votesFor", json!(0), "/value", "adoption.no_majority"),
            ("status", json!("closed"), "/field", "correction.no_such_field"),
            ("closure.on", json!("2026-10-02"), "/field", "correction.no_such_field"),
            ("portfolioHolder", json!(UNKNOWN), "/value", "unknown"),
        ] {
            let reply = attempt(&app, &id, "corrections", correction(field, value)).await;
            assert_invalid(&reply, &[(place, code)]);
        }
        // A day after today is after the next step too.
        let future = attempt(&app, &id, "corrections", correction("letterOn", json!("2026-11-24"))).await;
        assert_invalid(&future, &[("/value", "date.future")]);
        let council = app.token("advice:write", &["rozenburg"], &[]);
        let etag = app.get(&path(&id)).token(&council).send().await.header("etag");
        let not_its_field = attempt_as(
            &app,
            &council,
            &etag,
            &id,
            "corrections",
            correction("receivedOn", json!("2026-10-01")),
        )
        .await;
        assert_eq!(
            (not_its_field.status, not_its_field.problem()),
            (StatusCode::FORBIDDEN, "insufficient-scope".to_owned())
        );
        let its_field = attempt_as(
            &app,
            &council,
            &etag,
            &id,
            "corrections",
            correction("letterOn", json!("2026-09-30")),
        )
        .await;
        assert_eq!(its_field.status, StatusCode::OK, "{}", its_field.text());
        let draft = app.draft(draft_of("rozenburg")).await;
        let of_draft = attempt(&app, &draft, "corrections", correction("subject", json!("Anders"))).await;
        assert_conflict(&of_draft, "draft-is-changed");
    }

    /// What was corrected in a text may be what should never have been read.
    async fn a_corrected_text_does_not_tell_the_public_what_stood_there(app: TestApp) {
        let id = published(&app, "rozenburg", "2026-10-01").await;
        app.record(&id, "corrections", correction("subject", json!("Zebrapad"))).await;
        assert_eq!(public(&app, &id).await["subject"], "Zebrapad");
        for part in ["", "/timeline"] {
            let text = app.get(&format!("/v1/advice/{id}{part}")).send().await.text();
            assert!(!text.contains("Oversteek bij de school"), "{part}: {text}");
        }
        assert_eq!(whole(&app, &id).await["corrections"][0]["was"], "Oversteek bij de school");
    }

    async fn a_rating_is_never_public(app: TestApp) {
        let id = published(&app, "rozenburg", "2026-10-01").await;
        app.record(&id, "responses", final_response("2026-10-20")).await;
        let rating =
            json!({"council": "rozenburg", "on": "2026-10-21", "score": 1, "note": "teleurstellend"});
        let foreign = json!({"council": "pernis", "on": "2026-10-21", "score": 5});
        assert_invalid(
            &attempt(&app, &id, "ratings", foreign).await,
            &[("/council", "council.not_signatory")],
        );
        let early = json!({"council": "rozenburg", "on": "2026-10-19", "score": 1});
        assert_invalid(&attempt(&app, &id, "ratings", early).await, &[("/on", "date.order")]);
        assert_eq!(app.record(&id, "ratings", rating.clone()).await["ratings"], json!([rating]));
        assert_eq!(public(&app, &id).await["ratings"], json!([]));
        for path in [
            path(&id),
            format!("/v1/advice/{id}/timeline"),
            "/v1/advice".to_owned(),
            "/v1/changes?limit=1000".to_owned(),
        ] {
            let text = app.get(&path).send().await.text();
            assert!(!text.contains("teleurstellend") && !text.contains("of 5"), "{path}");
        }
    }

    async fn a_follow_up_is_of_a_point_that_was_adopted(app: TestApp) {
        let id = received_as(&app, three_points("neighbourhood"), "2026-10-01").await;
        let mut response = final_response("2026-10-20");
        response["points"] = json!([{"number": 1, "outcome": "adopted"},
            {"number": 2, "outcome": "partly_adopted", "reasons": "deels"},
            {"number": 3, "outcome": "not_adopted", "reasons": "geen geld"}]);
        app.record(&id, "responses", response).await;
        let follow_up = |point: u8, state: &str, on: &str| json!({"point": point, "state": state, "on": on, "dueOn": "2027-09-01"});
        for point in [3, 4] {
            let refused = attempt(&app, &id, "follow-ups", follow_up(point, "planned", "2026-10-21")).await;
            assert_invalid(&refused, &[("/point", "follow_up.not_adopted")]);
        }
        let early = attempt(&app, &id, "follow-ups", follow_up(1, "planned", "2026-10-19")).await;
        assert_invalid(&early, &[("/on", "date.order")]);
        app.record(&id, "follow-ups", follow_up(1, "completed", "2026-11-10")).await;
        // Recorded later, of an earlier day: the latest day holds.
        let advice = app.record(&id, "follow-ups", follow_up(1, "running", "2026-11-01")).await;
        assert_eq!(advice["status"], "in_follow_up");
        assert_eq!(advice["points"][0]["followUp"]["state"], "completed");
        assert_eq!(advice["points"][1]["followUp"], Value::Null);
        assert_eq!(advice["followUps"].as_array().unwrap().len(), 2);
        let early = attempt(&app, &id, "closure", json!({"on": "2026-11-09"})).await;
        assert_invalid(&early, &[("/on", "date.order")]);
    }

    async fn a_second_round_points_to_the_first(app: TestApp) {
        let first = app.received("rozenburg", "2026-09-01").await;
        app.record(&first, "responses", final_response("2026-09-20")).await;
        let mut reaction = draft_of("rozenburg");
        reaction["secondRoundOf"] = json!(first);
        let second = received_as(&app, reaction, "2026-10-01").await;
        app.record(&second, "publication", json!({})).await;
        assert_eq!(public(&app, &second).await["secondRoundOf"], Value::Null);
        assert_eq!(whole(&app, &second).await["secondRoundOf"], json!(first));
        app.record(&first, "publication", json!({})).await;
        assert_eq!(public(&app, &second).await["secondRoundOf"], json!(first));
        let list = app.get(&format!("/v1/advice?secondRoundOf={first}")).send().await.json();
        assert_eq!(list["items"][0]["id"], json!(second));
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
    }

    /// The public counts nothing that it cannot see.
    async fn the_public_version_stays_on_a_change_that_the_public_cannot_see(app: TestApp) {
        let id = published(&app, "rozenburg", "2026-10-01").await;
        app.record(&id, "responses", final_response("2026-10-20")).await;
        let before = app.get(&path(&id)).send().await;
        let since = before.json()["modifiedAt"].as_str().unwrap().to_owned();
        app.on_day("2026-11-23");
        app.clock.set(app.clock.now().moment + chrono::Duration::hours(1));
        let rating = json!({"council": "rozenburg", "on": "2026-11-23", "score": 4});
        let version = whole(&app, &id).await["version"].as_i64().unwrap();
        let rated = app.record(&id, "ratings", rating).await;
        assert_eq!(rated["version"], version + 1);
        assert!(rated["modifiedAt"].as_str().unwrap() > since.as_str());
        let after = app.get(&path(&id)).send().await;
        assert_eq!((after.header("etag"), &after.body), (before.header("etag"), &before.body));
        let known = app.get(&path(&id)).header("if-none-match", &before.header("etag")).send().await;
        assert_eq!((known.status, known.text()), (StatusCode::NOT_MODIFIED, String::new()));
        let later = app.clock.now().moment.format("%Y-%m-%dT%H:%M:%SZ");
        let changed = app.get(&format!("/v1/advice?modifiedSince={later}")).send().await.json();
        assert_eq!(changed["items"], json!([]));

        let themes = change(&app, &id, json!({"themes": ["mobility"]})).await;
        assert_eq!(themes.status, StatusCode::OK, "{}", themes.text());
        let seen = public(&app, &id).await;
        assert_eq!(seen["version"], before.json()["version"].as_i64().unwrap() + 1);
        assert!(seen["modifiedAt"].as_str().unwrap() > since.as_str());
        let fresh = app.get(&path(&id)).header("if-none-match", &before.header("etag")).send().await;
        assert_eq!(fresh.status, StatusCode::OK);
    }

    /// The tag that a council reads of what is public counts as the public does.
    async fn another_council_signs_what_is_published_with_the_tag_that_it_read(app: TestApp) {
        let id = published(&app, "rozenburg", "2026-10-01").await;
        let other = app.token("advice:write", &["pernis"], &[]);
        let etag = app.get(&path(&id)).token(&other).send().await.header("etag");
        let body = json!({"council": "pernis", "signedOn": "2026-11-20"});
        let signed = attempt_as(&app, &other, &etag, &id, "cosignatures", body).await;
        assert_eq!(signed.status, StatusCode::OK, "{}", signed.text());
        let cosigners = public(&app, &id).await["councils"]["cosigners"].clone();
        assert_eq!(cosigners, json!([{"council": "pernis", "signedOn": "2026-11-20"}]));
        // From then on it is one of its own.
        let own = app.get(&path(&id)).token(&other).send().await;
        assert_eq!(own.header("etag"), signed.header("etag"));
        assert_eq!(own.json(), signed.json());
    }

    async fn a_response_that_was_not_sent_leaves_the_advice_of_its_council_as_it_was(app: TestApp) {
        let id = app.received("rozenburg", "2026-10-01").await;
        let council = app.token("advice:write", &["rozenburg"], &[]);
        let before = app.get(&path(&id)).token(&council).send().await;
        app.record(&id, "responses", json!({"kind": "interim", "by": "official"})).await;
        let after = app.get(&path(&id)).token(&council).send().await;
        assert_eq!((after.header("etag"), after.text()), (before.header("etag"), before.text()));
        // Nor does it stand in the way of what the council does.
        let ratification = json!({"ratifiedOn": "2026-10-20"});
        let ratified =
            attempt_as(&app, &council, &before.header("etag"), &id, "ratification", ratification).await;
        assert_eq!(ratified.status, StatusCode::OK, "{}", ratified.text());
        let seen = app.get(&path(&id)).token(&council).send().await;
        assert_eq!((seen.header("etag"), seen.json()), (ratified.header("etag"), ratified.json()));
    }
}
