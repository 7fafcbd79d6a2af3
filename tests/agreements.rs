//! Accords and their agreements: what the organisation says, what the council says, and what follows from both.

use actix_web::http::{Method, StatusCode};
use actix_web::rt;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::{Reply, TestApp, accord_of, agreement_of, id_of, track};

const KEY: &str = "\"0b0f7a52-6f2c-4a53-9f3e-2d5a1c9be011\"";

/// An accord of Rozenburg with one agreement, both public.
async fn public_agreement(app: &TestApp) -> (String, String) {
    let accord = app.added("accords", accord_of("rozenburg")).await;
    let agreement = app.added("agreements", agreement_of(&accord, "1.1")).await;
    app.tell(&accord, "publication", json!({})).await;
    (accord, agreement)
}

fn progress(state: &str, on: &str) -> Value {
    json!({"state": state, "on": on, "reason": "reden"})
}

fn judgement(colour: &str, on: &str) -> Value {
    json!({"colour": colour, "realised": false, "on": on})
}

/// Agreements of Rozenburg that the council judged orange.
async fn orange(app: &TestApp, accord: &str, count: usize) -> Vec<String> {
    let mut agreements = Vec::new();
    for number in 1..=count {
        let agreement = app.added("agreements", agreement_of(accord, &format!("7.{number}"))).await;
        app.tell(&agreement, "judgements", judgement("orange", "2026-11-01")).await;
        agreements.push(agreement);
    }
    agreements
}

fn watch() -> Value {
    json!({"year": 2026, "on": "2026-11-23"})
}

fn refused(reply: &Reply) -> (u16, String) {
    (reply.status.as_u16(), reply.problem())
}

/// The rows of a CSV answer, its columns first.
async fn csv(app: &TestApp, path: &str) -> Vec<Vec<String>> {
    let reply = app.get(path).header("accept", "text/csv").send().await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(reply.body.as_slice());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

on_both_databases! {
    async fn an_agreement_lives_from_plan_to_realised(app: TestApp) {
        let (accord, agreement) = public_agreement(&app).await;
        let manager = app.token("progress:write", &[], &["so"]);
        let council = app.token("judgements:write", &["rozenburg"], &[]);
        assert_eq!(app.get(&agreement).send().await.json()["state"], "planned");
        for (token, event, body, state) in [
            (&manager, "progress", progress("running", "2026-03-01"), "running"),
            (&manager, "progress", progress("delayed", "2026-05-01"), "delayed"),
            (&council, "judgements", judgement("orange", "2026-06-01"), "delayed"),
            (&manager, "progress", progress("reported_done", "2026-07-01"), "reported_done"),
            (&council, "judgements", judgement("orange", "2026-08-01"), "disputed"),
            (
                &council,
                "judgements",
                json!({"colour": "green", "realised": true, "on": "2026-09-01"}),
                "realised",
            ),
            (&manager, "progress", progress("stopped", "2026-10-01"), "realised"),
            (&council, "judgements", judgement("red", "2026-11-01"), "not_realised"),
        ] {
            let reply = app.event(token, &agreement, event, body).await;
            assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
            assert_eq!(reply.json()["state"], state);
            assert_eq!(app.get(&agreement).send().await.json()["state"], state);
            let found = app.public_ids(&format!("/v1/agreements?state={state}")).await;
            assert_eq!(found, [id_of(&agreement)], "{state}");
        }
        let body = json!({"on": "2026-11-02", "to": "wijkwethouder", "note": "loopt vast"});
        let shown = app.tell(&agreement, "escalations", body).await;
        assert_eq!(shown["escalations"][0]["to"], "wijkwethouder");
        assert_eq!((&shown["accord"], &shown["council"]), (&json!(id_of(&accord)), &json!("rozenburg")));
        assert_eq!(shown["version"], 11);
        assert_eq!(app.problems(), Vec::<String>::new());
    }

    async fn progress_and_judgement_are_never_of_one_hand(app: TestApp) {
        let (_, agreement) = public_agreement(&app).await;
        let manager = app.token("progress:write", &["rozenburg"], &["so"]);
        let council = app.token("judgements:write", &["rozenburg"], &["so"]);
        let judges = app.event(&manager, &agreement, "judgements", judgement("red", "2026-11-01")).await;
        assert_eq!(refused(&judges), (403, "insufficient-scope".to_owned()));
        assert!(judges.header("www-authenticate").contains("scope=\"judgements:write\""));
        let reports = app.event(&council, &agreement, "progress", progress("running", "2026-11-01")).await;
        assert_eq!(refused(&reports), (403, "insufficient-scope".to_owned()));
        assert!(reports.header("www-authenticate").contains("scope=\"progress:write\""));
        let watches = app.event(&manager, &agreement, "watch", watch()).await;
        assert_eq!(refused(&watches), (403, "insufficient-scope".to_owned()));
        let other_cluster = app.token("progress:write", &["rozenburg"], &["sb"]);
        let reports =
            app.event(&other_cluster, &agreement, "progress", progress("running", "2026-11-01")).await;
        assert_eq!(refused(&reports), (403, "not-yours".to_owned()));
        let other_council = app.token("judgements:write", &["pernis"], &["so"]);
        let judges =
            app.event(&other_council, &agreement, "judgements", judgement("red", "2026-11-01")).await;
        assert_eq!(refused(&judges), (403, "not-yours".to_owned()));
        let shown = app.get(&agreement).send().await.json();
        assert_eq!(
            (&shown["progress"], &shown["judgements"], &shown["state"]),
            (&json!([]), &json!([]), &json!("planned"))
        );
    }

    async fn a_council_has_one_accord_at_a_time(app: TestApp) {
        app.added("accords", accord_of("rozenburg")).await;
        let again = app.post("/v1/accords", accord_of("rozenburg")).token(&app.almighty()).send().await;
        assert_eq!(refused(&again), (409, "conflict".to_owned()));
        let mut later = accord_of("rozenburg");
        later["from"] = json!("2031-01-01");
        later["to"] = json!("2034-12-31");
        app.added("accords", later).await;
        app.added("accords", accord_of("pernis")).await;
    }

    async fn an_outside_party_without_a_cluster_is_reported_on_by_who_speaks_for_all(app: TestApp) {
        let accord = app.added("accords", accord_of("rozenburg")).await;
        let mut body = agreement_of(&accord, "1.1");
        body["owner"] = json!({"party": "Woonstad"});
        let agreement = app.added("agreements", body).await;
        let everybody = app.token("progress:write", &[], &["*"]);
        let reply = app.event(&everybody, &agreement, "progress", progress("running", "2026-11-01")).await;
        assert_eq!(reply.status, StatusCode::OK, "before it is public: {}", reply.text());
        app.tell(&accord, "publication", json!({})).await;
        let manager = app.token("progress:write", &[], &["sb"]);
        let reply = app.event(&manager, &agreement, "progress", progress("running", "2026-11-01")).await;
        assert_eq!(refused(&reply), (403, "not-yours".to_owned()));
        let nobody = app.token("progress:write", &[], &[]);
        let reply = app.event(&nobody, &agreement, "progress", progress("running", "2026-11-01")).await;
        assert_eq!(refused(&reply), (403, "not-yours".to_owned()));
    }

    async fn a_council_watches_three_orange_agreements_a_year_and_no_fourth(app: TestApp) {
        let accord = app.added("accords", accord_of("rozenburg")).await;
        let agreements = orange(&app, &accord, 4).await;
        let council = app.token("judgements:write", &["rozenburg"], &[]);
        let green = app.added("agreements", agreement_of(&accord, "1.1")).await;
        app.tell(&green, "judgements", judgement("green", "2026-11-01")).await;

        let not_orange = app.event(&council, &green, "watch", watch()).await;
        assert_eq!(not_orange.status, StatusCode::CONFLICT);
        assert!(not_orange.text().contains("orange"), "{}", not_orange.text());
        for agreement in &agreements[..3] {
            let reply = app.event(&council, agreement, "watch", watch()).await;
            assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
        }
        let full = app.event(&council, &agreements[3], "watch", watch()).await;
        assert_eq!(full.status, StatusCode::CONFLICT);
        assert!(full.text().contains("watch-full"), "{}", full.text());
        let again = app.event(&council, &agreements[0], "watch", watch()).await;
        assert_eq!(again.status, StatusCode::CONFLICT);
        // Another council's three are its own.
        let elsewhere = app.added("accords", accord_of("pernis")).await;
        let other = orange(&app, &elsewhere, 1).await;
        app.tell(&other[0], "watch", watch()).await;
        let list = app.get("/v1/agreements?watchedIn=2026&council=rozenburg").token(&council).send().await;
        assert_eq!(list.json()["items"].as_array().unwrap().len(), 3);
        // A new year has room again.
        app.on_day("2027-01-04");
        let body = json!({"year": 2027, "on": "2027-01-04"});
        app.tell(&agreements[3], "watch", body).await;
        assert_eq!(app.problems(), Vec::<String>::new());
    }

    async fn two_that_mark_the_last_place_at_once_do_not_both_get_it(app: TestApp) {
        let accord = app.added("accords", accord_of("rozenburg")).await;
        let agreements = orange(&app, &accord, 4).await;
        for agreement in &agreements[..2] {
            app.tell(agreement, "watch", watch()).await;
        }
        let token = app.token("judgements:write", &["rozenburg"], &[]);
        let mut running = Vec::new();
        for agreement in &agreements[2..] {
            let etag = app.whole(agreement).await.header("etag");
            running.push(app.post(&format!("{agreement}/watch"), watch()).token(&token).if_match(&etag));
        }
        let running: Vec<_> = running.into_iter().map(|ask| rt::spawn(ask.send())).collect();
        let mut statuses = Vec::new();
        for reply in running {
            statuses.push(reply.await.unwrap().status.as_u16());
        }
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
        assert_eq!(app.problems(), Vec::<String>::new());
    }

    async fn a_number_is_given_once_in_the_plan_of_a_year(app: TestApp) {
        let accord = app.added("accords", accord_of("rozenburg")).await;
        app.added("agreements", agreement_of(&accord, "1.1.2")).await;
        let token = app.token("plans:write", &[], &[]);
        let again = app.post("/v1/agreements", agreement_of(&accord, "1.1.2")).token(&token).send().await;
        assert_eq!(again.status, StatusCode::CONFLICT, "{}", again.text());
        let mut next_year = agreement_of(&accord, "1.1.2");
        next_year["planYear"] = json!(2027);
        next_year["dueOn"] = json!("2027-12-31");
        let other = app.added("agreements", next_year).await;
        let moved = app.patched(&token, &other, json!({"planYear": 2026})).await;
        assert_eq!(moved.status, StatusCode::CONFLICT);
        let kept = app.patched(&token, &other, json!({"title": "Ander zebrapad"})).await;
        assert_eq!(kept.status, StatusCode::OK, "{}", kept.text());
        let elsewhere = app.added("accords", accord_of("pernis")).await;
        app.added("agreements", agreement_of(&elsewhere, "1.1.2")).await;
    }

    async fn a_patch_changes_what_it_names_and_is_checked_whole(app: TestApp) {
        let (accord, agreement) = public_agreement(&app).await;
        let token = app.token("plans:write", &[], &[]);
        let ongoing = json!({"dueOn": null, "ongoingReason": "elk jaar opnieuw", "themes": ["mobility"]});
        let reply = app.patched(&token, &agreement, ongoing).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
        let shown = reply.json();
        assert_eq!((&shown["dueOn"], &shown["title"]), (&Value::Null, &json!("Zebrapad bij de school")));
        assert_eq!(app.public_ids("/v1/agreements?theme=mobility").await, [id_of(&agreement)]);
        for (patch, at) in [
            (json!({"ongoingReason": null}), "/dueOn"),
            (json!({"owner": null}), "/owner"),
            (json!({"owner": {"cluster": "nergens"}}), "/owner/cluster"),
            (json!({"themes": ["nergens"]}), "/themes/0"),
            (json!({"state": "realised"}), "/state"),
        ] {
            let reply = app.patched(&token, &agreement, patch.clone()).await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{patch}: {}", reply.text());
            assert!(reply.faults()[0].0.starts_with(at), "{patch}: {:?}", reply.faults());
        }
        let other = app.added("accords", accord_of("pernis")).await;
        let reply = app.patched(&token, &agreement, json!({"accord": id_of(&other)})).await;
        assert_eq!(reply.faults(), [("/accord".to_owned(), "immutable".to_owned())]);
        let reply = app
            .patched(&token, &accord, json!({"vision": "Groen", "goals": [{"number": 1, "text": "Veilig"}]}))
            .await;
        assert_eq!((reply.status, &reply.json()["goals"][0]["text"]), (StatusCode::OK, &json!("Veilig")));
        let reply = app.patched(&token, &accord, json!({"council": "pernis"})).await;
        assert_eq!(reply.faults(), [("/council".to_owned(), "immutable".to_owned())]);
        assert_eq!(app.problems(), Vec::<String>::new());
    }

    async fn a_change_needs_the_version_that_stands_there_and_is_done_once(app: TestApp) {
        let (_, agreement) = public_agreement(&app).await;
        let token = app.token("progress:write", &[], &["so"]);
        let path = format!("{agreement}/progress");
        let ask = || app.post(&path, progress("running", "2026-03-01")).token(&token);
        assert_eq!(ask().send().await.status, StatusCode::PRECONDITION_REQUIRED);
        let etag = app.whole(&agreement).await.header("etag");
        let first = ask().if_match(&etag).header("idempotency-key", KEY).send().await;
        assert_eq!(first.status, StatusCode::OK, "{}", first.text());
        let again = ask().if_match(&etag).header("idempotency-key", KEY).send().await;
        assert_eq!((again.status, &again.body), (StatusCode::OK, &first.body));
        let stale = ask().if_match(&etag).send().await;
        assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
        let on = ask().if_match(&first.header("etag")).send().await;
        assert_eq!(on.status, StatusCode::OK, "{}", on.text());
        assert_eq!(on.json()["progress"].as_array().unwrap().len(), 2);

        let planner = app.token("plans:write", &[], &[]);
        let add = || {
            app.post("/v1/accords", accord_of("pernis")).token(&planner).header("idempotency-key", KEY).send()
        };
        let (made, twin) = (add().await, add().await);
        assert_eq!(
            (made.status, made.json()["id"].clone()),
            (StatusCode::CREATED, twin.json()["id"].clone())
        );
        let list = app.get("/v1/accords?council=pernis").token(&planner).send().await.json();
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
    }

    async fn an_accord_takes_its_agreements_along(app: TestApp) {
        let accord = app.added("accords", accord_of("rozenburg")).await;
        let early = app.added("agreements", agreement_of(&accord, "1.1")).await;
        for item in [&accord, &early] {
            assert_eq!(app.get(item).send().await.status, StatusCode::NOT_FOUND);
        }
        app.tell(&accord, "publication", json!({})).await;
        let late = app.added("agreements", agreement_of(&accord, "1.2")).await;
        for item in [&accord, &early, &late] {
            assert_eq!(app.get(item).send().await.status, StatusCode::OK);
        }
        app.clock.set("2026-11-23T12:00:00Z".parse().unwrap());
        app.tell(&accord, "unpublication", json!({"reason": "Er stond een adres in"})).await;
        for item in [&accord, &early, &late, &format!("{early}/progress"), &format!("{early}/judgements")] {
            let gone = app.get(item).send().await;
            assert_eq!(refused(&gone), (410, "gone".to_owned()), "{item}");
            assert_eq!(gone.json()["reason"], "Er stond een adres in");
            assert!(gone.json()["withdrawnAt"].as_str().unwrap().starts_with("2026-11-23T12:00:00"));
        }
        let tomb = |item: &str| format!("-{}", id_of(item));
        let since = "modifiedSince=2026-11-23T12:00:00Z";
        assert_eq!(app.public_ids(&format!("/v1/accords?{since}")).await, [tomb(&accord)]);
        assert_eq!(app.public_ids(&format!("/v1/agreements?{since}")).await, [tomb(&early), tomb(&late)]);
        assert_eq!(app.public_ids(&format!("/v1/agreements?{since}&limit=1")).await, [tomb(&early)]);
        for list in ["accords", "agreements"] {
            assert_eq!(app.public_ids(&format!("/v1/{list}")).await, Vec::<String>::new());
        }
        // What was never public itself is not gone: nobody knows of it.
        let hidden = app.added("agreements", agreement_of(&accord, "1.3")).await;
        assert_eq!(app.get(&hidden).send().await.status, StatusCode::NOT_FOUND);
        app.tell(&accord, "publication", json!({})).await;
        for item in [&accord, &early, &late, &hidden] {
            assert_eq!(app.get(item).send().await.status, StatusCode::OK);
        }
        let twice = app.event(&app.almighty(), &accord, "publication", json!({})).await;
        assert_eq!(twice.status, StatusCode::CONFLICT);
        assert_eq!(app.problems(), Vec::<String>::new());
    }

    async fn a_link_is_shown_to_who_may_see_where_it_leads(app: TestApp) {
        let advice = app.received("rozenburg", "2026-10-01").await;
        let track = app.added("policy-tracks", track()).await;
        let accord = app.added("accords", accord_of("rozenburg")).await;
        let earlier = app.added("agreements", agreement_of(&accord, "1.1")).await;
        let elsewhere = app.added("accords", accord_of("pernis")).await;
        let mut body = agreement_of(&elsewhere, "1.2");
        body["advicePoint"] = json!({"advice": advice, "point": 1});
        body["policyTrack"] = json!(id_of(&track));
        body["carriedOverFrom"] = json!(id_of(&earlier));
        let agreement = app.added("agreements", body.clone()).await;
        app.tell(&elsewhere, "publication", json!({})).await;
        let hidden = (Value::Null, Value::Null, Value::Null);
        let all = (json!(advice), json!(id_of(&track)), json!(id_of(&earlier)));
        let links = |shown: &Value| {
            (
                shown["advicePoint"]["advice"].clone(),
                shown["policyTrack"].clone(),
                shown["carriedOverFrom"].clone(),
            )
        };
        let feed = async || {
            let feed = app.get("/v1/changes?limit=1000").send().await.json();
            let of_it =
                feed["items"].as_array().unwrap().iter().rfind(|change| change["id"] == id_of(&agreement));
            of_it.unwrap()["item"].clone()
        };
        let shown = app.get(&agreement).send().await;
        assert_eq!(links(&shown.json()), hidden);
        let all_text =
            shown.text() + &app.get("/v1/agreements").send().await.text() + &feed().await.to_string();
        for secret in [&advice, id_of(&track), id_of(&earlier)] {
            assert!(!all_text.contains(secret), "{secret}");
        }
        assert_eq!(links(&app.whole(&agreement).await.json()), all);

        // When it appears or vanishes, that is a change of what bears it.
        let (mut cursor, mut before) = (String::new(), shown.header("etag"));
        for (event, body, expected) in [
            ("publication", json!({}), &all),
            ("unpublication", json!({"reason": "bevat een naam"}), &hidden),
        ] {
            let page = app.get(&format!("/v1/changes?limit=1000{cursor}")).send().await.json();
            cursor = format!("&after={}", page["next"].as_str().unwrap());
            app.record(&advice, event, body.clone()).await;
            app.tell(&track, event, body.clone()).await;
            app.tell(&accord, event, body).await;
            let shown = app.get(&agreement).send().await;
            assert_eq!(links(&shown.json()), *expected);
            assert_ne!(shown.header("etag"), before);
            before = shown.header("etag");
            let page = app.get(&format!("/v1/changes?limit=1000{cursor}")).send().await.json();
            let told =
                page["items"].as_array().unwrap().iter().rfind(|change| change["id"] == id_of(&agreement));
            assert_eq!(told.expect("a follower is told")["item"], shown.json(), "{event}");
        }
        assert_eq!(app.problems(), Vec::<String>::new());
    }

    async fn only_what_one_knows_of_can_be_named(app: TestApp) {
        let advice = app.received("rozenburg", "2026-10-01").await;
        let track = app.added("policy-tracks", track()).await;
        let accord = app.added("accords", accord_of("rozenburg")).await;
        let nothing = "0199b0c4-7d1e-7c3a-9a51-3f3f6a1f2b11";
        let planner = app.token("plans:write", &[], &[]);
        // Nor is a link to something else than its name says.
        for (field, value, at) in [
            ("advicePoint", json!({"advice": advice, "point": 1}), "/advicePoint/advice"),
            ("advicePoint", json!({"advice": nothing, "point": 1}), "/advicePoint/advice"),
            ("advicePoint", json!({"advice": id_of(&track), "point": 1}), "/advicePoint/advice"),
            ("policyTrack", json!(nothing), "/policyTrack"),
            ("policyTrack", json!(id_of(&accord)), "/policyTrack"),
            ("carriedOverFrom", json!(nothing), "/carriedOverFrom"),
            ("carriedOverFrom", json!(id_of(&track)), "/carriedOverFrom"),
            ("accord", json!(nothing), "/accord"),
            ("accord", json!(id_of(&track)), "/accord"),
        ] {
            let mut body = agreement_of(&accord, "1.1");
            body[field] = value.clone();
            let reply = app.post("/v1/agreements", body).token(&planner).send().await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{field} {value}");
            assert_eq!(reply.faults(), [(at.to_owned(), "unknown".to_owned())], "{field} {value}");
        }
        let reply = app.post("/v1/accords", accord_of("nergens")).token(&planner).send().await;
        assert_eq!(reply.faults(), [("/council".to_owned(), "unknown".to_owned())]);
    }

    async fn csv_has_the_same_rows_and_the_same_columns_without_any(app: TestApp) {
        let lists = ["/v1/accords", "/v1/agreements"];
        let mut columns = Vec::new();
        for list in lists {
            let rows = csv(&app, list).await;
            assert_eq!(rows.len(), 1, "{list}");
            columns.push(rows[0].clone());
        }
        let (accord, agreement) = public_agreement(&app).await;
        for log in ["progress", "judgements"] {
            columns.push(csv(&app, &format!("{agreement}/{log}")).await.remove(0));
        }
        app.tell(&agreement, "progress", progress("running", "2026-03-01")).await;
        app.tell(&agreement, "progress", progress("delayed", "2026-04-01")).await;
        app.tell(
            &agreement,
            "judgements",
            json!({"colour": "orange", "realised": false, "on": "2026-05-01", "note": "=te laat"}),
        )
        .await;
        app.added("accords", accord_of("pernis")).await;
        let logs = [format!("{agreement}/progress"), format!("{agreement}/judgements")];
        for (path, columns) in lists.into_iter().chain(logs.iter().map(String::as_str)).zip(&columns) {
            let rows = csv(&app, path).await;
            assert_eq!(rows[0], *columns, "{path}");
            assert_eq!(columns[0], "id");
            let ids: Vec<String> = rows[1..].iter().map(|row| row[0].clone()).collect();
            assert_eq!(ids, app.public_ids(path).await, "{path}");
        }
        assert_eq!(csv(&app, "/v1/accords").await[1][0], id_of(&accord));
        let note = csv(&app, &logs[1]).await[1][4].clone();
        assert!(!note.starts_with('='), "{note}");
        let page = app.get(&format!("{}?limit=1&count=true", logs[0])).send().await.json();
        assert_eq!((page["items"].as_array().unwrap().len(), &page["total"]), (1, &json!(2)));
        let next = page["next"].as_str().unwrap().trim_start_matches("https://api.test").to_owned();
        let rest = app.get(&next).send().await.json();
        assert_eq!((&rest["items"][0]["state"], &rest["next"]), (&json!("delayed"), &Value::Null));
    }

    async fn what_a_rule_refuses_it_names(app: TestApp) {
        let (_, agreement) = public_agreement(&app).await;
        let token = app.almighty();
        for (event, body, at, code) in [
            (
                "progress",
                json!({"state": "delayed", "on": "2026-03-01"}),
                "/reason",
                "progress.reason_missing",
            ),
            ("progress", progress("running", "2026-11-24"), "/on", "date.future"),
            ("progress", progress("running", "2026-01-14"), "/on", "date.order"),
            (
                "judgements",
                json!({"colour": "orange", "realised": true, "on": "2026-03-01"}),
                "/colour",
                "judgement.colour",
            ),
            ("judgements", judgement("green", "2026-11-24"), "/on", "date.future"),
            ("watch", json!({"year": 2025, "on": "2026-11-23"}), "/year", "watch.year"),
            ("escalations", json!({"on": "2026-11-24", "to": "wijkwethouder"}), "/on", "date.future"),
        ] {
            let reply = app.event(&token, &agreement, event, body.clone()).await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{event} {body}");
            assert_eq!(reply.faults(), [(at.to_owned(), code.to_owned())], "{event} {body}");
        }
        let get = app.ask(Method::DELETE, &agreement).token(&token).send().await;
        assert_eq!(get.status, StatusCode::METHOD_NOT_ALLOWED);
    }
}
