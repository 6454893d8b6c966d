//! The second opinion on scripts: revm.

use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use revm::context::result::{ExecutionResult, Output};
use revm::context::{BlockEnv as RevmBlock, CfgEnv, TxEnv};
use revm::database::{CacheDB, EmptyDB};
use revm::primitives::hardfork::SpecId;
use revm::state::{AccountInfo, Bytecode};
use revm::{Context, ExecuteCommitEvm, ExecuteEvm, MainBuilder, MainContext};
use testkit::host::{CALLER, CONTRACT, ORIGIN, TestHost};
use testkit::observe::Observed;
use testkit::program::Program;
use zvm::bytecode::Encoding;
use zvm::host::{BlockEnv, Host};
use zvm::outcome::Exit;
use zvm::tx::{Transaction, TransactionResult};

type Db = CacheDB<EmptyDB>;

/// Hands call data and value on to the account of the first operand, and its answer back.
fn relay(to: Address) -> Vec<u8> {
    // calldatacopy(0, 0, calldatasize); call(gas, to, callvalue, 0, calldatasize, 0, 0)
    let mut code = vec![0x36, 0x5f, 0x5f, 0x37, 0x5f, 0x5f, 0x36, 0x5f, 0x34, 0x73];
    code.extend(to);
    // returndatacopy(0, 0, returndatasize); return or revert
    code.extend([0x5a, 0xf1, 0x3d, 0x5f, 0x5f, 0x3e]);
    let success = code.len() as u8 + 6;
    code.extend([0x60, success, 0x57, 0x3d, 0x5f, 0xfd, 0x5b, 0x3d, 0x5f, 0xf3]);
    code
}

fn insert(db: &mut Db, address: Address, balance: U256, code: Vec<u8>) {
    let code = Bytecode::new_raw(code.into());
    let code_hash = code.hash_slow();
    let info = AccountInfo { balance, nonce: 1, code_hash, code: Some(code), ..AccountInfo::default() };
    db.insert_account_info(address, info);
}

/// What can be compared of an execution's end.
#[derive(Debug, PartialEq, Eq)]
struct Seen {
    is_success: bool,
    is_revert: bool,
    output: Bytes,
    logs: Vec<(Address, Vec<B256>, Bytes)>,
}

fn seen(result: &ExecutionResult) -> Seen {
    let output = match result {
        ExecutionResult::Success { output: Output::Call(bytes), .. } => bytes.clone(),
        ExecutionResult::Revert { output, .. } => output.clone(),
        _ => Bytes::new(),
    };
    // Of a revert, the logs of no frame are kept.
    let logs = if result.is_success() { result.logs() } else { &[] };
    Seen {
        is_success: result.is_success(),
        is_revert: matches!(result, ExecutionResult::Revert { .. }),
        output,
        logs: logs.iter().map(|log| (log.address, log.topics().to_vec(), log.data.data.clone())).collect(),
    }
}

fn same(ours: &Seen, theirs: &Seen) -> Result<(), String> {
    if ours == theirs { Ok(()) } else { Err(format!("revm: {theirs:?}\ninstead of {ours:?}")) }
}

fn block_env(block: &BlockEnv) -> (CfgEnv, RevmBlock) {
    let mut cfg = CfgEnv::new_with_spec(SpecId::OSAKA).with_chain_id(block.chain_id.to());
    cfg.tx_gas_limit_cap = Some(u64::MAX);
    cfg.disable_nonce_check = true;
    let block = RevmBlock {
        number: block.number,
        beneficiary: block.coinbase,
        timestamp: block.timestamp,
        gas_limit: block.gas_limit.saturating_to(),
        basefee: block.base_fee.saturating_to(),
        prevrandao: Some(B256::from(block.prev_randao)),
        ..RevmBlock::default()
    };
    (cfg, block)
}

/// Compares what one frame did with what revm makes of it.
///
/// The frame's host answers calls by a rule of its own, so frames that make calls say nothing here.
pub(crate) fn frame(program: &Program, observed: &Observed) -> Result<(), String> {
    if !observed.requests.is_empty() || program.encoding != Encoding::Evm {
        return Ok(());
    }
    let setting = &program.setting;
    let mut host = TestHost::new(&setting.storage);
    let mut db = Db::default();
    let balance = |host: &mut TestHost, address| host.self_balance(&address).unwrap_or_default();
    // Whoever sends does so through the caller; frames of tests do not move their value.
    insert(&mut db, ORIGIN, U256::MAX >> 1, Vec::new());
    let caller = balance(&mut host, CALLER);
    insert(&mut db, CALLER, caller, relay(CONTRACT));
    let own = balance(&mut host, CONTRACT).saturating_sub(setting.value);
    insert(&mut db, CONTRACT, own, program.code.clone());
    for (&key, &value) in &setting.storage {
        db.insert_account_storage(CONTRACT, key, value).map_err(|error| error.to_string())?;
    }
    let block = host.block();
    let (cfg, mut env) = block_env(block);
    env.gas_limit = block.gas_limit.to();
    for age in 1..=256 {
        let number = env.number.to::<u64>() - age;
        let hash = host.block_hash(number).map_err(|error| error.to_string())?;
        db.cache.block_hashes.insert(U256::from(number), hash);
    }
    let tx = TxEnv {
        caller: ORIGIN,
        gas_limit: setting.gas + 200_000,
        gas_price: host.tx().gas_price.to(),
        kind: TxKind::Call(CALLER),
        value: setting.value,
        data: setting.input.clone(),
        chain_id: None,
        ..TxEnv::default()
    };
    let mut evm = Context::mainnet().with_db(db).with_cfg(cfg).with_block(env).build_mainnet();
    let outcome = evm.transact(tx).map_err(|error| format!("revm: {error:?}"))?;
    let ours = Seen {
        is_success: matches!(observed.exit, Exit::Halt | Exit::Return),
        // The relay turns every other end into a revert.
        is_revert: !matches!(observed.exit, Exit::Halt | Exit::Return),
        output: observed.output.clone(),
        logs: observed.logs.iter().map(|log| (log.address, log.topics.to_vec(), log.data.clone())).collect(),
    };
    same(&ours, &seen(&outcome.result))?;
    if let Some(storage) = &observed.storage {
        let account = outcome.state.get(&CONTRACT).ok_or("revm did not run the contract")?;
        for (key, slot) in &account.storage {
            let found = storage.get(key).copied().unwrap_or_default();
            if found != slot.present_value {
                return Err(format!("revm: {:#x} at {key:#x} instead of {found:#x}", slot.present_value));
            }
        }
    }
    Ok(())
}

/// The chain in revm.
pub(crate) struct Peer {
    db: Db,
}

impl Peer {
    pub(crate) fn new(accounts: &[(Address, U256)]) -> Peer {
        let mut db = Db::default();
        for &(address, balance) in accounts {
            db.insert_account_info(address, AccountInfo { balance, ..AccountInfo::default() });
        }
        Peer { db }
    }

    /// Runs a transaction and compares what it did.
    pub(crate) fn transact(
        &mut self,
        transaction: &Transaction,
        block: &BlockEnv,
        result: &TransactionResult,
    ) -> Result<(), String> {
        let (cfg, env) = block_env(block);
        let nonce = self.db.cache.accounts.get(&transaction.from).map_or(0, |account| account.info.nonce);
        let tx = TxEnv {
            caller: transaction.from,
            gas_limit: transaction.gas_limit,
            gas_price: 0,
            kind: transaction.to.map_or(TxKind::Create, TxKind::Call),
            value: transaction.value,
            data: transaction.data.clone(),
            nonce,
            chain_id: None,
            ..TxEnv::default()
        };
        let mut evm = Context::mainnet().with_db(&mut self.db).with_cfg(cfg).with_block(env).build_mainnet();
        let theirs = evm.transact_commit(tx).map_err(|error| format!("revm: {error:?}"))?;
        let ours = Seen {
            is_success: result.is_success(),
            is_revert: result.exit == Exit::Revert,
            output: result.output.clone(),
            logs: result
                .logs
                .iter()
                .map(|log| (log.address, log.topics.to_vec(), log.data.clone()))
                .collect(),
        };
        same(&ours, &seen(&theirs))?;
        if result.created != theirs.created_address() {
            return Err(format!("revm: {:?} instead of {:?}", theirs.created_address(), result.created));
        }
        if result.gas_used != theirs.tx_gas_used() {
            return Err(format!("revm: {} gas instead of {}", theirs.tx_gas_used(), result.gas_used));
        }
        Ok(())
    }
}
