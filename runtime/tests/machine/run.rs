//! Runs one program as a frame on an in-memory state.

use std::sync::Arc;

use zvm::bytecode::Code;
use zvm::compiled::frame::{Frame, Message, Spec};
use zvm::engine::Session;
use zvm::host::{BlockEnv, TxEnv};
use zvm::interp;
use zvm::outcome::Exit;
use zvm::state::{InMemoryDatabase, State};
use zvm::{Address, Bytes, Engine, Fork, U256};

pub(crate) const HERE: Address = Address::repeat_byte(0xaa);
pub(crate) const CALLER: Address = Address::repeat_byte(0xca);
pub(crate) const ORIGIN: Address = Address::repeat_byte(0x0e);

/// A frame with its surroundings.
pub(crate) struct World {
    pub(crate) engine: Engine,
    pub(crate) frame: Frame,
    pub(crate) state: State<InMemoryDatabase>,
    pub(crate) block: BlockEnv,
    pub(crate) tx: TxEnv,
}

pub(crate) fn word(value: u64) -> U256 {
    U256::from(value)
}

impl World {
    /// A world in which `code` is about to run.
    pub(crate) fn new(code: impl Into<Arc<Code>>, gas: u64) -> World {
        let mut database = InMemoryDatabase::new();
        database.insert_account(HERE, 1, word(1000), Bytes::new());
        database.insert_account(CALLER, 1, word(77), Bytes::new());
        database.insert_block_hash(99, U256::from(0x99).into());
        let mut state = State::new(database);
        state.begin_transaction(Fork::LATEST);
        state.warm_account(&HERE).expect("no host trouble");
        let message = Message {
            address: HERE,
            caller: CALLER,
            value: word(5),
            input: Bytes::from_static(&[1, 2, 3]),
            is_static: false,
            depth: 0,
        };
        let spec = Spec { fork: Fork::LATEST, native_code: true, hedera: false };
        let block = BlockEnv {
            number: word(100),
            timestamp: word(1_700_000_000),
            coinbase: Address::repeat_byte(0xcb),
            gas_limit: word(30_000_000),
            base_fee: word(7),
            prev_randao: word(0xabc),
            blob_base_fee: word(1),
            chain_id: word(295),
        };
        let tx = TxEnv { origin: ORIGIN, gas_price: word(9), blob_hashes: Vec::new() };
        let engine = Engine::builder().build();
        World { engine, frame: Frame::new(code.into(), message, spec, gas), state, block, tx }
    }

    /// Native code.
    pub(crate) fn zvm(code: &[u8], gas: u64) -> World {
        World::new(Code::native(code), gas)
    }

    /// Ethereum code.
    pub(crate) fn evm(code: &[u8], gas: u64) -> World {
        World::new(Code::evm(code.to_vec()), gas)
    }

    /// Puts words on the stack, the last one on top.
    pub(crate) fn with_stack(mut self, words: &[U256]) -> World {
        words.iter().for_each(|word| self.frame.stack.push_word(*word));
        self
    }

    /// Runs the frame until it stops.
    pub(crate) fn run(&mut self) -> Exit {
        let World { engine, frame, state, block, tx } = self;
        interp::run(frame, &mut Session { engine, state, block, tx })
    }

    /// Runs and expects this end, this gas spent and this stack, bottom first.
    #[track_caller]
    pub(crate) fn check(&mut self, exit: Exit, gas_spent: u64, stack: &[U256]) {
        let gas = self.frame.gas;
        assert_eq!(self.run(), exit);
        assert_eq!(gas - self.frame.gas, gas_spent, "gas spent");
        assert_eq!(self.frame.stack.words(), stack, "stack");
    }
}
