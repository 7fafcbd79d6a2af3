//! Who may see and do what with agreements, plans, talks and the like: every role at every item through every exit,
//! and every change in the order of the checks. What is expected stands here, without the code that is tested.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::{
    Reply, TestApp, accord_of, agreement_of, id_of, measurement, motion, plan_of, target, track,
};

const NOTHING: &str = "0199b0c4-7d1e-7c3a-9a51-3f3f6a1f2b11";
const REASON: &str = "openbare reden";

/// A kind of caller.
#[derive(Clone, Copy)]
struct Role {
    name: &'static str,
    scope: &'static str,
    councils: &'static [&'static str],
    clusters: &'static [&'static str],
}

const fn role(
    name: &'static str,
    scope: &'static str,
    councils: &'static [&'static str],
    clusters: &'static [&'static str],
) -> Role {
    Role { name, scope, councils, clusters }
}

/// All that stands here is Rozenburg's and of cluster so; Pernis and sb are others.
const ROLES: &[Role] = &[
    role("anonymous", "", &[], &[]),
    role("reader of the council", "internal:read", &["rozenburg"], &[]),
    role("reader of another council", "internal:read", &["pernis"], &[]),
    role("reader of the cluster", "internal:read", &[], &["so"]),
    role("reader of another cluster", "internal:read", &[], &["sb"]),
    role("reader of all", "internal:read", &["*"], &["*"]),
    role("reader of nothing", "internal:read", &[], &[]),
    role("coordinator", "advice:write", &["rozenburg"], &["so"]),
    role("coordinator of another council", "advice:write", &["pernis"], &["so"]),
    role("judge", "judgements:write", &["rozenburg"], &[]),
    role("judge of another council", "judgements:write", &["pernis"], &["so"]),
    role("cluster", "treatment:write", &["rozenburg"], &["so"]),
    role("another cluster", "treatment:write", &["rozenburg"], &["sb"]),
    role("manager", "progress:write", &[], &["so"]),
    role("manager of another cluster", "progress:write", &["rozenburg"], &["sb"]),
    role("planner", "plans:write", &[], &[]),
    role("publisher", "publish", &[], &[]),
    role("keeper of the registry", "registry:write", &[], &[]),
    role("others", "responses:write import audit:read", &["*"], &["*"]),
];

impl Role {
    fn token(&self, app: &TestApp) -> Option<String> {
        (!self.scope.is_empty()).then(|| app.token(self.scope, self.councils, self.clusters))
    }

    fn has(&self, scopes: &[&str]) -> bool {
        self.scope.split(' ').any(|own| scopes.contains(&own))
    }

    fn is_of(codes: &[&str], code: &str) -> bool {
        codes.iter().any(|own| *own == code || *own == "*")
    }

    /// What the rules say that it sees.
    fn sees(&self, case: &Case) -> bool {
        let own_council = Self::is_of(self.councils, "rozenburg");
        let own_cluster = Self::is_of(self.clusters, "so") && case.has_cluster
            || Self::is_of(self.clusters, "*") && case.list != "talks" && case.list != "assignments";
        case.is_public
            || match case.list {
                "assignments" => self.has(&["registry:write"]) || self.has(&["internal:read"]) && own_council,
                "talks" => {
                    self.has(&["registry:write", "publish"])
                        || self.has(&["internal:read", "advice:write", "judgements:write"]) && own_council
                }
                _ => {
                    self.has(&["plans:write", "publish"])
                        || self.has(&["internal:read", "advice:write", "judgements:write"]) && own_council
                        || self.has(&["internal:read", "treatment:write", "progress:write"]) && own_cluster
                }
            }
    }

    /// Whether the operations that read the list are open to it at all.
    fn may_ask(&self, case: &Case) -> bool {
        case.list != "assignments" || self.has(&["registry:write", "internal:read"])
    }
}

/// An item, and whether it is public.
struct Case {
    list: &'static str,
    item: String,
    log: &'static [&'static str],
    has_cluster: bool,
    is_public: bool,
    was_public: bool,
}

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

async fn unpublished(app: &TestApp, items: &BTreeMap<&'static str, String>) {
    // The plan goes with its track.
    for list in PUBLISHED.into_iter().filter(|list| *list != "participation-plans") {
        app.tell(&items[list], "unpublication", json!({"reason": REASON})).await;
    }
}

/// One of each that was never public, one that is, and one that was.
async fn every_case(app: &TestApp) -> Vec<Case> {
    let holder = app.alderman().await;
    let (never, now, once) = (
        one_of_each(app, &holder, 1).await,
        one_of_each(app, &holder, 2).await,
        one_of_each(app, &holder, 3).await,
    );
    published(app, &now).await;
    published(app, &once).await;
    unpublished(app, &once).await;
    let mut cases = Vec::new();
    for (items, is_public, was_public) in [(never, false, false), (now, true, true), (once, false, true)] {
        for (list, item) in items {
            let (always, never) = (matches!(list, "commitments" | "collegetargets"), list == "assignments");
            cases.push(Case {
                list,
                item,
                log: match list {
                    "agreements" => &["progress", "judgements"],
                    "participation-plans" => &["findings"],
                    "collegetargets" => &["measurements"],
                    _ => &[],
                },
                has_cluster: matches!(list, "agreements" | "policy-tracks" | "participation-plans"),
                is_public: always || is_public && !never,
                was_public: always || was_public && !never,
            });
        }
    }
    cases
}

async fn read(app: &TestApp, token: Option<&str>, path: &str) -> Reply {
    match token {
        Some(token) => app.get(path).token(token).send().await,
        None => app.get(path).send().await,
    }
}

/// The ids of the items that are there, and of those that are gone.
fn ids(items: &[Value]) -> (BTreeSet<String>, BTreeSet<String>) {
    let id = |item: &Value| item["id"].as_str().unwrap().to_owned();
    let (gone, there): (Vec<&Value>, Vec<&Value>) = items.iter().partition(|item| item["deleted"] == true);
    (there.into_iter().map(id).collect(), gone.into_iter().map(id).collect())
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
    async fn nobody_learns_more_of_what_is_kept_whole_than_the_rules_let_them(app: TestApp) {
        let cases = every_case(&app).await;
        let lists: BTreeSet<&str> = cases.iter().map(|case| case.list).collect();
        for role in ROLES {
            let who = role.name;
            let token = role.token(&app);
            let token = token.as_deref();
            let visible: BTreeSet<String> = cases
                .iter()
                .filter(|case| role.sees(case))
                .map(|case| id_of(&case.item).to_owned())
                .collect();
            let hidden: Vec<&str> =
                cases.iter().map(|case| id_of(&case.item)).filter(|id| !visible.contains(*id)).collect();
            // Whose agreement it is cannot be told without its accord, which is of no cluster.
            let accords: BTreeSet<&str> =
                cases.iter().filter(|case| case.list == "accords").map(|case| id_of(&case.item)).collect();
            let reads_nothing_hidden = |text: &str, list: &str| {
                for id in hidden.iter().filter(|id| list != "agreements" || !accords.contains(**id)) {
                    assert!(!text.contains(id), "{who} {list} reads {id}");
                }
            };
            for list in &lists {
                let of_list: Vec<&Case> = cases.iter().filter(|case| case.list == *list).collect();
                let path = format!("/v1/{list}?limit=1000&count=true");
                let reply = read(&app, token, &path).await;
                if !role.may_ask(of_list[0]) {
                    let refusal =
                        if token.is_some() { StatusCode::FORBIDDEN } else { StatusCode::UNAUTHORIZED };
                    assert_eq!(reply.status, refusal, "{who} {path}");
                    continue;
                }
                let expected: BTreeSet<String> = of_list
                    .iter()
                    .map(|case| id_of(&case.item))
                    .filter(|id| visible.contains(*id))
                    .map(str::to_owned)
                    .collect();
                // One target is there from the start.
                let others = usize::from(*list == "collegetargets");
                let page = reply.json();
                let (mut there, gone) = ids(page["items"].as_array().unwrap());
                assert_eq!(
                    (page["total"].as_u64().unwrap() as usize, gone.len()),
                    (expected.len() + others, 0),
                    "{who} {path}"
                );
                if others == 1 {
                    there.retain(|id| expected.contains(id));
                }
                assert_eq!(there, expected, "{who} {path}");
                reads_nothing_hidden(&reply.text(), list);
                let csv = read(&app, token, &format!("/v1/{list}?format=csv&limit=1000")).await.text();
                assert_eq!(csv.lines().count(), 1 + expected.len() + others, "{who} {list} CSV");
                reads_nothing_hidden(&csv, list);
                // What is gone for him is what was public, and he does not see by another right.
                let since = format!("/v1/{list}?limit=1000&modifiedSince=2026-01-01T00:00:00Z");
                let since = read(&app, token, &since).await.json();
                let (_, gone) = ids(since["items"].as_array().unwrap());
                let lost: BTreeSet<String> = of_list
                    .iter()
                    .filter(|case| case.was_public && !role.sees(case))
                    .map(|case| id_of(&case.item).to_owned())
                    .collect();
                assert_eq!(gone, lost, "{who} {list} tombstones");
            }
            for case in &cases {
                let logs = case.log.iter().map(|log| format!("{}/{log}", case.item));
                for path in std::iter::once(case.item.clone()).chain(logs) {
                    let reply = read(&app, token, &path).await;
                    let expected = match (role.may_ask(case), role.sees(case)) {
                        (false, _) if token.is_none() => StatusCode::UNAUTHORIZED,
                        (false, _) => StatusCode::FORBIDDEN,
                        (true, true) => StatusCode::OK,
                        (true, false) if case.was_public => StatusCode::GONE,
                        (true, false) => StatusCode::NOT_FOUND,
                    };
                    assert_eq!(reply.status, expected, "{who} {path}: {}", reply.text());
                    if expected == StatusCode::GONE {
                        assert_eq!(reply.json()["reason"], REASON, "{who} {path}");
                    }
                    let head = app.ask(Method::HEAD, &path);
                    let head = if let Some(token) = token { head.token(token) } else { head }.send().await;
                    assert_eq!((head.status, head.body.len()), (expected, 0), "{who} {path}");
                }
            }
            // The feed, replayed from the start, holds exactly what he sees, and as he sees it.
            let mut copy = BTreeMap::new();
            let mut after = String::new();
            loop {
                let path = format!("/v1/changes?limit=1000{after}");
                let page = read(&app, token, &path).await.json();
                for change in page["items"].as_array().unwrap() {
                    let id = change["id"].as_str().unwrap().to_owned();
                    match change["deleted"] == true {
                        true => drop(copy.remove(&id)),
                        false => drop(copy.insert(id, change["item"].clone())),
                    }
                }
                if page["more"] == false {
                    break;
                }
                after = format!("&after={}", page["next"].as_str().unwrap());
            }
            for case in &cases {
                let held = copy.get(id_of(&case.item));
                assert_eq!(held.is_some(), role.sees(case), "{who} feed {}", case.item);
                if let Some(held) = held.filter(|_| role.may_ask(case)) {
                    assert_eq!(*held, read(&app, token, &case.item).await.json(), "{who} {}", case.item);
                    reads_nothing_hidden(&held.to_string(), case.list);
                }
            }
        }
        assert_eq!(app.problems(), Vec::<String>::new());
    }

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
