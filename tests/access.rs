//! Who may do what with advice, in which order it is refused, and what a change that somebody may not see does not tell. Who may
//! see what stands in `visibility`.

use actix_web::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::{Reply, TestApp, draft_of, final_response};

const RECEIVED_ON: &str = "2026-10-01";
const NOBODY: &str = "0199b0c4-7d1e-7c3a-9a51-3f3f6a1f2b11";

/// One change of an advice, as the document has it.
struct Change {
    name: String,
    method: Method,
    path: String,
    scopes: Vec<String>,
}

impl Change {
    /// Every change of an advice that is there.
    fn all() -> Vec<Self> {
        let document = api::openapi::document().unwrap();
        let mut all = Vec::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            let changes = path == "/advice/{id}" || path.starts_with("/advice/{id}/");
            for (method, operation) in
                item.as_object().unwrap().iter().filter(|(method, _)| changes && *method != "get")
            {
                let ways = operation["security"].as_array().unwrap().iter();
                all.push(Self {
                    name: operation["operationId"].as_str().unwrap().to_owned(),
                    method: method.to_uppercase().parse().unwrap(),
                    path: path.clone(),
                    scopes: ways
                        .flat_map(|way| way["bearer"].as_array().unwrap())
                        .map(|scope| scope.as_str().unwrap().to_owned())
                        .collect(),
                });
            }
        }
        assert!(all.len() >= 20, "{}", all.len());
        all
    }

    fn at(&self, id: &str) -> String {
        format!("/v1{}", self.path.replace("{id}", id).replace("{suspensionId}", NOBODY))
    }

    fn media(&self) -> &'static str {
        if self.method == Method::PATCH { "application/merge-patch+json" } else { "application/json" }
    }

    /// A body that fits the contract, whatever the state of the advice.
    fn body(&self, other: &str) -> Value {
        match self.name.as_str() {
            "changeAdvice" => json!({"summary": "kort"}),
            "adoptAdvice" => {
                json!({"meetingOn": "2026-10-01", "quorum": true, "votesFor": 7, "votesAgainst": 0})
            }
            "ratifyAdvice" => json!({"ratifiedOn": "2026-10-01"}),
            "cosignAdvice" => json!({"council": "rozenburg", "signedOn": "2026-10-01"}),
            "submitAdvice" => json!({"submittedOn": "2026-10-01"}),
            "receiveAdvice" => json!({"receivedOn": "2026-10-01", "cluster": "so"}),
            "treatAdvice" | "closeAdvice" => json!({"on": "2026-10-02"}),
            "suspendAdvice" => json!({"from": "2026-10-02", "decidedOn": "2026-10-02", "reason": "reden"}),
            "endSuspension" => json!({"to": "2026-10-03"}),
            "extendAdvice" => json!({"days": 7, "decidedOn": "2026-10-02", "reason": "reden"}),
            "respondToAdvice" => final_response("2026-10-20"),
            "putResponseDraft" => json!({"text": "concept"}),
            "withdrawAdvice" => json!({"on": "2026-10-02", "reason": "reden"}),
            "mergeAdvice" => json!({"into": other, "on": "2026-10-02"}),
            "forwardAdvice" => json!({"on": "2026-10-02", "cluster": "sb"}),
            "followUpAdvice" => json!({"point": 1, "state": "planned", "on": "2026-10-21"}),
            "rateAdvice" => json!({"council": "rozenburg", "on": "2026-10-21", "score": 3}),
            "correctAdvice" => json!({"field": "letterOn", "value": "2026-09-30", "reason": "reden"}),
            "publishAdvice" => json!({}),
            "unpublishAdvice" => json!({"reason": "reden"}),
            other => panic!("{other} has no body here yet"),
        }
    }

    /// Whose it is stands in the body, not in the advice.
    fn owner_is_in_the_body(&self) -> bool {
        matches!(self.name.as_str(), "cosignAdvice" | "rateAdvice")
    }
}

/// The ETag of an advice as the bearer of this token reads it: each view counts its own version.
async fn etag_for(app: &TestApp, id: &str, token: &str) -> String {
    let reply = app.get(&format!("/v1/advice/{id}")).token(token).send().await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    reply.header("etag")
}

/// An answer but for what differs from call to call.
fn told(reply: &Reply) -> Value {
    let mut problem = reply.json();
    problem["traceId"] = Value::Null;
    problem["instance"] = Value::Null;
    problem
}

on_both_databases! {
    /// Each change is refused in the order of the rules, whatever else is wrong with the request.
    async fn a_change_is_refused_in_the_order_of_the_checks(app: TestApp) {
        let draft = app.draft(draft_of("rozenburg")).await;
        let hidden = app.received("rozenburg", RECEIVED_ON).await;
        let public = app.received("rozenburg", RECEIVED_ON).await;
        app.record(&public, "publication", json!({})).await;
        let other = app.received("pernis", RECEIVED_ON).await;
        for change in Change::all() {
            let name = change.name.as_str();
            // Everything is wrong with it: no type, no body, no version.
            let bad = |id: &str| app.ask(change.method.clone(), &change.at(id));
            let anonymous = bad("x").send().await;
            assert_eq!(
                (anonymous.status, anonymous.problem().as_str()),
                (StatusCode::UNAUTHORIZED, "unauthenticated"),
                "{name}"
            );
            assert!(anonymous.header("www-authenticate").starts_with("Bearer realm="), "{name}");

            let rest: Vec<&str> = domain::access::Scope::ALL.iter().map(|(_, scope, _)| *scope).collect();
            let rest: Vec<&str> =
                rest.into_iter().filter(|scope| change.scopes.iter().all(|own| own != scope)).collect();
            let poor = app.token(&rest.join(" "), &["*"], &["*"]);
            let refused = bad("x").token(&poor).send().await;
            assert_eq!(
                (refused.status, refused.problem().as_str()),
                (StatusCode::FORBIDDEN, "insufficient-scope"),
                "{name}"
            );
            let challenge = refused.header("www-authenticate");
            let named = format!("error=\"insufficient_scope\", scope=\"{}\"", change.scopes[0]);
            assert!(challenge.contains(&named), "{name}: {challenge}");

            for scope in &change.scopes {
                let name = format!("{name} with {scope}");
                let (mine, theirs) =
                    (app.token(scope, &["rozenburg"], &["so"]), app.token(scope, &["pernis"], &["sb"]));
                let malformed = bad("x").token(&mine).send().await;
                assert_eq!(
                    (malformed.status, malformed.faults()),
                    (StatusCode::BAD_REQUEST, vec![("id".to_owned(), "uuid.format".to_owned())]),
                    "{name}"
                );
                let unknown = bad(NOBODY).token(&mine).send().await;
                assert_eq!(unknown.status, StatusCode::NOT_FOUND, "{name}");
                // What one may not know of is not there at all.
                let has_no_owner = matches!(scope.as_str(), "responses:write" | "publish");
                let invisible = if has_no_owner { &draft } else { &hidden };
                let missing = bad(invisible).token(&theirs).send().await;
                assert_eq!(
                    (missing.status, told(&missing)),
                    (StatusCode::NOT_FOUND, told(&unknown)),
                    "{name}"
                );
                if !has_no_owner && !change.owner_is_in_the_body() {
                    let refused = bad(&public).token(&theirs).send().await;
                    assert_eq!(
                        (refused.status, refused.problem().as_str()),
                        (StatusCode::FORBIDDEN, "not-yours"),
                        "{name}"
                    );
                }
                if change.method == Method::DELETE {
                    let body = bad(&public).token(&mine).json(json!({})).send().await;
                    assert_eq!(body.status, StatusCode::BAD_REQUEST, "{name}");
                    let bare = bad(&public).token(&mine).send().await;
                    assert_eq!(bare.status, StatusCode::PRECONDITION_REQUIRED, "{name}");
                } else {
                    let untyped = bad(&public).token(&mine).send().await;
                    assert_eq!(untyped.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{name}");
                    let broken = bad(&public).token(&mine).body(change.media(), b"{").send().await;
                    assert_eq!(
                        (broken.status, broken.faults()[0].1.as_str()),
                        (StatusCode::BAD_REQUEST, "json.syntax"),
                        "{name}"
                    );
                    // The first draft of a response is not a change of one that is there.
                    if change.name != "putResponseDraft" {
                        let whole = change.body(&other).to_string();
                        let sent = || bad(&public).token(&mine).body(change.media(), whole.as_bytes());
                        let bare = sent().send().await;
                        assert_eq!(bare.status, StatusCode::PRECONDITION_REQUIRED, "{name}: {}", bare.text());
                        let stale = sent().if_match("\"1\"").send().await;
                        assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED, "{name}");
                    }
                }
            }
        }
        // Only now does the state count: it was submitted long ago.
        let token = app.token("advice:write", &["rozenburg"], &[]);
        let etag = etag_for(&app, &public, &token).await;
        let late = app.post(&format!("/v1/advice/{public}/submission"), json!({"submittedOn": RECEIVED_ON}));
        let late = late.token(&token).if_match(&etag).send().await;
        assert_eq!((late.status, late.problem().as_str()), (StatusCode::CONFLICT, "conflict"));
    }

    async fn whose_it_is_may_stand_in_the_body(app: TestApp) {
        let public = app.received("rozenburg", RECEIVED_ON).await;
        app.record(&public, "responses", final_response("2026-10-20")).await;
        app.record(&public, "publication", json!({})).await;
        let refused = async |token: &str, path: &str, body: Value| {
            let etag = etag_for(&app, &public, token).await;
            let reply = app.post(path, body).token(token).if_match(&etag).send().await;
            assert_eq!(
                (reply.status, reply.problem().as_str()),
                (StatusCode::FORBIDDEN, "not-yours"),
                "{path}: {}",
                reply.text()
            );
        };
        let pernis = app.token("advice:write", &["pernis"], &[]);
        let item = format!("/v1/advice/{public}");
        refused(&pernis, "/v1/advice", draft_of("rozenburg")).await;
        refused(
            &pernis,
            &format!("{item}/cosignatures"),
            json!({"council": "rozenburg", "signedOn": "2026-10-02"}),
        )
        .await;
        refused(
            &pernis,
            &format!("{item}/ratings"),
            json!({"council": "rozenburg", "on": "2026-11-01", "score": 1}),
        )
        .await;
        let sb = app.token("treatment:write", &[], &["sb"]);
        let request =
            json!({"subject": "Vraag", "cluster": "so", "councils": ["rozenburg"], "askedOn": "2026-09-01"});
        refused(&sb, "/v1/advice-requests", request).await;
        // A receipt names a cluster of the token.
        let sent = app.draft(draft_of("rozenburg")).await;
        app.record(
            &sent,
            "adoption",
            json!({"meetingOn": RECEIVED_ON, "quorum": true, "votesFor": 7, "votesAgainst": 0}),
        )
        .await;
        app.record(&sent, "submission", json!({"submittedOn": RECEIVED_ON})).await;
        let path = format!("/v1/advice/{sent}/receipt");
        let etag = etag_for(&app, &sent, &sb).await;
        let ask = |cluster: &str| {
            app.post(&path, json!({"receivedOn": RECEIVED_ON, "cluster": cluster})).token(&sb).if_match(&etag)
        };
        assert_eq!(ask("so").send().await.problem(), "not-yours");
        assert_eq!(ask("sb").send().await.status, StatusCode::OK);
        // The office answers for the college, and a cluster does not.
        let cluster = app.token("treatment:write", &[], &["sb"]);
        let path = format!("/v1/advice/{sent}/responses");
        let reply = app
            .post(&path, final_response("2026-10-20"))
            .token(&cluster)
            .if_match(&app.etag(&sent).await)
            .send()
            .await;
        assert_eq!((reply.status, reply.problem().as_str()), (StatusCode::FORBIDDEN, "insufficient-scope"));
        assert!(reply.header("www-authenticate").contains("scope=\"responses:write\""));
    }

    /// The stored answer is for who may still ask; then neither a missing nor a stale version matters.
    async fn a_repeated_request_gets_its_answer_only_with_the_right_to_it(app: TestApp) {
        let id = app.draft(draft_of("rozenburg")).await;
        let path = format!("/v1/advice/{id}/adoption");
        let mine = app.token("advice:write", &["rozenburg"], &[]);
        let etag = etag_for(&app, &id, &mine).await;
        let key = "\"0199b0c4-7d1e-7c3a-9a51-3f3f6a1f2b22\"";
        let adoption = json!({"meetingOn": RECEIVED_ON, "quorum": true, "votesFor": 7, "votesAgainst": 0});
        let ask = |token: &str| app.post(&path, adoption.clone()).token(token).header("idempotency-key", key);
        let first = ask(&mine).if_match(&etag).send().await;
        assert_eq!(first.status, StatusCode::OK, "{}", first.text());
        for again in [ask(&mine), ask(&mine).if_match(&etag), ask(&mine).if_match("\"99\"")] {
            let again = again.send().await;
            assert_eq!(
                (again.status, &again.body, again.header("etag")),
                (StatusCode::OK, &first.body, first.header("etag"))
            );
        }
        // The same person and client, whose token speaks for another council by now.
        let moved = app.token("advice:write", &["pernis"], &[]);
        assert_eq!(ask(&moved).send().await.status, StatusCode::NOT_FOUND);
        let broken = app
            .ask(Method::POST, &path)
            .token(&mine)
            .header("idempotency-key", key)
            .body("application/json", b"{")
            .send()
            .await;
        assert_eq!(broken.status, StatusCode::BAD_REQUEST);
        let mut other = adoption.clone();
        other["votesFor"] = json!(8);
        let other = app.post(&path, other).token(&mine).header("idempotency-key", key).send().await;
        assert_eq!(
            (other.status, other.problem().as_str()),
            (StatusCode::UNPROCESSABLE_ENTITY, "idempotency-mismatch")
        );
        // Another person with the same key is another request.
        let almighty = app.almighty();
        assert_eq!(ask(&almighty).send().await.status, StatusCode::PRECONDITION_REQUIRED);
    }

    /// Neither the public nor, of what was not sent, the council: not by a version, a tag, a moment, a list or the feed.
    async fn nobody_notices_what_he_may_not_see(app: TestApp) {
        let id = app.received("rozenburg", RECEIVED_ON).await;
        app.record(&id, "publication", json!({})).await;
        let council = app.token("advice:write", &["rozenburg"], &[]);
        let exits = [
            format!("/v1/advice/{id}"),
            format!("/v1/advice/{id}/timeline"),
            format!("/v1/advice/{id}/term"),
            "/v1/advice?count=true".to_owned(),
            "/v1/advice?format=csv".to_owned(),
            "/v1/advice?modifiedSince=2026-11-23T12:00:00Z".to_owned(),
        ];
        let get = |path: &str, token: Option<&str>| match token {
            Some(token) => app.get(path).token(token),
            None => app.get(path),
        };
        let look = async |token: Option<&str>| {
            let mut seen = Vec::new();
            for path in &exits {
                let reply = get(path, token).send().await;
                seen.push((reply.status, reply.header("etag"), reply.text()));
            }
            seen
        };
        let feed = async |token: Option<&str>, from: &str| {
            let mut path = format!("/v1/changes?limit=1000{from}");
            let mut items = Vec::new();
            loop {
                let page = get(&path, token).send().await.json();
                items.extend(page["items"].as_array().unwrap().clone());
                let next = page["next"].as_str().unwrap().to_owned();
                if page["more"] == false {
                    return (items, next);
                }
                path = format!("/v1/changes?limit=1000&after={next}");
            }
        };
        let own = Some(council.as_str());
        let before = [look(None).await, look(own).await];
        let (_, cursor) = feed(None, "").await;
        app.clock.set("2026-11-23T12:00:00Z".parse().unwrap());
        let body = json!({"kind": "interim", "by": "official", "decidedOn": "2026-11-02", "text": "geheim"});
        let interim = app.record(&id, "responses", body).await;
        let response = interim["responses"][0]["id"].as_str().unwrap().to_owned();
        let field = format!("responses.{response}.decidedOn");
        app.record(&id, "corrections", json!({"field": field, "value": "2026-11-03", "reason": "geheim"}))
            .await;
        let draft = app.ask(Method::PUT, &format!("/v1/advice/{id}/response-draft")).token(&app.almighty());
        assert_eq!(draft.json(json!({"text": "geheim"})).send().await.status, StatusCode::CREATED);
        for (token, before) in [None, own].into_iter().zip(&before) {
            assert_eq!(look(token).await, *before);
            assert_eq!(feed(token, &format!("&after={cursor}")).await.0, Vec::<Value>::new());
        }
        let internal = get(&exits[5], Some(&app.almighty())).send().await.json();
        assert_eq!(internal["items"].as_array().unwrap().len(), 1);

        // What a council thinks of the answer is for those within.
        app.record(&id, "responses", final_response("2026-10-20")).await;
        let before = [look(None).await, look(own).await];
        let (_, cursor) = feed(None, "").await;
        let body = json!({"council": "rozenburg", "on": "2026-11-01", "score": 1, "note": "slecht"});
        app.record(&id, "ratings", body).await;
        assert_eq!(look(None).await, before[0]);
        assert_eq!(feed(None, &format!("&after={cursor}")).await.0, Vec::<Value>::new());
        assert_ne!(look(own).await, before[1]);
        assert_eq!(feed(own, &format!("&after={cursor}")).await.0.len(), 1);

        // What the public does see, it sees at once and everywhere.
        app.record(&id, "closure", json!({"on": "2026-11-23"})).await;
        let after = look(None).await;
        let changed =
            exits.iter().zip(before[0].iter().zip(&after)).filter(|(path, _)| !path.ends_with("/term"));
        for (path, (before, after)) in changed {
            assert_ne!((&before.1, &before.2), (&after.1, &after.2), "{path}");
        }
        let (changes, _) = feed(None, &format!("&after={cursor}")).await;
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0]["item"]["status"], "closed");
    }

    /// Naming a hidden advice gets the same answer as naming none.
    async fn a_hidden_advice_cannot_be_named(app: TestApp) {
        let hidden = app.received("pernis", RECEIVED_ON).await;
        let own = app.received("rozenburg", RECEIVED_ON).await;
        let coordinator = app.token("advice:write", &["rozenburg"], &[]);
        // Another cluster took the other over.
        app.record(&hidden, "forwarding", json!({"on": "2026-10-02", "cluster": "sb"})).await;
        let cluster = app.token("treatment:write", &[], &["so"]);
        let etag = etag_for(&app, &own, &cluster).await;
        for one in [hidden.as_str(), NOBODY] {
            let mut draft = draft_of("rozenburg");
            draft["secondRoundOf"] = json!(one);
            let second = app.post("/v1/advice", draft).token(&coordinator).send().await;
            assert_eq!(second.status, StatusCode::BAD_REQUEST);
            assert_eq!(second.faults(), [("/secondRoundOf".to_owned(), "unknown".to_owned())]);
            let mut draft = draft_of("rozenburg");
            draft["request"] = json!(one);
            let answer = app.post("/v1/advice", draft).token(&coordinator).send().await;
            assert_eq!(answer.faults(), [("/request".to_owned(), "unknown".to_owned())]);
            let merge =
                app.post(&format!("/v1/advice/{own}/merge"), json!({"into": one, "on": "2026-10-02"}));
            let merge = merge.token(&cluster).if_match(&etag).send().await;
            assert_eq!(merge.faults(), [("/into".to_owned(), "unknown".to_owned())]);
        }
    }

    /// After unpublication the address says so to everybody, and a copy that is kept in step hears of it once.
    async fn what_was_public_says_that_it_is_gone(app: TestApp) {
        let id = app.received("rozenburg", RECEIVED_ON).await;
        app.record(&id, "publication", json!({})).await;
        app.clock.set("2026-11-23T12:00:00Z".parse().unwrap());
        app.record(&id, "unpublication", json!({"reason": "Er stond een adres in"})).await;
        let gone = app.get(&format!("/v1/advice/{id}")).send().await;
        assert_eq!((gone.status, gone.problem().as_str()), (StatusCode::GONE, "gone"));
        assert_eq!(gone.json()["reason"], "Er stond een adres in");
        assert!(gone.json()["withdrawnAt"].as_str().unwrap().starts_with("2026-11-23T12:00:00"));
        assert_eq!(gone.header("cache-control"), "no-store");
        let list = app.get("/v1/advice?modifiedSince=2026-11-23T12:00:00Z").send().await.json();
        assert_eq!(list["items"].as_array().unwrap().len(), 1);
        let tombstone = &list["items"][0];
        assert_eq!((&tombstone["id"], &tombstone["deleted"]), (&json!(id), &json!(true)));
        assert_eq!(tombstone.as_object().unwrap().len(), 3, "{tombstone}");
        assert_eq!(app.get("/v1/advice").send().await.json()["items"], json!([]));
        let before = app.get("/v1/advice?modifiedSince=2026-11-23T12:30:00Z").send().await.json();
        assert_eq!(before["items"], json!([]));
        // Others meet the 410 where they write, and the publisher may publish again.
        let pernis = app.token("advice:write", &["pernis"], &[]);
        let write =
            app.post(&format!("/v1/advice/{id}/withdrawal"), json!({"on": RECEIVED_ON, "reason": "x"}));
        assert_eq!(write.token(&pernis).if_match("\"1\"").send().await.status, StatusCode::GONE);
        app.record(&id, "publication", json!({})).await;
        let back = app.get("/v1/advice?modifiedSince=2026-11-23T12:00:00Z").send().await.json();
        assert_eq!((back["items"].as_array().unwrap().len(), &back["items"][0]["id"]), (1, &json!(id)));
        assert!(back["items"][0].get("deleted").is_none());
    }
}
