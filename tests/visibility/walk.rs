//! The walk of every role through every exit.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use actix_web::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::rules::{Role, Sees};
use super::world::{Item, KEY, MARK, REASON, WORD, World};
use crate::support::{Ask, PUBLIC_URL, Reply};

/// What a secret is found by, and what it is.
struct Known {
    item: usize,
    field: &'static str,
    least: Sees,
}

/// What the walk found.
#[derive(Default)]
pub struct Findings {
    /// Each is a role, an exit and an item in a state that were looked at together.
    pub cells: usize,
    /// How many secrets were met where they were to be met.
    pub met: usize,
    pub requests: usize,
    /// What was read that should not have been, or not been read that should.
    pub wrong: Vec<String>,
    /// What the document has to name: the route and the status.
    pub statuses: BTreeSet<(String, u16)>,
}

/// What was seen at an exit by its tag: two views never share one.
type Tags = HashMap<(String, String), (String, Vec<u8>)>;

pub struct Walk<'a> {
    world: &'a World,
    marks: HashMap<&'a str, Known>,
    ids: HashMap<&'a str, usize>,
    tags: Tags,
    /// What somebody who sees everything reads at an address: its tag and its body.
    whole: HashMap<String, (String, Vec<u8>)>,
    metrics: Vec<String>,
    pub found: Findings,
}

/// How an exit may speak of items.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Telling {
    /// Of what is seen now.
    Now,
    /// Of what was seen once it may tell the id: it is gone.
    Gone,
}

const TABLES: &[&str] = &[
    "advice",
    "advice-councils",
    "advice-themes",
    "points",
    "responses",
    "agreements",
    "progress",
    "judgements",
    "findings",
];

const LISTS: &[&str] = &[
    "/advice",
    "/advice-requests",
    "/accords",
    "/agreements",
    "/policy-tracks",
    "/participation-plans",
    "/talks",
    "/assignments",
    "/commitments",
    "/collegetargets",
];

/// What says the same to everybody, as long as it names nothing of the world.
const THE_REST: &[&str] = &[
    "/v1/codes",
    "/v1/openapi.json",
    "/v1/openapi.yaml",
    "/v1/councils",
    "/v1/councils/rozenburg",
    "/v1/areas",
    "/v1/neighbourhoods?limit=5",
    "/v1/clusters",
    "/v1/themes",
    "/v1/terms-of-office",
    "/v1/obligations",
    "/v1/term-rules",
    "/v1/office-holders",
    "/v1/bi",
    "/v1/bi/councils",
    "/v1/bi/office-holders",
    "/health/ready",
    "/health/live",
    "/docs",
    "/robots.txt",
    "/.well-known/api-catalog",
    "/v1/nowhere",
];

/// Fields that the search does not look through: a word of one of them finds nothing.
const UNSEARCHED: &[&str] = &[
    "suspension",
    "extension",
    "unsent-text",
    "unsent-reference",
    "unsent-weighing",
    "draft-text",
    "draft-reasons",
    "correction",
    "forwarding",
    "withdrawal",
    "merge",
    "rating",
    "follow-up",
    "answer",
];

/// At the items that have most to hide every role asks everything.
const RICH: &[&str] = &["received", "published", "answered in public"];

/// What is asked at the address of an advice.
const AT_ADVICE: &[&str] = &[
    "",
    "?on",
    "html",
    "/timeline",
    "/term",
    "/response-draft",
    "/history",
    "head",
    "tag",
    "any tag",
    "write",
];
/// What is asked at the address of anything else.
const AT_OTHERS: &[&str] = &["", "head", "tag", "any tag", "log", "write"];

impl<'a> Walk<'a> {
    pub async fn new(world: &'a World) -> Self {
        let mut marks = HashMap::new();
        for (item, of_item) in world.items.iter().enumerate() {
            for secret in &of_item.secrets {
                let known = Known { item, field: secret.field, least: secret.least };
                assert!(marks.insert(secret.text.as_str(), known).is_none(), "{} stands twice", secret.text);
            }
        }
        let ids = world.items.iter().enumerate().map(|(item, of_item)| (of_item.id.as_str(), item)).collect();
        let metrics = world.app.get("/v1/metrics?limit=1000").send().await.json();
        let metrics = metrics["items"].as_array().unwrap().iter();
        let metrics = metrics.map(|metric| metric["code"].as_str().unwrap().to_owned()).collect();
        let mut whole = HashMap::new();
        for item in &world.items {
            let path = format!("/v1{}/{}", item.list, item.id);
            let reply = world.app.get(&path).token(&world.app.almighty()).send().await;
            whole.insert(path, (reply.header("etag"), reply.body));
        }
        Self { world, marks, ids, tags: HashMap::new(), whole, metrics, found: Findings::default() }
    }

    /// Walks all of it as one role. `turn` decides which of the forms of an exit it looks at, where it does not look at all.
    pub async fn walk(&mut self, role: &Role, turn: usize, whole: bool) {
        let token = role.token(&self.world.app);
        let items = self.world.items.iter();
        let once = |item: &Item| item.past.iter().any(|past| role.sees(past).is_some());
        let seen = items.map(|item| (role.sees(&item.now), once(item))).collect();
        let mut walker = Walker { walk: self, role, token, turn, seen, listed: HashMap::new() };
        walker.lists(whole).await;
        walker.filters(whole).await;
        walker.feed().await;
        walker.tables(whole).await;
        walker.figures(whole).await;
        walker.rest(whole).await;
        walker.items(whole).await;
        walker.replay().await;
    }
}

/// One role on its walk.
struct Walker<'w, 'a> {
    walk: &'w mut Walk<'a>,
    role: &'w Role,
    token: Option<String>,
    turn: usize,
    /// What the rules say of each item, now and before.
    seen: Vec<(Option<Sees>, bool)>,
    /// The items of its lists, as JSON.
    listed: HashMap<usize, Value>,
}

impl Walker<'_, '_> {
    fn world(&self) -> &World {
        self.walk.world
    }

    fn wrong(&mut self, exit: &str, state: &str, what: String) {
        let line = format!("role '{}', exit {exit}, state '{state}': {what}", self.role.name);
        self.walk.found.wrong.push(line);
    }

    fn expect(&mut self, holds: bool, exit: &str, state: &str, what: impl FnOnce() -> String) {
        if !holds {
            self.wrong(exit, state, what());
        }
    }

    fn sees(&self, item: usize) -> Option<Sees> {
        self.seen[item].0
    }

    fn saw_once(&self, item: usize) -> bool {
        self.seen[item].1
    }

    fn visible(&self, list: &str) -> BTreeSet<usize> {
        let items = 0..self.world().items.len();
        items.filter(|item| self.world().items[*item].list == list && self.sees(*item).is_some()).collect()
    }

    fn states(&self, items: &BTreeSet<usize>) -> Vec<&str> {
        items.iter().map(|item| self.world().items[*item].state.as_str()).collect()
    }

    async fn send(&mut self, ask: Ask, route: Option<&str>) -> Reply {
        self.walk.found.requests += 1;
        let reply = if let Some(token) = &self.token { ask.token(token) } else { ask }.send().await;
        if let Some(route) = route {
            self.walk.found.statuses.insert((route.to_owned(), reply.status.as_u16()));
        }
        reply
    }

    /// Asks for a list and looks through it. None where its scope is missing.
    async fn list(&mut self, path: &str, telling: Telling) -> Option<Reply> {
        let ask = self.world().app.get(&format!("/v1{path}"));
        let route = path.split('?').next().unwrap_or_default().to_owned();
        let reply = self.send(ask, None).await;
        self.search(&reply, path, None, telling);
        self.walk.found.cells += self.world().items.len();
        self.same_tag_same_body(path, &reply);
        if self.role.may_ask(&route) {
            self.expect(reply.status == StatusCode::OK, path, "any", || format!("{}", reply.status));
            return (reply.status == StatusCode::OK).then_some(reply);
        }
        let refusal = if self.role.is_anonymous() { StatusCode::UNAUTHORIZED } else { StatusCode::FORBIDDEN };
        self.expect(reply.status == refusal, path, "any", || format!("{} and not {refusal}", reply.status));
        None
    }

    /// Finds every planted text, id and day that the role may not read here. `asked` is the item whose address it is, so that
    /// its id is no news.
    fn search(&mut self, reply: &Reply, exit: &str, asked: Option<usize>, telling: Telling) {
        let headers: String =
            reply.headers.iter().map(|(name, value)| format!("{name}: {value:?}\n")).collect();
        for text in [reply.text(), headers] {
            self.search_text(&text, exit, asked, telling);
        }
    }

    fn search_text(&mut self, text: &str, exit: &str, asked: Option<usize>, telling: Telling) {
        let audits = exit.ends_with("/history") && self.role.has("audit:read");
        let mut wrong: Vec<(Option<usize>, String)> = Vec::new();
        for mark in marks_in(text) {
            // What was asked for stands in the address of the page.
            if exit.contains(mark) {
                continue;
            }
            match self.walk.marks.get(mark) {
                Some(Known { item, field, least }) => {
                    let whole_by_audit = audits && asked == Some(*item);
                    if whole_by_audit || self.sees(*item) >= Some(*least) {
                        self.walk.found.met += 1;
                    } else {
                        wrong.push((Some(*item), format!("reads the secret {mark} of the field '{field}'")));
                    }
                }
                None if mark == "zq-unplaced-row" && self.role.has("import") => self.walk.found.met += 1,
                None => wrong.push((None, format!("reads {mark}, which nobody may read here"))),
            }
        }
        for id in ids_in(text) {
            if let Some(Known { item, field, least }) = self.walk.marks.get(id) {
                let whole_by_audit = audits && asked == Some(*item);
                if !whole_by_audit && self.sees(*item) < Some(*least) {
                    wrong.push((Some(*item), format!("reads the secret id {id} of the field '{field}'")));
                }
            }
            let Some(item) = self.walk.ids.get(id).copied() else { continue };
            let gone = telling == Telling::Gone && self.saw_once(item);
            // Who audits reads the item whole, and so the ids that it names.
            if self.sees(item).is_none() && asked != Some(item) && !gone && !audits && !exit.contains(id) {
                wrong.push((Some(item), format!("reads the id of this item, {id}")));
            }
        }
        if !exit.contains("/bi/dates") {
            for (item, field, day, least) in self.world().days.clone() {
                let whole_by_audit = audits && asked == Some(item);
                if text.contains(day) && !whole_by_audit && self.sees(item) < Some(least) {
                    wrong.push((Some(item), format!("reads the secret day {day} of the field '{field}'")));
                }
            }
        }
        if !audits && text.contains("test internal:read") {
            wrong.push((asked, "reads who wrote it".to_owned()));
        }
        wrong.sort();
        wrong.dedup();
        for (item, what) in wrong {
            let state = item.map_or("any", |item| self.walk.world.items[item].state.as_str());
            self.wrong(exit, state, what);
        }
    }

    /// A tag stands for one body.
    fn same_tag_same_body(&mut self, exit: &str, reply: &Reply) {
        let tag = reply.header("etag");
        if tag.is_empty() || reply.status != StatusCode::OK {
            return;
        }
        let key = (exit.to_owned(), tag.clone());
        match self.walk.tags.get(&key) {
            None => drop(self.walk.tags.insert(key, (self.role.name.clone(), reply.body.clone()))),
            Some((_, body)) if *body == reply.body => {}
            Some((other, _)) => {
                let what = format!("shares the ETag {tag} with role '{other}', who reads another body");
                self.wrong(exit, "any", what);
            }
        }
    }

    /// One of so many roles looks at this; all do so together.
    fn is_its_turn(&self, place: usize, share: usize) -> bool {
        (self.turn + place).is_multiple_of(share)
    }

    fn forms(&self, count: usize, more: usize) -> usize {
        (self.turn + more) % count
    }

    /// Every list shows what the role sees, all of what it sees of it, and nothing else; so do its other forms.
    async fn lists(&mut self, whole: bool) {
        for (place, list) in LISTS.iter().enumerate() {
            let visible = self.visible(list);
            let Some(reply) = self.list(&format!("{list}?limit=1000&count=true"), Telling::Now).await else {
                continue;
            };
            let page = reply.json();
            let mut there = BTreeSet::new();
            let mut others = 0;
            for shown in page["items"].as_array().unwrap() {
                match self.walk.ids.get(shown["id"].as_str().unwrap()).copied() {
                    Some(item) => {
                        there.insert(item);
                        self.shows(item, shown, list);
                        self.listed.insert(item, shown.clone());
                    }
                    // One target is there from the start.
                    None => others += 1,
                }
            }
            let differ = format!("{:?} and not {:?}", self.states(&there), self.states(&visible));
            self.expect(there == visible, list, "any", || differ);
            let expected = visible.len() + others;
            self.expect(page["total"] == expected, list, "any", || {
                format!("counts {} and not {expected}", page["total"])
            });
            let lost: BTreeSet<usize> = (0..self.world().items.len())
                .filter(|item| self.world().items[*item].list == *list)
                .filter(|item| self.sees(*item).is_none() && self.saw_once(*item))
                .collect();
            if !whole && !self.is_its_turn(place, 2) {
                continue;
            }
            match self.forms(6, place) / 2 {
                0 => {
                    // The list of requests has no tombstones.
                    let path = format!("{list}?limit=1000&modifiedSince=2026-01-01T00:00:00Z");
                    let Some(reply) = self.list(&path, Telling::Gone).await else { continue };
                    let page = reply.json();
                    let gone =
                        page["items"].as_array().unwrap().iter().filter(|item| item["deleted"] == true);
                    let ids = gone.map(|item| item["id"].as_str().unwrap().to_owned());
                    let gone: BTreeSet<usize> = ids.map(|id| self.walk.ids[id.as_str()]).collect();
                    let differ = format!("{:?} and not {:?}", self.states(&gone), self.states(&lost));
                    self.expect(gone == lost, &path, "any", || format!("hears of the end of {differ}"));
                }
                form => {
                    let csv = ["rfc4180", "nl-excel"][form - 1];
                    let path = format!("{list}?limit=1000&csv={csv}");
                    let Some(reply) = self.list(&path, Telling::Now).await else { continue };
                    let text = reply.text();
                    let ids: BTreeSet<usize> = visible
                        .iter()
                        .copied()
                        .filter(|item| text.contains(self.world().items[*item].id.as_str()))
                        .collect();
                    self.expect(ids == visible, &path, "any", || "misses rows".to_owned());
                }
            }
        }
    }

    /// An item on a list says all that the role may know of it, and names of others only what it may know.
    fn shows(&mut self, item: usize, shown: &Value, exit: &str) {
        let text = shown.to_string();
        let Some(sees) = self.sees(item) else { return };
        let Item { state, secrets, names, hoogvliet, .. } = &self.world().items[item];
        let state = state.clone();
        let mut wrong = Vec::new();
        for secret in secrets.iter().filter(|secret| secret.in_item && secret.least <= sees) {
            if !text.contains(&secret.text) {
                wrong.push(format!("misses {}", secret.text));
            }
        }
        for (other, least, field) in names {
            let expected = sees >= *least && self.sees(*other).is_some();
            if text.contains(&self.world().items[*other].id) != expected {
                let verb = if expected { "misses" } else { "reads" };
                wrong.push(format!(
                    "{verb} the id of '{}' in the field '{field}'",
                    self.world().items[*other].state
                ));
            }
        }
        if self.world().items[item].list == "/advice" {
            let expected = match hoogvliet {
                None => false,
                Some(signed) => *signed || sees >= Sees::Own,
            };
            if text.contains("hoogvliet") != expected {
                wrong.push(format!("shows Hoogvliet behind it: {}", !expected));
            }
        }
        for what in wrong {
            self.wrong(exit, &state, what);
        }
    }

    /// A filter finds nothing by what the role does not see.
    async fn filters(&mut self, whole: bool) {
        let seen: BTreeMap<usize, Sees> = self
            .visible("/advice")
            .into_iter()
            .filter_map(|item| self.sees(item).map(|sees| (item, sees)))
            .collect();
        let by_hoogvliet = |item: &usize, sees: &Sees| match self.world().items[*item].hoogvliet {
            Some(signed) => signed || *sees >= Sees::Own,
            None => false,
        };
        let hoogvliet = seen.iter().filter(|(item, sees)| by_hoogvliet(item, sees)).map(|(item, _)| *item);
        let mut asked: Vec<(String, BTreeSet<usize>)> = vec![
            (format!("search={WORD}"), seen.keys().copied().collect()),
            ("council=hoogvliet".to_owned(), hoogvliet.collect()),
        ];
        let secret = |state: &str, field: &str| {
            let item = self.world().find(state);
            let found = self.world().items[item].secrets.iter().find(|secret| secret.field == field);
            (item, found.unwrap_or_else(|| panic!("{state} has no {field}")).text.clone())
        };
        for state in ["received", "published"] {
            let (item, reference) = secret(state, "unsent-reference");
            let found = seen.get(&item).filter(|sees| **sees == Sees::All).map(|_| item);
            asked.push((format!("reference={reference}"), found.into_iter().collect()));
        }
        // Who may not know of the one is not told what names it.
        for (field, state) in [
            ("request", "request"),
            ("request", "request that went on"),
            ("secondRoundOf", "received"),
            ("secondRoundOf", "published"),
        ] {
            let target = self.world().find(state);
            let named = |item: &usize, sees: &Sees| {
                let names = self.world().items[*item].names.iter();
                names
                    .into_iter()
                    .any(|(other, least, name)| *other == target && *name == field && sees >= least)
            };
            let found = seen.iter().filter(|(item, sees)| named(item, sees)).map(|(item, _)| *item).collect();
            let found = if self.sees(target).is_some() { found } else { BTreeSet::new() };
            asked.push((format!("{field}={}", self.world().items[target].id), found));
        }
        for field in UNSEARCHED {
            asked.push((format!("search={MARK}{field}"), BTreeSet::new()));
        }
        for (place, (query, expected)) in asked.into_iter().enumerate() {
            if whole || self.is_its_turn(place, 4) {
                self.finds("/advice", &query, &expected).await;
            }
        }
        let agreements = self.visible("/agreements");
        for (place, (field, state)) in [
            ("policyTrack", "policy track of others"),
            ("policyTrack", "policy track withdrawn"),
            ("accord", "accord never public"),
        ]
        .into_iter()
        .enumerate()
        {
            if !whole && !self.is_its_turn(place, 3) {
                continue;
            }
            let target = self.world().find(state);
            let named = |item: &usize| {
                let names = self.world().items[*item].names.iter();
                names.into_iter().any(|(other, _, known)| *other == target && *known == field)
            };
            let found = agreements.iter().copied().filter(named).collect();
            let found = if self.sees(target).is_some() { found } else { BTreeSet::new() };
            let query = format!("{field}={}", self.world().items[target].id);
            self.finds("/agreements", &query, &found).await;
        }
    }

    async fn finds(&mut self, list: &str, query: &str, expected: &BTreeSet<usize>) {
        let path = format!("{list}?limit=1000&count=true&{query}");
        let Some(reply) = self.list(&path, Telling::Now).await else { return };
        let page = reply.json();
        let ids = page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap());
        let found: BTreeSet<usize> = ids.map(|id| self.walk.ids[id]).collect();
        let differ = format!("finds {:?} and not {:?}", self.states(&found), self.states(expected));
        self.expect(found == *expected && page["total"] == expected.len(), &path, "any", || differ);
    }

    /// The feed, replayed from the start, rebuilds exactly the lists.
    async fn feed(&mut self) {
        let mut copy: BTreeMap<String, Value> = BTreeMap::new();
        let mut path = "/changes?limit=1000".to_owned();
        loop {
            let Some(reply) = self.list(&path, Telling::Gone).await else { return };
            let page = reply.json();
            for change in page["items"].as_array().unwrap() {
                let id = change["id"].as_str().unwrap().to_owned();
                if change["deleted"] == true {
                    copy.remove(&id);
                } else {
                    copy.insert(id, change["item"].clone());
                }
            }
            if page["more"] == false {
                break;
            }
            path = format!("/changes?limit=1000&after={}", page["next"].as_str().unwrap());
        }
        for item in 0..self.world().items.len() {
            let Item { state, id, list, .. } = &self.world().items[item];
            let (state, list) = (state.clone(), *list);
            let held = copy.get(id);
            let sees = self.sees(item).is_some();
            if held.is_some() != sees {
                let what = format!("holds it after the replay: {}", held.is_some());
                self.wrong("/changes", &state, what);
            } else if self.role.may_ask(list) && held != self.listed.get(&item) {
                let what = format!("holds {held:?} and not {:?}", self.listed.get(&item));
                self.wrong("/changes", &state, what);
            }
        }
    }

    /// The flat tables show what the lists show.
    async fn tables(&mut self, whole: bool) {
        for (place, table) in TABLES.iter().enumerate() {
            let Some(reply) = self.list(&format!("/bi/{table}"), Telling::Now).await else { continue };
            let text = reply.text();
            let mut missed = Vec::new();
            for (item, of_item) in self.world().items.iter().enumerate() {
                let seen = self.sees(item);
                let shown = |secret: &&super::world::Secret| {
                    secret.tables.contains(table) && seen >= Some(secret.least)
                };
                for secret in of_item.secrets.iter().filter(shown) {
                    if !text.contains(&secret.text) {
                        missed.push((of_item.state.clone(), format!("misses {}", secret.text)));
                    }
                }
            }
            for (state, what) in missed {
                self.wrong(&format!("/bi/{table}"), &state, what);
            }
            if !whole && !self.is_its_turn(place, 2) {
                continue;
            }
            let (query, telling) = [
                ("csv=rfc4180", Telling::Now),
                ("csv=nl-excel", Telling::Now),
                ("modifiedSince=2026-01-01T00:00:00Z", Telling::Gone),
            ][self.forms(6, place) / 2];
            self.list(&format!("/bi/{table}?{query}"), telling).await;
        }
    }

    /// Figures count what is hidden too, and say nothing else of it.
    async fn figures(&mut self, whole: bool) {
        let share = if whole { 1 } else { 8 };
        for place in (self.turn % share..self.walk.metrics.len()).step_by(share) {
            let code = self.walk.metrics[place].clone();
            let Some(reply) = self.list(&format!("/metrics/{code}"), Telling::Now).await else { continue };
            let total = reply.json()["total"].clone();
            let behind = total["items"].as_str().unwrap().trim_start_matches("/v1").to_owned();
            let counted = ["denominator", "n", "count"].iter().find_map(|key| total[*key].as_u64());
            let Some(reply) = self.list(&format!("{behind}&limit=1000"), Telling::Now).await else {
                continue;
            };
            let page = reply.json();
            let rows = page["items"].as_array().unwrap().len() as u64;
            self.expect(counted == Some(rows), &behind, "any", || format!("{rows} rows behind {counted:?}"));
            if whole {
                self.list(&format!("{behind}&limit=1000&csv=rfc4180"), Telling::Now).await;
            }
        }
        self.list("/metrics", Telling::Now).await;
        self.list("/coverage", Telling::Now).await;
        self.list("/unplaced-rows", Telling::Now).await;
    }

    /// What is the same for everybody, and a page of which the next begins after something hidden.
    async fn rest(&mut self, whole: bool) {
        for path in THE_REST.iter().filter(|_| whole) {
            let ask = self.world().app.get(path);
            let reply = self.send(ask, None).await;
            self.search(&reply, path, None, Telling::Now);
            self.walk.found.cells += self.world().items.len();
        }
        if whole {
            // Page by page: neither cursor nor Link tells of what lies between.
            let mut next = Some(format!("{PUBLIC_URL}/v1/advice?limit=3"));
            while let Some(path) = next {
                let path = path.trim_start_matches(PUBLIC_URL).trim_start_matches("/v1").to_owned();
                let Some(reply) = self.list(&path, Telling::Now).await else { break };
                next = reply.json()["next"].as_str().map(str::to_owned);
                if let Some(cursor) = next.as_deref().and_then(|next| next.split("cursor=").nth(1)) {
                    use base64::Engine;
                    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(cursor).unwrap();
                    self.search_text(&String::from_utf8(bytes).unwrap(), &path, None, Telling::Now);
                }
            }
        }
    }

    async fn items(&mut self, whole: bool) {
        for item in 0..self.world().items.len() {
            let at = if self.world().items[item].list == "/advice" { AT_ADVICE } else { AT_OTHERS };
            for (place, form) in at.iter().enumerate() {
                // Every role meets a third of the items, each by another way; every item meets every way.
                let own = self.is_its_turn(item, 3) && place == self.forms(3 * at.len(), item) / 3;
                let rich = RICH.contains(&self.world().items[item].state.as_str());
                if whole || own || rich {
                    self.item(item, form).await;
                }
            }
        }
    }

    /// One question at the address of an item.
    async fn item(&mut self, item: usize, form: &str) {
        let Item { state, list, id, is_withdrawn, merged_into, has_draft, logs, .. } =
            &self.world().items[item];
        let (state, list, merged_into, has_draft) = (state.clone(), *list, *merged_into, *has_draft);
        let (address, log) = (format!("/v1{list}/{id}"), logs.first().copied().unwrap_or_default());
        let hidden = if *is_withdrawn { StatusCode::GONE } else { StatusCode::NOT_FOUND };
        let app = self.world().app.clone();
        let sees = self.sees(item);
        let (route, ask) = match form {
            "html" => (format!("{list}/{{id}}"), app.get(&address).header("accept", "text/html")),
            "?on" => (format!("{list}/{{id}}"), app.get(&format!("{address}?on=2026-10-15"))),
            "head" => (format!("{list}/{{id}}"), app.ask(Method::HEAD, &address)),
            "tag" => {
                let tag = self.walk.whole[&address].0.clone();
                let tag = if tag.is_empty() { "\"1\"".to_owned() } else { tag };
                (format!("{list}/{{id}}"), app.get(&address).header("if-none-match", &tag))
            }
            "any tag" => (format!("{list}/{{id}}"), app.get(&address).header("if-none-match", "*")),
            "log" if log.is_empty() => return,
            "log" => (format!("{list}/{{id}}/{log}"), app.get(&format!("{address}/{log}"))),
            "write" => return self.write(item, &address, hidden).await,
            below => (format!("{list}/{{id}}{below}"), app.get(&format!("{address}{below}"))),
        };
        let exit = match form {
            "html" | "head" | "tag" | "any tag" => format!("{route} ({form})"),
            _ => route.clone(),
        };
        let reply = self.send(ask, Some(&route)).await;
        self.walk.found.cells += 1;
        self.search(&reply, &exit, Some(item), Telling::Now);
        self.same_tag_same_body(&format!("{address} {form}"), &reply);

        let is_item = matches!(form, "" | "?on" | "html" | "head" | "tag" | "any tag");
        let expected = match (self.role.may_ask(&route), sees) {
            (false, _) if self.role.is_anonymous() => StatusCode::UNAUTHORIZED,
            (false, _) => StatusCode::FORBIDDEN,
            // The auditor reads the journal, which knows of everything.
            _ if form == "/history" => StatusCode::OK,
            (true, None) => hidden,
            (true, Some(_)) if form == "/response-draft" && !(has_draft && sees == Some(Sees::All)) => {
                StatusCode::NOT_FOUND
            }
            (true, Some(_)) => match merged_into.filter(|_| is_item) {
                Some(target) if self.sees(target).is_some() => StatusCode::PERMANENT_REDIRECT,
                Some(_) => StatusCode::NOT_FOUND,
                None if form == "any tag" => StatusCode::NOT_MODIFIED,
                None => StatusCode::OK,
            },
        };
        if form == "tag" && expected == StatusCode::OK {
            // What somebody else holds is what he holds only if it says the same.
            let same = self.listed.get(&item).is_some_and(|shown| {
                serde_json::from_slice::<Value>(&self.walk.whole[&address].1)
                    .is_ok_and(|whole| *shown == whole)
            });
            let fits = if same {
                matches!(reply.status, StatusCode::NOT_MODIFIED | StatusCode::OK)
            } else {
                reply.status == StatusCode::OK
            };
            self.expect(fits, &exit, &state, || {
                format!("{} on the ETag of somebody who reads more", reply.status)
            });
            return;
        }
        self.expect(reply.status == expected, &exit, &state, || {
            format!("{} and not {expected}", reply.status)
        });
        match (form, reply.status) {
            ("", StatusCode::OK) if self.role.may_ask(list) => {
                let shown = reply.json();
                if Some(&shown) != self.listed.get(&item) {
                    self.wrong(&exit, &state, format!("is other than on the list: {shown}"));
                }
            }
            ("/response-draft", StatusCode::OK) => {
                let text = reply.text();
                let secrets = self.world().items[item].secrets.iter().filter(|secret| !secret.in_item);
                let missed: Vec<String> =
                    secrets.filter(|secret| !text.contains(&secret.text)).map(|s| s.text.clone()).collect();
                self.expect(missed.is_empty(), &exit, &state, || format!("misses {missed:?}"));
            }
            ("/history", StatusCode::OK) => {
                let text = reply.text();
                let secrets = self.world().items[item].secrets.iter().filter(|secret| secret.in_item);
                let missed: Vec<String> =
                    secrets.filter(|secret| !text.contains(&secret.text)).map(|s| s.text.clone()).collect();
                self.expect(missed.is_empty(), &exit, &state, || format!("misses {missed:?}"));
            }
            (_, StatusCode::PERMANENT_REDIRECT) => {
                let target = merged_into.map(|target| &self.world().items[target].id);
                let location = target.map(|id| format!("{PUBLIC_URL}/v1/advice/{id}")).unwrap_or_default();
                let led = reply.header("location");
                self.expect(led == location, &exit, &state, || format!("is led to {led}"));
            }
            (_, StatusCode::GONE) if form != "head" => {
                let told = reply.json();
                self.expect(told["reason"] == REASON, &exit, &state, || format!("gives the reason {told}"));
            }
            _ => {}
        }
    }

    /// A change that lacks its version: what is refused tells nothing of what is hidden.
    async fn write(&mut self, item: usize, address: &str, hidden: StatusCode) {
        let Item { state, list, .. } = &self.world().items[item];
        let (state, list) = (state.clone(), *list);
        let (event, scope, body) = match list {
            "/advice" => ("withdrawal", "advice:write", json!({"on": "2026-10-12", "reason": "x"})),
            "/advice-requests" => {
                ("refusals", "advice:write", json!({"council": "rozenburg", "on": "2026-10-12"}))
            }
            "/agreements" => ("progress", "progress:write", json!({"state": "running", "on": "2026-04-01"})),
            "/participation-plans" => (
                "findings",
                "judgements:write",
                json!({"council": "rozenburg", "promise": 1, "verdict": "kept", "on": "2026-10-01"}),
            ),
            "/accords" | "/policy-tracks" | "/talks" => ("publication", "publish", json!({})),
            _ => return,
        };
        let exit = format!("POST {list}/{{id}}/{event}");
        for tag in [None, Some("\"99.x\"")] {
            let ask = self.world().app.post(&format!("{address}/{event}"), body.clone());
            let ask = match tag {
                Some(tag) => ask.if_match(tag),
                None => ask,
            };
            let reply = self.send(ask, None).await;
            self.walk.found.cells += 1;
            self.search(&reply, &exit, Some(item), Telling::Now);
            let fits = match (self.role.has(scope), self.sees(item)) {
                (false, _) if self.role.is_anonymous() => reply.status == StatusCode::UNAUTHORIZED,
                (false, _) => reply.status == StatusCode::FORBIDDEN,
                (true, None) => reply.status == hidden,
                (true, Some(_)) => matches!(
                    reply.status,
                    StatusCode::FORBIDDEN
                        | StatusCode::PRECONDITION_REQUIRED
                        | StatusCode::PRECONDITION_FAILED
                        | StatusCode::CONFLICT
                ),
            };
            self.expect(fits, &exit, &state, || format!("{}: {}", reply.status, reply.text()));
        }
    }

    /// Somebody else's change, sent again with the same key: its answer is not for this role.
    async fn replay(&mut self) {
        let (path, body) = self.world().replay.clone();
        let ask = self.world().app.ask(Method::PUT, &path).header("idempotency-key", KEY).json(body);
        let reply = self.send(ask, None).await;
        self.walk.found.cells += 1;
        let asked = Some(self.world().find("received"));
        self.search(&reply, "PUT /advice/{id}/response-draft (replay)", asked, Telling::Now);
        let fits = !reply.status.is_success();
        self.expect(fits, "PUT /advice/{id}/response-draft (replay)", "received", || {
            format!("gets the answer that somebody else got: {}", reply.text())
        });
    }
}

/// Whatever was planted, in this text.
fn marks_in(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices(MARK).map(|(start, _)| {
        let rest = &text[start..];
        let end = rest.find(|c: char| !c.is_ascii_lowercase() && !c.is_ascii_digit() && c != '-');
        &rest[..end.unwrap_or(rest.len())]
    })
}

/// The ids (UUIDv7) in this text.
fn ids_in(text: &str) -> impl Iterator<Item = &str> {
    text.match_indices("-7").filter_map(|(dash, _)| {
        let id = text.get(dash.checked_sub(13)?..dash + 23)?;
        id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-').then_some(id)
    })
}
