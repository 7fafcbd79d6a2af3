//! What was: the history of every item, items as known then, the journal as it is hashed, its daily roots, and the check from any
//! day on.

use std::collections::BTreeSet;

use actix_web::http::{Method, StatusCode};
use chrono::{DateTime, NaiveDate, Utc};
use diesel::connection::SimpleConnection;
use persistence::check::{self, Report, Wanted};
use persistence::journal::{self, Asked};
use persistence::{StoreError, Tx, roots};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::on_both_databases;
use crate::support::{
    PUBLIC_URL, Reply, TestApp, accord_of, agreement_of, draft_of, final_response, id_of, measurement,
    motion, plan_of, target, track,
};

const BUILT_IN_RULE: &str = "01434b29-bc00-7000-8000-000000000001";

fn auditor(app: &TestApp) -> String {
    app.token("audit:read", &[], &[])
}

/// Reads something as an auditor, and expects to get it.
async fn audited(app: &TestApp, path: &str) -> Reply {
    let reply = app.get(path).token(&auditor(app)).send().await;
    assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.text());
    reply
}

/// All pages of a list, as an auditor.
async fn pages(app: &TestApp, path: &str) -> Vec<Value> {
    let (mut items, mut next) = (Vec::new(), Some(path.to_owned()));
    while let Some(path) = next {
        let page = audited(app, &path).await.json();
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        next = page["next"].as_str().map(|next| next.trim_start_matches(PUBLIC_URL).to_owned());
    }
    items
}

/// Does to the database what nobody should: past the journal.
fn tamper(app: &TestApp, statements: &str) {
    let by_hand = |tx: &mut Tx<'_>| tx.reading().batch_execute(statements).map_err(StoreError::from);
    app.store.write::<_, StoreError>("somebody", app.clock.now().moment, by_hand).unwrap();
}

fn checked(app: &TestApp, wanted: &Wanted) -> Report {
    app.store.read::<_, StoreError>(|connection| check::from(connection, wanted)).unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn from(text: &str) -> Wanted {
    Wanted { from_day: Some(day(text)), roots: Vec::new() }
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

async fn read_roots(app: &TestApp) -> Vec<(String, String)> {
    let reply = app.get("/v1/journal-roots").send().await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let page = reply.json();
    page["items"].as_array().unwrap().iter().map(|root| (text(&root["day"]), text(&root["hash"]))).collect()
}

/// One of everything that stands in the journal, changed on the days after; the addresses.
async fn one_of_everything(app: &TestApp) -> Vec<String> {
    let holder = app.alderman().await;
    let request = app
        .added(
            "advice-requests",
            json!({"subject": "Mobiliteit", "cluster": "so", "councils": ["rozenburg", "pernis"], "askedOn": "2026-09-01"}),
        )
        .await;
    let track = app.added("policy-tracks", track()).await;
    let accord = app.added("accords", accord_of("rozenburg")).await;
    let mut agreed = agreement_of(&accord, "1.1");
    agreed["policyTrack"] = json!(id_of(&track));
    let agreement = app.added("agreements", agreed).await;
    let plan = app.added("participation-plans", plan_of(&track)).await;
    let commitment = app.added("commitments", motion("24bb002121")).await;
    let target = app.added("collegetargets", target()).await;
    let talk = json!({"council": "rozenburg", "heldOn": "2026-10-01", "officeHolder": holder});
    let talk = app.added("talks", talk).await;
    let assignment = json!({"council": "rozenburg", "role": "coordinator", "position": "coordinator-07", "from": "2026-01-01"});
    let assignment = app.added("assignments", assignment).await;
    let advice = app.received("rozenburg", "2026-10-01").await;

    app.on_day("2026-11-24");
    let mut draft = draft_of("pernis");
    draft["request"] = json!(id_of(&request));
    draft["secondRoundOf"] = json!(advice);
    let second = app.draft(draft).await;
    let adoption = json!({"meetingOn": "2026-11-24", "quorum": true, "votesFor": 7, "votesAgainst": 0});
    app.record(&second, "adoption", adoption).await;
    app.record(&second, "submission", json!({"submittedOn": "2026-11-24"})).await;
    app.tell(&request, "refusals", json!({"council": "rozenburg", "on": "2026-11-24"})).await;
    app.record(&advice, "responses", final_response("2026-11-20")).await;
    app.tell(&track, "councils", json!({"council": "rozenburg", "on": "2026-02-10", "role": "advisor"}))
        .await;
    app.tell(&agreement, "progress", json!({"state": "reported_done", "on": "2026-06-01"})).await;
    app.tell(&target, "measurements", measurement()).await;
    app.tell(&talk, "lessons", json!({"text": "Eerder bellen", "owner": "wijkmanager"})).await;

    app.on_day("2026-11-25");
    let token = app.almighty();
    let obligation = "/v1/obligations/participation-plan".to_owned();
    let later = app.patched(&token, &obligation, json!({"from": "2027-01-01"})).await;
    assert_eq!(later.status, StatusCode::OK, "{}", later.text());
    for (item, patch) in [
        (&accord, json!({"vision": "Groen"})),
        (&agreement, json!({"title": "Breder zebrapad"})),
        (&track, json!({"title": "Mobiliteit"})),
        (&plan, json!({"tailoring": []})),
        (&commitment, json!({"expectedOn": "2027-01-01"})),
        (&target, json!({"status": "adopted"})),
        (&talk, json!({"heldOn": "2026-10-02"})),
        (&assignment, json!({"to": "2026-12-31"})),
    ] {
        let reply = app.patched(&token, item, patch).await;
        assert_eq!(reply.status, StatusCode::OK, "{item}: {}", reply.text());
    }
    let rule = format!("/v1/term-rules/{BUILT_IN_RULE}");
    let ended = app.patched(&token, &rule, json!({"validTo": "2199-12-31"})).await;
    assert_eq!(ended.status, StatusCode::OK, "{}", ended.text());
    let mut items = vec![
        format!("/v1/advice/{advice}"),
        format!("/v1/advice/{second}"),
        format!("/v1/office-holders/{holder}"),
        rule,
        obligation,
    ];
    items.extend([request, track, accord, agreement, plan, commitment, target, talk, assignment]);
    let codes = [
        "councils/rozenburg",
        "areas/charlois",
        "neighbourhoods/BU05990110",
        "clusters/so",
        "themes/mobility",
        "terms-of-office/2022-2026",
    ];
    items.extend(codes.map(|code| format!("/v1/{code}")));
    items
}

on_both_databases! {
    async fn each_entry_of_a_history_is_the_item_as_it_was_known_then(app: TestApp) {
        let items = one_of_everything(&app).await;
        let last = pages(&app, "/v1/journal").await.pop().unwrap()["moment"].as_str().unwrap().to_owned();
        let mut lists = BTreeSet::new();
        for item in &items {
            let entries = pages(&app, &format!("{item}/history?limit=2")).await;
            assert_eq!(entries, pages(&app, &format!("{item}/history")).await);
            lists.insert(item.split('/').nth(2).unwrap().to_owned());
            for (version, entry) in (1..).zip(&entries) {
                assert_eq!(
                    json!([entry["version"], entry["item"]["version"], entry["item"]["modifiedAt"]]),
                    json!([version, version, entry["moment"]]),
                    "{item}"
                );
                let then = format!("{item}?knownAt={}", entry["moment"].as_str().unwrap());
                assert_eq!(audited(&app, &then).await.json(), entry["item"], "{then}");
            }
            let first = entries[0]["moment"].as_str().unwrap();
            let before = at(first) - chrono::Duration::microseconds(1);
            let before = before.format("%Y-%m-%dT%H:%M:%S%.6fZ");
            let unborn = app.get(&format!("{item}?knownAt={before}")).token(&auditor(&app)).send().await;
            assert_eq!(unborn.status, StatusCode::NOT_FOUND, "{item}");
            // What was known last is what stands there now.
            let now = app.whole(item).await.json();
            let known = audited(&app, &format!("{item}?knownAt={last}")).await.json();
            assert_eq!(known, now, "{item}");
        }
        // Every list whose items stand in the journal is among them.
        let document = api::openapi::document().unwrap();
        let with_history: BTreeSet<String> = document["paths"]
            .as_object()
            .unwrap()
            .keys()
            .filter_map(|path| path.strip_suffix("/history"))
            .map(|path| path.split('/').nth(1).unwrap().to_owned())
            .collect();
        assert_eq!(lists, with_history);
        assert_eq!(with_history.len(), 19);
    }

    async fn the_response_being_written_has_a_history_of_its_own(app: TestApp) {
        let id = app.received("rozenburg", "2026-10-01").await;
        let path = format!("/v1/advice/{id}/response-draft");
        let none = app.get(&format!("{path}/history")).token(&auditor(&app)).send().await;
        assert_eq!(none.status, StatusCode::NOT_FOUND);
        let first = app.ask(Method::PUT, &path).json(json!({"text": "Geachte raad"}));
        let first = first.token(&app.almighty()).send().await;
        assert_eq!(first.status, StatusCode::CREATED, "{}", first.text());
        app.on_day("2026-11-24");
        let second = app.ask(Method::PUT, &path).json(json!({"text": "Beste raad"}));
        let second = second.token(&app.almighty()).if_match(&first.header("etag")).send().await;
        assert_eq!(second.status, StatusCode::OK, "{}", second.text());
        let entries = pages(&app, &format!("{path}/history?limit=1")).await;
        let items: Vec<&Value> = entries.iter().map(|entry| &entry["item"]).collect();
        assert_eq!(items, [&first.json(), &second.json()]);
        // The history of the advice does not tell that a draft exists.
        assert_eq!(pages(&app, &format!("/v1/advice/{id}/history")).await.len(), 4);
    }

    async fn only_an_auditor_learns_what_was(app: TestApp) {
        let items = one_of_everything(&app).await;
        let insider = app.token(
            "internal:read advice:write treatment:write responses:write plans:write registry:write publish",
            &["*"],
            &["*"],
        );
        let mut asked: Vec<String> = vec!["/v1/journal".to_owned()];
        for item in &items {
            asked.push(format!("{item}/history"));
            asked.push(format!("{item}?knownAt=2026-11-25T11:00:00Z"));
            // The scope is asked for before the query and the path are looked at.
            asked.push(format!("{item}?knownAt=nonsense"));
        }
        for path in &asked {
            let nobody = app.get(path).send().await;
            assert_eq!(nobody.status, StatusCode::UNAUTHORIZED, "{path}");
            assert!(nobody.header("www-authenticate").starts_with("Bearer realm="), "{path}");
            let refused = app.get(path).token(&insider).send().await;
            assert_eq!(
                (refused.status, refused.problem().as_str()),
                (StatusCode::FORBIDDEN, "insufficient-scope"),
                "{path}: {}",
                refused.text()
            );
            let challenge = refused.header("www-authenticate");
            assert!(challenge.contains("error=\"insufficient_scope\", scope=\"audit:read\""), "{challenge}");
        }
        for item in items.iter().filter(|item| item.contains("/assignments/") || item.contains("/advice-requests/")) {
            let now = app.get(item).token(&auditor(&app)).send().await;
            assert_eq!(now.status, StatusCode::FORBIDDEN, "{item} now takes a scope of its own");
        }
    }

    async fn an_item_as_known_then_is_no_version_that_a_change_could_name(app: TestApp) {
        let id = app.received("rozenburg", "2026-10-01").await;
        let item = format!("/v1/advice/{id}");
        let history = pages(&app, &format!("{item}/history")).await;
        let drafted = history[0]["moment"].as_str().unwrap().replace('Z', "%2B00:00");
        let then = audited(&app, &format!("{item}?knownAt={drafted}")).await;
        assert_eq!(
            (then.header("etag"), then.header("cache-control")),
            (String::new(), "no-store".to_owned())
        );
        assert_eq!(then.json()["status"], "draft", "it was adopted a microsecond later");
        let late = app.get(&format!("{item}?knownAt=2026-11-23T11:00:01Z")).token(&auditor(&app)).send().await;
        assert_eq!(late.faults(), [("knownAt".to_owned(), "date.future".to_owned())]);
        let strange = app.get(&format!("{item}?knownAt=gisteren")).token(&auditor(&app)).send().await;
        assert_eq!(strange.faults(), [("knownAt".to_owned(), "date_time.format".to_owned())]);
        let page = app.get(&format!("{item}?knownAt=2026-11-23T11:00:00Z")).token(&auditor(&app));
        assert_eq!(page.header("accept", "text/html").send().await.status, StatusCode::NOT_ACCEPTABLE);

        app.on_day("2026-12-24");
        app.record(&id, "publication", json!({})).await;
        app.record(&id, "unpublication", json!({"reason": "bevat een naam"})).await;
        let known = |more: &str| format!("{item}?knownAt=2026-12-24T11:00:00Z{more}");
        let gone = app.get(&item).send().await;
        assert_eq!(gone.status, StatusCode::GONE);
        let (today, earlier) = (audited(&app, &known("")).await.json(), audited(&app, &known("&on=2026-11-01")).await.json());
        assert_eq!(json!([today["term"]["on"], today["term"]["state"]]), json!(["2026-12-24", "very_late"]));
        assert_eq!(json!([earlier["term"]["on"], earlier["term"]["state"]]), json!(["2026-11-01", "running"]));
    }

    async fn what_was_merged_or_deleted_was_known_to_be(app: TestApp) {
        let (from, into) = (app.received("rozenburg", "2026-10-01").await, app.received("pernis", "2026-10-01").await);
        app.record(&from, "merge", json!({"into": into, "on": "2026-10-05"})).await;
        let draft = app.draft(draft_of("rozenburg")).await;
        let etag = app.etag(&draft).await;
        let delete = app.ask(Method::DELETE, &format!("/v1/advice/{draft}")).token(&app.almighty());
        assert_eq!(delete.if_match(&etag).send().await.status, StatusCode::NO_CONTENT);
        let history = pages(&app, &format!("/v1/advice/{draft}/history")).await;
        assert_eq!(history[1]["event"], "deletion");
        let moment = |entry: &Value| entry["moment"].as_str().unwrap().to_owned();
        let (there, gone) = (moment(&history[0]), moment(&history[1]));
        audited(&app, &format!("/v1/advice/{draft}?knownAt={there}")).await;
        let deleted = app.get(&format!("/v1/advice/{draft}?knownAt={gone}")).token(&auditor(&app)).send().await;
        assert_eq!(deleted.status, StatusCode::NOT_FOUND);
        let merged = audited(&app, &format!("/v1/advice/{from}?knownAt={gone}")).await.json();
        assert_eq!(merged["merge"]["into"], json!(into));
    }

    async fn an_erased_name_is_erased_from_history_too(app: TestApp) {
        let holder = app.alderman().await;
        let path = format!("/v1/office-holders/{holder}/history");
        assert_eq!(pages(&app, &path).await[0]["item"]["name"], "A. Voorbeeld");
        assert!(!audited(&app, "/v1/journal?resource=office-holder").await.text().contains("Voorbeeld"));
        tamper(&app, &format!("DELETE FROM person_name WHERE person = '{holder}'"));
        let app = app.restarted().await;
        assert_eq!(pages(&app, &path).await[0]["item"]["name"], Value::Null);
        assert_eq!(app.problems(), Vec::<String>::new());
    }

    async fn what_never_was_has_no_history(app: TestApp) {
        for path in [
            "/v1/advice/01999999-0000-7000-8000-000000000001/history",
            "/v1/accords/01999999-0000-7000-8000-000000000001/history",
            "/v1/areas/atlantis/history",
            "/v1/areas/%00/history",
            "/v1/councils/atlantis/history",
            "/v1/areas/atlantis?knownAt=2026-11-23T11:00:00Z",
            "/v1/areas/%01?knownAt=2026-11-23T11:00:00Z",
        ] {
            let reply = app.get(path).token(&auditor(&app)).send().await;
            assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path}: {}", reply.text());
        }
        for path in ["/v1/councils/Rozenburg%20/history", "/v1/accords/1/history", "/v1/areas/charlois/history?on=2026-01-01"] {
            let reply = app.get(path).token(&auditor(&app)).send().await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{path}: {}", reply.text());
        }
    }

    async fn somebody_else_can_recompute_the_journal(app: TestApp) {
        one_of_everything(&app).await;
        app.on_day("2026-11-26");
        let entries = pages(&app, "/v1/journal?limit=7").await;
        assert_eq!(entries, pages(&app, "/v1/journal?limit=1000").await);
        let (mut before, mut last_of_day) = (String::new(), std::collections::BTreeMap::new());
        for (sequence, entry) in (1..).zip(&entries) {
            let fields = [
                "sequence", "microseconds", "actor", "reason", "resource", "item", "version", "event", "snapshot",
                "audienceBefore", "audienceAfter", "seenFrom", "previousHash",
            ];
            let hashed: Vec<&Value> = fields.iter().map(|field| &entry[*field]).collect();
            let digest = Sha256::digest(serde_json::to_string(&hashed).unwrap().as_bytes());
            let hash: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(entry["hash"], json!(hash), "entry {sequence}");
            assert_eq!((&entry["sequence"], &entry["previousHash"]), (&json!(sequence), &json!(before)));
            assert_eq!(at(entry["moment"].as_str().unwrap()).timestamp_micros(), entry["microseconds"]);
            let on = entry["moment"].as_str().unwrap()[..10].to_owned();
            last_of_day.insert(on, hash.clone());
            before = hash;
        }
        let expected: Vec<(String, String)> = last_of_day.into_iter().collect();
        assert_eq!(read_roots(&app).await, expected);
        assert_eq!(expected.len(), 3);
    }

    async fn the_journal_is_asked_by_item_actor_and_day(app: TestApp) {
        let items = one_of_everything(&app).await;
        let accord = items.iter().find(|item| item.contains("/accords/")).unwrap();
        let of = |filter: String| {
            let app = app.clone();
            async move { pages(&app, &format!("/v1/journal?limit=3&{filter}")).await }
        };
        let all = of(String::new()).await;
        let count = |keep: &dyn Fn(&Value) -> bool| all.iter().filter(|entry| keep(entry)).count();
        let accords = of("resource=accord".to_owned()).await;
        assert_eq!((accords.len(), &accords[0]["item"]), (2, &json!(id_of(accord))));
        assert_eq!(of(format!("item={}", id_of(accord))).await, accords);
        let rozenburg = of("item=rozenburg".to_owned()).await;
        assert_eq!(rozenburg.len(), count(&|entry| entry["item"] == "rozenburg"));
        let seeded = of("actor=wijkaanzet".to_owned()).await;
        assert_eq!(seeded.len(), count(&|entry| entry["actor"] == "wijkaanzet"));
        assert!(seeded.len() > 100);
        let second = of("from=2026-11-24&to=2026-11-24".to_owned()).await;
        assert_eq!(
            second.len(),
            count(&|entry| entry["moment"].as_str().unwrap().starts_with("2026-11-24"))
        );
        let last = all.len() - 1;
        assert_eq!(of(format!("after={last}")).await, all[last..]);
        assert_eq!(of(format!("after={}", last + 1)).await, Vec::<Value>::new());
        for (query, fault) in [
            ("resource=unicorn", ("resource", "unknown")),
            ("from=2026-11-24&to=2026-11-23", ("to", "date.order")),
            ("from=1500-01-01", ("from", "date.range")),
            ("after=-1", ("after", "range")),
            ("cursor=e30", ("cursor", "cursor.foreign")),
            ("sort=actor", ("sort", "unknown")),
        ] {
            let reply = app.get(&format!("/v1/journal?{query}")).token(&auditor(&app)).send().await;
            assert_eq!(reply.faults(), [(fault.0.to_owned(), fault.1.to_owned())], "{query}");
        }
        // A page holds no more than it may, and always something.
        let page = |limit, most| {
            app.store
                .read::<_, StoreError>(|connection| journal::asked(connection, &Asked::default(), limit, most))
                .unwrap()
        };
        let (whole, more) = page(1000, i64::MAX);
        assert_eq!((whole.len(), more), (all.len(), false));
        let two = i64::try_from(whole[0].snapshot.len() + whole[1].snapshot.len()).unwrap();
        for (most, entries) in [(1, 1), (two - 1, 1), (two, 2)] {
            let (page, more) = page(1000, most);
            assert_eq!((page.len(), more), (entries, true), "{most}");
        }
        assert_eq!(page(5, i64::MAX).0.len(), 5);
    }

    async fn a_finished_day_has_a_root_that_stays(app: TestApp) {
        assert_eq!(read_roots(&app).await, []);
        let id = app.received("rozenburg", "2026-10-01").await;
        // Not before the day is over, and an hour later: the clocks of processes differ.
        for early in ["2026-11-23T22:59:59Z", "2026-11-23T23:59:59Z"] {
            app.clock.set(at(early));
            assert_eq!(read_roots(&app).await, [], "{early}");
        }
        app.clock.set(at("2026-11-24T00:00:00Z"));
        let told = read_roots(&app).await;
        assert_eq!((told.len(), told[0].0.as_str()), (1, "2026-11-23"));
        // The first entry of a later day writes it down; a clock set back after that changes nothing.
        app.on_day("2026-11-26");
        app.record(&id, "treatment", json!({"on": "2026-10-02"})).await;
        assert_eq!(read_roots(&app).await, told);
        app.on_day("2026-11-23");
        app.draft(draft_of("pernis")).await;
        assert_eq!(read_roots(&app).await, told);
        app.on_day("2026-11-28");
        let both = read_roots(&app).await;
        assert_eq!((both.len(), &both[0], both[1].0.as_str()), (2, &told[0], "2026-11-26"));
        assert_eq!(app.problems(), Vec::<String>::new());
    }

    async fn everybody_reads_the_roots_and_only_an_auditor_how_much_was_written(app: TestApp) {
        for (on, council) in [("2026-11-23", "rozenburg"), ("2026-11-24", "pernis"), ("2026-11-25", "hoogvliet")] {
            app.on_day(on);
            app.draft(draft_of(council)).await;
        }
        app.on_day("2026-11-27");
        let reply = app.get("/v1/journal-roots?limit=2").send().await;
        assert_eq!(reply.header("cache-control"), "public, max-age=0, must-revalidate");
        let page = reply.json();
        assert!(page["items"][0].get("sequence").is_none(), "{page}");
        assert_eq!(page["items"].as_array().unwrap().len(), 2);
        let rest = page["next"].as_str().unwrap().trim_start_matches(PUBLIC_URL);
        let rest = app.get(rest).send().await.json();
        assert_eq!(json!([rest["items"][0]["day"], rest["next"]]), json!(["2026-11-25", null]));
        let whole = audited(&app, "/v1/journal-roots").await.json();
        let entries = pages(&app, "/v1/journal").await;
        for root in whole["items"].as_array().unwrap() {
            let place = usize::try_from(root["sequence"].as_i64().unwrap() - 1).unwrap();
            assert_eq!(root["hash"], entries[place]["hash"]);
        }
        let some = app.get("/v1/journal-roots?from=2026-11-24&to=2026-11-24").send().await.json();
        assert_eq!(some["items"].as_array().unwrap().len(), 1);
        let none = app.get("/v1/journal-roots?from=2026-11-26").send().await.json();
        assert_eq!(none["items"], json!([]));
        let csv = app.get("/v1/journal-roots?format=csv").send().await.text();
        assert_eq!(csv.lines().next(), Some("day,hash,sequence"));
        assert!(csv.lines().nth(1).unwrap().starts_with("2026-11-23,") && csv.lines().nth(1).unwrap().ends_with(','));
        let wrong = app.get("/v1/journal-roots?from=2026-11-24&to=2026-11-23").send().await;
        assert_eq!(wrong.faults(), [("to".to_owned(), "date.order".to_owned())]);
    }

    async fn a_database_without_roots_gets_them_at_the_next_start(app: TestApp) {
        for on in ["2026-11-23", "2026-11-24", "2026-11-26", "2026-11-27", "2026-12-24"] {
            app.on_day(on);
            app.draft(draft_of("rozenburg")).await;
        }
        let expected = read_roots(&app).await;
        assert_eq!(expected.len(), 4);
        assert_eq!(roots::fill(&app.store, app.clock.now().moment).unwrap(), 0);
        // None at all, the first, the last, and some in the middle: as when an earlier release wrote to it meanwhile.
        for gone in ["1 = 1", "sequence = (SELECT min(sequence) FROM journal_root)",
            "sequence = (SELECT max(sequence) FROM journal_root)",
            "sequence NOT IN ((SELECT max(sequence) FROM journal_root), (SELECT min(sequence) FROM journal_root))"] {
            tamper(&app, &format!("DELETE FROM journal_root WHERE {gone}"));
            assert!(app.problems()[0].starts_with("the root of 2026-11-2"), "{:?}", app.problems());
            // Several processes start at once.
            let starting: Vec<_> = (0..3)
                .map(|_| {
                    let (store, now) = (app.store.clone(), app.clock.now().moment);
                    std::thread::spawn(move || roots::fill(&store, now))
                })
                .collect();
            for start in starting {
                start.join().unwrap().unwrap();
            }
            assert_eq!(read_roots(&app).await, expected, "{gone}");
            assert_eq!(app.problems(), Vec::<String>::new());
            assert_eq!(roots::fill(&app.store, app.clock.now().moment).unwrap(), 0);
        }
    }

    async fn a_database_of_the_release_before_gets_its_roots(app: TestApp) {
        for on in ["2026-11-23", "2026-11-24", "2026-11-26"] {
            app.on_day(on);
            app.draft(draft_of("rozenburg")).await;
        }
        let expected = read_roots(&app).await;
        tamper(
            &app,
            "DROP INDEX journal_actor;
             DROP TABLE journal_root;
             DELETE FROM __diesel_schema_migrations WHERE version = '20261124000002'",
        );
        let app = app.restarted().await;
        assert_eq!(roots::fill(&app.store, app.clock.now().moment).unwrap(), 2);
        assert_eq!((read_roots(&app).await, app.problems()), (expected, Vec::new()));
    }

    async fn the_check_begins_at_any_day(app: TestApp) {
        let old = app.received("rozenburg", "2026-10-01").await;
        let (first, _) = app.store.read::<_, StoreError>(journal::head).unwrap();
        app.on_day("2026-11-25");
        let young = app.draft(draft_of("pernis")).await;
        app.on_day("2026-11-27");
        let all = checked(&app, &Wanted::default());
        assert_eq!((all.entries, all.roots, all.left, all.after), (first + 1, 1, 0, None));
        // From the day before its only entry, that day, and any day between.
        for start in ["2026-11-24", "2026-11-25"] {
            let report = checked(&app, &from(start));
            assert_eq!(report.problems, Vec::<String>::new());
            assert_eq!((report.entries, report.rows, report.left), (1, 1, all.rows - 1), "{start}");
            assert_eq!(report.after.map(|root| (root.day, root.sequence)), Some((day("2026-11-23"), first)));
        }
        let whole = checked(&app, &from("2026-11-23"));
        assert_eq!((whole.entries, whole.after), (first + 1, None));
        let nothing = checked(&app, &from("2026-11-26"));
        assert_eq!((nothing.entries, nothing.rows, nothing.problems), (0, 0, Vec::new()));

        // What lies before the beginning is left alone, what lies after it is not.
        let spoil = |id: &str, from: &str, to: &str| {
            let set = format!("snapshot = replace(snapshot, '{from}', '{to}')");
            tamper(&app, &format!("UPDATE advice SET {set} WHERE id = '{id}'"));
        };
        spoil(&old, "zebrapad", "bankje");
        assert_eq!(checked(&app, &from("2026-11-25")).problems, Vec::<String>::new());
        assert_eq!(app.problems().len(), 1);
        spoil(&old, "bankje", "zebrapad");
        spoil(&young, "zebrapad", "bankje");
        let told = [format!("advice {young} is not what its last entry in the journal says")];
        assert_eq!(checked(&app, &from("2026-11-25")).problems, told);
        spoil(&young, "bankje", "zebrapad");
        let seed = "UPDATE journal SET actor = 'nobody' WHERE sequence = 1";
        tamper(&app, seed);
        assert_eq!(checked(&app, &from("2026-11-25")).problems, Vec::<String>::new());
        assert_eq!(app.problems().len(), 1);
        tamper(&app, "UPDATE journal SET actor = 'wijkaanzet' WHERE sequence = 1");
        // The entry of the root itself is looked at.
        tamper(&app, &format!("UPDATE journal SET event = 'nothing' WHERE sequence = {first}"));
        let told = checked(&app, &from("2026-11-25")).problems;
        assert_eq!(told, [format!("entry {first} (advice {old}) was changed after it was written")]);
        tamper(&app, &format!("UPDATE journal SET event = 'receipt' WHERE sequence = {first}"));
        tamper(&app, &format!("DELETE FROM journal WHERE sequence = {}", first + 1));
        let cut = checked(&app, &from("2026-11-25")).problems;
        assert!(cut[0].contains("but its head says"), "{cut:?}");
        assert!(cut.iter().any(|problem| problem.contains("has no entry in the journal")), "{cut:?}");
    }

    async fn the_check_holds_the_chain_against_each_root(app: TestApp) {
        for on in ["2026-11-23", "2026-11-24", "2026-11-25", "2026-11-26"] {
            app.on_day(on);
            app.draft(draft_of("rozenburg")).await;
        }
        let published = read_roots(&app).await;
        let noted = |place: usize| Wanted { from_day: None, roots: vec![(day(&published[place].0), published[place].1.clone())] };
        assert_eq!(app.problems(), Vec::<String>::new());
        for place in 0..published.len() {
            let report = checked(&app, &noted(place));
            assert_eq!((report.problems, report.roots), (Vec::new(), 4));
            let later = Wanted { from_day: Some(day("2026-11-25")), ..noted(place) };
            assert_eq!(checked(&app, &later).problems, Vec::<String>::new());
        }
        // A root that says otherwise, stored or noted.
        let (on, hash) = (&published[1].0, &published[1].1);
        let number = {
            let whole = audited(&app, "/v1/journal-roots").await.json();
            whole["items"][1]["sequence"].as_i64().unwrap()
        };
        tamper(&app, &format!("UPDATE journal_root SET hash = '{}' WHERE sequence = {number}", "0".repeat(64)));
        assert_eq!(app.problems(), [format!("the root of {on} is not the last entry of that day")]);
        assert_eq!(checked(&app, &from("2026-11-25")).problems, app.problems());
        tamper(&app, &format!("UPDATE journal_root SET hash = '{hash}' WHERE sequence = {number}"));
        let lie = Wanted { from_day: None, roots: vec![(day(on), "0".repeat(64)), (day("2026-11-22"), "1".repeat(64))] };
        assert_eq!(
            checked(&app, &lie).problems,
            [
                format!("the root of {on} is {hash}, but {} was noted", "0".repeat(64)),
                format!("the journal has no root of 2026-11-22, but {} was noted", "1".repeat(64)),
            ]
        );
        // One too many, and one too few.
        tamper(&app, &format!("UPDATE journal_root SET day = day + 100 WHERE sequence = {number}"));
        let told = app.problems();
        assert_eq!(told.len(), 2, "{told:?}");
        assert_eq!(told[0], format!("the root of {on} is missing"));
        assert!(told[1].ends_with("but no day ended there"), "{told:?}");
        tamper(&app, &format!("UPDATE journal_root SET day = day - 100 WHERE sequence = {number}"));

        // Somebody rewrites a day and the whole chain after it, roots and head included: nothing in the database tells, but a
        // root that was noted does.
        let mut before = String::new();
        let mut statements = String::new();
        for entry in app.store.read::<_, StoreError>(|connection| journal::after(connection, 0, 100_000)).unwrap() {
            let actor = if entry.sequence == number { "somebody else".to_owned() } else { entry.actor.clone() };
            let fields = json!([
                entry.sequence, entry.microseconds(), actor, entry.reason, entry.resource, entry.item, entry.version,
                entry.event, entry.snapshot, entry.audience_before, entry.audience_after, entry.seen_from, before
            ]);
            let digest = Sha256::digest(fields.to_string().as_bytes());
            let hash: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
            if hash != entry.hash {
                let sequence = entry.sequence;
                statements.push_str(&format!(
                    "UPDATE journal SET actor = '{actor}', previous_hash = '{before}', hash = '{hash}' WHERE sequence = {sequence};
                     UPDATE journal_root SET hash = '{hash}' WHERE sequence = {sequence};
                     UPDATE journal_head SET hash = '{hash}' WHERE sequence = {sequence};"
                ));
            }
            before = hash;
        }
        tamper(&app, &statements);
        assert_eq!(app.problems(), Vec::<String>::new());
        assert_eq!(checked(&app, &noted(0)).problems, Vec::<String>::new());
        for (place, (_, hash)) in published.iter().enumerate().skip(1) {
            let problems = checked(&app, &noted(place)).problems;
            assert_eq!(problems.len(), 1);
            assert!(problems[0].ends_with(&format!("but {hash} was noted")), "{problems:?}");
        }
    }

    async fn the_check_finds_a_hole_in_the_middle_and_a_cut_end(app: TestApp) {
        for on in ["2026-11-23", "2026-11-24", "2026-11-25"] {
            app.on_day(on);
            app.draft(draft_of("rozenburg")).await;
        }
        let (last, _) = app.store.read::<_, StoreError>(journal::head).unwrap();
        // The end cut off, and the head set to where it now ends.
        tamper(
            &app,
            &format!(
                "DELETE FROM journal WHERE sequence = {last};
                 UPDATE journal_head SET sequence = {before}, moment = (SELECT moment FROM journal WHERE sequence = {before}),
                    hash = (SELECT hash FROM journal WHERE sequence = {before})",
                before = last - 1
            ),
        );
        let told = app.problems();
        assert!(told.contains(&format!("a root of 2026-11-24 names entry {}, but no day ended there", last - 1)), "{told:?}");
        tamper(&app, "DELETE FROM journal WHERE sequence = 50");
        let told = app.problems();
        assert!(told.contains(&"entry 50 is missing; entry 51 follows 49".to_owned()), "{told:?}");
    }

    async fn the_check_makes_the_index_of_advice_again(app: TestApp) {
        let mut draft = draft_of("rozenburg");
        draft["themes"] = json!(["mobility"]);
        draft["references"] = json!([{"system": "ibabs-raad", "value": "26bb001234"}]);
        draft["councils"]["cosigners"] = json!([{"council": "hoogvliet"}]);
        let id = app.draft(draft).await;
        let adoption = json!({"meetingOn": "2026-10-01", "quorum": true, "votesFor": 7, "votesAgainst": 0});
        app.record(&id, "adoption", adoption).await;
        app.record(&id, "submission", json!({"submittedOn": "2026-10-01"})).await;
        app.record(&id, "receipt", json!({"receivedOn": "2026-10-01", "cluster": "so"})).await;
        app.record(&id, "publication", json!({})).await;
        assert_eq!(app.problems(), Vec::<String>::new());
        let of = |what: &str| format!("the {what} of advice {id} are not what the advice itself says");
        let own = format!("advice = '{id}'");
        for (damage, repair, problem) in [
            (
                format!("UPDATE advice SET status = 'answered' WHERE id = '{id}'"),
                format!("UPDATE advice SET status = 'received' WHERE id = '{id}'"),
                of("columns"),
            ),
            (
                format!("UPDATE advice SET received_day = received_day + 1 WHERE id = '{id}'"),
                format!("UPDATE advice SET received_day = received_day - 1 WHERE id = '{id}'"),
                of("columns"),
            ),
            (
                format!("UPDATE advice_council SET is_public = FALSE WHERE {own} AND council = 'rozenburg'"),
                format!("UPDATE advice_council SET is_public = TRUE WHERE {own} AND council = 'rozenburg'"),
                of("rows in advice_council"),
            ),
            (
                format!("INSERT INTO advice_council (advice, council, is_public, status) VALUES ('{id}', 'pernis', TRUE, 'received')"),
                format!("DELETE FROM advice_council WHERE {own} AND council = 'pernis'"),
                of("rows in advice_council"),
            ),
            (
                format!("UPDATE advice_theme SET theme = 'safety' WHERE {own}"),
                format!("UPDATE advice_theme SET theme = 'mobility' WHERE {own}"),
                of("rows in advice_theme"),
            ),
            (
                format!("UPDATE advice_reference SET value = '26bb001235' WHERE {own}"),
                format!("UPDATE advice_reference SET value = '26bb001234' WHERE {own}"),
                of("rows in advice_reference"),
            ),
            (
                format!("UPDATE advice_term SET due_day = due_day + 1 WHERE {own}"),
                format!("UPDATE advice_term SET due_day = due_day - 1 WHERE {own}"),
                of("rows in advice_term"),
            ),
        ] {
            tamper(&app, &damage);
            assert_eq!(app.problems(), [problem], "{damage}");
            tamper(&app, &repair);
            assert_eq!(app.problems(), Vec::<String>::new(), "{repair}");
        }
    }

    /// What changes something on record says why; the journal keeps it.
    async fn a_correction_says_why(app: TestApp) {
        let items = one_of_everything(&app).await;
        let of = |list: &str| items.iter().find(|item| item.contains(&format!("/{list}/"))).unwrap().clone();
        let (accord, talk) = (of("accords"), of("talks"));
        app.tell(&accord, "publication", json!({})).await;
        let advice = of("advice");
        for (item, patch) in [
            (advice, json!({"themes": ["mobility"]})),
            (accord, json!({"vision": "Blauw"})),
            (of("agreements"), json!({"title": "Smaller zebrapad"})),
            (of("policy-tracks"), json!({"title": "Vervoer"})),
            (of("commitments"), json!({"expectedOn": "2027-02-01"})),
            (of("collegetargets"), json!({"source": "Raadsbesluit"})),
            (talk, json!({"heldOn": "2026-10-03"})),
            (of("assignments"), json!({"to": "2027-01-31"})),
            (of("obligations"), json!({"from": "2027-02-01"})),
            (of("term-rules"), json!({"validTo": "2198-12-31"})),
        ] {
            let token = app.almighty();
            let etag = app.whole(&item).await.header("etag");
            let send = |patch: Value| app.ask(Method::PATCH, &item).patch(patch).token(&token).if_match(&etag).send();
            let silent = send(patch.clone()).await;
            assert_eq!(silent.status, StatusCode::BAD_REQUEST, "{item}");
            assert_eq!(silent.faults(), [("/reason".to_owned(), "required".to_owned())], "{item}");
            for empty in [json!(" "), json!(""), json!(null)] {
                let mut patch = patch.clone();
                patch["reason"] = empty;
                let reply = send(patch).await;
                assert_eq!((reply.status, reply.faults()[0].0.as_str()), (StatusCode::BAD_REQUEST, "/reason"), "{item}");
            }
            let mut because = patch.clone();
            because["reason"] = json!("verkeerd overgenomen");
            let reply = send(because).await;
            assert_eq!(reply.status, StatusCode::OK, "{item}: {}", reply.text());
            for (field, value) in patch.as_object().unwrap() {
                assert_eq!(reply.json()[field], *value, "{item}");
            }
            let last = pages(&app, &format!("{item}/history")).await.pop().unwrap();
            assert_eq!(last["reason"], "verkeerd overgenomen", "{item}");
        }
        assert_eq!(app.problems(), Vec::<String>::new());
    }

    async fn work_that_nobody_relies_on_needs_no_reason(app: TestApp) {
        let token = app.almighty();
        let draft = format!("/v1/advice/{}", app.draft(draft_of("rozenburg")).await);
        let accord = app.added("accords", accord_of("rozenburg")).await;
        let track = app.added("policy-tracks", track()).await;
        let plan = app.added("participation-plans", plan_of(&track)).await;
        let assignment = json!({"council": "rozenburg", "role": "coordinator", "position": "coordinator-07", "from": "2026-01-01"});
        let assignment = app.added("assignments", assignment).await;
        for (item, patch) in [
            (draft, json!({"subject": "Bankje"})),
            (accord, json!({"vision": "Groen"})),
            (plan, json!({"tailoring": []})),
            (assignment, json!({"to": "2026-12-31"})),
        ] {
            let etag = app.whole(&item).await.header("etag");
            let reply = app.ask(Method::PATCH, &item).patch(patch).token(&token).if_match(&etag).send().await;
            assert_eq!(reply.status, StatusCode::OK, "{item}: {}", reply.text());
        }
    }

    async fn who_names_a_rule_at_receipt_says_why(app: TestApp) {
        let id = app.draft(draft_of("rozenburg")).await;
        let adoption = json!({"meetingOn": "2026-10-01", "quorum": true, "votesFor": 7, "votesAgainst": 0});
        app.record(&id, "adoption", adoption).await;
        app.record(&id, "submission", json!({"submittedOn": "2026-10-01"})).await;
        let mut receipt = json!({"receivedOn": "2026-10-01", "cluster": "so", "rule": BUILT_IN_RULE});
        let etag = app.etag(&id).await;
        let path = format!("/v1/advice/{id}/receipt");
        let silent = app.post(&path, receipt.clone()).token(&app.almighty()).if_match(&etag).send().await;
        assert_eq!(silent.faults(), [("/reason".to_owned(), "required".to_owned())], "{}", silent.text());
        receipt["reason"] = json!("zo besloten");
        app.record(&id, "receipt", receipt).await;
        let last = pages(&app, &format!("/v1/advice/{id}/history")).await.pop().unwrap();
        assert_eq!(json!([last["event"], last["reason"]]), json!(["receipt", "zo besloten"]));
    }

    async fn an_assignment_to_the_wrong_council_is_corrected_at_both(app: TestApp) {
        let assignment = json!({"council": "rozenburg", "role": "coordinator", "position": "coordinator-07", "from": "2026-01-01"});
        let assignment = app.added("assignments", assignment).await;
        let roles = |council: &'static str| {
            let app = app.clone();
            async move {
                let council = app.get(&format!("/v1/councils/{council}")).send().await.json();
                council["assignments"].as_array().unwrap().len()
            }
        };
        assert_eq!((roles("rozenburg").await, roles("pernis").await), (1, 0));
        let moved = app.patched(&app.almighty(), &assignment, json!({"council": "pernis"})).await;
        assert_eq!(moved.status, StatusCode::OK, "{}", moved.text());
        assert_eq!((roles("rozenburg").await, roles("pernis").await), (0, 1));
        for council in ["rozenburg", "pernis"] {
            let last = pages(&app, &format!("/v1/councils/{council}/history")).await.pop().unwrap();
            assert_eq!(last["reason"], "verschreven", "{council}");
        }
        let unknown = app.patched(&app.almighty(), &assignment, json!({"council": "atlantis"})).await;
        assert_eq!(unknown.faults(), [("/council".to_owned(), "unknown".to_owned())]);
        let back = app.patched(&app.almighty(), &assignment, json!({"to": "2025-01-01"})).await;
        assert_eq!(back.faults(), [("/to".to_owned(), "date.order".to_owned())]);
        assert_eq!(app.problems(), Vec::<String>::new());
    }

    async fn a_day_of_information_recorded_too_early_is_corrected(app: TestApp) {
        let track = app.added("policy-tracks", track()).await;
        app.tell(&track, "phases", json!({"phase": "pre_phase", "startsOn": "2026-02-01"})).await;
        app.tell(&track, "phases", json!({"phase": "design", "startsOn": "2026-05-01"})).await;
        let told = json!({"council": "rozenburg", "on": "2026-02-10", "role": "informed"});
        let early = app.tell(&track, "councils", told).await;
        assert_eq!(early["councils"][0]["informedIn"], "pre_phase");
        let mut correction = json!({"council": "rozenburg", "on": "2026-06-01", "role": "informed", "corrects": "2026-02-10"});
        let silent = app.event(&app.almighty(), &track, "councils", correction.clone()).await;
        assert_eq!(silent.faults(), [("/reason".to_owned(), "required".to_owned())]);
        correction["reason"] = json!("verkeerde brief");
        let right = app.tell(&track, "councils", correction).await;
        assert_eq!(
            json!([right["councils"][0]["firstInformedOn"], right["councils"][0]["informedIn"]]),
            json!(["2026-06-01", "design"])
        );
        assert_eq!(right["informedHistory"].as_array().unwrap().len(), 2);
        let last = pages(&app, &format!("{track}/history")).await.pop().unwrap();
        assert_eq!(last["reason"], "verkeerde brief");
    }
}
