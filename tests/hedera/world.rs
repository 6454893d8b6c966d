//! A chain with Hedera's services, and one contract that does whatever its call data says.

use std::sync::{Arc, OnceLock};

use testkit::relay::proxy;
use testkit::services::{self, Service, asking};
use zvm::check::Checking;
use zvm::engine::Executor;
use zvm::hedera::{Ledger, ResponseCode, TokenParams};
use zvm::host::{BlockEnv, Log};
use zvm::outcome::Exit;
use zvm::state::InMemoryDatabase;
use zvm::tx::{Transaction, TransactionResult};
use zvm::{Address, Bytes, Engine, Mode, U256};
use zvm_jit::{Jit, JitOptions};

/// Sends all transactions.
pub(crate) const USER: Address = Address::repeat_byte(0x5e);
/// Another account.
pub(crate) const OTHER: Address = Address::repeat_byte(0x07);
/// The contract that asks the services.
pub(crate) const ACTOR: Address = Address::repeat_byte(0xac);
/// A second one.
pub(crate) const RIVAL: Address = Address::repeat_byte(0xb1);
/// Where the program lies that [`ACTOR`] runs by DELEGATECALL.
pub(crate) const LIBRARY: Address = Address::repeat_byte(0x11);
/// Block time in seconds.
pub(crate) const NOW: u64 = 1_700_000_000;

/// Ways to run, each with whether compiled code must run.
pub(crate) const MODES: [(Mode, bool); 3] = [(Mode::Interp, false), (Mode::Jit, true), (Mode::Check, true)];

/// One compiler for all tests: making one takes a while.
fn jit() -> Arc<Jit> {
    static JIT: OnceLock<Arc<Jit>> = OnceLock::new();
    let make = || Arc::new(Jit::new(JitOptions::checked()).expect("the JIT supports this machine"));
    JIT.get_or_init(make).clone()
}

/// How a world runs: the mode, whether compiled code must run, and whether the actor asks through a library.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    pub(crate) mode: Mode,
    pub(crate) compiles: bool,
    pub(crate) is_delegated: bool,
}

/// All ways.
pub(crate) fn ways() -> impl Iterator<Item = Way> {
    MODES
        .into_iter()
        .flat_map(|(mode, compiles)| [false, true].map(|is_delegated| Way { mode, compiles, is_delegated }))
}

pub(crate) struct World {
    pub(crate) executor: Executor<InMemoryDatabase>,
    compiles: bool,
}

/// What a service answered.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// The word on the stack.
    pub(crate) word: U256,
    /// The response code in the return-data buffer; `None` where that was left empty.
    pub(crate) code: Option<ResponseCode>,
    pub(crate) logs: Vec<Log>,
    pub(crate) gas: u64,
}

impl World {
    pub(crate) fn new(way: Way) -> World {
        World::with(way, &[])
    }

    /// A world with further accounts.
    pub(crate) fn with(way: Way, accounts: &[(Address, Bytes)]) -> World {
        let mut database = InMemoryDatabase::new();
        let actor = services::actor();
        for account in [USER, OTHER] {
            database.insert_account(account, 0, U256::from(1_000_000), Bytes::new());
        }
        let code = if way.is_delegated { proxy(".evm", "delegatecall", &LIBRARY) } else { actor.clone() };
        database.insert_account(ACTOR, 1, U256::ZERO, code);
        database.insert_account(RIVAL, 1, U256::ZERO, actor.clone());
        database.insert_account(LIBRARY, 1, U256::ZERO, actor);
        for (address, code) in accounts {
            database.insert_account(*address, 1, U256::ZERO, code.clone());
        }
        let engine = Engine::builder().hedera(true).mode(way.mode).count_blocks(true).checking(Checking {
            on_difference: Some(Arc::new(|report| panic!("{}", report.case))),
            ..Checking::new()
        });
        let engine = if way.compiles { engine.tier(jit()) } else { engine };
        World { executor: Executor::new(engine.build(), database), compiles: way.compiles }
    }

    /// Sends a transaction of a user; checks that the tiers which must run did.
    pub(crate) fn send_from(
        &mut self,
        from: Address,
        to: Address,
        value: u64,
        data: Bytes,
    ) -> TransactionResult {
        self.transact(from, Some(to), value, data)
    }

    /// The same, which without `to` creates a contract.
    pub(crate) fn transact(
        &mut self,
        from: Address,
        to: Option<Address>,
        value: u64,
        data: Bytes,
    ) -> TransactionResult {
        let transaction = Transaction::legacy(from, to, U256::from(value), data, 10_000_000, U256::ZERO);
        let block = BlockEnv {
            gas_limit: U256::MAX,
            number: U256::from(1),
            timestamp: U256::from(NOW),
            ..BlockEnv::default()
        };
        let result = self.executor.transact(&transaction, &block).expect("a valid transaction");
        if self.compiles {
            assert_eq!(result.blocks_interpreted, 0, "compiled code left nothing to the interpreter");
        } else {
            assert_eq!(result.blocks_compiled, 0, "nothing is compiled in the interpreter");
        }
        result
    }

    /// A user's call of a contract that asks a service.
    pub(crate) fn ask_of(&mut self, actor: Address, service: Service, words: &[U256], data: &[u8]) -> Answer {
        let result = self.send_from(USER, actor, 0, asking(service, words, data));
        assert_eq!(result.exit, Exit::Return, "{service:?}");
        assert_eq!(self.compiles, result.blocks_compiled > 0, "compiled code ran where it must");
        let (word, rest) = result.output.split_at(32);
        let code = (!rest.is_empty()).then(|| {
            assert_eq!(rest.len(), 32, "{service:?}: one word in the return-data buffer");
            let number = U256::from_be_slice(rest).try_into().expect("codes are small");
            ResponseCode::from_number(number).expect("a known code")
        });
        Answer { word: U256::from_be_slice(word), code, logs: result.logs, gas: result.gas_used }
    }

    pub(crate) fn ask(&mut self, service: Service, words: &[U256], data: &[u8]) -> Answer {
        self.ask_of(ACTOR, service, words, data)
    }

    /// Asks for what must succeed.
    pub(crate) fn must(&mut self, service: Service, words: &[U256], data: &[u8]) -> U256 {
        let answer = self.ask(service, words, data);
        assert_eq!(answer.code, Some(ResponseCode::Success), "{service:?}");
        answer.word
    }

    /// A token of the actor, with so many units.
    pub(crate) fn token(&mut self, initial_supply: u64) -> Address {
        let word = self.must(Service::Create, &[], &params(ACTOR, initial_supply).encode());
        Address::from_word(word.into())
    }

    /// A topic of the actor.
    pub(crate) fn topic(&mut self) -> Address {
        let params = zvm::hedera::TopicParams { memo: "notes".into() };
        Address::from_word(self.must(Service::CreateTopic, &[], &params.encode()).into())
    }

    pub(crate) fn ledger(&mut self) -> Ledger<'_> {
        Ledger::new(self.executor.state_mut(), NOW * 1_000_000_000)
    }

    /// Units of an account, which must be associated.
    pub(crate) fn balance(&mut self, token: Address, account: Address) -> u64 {
        let relation = self.ledger().relation(&token, &account).expect("no host trouble");
        relation.expect("associated").balance
    }
}

/// Parameters of a token.
pub(crate) fn params(treasury: Address, initial_supply: u64) -> TokenParams {
    TokenParams { name: "Ore".into(), symbol: "ORE".into(), decimals: 2, initial_supply, treasury }
}

/// The word of an address.
pub(crate) fn w(address: Address) -> U256 {
    U256::from_be_bytes(address.into_word().0)
}

pub(crate) fn n(number: u64) -> U256 {
    U256::from(number)
}
