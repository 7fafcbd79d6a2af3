//! SQL of our own, for what diesel writes anew at each turn: a list of values, an order that rests on a question, an update.
//! Both databases keep what they made of its text, so the text must not vary with what is asked, but for the number of values.

use std::marker::PhantomData;

use diesel::backend::Backend;
use diesel::expression::{
    AppearsOnTable, Expression, SelectableExpression, TypedExpressionType, ValidGrouping, is_aggregate,
};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Bool, HasSqlType, Integer, Nullable, Text, Untyped};

/// A value in a statement.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Text(String),
    OptionalText(Option<String>),
    Number(i64),
    Day(i32),
    OptionalDay(Option<i32>),
    Flag(bool),
}

macro_rules! values {
    ($($from:ty => $variant:ident)+) => {$(
        impl From<$from> for Value {
            fn from(value: $from) -> Self {
                Self::$variant(value)
            }
        }
    )+};
}
values! {
    String => Text
    Option<String> => OptionalText
    i64 => Number
    i32 => Day
    Option<i32> => OptionalDay
    bool => Flag
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Sql(&'static str),
    Value(Value),
}

/// A statement, or an expression in one, of parts that are the same for everybody and of values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Statement<ST = Untyped> {
    parts: Vec<Part>,
    is_kept: bool,
    sql_type: PhantomData<ST>,
}

impl<ST> Statement<ST> {
    pub(crate) fn new() -> Self {
        Self { parts: Vec::new(), is_kept: true, sql_type: PhantomData }
    }

    /// Goes on with this text.
    pub(crate) fn sql(mut self, text: &'static str) -> Self {
        self.parts.push(Part::Sql(text));
        self
    }

    /// Goes on with a value.
    pub(crate) fn value(mut self, value: impl Into<Value>) -> Self {
        self.parts.push(Part::Value(value.into()));
        self
    }

    /// Goes on with values between commas.
    pub(crate) fn values(mut self, values: impl IntoIterator<Item = Value>) -> Self {
        for (place, value) in values.into_iter().enumerate() {
            if place > 0 {
                self.parts.push(Part::Sql(", "));
            }
            self.parts.push(Part::Value(value));
        }
        self
    }

    /// Goes on with another.
    pub(crate) fn then<Other>(mut self, other: Statement<Other>) -> Self {
        self.parts.extend(other.parts);
        self.is_kept &= other.is_kept;
        self
    }

    /// A text that few ask is made anew each time: what is kept stays for as long as the connection.
    pub(crate) fn kept_if(mut self, is_kept: bool) -> Self {
        self.is_kept &= is_kept;
        self
    }
}

impl Statement {
    /// `INSERT` of rows, all in one.
    pub(crate) fn insert<const N: usize>(
        into: &'static str,
        rows: impl IntoIterator<Item = [Value; N]>,
    ) -> Option<Self> {
        let mut statement = Self::new().sql("INSERT INTO ").sql(into).sql(" VALUES ");
        let mut count = 0;
        for row in rows {
            statement = statement.sql(if count == 0 { "(" } else { ", (" }).values(row).sql(")");
            count += 1;
        }
        (count > 0).then(|| statement.kept_if(count <= MOST_ROWS_KEPT))
    }
}

/// A statement with more rows than this is seldom asked again with as many.
const MOST_ROWS_KEPT: usize = 8;

impl<ST, DB> QueryFragment<DB> for Statement<ST>
where
    DB: Backend + HasSqlType<Text> + HasSqlType<BigInt> + HasSqlType<Integer> + HasSqlType<Bool>,
    String: ToSql<Text, DB>,
    Option<String>: ToSql<Nullable<Text>, DB>,
    i64: ToSql<BigInt, DB>,
    i32: ToSql<Integer, DB>,
    Option<i32>: ToSql<Nullable<Integer>, DB>,
    bool: ToSql<Bool, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        if !self.is_kept {
            out.unsafe_to_cache_prepared();
        }
        for part in &self.parts {
            match part {
                Part::Sql(text) => out.push_sql(text),
                Part::Value(Value::Text(text)) => out.push_bind_param::<Text, _>(text)?,
                Part::Value(Value::OptionalText(text)) => out.push_bind_param::<Nullable<Text>, _>(text)?,
                Part::Value(Value::Number(number)) => out.push_bind_param::<BigInt, _>(number)?,
                Part::Value(Value::Day(day)) => out.push_bind_param::<Integer, _>(day)?,
                Part::Value(Value::OptionalDay(day)) => out.push_bind_param::<Nullable<Integer>, _>(day)?,
                Part::Value(Value::Flag(flag)) => out.push_bind_param::<Bool, _>(flag)?,
            }
        }
        Ok(())
    }
}

impl<ST> QueryId for Statement<ST> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<ST: TypedExpressionType> Expression for Statement<ST> {
    type SqlType = ST;
}

impl<ST, QS> AppearsOnTable<QS> for Statement<ST> where Self: Expression {}
impl<ST, QS> SelectableExpression<QS> for Statement<ST> where Self: Expression {}

impl<ST, GB> ValidGrouping<GB> for Statement<ST> {
    type IsAggregate = is_aggregate::Never;
}

impl<Connection> RunQueryDsl<Connection> for Statement {}

/// `column IN (…)`. Unlike diesel's own it is kept by both databases: values are said again until there are a power of two of
/// them, so that few numbers of values make few texts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct OneOf<C, V> {
    column: C,
    values: V,
}

/// Asks whether a column has one of these values.
pub(crate) fn one_of<C>(column: C, mut values: Vec<String>) -> OneOf<C, Vec<String>> {
    if let Some(last) = values.last().cloned() {
        values.resize(values.len().next_power_of_two(), last);
    }
    OneOf { column, values }
}

impl<C, DB> QueryFragment<DB> for OneOf<C, Vec<String>>
where
    DB: Backend + HasSqlType<Text>,
    C: QueryFragment<DB>,
    String: ToSql<Text, DB>,
{
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        if self.values.is_empty() {
            out.push_sql("1=0");
            return Ok(());
        }
        self.column.walk_ast(out.reborrow())?;
        out.push_sql(" IN (");
        for (place, value) in self.values.iter().enumerate() {
            if place > 0 {
                out.push_sql(", ");
            }
            out.push_bind_param::<Text, _>(value)?;
        }
        out.push_sql(")");
        Ok(())
    }
}

impl<C, V> QueryId for OneOf<C, V> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C: Expression, V> Expression for OneOf<C, V> {
    type SqlType = Bool;
}

impl<C, V, QS> AppearsOnTable<QS> for OneOf<C, V> where C: Expression + AppearsOnTable<QS> {}
impl<C, V, QS> SelectableExpression<QS> for OneOf<C, V> where C: Expression + SelectableExpression<QS> {}

impl<C: ValidGrouping<GB>, V, GB> ValidGrouping<GB> for OneOf<C, V> {
    type IsAggregate = C::IsAggregate;
}
