//! Who may do what with agreements, plans, talks and the like: every change in the order of the checks. Who may see what stands in
//! `visibility`.

use std::collections::BTreeMap;

use actix_web::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::{TestApp, accord_of, agreement_of, id_of, measurement, motion, plan_of, target, track};

const NOTHING: &str = "0199b0c4-7d1e-7c3a-9a51-3f3f6a1f2b11";

/// One of each, made in the order in which they need each other, by the name of the list.
async fn one_of_each(app: &TestApp, holder: &str, number: usize) -> BTreeMap<&'static str, String> {
    // A council has one accord at a time.
    let mut period = accord_of("rozenburg");
    period["from"] = format!("{}-01-01", 2030 + number).into();
    period["to"] = format!("{}-12-31", 2030 + number).into();
    let accord = app.added("accords", period).await;
    let agreement = app.added("agreements", agreement_of(&accord, "1.1")).await;
    app.tell(&agreement, "progress", json!({"state": "running", "on": "2026-03-01"})).await;
    app.tell(&agreement, "judgements", json!({"colour": "orange", "realised": false, "on": "2026-03-01"}))
        .await;
    let track = app.added("policy-tracks", track()).await;
    app.tell(&track, "councils", json!({"council": "rozenburg", "role": "informed"})).await;
    let plan = app.added("participation-plans", plan_of(&track)).await;
    app.tell(&plan, "adoption", json!({"adoptedOn": "2026-03-01"})).await;
    let finding = json!({"council": "rozenburg", "promise": 1, "verdict": "kept", "on": "2026-10-01"});
    app.tell(&plan, "findings", finding).await;
    let talk = json!({"council": "rozenburg", "heldOn": "2026-10-01", "officeHolder": holder});
    let talk = app.added("talks", talk).await;
    app.tell(&talk, "lessons", json!({"text": "Eerder bellen", "owner": "wijkmanager"})).await;
    let assignment = json!({
        "council": "rozenburg", "role": "coordinator", "position": format!("coordinator-{number}"),
        "from": "2026-01-01"
    });
    let collegetarget = app.added("collegetargets", target()).await;
    app.tell(&collegetarget, "measurements", measurement()).await;
    BTreeMap::from([
        ("accords", accord),
        ("agreements", agreement),
        ("policy-tracks", track),
        ("participation-plans", plan),
        ("talks", talk),
        ("assignments", app.added("assignments", assignment).await),
        ("commitments", app.added("commitments", motion(&format!("24bb{number:06}"))).await),
        ("collegetargets", collegetarget),
    ])
}

/// What somebody publishes; an agreement goes with its accord.
const PUBLISHED: [&str; 4] = ["accords", "policy-tracks", "participation-plans", "talks"];

async fn published(app: &TestApp, items: &BTreeMap<&'static str, String>) {
    for list in PUBLISHED {
        app.tell(&items[list], "publication", json!({})).await;
    }
}

/// A change of what is kept whole, as the document has it.
struct Change {
    name: String,
    method: Method,
    path: String,
    scope: String,
}

impl Change {
    /// Every change of an item that is there.
    fn all() -> Vec<Self> {
        let document = api::openapi::document().unwrap();
        let lists = [
            "accords",
            "agreements",
            "policy-tracks",
            "participation-plans",
            "talks",
            "assignments",
            "commitments",
            "collegetargets",
        ];
        let mut all = Vec::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            let of_item = lists.iter().any(|list| path.starts_with(&format!("/{list}/{{id}}")));
            for (method, operation) in
                item.as_object().unwrap().iter().filter(|(method, _)| of_item && *method != "get")
            {
                let ways = operation["security"].as_array().unwrap();
                assert_eq!(ways.len(), 1, "{path}");
                all.push(Self {
                    name: operation["operationId"].as_str().unwrap().to_owned(),
                    method: method.to_uppercase().parse().unwrap(),
                    path: path.clone(),
                    scope: ways[0]["bearer"][0].as_str().unwrap().to_owned(),
                });
            }
        }
        assert!(all.len() >= 28, "{}", all.len());
        all
    }

    fn list(&self) -> &str {
        self.path.split('/').nth(1).unwrap()
    }

    fn at(&self, id: &str) -> String {
        format!(
            "/v1{}",
            self.path.replace("{id}", id).replace("{findingId}", NOTHING).replace("{number}", "1")
        )
    }

    fn media(&self) -> &'static str {
        if self.method == Method::PATCH { "application/merge-patch+json" } else { "application/json" }
    }

    /// Only the cluster that it is about, or its council, may do it.
    fn has_owner(&self) -> bool {
        matches!(
            self.name.as_str(),
            "reportProgress" | "judgeAgreement" | "watchAgreement" | "replyToFinding"
        )
    }

    /// A body that fits the contract, whatever the state of the item.
    fn body(&self) -> Value {
        match self.name.as_str() {
            "changeAccord" | "changeAgreement" | "changePolicyTrack" | "changeCommitment" => {
                json!({"title": "Anders", "reason": "verschreven"})
            }
            "changeParticipationPlan" => json!({"tailoring": []}),
            "changeCollegetarget" => json!({"status": "adopted", "reason": "vastgesteld"}),
            "correctTalk" => json!({"heldOn": "2026-10-02", "reason": "verschreven"}),
            "reportProgress" => json!({"state": "running", "on": "2026-04-01"}),
            "judgeAgreement" => json!({"colour": "green", "realised": false, "on": "2026-04-01"}),
            "watchAgreement" => json!({"year": 2026, "on": "2026-04-01"}),
            "escalateAgreement" => json!({"on": "2026-04-01", "to": "wijkwethouder"}),
            "recordPhase" => json!({"phase": "design", "startsOn": "2026-04-01"}),
            "informCouncil" => json!({"council": "pernis", "role": "informed"}),
            "adoptParticipationPlan" => json!({"adoptedOn": "2026-04-01"}),
            "recordFinding" => {
                json!({"council": "rozenburg", "promise": 1, "verdict": "kept", "on": "2026-10-01"})
            }
            "replyToFinding" => json!({"on": "2026-10-02", "text": "Dank"}),
            "settleCommitment" => json!({"step": "interim", "on": "2026-04-01"}),
            "recordMeasurement" => measurement(),
            "addLesson" => json!({"text": "Eerder bellen", "owner": "wijkmanager"}),
            "closeLesson" => json!({"on": "2026-10-02"}),
            "endAssignment" => json!({"to": "2026-12-31"}),
            "publishAccord" | "publishPolicyTrack" | "publishParticipationPlan" | "publishTalk" => json!({}),
            "unpublishAccord" | "unpublishPolicyTrack" | "unpublishParticipationPlan" | "unpublishTalk" => {
                json!({"reason": "reden"})
            }
            other => panic!("{other} has no body here yet"),
        }
    }
}

on_both_databases! {
    /// Each change is refused in the order of the rules, whatever else is wrong with the request.
    async fn a_change_of_what_is_kept_whole_is_refused_in_the_order_of_the_checks(app: TestApp) {
        let holder = app.alderman().await;
        let (hidden, public) = (one_of_each(&app, &holder, 1).await, one_of_each(&app, &holder, 2).await);
        published(&app, &public).await;
        for change in Change::all() {
            let name = change.name.as_str();
            let (hidden, public) = (id_of(&hidden[change.list()]), id_of(&public[change.list()]));
            // Everything is wrong with it: no type, no body, no version.
            let bad = |id: &str| app.ask(change.method.clone(), &change.at(id));
            let anonymous = bad("x").send().await;
            assert_eq!(
                (anonymous.status, anonymous.problem().as_str()),
                (StatusCode::UNAUTHORIZED, "unauthenticated"),
                "{name}"
            );
            let all = domain::access::Scope::ALL.iter().map(|(_, scope, _)| *scope);
            let rest: Vec<&str> = all.filter(|scope| *scope != change.scope).collect();
            let poor = app.token(&rest.join(" "), &["*"], &["*"]);
            let refused = bad("x").token(&poor).send().await;
            assert_eq!(
                (refused.status, refused.problem().as_str()),
                (StatusCode::FORBIDDEN, "insufficient-scope"),
                "{name}"
            );
            let named = format!("error=\"insufficient_scope\", scope=\"{}\"", change.scope);
            assert!(refused.header("www-authenticate").contains(&named), "{name}");

            let mine = app.token(&change.scope, &["rozenburg"], &["so"]);
            let theirs = app.token(&change.scope, &["pernis"], &["sb"]);
            let malformed = bad("x").token(&mine).send().await;
            assert_eq!(malformed.faults(), [("id".to_owned(), "uuid.format".to_owned())], "{name}");
            let unknown = bad(NOTHING).token(&mine).send().await;
            assert_eq!(unknown.status, StatusCode::NOT_FOUND, "{name}");
            if change.has_owner() || name == "recordFinding" {
                let missing = bad(hidden).token(&theirs).send().await;
                assert_eq!(missing.status, StatusCode::NOT_FOUND, "{name}");
            }
            if change.has_owner() {
                let refused = bad(public).token(&theirs).send().await;
                assert_eq!(
                    (refused.status, refused.problem().as_str()),
                    (StatusCode::FORBIDDEN, "not-yours"),
                    "{name}"
                );
            }
            let untyped = bad(public).token(&mine).send().await;
            assert_eq!(untyped.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{name}");
            let broken = bad(public).token(&mine).body(change.media(), b"{").send().await;
            assert_eq!(broken.faults()[0].1, "json.syntax", "{name}");
            let strange = bad(public).token(&mine).body(change.media(), b"{\"nonsense\":1}").send().await;
            assert_eq!(strange.status, StatusCode::BAD_REQUEST, "{name}");
            let whole = change.body().to_string();
            let sent = || bad(public).token(&mine).body(change.media(), whole.as_bytes());
            let bare = sent().send().await;
            assert_eq!(bare.status, StatusCode::PRECONDITION_REQUIRED, "{name}: {}", bare.text());
            let stale = sent().if_match("\"99.x\"").send().await;
            assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED, "{name}: {}", stale.text());
        }
    }
}
