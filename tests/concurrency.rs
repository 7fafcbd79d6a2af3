//! Many at once: nothing is lost, nothing is made twice, and the journal has no gap.

use std::collections::BTreeSet;

use actix_web::http::{Method, StatusCode};
use actix_web::rt::{self, task::JoinHandle};
use persistence::{StoreError, check, journal};
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::{Ask, Reply, TestApp, draft_of};

const KEY: &str = "\"0b0f7a52-6f2c-4a53-9f3e-2d5a1c9be001\"";

/// Sends them all at the same time.
async fn together(asks: impl IntoIterator<Item = Ask>) -> Vec<Reply> {
    all(asks.into_iter().map(|ask| rt::spawn(ask.send())).collect()).await
}

async fn all<T>(running: Vec<JoinHandle<T>>) -> Vec<T> {
    let mut results = Vec::new();
    for task in running {
        results.push(task.await.unwrap());
    }
    results
}

fn statuses(replies: &[Reply]) -> Vec<u16> {
    let mut statuses: Vec<u16> = replies.iter().map(|reply| reply.status.as_u16()).collect();
    statuses.sort_unstable();
    statuses
}

fn patch(app: &TestApp, id: &str, etag: &str, body: Value) -> Ask {
    app.ask(Method::PATCH, &format!("/v1/advice/{id}")).patch(body).token(&app.almighty()).if_match(etag)
}

async fn read(app: &TestApp, id: &str) -> Reply {
    app.get(&format!("/v1/advice/{id}")).token(&app.almighty()).send().await
}

/// How many advice there are.
async fn count(app: &TestApp) -> i64 {
    let list = app.get("/v1/advice?count=true&limit=1").token(&app.almighty()).send().await;
    list.json()["total"].as_i64().unwrap()
}

/// Adds a reference to an advice that others change too: reads it again for as long as somebody was faster.
async fn add_reference(app: &TestApp, id: &str, value: String) {
    loop {
        let before = read(app, id).await;
        let mut references = before.json()["references"].as_array().unwrap().clone();
        references.push(json!({"system": "ibabs-raad", "value": value}));
        let reply = patch(
            app,
            id,
            &before.header("etag"),
            json!({"references": references, "reason": "nog een kenmerk"}),
        )
        .send()
        .await;
        match reply.status {
            StatusCode::OK => return,
            status => assert_eq!(status, StatusCode::PRECONDITION_FAILED, "{}", reply.text()),
        }
    }
}

async fn published(app: &TestApp, received_on: &str) -> String {
    let id = app.received("rozenburg", received_on).await;
    app.record(&id, "publication", json!({})).await;
    id
}

/// The ids on a page for everybody, and the path of the next.
async fn page(app: &TestApp, path: &str) -> (Vec<String>, Option<String>) {
    let reply = app.get(path).send().await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    let page = reply.json();
    let ids = page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned());
    (ids.collect(), page["next"].as_str().map(|next| next.trim_start_matches("https://api.test").to_owned()))
}

/// The journal has no gap, goes on in time, and agrees with every row.
fn assert_whole(app: &TestApp) {
    let entries =
        app.store.read::<_, StoreError>(|connection| journal::after(connection, 0, 1_000_000)).unwrap();
    for (sequence, entry) in (1..).zip(&entries) {
        assert_eq!(entry.sequence, sequence);
    }
    assert!(entries.windows(2).all(|pair| pair[0].moment < pair[1].moment));
    assert_eq!(app.store.read::<_, StoreError>(check::all).unwrap().problems, Vec::<String>::new());
}

on_both_databases! {
    async fn of_two_writers_with_one_tag_exactly_one_wins(app: TestApp) {
        let id = app.draft(draft_of("rozenburg")).await;
        for round in 1..=10 {
            let etag = app.etag(&id).await;
            let ask = |name: &str| patch(&app, &id, &etag, json!({"subject": format!("{name} {round}")}));
            let replies = together([ask("Een"), ask("Twee")]).await;
            assert_eq!(statuses(&replies), [200, 412], "round {round}");
            let winner = replies.iter().find(|reply| reply.status == StatusCode::OK).unwrap().json();
            let loser = replies.iter().find(|reply| reply.status != StatusCode::OK).unwrap();
            assert_eq!(loser.problem(), "stale");
            assert_eq!(read(&app, &id).await.json(), winner);
            assert_eq!(winner["version"], round + 1);
        }
        assert_whole(&app);
    }

    async fn of_two_clusters_one_receives_the_advice(app: TestApp) {
        let id = app.draft(draft_of("rozenburg")).await;
        let adoption = json!({"meetingOn": "2026-10-01", "quorum": true, "votesFor": 7, "votesAgainst": 0});
        app.record(&id, "adoption", adoption).await;
        app.record(&id, "submission", json!({"submittedOn": "2026-10-01"})).await;
        let etag = app.etag(&id).await;
        let replies = together(["so", "sb"].map(|cluster| {
            let body = json!({"receivedOn": "2026-10-01", "cluster": cluster});
            let token = app.token("treatment:write", &[], &[cluster]);
            app.post(&format!("/v1/advice/{id}/receipt"), body).token(&token).if_match(&etag)
        }))
        .await;
        // The slower one comes either to a newer version or to an advice that is no longer his to see.
        let statuses = statuses(&replies);
        assert!(statuses == [200, 412] || statuses == [200, 404], "{statuses:?}");
        assert_whole(&app);
    }

    async fn sixteen_writers_lose_nothing_and_leave_no_gap(app: TestApp) {
        let shared = app.draft(draft_of("rozenburg")).await;
        let writers = (0..16).map(|number| {
            let (app, shared) = (app.clone(), shared.clone());
            rt::spawn(async move {
                let id = published(&app, "2026-10-01").await;
                add_reference(&app, &shared, format!("26bb{number:06}")).await;
                id
            })
        });
        let reader = {
            let app = app.clone();
            rt::spawn(async move {
                // Follows the feed while others write.
                let (mut seen, mut after) = (Vec::new(), String::new());
                for _ in 0..40 {
                    let reply = app.get(&format!("/v1/changes?limit=1000{after}")).send().await;
                    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
                    let page = reply.json();
                    seen.extend(page["items"].as_array().unwrap().iter().cloned());
                    after = format!("&after={}", page["next"].as_str().unwrap());
                    rt::time::sleep(std::time::Duration::from_millis(5)).await;
                }
                (seen, after)
            })
        };
        let ids: BTreeSet<String> = all(writers.collect()).await.into_iter().collect();
        assert_eq!(ids.len(), 16);
        let advice = read(&app, &shared).await.json();
        let values: BTreeSet<&str> = advice["references"]
            .as_array()
            .unwrap()
            .iter()
            .map(|reference| reference["value"].as_str().unwrap())
            .collect();
        assert_eq!(values.len(), 16, "{values:?}");
        assert_eq!(advice["version"], 17);
        for id in &ids {
            assert_eq!(app.get(&format!("/v1/advice/{id}")).send().await.json()["version"], 1);
        }
        assert_whole(&app);

        let (mut seen, after) = reader.await.unwrap();
        let rest = app.get(&format!("/v1/changes?limit=1000{after}")).send().await.json();
        seen.extend(rest["items"].as_array().unwrap().iter().cloned());
        let whole = app.get("/v1/changes?limit=1000").send().await.json();
        assert_eq!(Value::Array(seen), whole["items"]);
    }

    async fn twins_with_one_key_get_one_answer(app: TestApp) {
        let token = app.almighty();
        let twin =
            || app.post("/v1/advice", draft_of("rozenburg")).token(&token).header("idempotency-key", KEY);
        let replies = together((0..8).map(|_| twin())).await;
        for reply in &replies {
            assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text());
            assert_eq!(reply.text(), replies[0].text());
            assert_eq!(reply.header("location"), replies[0].header("location"));
            assert_eq!(reply.header("etag"), replies[0].header("etag"));
        }
        assert_eq!(twin().send().await.text(), replies[0].text());
        assert_eq!(count(&app).await, 1);
        assert_whole(&app);
    }

    async fn a_key_that_was_used_for_another_request_is_refused(app: TestApp) {
        let token = app.almighty();
        let post = |council: &str| {
            app.post("/v1/advice", draft_of(council)).token(&token).header("idempotency-key", KEY)
        };
        let replies = together([post("rozenburg"), post("pernis")]).await;
        assert_eq!(statuses(&replies), [201, 422]);
        let refused = replies.iter().find(|reply| reply.status != StatusCode::CREATED).unwrap();
        assert_eq!(refused.problem(), "idempotency-mismatch");
        let made = replies.iter().find(|reply| reply.status == StatusCode::CREATED).unwrap().json();
        let id = made["id"].as_str().unwrap();
        let body = json!({"meetingOn": "2026-10-01", "quorum": true, "votesFor": 7, "votesAgainst": 0});
        let elsewhere =
            app.post(&format!("/v1/advice/{id}/adoption"), body).token(&token).header("idempotency-key", KEY);
        assert_eq!(
            elsewhere.if_match(&app.etag(id).await).send().await.status,
            StatusCode::UNPROCESSABLE_ENTITY
        );
        assert_eq!(count(&app).await, 1);
    }

    async fn an_event_that_is_sent_again_gets_the_stored_answer_and_not_412(app: TestApp) {
        let id = app.received("rozenburg", "2026-10-01").await;
        let etag = app.etag(&id).await;
        let twin = || {
            app.post(&format!("/v1/advice/{id}/treatment"), json!({"on": "2026-10-02"}))
                .token(&app.almighty())
                .if_match(&etag)
                .header("idempotency-key", KEY)
        };
        let replies = together([twin(), twin(), twin()]).await;
        assert_eq!(statuses(&replies), [200, 200, 200]);
        assert!(replies.iter().all(|reply| reply.text() == replies[0].text()));
        app.record(&id, "responses", crate::support::final_response("2026-10-20")).await;
        assert_eq!(twin().send().await.text(), replies[0].text());
        assert_eq!(read(&app, &id).await.json()["version"], 6);
    }

    async fn a_refusal_is_not_stored(app: TestApp) {
        let id = app.received("rozenburg", "2026-10-01").await;
        let close = |etag: String| {
            app.post(&format!("/v1/advice/{id}/closure"), json!({"on": "2026-10-21"}))
                .token(&app.almighty())
                .if_match(&etag)
                .header("idempotency-key", KEY)
        };
        assert_eq!(close(app.etag(&id).await).send().await.status, StatusCode::CONFLICT);
        app.record(&id, "responses", crate::support::final_response("2026-10-20")).await;
        let closed = close(app.etag(&id).await).send().await;
        assert_eq!(closed.status, StatusCode::OK, "{}", closed.text());
    }

    async fn a_key_is_of_one_person_and_of_one_day(app: TestApp) {
        let post = |token: String| {
            app.post("/v1/advice", draft_of("rozenburg")).token(&token).header("idempotency-key", KEY)
        };
        let mine = post(app.almighty()).send().await;
        let theirs = post(app.token("advice:write", &["rozenburg"], &[])).send().await;
        assert_eq!(theirs.status, StatusCode::CREATED, "{}", theirs.text());
        assert_ne!(theirs.json()["id"], mine.json()["id"]);
        app.on_day("2026-11-24");
        assert_eq!(post(app.almighty()).send().await.json()["id"], mine.json()["id"]);
        app.on_day("2026-11-25");
        assert_ne!(post(app.almighty()).send().await.json()["id"], mine.json()["id"]);
        assert_eq!(count(&app).await, 3);
    }

    async fn a_key_is_a_uuid(app: TestApp) {
        let ask = app.post("/v1/advice", draft_of("rozenburg")).token(&app.almighty());
        let reply = ask.header("idempotency-key", "\"mine\"").send().await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST);
        assert_eq!(reply.faults()[0].0, "Idempotency-Key");
    }

    async fn pages_neither_skip_nor_repeat_what_was_there_while_others_write(app: TestApp) {
        let mut there = BTreeSet::new();
        for day in
            ["2026-10-05", "2026-10-02", "2026-10-09", "2026-10-02", "2026-10-07", "2026-10-12", "2026-10-01"]
        {
            there.insert(published(&app, day).await);
        }
        for sort in ["", "&sort=receivedOn", "&sort=-receivedOn", "&sort=-daysOver,dueOn"] {
            let mut walked = Vec::new();
            let mut next = Some(format!("/v1/advice?limit=2{sort}"));
            let writer = {
                let app = app.clone();
                rt::spawn(async move {
                    let mut made = Vec::new();
                    for day in ["2026-10-02", "2026-10-06", "2026-10-20"] {
                        made.push(published(&app, day).await);
                    }
                    made
                })
            };
            while let Some(path) = next {
                let (ids, after) = page(&app, &path).await;
                walked.extend(ids);
                // What is on a page that was passed, or is still to come, may change meanwhile.
                let (passed, to_come) = (walked.first().unwrap().clone(), there.last().unwrap().clone());
                for id in [passed, to_come] {
                    add_reference(&app, &id, format!("26bb{}", walked.len())).await;
                    let etag = app.etag(&id).await;
                    patch(&app, &id, &etag, json!({"references": [], "reason": "dubbel"})).send().await;
                }
                next = after;
            }
            let once: BTreeSet<&String> = walked.iter().collect();
            assert_eq!(once.len(), walked.len(), "{sort}: something came twice");
            assert!(there.iter().all(|id| once.contains(id)), "{sort}: something was skipped");
            there.extend(writer.await.unwrap());
        }
    }
}

on_both_databases! {
    async fn two_advice_are_never_merged_into_each_other(app: TestApp) {
        for _ in 0..5 {
            let first = app.received("rozenburg", "2026-10-01").await;
            let second = app.received("pernis", "2026-10-01").await;
            let (token, one, two) = (app.almighty(), app.etag(&first).await, app.etag(&second).await);
            let merge = |id: &str, into: &str, etag: &str| {
                let body = json!({"into": into, "on": "2026-10-05"});
                app.post(&format!("/v1/advice/{id}/merge"), body).token(&token).if_match(etag).send()
            };
            let there = actix_web::rt::spawn(merge(&first, &second, &one));
            let back = actix_web::rt::spawn(merge(&second, &first, &two));
            let mut statuses = [there.await.unwrap().status.as_u16(), back.await.unwrap().status.as_u16()];
            statuses.sort_unstable();
            assert_eq!(statuses, [200, 409]);
        }
    }
}
