//! Ethereum's state tests: one transaction per case, in the form of execution-spec-tests and in the older one,
//! where a file holds one transaction with tables of data, gas limits and values, and each result names its row.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, U64, U256};
use k256::ecdsa::SigningKey;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use zvm::Fork;
use zvm::host::BlockEnv;
use zvm::tx::blob::blob_base_fee;
use zvm::tx::{AccessListItem, Authorization, DynamicFees, Transaction, TransactionKind};

use super::{Entry, ReadError, parse};
use crate::case::{Accounts, Case, Expected, Post, Sent, Step};
use crate::exceptions::Refusal;
use crate::skips::OTHER_FORK;

/// The chain of the state tests.
const CHAIN_ID: u64 = 1;

/// Tests by name, in the order of the file.
struct Tests(Vec<(String, Test)>);

#[derive(Deserialize)]
struct Test {
    env: Env,
    pre: Accounts,
    transaction: Template,
    post: BTreeMap<String, Vec<PostEntry>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Env {
    current_coinbase: Address,
    current_gas_limit: U256,
    current_number: U256,
    current_timestamp: U256,
    current_random: Option<U256>,
    current_base_fee: Option<U256>,
    current_excess_blob_gas: Option<U64>,
}

/// A transaction with tables for what varies.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Template {
    nonce: U64,
    gas_price: Option<U256>,
    max_fee_per_gas: Option<U256>,
    max_priority_fee_per_gas: Option<U256>,
    max_fee_per_blob_gas: Option<U256>,
    gas_limit: Vec<U64>,
    #[serde(deserialize_with = "receiver")]
    to: Option<Address>,
    value: Vec<U256>,
    data: Vec<Bytes>,
    access_lists: Option<Vec<Option<Vec<AccessEntry>>>>,
    blob_versioned_hashes: Option<Vec<B256>>,
    authorization_list: Option<Vec<SignedAuthorization>>,
    sender: Option<Address>,
    secret_key: Option<B256>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AccessEntry {
    address: Address,
    storage_keys: Vec<B256>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SignedAuthorization {
    chain_id: U256,
    address: Address,
    nonce: U64,
    y_parity: Option<U256>,
    v: Option<U256>,
    r: U256,
    s: U256,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PostEntry {
    hash: B256,
    logs: B256,
    txbytes: Option<Bytes>,
    indexes: Indexes,
    state: Option<Accounts>,
    expect_exception: Option<String>,
}

#[derive(Deserialize)]
struct Indexes {
    data: usize,
    gas: usize,
    value: usize,
}

/// Whether the text is a map of tests, sound or not.
pub(super) fn is_one(text: &str) -> bool {
    #[derive(Deserialize)]
    struct Keys {
        transaction: Option<IgnoredAny>,
        post: Option<IgnoredAny>,
    }
    let tests: Result<BTreeMap<String, Keys>, _> = serde_json::from_str(text);
    tests.is_ok_and(|tests| tests.values().any(|test| test.transaction.is_some() || test.post.is_some()))
}

pub(super) fn read(text: &str) -> Result<Vec<Entry>, ReadError> {
    let Tests(tests) = parse(text)?;
    let mut entries = Vec::new();
    for (name, test) in tests {
        let Test { env, pre, transaction, post } = test;
        let pre = Arc::new(pre);
        for (fork_name, results) in post {
            let fork = Fork::from_name(&fork_name);
            let is_only = results.len() == 1;
            for (number, result) in results.into_iter().enumerate() {
                let Indexes { data, gas, value } = result.indexes;
                let case_name = match is_only {
                    true => name.clone(),
                    false => format!("{name} [{fork_name} d{data} g{gas} v{value}]"),
                };
                let Some(fork) = fork else {
                    entries.push(Entry::Skipped { name: case_name, reason: OTHER_FORK });
                    continue;
                };
                let step = step(&env, &transaction, &result, fork).map_err(|(field, message)| {
                    ReadError::new(place(&name, &fork_name, number, field), message)
                })?;
                entries.push(Entry::Case(Box::new(Case {
                    name: case_name,
                    fork,
                    transaction_gas_cap: true,
                    pre: pre.clone(),
                    steps: vec![step],
                    post: Post { root: Some(result.hash), accounts: result.state },
                })));
            }
        }
    }
    Ok(entries)
}

/// Path of a field; `field` begins with a dot if it lies in the result itself.
fn place(test: &str, fork: &str, number: usize, field: &str) -> String {
    match field.strip_prefix('.') {
        Some(field) => format!("{test}.post.{fork}[{number}].{field}"),
        None => format!("{test}.{field}"),
    }
}

/// A field that does not fit, and why.
type Misfit = (&'static str, String);

fn step(env: &Env, template: &Template, result: &PostEntry, fork: Fork) -> Result<Step, Misfit> {
    let refusal = match &result.expect_exception {
        Some(names) => Some(Refusal::from_names(names).map_err(|message| (".expectException", message))?),
        None => None,
    };
    let transaction = match (&refusal, &result.txbytes) {
        (Some(refusal), Some(bytes)) if refusal.is_of_encoding() => Sent::Undecodable(bytes.clone()),
        (Some(refusal), None) if refusal.is_of_encoding() => {
            return Err((".txbytes", "is absent, but the exception is about the encoding".into()));
        }
        _ => Sent::Fields(Box::new(template.transaction(&result.indexes)?)),
    };
    Ok(Step {
        name: String::new(),
        block: env.block(fork)?,
        transaction,
        expected: Expected { refusal, logs_hash: Some(result.logs), ..Expected::default() },
    })
}

impl Env {
    fn block(&self, fork: Fork) -> Result<BlockEnv, Misfit> {
        let absent = |field| (field, format!("is absent, but {} has it", fork.name()));
        let excess = self.current_excess_blob_gas.unwrap_or_default().to();
        Ok(BlockEnv {
            number: self.current_number,
            timestamp: self.current_timestamp,
            coinbase: self.current_coinbase,
            gas_limit: self.current_gas_limit,
            base_fee: self.current_base_fee.ok_or_else(|| absent("env.currentBaseFee"))?,
            prev_randao: self.current_random.ok_or_else(|| absent("env.currentRandom"))?,
            blob_base_fee: blob_base_fee(excess, fork),
            chain_id: U256::from(CHAIN_ID),
        })
    }
}

impl Template {
    fn transaction(&self, indexes: &Indexes) -> Result<Transaction, Misfit> {
        let outside = |field| (field, "is outside the transaction's table".to_owned());
        Ok(Transaction {
            from: self.sender()?,
            to: self.to,
            value: *self.value.get(indexes.value).ok_or_else(|| outside(".indexes.value"))?,
            data: self.data.get(indexes.data).ok_or_else(|| outside(".indexes.data"))?.clone(),
            gas_limit: self.gas_limit.get(indexes.gas).ok_or_else(|| outside(".indexes.gas"))?.to(),
            nonce: Some(self.nonce.to()),
            chain_id: Some(CHAIN_ID),
            kind: self.kind(indexes.data)?,
        })
    }

    /// The sender as the file names it, or the account of its key.
    fn sender(&self) -> Result<Address, Misfit> {
        match (self.sender, self.secret_key) {
            (Some(sender), _) => Ok(sender),
            (None, Some(key)) => match SigningKey::from_slice(key.as_slice()) {
                Ok(key) => Ok(Address::from_private_key(&key)),
                Err(error) => Err(("transaction.secretKey", error.to_string())),
            },
            (None, None) => Err(("transaction.sender", "is absent, and so is secretKey".into())),
        }
    }

    /// What the type of the transaction adds, told from the fields that are there.
    fn kind(&self, data_index: usize) -> Result<TransactionKind, Misfit> {
        let access_list = self.access_list(data_index)?;
        if let Some(authorizations) = &self.authorization_list {
            return Ok(TransactionKind::SetCode {
                fees: self.fees()?,
                access_list: access_list.unwrap_or_default(),
                authorizations: authorizations.iter().map(SignedAuthorization::recover).collect(),
            });
        }
        if self.blob_versioned_hashes.is_some() || self.max_fee_per_blob_gas.is_some() {
            return Ok(TransactionKind::Blob {
                fees: self.fees()?,
                access_list: access_list.unwrap_or_default(),
                max_fee_per_blob_gas: self
                    .max_fee_per_blob_gas
                    .ok_or_else(|| absent("transaction.maxFeePerBlobGas"))?,
                blob_hashes: self.blob_versioned_hashes.clone().unwrap_or_default(),
            });
        }
        if self.max_fee_per_gas.is_some() {
            return Ok(TransactionKind::DynamicFee {
                fees: self.fees()?,
                access_list: access_list.unwrap_or_default(),
            });
        }
        let gas_price = self.gas_price.ok_or_else(|| absent("transaction.gasPrice"))?;
        Ok(match access_list {
            Some(access_list) => TransactionKind::AccessList { gas_price, access_list },
            None => TransactionKind::Legacy { gas_price },
        })
    }

    fn fees(&self) -> Result<DynamicFees, Misfit> {
        Ok(DynamicFees {
            max_fee_per_gas: self.max_fee_per_gas.ok_or_else(|| absent("transaction.maxFeePerGas"))?,
            max_priority_fee_per_gas: self
                .max_priority_fee_per_gas
                .ok_or_else(|| absent("transaction.maxPriorityFeePerGas"))?,
        })
    }

    /// The access list of the row; `None` where the transaction has none, which makes it a legacy one.
    fn access_list(&self, index: usize) -> Result<Option<Vec<AccessListItem>>, Misfit> {
        let Some(lists) = &self.access_lists else { return Ok(None) };
        let Some(list) = lists.get(index) else {
            return Err(("transaction.accessLists", format!("has no row {index}, which the data has")));
        };
        Ok(list.as_ref().map(|list| {
            let item = |entry: &AccessEntry| AccessListItem {
                address: entry.address,
                storage_keys: entry.storage_keys.clone(),
            };
            list.iter().map(item).collect()
        }))
    }
}

fn absent(field: &'static str) -> Misfit {
    (field, "is absent, but the other fields need it".into())
}

impl SignedAuthorization {
    fn recover(&self) -> Authorization {
        // Without a parity the signature is invalid, as with one that is neither 0 nor 1.
        let y_parity = self.y_parity.or(self.v).unwrap_or(U256::MAX);
        Authorization::recover(self.chain_id, self.address, self.nonce.to(), y_parity, self.r, self.s)
    }
}

/// An address, or the empty string for a creation.
fn receiver<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Address>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|error| serde::de::Error::custom(format!("`{text}`: {error}")))
}

impl<'de> Deserialize<'de> for Tests {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Tests, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Tests;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a map of tests")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tests, A::Error> {
                let mut tests = Vec::new();
                while let Some(test) = map.next_entry()? {
                    tests.push(test);
                }
                Ok(Tests(tests))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}
