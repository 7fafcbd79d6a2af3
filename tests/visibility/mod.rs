//! Who sees what: every role, at every item in every state, through every exit.
//!
//! `world` makes the items and plants in each field a text that stands nowhere else. `rules` says, from the design and not
//! from the code, who may see which. `walk` asks at each exit as each role, and looks through the answer for what this role may
//! not read and for what it must read. What is wrong names the role, the exit, the state and the secret.

mod rules;
mod walk;
mod world;

use actix_web::http::StatusCode;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::{Reply, accord_of, agreement_of, final_response, id_of};
use rules::Role;
use walk::Walk;
use world::World;

/// So many cells (a role, an exit and an item in a state) are looked at, at least; fewer means that the walk was cut short.
const CELLS: usize = 250_000;

/// So many things that are wrong are enough to read.
const ENOUGH: usize = 100;

/// Those who look at every form of every item; the others take turns.
const WHOLE: &[&str] = &["anonymous", "cluster's desk"];

/// Words for what is a volunteer's own and nobody else's.
const PRIVATE: &[&str] = &[
    "mail",
    "phone",
    "telephone",
    "telefoon",
    "mobile",
    "address",
    "adres",
    "street",
    "straat",
    "postcode",
    "zip",
    "birth",
    "geboorte",
    "bsn",
    "iban",
    "gender",
];

/// Every property below a schema, with the path to it.
fn properties(schema: &Value, path: &str, found: &mut Vec<String>) {
    match schema {
        Value::Object(fields) => {
            for (name, value) in fields {
                if name == "properties" && value.is_object() {
                    found.extend(value.as_object().unwrap().keys().map(|key| format!("{path}/{key}")));
                }
                properties(value, &format!("{path}/{name}"), found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| properties(item, path, found)),
        _ => {}
    }
}

/// No body that is taken or given has a place for what is private of a volunteer.
#[test]
fn there_is_no_field_for_what_is_private() {
    let document = api::openapi::document().unwrap();
    let mut found = Vec::new();
    properties(&document["components"]["schemas"], "", &mut found);
    assert!(found.len() > 400, "{}", found.len());
    for property in found {
        let name = property.rsplit('/').next().unwrap().to_lowercase();
        let private = PRIVATE.iter().find(|word| name.contains(*word));
        assert!(private.is_none(), "{property} has a place for {private:?}");
    }
}

on_both_databases! {
    async fn nobody_learns_more_than_the_rules_let_them(app: TestApp) {
        let world = World::made(app).await;
        let mut walk = Walk::new(&world).await;
        let roles = Role::all();
        for (turn, role) in roles.iter().enumerate() {
            walk.walk(role, turn, WHOLE.contains(&role.name.as_str())).await;
            if walk.found.wrong.len() > ENOUGH {
                break;
            }
        }
        let found = walk.found;
        println!(
            "{} cells: {} roles, {} items, {} requests; {} secrets met where they belong",
            found.cells,
            roles.len(),
            world.items.len(),
            found.requests,
            found.met
        );
        let first: Vec<&str> = found.wrong.iter().map(String::as_str).take(40).collect();
        assert!(found.wrong.is_empty(), "{} things are wrong:\n{}", found.wrong.len(), first.join("\n"));
        assert!(found.cells >= CELLS, "only {} cells were looked at", found.cells);
        assert!(found.met >= found.cells / 10, "only {} secrets were met", found.met);
        // The document names every status that was met on the way.
        let document = api::openapi::document().unwrap();
        for (route, status) in found.statuses {
            let declared = &document["paths"][&route]["get"]["responses"][status.to_string()];
            assert!(declared.is_object(), "GET {route} gives {status}, which the document does not name");
        }
    }

    /// Histories, items as known then, and the journal hold whole items: who may not audit is refused before anything is looked up,
    /// the same for what is there and what is not. The public daily roots tell a hash and nothing else.
    async fn the_past_is_for_who_audits(app: TestApp) {
        let world = World::made(app).await;
        let app = &world.app;
        // One of each list, the last: it has most behind it.
        let mut items = std::collections::BTreeMap::new();
        for item in &world.items {
            items.insert(item.list, item);
        }
        let nothing = "01a20b8c-0000-7000-8000-000000000000";
        let known_at = "knownAt=2026-11-23T11:00:00Z";
        let (mut cells, mut opened) = (0, 0);
        for role in Role::all() {
            let token = role.token(app);
            for (list, item) in &items {
                let of = |id: &str| [format!("/v1{list}/{id}/history"), format!("/v1{list}/{id}?{known_at}")];
                let paths = of(&item.id).into_iter().chain(of(nothing)).chain(["/v1/journal?limit=1000".to_owned()]);
                for path in paths {
                    let ask = token.iter().fold(app.get(&path), |ask, token| ask.token(token));
                    let reply = ask.send().await;
                    cells += 1;
                    if role.has("audit:read") {
                        opened += usize::from(reply.status == StatusCode::OK);
                        continue;
                    }
                    let expected = if role.is_anonymous() { StatusCode::UNAUTHORIZED } else { StatusCode::FORBIDDEN };
                    assert_eq!(reply.status, expected, "role '{}', exit {path}: {}", role.name, reply.text());
                    assert!(!reply.text().contains("zq-"), "role '{}', exit {path}: {}", role.name, reply.text());
                }
            }
            let ask = app.get("/v1/journal-roots?limit=1000");
            let roots = token.iter().fold(ask, |ask, token| ask.token(token)).send().await;
            assert_eq!(roots.status, StatusCode::OK, "role '{}'", role.name);
            for root in roots.json()["items"].as_array().unwrap() {
                assert_eq!(root.get("sequence").is_some_and(|it| !it.is_null()), role.has("audit:read"), "{root}");
            }
        }
        println!("{cells} cells of the past; {opened} opened to who audits");
        assert!(cells >= 3_000 && opened >= 50, "{cells} {opened}");
    }

    /// When what an item names is published, so is the name: copies and caches of the item are told.
    async fn a_name_appears_with_what_it_names(app: TestApp) {
        let accord = app.added("accords", accord_of("rozenburg")).await;
        let agreement = app.added("agreements", agreement_of(&accord, "1.1")).await;
        let id = app.received("rozenburg", "2026-10-01").await;
        app.record(&id, "responses", final_response("2026-10-20")).await;
        let follow_up =
            json!({"point": 1, "state": "planned", "on": "2026-10-25", "agreement": id_of(&agreement)});
        app.record(&id, "follow-ups", follow_up).await;
        app.record(&id, "publication", json!({})).await;
        let read = async || app.get(&format!("/v1/advice/{id}")).send().await;
        let named = |reply: &Reply| reply.json()["points"][0]["followUp"]["agreement"].clone();
        let before = read().await;
        assert_eq!(named(&before), Value::Null);
        let feed = app.get("/v1/changes?limit=1000").send().await.json();
        let next = feed["next"].as_str().unwrap().to_owned();
        for (event, body, shown) in [
            ("publication", json!({}), json!(id_of(&agreement))),
            ("unpublication", json!({"reason": "reden"}), Value::Null),
        ] {
            let version = read().await.json()["version"].as_i64().unwrap();
            app.tell(&accord, event, body).await;
            let after = read().await;
            assert_eq!((named(&after), after.json()["version"].as_i64()), (shown, Some(version + 1)), "{event}");
        }
        assert_ne!(read().await.header("etag"), before.header("etag"));
        let told = app.get(&format!("/v1/changes?limit=1000&after={next}")).send().await.json();
        let of_advice = told["items"].as_array().unwrap().iter().filter(|change| change["id"] == id.as_str());
        assert_eq!(of_advice.count(), 2);
        // One that its writer does not know of cannot be named.
        let cluster = app.token("treatment:write", &[], &["so"]);
        let tag = app.get(&format!("/v1/advice/{id}")).token(&cluster).send().await.header("etag");
        let unknown = json!({
            "point": 1, "state": "planned", "on": "2026-10-25", "agreement": "0199b0c4-7d1e-7c3a-9a51-3f3f6a1f2b11"
        });
        let refused = app.post(&format!("/v1/advice/{id}/follow-ups"), unknown);
        let refused = refused.token(&cluster).if_match(&tag).send().await;
        assert_eq!(refused.faults(), [("/agreement".to_owned(), "unknown".to_owned())]);
    }

    /// Where a function is asked for a name is refused, and who is below alderman has none.
    async fn an_official_is_a_function_and_has_no_name(app: TestApp) {
        let all = app.almighty();
        let refused = async |path: &str, body: Value, location: &str| {
            let reply = app.post(path, body).token(&all).if_match("\"1\"").send().await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{path}: {}", reply.text());
            assert_eq!(reply.faults()[0].0, location, "{path}");
        };
        for office in ["wijkmanager", "directeur", "wethouder-assistent"] {
            let holder = json!({"name": "A. Ambtenaar", "office": office});
            refused("/v1/office-holders", holder, "/office").await;
        }
        let holder = app.alderman().await;
        let talk = json!({"council": "rozenburg", "heldOn": "2026-10-01", "officeHolder": holder});
        let talk = app.added("talks", talk).await;
        let accord = app.added("accords", accord_of("rozenburg")).await;
        let agreement = app.added("agreements", agreement_of(&accord, "1.1")).await;
        for name in ["A. Ambtenaar", "Ambtenaar", "wijkmanager Ambtenaar", "a.ambtenaar", "a@rotterdam.nl", "06 1234"] {
            let lesson = json!({"text": "Eerder bellen", "owner": name});
            refused(&format!("{talk}/lessons"), lesson, "/owner").await;
            let escalation = json!({"on": "2026-04-01", "to": name});
            refused(&format!("{agreement}/escalations"), escalation, "/to").await;
            let assignment =
                json!({"council": "rozenburg", "role": "coordinator", "position": name, "from": "2026-01-01"});
            refused("/v1/assignments", assignment, "/position").await;
        }
        for function in ["wijkmanager", "wijkraadscoördinator", "manager cluster 2", "hoofd-inspecteur"] {
            app.tell(&talk, "lessons", json!({"text": "Eerder bellen", "owner": function})).await;
            app.tell(&agreement, "escalations", json!({"on": "2026-04-01", "to": function})).await;
        }
    }
}
