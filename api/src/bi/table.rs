//! What a flat table is made of. A column is written down once: its field, its type, its words and where it comes from; the
//! row, its schema in the contract, the columns of the CSV and the dictionary all follow from that.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};

use crate::csv;

/// The type of a column (gegevenstype). It never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ColumnType {
    /// Text; ids and codes too.
    String,
    /// A whole number.
    Integer,
    /// A number with decimals.
    Decimal,
    /// True or false.
    Boolean,
    /// A day, `YYYY-MM-DD`.
    Date,
    /// A moment in UTC, as RFC 3339 has it.
    DateTime,
}

/// A column of a table, as the dictionary describes it (gegevenswoordenboek).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = BiColumn)]
pub struct Column {
    /// The table, as its address spells it.
    #[schema(example = "advice")]
    pub table: &'static str,
    /// The column, as JSON and CSV spell it.
    #[schema(example = "receivedOn")]
    pub column: &'static str,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: ColumnType,
    /// Whether it may be empty in a row that is not deleted. In a deleted row all is empty but the `merge` column, `deleted` and
    /// `modifiedAt`.
    pub nullable: bool,
    /// Whether it is part of what tells one row from another (sleutel).
    pub key: bool,
    /// Whether an increment is merged on it: all rows with its value are replaced by those that came.
    pub merge: bool,
    /// Dutch name (Nederlandse naam).
    #[schema(example = "ontvangstdatum")]
    pub dutch: &'static str,
    /// What it means.
    #[schema(example = "The day of receipt: day 0 of the term.")]
    pub english: &'static str,
    /// What its numbers count (eenheid); null of what is no number.
    #[schema(required = true, example = "calendar days")]
    pub unit: Option<&'static str>,
    /// The field of the API that it comes from (bron).
    #[schema(example = "/advice receivedOn")]
    pub source: &'static str,
}

/// What may stand in a column.
pub trait Cell {
    /// The type that the dictionary gives it.
    const TYPE: ColumnType;
}

impl Cell for String {
    const TYPE: ColumnType = ColumnType::String;
}
impl Cell for i64 {
    const TYPE: ColumnType = ColumnType::Integer;
}
impl Cell for bool {
    const TYPE: ColumnType = ColumnType::Boolean;
}
impl Cell for NaiveDate {
    const TYPE: ColumnType = ColumnType::Date;
}
impl Cell for DateTime<Utc> {
    const TYPE: ColumnType = ColumnType::DateTime;
}

/// A row of a flat table.
pub trait Row: Serialize {
    /// The columns, in order.
    const COLUMNS: &'static [Column];
    /// The same, for CSV.
    const CSV: &'static [csv::Column];
    /// What the table is merged on.
    type Id;

    /// A row that says that there is nothing of this id (any more).
    fn gone(id: Self::Id, at: DateTime<Utc>) -> Self;
}

/// How many of them, in a row.
pub fn count(number: usize) -> Option<i64> {
    i64::try_from(number).ok()
}

/// The schema of a row: every column is always there, and what a deleted row leaves empty may be null.
pub fn schema_of(columns: &[Column], description: &str) -> RefOr<Schema> {
    let mut object = ObjectBuilder::new().schema_type(Type::Object).description(Some(description));
    for Column { column, kind, merge, dutch, english, unit, .. } in columns {
        let (kind, format) = match kind {
            ColumnType::String => (Type::String, None),
            ColumnType::Integer => (Type::Integer, Some(KnownFormat::Int64)),
            ColumnType::Decimal => (Type::Number, Some(KnownFormat::Double)),
            ColumnType::Boolean => (Type::Boolean, None),
            ColumnType::Date => (Type::String, Some(KnownFormat::Date)),
            ColumnType::DateTime => (Type::String, Some(KnownFormat::DateTime)),
        };
        let is_always_there = *merge || matches!(*column, "deleted" | "modifiedAt");
        let kind = match is_always_there {
            true => SchemaType::Type(kind),
            false => SchemaType::Array(vec![kind, Type::Null]),
        };
        let unit = unit.map(|unit| format!(" In {unit}.")).unwrap_or_default();
        let field = ObjectBuilder::new()
            .schema_type(kind)
            .format(format.map(SchemaFormat::KnownFormat))
            .description(Some(format!("{english}{unit} ({dutch})")));
        object = object.property(*column, field).required(*column);
    }
    object.into()
}

/// Makes a table: its row, in which any column may be empty but the one that it is merged on.
macro_rules! table {
    (
        $(#[doc = $doc:literal])+
        $row:ident $table:literal, $(#[doc = $page_doc:literal])+ $page:ident
        merged on $id:ident: $id_type:ty = $id_name:literal, $id_dutch:literal, $id_english:literal, $id_source:literal;
        $( $need:ident $field:ident: $kind:ty = $name:literal, $dutch:literal, $english:literal, $source:literal $(, in $unit:literal)?; )*
    ) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, PartialEq, serde::Serialize)]
        pub struct $row {
            #[doc = $id_english]
            #[serde(rename = $id_name)]
            pub $id: $id_type,
            $(
                #[doc = $english]
                #[serde(rename = $name)]
                pub $field: Option<$kind>,
            )*
            /// Whether there is nothing of this id (any more) for this caller.
            pub deleted: bool,
            /// When this caller last saw it change.
            #[serde(rename = "modifiedAt")]
            pub modified_at: chrono::DateTime<chrono::Utc>,
        }

        impl $crate::bi::table::Row for $row {
            const COLUMNS: &'static [$crate::bi::table::Column] = &[
                $crate::bi::table::Column {
                    table: $table,
                    column: $id_name,
                    kind: <$id_type as $crate::bi::table::Cell>::TYPE,
                    nullable: false,
                    key: true,
                    merge: true,
                    dutch: $id_dutch,
                    english: $id_english,
                    unit: None,
                    source: $id_source,
                },
                $(
                    $crate::bi::table::Column {
                        table: $table,
                        column: $name,
                        kind: <$kind as $crate::bi::table::Cell>::TYPE,
                        nullable: $crate::bi::table::need!($need nullable),
                        key: $crate::bi::table::need!($need key),
                        merge: false,
                        dutch: $dutch,
                        english: $english,
                        unit: $crate::bi::table::unit!($($unit)?),
                        source: $source,
                    },
                )*
                $crate::bi::table::Column {
                    table: $table,
                    column: "deleted",
                    kind: $crate::bi::table::ColumnType::Boolean,
                    nullable: false,
                    key: false,
                    merge: false,
                    dutch: "verwijderd",
                    english: "Whether there is nothing of this id (any more) for this caller; true only with modifiedSince.",
                    unit: None,
                    source: "deleted",
                },
                $crate::bi::table::Column {
                    table: $table,
                    column: "modifiedAt",
                    kind: $crate::bi::table::ColumnType::DateTime,
                    nullable: false,
                    key: false,
                    merge: false,
                    dutch: "gewijzigd op",
                    english: "When this caller last saw the item change that the row belongs to.",
                    unit: None,
                    source: "modifiedAt",
                },
            ];
            const CSV: &'static [$crate::csv::Column] = &[
                $crate::csv::Column($id_name, concat!("/", $id_name)),
                $($crate::csv::Column($name, concat!("/", $name)),)*
                $crate::csv::Column("deleted", "/deleted"),
                $crate::csv::Column("modifiedAt", "/modifiedAt"),
            ];
            type Id = $id_type;

            fn gone($id: $id_type, at: chrono::DateTime<chrono::Utc>) -> Self {
                Self { $id, $($field: None,)* deleted: true, modified_at: at }
            }
        }

        impl utoipa::PartialSchema for $row {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                let description = concat!($($doc),+).trim();
                $crate::bi::table::schema_of(<Self as $crate::bi::table::Row>::COLUMNS, description)
            }
        }

        impl utoipa::ToSchema for $row {}

        $(#[doc = $page_doc])+
        #[derive(Debug, Clone, PartialEq, serde::Serialize, utoipa::ToSchema)]
        #[serde(rename_all = "camelCase")]
        pub struct $page {
            /// The rows, in order of id.
            pub items: Vec<$row>,
            /// Always null: a table comes whole.
            pub next: Option<String>,
        }
    };
}
pub(crate) use table;

/// What a column's place in its row means: part of the key, always filled, or perhaps empty.
macro_rules! need {
    (key nullable) => {
        false
    };
    (key key) => {
        true
    };
    (always nullable) => {
        false
    };
    (maybe nullable) => {
        true
    };
    ($other:ident key) => {
        false
    };
}
pub(crate) use need;

macro_rules! unit {
    () => {
        None
    };
    ($unit:literal) => {
        Some($unit)
    };
}
pub(crate) use unit;
