//! revm as the second opinion: the same transaction from the same world, seen in the same terms.

use std::collections::BTreeMap;
use std::convert::Infallible;

use alloy_primitives::{Address, B256, TxKind, U256};
use revm::context::result::{ExecutionResult, Output};
use revm::context::{BlockEnv, CfgEnv, TxEnv};
use revm::database_interface::DatabaseRef;
use revm::primitives::hardfork::SpecId;
use revm::state::{AccountInfo, Bytecode, EvmState};
use revm::{Context, ExecuteEvm, MainBuilder, MainContext};
use zvm::Fork;
use zvm::tx::Transaction;

use crate::seen::{Change, End, Seen};
use crate::world::{GAS_PRICE, World, block};

/// A world as revm reads it.
struct Read<'w>(&'w World);

impl DatabaseRef for Read<'_> {
    type Error = Infallible;

    fn basic_ref(&self, address: Address) -> Result<Option<AccountInfo>, Infallible> {
        Ok(self.0.accounts.get(&address).map(|account| {
            let code = self.0.codes.get(&account.info.code_hash).cloned().unwrap_or_default();
            AccountInfo {
                balance: account.info.balance,
                nonce: account.info.nonce,
                code_hash: account.info.code_hash,
                code: Some(Bytecode::new_raw(code)),
                ..AccountInfo::default()
            }
        }))
    }

    fn code_by_hash_ref(&self, hash: B256) -> Result<Bytecode, Infallible> {
        Ok(Bytecode::new_raw(self.0.codes.get(&hash).cloned().unwrap_or_default()))
    }

    fn storage_ref(&self, address: Address, key: U256) -> Result<U256, Infallible> {
        Ok(self.0.storage_word(&address, &key))
    }

    fn block_hash_ref(&self, number: u64) -> Result<B256, Infallible> {
        Ok(World::hash_of_block(number))
    }
}

/// Runs a transaction on revm; an error says why it finds the transaction invalid.
pub fn transact(world: &World, fork: Fork, transaction: &Transaction) -> Result<Seen, String> {
    let spec = match fork {
        Fork::Cancun => SpecId::CANCUN,
        Fork::Prague => SpecId::PRAGUE,
        Fork::Osaka => SpecId::OSAKA,
    };
    let env = block();
    let cfg = CfgEnv::new_with_spec(spec).with_chain_id(env.chain_id.to());
    let block = BlockEnv {
        number: env.number,
        beneficiary: env.coinbase,
        timestamp: env.timestamp,
        gas_limit: env.gas_limit.to(),
        basefee: env.base_fee.to(),
        prevrandao: Some(B256::from(env.prev_randao)),
        ..BlockEnv::default()
    };
    let tx = TxEnv {
        caller: transaction.from,
        gas_limit: transaction.gas_limit,
        gas_price: GAS_PRICE.into(),
        kind: transaction.to.map_or(TxKind::Create, TxKind::Call),
        value: transaction.value,
        data: transaction.data.clone(),
        nonce: world.accounts.get(&transaction.from).map_or(0, |account| account.info.nonce),
        chain_id: None,
        ..TxEnv::default()
    };
    let mut evm = Context::mainnet().with_ref_db(Read(world)).with_cfg(cfg).with_block(block).build_mainnet();
    let outcome = evm.transact(tx).map_err(|error| format!("{error:?}"))?;
    Ok(seen(world, outcome.result, outcome.state))
}

fn seen(world: &World, result: ExecutionResult, state: EvmState) -> Seen {
    let gas_used = result.tx_gas_used();
    let gas_refunded = result.gas().inner_refunded();
    let (end, output, logs, created) = match result {
        ExecutionResult::Success { output: Output::Call(bytes), logs, .. } => {
            (End::Success, bytes, logs, None)
        }
        // Our machine does not repeat the code as return data.
        ExecutionResult::Success { output: Output::Create(_, created), logs, .. } => {
            (End::Success, Default::default(), logs, created)
        }
        ExecutionResult::Revert { output, .. } => (End::Revert, output, Vec::new(), None),
        ExecutionResult::Halt { .. } => (End::Trap, Default::default(), Vec::new(), None),
    };
    let logs = logs.into_iter().map(|log| (log.address, log.data.topics().to_vec(), log.data.data));
    Seen {
        end,
        output,
        gas_used,
        gas_refunded,
        logs: logs.collect(),
        created,
        changes: changes(world, state),
    }
}

/// What is not as in the world before.
fn changes(world: &World, state: EvmState) -> BTreeMap<Address, Change> {
    let mut changes = BTreeMap::new();
    for (address, account) in state {
        if !account.is_touched() {
            continue;
        }
        let is_gone = account.is_selfdestructed() || account.is_empty();
        let now = &account.info;
        let info = (!is_gone).then_some((now.nonce, now.balance, now.code_hash));
        let before = world.accounts.get(&address).map(|before| before.info);
        let before = before.map(|info| (info.nonce, info.balance, info.code_hash));
        let mut storage = BTreeMap::new();
        if !is_gone {
            let slots = account.storage.iter().filter(|(_, slot)| slot.is_changed());
            storage.extend(slots.map(|(key, slot)| (*key, slot.present_value)));
        }
        if info != before || !storage.is_empty() {
            changes.insert(address, Change { info, storage });
        }
    }
    changes
}
