//! Who sees what: every role, at every item in every state, through every exit.
//!
//! `world` makes the items and plants in each field a text that stands nowhere else. `rules` says, from the design and not
//! from the code, who may see which. `walk` asks at each exit as each role, and looks through the answer for what this role may
//! not read and for what it must read. What is wrong names the role, the exit, the state and the secret.

mod rules;
mod walk;
mod world;

use crate::on_both_databases;
use crate::support::TestApp;
use rules::Role;
use walk::Walk;
use world::World;

/// So many cells (a role, an exit and an item in a state) are looked at, at least; fewer means that the walk was cut short.
const CELLS: usize = 100_000;

/// Those who look at every form of every item; the others take turns.
const WHOLE: &[&str] = &["anonymous", "coordinator", "cluster's desk", "auditor of a council"];

on_both_databases! {
    async fn nobody_learns_more_than_the_rules_let_them(app: TestApp) {
        let world = World::made(app).await;
        let mut walk = Walk::new(&world).await;
        let roles = Role::all();
        for (turn, role) in roles.iter().enumerate() {
            walk.walk(role, turn, WHOLE.contains(&role.name.as_str())).await;
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
}
