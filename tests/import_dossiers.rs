//! Agreements, what was said of them, commitments and measurements, read from files: all or nothing, once, and nothing dropped
//! silently.

use api::import::dossiers::{Options, run};
use api::import::{ImportError, Outcome, report};
use domain::import::dossiers::Source;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::TestApp;

const AGREEMENTS: &str =
    "council,planYear,number,title,size,cluster,party,agreedOn,dueOn,ongoingReason,themes,reference\n";
const JUDGEMENTS: &str = "council,planYear,number,colour,realised,on,note\n";

/// The files that the documentation shows.
const EXAMPLES: [(Source, &str, usize); 5] = [
    (Source::Agreements, include_str!("../docs/examples/agreements.csv"), 7),
    (Source::Progress, include_str!("../docs/examples/progress.csv"), 2),
    (Source::Judgements, include_str!("../docs/examples/judgements.csv"), 3),
    (Source::Commitments, include_str!("../docs/examples/commitments.csv"), 2),
    (Source::Measurements, include_str!("../docs/examples/measurements.csv"), 1),
];

const MAKING_ACCORDS: Options = Options { make_accords: true, rehearse: false };

fn agreement(council: &str, number: &str, title: &str) -> String {
    format!("{council},2026,{number},{title},klein,so,,2026-04-01,2026-12-31,,mobility,\n")
}

fn import(app: &TestApp, source: Source, text: &str, options: Options) -> Outcome {
    run(&app.store, app.clock.now(), source, text.as_bytes(), options).unwrap()
}

fn actions(outcome: &Outcome) -> Vec<(u64, &'static str)> {
    outcome.lines.iter().map(|line| (line.line, line.action)).collect()
}

/// Where the journal ends: it does not move where nothing is written.
fn head(app: &TestApp) -> i64 {
    app.store.read::<_, persistence::StoreError>(persistence::journal::head).unwrap().0
}

async fn listed(app: &TestApp, path: &str) -> Vec<Value> {
    let reply = app.get(path).token(&app.almighty()).send().await;
    assert_eq!(reply.status, 200, "{path}: {}", reply.text());
    reply.json()["items"].as_array().unwrap().clone()
}

async fn reasons(app: &TestApp) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let rows = listed(app, "/v1/unplaced-rows").await;
    rows.iter().map(|row| (text(&row["row"]), text(&row["reason"]))).collect()
}

fn is_whole(app: &TestApp) -> Vec<String> {
    let report = app.store.read::<_, persistence::StoreError>(persistence::check::all).unwrap();
    report.problems.iter().map(ToString::to_string).collect()
}

on_both_databases! {
    async fn the_examples_of_the_documentation_import_once(app: TestApp) {
        for (source, text, changes) in EXAMPLES {
            let outcome = import(&app, source, text, MAKING_ACCORDS);
            let unplaced: Vec<_> = outcome.lines.iter().filter(|line| line.action == "unplaced").collect();
            assert!(unplaced.is_empty(), "{source:?}: {unplaced:?}");
            assert_eq!(outcome.changes, changes, "{source:?}: {outcome}");
        }
        let before = head(&app);
        for (source, text, _) in EXAMPLES {
            let again = import(&app, source, text, MAKING_ACCORDS);
            assert_eq!(again.changes, 0, "{source:?}: {again}");
            assert!(again.lines.iter().all(|line| line.action == "unchanged"), "{:?}", again.lines);
            assert!(again.to_string().ends_with("; 0 changes"), "{again}");
        }
        assert_eq!(head(&app), before);
        assert_eq!(is_whole(&app), Vec::<String>::new());

        // What was made is not public before somebody publishes its accord.
        assert_eq!(app.get("/v1/agreements?count=true").send().await.json()["total"], 0);
        let agreements = listed(&app, "/v1/agreements?council=rozenburg").await;
        assert_eq!(agreements.len(), 2);
        let states: Vec<&Value> = agreements.iter().map(|agreement| &agreement["state"]).collect();
        assert_eq!(states, [&json!("realised"), &json!("delayed")]);
        let accords = listed(&app, "/v1/accords?council=rozenburg").await;
        assert_eq!(accords[0]["title"], "Wijkakkoord Rozenburg 2022-2026");
        assert_eq!(agreements[0]["accord"], accords[0]["id"]);
        let commitments = listed(&app, "/v1/commitments").await;
        let settled: Vec<&Value> = commitments.iter().map(|commitment| &commitment["state"]).collect();
        assert_eq!(settled, [&json!("settled"), &json!("open")]);
        let targets = listed(&app, "/v1/collegetargets").await;
        let measurements = targets[0]["measurements"].as_array().unwrap();
        assert_eq!(measurements.last().unwrap()["realisedPermille"], 650);
        // The journal says that it was the import.
        let read = |connection: &mut _| persistence::journal::after(connection, 0, 100_000);
        let entries = app.store.read::<_, persistence::StoreError>(read).unwrap();
        let of_agreements: Vec<_> = entries.iter().filter(|entry| entry.resource == "agreement").collect();
        assert_eq!(of_agreements.len(), 9, "four were made, and five times one gained entries");
        assert!(of_agreements.iter().all(|e| e.event == "import" && e.actor == "wijkaanzet import"));
    }

    async fn a_rehearsal_says_the_same_and_writes_nothing(app: TestApp) {
        let file = [AGREEMENTS, &agreement("Rozenburg", "1.1", "Bank"), &agreement("Nergens", "1.1", "Bank")].concat();
        let before = head(&app);
        let options = Options { rehearse: true, ..MAKING_ACCORDS };
        let rehearsed = import(&app, Source::Agreements, &file, options);
        assert_eq!(head(&app), before);
        assert!(listed(&app, "/v1/agreements").await.is_empty() && reasons(&app).await.is_empty());
        let real = import(&app, Source::Agreements, &file, MAKING_ACCORDS);
        assert_eq!((rehearsed.changes, actions(&rehearsed)), (real.changes, actions(&real)));
        assert_eq!(actions(&real), [(2, "created"), (3, "unplaced")]);
        assert_eq!(real.changes, 3, "an accord, an agreement and a row without a place");
        assert_eq!(listed(&app, "/v1/agreements").await.len(), 1);
    }

    async fn a_row_without_a_place_is_listed_until_it_has_one(app: TestApp) {
        let agreements = [AGREEMENTS, &agreement("Rozenburg", "1.1", "Bank")].concat();
        let judged = "Rozenburg,2026,1.1,groen,ja,2026-10-01,\n";
        let broken = "Rozenburg,2026,1.1,paars,ja,2026-10-01,\n";
        let judgements = [JUDGEMENTS, judged, broken].concat();
        assert_eq!(import(&app, Source::Agreements, &agreements, Options::default()).changes, 1);
        let outcome = import(&app, Source::Judgements, &judgements, Options::default());
        assert_eq!(actions(&outcome), [(2, "unplaced"), (3, "unplaced")]);
        let all = listed(&app, "/v1/unplaced-rows").await;
        let reason = |text: &str| all.iter().find(|row| row["text"] == text).unwrap()["reason"].clone();
        assert_eq!(all.len(), 3);
        assert_eq!(
            reason("Rozenburg | 2026 | 1.1 | groen | ja | 2026-10-01 | "),
            "the council has no agreement with that number in that plan year; import it first"
        );
        assert_eq!(
            reason("Rozenburg | 2026 | 1.1 | klein".replace("klein", "Bank | klein | so |  | 2026-04-01 | 2026-12-31 |  | mobility | ").as_str()),
            "no accord of the council on that day; add it first"
        );
        assert_eq!(import(&app, Source::Judgements, &judgements, Options::default()).changes, 0);

        assert_eq!(actions(&import(&app, Source::Agreements, &agreements, MAKING_ACCORDS)), [(2, "created")]);
        let outcome = import(&app, Source::Judgements, &judgements, Options::default());
        assert_eq!(actions(&outcome), [(2, "recorded"), (3, "unplaced")]);
        let left = ("Rozenburg 2026 1.1 2026-10-01".to_owned(), "colour is none of green, orange, red".to_owned());
        assert_eq!(reasons(&app).await, [left]);
        assert_eq!(import(&app, Source::Judgements, &judgements, Options::default()).changes, 0);
        assert_eq!(is_whole(&app), Vec::<String>::new());
    }

    async fn a_changed_row_changes_the_agreement_and_leaves_its_logs(app: TestApp) {
        let file = |title| [AGREEMENTS, &agreement("Rozenburg", "1.1", title)].concat();
        import(&app, Source::Agreements, &file("Bank"), MAKING_ACCORDS);
        let judgements = [JUDGEMENTS, "rozenburg,2026,1.1,rood,nee,2026-10-01,Jammer\n"].concat();
        import(&app, Source::Judgements, &judgements, Options::default());
        let outcome = import(&app, Source::Agreements, &file("Tafel"), Options::default());
        assert_eq!(actions(&outcome), [(2, "changed")]);
        assert_eq!(outcome.lines[0].why, "the row has another title");
        let agreements = listed(&app, "/v1/agreements").await;
        assert_eq!(
            (&agreements[0]["title"], &agreements[0]["state"], &agreements[0]["version"]),
            (&json!("Tafel"), &json!("not_realised"), &json!(3))
        );
        assert_eq!(agreements[0]["judgements"][0]["note"], "Jammer");
        let path = format!("/v1/agreements/{}/history", agreements[0]["id"].as_str().unwrap());
        let history = app.get(&path).token(&app.token("audit:read", &[], &[])).send().await.json();
        let why: Vec<&Value> =
            history["items"].as_array().unwrap().iter().map(|entry| &entry["reason"]).collect();
        let of = |file: &str| json!(format!("import of {file}"));
        assert_eq!(why, [&json!(null), &of("judgements"), &of("agreements")]);
    }

    async fn agreements_of_a_public_accord_are_public_from_the_start(app: TestApp) {
        let file = |number| [AGREEMENTS, &agreement("Rozenburg", number, "Bank")].concat();
        import(&app, Source::Agreements, &file("1.1"), MAKING_ACCORDS);
        let accord = listed(&app, "/v1/accords").await[0]["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/accords/{accord}");
        let token = app.almighty();
        let etag = app.get(&path).token(&token).send().await.header("etag");
        let published = app.post(&format!("{path}/publication"), json!({})).token(&token).if_match(&etag).send().await;
        assert_eq!(published.status, 200, "{}", published.text());
        import(&app, Source::Agreements, &file("1.2"), Options::default());
        assert_eq!(app.get("/v1/agreements?count=true").send().await.json()["total"], 2);
    }

    async fn every_row_is_reported_with_what_was_done_and_why(app: TestApp) {
        let file = [
            AGREEMENTS,
            &agreement("Rozenburg", "1.1", "Bank"),
            &agreement("Rozenburg", "1.1", "Tafel"),
            &agreement("Hoek van Holland", "1.1", "\"Bank, groot\""),
        ]
        .concat();
        let outcome = import(&app, Source::Agreements, &file, MAKING_ACCORDS);
        assert_eq!(outcome.to_string(), "3 rows read: 2 made, 0 changed, 0 recorded, 0 unchanged, 1 not placed; 5 changes");
        let text = String::from_utf8(report(&outcome).unwrap()).unwrap();
        assert!(text.starts_with("line,row,action,item,why\r\n2,Rozenburg 2026 1.1,created,"), "{text}");
        assert!(text.contains("3,Rozenburg 2026 1.1,unplaced,,line 2 has the same number and another title\r\n"), "{text}");
        for line in &outcome.lines {
            assert!(!line.why.is_empty(), "{line:?}");
            assert_eq!(line.item.is_empty(), line.action == "unplaced", "{line:?}");
        }
    }

    async fn a_file_of_another_kind_is_refused_whole(app: TestApp) {
        let before = head(&app);
        let extra = JUDGEMENTS.replace("note", "note,mood");
        for (source, text) in [
            (Source::Agreements, JUDGEMENTS),
            (Source::Judgements, AGREEMENTS),
            (Source::Judgements, &extra),
            (Source::Commitments, ""),
        ] {
            let refused = run(&app.store, app.clock.now(), source, text.as_bytes(), Options::default());
            assert!(matches!(refused, Err(ImportError::File(_))), "{refused:?}");
        }
        assert_eq!(head(&app), before);
    }
}
