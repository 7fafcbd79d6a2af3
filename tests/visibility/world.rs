//! A world with an item in every state, and in each of its fields a text that stands nowhere else: what an exit may not tell
//! can then be looked for.

use actix_web::http::{Method, StatusCode};
use domain::import::ListSource;
use serde_json::{Value, json};

use super::rules::{Facts, Kind, Sees};
use crate::support::{
    TestApp, accord_of, agreement_of, draft_of, final_response, id_of, measurement, motion, plan_of, target,
    track,
};

/// What every planted text begins with.
pub const MARK: &str = "zq-";
/// A word in the subject of every advice, so that one search finds them all.
pub const WORD: &str = "walvis";
/// The public reason of whatever was withdrawn from publication.
pub const REASON: &str = "openbare reden";
/// The key with which the one who may do everything made a draft.
pub const KEY: &str = "\"0199b0c4-7d1e-7c3a-9a51-3f3f6a1f2b33\"";
const RECEIVED_ON: &str = "2026-10-01";

/// A text that is planted in a field.
#[derive(Debug, Clone)]
pub struct Secret {
    pub text: String,
    pub field: &'static str,
    /// How much of the item somebody must see to read it.
    pub least: Sees,
    /// Whether the item shows it; if not, another exit does.
    pub in_item: bool,
    /// The flat tables that show it.
    pub tables: &'static [&'static str],
}

/// An item in a state.
pub struct Item {
    pub state: String,
    /// The path of its list.
    pub list: &'static str,
    pub id: String,
    pub now: Facts,
    /// What it was before, where somebody saw it who sees it no longer.
    pub past: Vec<Facts>,
    /// Its address says that it is gone, rather than that there is none.
    pub is_withdrawn: bool,
    pub secrets: Vec<Secret>,
    /// The other items that it names, with how much of it somebody must see to find the name, and the field.
    pub names: Vec<(usize, Sees, &'static str)>,
    pub merged_into: Option<usize>,
    pub has_draft: bool,
    /// Hoogvliet was invited, and whether it signed.
    pub hoogvliet: Option<bool>,
    /// The logs below its address.
    pub logs: &'static [&'static str],
}

/// All of it.
pub struct World {
    pub app: TestApp,
    pub items: Vec<Item>,
    /// Days that stand in one field of one item alone: the item, the field, the day, and how much shows it.
    pub days: Vec<(usize, &'static str, &'static str, Sees)>,
    /// The address and the body of a change that was made with [`KEY`].
    pub replay: (String, Value),
}

/// What an advice is made of.
#[derive(Default)]
struct Draft {
    lead: Option<&'static str>,
    invites_hoogvliet: bool,
    request: Option<usize>,
    second_round_of: Option<usize>,
}

impl World {
    pub async fn made(app: TestApp) -> Self {
        let mut world = Self { app, items: Vec::new(), days: Vec::new(), replay: Default::default() };
        world.listed();
        world.make_what_is_kept_whole().await;
        world.make_requests().await;
        world.make_advice().await;
        world.make_links().await;
        assert_eq!(world.app.problems(), Vec::<String>::new());
        world
    }

    pub fn find(&self, state: &str) -> usize {
        self.items.iter().position(|item| item.state == state).unwrap_or_else(|| panic!("no {state}"))
    }

    fn add(&mut self, state: &str, list: &'static str, id: &str, now: Facts) -> usize {
        self.items.push(Item {
            state: state.to_owned(),
            list,
            id: id.to_owned(),
            now,
            past: Vec::new(),
            is_withdrawn: false,
            secrets: Vec::new(),
            names: Vec::new(),
            merged_into: None,
            has_draft: false,
            hoogvliet: None,
            logs: &[],
        });
        self.items.len() - 1
    }

    fn plant(
        &mut self,
        item: usize,
        field: &'static str,
        least: Sees,
        tables: &'static [&'static str],
    ) -> String {
        let text = format!("{MARK}{field}-{item:03}");
        self.items[item].secrets.push(Secret { text: text.clone(), field, least, in_item: true, tables });
        text
    }

    fn planted_elsewhere(&mut self, item: usize, field: &'static str, least: Sees) -> String {
        let text = self.plant(item, field, least, &[]);
        if let Some(secret) = self.items[item].secrets.last_mut() {
            secret.in_item = false;
        }
        text
    }

    /// A row of the municipal council's list. First of all, for it bears a number that others bear as well.
    fn listed(&mut self) {
        let item = self.items.len();
        let list = format!(
            "externalid,title,registrationdate,portefeuillehouder,url\n\
             27bb000001,Brief wijkraad Rozenburg over {MARK}subject-{item:03} {WORD},2026-09-01,,https://raad.example/Item/1\n\
             27bb000002,Brief van bewoners {MARK}unplaced-row,2026-09-01,,https://raad.example/Item/2\n"
        );
        api::import::run(&self.app.store, self.app.clock.now(), ListSource::Raad, list.as_bytes(), false)
            .unwrap();
        let now = Facts { is_sent: true, is_in_hand: true, is_published: true, ..advice_of("rozenburg") };
        self.add("listed by a portal", "/advice", "", now);
        self.plant(item, "subject", Sees::Public, &["advice"]);
    }

    // What is kept whole.

    async fn make_what_is_kept_whole(&mut self) {
        let listed = self.app.get("/v1/advice?status=registered").send().await.json();
        self.items[0].id = listed["items"][0]["id"].as_str().unwrap().to_owned();
        let holder = self.app.alderman().await;
        for (number, state, council, cluster) in [
            (1, "never public", "rozenburg", "so"),
            (2, "public", "rozenburg", "so"),
            (3, "withdrawn", "rozenburg", "so"),
            (4, "published again", "rozenburg", "so"),
            (5, "of others", "pernis", "sb"),
        ] {
            let first = self.items.len();
            self.one_of_each(number, state, council, cluster, &holder).await;
            let made: Vec<usize> = (first..self.items.len()).collect();
            if matches!(number, 2..=4) {
                self.publish(&made).await;
            }
            if matches!(number, 3..=4) {
                self.unpublish(&made).await;
            }
            if number == 4 {
                self.publish(&made).await;
            }
        }
    }

    async fn one_of_each(
        &mut self,
        number: usize,
        state: &str,
        council: &'static str,
        cluster: &'static str,
        holder: &str,
    ) {
        let app = self.app.clone();
        let councils: &'static [&'static str] =
            if council == "pernis" { &["pernis"] } else { &["rozenburg"] };
        let facts = |kind: Kind, cluster: Option<&'static str>| Facts {
            kind,
            councils,
            cluster,
            is_sent: false,
            is_in_hand: false,
            is_published: false,
            is_deleted: false,
        };
        let sees = Sees::All;

        let accord = self.add(&format!("accord {state}"), "/accords", "", facts(Kind::Plan, None));
        let mut body = accord_of(council);
        // A council has one accord at a time.
        body["from"] = format!("{}-01-01", 2030 + number).into();
        body["to"] = format!("{}-12-31", 2030 + number).into();
        body["title"] = self.plant(accord, "title", sees, &[]).into();
        body["vision"] = self.plant(accord, "vision", sees, &[]).into();
        body["goals"] = json!([{"number": 1, "text": self.plant(accord, "goal", sees, &[])}]);
        body["yearPlans"] =
            json!([{"year": 2030 + number, "note": self.plant(accord, "year-plan", sees, &[])}]);
        body["references"] = json!([{"system": "x", "value": self.plant(accord, "reference", sees, &[])}]);
        let accord_path = app.added("accords", body).await;
        self.items[accord].id = id_of(&accord_path).to_owned();

        let agreement =
            self.add(&format!("agreement {state}"), "/agreements", "", facts(Kind::Plan, Some(cluster)));
        self.items[agreement].logs = &["progress", "judgements"];
        let mut body = agreement_of(&accord_path, "1.1");
        body["owner"] =
            json!({"cluster": cluster, "party": self.plant(agreement, "party", sees, &["agreements"])});
        body["title"] = self.plant(agreement, "title", sees, &["agreements"]).into();
        body["description"] = self.plant(agreement, "description", sees, &[]).into();
        body["partners"] = json!([self.plant(agreement, "partner", sees, &[])]);
        body["references"] = json!([{"system": "x", "value": self.plant(agreement, "reference", sees, &[])}]);
        let path = app.added("agreements", body).await;
        self.items[agreement].id = id_of(&path).to_owned();
        self.items[agreement].names.push((accord, sees, "accord"));
        let reason = self.plant(agreement, "progress", sees, &["progress"]);
        app.tell(&path, "progress", json!({"state": "delayed", "on": "2026-03-01", "reason": reason})).await;
        let note = self.plant(agreement, "judgement", sees, &["judgements"]);
        let judgement = json!({"colour": "orange", "realised": false, "on": "2026-03-01", "note": note});
        app.tell(&path, "judgements", judgement).await;
        let note = self.plant(agreement, "escalation", sees, &[]);
        let escalation = json!({"on": "2026-04-01", "to": "wijkwethouder", "note": note});
        app.tell(&path, "escalations", escalation).await;

        let tracked = self.add(
            &format!("policy track {state}"),
            "/policy-tracks",
            "",
            facts(Kind::Plan, Some(cluster)),
        );
        let mut body = track();
        body["cluster"] = cluster.into();
        body["title"] = self.plant(tracked, "title", sees, &[]).into();
        body["description"] = self.plant(tracked, "description", sees, &[]).into();
        body["references"] = json!([{"system": "x", "value": self.plant(tracked, "reference", sees, &[])}]);
        let track_path = app.added("policy-tracks", body).await;
        self.items[tracked].id = id_of(&track_path).to_owned();
        app.tell(&track_path, "councils", json!({"council": council, "role": "informed"})).await;
        app.tell(&track_path, "phases", json!({"phase": "design", "startsOn": "2026-05-01"})).await;
        let reason = self.plant(tracked, "phase", sees, &[]);
        let phase = json!({"phase": "design", "startsOn": "2026-05-02", "reason": reason});
        app.tell(&track_path, "phases", phase).await;

        let plan = self.add(
            &format!("participation plan {state}"),
            "/participation-plans",
            "",
            facts(Kind::Plan, Some(cluster)),
        );
        self.items[plan].logs = &["findings"];
        let mut body = plan_of(&track_path);
        body["promises"][0]["targetGroup"] = self.plant(plan, "target-group", sees, &[]).into();
        body["promises"][0]["method"] = self.plant(plan, "method", sees, &[]).into();
        body["tailoring"] = json!([{
            "council": council, "text": self.plant(plan, "tailoring", sees, &[]),
            "reason": self.plant(plan, "tailoring-reason", sees, &[])
        }]);
        let path = app.added("participation-plans", body).await;
        self.items[plan].id = id_of(&path).to_owned();
        self.items[plan].names.push((tracked, sees, "policyTrack"));
        app.tell(&path, "adoption", json!({"adoptedOn": "2026-03-01"})).await;
        let note = self.plant(plan, "finding", sees, &["findings"]);
        let finding = json!({"council": council, "promise": 1, "verdict": "not_kept", "on": "2026-10-01", "note": note});
        let found = app.tell(&path, "findings", finding).await;
        let finding = found["findings"][0]["id"].as_str().unwrap().to_owned();
        let text = self.plant(plan, "reply", sees, &[]);
        let reply = json!({"on": "2026-10-02", "text": text});
        app.tell(&path, &format!("findings/{finding}/reply"), reply).await;

        let talk = self.add(&format!("talk {state}"), "/talks", "", facts(Kind::Talk, None));
        let body = json!({"council": council, "heldOn": "2026-10-01", "officeHolder": holder});
        let path = app.added("talks", body).await;
        self.items[talk].id = id_of(&path).to_owned();
        let lesson = json!({"text": self.plant(talk, "lesson", sees, &[]), "owner": "wijkmanager"});
        app.tell(&path, "lessons", lesson).await;
        let note = self.plant(talk, "lesson-note", sees, &[]);
        app.tell(&path, "lessons/1/closure", json!({"on": "2026-10-02", "note": note})).await;

        let assignment =
            self.add(&format!("assignment {state}"), "/assignments", "", facts(Kind::Assignment, None));
        let position = format!("zq-position-{assignment:03}");
        self.items[assignment].secrets.push(Secret {
            text: position.clone(),
            field: "position",
            least: sees,
            in_item: true,
            tables: &[],
        });
        let body =
            json!({"council": council, "role": "coordinator", "position": position, "from": "2026-01-01"});
        self.items[assignment].id = id_of(&app.added("assignments", body).await).to_owned();

        let open = Facts { is_published: true, ..facts(Kind::Open, None) };
        let commitment = self.add(&format!("commitment {state}"), "/commitments", "", open.clone());
        let mut body = motion(&format!("24bb{number:06}"));
        body["text"] = self.plant(commitment, "text", sees, &[]).into();
        self.items[commitment].id = id_of(&app.added("commitments", body).await).to_owned();

        let aim = self.add(&format!("collegetarget {state}"), "/collegetargets", "", open);
        self.items[aim].logs = &["measurements"];
        let mut body = target();
        body["statement"] = self.plant(aim, "statement", sees, &[]).into();
        let path = app.added("collegetargets", body).await;
        self.items[aim].id = id_of(&path).to_owned();
        app.tell(&path, "measurements", measurement()).await;
    }

    /// Publishes what somebody publishes of these; an agreement goes with its accord.
    async fn publish(&mut self, items: &[usize]) {
        for &item in items {
            let Item { list, id, .. } = &self.items[item];
            if matches!(*list, "/accords" | "/policy-tracks" | "/participation-plans" | "/talks") {
                self.app.tell(&format!("/v1{list}/{id}"), "publication", json!({})).await;
            }
            if self.items[item].list != "/assignments" {
                self.items[item].now.is_published = true;
                self.items[item].is_withdrawn = false;
            }
        }
    }

    /// Withdraws them; a plan goes with its track.
    async fn unpublish(&mut self, items: &[usize]) {
        for &item in items {
            let Item { list, id, now, .. } = &self.items[item];
            if matches!(*list, "/accords" | "/policy-tracks" | "/talks") {
                let path = format!("/v1{list}/{id}");
                self.app.tell(&path, "unpublication", json!({"reason": REASON})).await;
            }
            if !matches!(now.kind, Kind::Assignment | Kind::Open) {
                let before = now.clone();
                self.items[item].past.push(before);
                self.items[item].now.is_published = false;
                self.items[item].is_withdrawn = true;
            }
        }
    }

    // Requests.

    async fn make_requests(&mut self) {
        for (state, council, cluster, about) in [
            ("request", "rozenburg", "so", "policy track of others"),
            ("request of others", "pernis", "sb", "policy track never public"),
            ("request that went on", "rozenburg", "so", "policy track public"),
        ] {
            let councils: &'static [&'static str] =
                if council == "pernis" { &["pernis"] } else { &["rozenburg"] };
            let facts = Facts {
                kind: Kind::Request,
                councils,
                cluster: Some(cluster),
                is_sent: true,
                is_in_hand: false,
                is_published: false,
                is_deleted: false,
            };
            let item = self.add(state, "/advice-requests", "", facts);
            let about = self.find(about);
            let body = json!({
                "subject": self.plant(item, "subject", Sees::All, &[]),
                "question": self.plant(item, "question", Sees::All, &[]),
                "cluster": cluster, "councils": [council], "askedOn": "2026-09-01",
                "policyTrack": self.items[about].id
            });
            self.items[item].id = id_of(&self.app.added("advice-requests", body).await).to_owned();
            self.items[item].names.push((about, Sees::All, "policyTrack"));
        }
    }

    // Advice.

    async fn make_advice(&mut self) {
        let invited = || Draft { invites_hoogvliet: true, ..Draft::default() };
        self.draft("draft", Draft::default()).await;
        self.draft("draft with an invitation", invited()).await;
        self.deleted().await;
        self.adopted("adopted", Draft::default()).await;
        self.submitted("submitted", invited()).await;

        let item = self.received("received", "so", Draft::default()).await;
        self.fill(item, Some("2026-10-17")).await;
        self.in_treatment("in treatment", Draft::default()).await;
        let item = self.suspended("suspended", Draft::default()).await;
        self.corrected(item).await;
        let others = Draft { lead: Some("pernis"), ..Draft::default() };
        let item = self.received("received by others", "sb", others).await;
        self.fill(item, None).await;
        self.answered("answered", "so", Draft::default()).await;

        let item = self.received("published", "so", invited()).await;
        self.fill(item, Some("2026-10-24")).await;
        self.publish_advice(item).await;
        let item = self.suspended("published while suspended", Draft::default()).await;
        self.publish_advice(item).await;
        let item = self.received("corrected in public", "so", Draft::default()).await;
        self.publish_advice(item).await;
        self.corrected(item).await;

        let request = Some(self.find("request"));
        let full = Draft { request, ..invited() };
        let item = self.answered("answered in public", "so", full).await;
        self.publish_advice(item).await;
        let item = self.answered("closed in public", "so", Draft::default()).await;
        self.record(item, "closure", json!({"on": "2026-11-10"})).await;
        self.publish_advice(item).await;
        let request = Some(self.find("request that went on"));
        let item = self.received("forwarded to others", "so", Draft { request, ..Draft::default() }).await;
        self.forwarded(item).await;
        let item = self.received("forwarded to others in public", "so", Draft::default()).await;
        self.publish_advice(item).await;
        self.forwarded(item).await;

        self.withdrawn("taken back").await;
        let item = self.withdrawn("taken back in public").await;
        self.publish_advice(item).await;

        let item = self.received("withdrawn from publication", "so", Draft::default()).await;
        self.fill(item, None).await;
        self.publish_advice(item).await;
        self.unpublish_advice(item).await;
        let item = self.received("published again", "so", Draft::default()).await;
        self.publish_advice(item).await;
        self.unpublish_advice(item).await;
        self.publish_advice(item).await;

        let second_round_of = Some(self.find("received"));
        let second = Draft { second_round_of, ..Draft::default() };
        let item = self.received("second round of a hidden one", "so", second).await;
        self.publish_advice(item).await;
        let second_round_of = Some(self.find("published"));
        let second = Draft { second_round_of, ..Draft::default() };
        self.draft("draft of a second round", second).await;

        self.merged("merged into a hidden one", "received by others", false).await;
        self.merged("merged into a public one", "published", false).await;
        self.merged("merged in public", "published", true).await;
        let target = self.received("target that was withdrawn", "so", Draft::default()).await;
        self.publish_advice(target).await;
        let item = self.merged("merged into what was withdrawn", "target that was withdrawn", true).await;
        self.unpublish_advice(target).await;
        // What was merged into it vanishes with it.
        let before = self.items[item].now.clone();
        self.items[item].past.push(before);
        self.items[item].now.is_published = false;
        self.items[item].is_withdrawn = true;
    }

    async fn draft(&mut self, state: &str, draft: Draft) -> usize {
        let Draft { lead, invites_hoogvliet, request, second_round_of } = draft;
        let lead = lead.unwrap_or("rozenburg");
        let mut now = advice_of(lead);
        if invites_hoogvliet {
            now.councils = &["rozenburg", "hoogvliet"];
        }
        let item = self.add(state, "/advice", "", now);
        let mut body = draft_of(lead);
        if invites_hoogvliet {
            body["councils"]["cosigners"] = json!([{"council": "hoogvliet"}]);
            self.items[item].hoogvliet = Some(false);
        }
        let subject = self.plant(item, "subject", Sees::Public, &["advice"]);
        body["subject"] = format!("{WORD} {subject}").into();
        body["summary"] = self.plant(item, "summary", Sees::Public, &[]).into();
        body["points"][0]["text"] = self.plant(item, "point", Sees::Public, &["points"]).into();
        let value = self.plant(item, "reference", Sees::Public, &["advice"]);
        body["references"] = json!([{"system": "ibabs-raad", "value": value}]);
        if let Some(request) = request {
            body["request"] = self.items[request].id.clone().into();
            self.items[item].names.push((request, Sees::Own, "request"));
        }
        if let Some(first) = second_round_of {
            body["secondRoundOf"] = self.items[first].id.clone().into();
            self.items[item].names.push((first, Sees::Public, "secondRoundOf"));
        }
        self.items[item].id = self.app.draft(body).await;
        item
    }

    async fn record(&self, item: usize, event: &str, body: Value) -> Value {
        self.app.record(&self.items[item].id, event, body).await
    }

    async fn deleted(&mut self) {
        let item = self.draft("deleted draft", Draft::default()).await;
        let path = format!("/v1/advice/{}", self.items[item].id);
        let (token, etag) = (self.app.almighty(), self.app.etag(&self.items[item].id).await);
        let gone = self.app.ask(Method::DELETE, &path).token(&token).if_match(&etag).send().await;
        assert_eq!(gone.status, StatusCode::NO_CONTENT, "{}", gone.text());
        let before = self.items[item].now.clone();
        self.items[item].past.push(before);
        self.items[item].now.is_deleted = true;
    }

    async fn adopted(&mut self, state: &str, draft: Draft) -> usize {
        let item = self.draft(state, draft).await;
        let body = json!({"meetingOn": RECEIVED_ON, "quorum": true, "votesFor": 7, "votesAgainst": 0});
        self.record(item, "adoption", body).await;
        item
    }

    async fn submitted(&mut self, state: &str, draft: Draft) -> usize {
        let item = self.adopted(state, draft).await;
        self.record(item, "submission", json!({"submittedOn": RECEIVED_ON})).await;
        self.items[item].now.is_sent = true;
        item
    }

    async fn received(&mut self, state: &str, cluster: &'static str, draft: Draft) -> usize {
        let item = self.submitted(state, draft).await;
        self.record(item, "receipt", json!({"receivedOn": RECEIVED_ON, "cluster": cluster})).await;
        let before = self.items[item].now.clone();
        self.items[item].past.push(before);
        self.items[item].now.cluster = Some(cluster);
        self.items[item].now.is_in_hand = true;
        item
    }

    async fn in_treatment(&mut self, state: &str, draft: Draft) -> usize {
        let item = self.received(state, "so", draft).await;
        self.record(item, "treatment", json!({"on": "2026-10-02"})).await;
        item
    }

    async fn suspended(&mut self, state: &str, draft: Draft) -> usize {
        let item = self.received(state, "so", draft).await;
        let reason = self.plant(item, "suspension", Sees::Own, &[]);
        let body = json!({"from": "2026-10-05", "decidedOn": "2026-10-05", "reason": reason});
        self.record(item, "suspensions", body).await;
        item
    }

    /// An extension, a response that was not sent, a correction of it, and a draft of the final response.
    async fn fill(&mut self, item: usize, day: Option<&'static str>) {
        let reason = self.plant(item, "extension", Sees::Own, &[]);
        self.record(item, "extensions", json!({"days": 7, "decidedOn": "2026-10-13", "reason": reason}))
            .await;
        let reference = self.plant(item, "unsent-reference", Sees::All, &[]);
        let mut body = json!({
            "kind": "interim", "by": "official", "text": self.plant(item, "unsent-text", Sees::All, &[]),
            "references": [{"system": "ibabs-raad", "value": reference}],
            "considerations": {"weighing": self.plant(item, "unsent-weighing", Sees::All, &[])}
        });
        if day.is_some() {
            body["decidedOn"] = "2026-10-14".into();
        }
        let shown = self.record(item, "responses", body).await;
        let response = shown["responses"][0]["id"].as_str().unwrap().to_owned();
        self.items[item].secrets.push(Secret {
            text: response.clone(),
            field: "unsent-response",
            least: Sees::All,
            in_item: true,
            tables: &["responses"],
        });
        if let Some(day) = day {
            self.days.push((item, "unsent-day", day, Sees::All));
            let reason = self.plant(item, "unsent-correction", Sees::All, &[]);
            let field = format!("responses.{response}.decidedOn");
            self.record(item, "corrections", json!({"field": field, "value": day, "reason": reason})).await;
        }
        let draft = json!({
            "text": self.planted_elsewhere(item, "draft-text", Sees::All),
            "points": [{
                "number": 1, "outcome": "not_adopted",
                "reasons": self.planted_elsewhere(item, "draft-reasons", Sees::All)
            }],
            "considerations": {"weighing": self.planted_elsewhere(item, "draft-weighing", Sees::All)}
        });
        let path = format!("/v1/advice/{}/response-draft", self.items[item].id);
        let mut put = self.app.ask(Method::PUT, &path).token(&self.app.almighty());
        if !self.items.iter().any(|item| item.has_draft) {
            // This one others try again, with the same key.
            put = put.header("idempotency-key", KEY);
            self.replay = (path.clone(), draft.clone());
        }
        let put = put.json(draft).send().await;
        assert_eq!(put.status, StatusCode::CREATED, "{}", put.text());
        self.items[item].has_draft = true;
    }

    /// What was the subject is one no longer, and only who sees more than the public reads both.
    async fn corrected(&mut self, item: usize) {
        for secret in &mut self.items[item].secrets {
            if secret.field == "subject" {
                secret.least = Sees::Own;
                secret.tables = &[];
            }
        }
        let subject = self.plant(item, "new-subject", Sees::Public, &["advice"]);
        let reason = self.plant(item, "correction", Sees::Own, &[]);
        let value = format!("{WORD} {subject}");
        self.record(item, "corrections", json!({"field": "subject", "value": value, "reason": reason})).await;
    }

    async fn answered(&mut self, state: &str, cluster: &'static str, draft: Draft) -> usize {
        let invited = draft.invites_hoogvliet;
        let item = self.received(state, cluster, draft).await;
        if invited {
            self.record(item, "cosignatures", json!({"council": "hoogvliet", "signedOn": "2026-10-02"}))
                .await;
            self.items[item].hoogvliet = Some(true);
        }
        let mut answer = final_response("2026-10-20");
        answer["text"] = self.plant(item, "answer", Sees::Public, &[]).into();
        self.record(item, "responses", answer).await;
        let agreement = self.find(if state == "answered in public" {
            "agreement never public"
        } else {
            "agreement public"
        });
        let body = json!({
            "point": 1, "state": "planned", "on": "2026-10-25", "dueOn": "2027-01-01",
            "agreement": self.items[agreement].id, "note": self.plant(item, "follow-up", Sees::Own, &[])
        });
        self.record(item, "follow-ups", body).await;
        self.items[item].names.push((agreement, Sees::Public, "followUp.agreement"));
        let note = self.plant(item, "rating", Sees::Own, &[]);
        let body = json!({"council": "rozenburg", "on": "2026-11-01", "score": 2, "note": note});
        self.record(item, "ratings", body).await;
        item
    }

    async fn forwarded(&mut self, item: usize) {
        let reason = self.plant(item, "forwarding", Sees::Own, &[]);
        self.record(item, "forwarding", json!({"on": "2026-10-05", "cluster": "sb", "reason": reason})).await;
        let before = self.items[item].now.clone();
        self.items[item].past.push(before);
        self.items[item].now.cluster = Some("sb");
    }

    async fn withdrawn(&mut self, state: &str) -> usize {
        let item = self.received(state, "so", Draft::default()).await;
        let reason = self.plant(item, "withdrawal", Sees::Own, &[]);
        self.record(item, "withdrawal", json!({"on": "2026-10-10", "reason": reason})).await;
        item
    }

    async fn merged(&mut self, state: &str, into: &str, is_published: bool) -> usize {
        let item = self.received(state, "so", Draft::default()).await;
        if is_published {
            self.publish_advice(item).await;
        }
        let target = self.find(into);
        let reason = self.plant(item, "merge", Sees::Own, &[]);
        let body = json!({"into": self.items[target].id, "on": "2026-10-10", "reason": reason});
        self.record(item, "merge", body).await;
        self.items[item].merged_into = Some(target);
        self.items[item].names.push((target, Sees::Public, "merge.into"));
        item
    }

    async fn publish_advice(&mut self, item: usize) {
        self.record(item, "publication", json!({})).await;
        self.items[item].now.is_published = true;
        self.items[item].is_withdrawn = false;
    }

    async fn unpublish_advice(&mut self, item: usize) {
        let before = self.items[item].now.clone();
        self.items[item].past.push(before);
        self.record(item, "unpublication", json!({"reason": REASON})).await;
        self.items[item].now.is_published = false;
        self.items[item].is_withdrawn = true;
    }

    // Links from what is seen to what is not.

    async fn make_links(&mut self) {
        let all = self.app.almighty();
        let names = [
            ("agreement public", "carriedOverFrom", "agreement never public"),
            ("agreement public", "policyTrack", "policy track of others"),
            ("agreement published again", "advicePoint", "received by others"),
            ("agreement never public", "policyTrack", "policy track withdrawn"),
            ("agreement never public", "advicePoint", "published"),
        ];
        for (from, field, to) in names {
            let (from, to) = (self.find(from), self.find(to));
            let id = self.items[to].id.clone();
            let value = if field == "advicePoint" { json!({"advice": id, "point": 1}) } else { id.into() };
            let path = format!("/v1/agreements/{}", self.items[from].id);
            let reply = self.app.patched(&all, &path, json!({field: value})).await;
            assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
            self.items[from].names.push((to, Sees::All, field));
        }
        let commitment = self.find("commitment public");
        let named = [self.find("received"), self.find("published")];
        let ids: Vec<&str> = named.iter().map(|item| self.items[*item].id.as_str()).collect();
        let path = format!("/v1/commitments/{}", self.items[commitment].id);
        let reply = self.app.patched(&all, &path, json!({"advice": ids})).await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
        for item in named {
            self.items[commitment].names.push((item, Sees::All, "advice"));
        }
        let (request, given) = (self.find("request that went on"), self.find("forwarded to others"));
        self.items[request].names.push((given, Sees::All, "replies.advice"));
    }
}

fn advice_of(lead: &str) -> Facts {
    Facts {
        kind: Kind::Advice,
        councils: if lead == "pernis" { &["pernis"] } else { &["rozenburg"] },
        cluster: None,
        is_sent: false,
        is_in_hand: false,
        is_published: false,
        is_deleted: false,
    }
}
