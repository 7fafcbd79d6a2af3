//! One journal: the history, the feed, the chain, and moments that only go on.

use std::collections::BTreeMap;

use actix_web::http::{Method, StatusCode};
use chrono::{DateTime, Duration, Utc};
use diesel::connection::SimpleConnection;
use persistence::journal::{self, Entry};
use persistence::{StoreError, Tx, check};
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::{
    Reply, TestApp, accord_of, agreement_of, draft_of, final_response, id_of, measurement, motion, plan_of,
    target, track,
};

/// What a follower of the feed has: items by resource and id.
type Copy = BTreeMap<(String, String), Value>;

/// Reads the feed after a cursor to its end, in pages; gives the changes and where to go on.
async fn follow(
    app: &TestApp,
    token: Option<&str>,
    after: Option<String>,
    limit: usize,
) -> (Vec<Value>, String) {
    let (mut changes, mut after) = (Vec::new(), after);
    loop {
        let cursor = after.map_or(String::new(), |after| format!("&after={after}"));
        let ask = app.get(&format!("/v1/changes?limit={limit}{cursor}"));
        let reply = match token {
            None => ask.send().await,
            Some(token) => ask.token(token).send().await,
        };
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
        let page = reply.json();
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= limit);
        changes.extend(items.iter().cloned());
        let next = page["next"].as_str().expect("next is never null").to_owned();
        assert!(reply.header("link").contains(&format!("after={next}>; rel=\"next\"")));
        if page["more"] == json!(false) {
            return (changes, next);
        }
        after = Some(next);
    }
}

fn apply(copy: &mut Copy, changes: &[Value]) {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    for change in changes {
        let key = (text(&change["resource"]), text(&change["id"]));
        if change["deleted"] == json!(true) {
            assert_eq!(change["item"], Value::Null);
            copy.remove(&key);
        } else {
            copy.insert(key, change["item"].clone());
        }
    }
}

/// The items of a copy that are of one resource, by id.
fn of_resource(copy: &Copy, resource: &str) -> BTreeMap<String, Value> {
    let items = copy.iter().filter(|((kind, _), _)| kind == resource);
    items.map(|((_, id), item)| (id.clone(), item.clone())).collect()
}

/// All items of a list for everybody, by id or code.
async fn listed(app: &TestApp, list: &str) -> BTreeMap<String, Value> {
    let reply = app.get(&format!("/v1/{list}?limit=1000")).send().await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    let page = reply.json();
    assert_eq!(page["next"], Value::Null);
    let key = |item: &Value| item["id"].as_str().or(item["code"].as_str()).unwrap().to_owned();
    page["items"].as_array().unwrap().iter().map(|item| (key(item), item.clone())).collect()
}

async fn published(app: &TestApp, council: &str) -> String {
    let id = app.received(council, "2026-10-01").await;
    app.record(&id, "publication", json!({})).await;
    id
}

async fn change_themes(app: &TestApp, id: &str, theme: &str) {
    let etag = app.etag(id).await;
    let patch = app
        .ask(Method::PATCH, &format!("/v1/advice/{id}"))
        .patch(json!({"themes": [theme], "reason": "verkeerd ingedeeld"}));
    let reply = patch.token(&app.almighty()).if_match(&etag).send().await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
}

/// One of each thing that can happen to what the public sees; between them `meanwhile` may look.
async fn a_busy_week(app: &TestApp, mut meanwhile: impl AsyncFnMut()) {
    app.draft(draft_of("rozenburg")).await;
    app.received("rozenburg", "2026-10-01").await;
    meanwhile().await;
    let answered = published(app, "pernis").await;
    meanwhile().await;
    app.record(&answered, "responses", json!({"kind": "interim", "by": "official"})).await;
    app.record(&answered, "responses", final_response("2026-10-20")).await;
    let rating = json!({"council": "pernis", "on": "2026-10-21", "score": 2});
    app.record(&answered, "ratings", rating).await;
    meanwhile().await;
    let withdrawn = published(app, "hoogvliet").await;
    app.record(&withdrawn, "withdrawal", json!({"on": "2026-10-05", "reason": "achterhaald"})).await;
    let forwarded = published(app, "hoogvliet").await;
    app.record(&forwarded, "forwarding", json!({"on": "2026-10-05", "cluster": "sb"})).await;
    meanwhile().await;
    let gone = published(app, "rozenburg").await;
    meanwhile().await;
    app.record(&gone, "unpublication", json!({"reason": "bevat een naam"})).await;
    meanwhile().await;
    let back = published(app, "rozenburg").await;
    app.record(&back, "unpublication", json!({"reason": "bevat een naam"})).await;
    meanwhile().await;
    change_themes(app, &back, "mobility").await;
    app.record(&back, "publication", json!({})).await;
    let merged = published(app, "pernis").await;
    meanwhile().await;
    app.record(&merged, "merge", json!({"into": back, "on": "2026-10-05"})).await;
    let mut second = draft_of("pernis");
    second["secondRoundOf"] = json!(answered);
    app.draft(second).await;
    meanwhile().await;
}

fn head(app: &TestApp) -> (i64, DateTime<Utc>) {
    app.store.read::<_, StoreError>(journal::head).unwrap()
}

fn entries(app: &TestApp) -> Vec<Entry> {
    app.store.read::<_, StoreError>(|connection| journal::after(connection, 0, 1_000_000)).unwrap()
}

fn problems(app: &TestApp) -> Vec<String> {
    app.store.read::<_, StoreError>(check::all).unwrap().problems
}

/// Does to the database what nobody should: past the journal.
fn tamper(app: &TestApp, statements: &str) {
    let by_hand = |tx: &mut Tx<'_>| tx.reading().batch_execute(statements).map_err(StoreError::from);
    app.store.write::<_, StoreError>("somebody", app.clock.now().moment, by_hand).unwrap();
}

async fn history(app: &TestApp, id: &str) -> Vec<Value> {
    let token = app.token("audit:read", &[], &[]);
    let reply = app.get(&format!("/v1/advice/{id}/history")).token(&token).send().await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    reply.json()["items"].as_array().unwrap().clone()
}

async fn changed_since(app: &TestApp, token: Option<&str>, since: &str, limit: usize) -> Vec<Value> {
    let (mut items, mut path) = (Vec::new(), format!("/v1/advice?modifiedSince={since}&limit={limit}"));
    loop {
        let reply: Reply = match token {
            None => app.get(&path).send().await,
            Some(token) => app.get(&path).token(token).send().await,
        };
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
        let page = reply.json();
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        let Some(next) = page["next"].as_str() else { return items };
        path = next.trim_start_matches("https://api.test").to_owned();
    }
}

on_both_databases! {
    async fn the_feed_from_the_start_rebuilds_exactly_what_is_public(app: TestApp) {
        a_busy_week(&app, async || {}).await;
        let expected = listed(&app, "advice").await;
        assert_eq!(expected.len(), 5);
        for limit in [1, 7, 1000] {
            let mut copy = Copy::new();
            apply(&mut copy, &follow(&app, None, None, limit).await.0);
            assert_eq!(of_resource(&copy, "advice"), expected, "limit {limit}");
            for (resource, list) in [
                ("council", "councils"),
                ("area", "areas"),
                ("neighbourhood", "neighbourhoods"),
                ("cluster", "clusters"),
                ("theme", "themes"),
                ("term-of-office", "terms-of-office"),
                ("term-rule", "term-rules"),
            ] {
                assert_eq!(of_resource(&copy, resource), listed(&app, list).await, "{resource}");
            }
            let other = copy
                .keys()
                .find(|(resource, _)| resource == "response-draft" || resource == "advice-request");
            assert_eq!(other, None);
        }
    }

    async fn a_copy_that_follows_the_feed_stays_in_step(app: TestApp) {
        let copy = std::cell::RefCell::new((Copy::new(), None::<String>));
        a_busy_week(&app, async || {
            let after = copy.borrow().1.clone();
            let (changes, next) = follow(&app, None, after, 3).await;
            let mut copy = copy.borrow_mut();
            apply(&mut copy.0, &changes);
            copy.1 = Some(next);
            drop(copy);
        })
        .await;
        let (copy, after) = copy.into_inner();
        assert_eq!(of_resource(&copy, "advice"), listed(&app, "advice").await);
        // At the end there is nothing more, and still a place to go on.
        let (changes, next) = follow(&app, None, after.clone(), 3).await;
        assert_eq!((changes, Some(next)), (Vec::new(), after));
    }

    async fn the_feed_tells_the_public_of_nothing_that_it_cannot_see(app: TestApp) {
        let (_, start) = follow(&app, None, None, 1000).await;
        let id = app.received("rozenburg", "2026-10-01").await;
        app.draft(draft_of("pernis")).await;
        let draft = app
            .ask(Method::PUT, &format!("/v1/advice/{id}/response-draft"))
            .json(json!({"text": "Geachte raad"}));
        assert_eq!(draft.token(&app.almighty()).send().await.status, StatusCode::CREATED);
        let (changes, next) = follow(&app, None, Some(start), 1000).await;
        assert_eq!(changes, Vec::<Value>::new());
        app.record(&id, "publication", json!({})).await;
        app.record(&id, "responses", json!({"kind": "interim", "by": "official"})).await;
        let (changes, next) = follow(&app, None, Some(next), 1000).await;
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0]["id"], json!(id));
        assert_eq!(changes[0]["item"], app.get(&format!("/v1/advice/{id}")).send().await.json());
        app.record(&id, "unpublication", json!({"reason": "bevat een naam"})).await;
        app.record(&id, "treatment", json!({"on": "2026-10-02"})).await;
        let (changes, _) = follow(&app, None, Some(next), 1000).await;
        assert_eq!(changes.len(), 1);
        assert_eq!(
            json!([changes[0]["id"], changes[0]["deleted"], changes[0]["item"]]),
            json!([id, true, null])
        );
    }

    async fn the_feed_of_a_council_holds_its_own_drafts_and_no_others(app: TestApp) {
        let own = app.draft(draft_of("rozenburg")).await;
        app.draft(draft_of("pernis")).await;
        let public = published(&app, "pernis").await;
        let token = app.token("advice:write", &["rozenburg"], &[]);
        let mut copy = Copy::new();
        apply(&mut copy, &follow(&app, Some(&token), None, 1000).await.0);
        let ids: Vec<String> = of_resource(&copy, "advice").into_keys().collect();
        let mut expected = vec![own.clone(), public];
        expected.sort();
        assert_eq!(ids, expected);
        let etag = app.get(&format!("/v1/advice/{own}")).token(&token).send().await.header("etag");
        let delete =
            app.ask(Method::DELETE, &format!("/v1/advice/{own}")).token(&token).if_match(&etag).send().await;
        assert_eq!(delete.status, StatusCode::NO_CONTENT);
        apply(&mut copy, &follow(&app, Some(&token), None, 1000).await.0);
        assert!(!of_resource(&copy, "advice").contains_key(&own));
    }

    async fn a_cluster_is_told_of_what_it_lost(app: TestApp) {
        let so = app.token("treatment:write", &[], &["so"]);
        let id = app.received("rozenburg", "2026-10-01").await;
        let (_, next) = follow(&app, Some(&so), None, 1000).await;
        app.record(&id, "forwarding", json!({"on": "2026-10-05", "cluster": "sb"})).await;
        app.record(&id, "treatment", json!({"on": "2026-10-06"})).await;
        let (changes, _) = follow(&app, Some(&so), Some(next), 1000).await;
        assert_eq!(changes.len(), 1, "{changes:?}");
        assert_eq!(json!([changes[0]["id"], changes[0]["deleted"]]), json!([id, true]));
    }

    async fn a_cursor_that_this_feed_never_gave_is_refused(app: TestApp) {
        let (_, ours) = follow(&app, None, None, 1000).await;
        let last = if ours.ends_with('A') { 'B' } else { 'A' };
        let edited = format!("{}{last}", &ours[..ours.len() - 2]);
        for cursor in ["c_", "nonsense", "", "LTE", edited.as_str()] {
            let reply = app.get(&format!("/v1/changes?after={cursor}")).send().await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{cursor}: {}", reply.text());
            assert_eq!(reply.faults()[0].0, "after", "{cursor}");
        }
    }

    async fn a_cursor_tells_nothing_of_what_its_reader_does_not_see(app: TestApp) {
        published(&app, "rozenburg").await;
        let (_, before) = follow(&app, None, None, 1000).await;
        app.draft(draft_of("rozenburg")).await;
        let (changes, after) = follow(&app, None, Some(before.clone()), 1000).await;
        assert_eq!(changes, Vec::<Value>::new());
        assert_eq!(after, before);
        published(&app, "rozenburg").await;
        let (_, later) = follow(&app, None, Some(before.clone()), 1000).await;
        let alike = before.bytes().zip(later.bytes()).filter(|(a, b)| a == b).count();
        assert!(alike < before.len() / 2, "{before} and {later} are too much alike");
    }

    async fn a_cursor_of_a_history_that_is_no_more_is_gone(app: TestApp) {
        let (_, start) = follow(&app, None, None, 1000).await;
        published(&app, "rozenburg").await;
        let (_, end) = follow(&app, None, None, 1000).await;
        // As after the restore of a copy: the journal is shorter, and then goes on another way.
        let (kept, _) = head(&app);
        let kept = kept - 3;
        tamper(&app, &format!(
            "DELETE FROM journal WHERE sequence > {kept};
             UPDATE journal_head SET sequence = {kept},
                 moment = (SELECT moment FROM journal WHERE sequence = {kept}),
                 hash = (SELECT hash FROM journal WHERE sequence = {kept});"
        ));
        let gone = async || {
            let reply = app.get(&format!("/v1/changes?after={end}")).send().await;
            assert_eq!(reply.status, StatusCode::GONE, "{}", reply.text());
            assert!(reply.json()["type"].as_str().unwrap().ends_with("/cursor-gone"));
        };
        gone().await;
        for _ in 0..4 {
            app.alderman().await;
        }
        gone().await;
        follow(&app, None, Some(start), 1000).await;
        // The cursor that release 0.2 gave for entry 12, and one that was sealed with another key.
        for cursor in ["czEy", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
            let reply = app.get(&format!("/v1/changes?after={cursor}")).send().await;
            assert_eq!(reply.status, StatusCode::GONE, "{}", reply.text());
        }
    }

    async fn who_waits_is_told_as_soon_as_something_changes(app: TestApp) {
        let (_, end) = follow(&app, None, None, 1000).await;
        let path = format!("/v1/changes?after={end}&wait=20");
        let waiting = actix_web::rt::spawn({
            let (app, path) = (app.clone(), path.clone());
            async move { app.get(&path).send().await }
        });
        app.draft(draft_of("rozenburg")).await;
        actix_web::rt::time::sleep(std::time::Duration::from_millis(100)).await;
        assert!(!waiting.is_finished(), "a draft is nothing to tell the public of");
        let holder = app.alderman().await;
        let page = waiting.await.unwrap().json();
        assert_eq!(page["items"][0]["id"], json!(holder));
        assert_eq!(page["items"].as_array().unwrap().len(), 1);
        // What is there already is not waited for.
        assert_eq!(app.get(&path).send().await.json(), page);
    }

    async fn who_waits_is_told_of_what_another_process_wrote(app: TestApp) {
        let (_, end) = follow(&app, None, None, 1000).await;
        let waiting = actix_web::rt::spawn({
            let (app, path) = (app.clone(), format!("/v1/changes?after={end}&wait=20"));
            async move { app.get(&path).send().await }
        });
        let holder = app.restarted().await.alderman().await;
        assert_eq!(waiting.await.unwrap().json()["items"][0]["id"], json!(holder));
    }

    async fn who_waits_in_vain_gets_an_empty_page(app: TestApp) {
        let (_, end) = follow(&app, None, None, 1000).await;
        let page = app.get(&format!("/v1/changes?after={end}&wait=1")).send().await.json();
        assert_eq!(page, json!({"items": [], "next": end, "more": false}));
        for wait in ["-1", "31", "1.5", "x"] {
            let reply = app.get(&format!("/v1/changes?wait={wait}")).send().await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{wait}");
        }
    }

    async fn the_history_tells_who_did_what_when_and_why(app: TestApp) {
        let id = app.received("rozenburg", "2026-10-01").await;
        app.on_day("2026-11-24");
        app.record(&id, "withdrawal", json!({"on": "2026-10-05", "reason": "achterhaald"})).await;
        let entries = history(&app, &id).await;
        let events: Vec<&str> = entries.iter().map(|entry| entry["event"].as_str().unwrap()).collect();
        assert_eq!(events, ["draft", "adoption", "submission", "receipt", "withdrawal"]);
        for (version, entry) in (1..).zip(&entries) {
            assert_eq!(json!([entry["version"], entry["item"]["version"]]), json!([version, version]));
            assert_eq!(entry["moment"], entry["item"]["modifiedAt"]);
            assert!(entry["actor"].as_str().unwrap().starts_with("test "), "{entry}");
            assert_eq!(entry["hash"].as_str().unwrap().len(), 64);
        }
        assert_eq!(entries[0]["item"]["status"], "draft");
        assert_eq!(entries[3]["item"]["status"], "received");
        assert_eq!(entries[3]["reason"], Value::Null);
        assert_eq!(entries[4]["reason"], "achterhaald");
        assert!(entries[4]["moment"].as_str().unwrap().starts_with("2026-11-24T11:00:00"));
        let sequences: Vec<i64> = entries.iter().map(|entry| entry["sequence"].as_i64().unwrap()).collect();
        assert!(sequences.windows(2).all(|pair| pair[0] < pair[1]), "{sequences:?}");
    }

    async fn the_history_needs_audit_read_and_comes_in_pages(app: TestApp) {
        let id = published(&app, "rozenburg").await;
        let path = format!("/v1/advice/{id}/history");
        assert_eq!(app.get(&path).send().await.status, StatusCode::UNAUTHORIZED);
        let council = app.token("internal:read advice:write", &["*"], &["*"]);
        let refused = app.get(&path).token(&council).send().await;
        assert_eq!(
            (refused.status, refused.problem()),
            (StatusCode::FORBIDDEN, "insufficient-scope".to_owned())
        );
        let audit = app.token("audit:read", &[], &[]);
        let unknown =
            app.get("/v1/advice/01999999-0000-7000-8000-000000000001/history").token(&audit).send().await;
        assert_eq!(unknown.status, StatusCode::NOT_FOUND);
        let (mut events, mut next) = (Vec::new(), Some(format!("{path}?limit=2")));
        while let Some(path) = next {
            let page = app.get(&path).token(&audit).send().await.json();
            let items = page["items"].as_array().unwrap();
            assert!(items.len() <= 2);
            events.extend(items.iter().map(|entry| entry["event"].as_str().unwrap().to_owned()));
            next = page["next"].as_str().map(|next| next.trim_start_matches("https://api.test").to_owned());
        }
        assert_eq!(events, ["draft", "adoption", "submission", "receipt", "publication"]);
    }

    async fn a_deleted_draft_keeps_its_history(app: TestApp) {
        let id = app.draft(draft_of("rozenburg")).await;
        let etag = app.etag(&id).await;
        let delete =
            app.ask(Method::DELETE, &format!("/v1/advice/{id}")).token(&app.almighty()).if_match(&etag);
        assert_eq!(delete.send().await.status, StatusCode::NO_CONTENT);
        let entries = history(&app, &id).await;
        assert_eq!(entries[1]["event"], "deletion");
        assert_eq!(problems(&app), Vec::<String>::new());
    }

    async fn the_check_finds_the_chain_whole(app: TestApp) {
        a_busy_week(&app, async || {}).await;
        let report = app.store.read::<_, StoreError>(check::all).unwrap();
        assert_eq!(report.problems, Vec::<String>::new());
        assert_eq!(report.entries, head(&app).0);
        assert!(report.rows > 11, "{}", report.rows);
    }

    async fn the_check_says_where_the_chain_was_broken(app: TestApp) {
        let id = app.received("rozenburg", "2026-10-01").await;
        app.received("pernis", "2026-10-01").await;
        let receipt =
            entries(&app).into_iter().find(|entry| entry.item == id && entry.event == "receipt").unwrap();
        let (at, last) = (receipt.sequence, head(&app).0);

        tamper(&app, &format!("UPDATE journal SET actor = 'nobody' WHERE sequence = {at}"));
        assert_eq!(problems(&app), [format!("entry {at} (advice {id}) was changed after it was written")]);
        tamper(&app, &format!("UPDATE journal SET actor = '{}' WHERE sequence = {at}", receipt.actor));
        assert_eq!(problems(&app), Vec::<String>::new());

        tamper(&app, &format!("UPDATE journal SET hash = 'f00' WHERE sequence = {at}"));
        assert_eq!(problems(&app), [format!("entry {at} (advice {id}) was changed after it was written")]);
        tamper(&app, &format!("UPDATE journal SET hash = '{}' WHERE sequence = {at}", receipt.hash));

        tamper(&app, &format!("UPDATE journal SET previous_hash = '' WHERE sequence = {at}"));
        assert_eq!(
            problems(&app),
            [format!("entry {at} does not follow entry {}: the hashes differ", at - 1)]
        );
        let before = &receipt.previous_hash;
        tamper(&app, &format!("UPDATE journal SET previous_hash = '{before}' WHERE sequence = {at}"));
        assert_eq!(problems(&app), Vec::<String>::new());

        tamper(&app, &format!("DELETE FROM journal WHERE sequence = {last}"));
        let cut = problems(&app);
        assert!(
            cut.contains(&format!("the journal ends at entry {}, but its head says {last}", last - 1)),
            "{cut:?}"
        );
        tamper(&app, &format!("DELETE FROM journal WHERE sequence = {at}"));
        let missing = problems(&app);
        assert!(
            missing.contains(&format!("entry {at} is missing; entry {} follows {}", at + 1, at - 1)),
            "{missing:?}"
        );
    }

    async fn the_check_finds_a_row_that_is_not_what_the_journal_says(app: TestApp) {
        let id = app.received("rozenburg", "2026-10-01").await;
        tamper(
            &app,
            &format!(
                "UPDATE advice SET snapshot = replace(snapshot, 'zebrapad', 'bankje') WHERE id = '{id}'"
            ),
        );
        assert_eq!(problems(&app), [format!("advice {id} is not what its last entry in the journal says")]);
        tamper(
            &app,
            &format!(
                "UPDATE advice SET snapshot = replace(snapshot, 'bankje', 'zebrapad') WHERE id = '{id}'"
            ),
        );
        tamper(&app, &format!("INSERT INTO audience (item, audience_key) VALUES ('{id}', 'public')"));
        assert_eq!(problems(&app), [format!("who may see advice {id} is not what the advice itself says")]);
        // The key in the row opens nothing: the record decides too.
        assert_eq!(app.get(&format!("/v1/advice/{id}")).send().await.status, StatusCode::NOT_FOUND);
        assert_eq!(app.get("/v1/advice").send().await.json()["items"], json!([]));
    }

    async fn moments_go_on_when_the_clock_is_set_back(app: TestApp) {
        let id = app.received("rozenburg", "2026-10-01").await;
        let (_, before) = head(&app);
        app.on_day("2026-11-20");
        app.record(&id, "treatment", json!({"on": "2026-10-02"})).await;
        let other = app.draft(draft_of("pernis")).await;
        let moments: Vec<i64> = entries(&app).iter().map(|entry| entry.moment).collect();
        assert!(moments.windows(2).all(|pair| pair[0] < pair[1]));
        let (_, after) = head(&app);
        assert_eq!(after - before, Duration::microseconds(2));
        let made = app.get(&format!("/v1/advice/{other}")).token(&app.almighty()).send().await.json();
        assert_eq!(made["modifiedAt"].as_str().unwrap().parse::<DateTime<Utc>>().unwrap(), after);
        let since = after.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string();
        let changed = changed_since(&app, Some(&app.almighty()), &since, 10).await;
        assert_eq!(changed.len(), 1);
        assert_eq!(changed[0]["id"], json!(other));
        assert_eq!(problems(&app), Vec::<String>::new());
    }

    async fn modified_since_gives_what_changed_and_what_is_gone(app: TestApp) {
        let kept = published(&app, "rozenburg").await;
        let changed = published(&app, "rozenburg").await;
        let gone = published(&app, "pernis").await;
        let also_gone = published(&app, "pernis").await;
        app.on_day("2026-11-24");
        change_themes(&app, &changed, "mobility").await;
        for id in [&gone, &also_gone] {
            app.record(id, "unpublication", json!({"reason": "bevat een naam"})).await;
        }
        app.draft(draft_of("rozenburg")).await;
        app.received("rozenburg", "2026-10-01").await;
        for limit in [1, 2, 3, 100] {
            let items = changed_since(&app, None, "2026-11-24T00:00:00Z", limit).await;
            let seen: Vec<(&str, bool)> = items
                .iter()
                .map(|item| (item["id"].as_str().unwrap(), item["deleted"] == json!(true)))
                .collect();
            assert_eq!(
                seen,
                [(changed.as_str(), false), (gone.as_str(), true), (also_gone.as_str(), true)],
                "limit {limit}"
            );
            assert_eq!(items[1].as_object().unwrap().len(), 3);
            assert!(items[1]["modifiedAt"].as_str().unwrap().starts_with("2026-11-24T11:00:00"));
        }
        assert_eq!(changed_since(&app, None, "2026-11-25T00:00:00Z", 100).await, Vec::<Value>::new());
        let without = app.get("/v1/advice").send().await.json();
        let ids: Vec<&str> =
            without["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
        assert_eq!(ids, [kept.as_str(), changed.as_str()]);
        // What came back is no tombstone any more.
        app.record(&gone, "publication", json!({})).await;
        let items = changed_since(&app, None, "2026-11-24T00:00:00Z", 100).await;
        let tombstones: Vec<&Value> =
            items.iter().filter(|item| item["deleted"] == json!(true)).map(|item| &item["id"]).collect();
        assert_eq!(tombstones, [&json!(also_gone)]);
    }

    async fn modified_since_tells_a_cluster_of_what_it_handed_on(app: TestApp) {
        let id = app.received("rozenburg", "2026-10-01").await;
        let (so, sb) =
            (app.token("treatment:write", &[], &["so"]), app.token("treatment:write", &[], &["sb"]));
        app.record(&id, "forwarding", json!({"on": "2026-10-05", "cluster": "sb"})).await;
        let since = "2026-11-23T00:00:00Z";
        let lost = changed_since(&app, Some(&so), since, 100).await;
        assert_eq!(json!([lost[0]["id"], lost[0]["deleted"]]), json!([id, true]));
        let got = changed_since(&app, Some(&sb), since, 100).await;
        assert_eq!(json!([got[0]["id"], got[0]["deleted"]]), json!([id, null]));
        assert_eq!(changed_since(&app, None, since, 100).await, Vec::<Value>::new());
    }

    async fn a_write_that_is_refused_leaves_no_entry(app: TestApp) {
        let id = app.received("rozenburg", "2026-10-01").await;
        let etag = app.etag(&id).await;
        let before =
            (head(&app), app.get(&format!("/v1/advice/{id}")).token(&app.almighty()).send().await.body);
        let post = |event: &str, body: Value| app.post(&format!("/v1/advice/{id}/{event}"), body);
        let token = app.almighty();
        let stranger = app.token("treatment:write", &[], &["sb"]);
        let body = json!({"on": "2026-10-02"});
        for (ask, status) in [
            (
                post("treatment", json!({"on": "2026-09-30"})).token(&token).if_match(&etag),
                StatusCode::BAD_REQUEST,
            ),
            (post("treatment", body.clone()), StatusCode::UNAUTHORIZED),
            (post("treatment", body.clone()).token(&stranger).if_match(&etag), StatusCode::NOT_FOUND),
            (post("treatment", body.clone()).token(&token), StatusCode::PRECONDITION_REQUIRED),
            (
                post("treatment", body.clone()).token(&token).if_match("\"1.2026-11-23.internal\""),
                StatusCode::PRECONDITION_FAILED,
            ),
            (post("closure", body.clone()).token(&token).if_match(&etag), StatusCode::CONFLICT),
            (app.post("/v1/advice", json!({})).token(&token), StatusCode::BAD_REQUEST),
        ] {
            let reply = ask.send().await;
            assert_eq!(reply.status, status, "{}", reply.text());
        }
        let after =
            (head(&app), app.get(&format!("/v1/advice/{id}")).token(&app.almighty()).send().await.body);
        assert_eq!(after, before);
    }

    async fn a_transaction_that_fails_halfway_leaves_neither_row_nor_entry(app: TestApp) {
        let id = app.received("rozenburg", "2026-10-01").await;
        let before = head(&app);
        let outcome = app.store.write::<(), StoreError>("test", app.clock.now().moment, |tx| {
            let all = domain::access::Scope::ALL.iter().map(|(scope, _, _)| *scope).collect();
            let caller = domain::access::Caller {
                subject: None,
                scopes: all,
                councils: domain::access::Grant::All,
                clusters: domain::access::Grant::All,
            };
            let persistence::advice::Found::Visible(stored, _) =
                persistence::advice::find(tx.reading(), id.parse().unwrap(), &caller)?
            else {
                panic!("it is there");
            };
            persistence::advice::save(tx, &stored.value, &stored, "change", None)?;
            Err(StoreError::Unavailable("the plug is pulled".to_owned()))
        });
        assert!(outcome.is_err());
        assert_eq!(head(&app), before);
        assert_eq!(problems(&app), Vec::<String>::new());
        assert_eq!(history(&app, &id).await.len(), 4);
    }
}

/// The resources that are kept whole and that the public may see, with the names of their lists.
const KEPT_WHOLE: [(&str, &str); 7] = [
    ("accord", "accords"),
    ("agreement", "agreements"),
    ("policy-track", "policy-tracks"),
    ("participation-plan", "participation-plans"),
    ("commitment", "commitments"),
    ("talk", "talks"),
    ("collegetarget", "collegetargets"),
];

/// One of each thing that can happen to what is kept whole; between them `meanwhile` may look.
async fn a_busy_year(app: &TestApp, mut meanwhile: impl AsyncFnMut()) {
    let advice = published(app, "rozenburg").await;
    let holder = app.alderman().await;
    let track = app.added("policy-tracks", track()).await;
    let accord = app.added("accords", accord_of("rozenburg")).await;
    let mut body = agreement_of(&accord, "1.1");
    body["advicePoint"] = json!({"advice": advice, "point": 1});
    body["policyTrack"] = json!(id_of(&track));
    let agreement = app.added("agreements", body).await;
    meanwhile().await;
    app.tell(&accord, "publication", json!({})).await;
    let mut carried = agreement_of(&app.added("accords", accord_of("pernis")).await, "2.1");
    carried["carriedOverFrom"] = json!(id_of(&agreement));
    let carried = app.add("agreements", carried).await;
    app.tell(&format!("/v1/accords/{}", carried["accord"].as_str().unwrap()), "publication", json!({})).await;
    app.tell(&agreement, "progress", json!({"state": "reported_done", "on": "2026-06-01"})).await;
    meanwhile().await;
    app.tell(&agreement, "judgements", json!({"colour": "orange", "realised": false, "on": "2026-07-01"}))
        .await;
    app.tell(&agreement, "watch", json!({"year": 2026, "on": "2026-11-01"})).await;
    let plan = app.added("participation-plans", plan_of(&track)).await;
    app.tell(&track, "councils", json!({"council": "rozenburg", "on": "2026-02-10", "role": "advisor"}))
        .await;
    app.tell(&plan, "adoption", json!({"adoptedOn": "2026-03-01"})).await;
    meanwhile().await;
    for item in [&track, &plan] {
        app.tell(item, "publication", json!({})).await;
        meanwhile().await;
    }
    let finding = json!({"council": "rozenburg", "promise": 1, "verdict": "kept", "on": "2026-10-01"});
    app.tell(&plan, "findings", finding).await;
    let mut motion = motion("24bb002121");
    motion["advice"] = json!([advice]);
    let motion = app.added("commitments", motion).await;
    app.tell(&motion, "steps", json!({"step": "proposed", "on": "2026-05-01"})).await;
    let target = app.added("collegetargets", target()).await;
    app.tell(&target, "measurements", measurement()).await;
    let talk = json!({"council": "rozenburg", "heldOn": "2026-10-01", "officeHolder": holder});
    let talk = app.added("talks", talk).await;
    app.tell(&talk, "publication", json!({})).await;
    app.added(
        "assignments",
        json!({"council": "rozenburg", "role": "coordinator", "position": "coordinator-07", "from": "2026-01-01"}),
    )
    .await;
    meanwhile().await;
    let reason = json!({"reason": "bevat een naam"});
    app.record(&advice, "unpublication", reason.clone()).await;
    meanwhile().await;
    for item in [&talk, &track, &accord] {
        app.tell(item, "unpublication", reason.clone()).await;
        meanwhile().await;
    }
    app.record(&advice, "publication", json!({})).await;
    meanwhile().await;
    for item in [&accord, &track] {
        app.tell(item, "publication", json!({})).await;
        meanwhile().await;
    }
}

on_both_databases! {
    async fn a_follower_holds_what_the_lists_give_of_what_is_kept_whole(app: TestApp) {
        let copy = std::cell::RefCell::new((Copy::new(), None::<String>));
        a_busy_year(&app, async || {
            let after = copy.borrow().1.clone();
            let (changes, next) = follow(&app, None, after, 3).await;
            let now = {
                let mut copy = copy.borrow_mut();
                apply(&mut copy.0, &changes);
                copy.1 = Some(next);
                copy.0.clone()
            };
            for (resource, list) in KEPT_WHOLE {
                assert_eq!(of_resource(&now, resource), listed(&app, list).await, "{resource}");
            }
        })
        .await;
        for limit in [1, 1000] {
            let mut copy = Copy::new();
            apply(&mut copy, &follow(&app, None, None, limit).await.0);
            for (resource, list) in KEPT_WHOLE {
                assert_eq!(of_resource(&copy, resource), listed(&app, list).await, "{resource}");
            }
            for (resource, list) in [("council", "councils"), ("obligation", "obligations")] {
                assert_eq!(of_resource(&copy, resource), listed(&app, list).await, "{resource}");
            }
            assert_eq!(of_resource(&copy, "assignment"), BTreeMap::new());
        }
        assert_eq!(listed(&app, "agreements").await.len(), 2);
        assert_eq!(problems(&app), Vec::<String>::new());
    }

    async fn the_check_finds_a_facet_or_a_reader_that_an_item_does_not_name(app: TestApp) {
        let accord = app.added("accords", accord_of("rozenburg")).await;
        let agreement = app.added("agreements", agreement_of(&accord, "1.1")).await;
        let id = id_of(&agreement);
        let facets = format!("the facets of agreement {id} are not what the item itself says");
        let audience = format!("who may see agreement {id} is not what the item itself says");
        for (damage, repair, problem) in [
            (
                format!(
                    "UPDATE dossier_facet SET value = 'realised' WHERE dossier = '{id}' AND facet = 'state'"
                ),
                format!(
                    "UPDATE dossier_facet SET value = 'planned' WHERE dossier = '{id}' AND facet = 'state'"
                ),
                &facets,
            ),
            (
                format!(
                    "INSERT INTO dossier_facet (dossier, facet, value) VALUES ('{id}', 'theme', 'mobility')"
                ),
                format!("DELETE FROM dossier_facet WHERE dossier = '{id}' AND facet = 'theme'"),
                &facets,
            ),
            (
                format!("INSERT INTO audience (item, audience_key) VALUES ('{id}', 'public')"),
                format!("DELETE FROM audience WHERE item = '{id}' AND audience_key = 'public'"),
                &audience,
            ),
            (
                format!(
                    "UPDATE audience SET audience_key = 'plan-council:pernis' WHERE item = '{id}' AND audience_key = 'plan-council:rozenburg'"
                ),
                format!(
                    "UPDATE audience SET audience_key = 'plan-council:rozenburg' WHERE item = '{id}' AND audience_key = 'plan-council:pernis'"
                ),
                &audience,
            ),
            (
                format!(
                    "UPDATE dossier SET snapshot = replace(snapshot, 'Zebrapad', 'Bankje') WHERE id = '{id}'"
                ),
                format!(
                    "UPDATE dossier SET snapshot = replace(snapshot, 'Bankje', 'Zebrapad') WHERE id = '{id}'"
                ),
                &format!("agreement {id} is not what its last entry in the journal says"),
            ),
        ] {
            tamper(&app, &damage);
            assert_eq!(problems(&app), Vec::from([problem.clone()]), "{damage}");
            tamper(&app, &repair);
            assert_eq!(problems(&app), Vec::<String>::new(), "{repair}");
        }
    }
}
