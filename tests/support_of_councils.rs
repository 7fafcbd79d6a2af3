//! Who supports a council, and its talks with its wijkwethouder.

use actix_web::http::StatusCode;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::id_of;

fn coordinator(council: &str, from: &str) -> Value {
    json!({"council": council, "role": "coordinator", "position": "coordinator-07", "from": from})
}

on_both_databases! {
    async fn more_than_two_councils_for_one_coordinator_is_a_warning_and_no_refusal(app: TestApp) {
        let first = app.add("assignments", coordinator("rozenburg", "2026-01-01")).await;
        assert_eq!(first["warnings"], json!([]));
        // Twice the same council counts once.
        assert_eq!(
            app.add("assignments", coordinator("rozenburg", "2026-06-01")).await["warnings"],
            json!([])
        );
        assert_eq!(app.add("assignments", coordinator("pernis", "2026-01-01")).await["warnings"], json!([]));
        let third = app.add("assignments", coordinator("hoogvliet", "2026-07-01")).await;
        assert_eq!(third["warnings"][0]["code"], "coordinator-over-aim");
        assert!(third["warnings"][0]["detail"].as_str().unwrap().contains("3 councils"));
        // What begins before the others is told of when they begin.
        let early = app.add("assignments", coordinator("crooswijk", "2025-01-01")).await;
        let detail = early["warnings"][0]["detail"].as_str().unwrap();
        assert!(detail.contains("4 councils from 2026-07-01"), "{detail}");
        assert_eq!(app.problems(), Vec::<String>::new());
    }

    async fn a_council_shows_its_wijkwethouder_and_roles_without_positions(app: TestApp) {
        let holder = app.alderman().await;
        let keeper = app.token("registry:write", &[], &[]);
        app.added("assignments", coordinator("rozenburg", "2026-01-01")).await;
        let body = json!({"council": "rozenburg", "role": "wijkwethouder", "officeHolder": holder, "from": "2026-03-18"});
        let wethouder = app.added("assignments", body).await;
        let council = app.get("/v1/councils/rozenburg").send().await;
        assert_eq!(
            council.json()["assignments"],
            json!([
                {"role": "coordinator", "officeHolder": null, "from": "2026-01-01", "to": null},
                {"role": "wijkwethouder", "officeHolder": holder, "from": "2026-03-18", "to": null},
            ])
        );
        let ended = app.patched(&keeper, &wethouder, json!({"to": "2026-11-01"})).await;
        assert_eq!((ended.status, &ended.json()["to"]), (StatusCode::OK, &json!("2026-11-01")));
        assert_eq!(
            app.get("/v1/councils/rozenburg").send().await.json()["assignments"][1]["to"],
            "2026-11-01"
        );
        for path in ["/v1/councils/rozenburg", "/v1/councils", "/v1/changes?limit=1000"] {
            let reader = app.get(path).send().await;
            assert_eq!(reader.status, StatusCode::OK);
            assert!(!reader.text().contains("coordinator-07"), "{path}");
            assert!(!reader.text().contains(id_of(&wethouder)), "{path}");
        }
        // The feed tells of the council as it now is.
        let feed = app.get("/v1/changes?limit=1000").send().await.json();
        let told =
            feed["items"].as_array().unwrap().iter().rfind(|change| change["id"] == "rozenburg").cloned();
        assert_eq!(told.unwrap()["item"], app.get("/v1/councils/rozenburg").send().await.json());
        assert_eq!(app.problems(), Vec::<String>::new());
    }

    async fn positions_are_for_those_within(app: TestApp) {
        let item = app.added("assignments", coordinator("rozenburg", "2026-01-01")).await;
        for path in ["/v1/assignments", item.as_str()] {
            let anonymous = app.get(path).send().await;
            assert_eq!(anonymous.status, StatusCode::UNAUTHORIZED);
            let planner = app.token("plans:write judgements:write", &["*"], &["*"]);
            assert_eq!(app.get(path).token(&planner).send().await.problem(), "insufficient-scope");
        }
        let own = app.token("internal:read", &["rozenburg"], &[]);
        assert_eq!(app.get(&item).token(&own).send().await.json()["position"], "coordinator-07");
        let other = app.token("internal:read", &["pernis"], &["*"]);
        assert_eq!(app.get(&item).token(&other).send().await.status, StatusCode::NOT_FOUND);
        let list = app.get("/v1/assignments?count=true").token(&other).send().await.json();
        assert_eq!((&list["items"], &list["total"]), (&json!([]), &json!(0)));
        let keeper = app.token("registry:write", &[], &[]);
        let csv = app.get("/v1/assignments?role=coordinator&format=csv").token(&keeper).send().await.text();
        assert_eq!(csv.lines().count(), 2);
        // Whoever writes for the council does not read positions either, by no way.
        for scope in ["advice:write", "judgements:write", "treatment:write", "progress:write", "plans:write"]
        {
            let token = app.token(scope, &["*"], &["*"]);
            let feed = app.get("/v1/changes?limit=1000").token(&token).send().await.text();
            assert!(!feed.contains("coordinator-07"), "{scope}");
        }
    }

    async fn an_official_is_a_position_and_a_wijkwethouder_a_person(app: TestApp) {
        let holder = app.alderman().await;
        let keeper = app.token("registry:write", &[], &[]);
        let wethouder = json!({"council": "rozenburg", "role": "wijkwethouder", "from": "2026-01-01"});
        let mut named = coordinator("rozenburg", "2026-01-01");
        named["officeHolder"] = json!(holder);
        let mut person = coordinator("rozenburg", "2026-01-01");
        person["position"] = json!("Jan Jansen");
        let mut backwards = coordinator("rozenburg", "2026-01-01");
        backwards["to"] = json!("2025-12-31");
        for (body, at) in [
            (wethouder, "/officeHolder"),
            (named, "/officeHolder"),
            (person, "/position"),
            (backwards, "/to"),
            (coordinator("nergens", "2026-01-01"), "/council"),
        ] {
            let reply = app.post("/v1/assignments", body.clone()).token(&keeper).send().await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{body}");
            assert_eq!(reply.faults()[0].0, at, "{body}");
            assert!(!reply.text().contains("Jansen"));
        }
    }

    async fn a_talk_and_its_lessons(app: TestApp) {
        let holder = app.alderman().await;
        let keeper = app.token("registry:write", &[], &[]);
        let body = json!({"council": "rozenburg", "heldOn": "2026-10-01", "officeHolder": holder});
        let talk = app.added("talks", body.clone()).await;
        assert_eq!(app.get(&talk).send().await.status, StatusCode::NOT_FOUND);
        let lesson = json!({"text": "Eerder bellen bij vertraging", "owner": "wijkmanager"});
        for number in 1..=2 {
            let reply = app.event(&keeper, &talk, "lessons", lesson.clone()).await;
            assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
            assert_eq!(reply.json()["lessons"][number - 1]["number"], number);
        }
        let closure = json!({"on": "2026-11-01", "note": "gedaan"});
        let shown = app.tell(&talk, "lessons/2/closure", closure.clone()).await;
        let states: Vec<&Value> =
            shown["lessons"].as_array().unwrap().iter().map(|lesson| &lesson["state"]).collect();
        assert_eq!(states, ["open", "closed"]);
        let again = app.event(&keeper, &talk, "lessons/2/closure", closure.clone()).await;
        assert_eq!(again.status, StatusCode::CONFLICT);
        assert_eq!(
            app.event(&keeper, &talk, "lessons/3/closure", closure.clone()).await.status,
            StatusCode::NOT_FOUND
        );
        let word = app.event(&keeper, &talk, "lessons/x/closure", closure).await;
        assert_eq!(word.faults(), [("number".to_owned(), "type".to_owned())]);
        let early = app.event(&keeper, &talk, "lessons/1/closure", json!({"on": "2026-09-30"})).await;
        assert_eq!(early.faults(), [("/on".to_owned(), "date.order".to_owned())]);

        app.tell(&talk, "publication", json!({})).await;
        assert_eq!(app.public_ids("/v1/talks?council=rozenburg").await, [id_of(&talk)]);
        app.clock.set("2026-11-23T12:00:00Z".parse().unwrap());
        app.tell(&talk, "unpublication", json!({"reason": "bevat een naam"})).await;
        let gone = app.get(&talk).send().await;
        assert_eq!((gone.status, &gone.json()["reason"]), (StatusCode::GONE, &json!("bevat een naam")));
        let since = "/v1/talks?modifiedSince=2026-11-23T12:00:00Z";
        assert_eq!(app.public_ids(since).await, [format!("-{}", id_of(&talk))]);
        let mut unknown = body;
        unknown["officeHolder"] = json!(id_of(&talk));
        let reply = app.post("/v1/talks", unknown).token(&keeper).send().await;
        assert_eq!(reply.faults(), [("/officeHolder".to_owned(), "unknown".to_owned())]);
        assert_eq!(app.problems(), Vec::<String>::new());
    }

    async fn an_obligation_is_data(app: TestApp) {
        let item = "/v1/obligations/participation-plan";
        let before = app.get(item).send().await;
        assert_eq!((before.status, &before.json()["status"]), (StatusCode::OK, &json!("assumption")));
        let planner = app.token("plans:write publish", &["*"], &["*"]);
        let refused = app.patched(&planner, item, json!({"status": "adopted"})).await;
        assert_eq!(refused.problem(), "insufficient-scope");
        let keeper = app.token("registry:write", &[], &[]);
        let bare = app.ask(actix_web::http::Method::PATCH, item).patch(json!({"status": "adopted", "reason": "vastgesteld"}));
        assert_eq!(bare.token(&keeper).send().await.status, StatusCode::PRECONDITION_REQUIRED);
        let reply = app
            .patched(
                &keeper,
                item,
                json!({"from": "2027-01-01", "ground": "Verordening", "status": "adopted"}),
            )
            .await;
        assert_eq!((reply.status, &reply.json()["from"]), (StatusCode::OK, &json!("2027-01-01")));
        assert_eq!(app.get(item).send().await.json(), reply.json());
        let far = app.patched(&keeper, item, json!({"from": "1500-01-01"})).await;
        assert_eq!(far.faults()[0].0, "/from");
        assert_eq!(app.problems(), Vec::<String>::new());
    }
}
