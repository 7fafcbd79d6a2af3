//! What waits for somebody, counted over everything: for who watches over the service, never for a caller.

use diesel::prelude::*;
use domain::codes::AdviceStatus;

use crate::connection::AnyConnection;
use crate::error::StoreError;
use crate::schema::advice;

/// How many pieces of advice were submitted and not received yet.
pub fn awaiting_receipt(connection: &mut AnyConnection) -> Result<i64, StoreError> {
    let submitted = advice::status.eq(AdviceStatus::Submitted.as_str());
    Ok(advice::table.filter(submitted).count().get_result(connection)?)
}
