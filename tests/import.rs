//! The portals' lists, read into advice: all or nothing, the same in either order, and nothing dropped silently.

use std::collections::BTreeSet;

use actix_web::http::StatusCode;
use api::import::{ImportError, Outcome, report, run};
use domain::import::{FileProblem, ListSource};
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::{TestApp, final_response};

const RAAD: &str = "externalid,title,registrationdate,portefeuillehouder,url\n";
const WIJKRAAD: &str = "title,registrationdate,wijk,wethouder,datumantwoord,url\n";
const ANSWERS: &str = "advice_reference,answer_reference,answered_on\n";

/// A row of the municipal council's list; the number may have trailing blanks there.
fn raad(number: u32, title: &str, on: &str) -> String {
    format!("27bb{number:06}  ,\"{title}\",{on},A. Voorbeeld,https://raad.example/Item/{number}\n")
}

/// A row of the councils' own list.
fn wijk(number: u32, title: &str, on: &str, council: &str, answered: &str) -> String {
    format!("\"{title}\",{on},\"{council}\",,{answered},https://wijk.example/Item/{}\n", guid(number))
}

/// The address by which the councils' own list knows a row.
fn guid(number: u32) -> String {
    format!("00000000-0000-0000-0002-{number:012}")
}

fn try_import(app: &TestApp, source: ListSource, bytes: &[u8]) -> Result<Outcome, ImportError> {
    run(&app.store, app.clock.now(), source, bytes, false)
}

fn import(app: &TestApp, source: ListSource, bytes: &[u8]) -> Outcome {
    try_import(app, source, bytes).unwrap()
}

fn actions(outcome: &Outcome) -> Vec<(u64, &'static str)> {
    outcome.lines.iter().map(|line| (line.line, line.action)).collect()
}

fn the_raad_list() -> Vec<u8> {
    [
        RAAD.to_owned(),
        raad(1, "Brief wijkraad Ommoord met ongevraagd advies over hondenveld aan de plas", "2026-05-03"),
        raad(2, "Brief wijkraad Pernis met ongevraagd advies over langere rijtijden pendelbus", "2026-05-01"),
        raad(3, "VERVALLEN: Brief wijkraad Zevenkamp over overdekt zwembad", "2026-06-01"),
        raad(4, "Brief van bewoners over een speeltuin", "2026-06-02"),
        raad(
            5,
            "Brief wijkraad Ommoord met reactie op antwoord ongevraagd advies hondenveld aan de plas",
            "2026-08-01",
        ),
    ]
    .concat()
    .into_bytes()
}

fn the_own_list() -> Vec<u8> {
    let mut list = [
        WIJKRAAD.to_owned(),
        wijk(1, "Hondenveld aan de plas", "2026-05-02", "Ommoord", "2026-06-15"),
        wijk(
            2,
            "Medeondertekening door wijkraad Heijplaat: Langere rijtijden pendelbus",
            "2026-05-06",
            "Heijplaat",
            "",
        ),
        wijk(3, "Langere rijtijden pendelbus", "2026-05-01", "Pernis", ""),
    ]
    .concat()
    .into_bytes();
    list.extend(b"\"Zebrapad \xff\xfe\",2026-05-01,Ommoord,,,");
    list.extend(format!("https://wijk.example/Item/{}\n", guid(4)).bytes());
    list
}

/// All public advice.
async fn listed(app: &TestApp) -> Vec<Value> {
    let page = app.get("/v1/advice").send().await.json();
    page["items"].as_array().unwrap().clone()
}

async fn by_number(app: &TestApp, number: &str) -> Value {
    let page = app.get(&format!("/v1/advice?reference={number}")).send().await.json();
    let items = page["items"].as_array().unwrap();
    assert_eq!(items.len(), 1, "{number}: {page}");
    items[0].clone()
}

fn references(advice: &Value) -> BTreeSet<String> {
    let all = advice["references"].as_array().unwrap().iter();
    all.map(|reference| reference["value"].as_str().unwrap().to_owned()).collect()
}

fn set<const N: usize>(values: [String; N]) -> BTreeSet<String> {
    values.into_iter().collect()
}

async fn unplaced(app: &TestApp) -> Vec<Value> {
    let token = app.token("import", &[], &[]);
    let reply = app.get("/v1/unplaced-rows").token(&token).send().await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    reply.json()["items"].as_array().unwrap().clone()
}

/// Where the journal ends: it does not move where nothing is written.
async fn head(app: &TestApp) -> i64 {
    app.store.read::<_, persistence::StoreError>(persistence::journal::head).unwrap().0
}

/// Both lists, twice: what then stands there, whichever came first.
async fn both_lists(app: &TestApp, order: [ListSource; 2]) {
    let bytes = |source| if source == ListSource::Raad { the_raad_list() } else { the_own_list() };
    for source in order {
        assert!(import(app, source, &bytes(source)).changes > 0);
    }
    let before = (listed(app).await, unplaced(app).await, head(app).await);
    for source in order {
        let again = import(app, source, &bytes(source));
        assert_eq!(again.changes, 0, "{again}");
        assert!(
            again.lines.iter().all(|line| matches!(line.action, "unchanged" | "unplaced")),
            "{:?}",
            again.lines
        );
    }
    assert_eq!((listed(app).await, unplaced(app).await, head(app).await), before);

    let all = &before.0;
    assert_eq!(all.len(), 4, "{all:#?}");
    for advice in all {
        assert_eq!(advice["origin"], "import");
        // What lapsed is at its end; of the others nobody knows.
        let state = "unknown";
        assert_eq!((&advice["term"]["state"], &advice["term"]["dueOn"]), (&json!(state), &Value::Null));
        assert_eq!(advice["publication"]["state"], "published");
        assert_eq!(advice["publication"]["publishedAt"].as_str().unwrap()[..19], *"2026-11-23T11:00:00");
        assert_eq!(
            (&advice["receivedOn"], &advice["submittedOn"], &advice["adoption"]),
            (&Value::Null, &Value::Null, &Value::Null)
        );
        let issues: Vec<&str> = advice["dataIssues"]
            .as_array()
            .unwrap()
            .iter()
            .map(|issue| issue["code"].as_str().unwrap())
            .collect();
        assert!(issues.contains(&"receipt-unknown"), "{issues:?}");
    }
    // The same advice in both lists is one, with both its numbers.
    let dogs = by_number(app, "27bb000001").await;
    assert_eq!(references(&dogs), set(["27bb000001".to_owned(), guid(1)]));
    assert_eq!((&dogs["councils"]["lead"], &dogs["kind"]), (&json!("ommoord"), &json!("unsolicited")));
    assert_eq!((&dogs["answeredOn"], &dogs["listedOn"]), (&json!("2026-06-15"), &json!("2026-05-02")));
    assert_eq!(by_number(app, &guid(1)).await["id"], dogs["id"]);
    // Who co-signs is named on the lead's advice, with the reference of his row.
    let bus = by_number(app, "27bb000002").await;
    assert_eq!(references(&bus), set(["27bb000002".to_owned(), guid(2), guid(3)]));
    assert_eq!(
        bus["councils"],
        json!({"lead": "pernis", "cosigners": [{"council": "heijplaat", "signedOn": null}]})
    );
    assert_eq!((&bus["status"], &bus["answeredOn"]), (&json!("registered"), &Value::Null));
    // What lapsed is withdrawn, and says why.
    let void = by_number(app, "27bb000003").await;
    assert_eq!(
        (&void["status"], &void["withdrawal"]),
        (&json!("withdrawn"), &json!({"on": null, "reason": "VERVALLEN"}))
    );
    let again = by_number(app, "27bb000005").await;
    assert_eq!((&again["secondRoundOf"], &again["status"]), (&dogs["id"], &json!("registered")));
    // The one row without a council and the one that is no text are kept.
    let rows: Vec<(&str, &str)> =
        before.1.iter().map(|row| (row["source"].as_str().unwrap(), row["row"].as_str().unwrap())).collect();
    let broken = format!("https://wijk.example/Item/{}", guid(4));
    assert_eq!(rows, [("raad", "https://raad.example/Item/4"), ("wijkraad", &broken)]);
    let whole =
        "27bb000004   | Brief van bewoners over een speeltuin | 2026-06-02 | … | https://raad.example/Item/4";
    assert_eq!(before.1[0]["text"], whole, "the row is kept, without the name of a person");
    assert_eq!(before.1[1]["reason"], "title is not text in UTF-8");
    // The feed tells the same, and every one of them is open to all.
    let mut path = "/v1/changes?limit=1000".to_owned();
    let mut fed = BTreeSet::new();
    loop {
        let page = app.get(&path).send().await.json();
        let advice = page["items"].as_array().unwrap().iter().filter(|change| change["resource"] == "advice");
        fed.extend(
            advice.filter(|change| change["item"]["merge"].is_null()).map(|change| change["id"].to_string()),
        );
        if page["more"] == false {
            break;
        }
        path = format!("/v1/changes?limit=1000&after={}", page["next"].as_str().unwrap());
    }
    assert!(all.iter().all(|advice| fed.contains(&advice["id"].to_string())));
}

on_both_databases! {
    async fn the_municipal_list_first(app: TestApp) {
        both_lists(&app, [ListSource::Raad, ListSource::Wijkraad]).await;
    }

    async fn the_councils_own_list_first(app: TestApp) {
        both_lists(&app, [ListSource::Wijkraad, ListSource::Raad]).await;
    }

    async fn every_row_is_reported_with_what_was_done_and_why(app: TestApp) {
        let first = import(&app, ListSource::Raad, &the_raad_list());
        assert_eq!(first.rows, 5);
        let by_line: BTreeSet<(u64, &str)> = actions(&first).into_iter().collect();
        assert_eq!(
            by_line,
            BTreeSet::from([(2, "created"), (3, "created"), (4, "created"), (5, "unplaced"), (6, "created")])
        );
        let own = import(&app, ListSource::Wijkraad, &the_own_list());
        let by_line: BTreeSet<(u64, &str)> = actions(&own).into_iter().collect();
        for expected in [(2, "joined"), (3, "cosigner"), (4, "joined"), (5, "unplaced")] {
            assert!(by_line.contains(&expected), "{expected:?} in {by_line:?}");
        }
        for line in first.lines.iter().chain(&own.lines) {
            assert!(!line.why.is_empty() || line.action == "unchanged", "{line:?}");
            assert_eq!(line.item.is_empty(), line.action == "unplaced", "{line:?}");
        }
        let text = String::from_utf8(report(&first).unwrap()).unwrap();
        assert!(text.starts_with("line,url,reference,action,advice,why\r\n"), "{text}");
        assert_eq!(csv::Reader::from_reader(text.as_bytes()).records().count(), first.lines.len());
        let said = first.to_string();
        assert!(said.contains("5 rows read") && said.contains("1 not placed"), "{said}");
    }

    async fn no_name_of_a_person_stands_in_the_journal(app: TestApp) {
        import(&app, ListSource::Raad, &the_raad_list());
        assert!(!unplaced(&app).await.is_empty(), "a row without a place is kept");
        let after = |tx: &mut persistence::AnyConnection| persistence::journal::after(tx, 0, 100_000);
        let entries = app.store.read::<_, persistence::StoreError>(after).unwrap();
        for entry in entries {
            assert!(!entry.snapshot.contains("Voorbeeld"), "{} {}: {}", entry.resource, entry.item, entry.snapshot);
        }
    }

    async fn a_rehearsal_writes_nothing(app: TestApp) {
        let before = head(&app).await;
        let rehearsed = run(&app.store, app.clock.now(), ListSource::Raad, &the_raad_list(), true).unwrap();
        assert_eq!(head(&app).await, before);
        assert!(listed(&app).await.is_empty() && unplaced(&app).await.is_empty());
        assert_eq!(app.get("/v1/office-holders?count=true").send().await.json()["total"], 0);
        let real = import(&app, ListSource::Raad, &the_raad_list());
        assert_eq!((rehearsed.changes, actions(&rehearsed)), (real.changes, actions(&real)));
        assert!(head(&app).await > before);
        assert_eq!(app.get("/v1/office-holders").send().await.json()["items"][0]["name"], "A. Voorbeeld");
    }

    async fn unplaced_rows_are_for_who_imports(app: TestApp) {
        import(&app, ListSource::Raad, &the_raad_list());
        assert_eq!(app.get("/v1/unplaced-rows").send().await.status, StatusCode::UNAUTHORIZED);
        let others = app.token("internal:read registry:write audit:read", &["*"], &["*"]);
        let refused = app.get("/v1/unplaced-rows").token(&others).send().await;
        assert_eq!(
            (refused.status, refused.problem().as_str()),
            (StatusCode::FORBIDDEN, "insufficient-scope")
        );
        assert!(refused.header("www-authenticate").contains("scope=\"import\""));
        for token in [None, Some(app.almighty())] {
            let ask = app.get("/v1/changes?limit=1000");
            let feed = if let Some(token) = &token { ask.token(token) } else { ask }.send().await.text();
            assert!(!feed.contains("speeltuin"));
        }
        let token = app.token("import", &[], &[]);
        let csv = app.get("/v1/unplaced-rows?format=csv").token(&token).send().await.text();
        assert!(csv.starts_with("source,row,text,reason,version,createdAt,modifiedAt\r\nraad,"), "{csv}");
    }

    /// A co-signature whose advice is not there yet waits, and is no longer listed once it found its place.
    async fn a_row_that_finds_its_place_leaves_the_list(app: TestApp) {
        let own = [
            WIJKRAAD.to_owned(),
            wijk(
                1,
                "Medeondertekening door wijkraad Ommoord: Ongevraagd advies hondenveld aan de plas",
                "2026-05-06",
                "Ommoord",
                "",
            ),
        ]
        .concat();
        assert_eq!(actions(&import(&app, ListSource::Wijkraad, own.as_bytes())), [(2, "unplaced")]);
        assert_eq!(unplaced(&app).await.len(), 1);
        assert!(listed(&app).await.is_empty());
        let list = [
            RAAD.to_owned(),
            raad(
                1,
                "Brief wijkraad Zevenkamp met ongevraagd advies over hondenveld aan de plas",
                "2026-05-01",
            ),
        ]
        .concat();
        import(&app, ListSource::Raad, list.as_bytes());
        assert_eq!(actions(&import(&app, ListSource::Wijkraad, own.as_bytes())), [(2, "cosigner")]);
        assert!(unplaced(&app).await.is_empty());
        let advice = by_number(&app, &guid(1)).await;
        assert_eq!(advice["councils"]["cosigners"][0]["council"], "ommoord");
        assert_eq!(import(&app, ListSource::Wijkraad, own.as_bytes()).changes, 0);
    }

    async fn answers_are_placed_by_number(app: TestApp) {
        import(&app, ListSource::Raad, &the_raad_list());
        let answers = format!(
            "{ANSWERS}27bb000002 ,27bb000900,2026-07-01\n27bb009999,27bb000901,2026-07-01\n\
             27bb000001,27bb000902,morgen\n"
        );
        let outcome = import(&app, ListSource::Answers, answers.as_bytes());
        assert_eq!(actions(&outcome), [(2, "answered"), (3, "unplaced"), (4, "unplaced")]);
        let bus = by_number(&app, "27bb000002").await;
        assert_eq!((&bus["status"], &bus["answeredOn"]), (&json!("answered"), &json!("2026-07-01")));
        assert_eq!((&bus["term"]["state"], &bus["outcome"]), (&json!("unknown"), &Value::Null));
        let response = &bus["responses"][0];
        assert_eq!(
            (&response["kind"], &response["sentOn"], &response["by"]),
            (&json!("final"), &json!("2026-07-01"), &Value::Null)
        );
        assert_eq!(response["references"][0]["value"], "27bb000900");
        // The number of the answer finds it too.
        assert_eq!(by_number(&app, "27bb000900").await["id"], bus["id"]);
        assert_eq!(import(&app, ListSource::Answers, answers.as_bytes()).changes, 0);
        // A second, other answer is not taken over the first.
        let other = format!("{ANSWERS}27bb000002,27bb000903,2026-07-09\n");
        assert_eq!(actions(&import(&app, ListSource::Answers, other.as_bytes())), [(2, "unplaced")]);
        assert_eq!(by_number(&app, "27bb000002").await["answeredOn"], "2026-07-01");
        assert_eq!(unplaced(&app).await.iter().filter(|row| row["source"] == "answers").count(), 3);
    }

    async fn what_was_listed_can_be_received_and_answered(app: TestApp) {
        let list = the_raad_list();
        import(&app, ListSource::Raad, &list);
        let advice = by_number(&app, "27bb000002").await;
        let id = advice["id"].as_str().unwrap();
        let token = app.token("treatment:write", &[], &["mo"]);
        let receipt = json!({"receivedOn": "2026-05-04", "cluster": "mo"});
        let etag = app.etag(id).await;
        let received =
            app.post(&format!("/v1/advice/{id}/receipt"), receipt).token(&token).if_match(&etag).send().await;
        assert_eq!(received.status, StatusCode::OK, "{}", received.text());
        let shown = app.get(&format!("/v1/advice/{id}")).send().await.json();
        assert_eq!((&shown["status"], &shown["origin"]), (&json!("received"), &json!("import")));
        assert_eq!(
            (&shown["term"]["dueOn"], &shown["term"]["state"]),
            (&json!("2026-06-15"), &json!("very_late"))
        );
        // From here on the lists do not change it, and the office answers it as any other.
        assert_eq!(import(&app, ListSource::Raad, &list).changes, 0);
        let mut response = final_response("2026-06-10");
        response["points"] = json!([]);
        let answered = app.record(id, "responses", response).await;
        assert_eq!(
            (&answered["status"], &answered["term"]["state"]),
            (&json!("answered"), &json!("answered_in_time"))
        );
    }

    /// What the city took from publication is not published again by the next import.
    async fn an_import_does_not_publish_again(app: TestApp) {
        let list = the_raad_list();
        import(&app, ListSource::Raad, &list);
        let id = by_number(&app, "27bb000001").await["id"].as_str().unwrap().to_owned();
        app.record(&id, "unpublication", json!({"reason": "Er stond een adres in"})).await;
        assert_eq!(import(&app, ListSource::Raad, &list).changes, 0);
        import(&app, ListSource::Wijkraad, &the_own_list());
        assert_eq!(app.get(&format!("/v1/advice/{id}")).send().await.status, StatusCode::GONE);
        assert!(listed(&app).await.iter().all(|advice| advice["id"] != json!(id)));
    }

    async fn a_list_may_say_later_that_an_advice_lapsed(app: TestApp) {
        let before =
            [RAAD.to_owned(), raad(1, "Brief wijkraad Ommoord over hondenveld aan de plas", "2026-05-01")]
                .concat();
        let after = [
            RAAD.to_owned(),
            raad(1, "VERVALLEN: Brief wijkraad Ommoord over hondenveld aan de plas", "2026-05-01"),
        ]
        .concat();
        import(&app, ListSource::Raad, before.as_bytes());
        assert_eq!(by_number(&app, "27bb000001").await["status"], "registered");
        assert_eq!(actions(&import(&app, ListSource::Raad, after.as_bytes())), [(2, "lapsed")]);
        let void = by_number(&app, "27bb000001").await;
        assert_eq!(
            (&void["status"], &void["withdrawal"]["reason"]),
            (&json!("withdrawn"), &json!("VERVALLEN"))
        );
        assert_eq!(import(&app, ListSource::Raad, after.as_bytes()).changes, 0);
    }

    async fn a_file_that_is_no_list_is_refused_whole(app: TestApp) {
        let before = head(&app).await;
        for (source, bytes) in [
            (ListSource::Raad, b"".as_slice()),
            (ListSource::Raad, b"\xff\xfeexternalid\n"),
            (ListSource::Raad, WIJKRAAD.as_bytes()),
            (ListSource::Answers, RAAD.as_bytes()),
        ] {
            let refused = try_import(&app, source, bytes).unwrap_err();
            assert!(matches!(refused, ImportError::File(_)), "{refused}");
        }
        let twice = "externalid,externalid,title,registrationdate,portefeuillehouder,url\n";
        let refused = try_import(&app, ListSource::Raad, twice.as_bytes()).unwrap_err();
        assert!(
            matches!(refused, ImportError::File(FileProblem::DoubleColumn { column: "externalid" })),
            "{refused}"
        );
        assert_eq!(head(&app).await, before);
        // As a spreadsheet saves it, with a byte order mark and semicolons, it is one all the same.
        let saved = format!("\u{feff}{}", String::from_utf8(the_raad_list()).unwrap().replace(',', ";"));
        let outcome = import(&app, ListSource::Raad, saved.as_bytes());
        assert_eq!((outcome.rows, listed(&app).await.len()), (5, 4));
    }
}

on_both_databases! {
    async fn a_row_dated_in_the_future_is_set_aside_and_stops_nothing(app: TestApp) {
        let file = "externalid,title,registrationdate,portefeuillehouder,url\n\
            26bb900001,Afschrift brief wijkraad Ommoord met ongevraagd advies over bomen,2062-01-10,,https://example.test/Item/1\n\
            26bb900002,Afschrift brief wijkraad Zevenkamp met ongevraagd advies over vijvers,2026-01-10,,https://example.test/Item/2\n\
            26bb900002,Afschrift brief wijkraad Zevenkamp met ongevraagd advies over vijvers,2026-01-10,,https://example.test/Item/2\n";
        let now = app.clock.now();
        let import = || api::import::run(&app.store, now, domain::import::ListSource::Raad, file.as_bytes(), false).unwrap();
        let first = import();
        assert_eq!(first.lines.iter().filter(|line| line.action == "created").count(), 1);
        assert_eq!(first.lines.iter().filter(|line| line.action == "unplaced").count(), 1);
        assert_eq!(import().changes, 0);
    }

    async fn an_answer_in_a_list_does_not_answer_what_is_treated_here(app: TestApp) {
        let mut draft = crate::support::draft_of("rozenburg");
        draft["references"] = serde_json::json!([{"system": "ibabs-raad", "value": "26bb900003"}]);
        let id = app.draft(draft).await;
        let adoption = serde_json::json!({"meetingOn": "2026-10-01", "quorum": true, "votesFor": 7, "votesAgainst": 0});
        app.record(&id, "adoption", adoption).await;
        app.record(&id, "submission", serde_json::json!({"submittedOn": "2026-10-01"})).await;
        let file = "advice_reference,answer_reference,answered_on\n26bb900003,26bb900004,2026-10-20\n";
        let now = app.clock.now();
        let outcome =
            api::import::run(&app.store, now, domain::import::ListSource::Answers, file.as_bytes(), false).unwrap();
        assert_eq!(outcome.lines[0].action, "unplaced", "{outcome:?}");
        let item = app.get(&format!("/v1/advice/{id}")).token(&app.almighty()).send().await.json();
        assert_eq!(item["status"], "submitted");
    }
}
