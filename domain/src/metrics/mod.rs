//! The figures (design, section 6): pure functions over facts. Each has a code and a definition with a version.

pub mod facts;

/// Whether a metric has a definition of this version.
pub fn has_definition(code: &str, version: u16) -> bool {
    code == "collegetarget" && version == 1
}
