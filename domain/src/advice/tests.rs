//! What holds for an advice.
