//! Collegetargets and what was measured of them.

use actix_web::http::StatusCode;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::{id_of, measurement, target};

on_both_databases! {
    async fn the_target_of_the_term_that_ended_is_there_from_the_start(app: TestApp) {
        let list = app.get("/v1/collegetargets").send().await.json();
        let built_in = &list["items"][0];
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
        assert_eq!((&built_in["status"], &built_in["path"][0]["permille"]), (&json!("adopted"), &json!(500)));
        let measured =
            app.get(&format!("/v1/collegetargets/{}/measurements", built_in["id"].as_str().unwrap()));
        let measured = measured.send().await.json();
        let buckets = ["realisedPermille", "runningPermille", "notRealisedPermille"];
        assert_eq!(
            buckets.map(|bucket| measured["items"][0][bucket].clone()),
            [620, 350, 30].map(|value| json!(value))
        );
    }

    async fn a_target_is_proposed_adopted_and_measured(app: TestApp) {
        let keeper = app.token("registry:write", &[], &[]);
        let made = app.post("/v1/collegetargets", target()).token(&keeper).send().await;
        assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
        let item = format!("/v1/collegetargets/{}", made.json()["id"].as_str().unwrap());
        assert_eq!(app.public_ids("/v1/collegetargets?status=proposed").await, [id_of(&item)]);
        let adopted = app.patched(&keeper, &item, json!({"status": "adopted"})).await;
        assert_eq!((adopted.status, &adopted.json()["status"]), (StatusCode::OK, &json!("adopted")));
        assert_eq!(app.public_ids("/v1/collegetargets?status=proposed").await, Vec::<String>::new());
        let mut body = measurement();
        body["knownAt"] = json!("2026-11-01T00:00:00+01:00");
        let reply = app.event(&keeper, &item, "measurements", body).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
        let shown = app.get(&item).send().await.json();
        assert_eq!(shown["measurements"][0]["knownAt"], "2026-10-31T23:00:00Z");
        assert!(shown["measurements"][0]["recordedAt"].as_str().unwrap().starts_with("2026-11-23T11:00:00"));
        let planner = app.token("plans:write publish", &["*"], &["*"]);
        let refused = app.event(&planner, &item, "measurements", measurement()).await;
        assert_eq!(
            (refused.status, refused.problem().as_str()),
            (StatusCode::FORBIDDEN, "insufficient-scope")
        );
        assert_eq!(app.problems(), Vec::<String>::new());
    }

    async fn a_measurement_says_by_what_it_was_measured_and_adds_up(app: TestApp) {
        let item = app.added("collegetargets", target()).await;
        let keeper = app.token("registry:write", &[], &[]);
        let mut without = measurement();
        without.as_object_mut().unwrap().remove("definitionVersion");
        let with = |field: &str, value: Value| {
            let mut body = measurement();
            body[field] = value;
            body
        };
        for (body, at) in [
            (without, "/definitionVersion"),
            (with("definitionVersion", json!(2)), "/definitionVersion"),
            (with("realisedPermille", json!(621)), "/realisedPermille"),
            (with("notRealisedPermille", json!(29)), "/realisedPermille"),
            (with("realisedPermille", json!(1001)), "/realisedPermille"),
            (with("referenceOn", json!("2026-11-24")), "/referenceOn"),
            (with("knownAt", json!("2026-11-23T11:00:01Z")), "/knownAt"),
            (with("knownAt", json!("2026-11-23T11:00:00")), "/knownAt"),
        ] {
            let reply = app.event(&keeper, &item, "measurements", body.clone()).await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{body}");
            assert_eq!(reply.faults()[0].0, at, "{body}: {}", reply.text());
        }
        assert_eq!(app.whole(&item).await.json()["measurements"], json!([]));
    }

    async fn a_target_names_a_definition_that_is_there(app: TestApp) {
        let keeper = app.token("registry:write", &[], &[]);
        let mut body = target();
        body["definitionVersion"] = json!(2);
        let reply = app.post("/v1/collegetargets", body).token(&keeper).send().await;
        assert_eq!(reply.faults(), [("/definitionVersion".to_owned(), "unknown".to_owned())]);
        let mut body = target();
        body["path"] = json!([{"year": 2027, "permille": 500}, {"year": 2027, "permille": 600}]);
        let reply = app.post("/v1/collegetargets", body).token(&keeper).send().await;
        assert_eq!(reply.faults(), [("/path/1/year".to_owned(), "duplicate".to_owned())]);
    }

    async fn the_measurements_as_csv_have_the_same_columns_without_any(app: TestApp) {
        let item = app.added("collegetargets", target()).await;
        let read = async || app.get(&format!("{item}/measurements?format=csv")).send().await.text();
        let empty = read().await;
        assert_eq!(empty.lines().count(), 1, "{empty}");
        app.tell(&item, "measurements", measurement()).await;
        let mut other = measurement();
        other["source"] = "een andere bron".into();
        app.tell(&item, "measurements", other).await;
        let full = read().await;
        assert_eq!((full.lines().count(), full.lines().next()), (3, empty.lines().next()));
    }
}
