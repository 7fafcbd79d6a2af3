//! Office holders (bestuurders): who answers advice. Their names stand elsewhere, in one table that can be erased.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ids::OfficeHolderId;

/// An office and who holds it (bestuurder), by id. The portfolio holder (portefeuillehouder) of an advice is one of these;
/// it is not the same role as the wijkwethouder, who adopts councils.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OfficeHolder {
    /// Its id.
    pub id: OfficeHolderId,
    /// The office (ambt), such as `wethouder`; null where a list gives only a name.
    pub office: Option<String>,
    /// The portfolio (portefeuille).
    pub portfolio: Option<String>,
    /// First day in office; null where it is not known.
    pub from: Option<NaiveDate>,
    /// Last day in office.
    pub to: Option<NaiveDate>,
}

/// An office holder to add.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OfficeHolderBody {
    /// The name, as the city publishes it.
    #[schema(min_length = 1, max_length = 100, pattern = r"^\S(.*\S)?$", example = "V. Voorbeeld")]
    pub name: String,
    /// The office (ambt).
    #[schema(min_length = 1, max_length = 100, pattern = r"\S", example = "wethouder")]
    pub office: String,
    /// The portfolio (portefeuille).
    #[serde(default)]
    #[schema(max_length = 300)]
    pub portfolio: Option<String>,
    /// First day in office.
    #[serde(default)]
    pub from: Option<NaiveDate>,
    /// Last day in office.
    #[serde(default)]
    pub to: Option<NaiveDate>,
}
