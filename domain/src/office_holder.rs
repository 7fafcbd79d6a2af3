//! Office holders (bestuurders): who answers advice. Their names stand elsewhere, in one table that can be erased.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::RuleError;
use crate::ids::OfficeHolderId;

/// The offices of which the holder has a name here (ambten): the college's, whose members answer by name. Any official below them
/// is a function.
pub const OFFICES: [&str; 8] = [
    "burgemeester",
    "locoburgemeester",
    "wethouder",
    "wijkwethouder",
    "mayor",
    "deputy mayor",
    "alderman",
    "neighbourhood alderman",
];

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
    /// The office (ambt): `burgemeester`, `locoburgemeester`, `wethouder` or `wijkwethouder`, or in English `mayor`,
    /// `deputy mayor`, `alderman` or `neighbourhood alderman`. An official below alderman is a function here and has no name.
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

/// Refuses an office below alderman: its holder is not shown by name.
pub fn check_office(office: &str) -> Result<(), RuleError> {
    if OFFICES.contains(&office.trim().to_lowercase().as_str()) {
        return Ok(());
    }
    let detail = format!("names are shown of the college alone: one of {}", OFFICES.join(", "));
    Err(RuleError::invalid("/office", "office.below_alderman", detail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::faults;

    #[test]
    fn who_is_below_alderman_has_no_name_here() {
        for office in ["wethouder", "Burgemeester", " alderman "] {
            assert!(check_office(office).is_ok(), "{office}");
        }
        for office in ["wijkmanager", "wethouder-assistent", "directeur", "gemeentesecretaris", ""] {
            assert_eq!(
                faults(check_office(office)),
                [("/office".to_owned(), "office.below_alderman")],
                "{office}"
            );
        }
    }
}
