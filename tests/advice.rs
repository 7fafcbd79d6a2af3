//! An advice from draft to answer.

use actix_web::http::StatusCode;
use serde_json::json;

use crate::on_both_databases;
use crate::support::final_response;

on_both_databases! {
    async fn an_advice_goes_from_draft_to_a_public_answer(app: TestApp) {
        let id = app.received("rozenburg", "2026-10-01").await;
        app.record(&id, "responses", final_response("2026-10-20")).await;
        let anonymous = app.get(&format!("/v1/advice/{id}")).send().await;
        assert_eq!(anonymous.status, StatusCode::NOT_FOUND);
        app.record(&id, "publication", json!({})).await;
        let public = app.get(&format!("/v1/advice/{id}")).send().await.json();
        assert_eq!(public["status"], "answered");
        assert_eq!(public["outcome"], "adopted");
        assert_eq!(public["term"]["state"], "answered_in_time");
        assert_eq!(public["term"]["dueOn"], "2026-11-12");
    }
}
