//! Who may see and do what: every role at every state through every exit, and every change by every role.

use std::collections::{BTreeMap, BTreeSet};

use actix_web::http::{Method, StatusCode};
use domain::import::ListSource;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::{PUBLIC_URL, Reply, TestApp, draft_of, final_response};

/// A word that stands in the subject of every advice here, so that one search finds them all.
const WORD: &str = "walvis";
const RECEIVED_ON: &str = "2026-10-01";
const NOBODY: &str = "0199b0c4-7d1e-7c3a-9a51-3f3f6a1f2b11";

/// How much of an item somebody sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sees {
    Public,
    /// All but responses that were not sent, and the response draft.
    Own,
    All,
}

/// A kind of caller.
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

/// Rozenburg leads every advice here, Hoogvliet is invited to some, cluster so treats them; Pernis and sb are others.
const ROLES: &[Role] = &[
    role("anonymous", "", &[], &[]),
    role("reader of the lead", "internal:read", &["rozenburg"], &[]),
    role("reader of the invited council", "internal:read", &["hoogvliet"], &[]),
    role("reader of another council", "internal:read", &["pernis"], &[]),
    role("reader of the cluster", "internal:read", &[], &["so"]),
    role("reader of another cluster", "internal:read", &[], &["sb"]),
    role("reader of all", "internal:read", &["*"], &["*"]),
    role("reader of nothing", "internal:read", &[], &[]),
    role("coordinator of the lead", "advice:write", &["rozenburg"], &[]),
    role("coordinator of the invited council", "advice:write", &["hoogvliet"], &[]),
    role("coordinator of another council", "advice:write", &["pernis"], &[]),
    role("coordinator of nothing", "advice:write", &[], &["so"]),
    role("cluster", "treatment:write", &[], &["so"]),
    role("another cluster", "treatment:write", &[], &["sb"]),
    role("cluster of nothing", "treatment:write", &["rozenburg"], &[]),
    role("college's office", "responses:write", &[], &[]),
    role("publisher", "publish", &[], &[]),
    role("auditor", "audit:read", &[], &[]),
    role("others", "registry:write import progress:write judgements:write plans:write", &["*"], &["*"]),
];

impl Role {
    fn token(&self, app: &TestApp) -> Option<String> {
        (!self.scope.is_empty()).then(|| app.token(self.scope, self.councils, self.clusters))
    }

    fn has(&self, scope: &str) -> bool {
        self.scope.split(' ').any(|own| own == scope)
    }

    fn is_of(&self, codes: &[&str], code: &str) -> bool {
        codes.iter().any(|own| *own == code || *own == "*")
    }

    /// What the rules say that it sees of an advice: the expectation, made without the code that is tested.
    fn sees(&self, case: &Case) -> Option<Sees> {
        let own_council = self.is_of(self.councils, "rozenburg")
            || case.cosigner != Cosigner::None && self.is_of(self.councils, "hoogvliet");
        let own_cluster = case.is_received && self.is_of(self.clusters, "so");
        let unassigned = !case.is_received && (case.is_submitted || case.is_listed);
        let publishable = case.is_received || case.is_listed;
        [
            case.is_published.then_some(Sees::Public),
            (self.has("internal:read") && (own_council || own_cluster)).then_some(Sees::All),
            (self.has("advice:write") && own_council).then_some(Sees::Own),
            (self.has("treatment:write") && (own_cluster || unassigned)).then_some(Sees::All),
            (self.has("responses:write") && publishable).then_some(Sees::All),
            (self.has("publish") && publishable).then_some(Sees::Own),
        ]
        .into_iter()
        .flatten()
        .max()
    }

    /// Whether it saw an advice once that it may see no longer: its subject then stands in what was read.
    fn once_saw(&self, case: &Case) -> bool {
        case.was_published || self.has("treatment:write") && case.is_received
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cosigner {
    None,
    Invited,
    Signed,
}

/// An advice in a state, with secrets in it.
struct Case {
    name: &'static str,
    id: String,
    cosigner: Cosigner,
    is_submitted: bool,
    is_received: bool,
    is_listed: bool,
    is_published: bool,
    was_published: bool,
    has_draft: bool,
    merged_into: Option<&'static str>,
    second_round_of: Option<&'static str>,
    /// Texts, each with how much somebody must see to read it.
    secrets: Vec<(String, Sees)>,
}

/// Makes an advice, and writes down what is secret in it.
struct Maker<'a> {
    app: &'a TestApp,
    case: Case,
}

impl<'a> Maker<'a> {
    async fn start(app: &'a TestApp, name: &'static str, more: Value) -> Self {
        let mut case = Case {
            name,
            id: String::new(),
            cosigner: Cosigner::None,
            is_submitted: false,
            is_received: false,
            is_listed: false,
            is_published: false,
            was_published: false,
            has_draft: false,
            merged_into: None,
            second_round_of: None,
            secrets: Vec::new(),
        };
        let mut draft = draft_of("rozenburg");
        draft["references"] = json!([{"system": "ibabs-raad", "value": "27bb000001"}]);
        for (field, value) in more.as_object().unwrap() {
            draft[field] = value.clone();
        }
        if draft["councils"]["cosigners"].is_array() {
            case.cosigner = Cosigner::Invited;
        }
        let mut maker = Self { app, case };
        let subject = maker.secret("onderwerp", Sees::Public);
        draft["subject"] = json!(format!("Walvis {subject}"));
        maker.case.id = app.draft(draft).await;
        maker
    }

    fn secret(&mut self, what: &str, needs: Sees) -> String {
        let text = format!("{what}-{}", self.case.name);
        self.case.secrets.push((text.clone(), needs));
        text
    }

    async fn record(&mut self, event: &str, body: Value) -> Value {
        self.app.record(&self.case.id, event, body).await
    }

    async fn adopted(mut self) -> Self {
        let body = json!({"meetingOn": RECEIVED_ON, "quorum": true, "votesFor": 7, "votesAgainst": 0});
        self.record("adoption", body).await;
        self
    }

    async fn submitted(self) -> Self {
        let mut maker = self.adopted().await;
        maker.record("submission", json!({"submittedOn": RECEIVED_ON})).await;
        maker.case.is_submitted = true;
        maker
    }

    async fn received_by(self, cluster: &str) -> Self {
        let mut maker = self.submitted().await;
        maker.record("receipt", json!({"receivedOn": RECEIVED_ON, "cluster": cluster})).await;
        maker.case.is_received = true;
        maker
    }

    /// Suspended, extended, corrected, with a response that was not sent and a draft of another.
    async fn with_secrets(mut self) -> Self {
        let reason = self.secret("opschorting", Sees::Own);
        let body = json!({"from": "2026-10-05", "decidedOn": "2026-10-05", "reason": reason});
        let shown = self.record("suspensions", body).await;
        let suspension = shown["suspensions"][0]["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/advice/{}/suspensions/{suspension}", self.case.id);
        let token = self.app.almighty();
        let etag = self.app.etag(&self.case.id).await;
        let end = self.app.ask(Method::PATCH, &path).token(&token).if_match(&etag);
        let ended = end.patch(json!({"to": "2026-10-12"})).send().await;
        assert_eq!(ended.status, StatusCode::OK, "{}", ended.text());
        let reason = self.secret("verdaging", Sees::Own);
        self.record("extensions", json!({"days": 7, "decidedOn": "2026-10-13", "reason": reason})).await;
        let text = self.secret("tussenbericht", Sees::All);
        let reference = self.secret("kenmerk", Sees::All);
        let references = json!([{"system": "ibabs-raad", "value": reference}]);
        let body = json!({"kind": "interim", "by": "official", "text": text, "references": references});
        let shown = self.record("responses", body).await;
        let response = shown["responses"][0]["id"].as_str().unwrap().to_owned();
        self.case.secrets.push((response, Sees::All));
        let text = self.secret("conceptreactie", Sees::All);
        let path = format!("/v1/advice/{}/response-draft", self.case.id);
        let put = self.app.ask(Method::PUT, &path).token(&token).json(json!({"text": text})).send().await;
        assert_eq!(put.status, StatusCode::CREATED, "{}", put.text());
        self.case.has_draft = true;
        self.corrected().await
    }

    /// What was the subject is one no longer, and only who sees more than the public reads both.
    async fn corrected(mut self) -> Self {
        let (reason, subject) = (self.secret("correctie", Sees::Own), self.secret("verbeterd", Sees::Public));
        for (text, needs) in &mut self.case.secrets {
            if text.starts_with("onderwerp") {
                *needs = Sees::Own;
            }
        }
        let value = format!("Walvis {subject}");
        self.record("corrections", json!({"field": "subject", "value": value, "reason": reason})).await;
        self
    }

    async fn published(mut self) -> Case {
        self.record("publication", json!({})).await;
        self.case.is_published = true;
        self.case.was_published = true;
        self.case
    }

    async fn again(app: &'a TestApp, case: Case, event: &str, body: Value) -> Self {
        let mut maker = Self { app, case };
        maker.record(event, body).await;
        maker
    }
}

/// An advice in every state.
async fn every_case(app: &TestApp, request: &str) -> Vec<Case> {
    // Before the others: the list names the same number as they do.
    let list = "externalid,title,registrationdate,portefeuillehouder,url\n\
                27bb000001,Brief wijkraad Rozenburg over onderwerp-listed walvis,2026-09-01,,\
                https://raad.example/Item/1\n";
    api::import::run(&app.store, app.clock.now(), ListSource::Raad, list.as_bytes(), false).unwrap();
    let found = app.get("/v1/advice?status=registered").send().await.json();
    let listed = found["items"][0]["id"].as_str().unwrap().to_owned();

    let invited = || json!({"councils": {"lead": "rozenburg", "cosigners": [{"council": "hoogvliet"}]}});
    let mut cases = vec![
        Maker::start(app, "draft", json!({})).await.case,
        Maker::start(app, "invited", invited()).await.case,
        Maker::start(app, "adopted", json!({})).await.adopted().await.case,
        Maker::start(app, "submitted", invited()).await.submitted().await.case,
        Maker::start(app, "received", json!({})).await.received_by("so").await.with_secrets().await.case,
        Maker::start(app, "public", invited())
            .await
            .received_by("so")
            .await
            .with_secrets()
            .await
            .published()
            .await,
    ];

    let mut more = invited();
    more["request"] = json!(request);
    let mut answered = Maker::start(app, "answered", more).await.received_by("sb").await;
    answered.record("cosignatures", json!({"council": "hoogvliet", "signedOn": "2026-10-02"})).await;
    answered.case.cosigner = Cosigner::Signed;
    let reason = answered.secret("doorzending", Sees::Own);
    answered.record("forwarding", json!({"on": "2026-10-05", "cluster": "so", "reason": reason})).await;
    answered.record("responses", final_response("2026-10-20")).await;
    let note = answered.secret("opvolging", Sees::Own);
    let body =
        json!({"point": 1, "state": "planned", "on": "2026-10-25", "dueOn": "2027-01-01", "note": note});
    answered.record("follow-ups", body).await;
    let note = answered.secret("waardering", Sees::Own);
    answered
        .record("ratings", json!({"council": "rozenburg", "on": "2026-11-01", "score": 2, "note": note}))
        .await;
    answered.case.secrets.push((request.to_owned(), Sees::Own));
    cases.push(answered.published().await);

    let case = Maker::start(app, "unpublished", json!({})).await.received_by("so").await.published().await;
    let mut unpublished = Maker::again(app, case, "unpublication", json!({"reason": "openbare reden"})).await;
    unpublished.case.is_published = false;
    cases.push(unpublished.case);

    let mut withdrawn = Maker::start(app, "withdrawn", json!({})).await.received_by("so").await;
    let reason = withdrawn.secret("intrekking", Sees::Own);
    withdrawn.record("withdrawal", json!({"on": "2026-10-10", "reason": reason})).await;
    cases.push(withdrawn.published().await);

    for (name, into) in [("merged-away", "received"), ("merged", "public")] {
        let target = cases.iter().find(|case| case.name == into).unwrap().id.clone();
        // What is published is merged only into what is published too.
        let maker = Maker::start(app, name, json!({})).await.received_by("so").await;
        let case = if into == "public" { maker.published().await } else { maker.case };
        let reason = format!("samenvoeging-{name}");
        let body = json!({"into": target, "on": "2026-10-10", "reason": reason});
        let mut merged = Maker::again(app, case, "merge", body).await;
        merged.case.secrets.push((reason, Sees::Own));
        merged.case.merged_into = Some(into);
        cases.push(merged.case);
    }

    let first = cases.iter().find(|case| case.name == "received").unwrap().id.clone();
    let more = json!({"secondRoundOf": first});
    let mut again = Maker::start(app, "second-round", more).await.received_by("so").await.published().await;
    again.second_round_of = Some("received");
    cases.push(again);

    cases.push(Case {
        name: "listed",
        id: listed,
        cosigner: Cosigner::None,
        is_submitted: false,
        is_received: false,
        is_listed: true,
        is_published: true,
        was_published: true,
        has_draft: false,
        merged_into: None,
        second_round_of: None,
        secrets: vec![("onderwerp-listed".to_owned(), Sees::Public)],
    });
    cases
}

/// A caller on its walk: what it asks is answered, and looked through for what it may not know.
struct Walker<'a> {
    app: &'a TestApp,
    role: &'a Role,
    token: Option<String>,
    cases: &'a [Case],
    seen: &'a mut BTreeSet<(&'static str, u16)>,
}

impl Walker<'_> {
    async fn get(&self, path: &str, accept: &str) -> Reply {
        let ask = self.app.get(path).header("accept", accept);
        match &self.token {
            Some(token) => ask.token(token),
            None => ask,
        }
        .send()
        .await
    }

    /// Asks, and finds no secret in the answer. `once` is for what shows the past: a subject that was read stays read.
    async fn look(&mut self, path: &str, route: &'static str, once: bool) -> Reply {
        let reply = self.get(path, "*/*").await;
        self.seen.insert((route, reply.status.as_u16()));
        // An error says at which address it is: the caller knows that, for it asked there.
        let text = reply.text().replace(path.split('?').next().unwrap(), "");
        self.search(&text, path, once);
        reply
    }

    fn search(&self, text: &str, path: &str, once: bool) {
        let who = self.role.name;
        let audits = path.ends_with("/history") && self.role.has("audit:read");
        if !audits {
            assert!(!text.contains("test internal:read"), "{who} {path} reads who wrote it");
        }
        for case in self.cases {
            let sees = self.role.sees(case);
            for (secret, needs) in &case.secrets {
                let may = audits
                    || sees.is_some_and(|sees| sees >= *needs)
                    || once && *needs <= Sees::Own && self.role.once_saw(case);
                assert!(may || !text.contains(secret.as_str()), "{who} {path} reads {secret}: {text}");
            }
            let knows = audits || sees.is_some() || once && self.role.once_saw(case);
            assert!(knows || !text.contains(&case.id), "{who} {path} reads the id of {}: {text}", case.name);
        }
    }

    fn visible(&self) -> BTreeSet<&str> {
        self.cases.iter().filter(|case| self.role.sees(case).is_some()).map(|case| case.name).collect()
    }

    fn names<'n>(&'n self, ids: impl Iterator<Item = &'n str>) -> BTreeSet<&'n str> {
        let names: BTreeMap<&str, &str> =
            self.cases.iter().map(|case| (case.id.as_str(), case.name)).collect();
        ids.map(|id| names.get(id).copied().unwrap_or(id)).collect()
    }

    /// Every list shows what the role sees, and nothing else.
    async fn walk_lists(&mut self) {
        let who = self.role.name;
        let by_hoogvliet: BTreeSet<&str> = self
            .cases
            .iter()
            .filter(|case| match (case.cosigner, self.role.sees(case)) {
                (Cosigner::Signed, Some(_)) => true,
                (Cosigner::Invited, Some(sees)) => sees >= Sees::Own,
                _ => false,
            })
            .map(|case| case.name)
            .collect();
        let visible: BTreeSet<String> = self.visible().into_iter().map(str::to_owned).collect();
        for query in [
            "limit=1000".to_owned(),
            format!("search={WORD}"),
            "council=rozenburg".to_owned(),
            "reference=27bb000001".to_owned(),
            "modifiedSince=2026-01-01T00:00:00Z".to_owned(),
            "sort=-receivedOn&count=true".to_owned(),
        ] {
            let once = query.starts_with("modifiedSince");
            let reply = self.look(&format!("/v1/advice?{query}"), "/advice", once).await;
            assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
            let page = reply.json();
            let items = page["items"].as_array().unwrap();
            let there = items.iter().filter(|item| item["deleted"] != true);
            let listed = self.names(there.map(|item| item["id"].as_str().unwrap()));
            assert_eq!(listed, visible.iter().map(String::as_str).collect(), "{who} {query}");
            if query.contains("count") {
                assert_eq!(page["total"], visible.len(), "{who} {query}");
            }
        }
        let reply = self.look("/v1/advice?council=hoogvliet", "/advice", false).await.json();
        let items = reply["items"].as_array().unwrap();
        let listed = self.names(items.iter().map(|item| item["id"].as_str().unwrap()));
        assert_eq!(listed, by_hoogvliet, "{who} council=hoogvliet");
        for nothing in
            ["search=opschorting", "search=conceptreactie", "search=tussenbericht", "search=waardering"]
        {
            let reply = self.look(&format!("/v1/advice?{nothing}&count=true"), "/advice", false).await;
            assert_eq!(reply.json()["total"], 0, "{who} {nothing}");
        }
        let csv = self.look("/v1/advice?format=csv", "/advice", false).await.text();
        let mut rows = csv::Reader::from_reader(csv.as_bytes());
        let ids: Vec<String> = rows.records().map(|row| row.unwrap()[0].to_owned()).collect();
        let listed = self.names(ids.iter().map(String::as_str));
        assert_eq!(listed, visible.iter().map(String::as_str).collect(), "{who} CSV");
    }

    /// The feed, replayed from the start, rebuilds exactly what the role sees.
    async fn walk_feed(&mut self) {
        let who = self.role.name;
        let mut now: BTreeMap<String, Value> = BTreeMap::new();
        let mut path = "/v1/changes?limit=1000".to_owned();
        loop {
            let page = self.look(&path, "/changes", true).await.json();
            for change in
                page["items"].as_array().unwrap().iter().filter(|change| change["resource"] == "advice")
            {
                let id = change["id"].as_str().unwrap().to_owned();
                match change["deleted"] == true {
                    true => {
                        let case = self.cases.iter().find(|case| case.id == id).unwrap();
                        let known = now.remove(&id).is_some() || self.role.once_saw(case);
                        assert!(known, "{who} hears of the end of {}, which it never saw", case.name);
                    }
                    false => drop(now.insert(id, change["item"].clone())),
                }
            }
            if page["more"] == false {
                break;
            }
            path = format!("/v1/changes?limit=1000&after={}", page["next"].as_str().unwrap());
        }
        assert_eq!(self.names(now.keys().map(String::as_str)), self.visible(), "{who} feed");
        for (id, item) in &now {
            self.search(&item.to_string(), "/v1/changes", false);
            let case = self.cases.iter().find(|case| case.id == *id).unwrap();
            if case.merged_into.is_none() {
                let read = self.get(&format!("/v1/advice/{id}"), "application/json").await.json();
                assert_eq!(*item, read, "{who} {}: the feed says other than the item", case.name);
            }
        }
    }

    /// Every address of one advice.
    async fn walk_item(&mut self, case: &Case) {
        let (who, name) = (self.role.name, case.name);
        let sees = self.role.sees(case);
        let item = format!("/v1/advice/{}", case.id);
        let there = match sees {
            Some(_) => StatusCode::OK,
            None if case.was_published => StatusCode::GONE,
            None => StatusCode::NOT_FOUND,
        };
        let target = |name: &str| self.cases.iter().find(|case| case.name == name).unwrap();
        let sees_target = case.merged_into.map(|into| self.role.sees(target(into)).is_some());
        let location = case.merged_into.map(|into| format!("{PUBLIC_URL}/v1/advice/{}", target(into).id));
        let second_round_of = case
            .second_round_of
            .map(target)
            .filter(|first| self.role.sees(first).is_some())
            .map_or(Value::Null, |first| json!(first.id));

        let reply = self.look(&item, "/advice/{id}", false).await;
        match (sees, sees_target) {
            (Some(_), Some(true)) => {
                assert_eq!(reply.status, StatusCode::PERMANENT_REDIRECT, "{who} {name}");
                assert_eq!(Some(reply.header("location")), location, "{who} {name}");
            }
            (Some(_), Some(false)) => assert_eq!(reply.status, StatusCode::NOT_FOUND, "{who} {name}"),
            _ => assert_eq!(reply.status, there, "{who} {name}"),
        }
        if reply.status == StatusCode::OK {
            let shown = reply.json();
            assert_eq!(shown["secondRoundOf"], second_round_of, "{who} {name}");
            let cosigners = shown["councils"]["cosigners"].as_array().unwrap().len();
            let expected = match case.cosigner {
                Cosigner::None => 0,
                Cosigner::Invited => usize::from(sees >= Some(Sees::Own)),
                Cosigner::Signed => 1,
            };
            assert_eq!(cosigners, expected, "{who} {name}");
            // Who may see it reads every secret that it may read: the walk does not pass for want of secrets.
            for (secret, needs) in &case.secrets {
                if sees >= Some(*needs) && !secret.starts_with("conceptreactie") {
                    assert!(reply.text().contains(secret), "{who} {name} misses {secret}");
                }
            }
        }
        if reply.status == StatusCode::GONE {
            assert_eq!(reply.json()["reason"], "openbare reden", "{who} {name}");
            assert!(reply.json()["withdrawnAt"].is_string(), "{who} {name}");
        }
        let head = self.app.ask(Method::HEAD, &item);
        let head = if let Some(token) = &self.token { head.token(token) } else { head }.send().await;
        assert_eq!((head.status, head.header("etag")), (reply.status, reply.header("etag")), "{who} {name}");
        let page = self.get(&item, "text/html").await;
        assert_eq!(page.status, reply.status, "{who} {name}");
        self.search(&page.text().replace(&item, ""), &item, false);

        let term = self.look(&format!("{item}/term"), "/advice/{id}/term", false).await;
        assert_eq!(term.status, there, "{who} {name}");
        let timeline = self.look(&format!("{item}/timeline"), "/advice/{id}/timeline", false).await;
        assert_eq!(timeline.status, there, "{who} {name}");

        let draft = self.look(&format!("{item}/response-draft"), "/advice/{id}/response-draft", false).await;
        let may_ask =
            ["internal:read", "treatment:write", "responses:write"].iter().any(|scope| self.role.has(scope));
        let expected = match (&self.token, may_ask, sees) {
            (None, ..) => StatusCode::UNAUTHORIZED,
            (_, false, _) => StatusCode::FORBIDDEN,
            (_, _, None) => there,
            (_, _, Some(Sees::All)) if case.has_draft => StatusCode::OK,
            _ => StatusCode::NOT_FOUND,
        };
        assert_eq!(draft.status, expected, "{who} {name}: {}", draft.text());
        assert_eq!(
            draft.text().contains(&format!("conceptreactie-{name}")),
            expected == StatusCode::OK,
            "{who} {name}"
        );

        let history = self.look(&format!("{item}/history"), "/advice/{id}/history", false).await;
        let expected = match &self.token {
            None => StatusCode::UNAUTHORIZED,
            Some(_) if self.role.has("audit:read") => StatusCode::OK,
            Some(_) => StatusCode::FORBIDDEN,
        };
        assert_eq!(history.status, expected, "{who} {name}");
    }

    /// The request for advice is for the councils asked and the cluster that asks.
    async fn walk_request(&mut self, request: &str) {
        let who = self.role.name;
        let asked = ["internal:read", "advice:write"].iter().any(|scope| self.role.has(scope))
            && self.role.is_of(self.role.councils, "rozenburg");
        let asks = ["internal:read", "treatment:write"].iter().any(|scope| self.role.has(scope))
            && self.role.is_of(self.role.clusters, "so");
        let sees = asked || asks;
        let may_ask =
            ["internal:read", "treatment:write", "advice:write"].iter().any(|scope| self.role.has(scope));
        let list = self.look("/v1/advice-requests?count=true", "/advice-requests", false).await;
        let item = self.look(&format!("/v1/advice-requests/{request}"), "/advice-requests/{id}", false).await;
        let expected = match (&self.token, may_ask) {
            (None, _) => (StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED),
            (_, false) => (StatusCode::FORBIDDEN, StatusCode::FORBIDDEN),
            (_, true) if sees => (StatusCode::OK, StatusCode::OK),
            (_, true) => (StatusCode::OK, StatusCode::NOT_FOUND),
        };
        assert_eq!((list.status, item.status), expected, "{who}");
        assert_eq!(item.text().contains("aanvraagonderwerp"), sees, "{who}");
        if list.status == StatusCode::OK {
            assert_eq!(list.json()["total"], u8::from(sees), "{who}");
        }
    }
}

/// A request of cluster so to Rozenburg; gives its id.
async fn ask_rozenburg(app: &TestApp) -> String {
    let body = json!({
        "subject": "aanvraagonderwerp",
        "cluster": "so",
        "councils": ["rozenburg"],
        "askedOn": "2026-09-01"
    });
    let made = app.post("/v1/advice-requests", body).token(&app.almighty()).send().await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    made.json()["id"].as_str().unwrap().to_owned()
}

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
    async fn nobody_learns_more_than_the_rules_let_them(app: TestApp) {
        let request = ask_rozenburg(&app).await;
        let cases = every_case(&app, &request).await;
        let mut seen = BTreeSet::new();
        for role in ROLES {
            let mut walker =
                Walker { app: &app, role, token: role.token(&app), cases: &cases, seen: &mut seen };
            walker.walk_lists().await;
            walker.walk_feed().await;
            walker.walk_request(&request).await;
            for case in &cases {
                walker.walk_item(case).await;
            }
        }
        // The document names every status that was met on the way.
        let document = api::openapi::document().unwrap();
        for (route, status) in seen.into_iter() {
            let declared = &document["paths"][route]["get"]["responses"][status.to_string()];
            assert!(declared.is_object(), "GET {route} gives {status}, which the document does not name");
        }
    }

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
