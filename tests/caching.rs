//! Answers that are kept: nobody can tell one from a new one.

use actix_web::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::{Reply, TestApp};

/// An advice that everybody reads; gives its address.
async fn published(app: &TestApp) -> String {
    let id = app.received("rozenburg", "2026-10-01").await;
    app.record(&id, "publication", json!({})).await;
    format!("/v1/advice/{id}")
}

async fn read(app: &TestApp, path: &str) -> Reply {
    app.get(path).send().await
}

/// All headers but those that are of one request alone.
fn headers(reply: &Reply) -> Vec<(String, String)> {
    let mut headers: Vec<_> = reply
        .headers
        .iter()
        .filter(|(name, _)| !["traceparent", "date"].contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    headers.sort();
    headers
}

on_both_databases! {
    async fn an_answer_that_was_kept_is_the_same_as_a_new_one(app: TestApp) {
        let item = published(&app).await;
        let etag = read(&app, &item).await.header("etag");
        let paths = [
            item.clone(),
            format!("{item}/term"),
            format!("{item}/timeline"),
            "/v1/advice?council=rozenburg&count=true".to_owned(),
            "/v1/advice?format=csv".to_owned(),
            "/v1/councils".to_owned(),
            "/v1/changes".to_owned(),
            "/v1/metrics/volume?groupBy=council".to_owned(),
        ];
        for path in &paths {
            for method in [Method::GET, Method::HEAD] {
                let ask = |app: &TestApp| app.ask(method.clone(), path);
                // One that remembers nothing, and one that was asked before.
                let new = ask(&app.restarted().await).send().await;
                ask(&app).send().await;
                let kept = ask(&app).send().await;
                assert_eq!((kept.status, &kept.body), (new.status, &new.body), "{method} {path}");
                assert_eq!(headers(&kept), headers(&new), "{method} {path}");
            }
        }
        let unchanged = app.get(&item).header("if-none-match", &etag).send().await;
        assert_eq!((unchanged.status, unchanged.body.len()), (StatusCode::NOT_MODIFIED, 0));
        assert_eq!(read(&app, &item).await.status, StatusCode::OK);
    }

    async fn an_answer_is_as_new_as_what_any_process_wrote(app: TestApp) {
        let other = app.restarted().await;
        let item = published(&app).await;
        let list = "/v1/advice?council=rozenburg";
        let id = crate::support::id_of(&item).to_owned();
        let events = [
            ("treatment", json!({"on": "2026-10-05"}), "in_treatment"),
            ("suspensions", json!({"from": "2026-10-06", "decidedOn": "2026-10-06", "reason": "wacht"}), "in_treatment"),
            ("withdrawal", json!({"on": "2026-10-09", "reason": "niet meer nodig"}), "withdrawn"),
        ];
        for (event, body, status) in events {
            for reader in [&app, &other] {
                read(reader, &item).await;
                read(reader, list).await;
            }
            let before = read(&other, &item).await.header("etag");
            app.record(&id, event, body).await;
            for reader in [&other, &app] {
                assert_eq!(read(reader, &item).await.json()["status"], status, "{event}");
                assert_eq!(read(reader, list).await.json()["items"][0]["status"], status, "{event}");
                let asked_again = reader.get(&item).header("if-none-match", &before).send().await;
                assert_eq!(asked_again.status, StatusCode::OK, "{event}");
            }
        }
    }

    async fn what_is_withdrawn_from_publication_is_gone_everywhere_at_once(app: TestApp) {
        let other = app.restarted().await;
        let item = published(&app).await;
        for reader in [&app, &other] {
            assert_eq!(read(reader, &item).await.status, StatusCode::OK);
            assert_eq!(read(reader, "/v1/advice").await.json()["items"].as_array().unwrap().len(), 1);
        }
        app.record(crate::support::id_of(&item), "unpublication", json!({"reason": "staat er dubbel"})).await;
        for reader in [&other, &app] {
            assert_eq!(read(reader, &item).await.status, StatusCode::GONE);
            assert_eq!(read(reader, "/v1/advice").await.json()["items"], json!([]));
        }
    }

    async fn a_name_that_is_erased_is_gone_everywhere_at_once(app: TestApp) {
        let other = app.restarted().await;
        let of_holder = format!("/v1/office-holders/{}", app.alderman().await);
        for reader in [&app, &other] {
            assert_eq!(read(reader, &of_holder).await.json()["name"], "A. Voorbeeld");
        }
        app.tell(&of_holder, "erasure", json!({"reason": "Verzoek van de betrokkene"})).await;
        for reader in [&other, &app] {
            assert_eq!(read(reader, &of_holder).await.json()["name"], Value::Null);
        }
    }

    async fn a_kept_answer_ends_with_its_day(app: TestApp) {
        let item = published(&app).await;
        let on = |reply: Reply| -> Value { reply.json()["term"]["on"].clone() };
        assert_eq!(on(read(&app, &item).await), "2026-11-23");
        assert_eq!(on(read(&app, &item).await), "2026-11-23");
        app.on_day("2026-11-24");
        assert_eq!(on(read(&app, &item).await), "2026-11-24");
    }

    async fn who_has_a_token_is_answered_for_himself(app: TestApp) {
        let item = published(&app).await;
        read(&app, &item).await;
        let mine = app.get(&item).token(&app.almighty()).send().await;
        assert_eq!(mine.header("cache-control"), "no-store");
        assert_eq!(mine.json()["version"], 5);
        let public = read(&app, &item).await;
        assert_eq!(public.header("cache-control"), "public, max-age=0, must-revalidate");
        assert_eq!(public.json()["version"], 1);
        let refused = app.get(&item).token("no.token.atall").send().await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    }
}
