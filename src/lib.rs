//! Kalix.
