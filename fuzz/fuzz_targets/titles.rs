//! A title, from which the councils behind an advice are told: only councils that there are, each once, and always the same.

#![no_main]

use std::collections::BTreeSet;
use std::sync::LazyLock;

use domain::attribution::CouncilIndex;
use domain::council::Council;
use libfuzzer_sys::fuzz_target;

static COUNCILS: LazyLock<Vec<Council>> = LazyLock::new(|| domain::reference::built_in().councils);
static INDEX: LazyLock<CouncilIndex> = LazyLock::new(|| CouncilIndex::new(&COUNCILS));

fuzz_target!(|text: &str| {
    let found = INDEX.find(text, None);
    assert_eq!(INDEX.find(text, None), found);
    let unique: BTreeSet<_> = found.councils.iter().collect();
    assert_eq!(unique.len(), found.councils.len());
    assert!(unique.iter().all(|code| COUNCILS.iter().any(|council| council.code == **code)));
    assert_eq!(found.councils.is_empty(), found.problem.is_some(), "{found:?}");
});
