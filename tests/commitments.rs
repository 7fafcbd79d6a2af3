//! Motions and undertakings: made in public, settled in steps.

use actix_web::http::StatusCode;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::{id_of, motion};

fn step(step: &str, on: &str) -> Value {
    json!({"step": step, "on": on})
}

on_both_databases! {
    async fn proposed_for_settlement_is_not_settled(app: TestApp) {
        let motion = app.added("commitments", motion("24bb002121")).await;
        let keeper = app.token("registry:write", &[], &[]);
        for (step, on, state) in [
            ("interim", "2026-04-01", "open"),
            ("proposed", "2026-05-01", "proposed"),
            ("sent_back", "2026-06-01", "open"),
            ("proposed", "2026-07-01", "proposed"),
            ("settled", "2026-08-01", "settled"),
        ] {
            let reply = app.event(&keeper, &motion, "steps", json!({"step": step, "on": on})).await;
            assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
            assert_eq!(reply.json()["state"], state);
            assert_eq!(app.public_ids(&format!("/v1/commitments?state={state}")).await, [id_of(&motion)]);
        }
        assert_eq!(app.public_ids("/v1/commitments?state=open,proposed").await, Vec::<String>::new());
        for late in ["interim", "proposed", "sent_back", "settled"] {
            let reply = app.event(&keeper, &motion, "steps", step(late, "2026-09-01")).await;
            assert_eq!(reply.status, StatusCode::CONFLICT, "{late}");
        }
        assert_eq!(app.whole(&motion).await.json()["steps"].as_array().unwrap().len(), 5);
        assert_eq!(app.problems(), Vec::<String>::new());
    }

    async fn it_is_public_at_once_and_kept_by_the_registry(app: TestApp) {
        let planner = app.token("plans:write publish treatment:write", &["*"], &["*"]);
        let reply = app.post("/v1/commitments", motion("24bb002121")).token(&planner).send().await;
        assert_eq!((reply.status, reply.problem().as_str()), (StatusCode::FORBIDDEN, "insufficient-scope"));
        let keeper = app.token("registry:write", &[], &[]);
        let reply = app.post("/v1/commitments", motion("24bb002121")).token(&keeper).send().await;
        assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text());
        assert!(reply.header("location").ends_with(reply.json()["id"].as_str().unwrap()));
        let item = format!("/v1/commitments/{}", reply.json()["id"].as_str().unwrap());
        let public = app.get(&item).send().await;
        assert_eq!((public.status, public.json()["state"].clone()), (StatusCode::OK, json!("open")));
        assert_eq!(public.header("cache-control"), "public, max-age=0, must-revalidate");
    }

    async fn a_number_is_given_once(app: TestApp) {
        let first = app.added("commitments", motion("24bb002121")).await;
        let keeper = app.token("registry:write", &[], &[]);
        let twin = app.post("/v1/commitments", motion("24bb002121")).token(&keeper).send().await;
        assert_eq!(twin.status, StatusCode::CONFLICT);
        // The number restarts each year, so all of it counts.
        let other = app.added("commitments", motion("25bb002121")).await;
        let moved = app.patched(&keeper, &other, json!({"number": "24bb002121"})).await;
        assert_eq!(moved.status, StatusCode::CONFLICT);
        let same = app.patched(&keeper, &first, json!({"number": "24bb002121", "title": "Anders"})).await;
        assert_eq!(same.status, StatusCode::OK, "{}", same.text());
        assert_eq!(app.public_ids("/v1/commitments?number=%2024bb002121%20").await, [id_of(&first)]);
        let blank = app.post("/v1/commitments", motion(" 24bb002121")).token(&keeper).send().await;
        assert_eq!(blank.faults()[0].0, "/number");
    }

    async fn a_link_to_hidden_advice_is_shown_to_who_may_see_it(app: TestApp) {
        let hidden = app.received("rozenburg", "2026-10-01").await;
        let public = app.received("rozenburg", "2026-10-01").await;
        app.record(&public, "publication", json!({})).await;
        let mut body = motion("24bb002121");
        body["advice"] = json!([hidden, public]);
        let motion = app.added("commitments", body.clone()).await;
        assert_eq!(app.get(&motion).send().await.json()["advice"], json!([public]));
        let council = app.token("advice:write", &["rozenburg"], &[]);
        assert_eq!(app.get(&motion).token(&council).send().await.json()["advice"], json!([hidden, public]));
        let feed = app.get("/v1/changes?limit=1000").send().await.text();
        assert!(!feed.contains(&hidden) && feed.contains(id_of(&motion)));
        // Nor can it be named by who does not know of it; what stands there already may stay.
        let keeper = app.token("registry:write", &[], &[]);
        body["number"] = json!("24bb000001");
        let refused = app.post("/v1/commitments", body).token(&keeper).send().await;
        assert_eq!(refused.faults(), [("/advice/0".to_owned(), "unknown".to_owned())]);
        let kept = app.patched(&keeper, &motion, json!({"expectedOn": "2027-01-01"})).await;
        assert_eq!(kept.status, StatusCode::OK, "{}", kept.text());
        assert_eq!(kept.json()["advice"], json!([public]));
        assert_eq!(app.whole(&motion).await.json()["advice"], json!([hidden, public]));
        let wrong = app.patched(&app.almighty(), &motion, json!({"advice": [id_of(&motion)]})).await;
        assert_eq!(wrong.faults(), [("/advice/0".to_owned(), "unknown".to_owned())]);

        // What appears or vanishes is told to who keeps a copy.
        let feed = app.get("/v1/changes?limit=1000").send().await.json();
        let after = feed["next"].as_str().unwrap().to_owned();
        app.record(&public, "unpublication", json!({"reason": "bevat een naam"})).await;
        let told = app.get(&format!("/v1/changes?limit=1000&after={after}")).send().await.json();
        let told =
            told["items"].as_array().unwrap().iter().rfind(|change| change["id"] == id_of(&motion)).cloned();
        assert_eq!(told.expect("a follower is told")["item"]["advice"], json!([]));
        assert_eq!(app.problems(), Vec::<String>::new());
    }

    async fn steps_follow_each_other(app: TestApp) {
        let motion = app.added("commitments", motion("24bb002121")).await;
        app.tell(&motion, "steps", step("interim", "2026-05-01")).await;
        for (on, code) in
            [("2026-02-01", "date.order"), ("2026-04-01", "date.order"), ("2026-11-24", "date.future")]
        {
            let reply = app.event(&app.almighty(), &motion, "steps", step("proposed", on)).await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{on}");
            assert_eq!(reply.faults()[0], ("/on".to_owned(), code.to_owned()));
        }
        let reply = app.event(&app.almighty(), &motion, "steps", step("sent_back", "2026-06-01")).await;
        assert_eq!(reply.status, StatusCode::CONFLICT);
    }
}
