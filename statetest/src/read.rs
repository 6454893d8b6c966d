//! Text of a file to cases. The form is recognized by content; each form has a file of its own.
//!
//! Nothing here panics on any text: what does not fit is a [`ReadError`] that names the field.

mod script;
mod state_test;

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::bench::BenchCase;
use crate::case::Case;

/// A form of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// State tests of ethereum/execution-spec-tests, and of ethereum/tests with their tables of indexes.
    StateTest,
    /// A script of transactions, as the folder `solidity` has.
    Script,
    /// One transaction with its result, as the folder `bench` has.
    Bench,
}

/// A case of a file, or why it is not one to run.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A case to run.
    Case(Box<Case>),
    /// A case that is not run.
    Skipped {
        /// Name within the file.
        name: String,
        /// Why.
        reason: &'static str,
    },
}

/// Why a text is no file of cases.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct ReadError {
    /// Path of the field, `.` for the whole.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

impl ReadError {
    pub(crate) fn new(field: impl Into<String>, message: impl Into<String>) -> ReadError {
        ReadError { field: field.into(), message: message.into() }
    }
}

/// Reads the cases of a file.
///
/// # Errors
/// If the text is not JSON, of none of the forms, or has a field that is missing or does not fit.
pub fn read(text: &str) -> Result<Vec<Entry>, ReadError> {
    match recognize(text)? {
        Form::StateTest => state_test::read(text),
        Form::Script => script::read(text),
        Form::Bench => {
            let case: BenchCase = parse(text)?;
            Ok(case.cases()?.into_iter().map(|case| Entry::Case(Box::new(case))).collect())
        }
    }
}

/// Tells the form from the keys at the top.
fn recognize(text: &str) -> Result<Form, ReadError> {
    #[derive(Deserialize)]
    struct Keys {
        steps: Option<IgnoredAny>,
        final_state_root: Option<IgnoredAny>,
        calldata_hex: Option<IgnoredAny>,
        expected: Option<IgnoredAny>,
    }
    let keys: Keys = parse(text)?;
    if keys.steps.is_some() && keys.final_state_root.is_some() {
        Ok(Form::Script)
    } else if keys.calldata_hex.is_some() && keys.expected.is_some() {
        Ok(Form::Bench)
    } else if state_test::is_one(text) {
        Ok(Form::StateTest)
    } else {
        let message = "neither state tests (each with `pre`, `transaction` and `post`), nor a script of \
                       transactions (`steps`), nor a benchmark case (`calldata_hex`)";
        Err(ReadError::new(".", message))
    }
}

/// Parses JSON; an error names the path of the field.
pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, ReadError> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| ReadError::new(error.path().to_string(), error.inner().to_string()))?;
    deserializer.end().map_err(|error| ReadError::new(".", error.to_string()))?;
    Ok(value)
}

/// A `u64` written as a 0x-quantity.
pub(crate) mod quantity {
    use alloy_primitives::U64;
    use serde::{Deserialize, Deserializer};

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        U64::deserialize(deserializer).map(|quantity| quantity.to())
    }
}
