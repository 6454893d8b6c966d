//! A chain with Hedera's services, and one contract that does whatever its call data says.

use std::sync::{Arc, OnceLock};

use zvm::bytecode::{Code, Encoding, assemble};
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

/// Which service the actor asks; the number is the first word of its call data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Transfer,
    Mint,
    Burn,
    Associate,
    Dissociate,
    Approve,
    Create,
    Submit,
    CreateTopic,
    UpdateTopic,
    DeleteTopic,
    AccountId,
    Timestamp,
}

/// All services: mnemonic, words among the operands, and whether a memory range follows.
pub(crate) const SERVICES: [(Service, &str, usize, bool); 13] = [
    (Service::Transfer, "hts_transfer", 4, false),
    (Service::Mint, "hts_mint", 2, false),
    (Service::Burn, "hts_burn", 2, false),
    (Service::Associate, "hts_associate", 2, false),
    (Service::Dissociate, "hts_dissociate", 2, false),
    (Service::Approve, "hts_approve", 3, false),
    (Service::Create, "hts_create", 0, true),
    (Service::Submit, "hcs_submit", 1, true),
    (Service::CreateTopic, "hcs_create_topic", 0, true),
    (Service::UpdateTopic, "hcs_update_topic", 1, true),
    (Service::DeleteTopic, "hcs_delete_topic", 1, false),
    (Service::AccountId, "hedera_account_id", 0, false),
    (Service::Timestamp, "hedera_timestamp", 0, false),
];

/// A program that asks the service of its call data's first word, with the words and the bytes behind it, and answers
/// with the word on the stack and the return-data buffer.
fn actor_text() -> String {
    let mut text = String::from(".zvm\n");
    for (number, (_, name, _, _)) in SERVICES.iter().enumerate() {
        text += &format!("push0\ncalldataload\npush1 {number}\neq\npush2 {name}\njumpi\n");
    }
    text += "invalid\n";
    for (_, name, words, has_data) in SERVICES {
        text += &format!("{name}:\njumpdest\n");
        if has_data {
            let start = 32 * (words + 1);
            text +=
                &format!("push1 {start}\ncalldatasize\nsub\ndup1\npush1 {start}\npush1 128\ncalldatacopy\n");
            text += "push1 128\n";
        }
        for word in (1..=words).rev() {
            text += &format!("push1 {}\ncalldataload\n", 32 * word);
        }
        text += &format!("{name}\npush2 answer\njump\n");
    }
    text += "answer:
        jumpdest
        push0
        mstore
        returndatasize
        push0
        push1 32
        returndatacopy
        push1 32
        returndatasize
        add
        push0
        return
    ";
    text
}

/// A program that runs the library's code on its own account and passes its outcome on.
fn delegating_text() -> String {
    format!(
        ".evm
        calldatasize
        push0
        push0
        calldatacopy
        push0
        push0
        calldatasize
        push0
        push20 {LIBRARY:#x}
        gas
        delegatecall
        returndatasize
        push0
        push0
        returndatacopy
        push2 ok
        jumpi
        returndatasize
        push0
        revert
    ok:
        jumpdest
        returndatasize
        push0
        return"
    )
}

/// The bytes that an account with this program has.
pub(crate) fn account_code(text: &str) -> Bytes {
    let assembly = assemble(text).expect("the text assembles");
    match assembly.encoding {
        Encoding::Evm => assembly.code.into(),
        Encoding::Zvm => Code::native(&assembly.code).raw().clone(),
    }
}

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
        let actor = account_code(&actor_text());
        for account in [USER, OTHER] {
            database.insert_account(account, 0, U256::from(1_000_000), Bytes::new());
        }
        let code = if way.is_delegated { account_code(&delegating_text()) } else { actor.clone() };
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

/// Call data of a contract that asks a service.
pub(crate) fn asking(service: Service, words: &[U256], data: &[u8]) -> Bytes {
    let number = SERVICES.iter().position(|row| row.0 == service).expect("all are listed");
    let mut bytes = U256::from(number).to_be_bytes_vec();
    for word in words {
        bytes.extend(word.to_be_bytes::<32>());
    }
    bytes.extend(data);
    bytes.into()
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
