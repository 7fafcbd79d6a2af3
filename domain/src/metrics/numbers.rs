//! Codes as numbers: a fact names a council, a theme or a rule by its place in a table that the facts share.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::Arc;

use crate::ids::{AreaCode, ClusterCode, CouncilCode, OfficeHolderId, ThemeCode};
use crate::term::TermRule;

/// The place of a code in its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number(NonZeroU32);

impl Number {
    fn at(index: usize) -> Self {
        let number = u32::try_from(index).ok().and_then(|index| NonZeroU32::MIN.checked_add(index));
        Self(number.unwrap_or(NonZeroU32::MAX))
    }

    /// The place, from 0 on.
    pub fn index(self) -> u32 {
        self.0.get() - 1
    }
}

/// The tables of numbers. One only ever grows, so a number means the same in every state that was made from another.
#[derive(Debug, Clone, Default)]
pub struct Codes {
    /// Councils.
    pub councils: Numbered<CouncilCode>,
    /// Areas.
    pub areas: Numbered<AreaCode>,
    /// Clusters.
    pub clusters: Numbered<ClusterCode>,
    /// Themes.
    pub themes: Numbered<ThemeCode>,
    /// Office holders.
    pub office_holders: Numbered<OfficeHolderId>,
    /// Term rules as they were frozen.
    pub rules: Numbered<TermRule>,
    /// The themes of one item: many have the same.
    pub theme_lists: Numbered<Box<[Number]>>,
    /// The numbers of the points of one advice.
    pub point_lists: Numbered<Box<[u16]>>,
}

impl Codes {
    /// The number of these themes together.
    pub fn theme_list(&mut self, themes: &[ThemeCode]) -> Number {
        let themes: Box<[Number]> = themes.iter().map(|theme| self.themes.number(theme)).collect();
        self.theme_lists.number(&themes)
    }

    /// The themes of a list.
    pub fn themes_of(&self, list: Number) -> &[Number] {
        self.theme_lists.get(list).map_or(&[], AsRef::as_ref)
    }

    /// The numbers of points of a list.
    pub fn points_of(&self, list: Number) -> &[u16] {
        self.point_lists.get(list).map_or(&[], AsRef::as_ref)
    }
}

/// Values, each with its number. Copies share it until one of them meets a new value.
#[derive(Debug, Clone)]
pub struct Numbered<T>(Arc<Table<T>>);

#[derive(Debug, Clone)]
struct Table<T> {
    values: Vec<T>,
    numbers: HashMap<T, Number>,
}

impl<T> Default for Numbered<T> {
    fn default() -> Self {
        Self(Arc::new(Table { values: Vec::new(), numbers: HashMap::new() }))
    }
}

impl<T: Clone + Eq + Hash> Numbered<T> {
    /// The number of a value; a new one gets the next.
    pub fn number(&mut self, value: &T) -> Number {
        if let Some(known) = self.find(value) {
            return known;
        }
        let table = Arc::make_mut(&mut self.0);
        let number = Number::at(table.values.len());
        table.values.push(value.clone());
        table.numbers.insert(value.clone(), number);
        number
    }

    /// The number of a value that has one.
    pub fn find<Q: Eq + Hash + ?Sized>(&self, value: &Q) -> Option<Number>
    where
        T: Borrow<Q>,
    {
        self.0.numbers.get(value).copied()
    }
}

impl<T> Numbered<T> {
    /// The value that has a number.
    pub fn get(&self, number: Number) -> Option<&T> {
        self.at(number.index())
    }

    /// How many have one.
    pub fn len(&self) -> usize {
        self.0.values.len()
    }

    /// Whether none has one.
    pub fn is_empty(&self) -> bool {
        self.0.values.is_empty()
    }

    /// The value at a place, from 0 on.
    pub fn at(&self, index: u32) -> Option<&T> {
        self.0.values.get(index as usize)
    }
}
