//! Answers that are kept: nobody can tell one from a new one.

use actix_web::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::{Reply, TestApp, draft_of};

/// An advice that everybody reads; gives its address.
async fn published(app: &TestApp) -> String {
    let id = app.received("rozenburg", "2026-10-01").await;
    app.record(&id, "publication", json!({})).await;
    format!("/v1/advice/{id}")
}

async fn read(app: &TestApp, path: &str) -> Reply {
    app.get(path).send().await
}

/// What is shown; of an error only its status tells one from another.
fn shown(reply: &Reply) -> String {
    if reply.status.is_success() { reply.text() } else { String::new() }
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

    async fn each_reader_is_shown_his_own_view_of_what_is_kept(app: TestApp) {
        let item = published(&app).await;
        let id = crate::support::id_of(&item).to_owned();
        let reason = json!({"from": "2026-10-06", "decidedOn": "2026-10-06", "reason": "alleen voor binnen"});
        app.record(&id, "suspensions", reason).await;
        let hidden = format!("/v1/advice/{}", app.received("rozenburg", "2026-10-01").await);
        let earlier = format!("{item}?on=2026-10-02");
        let tokens = [
            None,
            Some(app.token("advice:write", &["rozenburg"], &[])),
            Some(app.token("internal:read", &["rozenburg"], &[])),
            Some(app.token("internal:read", &["hoogvliet"], &[])),
            Some(app.token("publish", &[], &[])),
            Some(app.almighty()),
        ];
        let list = "/v1/advice?council=rozenburg&sort=-receivedOn";
        let paths = [&item, &earlier, &hidden, list, &format!("{list}&limit=1"), &format!("{list}&limit=500"), "/v1/advice?format=csv"];
        let ask = |app: &TestApp, path: &str, token: &Option<String>| match token {
            Some(token) => app.get(path).token(token).send(),
            None => app.get(path).send(),
        };
        let mut seen = std::collections::BTreeSet::new();
        for path in paths {
            // Whatever was kept for one is there when the next one asks.
            for token in tokens.iter().chain(tokens.iter().rev()) {
                let new = ask(&app.restarted().await, path, token).await;
                let kept = ask(&app, path, token).await;
                assert_eq!((kept.status, shown(&kept)), (new.status, shown(&new)), "{path}");
                assert_eq!(headers(&kept), headers(&new), "{path}");
                seen.insert((path, kept.headers.get("etag").map(|etag| etag.to_str().unwrap().to_owned())));
            }
        }
        let views = seen.iter().filter(|(path, _)| *path == item).count();
        assert_eq!(views, 3, "public, own and internal");
    }

    async fn who_has_a_token_reads_what_any_process_wrote(app: TestApp) {
        let other = app.restarted().await;
        let item = published(&app).await;
        let (id, token) = (crate::support::id_of(&item).to_owned(), app.token("internal:read", &["*"], &["*"]));
        let list = "/v1/advice?council=rozenburg&limit=5";
        let status = async |reader: &TestApp, path: &str| {
            let body = reader.get(path).token(&token).send().await.json();
            body.pointer("/items/0").unwrap_or(&body)["status"].clone()
        };
        for (event, body, expected) in [
            ("treatment", json!({"on": "2026-10-05"}), "in_treatment"),
            ("withdrawal", json!({"on": "2026-10-09", "reason": "niet meer nodig"}), "withdrawn"),
        ] {
            for reader in [&app, &other, &app, &other] {
                assert_ne!(status(reader, &item).await, expected);
                assert_ne!(status(reader, list).await, expected);
            }
            app.record(&id, event, body).await;
            for reader in [&other, &app] {
                assert_eq!(status(reader, &item).await, expected);
                assert_eq!(status(reader, list).await, expected);
            }
        }
    }

    async fn a_figure_is_as_new_as_what_any_process_wrote(app: TestApp) {
        let other = app.restarted().await;
        let token = app.token("internal:read", &["*"], &["*"]);
        let ask = async |reader: &TestApp| reader.get("/v1/metrics/volume").token(&token).send().await;
        for number in 1..=3 {
            app.received("rozenburg", "2026-10-01").await;
            let new = ask(&app.restarted().await).await.json();
            assert_eq!(new["total"]["count"], number);
            // The first time the facts are brought up to date, the second time they are found so.
            for reader in [&app, &app, &other, &other] {
                assert_eq!(ask(reader).await.json(), new, "moment of knowledge and all");
            }
        }
    }

    async fn what_a_token_no_longer_opens_is_gone_from_what_is_kept(app: TestApp) {
        let other = app.restarted().await;
        let (item, of_another) = (published(&app).await, app.token("internal:read", &["hoogvliet"], &[]));
        let draft = format!("/v1/advice/{}", app.draft(draft_of("rozenburg")).await);
        let own = app.token("advice:write", &["rozenburg"], &[]);
        let status = async |reader: &TestApp, path: &str, token: &str| {
            let list = reader.get("/v1/advice?council=rozenburg").token(token).send().await.json();
            let ids = list["items"].as_array().unwrap().iter().map(|item| item["id"].clone()).collect::<Vec<_>>();
            let is_listed = ids.contains(&json!(crate::support::id_of(path)));
            let status = reader.get(path).token(token).send().await.status;
            assert_eq!(is_listed, status.is_success(), "{path}");
            status
        };
        for reader in [&app, &other, &app, &other] {
            assert_eq!(status(reader, &item, &of_another).await, StatusCode::OK);
            assert_eq!(status(reader, &draft, &own).await, StatusCode::OK);
            assert_eq!(status(reader, &draft, &of_another).await, StatusCode::NOT_FOUND);
        }
        app.record(crate::support::id_of(&item), "unpublication", json!({"reason": "staat er dubbel"})).await;
        let etag = app.get(&draft).token(&own).send().await.header("etag");
        let deleted = app.ask(Method::DELETE, &draft).token(&own).if_match(&etag).send().await;
        assert!(deleted.status.is_success(), "{}", deleted.text());
        for reader in [&other, &app] {
            assert_eq!(status(reader, &item, &of_another).await, StatusCode::GONE);
            assert_eq!(status(reader, &item, &own).await, StatusCode::OK);
            assert_eq!(status(reader, &draft, &own).await, StatusCode::NOT_FOUND);
        }
    }

    async fn a_name_that_is_erased_is_gone_from_what_is_kept(app: TestApp) {
        let (other, holder, token) = (app.restarted().await, app.alderman().await, app.almighty());
        let id = app.draft(draft_of("rozenburg")).await;
        let adoption = json!({"meetingOn": "2026-10-01", "quorum": true, "votesFor": 7, "votesAgainst": 0});
        app.record(&id, "adoption", adoption).await;
        app.record(&id, "submission", json!({"submittedOn": "2026-10-01"})).await;
        let receipt = json!({"receivedOn": "2026-10-01", "cluster": "so", "portfolioHolder": holder});
        app.record(&id, "receipt", receipt).await;
        let item = format!("/v1/advice/{id}");
        let name = async |reader: &TestApp, path: &str| {
            let body = reader.get(path).token(&token).send().await.json();
            body.pointer("/items/0").unwrap_or(&body)["portfolioHolderName"].clone()
        };
        for reader in [&app, &other, &app, &other] {
            assert_eq!(name(reader, &item).await, "A. Voorbeeld");
            assert_eq!(name(reader, "/v1/advice").await, "A. Voorbeeld");
        }
        let erasure = json!({"reason": "Verzoek van de betrokkene"});
        app.tell(&format!("/v1/office-holders/{holder}"), "erasure", erasure).await;
        for reader in [&other, &app] {
            assert_eq!(name(reader, &item).await, Value::Null);
            assert_eq!(name(reader, "/v1/advice").await, Value::Null);
        }
    }

    async fn many_ask_at_once(app: TestApp) {
        let mut items = Vec::new();
        for _ in 0..3 {
            items.push(published(&app).await);
        }
        let token = app.almighty();
        let missing = "/v1/advice/0199b0c4-7d1e-7c3a-9a51-3f3f6a1f2";
        for _ in 0..2 {
            let mut asked = Vec::new();
            for number in 0..200 {
                // More that are missing than are asked for in one go.
                let missing = format!("{missing}{number:03}");
                let path = items.get(number % 4).cloned().unwrap_or(missing);
                asked.push((path.clone(), actix_web::rt::spawn(app.get(&path).token(&token).send())));
            }
            for number in 200..400 {
                let path = format!("{missing}{number:03}");
                asked.push((path.clone(), actix_web::rt::spawn(app.get(&path).token(&token).send())));
            }
            for (path, reply) in asked {
                let reply = reply.await.unwrap();
                match path.starts_with(missing) {
                    true => assert_eq!(reply.status, StatusCode::NOT_FOUND),
                    false => assert_eq!(reply.json()["id"], crate::support::id_of(&path)),
                }
            }
        }
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

#[actix_web::test]
#[ignore = "needs PostgreSQL"]
async fn nobody_notices_that_connections_were_lost_while_they_lay_idle_postgres() {
    let app = TestApp::on_postgres().await;
    let item = published(&app).await;
    let token = app.token("internal:read", &["*"], &["*"]);
    let paths = [item.as_str(), "/v1/advice?council=rozenburg&limit=5", "/v1/councils"];
    for _ in 0..3 {
        for path in paths {
            // At once, so that there is more than one connection.
            let asks = (0..6).map(|_| actix_web::rt::spawn(app.get(path).token(&token).send()));
            for reply in asks.collect::<Vec<_>>() {
                assert_eq!(reply.await.unwrap().status, StatusCode::OK, "{path}");
            }
            assert_eq!(read(&app, path).await.status, StatusCode::OK, "{path}");
            assert!(app.lose_connections() > 0);
        }
        assert!(app.store.look(&Default::default()).is_ok());
    }
}
