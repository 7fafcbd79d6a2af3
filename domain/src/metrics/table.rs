//! Items in order of id, in blocks that states share; and beside each block, close together, the briefs of its items.

use std::fmt::Debug;
use std::sync::{Arc, OnceLock};

/// How many items a block has at most. A change copies one block, a copy of the table one pointer a block.
pub const BLOCK: usize = 128;

/// What a table keeps.
pub trait Keyed: Clone {
    /// By what it is found.
    type Id: Ord;
    /// What there is to say of a block in brief, for a walk over all of them; nothing where no walk is that hasty.
    type Briefs: Debug;

    /// Its id.
    fn id(&self) -> Self::Id;

    /// The briefs of a block.
    fn briefs(block: &[Self]) -> Self::Briefs;
}

/// Items in order of id. A copy shares its blocks with the one it was made from, until one of them changes.
#[derive(Debug, Clone)]
pub struct Table<T: Keyed> {
    /// None of them is empty.
    blocks: Vec<Arc<Block<T>>>,
}

impl<T: Keyed> Default for Table<T> {
    fn default() -> Self {
        Self { blocks: Vec::new() }
    }
}

impl<T: Keyed> Table<T> {
    /// All of them, in order of id.
    pub fn iter(&self) -> impl Iterator<Item = &T> + Clone {
        self.blocks.iter().flat_map(|block| block.items.iter())
    }

    /// All of them, some at a time, with the briefs of these.
    pub fn blocks(&self) -> impl Iterator<Item = (&[T], &T::Briefs)> {
        self.blocks.iter().map(|block| {
            let items = block.items.as_slice();
            (items, block.briefs.get_or_init(|| T::briefs(items)))
        })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.blocks.iter().map(|block| block.items.len()).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// Puts an item in its place; one with the same id goes.
    pub fn put(&mut self, item: T) {
        let id = item.id();
        let at = self.block_of(&id);
        let Some(block) = self.blocks.get_mut(at) else {
            self.blocks.push(Block::of([item]));
            return;
        };
        match block.find(&id) {
            Ok(place) => Block::change(block)[place] = item,
            Err(place) if block.items.len() < BLOCK => Block::change(block).insert(place, item),
            // What comes in order fills its blocks.
            Err(place) if place == block.items.len() => self.blocks.insert(at + 1, Block::of([item])),
            Err(place) => {
                let upper = Block::change(block).split_off(BLOCK / 2);
                self.blocks.insert(at + 1, Block::of(upper));
                let (at, place) = if place <= BLOCK / 2 { (at, place) } else { (at + 1, place - BLOCK / 2) };
                Block::change(&mut self.blocks[at]).insert(place, item);
            }
        }
    }

    /// Takes an item out, if it is there.
    pub fn remove(&mut self, id: &T::Id) {
        let at = self.block_of(id);
        let Some(block) = self.blocks.get_mut(at) else { return };
        let Ok(place) = block.find(id) else { return };
        if block.items.len() == 1 {
            self.blocks.remove(at);
        } else {
            Block::change(block).remove(place);
        }
    }

    /// The block in which an id stands, or belongs.
    fn block_of(&self, id: &T::Id) -> usize {
        let begins_later = |block: &Arc<Block<T>>| block.items.first().is_none_or(|first| first.id() > *id);
        self.blocks.partition_point(|block| !begins_later(block)).saturating_sub(1)
    }
}

/// Some items in order.
#[derive(Debug)]
struct Block<T: Keyed> {
    items: Vec<T>,
    /// Made when they are first asked for.
    briefs: OnceLock<T::Briefs>,
}

impl<T: Keyed> Clone for Block<T> {
    fn clone(&self) -> Self {
        Self { items: self.items.clone(), briefs: OnceLock::new() }
    }
}

impl<T: Keyed> Block<T> {
    fn of(items: impl IntoIterator<Item = T>) -> Arc<Self> {
        let mut block = Vec::with_capacity(BLOCK);
        block.extend(items);
        Arc::new(Self { items: block, briefs: OnceLock::new() })
    }

    fn find(&self, id: &T::Id) -> Result<usize, usize> {
        self.items.binary_search_by(|known| known.id().cmp(id))
    }

    /// The items, to be changed: a block of its own, of which nothing is said yet.
    fn change(block: &mut Arc<Self>) -> &mut Vec<T> {
        let Self { items, briefs } = Arc::make_mut(block);
        briefs.take();
        items
    }
}

impl<T: Keyed> FromIterator<T> for Table<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut table = Self::default();
        for item in items {
            table.put(item);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    impl Keyed for (u32, u32) {
        type Id = u32;
        type Briefs = Vec<u32>;

        fn id(&self) -> u32 {
            self.0
        }

        fn briefs(block: &[Self]) -> Vec<u32> {
            block.iter().map(|(_, value)| *value).collect()
        }
    }

    /// The items, of which the briefs must say the same.
    fn items(table: &Table<(u32, u32)>) -> Vec<(u32, u32)> {
        assert!(table.blocks().all(|(items, briefs)| *briefs == Keyed::briefs(items)));
        table.iter().copied().collect()
    }

    proptest! {
        #[test]
        fn a_table_is_a_map_and_a_copy_stays_as_it_was(
            first in vec((0u32..2000, any::<u32>()), 0..1500),
            then in vec((0u32..2000, proptest::option::of(any::<u32>())), 0..500),
        ) {
            let mut map: BTreeMap<u32, u32> = first.iter().copied().collect();
            let mut table: Table<(u32, u32)> = first.into_iter().collect();
            let (copy, before) = (table.clone(), items(&table));
            for (id, value) in then {
                if id % 7 == 0 {
                    prop_assert_eq!(items(&table).len(), map.len());
                }
                match value {
                    Some(value) => {
                        map.insert(id, value);
                        table.put((id, value));
                    }
                    None => {
                        map.remove(&id);
                        table.remove(&id);
                    }
                }
            }
            prop_assert_eq!(items(&table), map.into_iter().collect::<Vec<_>>());
            prop_assert_eq!(items(&copy), before);
            prop_assert!(table.blocks.iter().all(|block| (1..=BLOCK).contains(&block.items.len())));
        }
    }

    #[test]
    fn what_comes_in_order_fills_its_blocks_and_a_change_copies_one() {
        let table: Table<(u32, u32)> = (0..1000).map(|id| (id, 0)).collect();
        assert_eq!(table.blocks.len(), 1000usize.div_ceil(BLOCK));
        let mut changed = table.clone();
        changed.put((500, 1));
        let pairs = table.blocks.iter().zip(&changed.blocks);
        assert_eq!(pairs.filter(|(one, other)| !Arc::ptr_eq(one, other)).count(), 1);
    }
}
