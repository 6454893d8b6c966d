//! revm 43 as a peer: one transaction from a case's state, result in our terms.

use alloy_primitives::{Address, B256, TxKind, U256};
use revm::context::result::{ExecutionResult, Output};
use revm::context::{BlockEnv, CfgEnv, TxEnv};
use revm::database::{CacheDB, EmptyDB};
use revm::primitives::hardfork::SpecId;
use revm::state::{AccountInfo, Bytecode};
use revm::{Context, ExecuteEvm, MainBuilder, MainContext};
use zvm_statetest::bench::BenchCase;

use zvm_benches::observed::Observed;

type Db = CacheDB<EmptyDB>;

/// A case made ready: database, environment, transaction.
pub(crate) struct RevmCase {
    db: Db,
    cfg: CfgEnv,
    block: BlockEnv,
    tx: TxEnv,
}

impl RevmCase {
    /// Builds the case's state and environment.
    pub(crate) fn new(case: &BenchCase) -> RevmCase {
        let mut db = Db::new(EmptyDB::default());
        for (address, account) in &case.pre {
            let code = Bytecode::new_raw(account.code.clone());
            let info = AccountInfo {
                balance: account.balance,
                nonce: account.nonce,
                code_hash: code.hash_slow(),
                code: Some(code),
                ..AccountInfo::default()
            };
            db.insert_account_info(*address, info);
            for (slot, value) in &account.storage {
                db.insert_account_storage(*address, *slot, *value).expect("the empty database never fails");
            }
        }
        let spec = match case.expected.fork_of_gas.as_str() {
            "Osaka" => SpecId::OSAKA,
            "Prague" => SpecId::PRAGUE,
            _ => SpecId::CANCUN,
        };
        let mut cfg = CfgEnv::new_with_spec(spec).with_chain_id(case.env.chain_id.to());
        // The transaction cap of EIP-7825 and the nonce are no part of what is measured.
        cfg.tx_gas_limit_cap = Some(u64::MAX);
        cfg.disable_nonce_check = true;
        let block = BlockEnv {
            number: case.env.number,
            beneficiary: case.env.coinbase,
            timestamp: case.env.timestamp,
            gas_limit: case.env.gas_limit.saturating_to(),
            basefee: case.env.base_fee.saturating_to(),
            prevrandao: Some(B256::from(case.env.prev_randao)),
            ..BlockEnv::default()
        };
        let tx = TxEnv {
            caller: case.sender,
            gas_limit: case.gas_limit,
            gas_price: case.gas_price.saturating_to(),
            kind: TxKind::Call(case.target),
            value: case.value,
            data: case.calldata.clone(),
            chain_id: None,
            ..TxEnv::default()
        };
        RevmCase { db, cfg, block, tx }
    }

    /// Runs `body` with a machine that is built once, as an embedder would keep it.
    pub(crate) fn with_machine<R>(&mut self, body: impl FnOnce(&mut dyn FnMut() -> Observed) -> R) -> R {
        let (cfg, block, tx) = (self.cfg.clone(), self.block.clone(), self.tx.clone());
        let mut evm =
            Context::mainnet().with_db(&mut self.db).with_cfg(cfg).with_block(block).build_mainnet();
        body(&mut || {
            let outcome = evm.transact(tx.clone()).expect("the transaction is valid");
            observe(outcome.result, outcome.state)
        })
    }
}

fn observe(result: ExecutionResult, state: revm::state::EvmState) -> Observed {
    let gas_used = result.tx_gas_used();
    let (success, output, logs) = match result {
        ExecutionResult::Success { output: Output::Call(bytes), logs, .. } => (true, bytes, logs),
        ExecutionResult::Success { output: Output::Create(bytes, _), logs, .. } => (true, bytes, logs),
        ExecutionResult::Revert { output, logs, .. } => (false, output, logs),
        ExecutionResult::Halt { logs, .. } => (false, Default::default(), logs),
    };
    let logs = logs.into_iter().map(|log| (log.address, log.data.topics().to_vec(), log.data.data)).collect();
    let mut storage: Vec<(Address, U256, U256)> = Vec::new();
    for (address, account) in state {
        for (slot, value) in account.storage {
            if value.is_changed() {
                storage.push((address, slot, value.present_value));
            }
        }
    }
    storage.sort_unstable();
    Observed { success, gas_used, output, logs, storage }
}
