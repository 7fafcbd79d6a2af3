//! Advice that was asked for: one request, many councils, each answers for itself.

use actix_web::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::{Reply, TestApp, draft_of};

fn request(councils: &[&str]) -> Value {
    json!({
        "subject": "Nieuwe tramhalte", "question": "Waar moet hij komen?", "cluster": "so",
        "councils": councils, "askedOn": "2026-10-01", "wantedBy": "2026-12-31"
    })
}

async fn ask(app: &TestApp, body: Value) -> Reply {
    app.post("/v1/advice-requests", body).token(&app.token("treatment:write", &[], &["so"])).send().await
}

/// A request to councils; gives its id.
async fn asked(app: &TestApp, councils: &[&str]) -> String {
    let reply = ask(app, request(councils)).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text());
    reply.json()["id"].as_str().unwrap().to_owned()
}

fn coordinator(app: &TestApp, council: &str) -> String {
    app.token("advice:write", &[council], &[])
}

async fn read(app: &TestApp, id: &str, token: &str) -> Reply {
    app.get(&format!("/v1/advice-requests/{id}")).token(token).send().await
}

async fn refuse(app: &TestApp, id: &str, token: &str, body: Value) -> Reply {
    let etag = read(app, id, &app.almighty()).await.header("etag");
    app.post(&format!("/v1/advice-requests/{id}/refusals"), body).token(token).if_match(&etag).send().await
}

fn answering(request: &str, council: &str) -> Value {
    let mut draft = draft_of(council);
    draft["kind"] = json!("solicited");
    draft["request"] = json!(request);
    draft
}

/// An advice on the request that its council sent in; gives its id.
async fn given(app: &TestApp, request: &str, council: &str, on: &str) -> String {
    let id = app.draft(answering(request, council)).await;
    let adoption = json!({"meetingOn": on, "quorum": true, "votesFor": 7, "votesAgainst": 0});
    app.record(&id, "adoption", adoption).await;
    app.record(&id, "submission", json!({"submittedOn": on})).await;
    id
}

on_both_databases! {
    async fn a_request_goes_to_many_councils_and_each_is_open(app: TestApp) {
        let reply = ask(&app, request(&["rozenburg", "pernis"])).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text());
        let made = reply.json();
        let id = made["id"].as_str().unwrap();
        assert_eq!(reply.header("location"), format!("https://api.test/v1/advice-requests/{id}"));
        assert_eq!(made["version"], 1);
        assert_eq!(
            made["replies"],
            json!([
                {"council": "rozenburg", "reply": "open", "on": null, "advice": null},
                {"council": "pernis", "reply": "open", "on": null, "advice": null}
            ])
        );
        for token in
            [coordinator(&app, "rozenburg"), app.token("treatment:write", &[], &["so"]), app.almighty()]
        {
            let seen = read(&app, id, &token).await;
            assert_eq!(seen.json(), made);
            assert_eq!(seen.header("etag"), reply.header("etag"));
        }
    }

    async fn a_request_that_cannot_be_is_refused_with_all_its_faults(app: TestApp) {
        let mut wrong = request(&["rozenburg", "atlantis", "rozenburg"]);
        assert_eq!(
            ask(&app, wrong.clone()).await.faults(),
            [("/councils/1".to_owned(), "unknown".to_owned())]
        );
        wrong["councils"] = json!(["rozenburg", "rozenburg"]);
        wrong["askedOn"] = json!("2026-11-24");
        wrong["wantedBy"] = json!("2026-11-23");
        let reply = ask(&app, wrong).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST);
        let mut faults = reply.faults();
        faults.sort();
        assert_eq!(
            faults,
            [
                ("/askedOn".to_owned(), "date.future".to_owned()),
                ("/councils/1".to_owned(), "duplicate".to_owned()),
                ("/wantedBy".to_owned(), "date.order".to_owned()),
            ]
        );
        let nobody = ask(&app, request(&[])).await;
        assert_eq!(
            (nobody.status, nobody.faults()[0].0.clone()),
            (StatusCode::BAD_REQUEST, "/councils".to_owned())
        );
        let mut of_another = request(&["rozenburg"]);
        of_another["cluster"] = json!("sb");
        let reply = ask(&app, of_another).await;
        assert_eq!((reply.status, reply.problem()), (StatusCode::FORBIDDEN, "not-yours".to_owned()));
        let council =
            app.post("/v1/advice-requests", request(&["rozenburg"])).token(&coordinator(&app, "rozenburg"));
        let reply = council.send().await;
        assert_eq!((reply.status, reply.problem()), (StatusCode::FORBIDDEN, "insufficient-scope".to_owned()));
    }

    async fn only_the_councils_asked_and_the_cluster_that_asks_know_of_it(app: TestApp) {
        let id = asked(&app, &["rozenburg", "pernis"]).await;
        let list = "/v1/advice-requests?count=true";
        for token in [
            coordinator(&app, "hoogvliet"),
            app.token("treatment:write", &[], &["sb"]),
            app.token("internal:read", &["hoogvliet"], &["sb"]),
            app.token("internal:read", &[], &[]),
        ] {
            assert_eq!(read(&app, &id, &token).await.status, StatusCode::NOT_FOUND);
            let page = app.get(list).token(&token).send().await.json();
            assert_eq!(json!([page["items"], page["total"]]), json!([[], 0]));
            let body = json!({"council": "hoogvliet", "on": "2026-10-05"});
            let refused = refuse(&app, &id, &token, body).await.status;
            assert!([StatusCode::NOT_FOUND, StatusCode::FORBIDDEN].contains(&refused));
        }
        assert_eq!(app.get(list).send().await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(
            app.get(&format!("/v1/advice-requests/{id}")).send().await.status,
            StatusCode::UNAUTHORIZED
        );
        let feed = app.get("/v1/changes?limit=1000").send().await.text();
        assert!(!feed.contains(&id) && !feed.contains("Nieuwe tramhalte"));
        for token in [coordinator(&app, "pernis"), app.token("internal:read", &[], &["so"])] {
            let page = app.get(list).token(&token).send().await.json();
            assert_eq!(json!([page["items"][0]["id"], page["total"]]), json!([id, 1]));
        }
    }

    async fn an_advice_counts_as_given_once_it_was_sent_in(app: TestApp) {
        let id = asked(&app, &["rozenburg", "pernis"]).await;
        let etag = read(&app, &id, &app.almighty()).await.header("etag");
        let draft = app.draft(answering(&id, "rozenburg")).await;
        let replies = read(&app, &id, &app.almighty()).await.json()["replies"].clone();
        assert_eq!(replies[0]["reply"], "open");
        let advice = given(&app, &id, "rozenburg", "2026-10-20").await;
        let seen = read(&app, &id, &coordinator(&app, "rozenburg")).await;
        assert_eq!(
            seen.json()["replies"],
            json!([
                {"council": "rozenburg", "reply": "advised", "on": "2026-10-20", "advice": advice},
                {"council": "pernis", "reply": "open", "on": null, "advice": null}
            ])
        );
        // Nobody changed the request, but it reads another way: who keeps a copy is told.
        assert_eq!(seen.json()["version"], 2);
        let feed = app.get("/v1/changes?limit=1000").token(&coordinator(&app, "pernis")).send().await.json();
        let last = feed["items"].as_array().unwrap().iter().rfind(|change| change["id"] == json!(id)).cloned();
        assert_eq!(last.unwrap()["item"]["replies"][0]["reply"], "advised");
        assert_ne!(seen.header("etag"), etag);
        let token = app.almighty();
        let found =
            app.get(&format!("/v1/advice?request={id}&status=submitted")).token(&token).send().await.json();
        assert_eq!(found["items"].as_array().unwrap().len(), 1);
        assert_eq!(found["items"][0]["id"], json!(advice));
        assert_ne!(draft, advice);
    }

    async fn only_a_council_that_was_asked_answers(app: TestApp) {
        let id = asked(&app, &["rozenburg"]).await;
        let reply = app.post("/v1/advice", answering(&id, "pernis")).token(&app.almighty()).send().await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST);
        assert_eq!(reply.faults(), [("/request".to_owned(), "council.not_asked".to_owned())]);
        // To another council there is no such request.
        let hidden =
            app.post("/v1/advice", answering(&id, "pernis")).token(&coordinator(&app, "pernis")).send().await;
        assert_eq!(hidden.faults(), [("/request".to_owned(), "unknown".to_owned())]);
        let draft = app.draft(draft_of("pernis")).await;
        let etag = app.etag(&draft).await;
        let patch = app.ask(Method::PATCH, &format!("/v1/advice/{draft}")).patch(json!({"request": id}));
        let patched = patch.token(&app.almighty()).if_match(&etag).send().await;
        assert_eq!(patched.faults(), [("/request".to_owned(), "council.not_asked".to_owned())]);
    }

    async fn a_council_says_that_it_gives_no_advice(app: TestApp) {
        let id = asked(&app, &["rozenburg", "pernis"]).await;
        let token = coordinator(&app, "pernis");
        let body = json!({"council": "pernis", "on": "2026-10-05", "note": "geen tijd"});
        let path = format!("/v1/advice-requests/{id}/refusals");
        let bare = app.post(&path, body.clone()).token(&token).send().await;
        assert_eq!(bare.status, StatusCode::PRECONDITION_REQUIRED);
        let stale = app.post(&path, body.clone()).token(&token).if_match("\"0\"").send().await;
        assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
        for (wrong, status, place, code) in [
            (json!({"council": "pernis", "on": "2026-11-24"}), 400, "/on", "date.future"),
            (json!({"council": "pernis", "on": "2026-09-30"}), 400, "/on", "date.order"),
        ] {
            let reply = refuse(&app, &id, &token, wrong).await;
            assert_eq!(reply.status.as_u16(), status);
            assert_eq!(reply.faults(), [(place.to_owned(), code.to_owned())]);
        }
        let of_another = refuse(&app, &id, &token, json!({"council": "rozenburg", "on": "2026-10-05"})).await;
        assert_eq!(
            (of_another.status, of_another.problem()),
            (StatusCode::FORBIDDEN, "not-yours".to_owned())
        );
        let not_asked =
            refuse(&app, &id, &app.almighty(), json!({"council": "hoogvliet", "on": "2026-10-05"})).await;
        assert_eq!(not_asked.faults(), [("/council".to_owned(), "council.not_asked".to_owned())]);

        let refused = refuse(&app, &id, &token, body.clone()).await;
        assert_eq!(refused.status, StatusCode::OK, "{}", refused.text());
        assert_eq!(refused.json()["version"], 2);
        assert_eq!(
            refused.json()["replies"][1],
            json!({"council": "pernis", "reply": "no_advice", "on": "2026-10-05", "advice": null})
        );
        assert_eq!(refused.json()["replies"][0]["reply"], "open");
        assert_eq!(refused.header("etag"), read(&app, &id, &token).await.header("etag"));
        let again = refuse(&app, &id, &token, body).await;
        assert_eq!(again.status, StatusCode::CONFLICT);
        assert_eq!(again.faults(), [(String::new(), "already-recorded".to_owned())]);
    }

    async fn an_advice_counts_before_a_refusal(app: TestApp) {
        let id = asked(&app, &["rozenburg"]).await;
        let refused =
            refuse(&app, &id, &app.almighty(), json!({"council": "rozenburg", "on": "2026-10-05"})).await;
        assert_eq!(refused.json()["replies"][0]["reply"], "no_advice");
        let advice = given(&app, &id, "rozenburg", "2026-10-20").await;
        let replies = read(&app, &id, &app.almighty()).await.json()["replies"].clone();
        assert_eq!(
            replies,
            json!([{"council": "rozenburg", "reply": "advised", "on": "2026-10-20", "advice": advice}])
        );
    }

    async fn the_public_is_not_told_that_an_advice_was_asked_for_here(app: TestApp) {
        let id = asked(&app, &["rozenburg"]).await;
        let advice = given(&app, &id, "rozenburg", "2026-10-20").await;
        app.record(&advice, "receipt", json!({"receivedOn": "2026-10-21", "cluster": "so"})).await;
        app.record(&advice, "publication", json!({})).await;
        let public = app.get(&format!("/v1/advice/{advice}")).send().await.json();
        assert_eq!(public["request"], Value::Null);
        assert_eq!(public["kind"], "solicited");
        let inside = app.get(&format!("/v1/advice/{advice}")).token(&app.almighty()).send().await.json();
        assert_eq!(inside["request"], json!(id));
    }

    async fn requests_come_in_pages_and_as_csv(app: TestApp) {
        let mut ids = Vec::new();
        for _ in 0..5 {
            ids.push(asked(&app, &["rozenburg"]).await);
        }
        let token = coordinator(&app, "rozenburg");
        let (mut walked, mut next) = (Vec::new(), Some("/v1/advice-requests?limit=2".to_owned()));
        while let Some(path) = next {
            let page = app.get(&path).token(&token).send().await.json();
            walked.extend(
                page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()),
            );
            next = page["next"].as_str().map(|next| next.trim_start_matches("https://api.test").to_owned());
        }
        assert_eq!(walked, ids);
        let csv = app.get("/v1/advice-requests?format=csv").token(&token).send().await.text();
        let rows: Vec<&str> = csv.trim_end().split("\r\n").collect();
        assert_eq!(
            rows[0],
            "id,subject,cluster,councils,askedOn,wantedBy,replies,version,createdAt,modifiedAt"
        );
        assert_eq!(rows.len(), 6);
        assert!(
            rows[1].starts_with(&format!(
                "{},Nieuwe tramhalte,so,rozenburg,2026-10-01,2026-12-31,open,1,",
                ids[0]
            )),
            "{}",
            rows[1]
        );
    }
}
