//! Policy tracks, the participation plans made for them, and what councils find of the promises.

use actix_web::http::StatusCode;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::{TestApp, id_of, plan_of, track};

/// A track that concerns Rozenburg, decided on a day.
async fn track_of_rozenburg(app: &TestApp, decision_on: &str) -> String {
    let track = app.added("policy-tracks", track()).await;
    app.tell(&track, "phases", json!({"phase": "decision", "startsOn": decision_on})).await;
    let informed = json!({"council": "rozenburg", "on": "2026-02-10", "role": "advisor"});
    app.tell(&track, "councils", informed).await;
    track
}

/// The same, public, with a public plan that was adopted.
async fn adopted_plan(app: &TestApp) -> (String, String) {
    let track = track_of_rozenburg(app, "2026-10-01").await;
    let plan = app.added("participation-plans", plan_of(&track)).await;
    app.tell(&plan, "adoption", json!({"adoptedOn": "2026-03-01"})).await;
    app.tell(&track, "publication", json!({})).await;
    app.tell(&plan, "publication", json!({})).await;
    (track, plan)
}

fn finding(council: &str, on: &str) -> Value {
    json!({"council": council, "promise": 1, "verdict": "not_kept", "on": on, "note": "geen wijkgesprek"})
}

/// The tracks that somebody within finds without their plan.
async fn missing(app: &TestApp) -> Vec<String> {
    let reply = app.get("/v1/policy-tracks?plan=missing").token(&app.almighty()).send().await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    let page = reply.json();
    page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

on_both_databases! {
    async fn a_track_goes_through_its_phases_and_tells_who_was_told_when(app: TestApp) {
        let track = app.added("policy-tracks", track()).await;
        assert_eq!(app.whole(&track).await.json()["phase"], Value::Null);
        for (phase, on) in [("pre_phase", "2026-02-01"), ("design", "2026-06-01"), ("decision", "2026-12-15")]
        {
            app.tell(&track, "phases", json!({"phase": phase, "startsOn": on})).await;
        }
        for (council, on, role) in [
            ("rozenburg", json!("2026-07-01"), "advisor"),
            ("rozenburg", json!("2026-03-01"), "informed"),
            ("pernis", Value::Null, "informed"),
        ] {
            app.tell(&track, "councils", json!({"council": council, "on": on, "role": role})).await;
        }
        let shown = app.whole(&track).await.json();
        assert_eq!(shown["phase"], "design");
        assert_eq!(
            shown["councils"],
            json!([
                {"council": "pernis", "firstInformedOn": null, "informedIn": null, "roles": ["informed"]},
                {"council": "rozenburg", "firstInformedOn": "2026-03-01", "informedIn": "pre_phase", "roles": ["informed", "advisor"]},
            ])
        );
        app.on_day("2026-12-15");
        assert_eq!(app.whole(&track).await.json()["phase"], "decision");
        assert_eq!(app.problems(), Vec::<String>::new());
    }

    async fn phases_follow_each_other_and_a_corrected_day_is_kept(app: TestApp) {
        let track = track_of_rozenburg(&app, "2026-10-01").await;
        let token = app.token("plans:write", &[], &[]);
        let late =
            app.event(&token, &track, "phases", json!({"phase": "design", "startsOn": "2026-10-02"})).await;
        assert_eq!(late.faults(), [("/startsOn".to_owned(), "date.order".to_owned())]);
        let moved = json!({"phase": "decision", "startsOn": "2026-11-01"});
        let silent = app.event(&token, &track, "phases", moved.clone()).await;
        assert_eq!(silent.faults(), [("/reason".to_owned(), "required".to_owned())]);
        let mut moved = moved;
        moved["reason"] = json!("uitgesteld");
        let shown = app.tell(&track, "phases", moved.clone()).await;
        assert_eq!(shown["phases"], json!([{"phase": "decision", "startsOn": "2026-11-01"}]));
        let days: Vec<&Value> =
            shown["phaseHistory"].as_array().unwrap().iter().map(|day| &day["startsOn"]).collect();
        assert_eq!(days, ["2026-10-01", "2026-11-01"]);
        let again = app.event(&token, &track, "phases", moved).await;
        assert_eq!(again.status, StatusCode::CONFLICT);
    }

    async fn a_plan_made_before_the_decision_resolves_the_lack_and_a_later_one_does_not(app: TestApp) {
        let mut tracks = Vec::new();
        // Adopted the day before the decision, on the day, and the day after.
        for adopted in ["2026-10-31", "2026-11-01", "2026-11-02"] {
            let track = track_of_rozenburg(&app, "2026-11-01").await;
            let plan = app.added("participation-plans", plan_of(&track)).await;
            assert!(missing(&app).await.contains(&id_of(&track).to_owned()), "a draft is no plan");
            app.tell(&plan, "adoption", json!({"adoptedOn": adopted})).await;
            tracks.push(track);
        }
        assert_eq!(missing(&app).await, [id_of(&tracks[1]), id_of(&tracks[2])]);
        let standing = async |item: &str| app.whole(item).await.json()["plan"].clone();
        assert_eq!(standing(&tracks[0]).await, "in_place");
        assert_eq!(standing(&tracks[2]).await, "missing");
        // A decision brought forward makes the plan too late after all.
        let body = json!({"phase": "decision", "startsOn": "2026-10-20", "reason": "vervroegd"});
        app.tell(&tracks[0], "phases", body).await;
        assert_eq!(missing(&app).await.len(), 3);
        // No new policy, or begun before the obligation: none is mandatory.
        let mut old = track();
        old["newPolicy"] = json!(false);
        let old = app.added("policy-tracks", old).await;
        assert_eq!(standing(&old).await, "not_required");
        let keeper = app.token("registry:write", &[], &[]);
        let obligation = "/v1/obligations/participation-plan";
        let moved =
            app.patched(&keeper, obligation, json!({"from": "2026-02-02", "status": "adopted"})).await;
        assert_eq!((moved.status, &moved.json()["status"]), (StatusCode::OK, &json!("adopted")));
        assert_eq!(missing(&app).await, Vec::<String>::new());
        let back = app.patched(&keeper, obligation, json!({"from": "2026-02-01"})).await;
        assert_eq!(back.status, StatusCode::OK, "{}", back.text());
        assert_eq!(missing(&app).await.len(), 3);
        // The public finds the published ones.
        app.tell(&tracks[1], "publication", json!({})).await;
        assert_eq!(app.public_ids("/v1/policy-tracks?plan=missing").await, [id_of(&tracks[1])]);
        assert_eq!(app.problems(), Vec::<String>::new());
    }

    async fn an_adopted_plan_does_not_change(app: TestApp) {
        let track = track_of_rozenburg(&app, "2026-12-01").await;
        let plan = app.added("participation-plans", plan_of(&track)).await;
        let token = app.token("plans:write", &[], &[]);
        let tailored = json!({"tailoring": [{"council": "rozenburg", "text": "in de hal", "reason": "slecht bereikbaar"}]});
        let reply = app.patched(&token, &plan, tailored).await;
        assert_eq!(
            (reply.status, &reply.json()["tailoring"][0]["council"]),
            (StatusCode::OK, &json!("rozenburg"))
        );
        let unknown = json!({"tailoring": [{"council": "nergens", "text": "x", "reason": "y"}]});
        let reply = app.patched(&token, &plan, unknown).await;
        assert_eq!(reply.faults(), [("/tailoring/0/council".to_owned(), "unknown".to_owned())]);
        app.tell(&plan, "adoption", json!({"adoptedOn": "2026-03-01"})).await;
        let reply = app.patched(&token, &plan, json!({"tailoring": []})).await;
        assert_eq!(reply.status, StatusCode::CONFLICT);
        let twice = app.event(&token, &plan, "adoption", json!({"adoptedOn": "2026-03-02"})).await;
        assert_eq!(twice.status, StatusCode::CONFLICT);
        let none = app.post("/v1/participation-plans", plan_of("/0199b0c4-7d1e-7c3a-9a51-3f3f6a1f2b11"));
        assert_eq!(
            none.token(&token).send().await.faults(),
            [("/policyTrack".to_owned(), "unknown".to_owned())]
        );
    }

    async fn only_a_plan_takes_a_track_out_of_the_register(app: TestApp) {
        let track = track_of_rozenburg(&app, "2026-10-01").await;
        let token = app.almighty();
        for escape in [json!({"newPolicy": false}), json!({"startedOn": "2025-01-01"})] {
            let reply = app.patched(&token, &track, escape).await;
            assert_eq!(reply.status, StatusCode::CONFLICT, "{}", reply.text());
        }
        let list = app.get("/v1/policy-tracks?plan=missing").token(&token).send().await;
        assert_eq!(list.json()["items"].as_array().unwrap().len(), 1);
    }

    async fn a_plan_is_public_only_with_its_track(app: TestApp) {
        let track = track_of_rozenburg(&app, "2026-10-01").await;
        let plan = app.added("participation-plans", plan_of(&track)).await;
        let publisher = app.token("publish", &[], &[]);
        let draft = app.event(&publisher, &plan, "publication", json!({})).await;
        assert_eq!(draft.status, StatusCode::CONFLICT, "a draft promises nothing: {}", draft.text());
        app.tell(&plan, "adoption", json!({"adoptedOn": "2026-03-01"})).await;
        let early = app.event(&publisher, &plan, "publication", json!({})).await;
        assert_eq!(early.status, StatusCode::CONFLICT);
        assert!(
            early.text().contains("track-not-public") || early.text().contains("not published"),
            "{}",
            early.text()
        );
        app.tell(&track, "publication", json!({})).await;
        assert_eq!(app.get(&plan).send().await.status, StatusCode::NOT_FOUND);
        app.tell(&plan, "publication", json!({})).await;
        assert_eq!(app.get(&plan).send().await.status, StatusCode::OK);
        app.clock.set("2026-11-23T12:00:00Z".parse().unwrap());
        app.tell(&track, "unpublication", json!({"reason": "bevat een naam"})).await;
        for item in [&track, &plan, &format!("{plan}/findings")] {
            let gone = app.get(item).send().await;
            assert_eq!(
                (gone.status, &gone.json()["reason"]),
                (StatusCode::GONE, &json!("bevat een naam")),
                "{item}"
            );
        }
        for (list, item) in [("policy-tracks", &track), ("participation-plans", &plan)] {
            let since = format!("/v1/{list}?modifiedSince=2026-11-23T12:00:00Z");
            assert_eq!(app.public_ids(&since).await, [format!("-{}", id_of(item))]);
        }
        // The plan does not come back by itself.
        app.tell(&track, "publication", json!({})).await;
        assert_eq!(app.get(&plan).send().await.status, StatusCode::GONE);
        assert_eq!(app.problems(), Vec::<String>::new());
    }

    async fn a_finding_has_a_term_for_its_reply(app: TestApp) {
        let (_, plan) = adopted_plan(&app).await;
        let council = app.token("judgements:write", &["rozenburg"], &[]);
        let reply = app.event(&council, &plan, "findings", finding("rozenburg", "2026-11-02")).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
        let found = app.get(&plan).send().await.json()["findings"][0].clone();
        assert_eq!((&found["term"]["dueOn"], &found["reply"]), (&json!("2026-12-14"), &Value::Null));
        let state = async || {
            let page = app.get(&format!("{plan}/findings")).send().await.json();
            page["items"][0]["term"]["state"].as_str().unwrap().to_owned()
        };
        assert_eq!(state().await, "running");
        app.on_day("2026-12-14");
        assert_ne!(state().await, "late");
        app.on_day("2026-12-15");
        assert_eq!(state().await, "late");
        let path = format!("findings/{}/reply", found["id"].as_str().unwrap());
        let body = json!({"on": "2026-12-15", "text": "Het wijkgesprek volgt"});
        let other = app.token("treatment:write", &[], &["sb"]);
        let refused = app.event(&other, &plan, &path, body.clone()).await;
        assert_eq!((refused.status, refused.problem().as_str()), (StatusCode::FORBIDDEN, "not-yours"));
        let judge = app.token("judgements:write", &["rozenburg"], &["so"]);
        let refused = app.event(&judge, &plan, &path, body.clone()).await;
        assert_eq!(refused.problem(), "insufficient-scope");
        let own = app.token("treatment:write", &[], &["so"]);
        let replied = app.event(&own, &plan, &path, body.clone()).await;
        assert_eq!(replied.status, StatusCode::OK, "{}", replied.text());
        // A late reply stays late.
        assert_eq!(replied.json()["findings"][0]["term"]["state"], "answered_late");
        let twice = app.event(&app.token("treatment:write", &[], &["so"]), &plan, &path, body.clone()).await;
        assert_eq!(twice.status, StatusCode::CONFLICT);
        let nothing = format!("findings/{}/reply", id_of(&plan));
        let unknown = app.event(&app.almighty(), &plan, &nothing, body).await;
        assert_eq!(unknown.status, StatusCode::NOT_FOUND);
        let csv = app.get(&format!("{plan}/findings?format=csv")).send().await.text();
        assert!(csv.lines().nth(1).unwrap().contains("2026-12-14"), "{csv}");
        assert_eq!(app.problems(), Vec::<String>::new());
    }

    async fn a_council_finds_for_itself_what_was_promised_to_it(app: TestApp) {
        let (_, plan) = adopted_plan(&app).await;
        let pernis = app.token("judgements:write", &["pernis"], &[]);
        let foreign = app.event(&pernis, &plan, "findings", finding("rozenburg", "2026-11-02")).await;
        assert_eq!((foreign.status, foreign.problem().as_str()), (StatusCode::FORBIDDEN, "not-yours"));
        let aside = app.event(&pernis, &plan, "findings", finding("pernis", "2026-11-02")).await;
        assert_eq!(aside.faults(), [("/council".to_owned(), "finding.not_concerned".to_owned())]);
        let rozenburg = app.token("judgements:write", &["rozenburg"], &[]);
        let mut none = finding("rozenburg", "2026-11-02");
        none["promise"] = json!(2);
        let reply = app.event(&rozenburg, &plan, "findings", none).await;
        assert_eq!(reply.faults(), [("/promise".to_owned(), "finding.no_such_promise".to_owned())]);
        let mut silent = finding("rozenburg", "2026-11-02");
        silent["note"] = Value::Null;
        let reply = app.event(&rozenburg, &plan, "findings", silent.clone()).await;
        assert_eq!(reply.faults(), [("/note".to_owned(), "finding.note_missing".to_owned())]);
        silent["verdict"] = json!("kept");
        assert_eq!(app.event(&rozenburg, &plan, "findings", silent).await.status, StatusCode::OK);
        // Once the track concerns it, the council may.
        let track =
            format!("/v1/policy-tracks/{}", app.whole(&plan).await.json()["policyTrack"].as_str().unwrap());
        app.tell(&track, "councils", json!({"council": "pernis", "role": "supervisor"})).await;
        let reply = app.event(&pernis, &plan, "findings", finding("pernis", "2026-11-02")).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
        assert_eq!(reply.json()["councils"], json!(["pernis", "rozenburg"]));
        let draft = app.added("participation-plans", plan_of(&track)).await;
        let reply = app.event(&rozenburg, &draft, "findings", finding("rozenburg", "2026-11-02")).await;
        assert_eq!(reply.status, StatusCode::CONFLICT, "{}", reply.text());
    }

    async fn a_track_that_moves_to_another_cluster_takes_its_plan_along(app: TestApp) {
        let (track, plan) = adopted_plan(&app).await;
        let token = app.token("plans:write", &[], &[]);
        let moved = app.patched(&token, &track, json!({"cluster": "sb"})).await;
        assert_eq!(moved.status, StatusCode::OK, "{}", moved.text());
        assert_eq!(app.get(&plan).send().await.json()["cluster"], "sb");
        assert_eq!(app.public_ids("/v1/participation-plans?cluster=sb").await, [id_of(&plan)]);
        assert_eq!(app.public_ids("/v1/policy-tracks?cluster=so").await, Vec::<String>::new());
        let unknown = app.patched(&token, &track, json!({"cluster": "nergens"})).await;
        assert_eq!(unknown.faults(), [("/cluster".to_owned(), "unknown".to_owned())]);
        assert_eq!(app.problems(), Vec::<String>::new());
    }

    async fn csv_has_its_columns_without_any_rows(app: TestApp) {
        for list in ["policy-tracks", "participation-plans", "policy-tracks?plan=missing"] {
            let csv = app.get(&format!("/v1/{list}")).header("accept", "text/csv").send().await;
            assert_eq!((csv.status, csv.text().lines().count()), (StatusCode::OK, 1), "{list}");
            assert!(csv.text().starts_with("id,"), "{list}");
        }
    }
}
