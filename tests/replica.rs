//! Reading from a copy of the database: nobody loses sight of what he wrote, and a copy that is away is not missed.

use actix_web::http::StatusCode;
use diesel::connection::SimpleConnection;
use persistence::DatabaseUrl;
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::{TestApp, draft_of};

/// How many office holders this reader finds.
async fn holders(app: &TestApp, token: Option<&str>, position: Option<&str>) -> usize {
    let ask = app.get("/v1/office-holders");
    let ask = token.into_iter().fold(ask, |ask, token| ask.token(token));
    let ask = position.into_iter().fold(ask, |ask, position| ask.header("journal-position", position));
    let reply = ask.send().await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    reply.json()["items"].as_array().unwrap().len()
}

/// Adds an office holder; gives the position after it.
async fn add(app: &TestApp) -> String {
    let body = json!({"name": "A. Voorbeeld", "office": "alderman"});
    let reply = app.post("/v1/office-holders", body).token(&app.almighty()).send().await;
    assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text());
    reply.header("journal-position")
}

/// Takes the tables of a copy away, as if its machine were gone.
fn take_away(copy: &DatabaseUrl) {
    let statements = "DROP TABLE journal_head; DROP TABLE registry;";
    match copy {
        DatabaseUrl::Sqlite(path) => {
            let path = path.to_string_lossy();
            let mut connection: diesel::SqliteConnection = diesel::Connection::establish(&path).unwrap();
            connection.batch_execute(statements).unwrap();
        }
        DatabaseUrl::Postgres(url) => {
            let mut connection: diesel::PgConnection = diesel::Connection::establish(url).unwrap();
            connection.batch_execute(statements).unwrap();
        }
    }
}

on_both_databases! {
    async fn whoever_reads_only_reads_from_the_copy(app: TestApp) {
        let (app, _) = app.beside_a_copy().await;
        add(&app).await;
        assert_eq!(holders(&app, None, None).await, 0, "the copy has not come so far");
        let reader = app.token("internal:read audit:read", &["*"], &["*"]);
        assert_eq!(holders(&app, Some(&reader), None).await, 0);
    }

    async fn whoever_may_write_sees_what_was_written(app: TestApp) {
        let (app, _) = app.beside_a_copy().await;
        add(&app).await;
        for scope in ["advice:write", "treatment:write", "publish", "registry:write", "import"] {
            let writer = app.token(scope, &[], &[]);
            assert_eq!(holders(&app, Some(&writer), None).await, 1, "{scope}");
        }
    }

    async fn whoever_names_a_position_reads_nothing_older(app: TestApp) {
        let (app, _) = app.beside_a_copy().await;
        let first = app.get("/v1/changes?limit=1").send().await.json()["next"].as_str().unwrap().to_owned();
        let position = add(&app).await;
        assert_eq!(holders(&app, None, Some(&position)).await, 1);
        assert_eq!(holders(&app, None, Some(&first)).await, 0, "the copy has come as far as the first change");
        let writer = app.token("publish", &[], &[]);
        assert_eq!(holders(&app, Some(&writer), Some(&first)).await, 0, "who says how far is taken at his word");
    }

    async fn a_position_that_is_none_of_ours_is_refused(app: TestApp) {
        for position in ["", "1", "czE", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
            let reply = app.get("/v1/councils").header("journal-position", position).send().await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{position}: {}", reply.text());
            assert_eq!(reply.faults()[0], ("Journal-Position".to_owned(), "position.foreign".to_owned()));
        }
    }

    async fn every_answer_to_a_change_tells_the_position(app: TestApp) {
        let key = "\"0199b0c4-7d1e-7c3a-9a51-3f3f6a1f2b11\"";
        let write = || app.post("/v1/advice", draft_of("rozenburg")).token(&app.almighty()).header("idempotency-key", key);
        let first = write().send().await;
        let again = write().send().await;
        assert_eq!(first.json(), again.json());
        assert_eq!(first.header("journal-position"), again.header("journal-position"));
        let id = first.json()["id"].as_str().unwrap().to_owned();
        let deleted = app
            .ask(actix_web::http::Method::DELETE, &format!("/v1/advice/{id}"))
            .token(&app.almighty())
            .if_match(&first.header("etag"))
            .send()
            .await;
        assert_eq!(deleted.status, StatusCode::NO_CONTENT, "{}", deleted.text());
        assert_ne!(deleted.header("journal-position"), first.header("journal-position"));
    }

    async fn a_copy_that_is_away_is_not_missed(app: TestApp) {
        let (app, copy) = app.beside_a_copy().await;
        add(&app).await;
        take_away(&copy);
        assert_eq!(holders(&app, None, None).await, 1);
        assert_eq!(app.get("/health/ready").send().await.status, StatusCode::OK);
        let table = app.get("/v1/bi/office-holders").send().await;
        assert_eq!(table.status, StatusCode::OK);
        assert_eq!(table.json()["items"].as_array().unwrap().len(), 1);
    }

    async fn the_feed_goes_on_where_its_reader_was(app: TestApp) {
        let whole = app.get("/v1/changes?limit=1000").send().await.json();
        let (app, _) = app.beside_a_copy().await;
        add(&app).await;
        let next = |page: &Value| page["next"].as_str().unwrap().to_owned();
        let at_the_end = format!("/v1/changes?after={}", next(&whole));
        let none = app.get(&at_the_end).send().await.json();
        assert_eq!(none["items"].as_array().unwrap().len(), 0, "the copy has come so far and no further");
        let one = app.get(&format!("{at_the_end}&wait=5")).send().await.json();
        assert_eq!(one["items"].as_array().unwrap().len(), 1, "who waits is told of what the process itself knows");
        // Past the end of the copy: only the database itself can tell.
        let reply = app.get(&format!("/v1/changes?after={}", next(&one))).send().await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
        assert_eq!(reply.json()["items"], json!([]));
    }
}
