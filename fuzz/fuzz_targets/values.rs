//! Codes, ids, scopes and bodies: what is accepted is written the same way again.

#![no_main]

use domain::access::Scope;
use domain::advice::{Reference, Receipt};
use domain::ids::{AdviceId, CouncilCode};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|text: &str| {
    if let Ok(code) = text.parse::<CouncilCode>() {
        assert_eq!(code.as_str(), text);
    }
    if let Ok(id) = text.parse::<AdviceId>() {
        assert_eq!(id.to_string().parse::<AdviceId>(), Ok(id));
    }
    if let Ok(scope) = text.parse::<Scope>() {
        assert!(Scope::ALL.iter().any(|(known, name, _)| *known == scope && *name == text));
    }
    round_trip::<Reference>(text);
    round_trip::<Receipt>(text);
    round_trip::<domain::advice::AdviceText>(text);
    round_trip::<domain::term::TermRule>(text);
    round_trip::<domain::agreement::AgreementBody>(text);
    round_trip::<domain::commitment::CommitmentBody>(text);
});

fn round_trip<T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(text: &str) {
    let Ok(read) = serde_json::from_str::<T>(text) else { return };
    let written: Value = serde_json::to_value(&read).expect("what was read can be written");
    assert_eq!(serde_json::from_value::<T>(written).expect("and read again"), read);
}
