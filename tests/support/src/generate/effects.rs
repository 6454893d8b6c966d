//! What a step does beyond the stack: memory, storage, other accounts, logs, hashes.

use alloy_primitives::U256;
use zvm::bytecode::{Encoding, Op};

use super::{CONTEXT, Generator};
use crate::host::{CALLEE, CALLER, CONTRACT, DELEGATOR, LIBRARY};
use crate::pieces::{Piece, Pieces};
use crate::program::Setting;

impl Generator {
    pub(super) fn memory(&mut self) {
        let op = self.random.pick(&[
            Op::Mload,
            Op::Mstore,
            Op::Mstore,
            Op::Mstore8,
            Op::Mcopy,
            Op::CalldataCopy,
            Op::CodeCopy,
            Op::ExtcodeCopy,
        ]);
        let operands = usize::from(op.stack_effect(0).0);
        if op == Op::ExtcodeCopy {
            (1..operands).for_each(|_| self.small_push());
            self.push_address();
        } else if matches!(op, Op::Mstore | Op::Mstore8) && !self.wild(30) {
            self.supply(op, 0);
            self.small_push();
        } else if !self.wild(8) {
            for _ in 0..operands {
                self.small_push();
            }
        }
        self.supply(op, 0);
        self.emit(op, &[]);
    }

    pub(super) fn storage(&mut self) {
        let op = self.random.pick(&[Op::Sload, Op::Sload, Op::Sstore, Op::Tload, Op::Tstore]);
        self.supply(op, 0);
        if !self.wild(20) {
            // Few keys, so that slots are touched more than once.
            let key = U256::from(self.random.below(4));
            self.push(key);
        }
        self.emit(op, &[]);
    }

    /// A call or a creation, its memory ranges usually small and its address usually somebody's.
    pub(super) fn request(&mut self) {
        let op = self.random.pick(&[
            Op::Call,
            Op::Call,
            Op::CallCode,
            Op::DelegateCall,
            Op::StaticCall,
            Op::Create,
            Op::Create2,
        ]);
        let operands = usize::from(op.stack_effect(0).0);
        match op {
            Op::Create | Op::Create2 => (0..operands).for_each(|_| self.small_push()),
            _ => {
                // Ranges and value; a value only where the operation takes one.
                (0..operands - 2).for_each(|_| self.small_push());
                self.push_address();
                let gas = if self.random.chance(50) {
                    self.random.word()
                } else {
                    U256::from(self.random.below(9000))
                };
                self.push(gas);
            }
        }
        self.emit(op, &[]);
        if self.random.chance(40) {
            self.look_at_return_data();
        }
    }

    /// The address of an account that exists or of a precompiled contract, usually.
    fn push_address(&mut self) {
        let address = match self.random.below(8) {
            0 => U256::from(self.random.below(0x14)),
            1 => self.random.word(),
            n => {
                let known = [CONTRACT, CALLER, CALLEE, DELEGATOR, LIBRARY, CALLEE][n as usize - 2];
                U256::from_be_slice(known.as_slice())
            }
        };
        self.push(address);
    }

    /// Copies return data to memory: all of it, or a range that may not be there.
    fn look_at_return_data(&mut self) {
        if self.wild(50) {
            self.small_push();
            self.small_push();
        } else {
            self.emit(Op::ReturndataSize, &[]);
            self.push(U256::ZERO);
        }
        self.small_push();
        self.emit(Op::ReturndataCopy, &[]);
    }

    /// Facts of the frame, the block, and other accounts.
    pub(super) fn context(&mut self) {
        let op = self.random.pick(CONTEXT);
        match op {
            Op::Balance | Op::ExtcodeSize | Op::ExtcodeHash => self.push_address(),
            Op::BlockHash => {
                self.emit(Op::Number, &[]);
                self.small_push();
                self.emit(Op::Swap1, &[]);
                self.emit(Op::Sub, &[]);
            }
            Op::CalldataLoad => self.small_push(),
            _ => {}
        }
        self.from(&[op]);
    }

    /// Creates a contract from init code that is written to memory, and usually calls it.
    pub(super) fn creation(&mut self) {
        let init_code = self.init_code();
        let size = init_code.len();
        let at = self.random.pick(&[0u64, 0, 32, 33]);
        for (index, chunk) in init_code.chunks(32).enumerate() {
            let mut word = [0; 32];
            word[..chunk.len()].copy_from_slice(chunk);
            self.push(U256::from_be_bytes(word));
            self.push(U256::from(at + 32 * index as u64));
            self.emit(Op::Mstore, &[]);
        }
        let op = self.random.pick(&[Op::Create, Op::Create2]);
        if op == Op::Create2 {
            let salt = U256::from(self.random.below(3));
            self.push(salt);
        }
        self.push(U256::from(size));
        self.push(U256::from(at));
        let value = U256::from(self.random.pick(&[0u64, 0, 0, 1, 99]));
        self.push(value);
        self.emit(op, &[]);
        if self.random.chance(60) {
            // The address stays below; ranges and value of the call above it.
            (0..5).for_each(|_| self.small_push());
            self.numbered("dup", 6, Op::DupN);
            self.emit(Op::Gas, &[]);
            self.emit(Op::Call, &[]);
        }
    }

    /// Init code that deploys a few operations, or does something else on its way.
    fn init_code(&mut self) -> Vec<u8> {
        let encoding = if self.random.chance(50) { self.encoding } else { Encoding::Evm };
        let bodies: [&[Op]; 8] = [
            &[Op::CallValue, Op::Push0, Op::Sstore, Op::Halt],
            &[Op::Caller, Op::SelfDestruct],
            &[Op::Address, Op::SelfDestruct],
            &[Op::Push0, Op::CalldataLoad, Op::Push0, Op::Mstore, Op::Msize, Op::Push0, Op::Return],
            &[Op::Gas, Op::Gas, Op::Msize, Op::Msize, Op::Log1, Op::Push0, Op::Push0, Op::Revert],
            &[Op::Push0, Op::Sload, Op::Gas, Op::Add, Op::Push0, Op::Sstore],
            &[Op::Invalid],
            &[],
        ];
        let plain = |ops: &[Op]| ops.iter().map(|&op| Piece::plain(op)).collect::<Vec<_>>();
        let body = self.random.pick(&bodies);
        let assemble = |pieces: Vec<Piece>| {
            let setting = Setting::plain();
            Pieces { encoding, pieces, setting }.assemble().to_code().raw().to_vec()
        };
        let body = assemble(plain(body));
        let mut init = Vec::new();
        if self.random.chance(40) {
            // Init code that touches storage, or gives up.
            let ops: &[Op] = match self.random.below(3) {
                0 => &[Op::Gas, Op::Push0, Op::Sstore],
                1 => &[Op::Push0, Op::Tload, Op::Push0, Op::Sstore],
                _ => &[Op::CallValue, Op::Caller, Op::Sstore],
            };
            init.extend(plain(ops));
        }
        init.push(Piece::push(encoding, U256::from_be_slice(&body), 1));
        init.push(Piece::plain(Op::Push0));
        init.push(Piece::plain(Op::Mstore));
        init.push(Piece::push(encoding, U256::from(body.len()), 1));
        init.push(Piece::push(encoding, U256::from(32 - body.len().min(32)), 1));
        init.push(Piece::plain(if self.random.chance(90) { Op::Return } else { Op::Revert }));
        assemble(init)
    }

    pub(super) fn log(&mut self) {
        let op = self.random.pick(&[Op::Log0, Op::Log1, Op::Log2, Op::Log3, Op::Log4]);
        self.supply(op, 0);
        self.range_then(&[op]);
    }

    pub(super) fn hash(&mut self) {
        if self.encoding == Encoding::Zvm && self.random.chance(60) {
            if self.random.chance(50) {
                self.from(&[Op::Tablehash]);
            } else {
                let n = self.random.below(5) as u8;
                self.supply(Op::TablehashN, n);
                self.emit(Op::TablehashN, &[n]);
            }
        } else {
            self.range_then(&[Op::Keccak256]);
        }
    }
}
