//! Items in order of id, in blocks that states share; and beside them, close together, the brief of each.

use std::fmt::Debug;
use std::sync::Arc;

/// How many items a block has at most. A change copies one block, a copy of the table one pointer a block.
const BLOCK: usize = 128;

/// What a table keeps.
pub trait Keyed: Clone {
    /// By what it is found.
    type Id: Ord;
    /// What a walk over all of them can do with; nothing where no walk is that hasty.
    type Brief: Clone + Debug;

    /// Its id.
    fn id(&self) -> Self::Id;

    /// What there is to say of it in brief.
    fn brief(&self) -> Self::Brief;
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

    /// All of them, each beside its brief.
    pub fn briefs(&self) -> impl Iterator<Item = (&T::Brief, &T)> + Clone {
        self.blocks.iter().flat_map(|block| block.briefs.iter().zip(&block.items))
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
            self.blocks.push(Arc::new(Block::of(item)));
            return;
        };
        match block.find(&id) {
            Ok(place) => Arc::make_mut(block).replace(place, item),
            Err(place) if block.items.len() < BLOCK => Arc::make_mut(block).insert(place, item),
            // What comes in order fills its blocks.
            Err(place) if place == block.items.len() => self.blocks.insert(at + 1, Arc::new(Block::of(item))),
            Err(place) => {
                let upper = Arc::make_mut(block).split();
                self.blocks.insert(at + 1, Arc::new(upper));
                let (at, place) = if place <= BLOCK / 2 { (at, place) } else { (at + 1, place - BLOCK / 2) };
                Arc::make_mut(&mut self.blocks[at]).insert(place, item);
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
            Arc::make_mut(block).remove(place);
        }
    }

    /// The block in which an id stands, or belongs.
    fn block_of(&self, id: &T::Id) -> usize {
        let begins_later = |block: &Arc<Block<T>>| block.items.first().is_none_or(|first| first.id() > *id);
        self.blocks.partition_point(|block| !begins_later(block)).saturating_sub(1)
    }
}

/// Some items in order, and as many briefs.
#[derive(Debug, Clone)]
struct Block<T: Keyed> {
    items: Vec<T>,
    briefs: Vec<T::Brief>,
}

impl<T: Keyed> Block<T> {
    fn of(item: T) -> Self {
        let mut block = Self { items: Vec::with_capacity(BLOCK), briefs: Vec::with_capacity(BLOCK) };
        block.insert(0, item);
        block
    }

    fn find(&self, id: &T::Id) -> Result<usize, usize> {
        self.items.binary_search_by(|known| known.id().cmp(id))
    }

    fn replace(&mut self, place: usize, item: T) {
        self.briefs[place] = item.brief();
        self.items[place] = item;
    }

    fn insert(&mut self, place: usize, item: T) {
        self.briefs.insert(place, item.brief());
        self.items.insert(place, item);
    }

    fn remove(&mut self, place: usize) {
        self.briefs.remove(place);
        self.items.remove(place);
    }

    /// Gives away its upper half.
    fn split(&mut self) -> Self {
        let mut upper = Self { items: Vec::with_capacity(BLOCK), briefs: Vec::with_capacity(BLOCK) };
        upper.items.extend(self.items.drain(BLOCK / 2..));
        upper.briefs.extend(self.briefs.drain(BLOCK / 2..));
        upper
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
        type Brief = u32;

        fn id(&self) -> u32 {
            self.0
        }

        fn brief(&self) -> u32 {
            self.1
        }
    }

    fn items(table: &Table<(u32, u32)>) -> Vec<(u32, u32)> {
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
            prop_assert!(table.briefs().all(|(brief, item)| *brief == item.1));
            prop_assert_eq!(table.briefs().count(), table.len());
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
