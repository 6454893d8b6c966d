//! The [`Op`] enum and the questions one can ask about an operation, derived from the opcode table.

use crate::fork::Fork;

/// How an operation changes the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StackEffect {
    /// Takes and gives a fixed number of words.
    Fixed(u8, u8),
    /// `dupn n`: needs n words, adds one.
    Dup,
    /// `swapn n`: needs n + 1 words, keeps the height.
    Swap,
    /// `tablehashn n`: takes the table slot and n keys, gives the hash.
    Keys,
}

/// The part of a price that depends on operands or state. Units: gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DynamicGas {
    /// Nothing beside the static gas.
    None,
    /// Memory growth only.
    Memory,
    /// Per 32-byte word of the operand named size, plus memory growth.
    PerWord(u64),
    /// Per byte of the operand named size, plus memory growth.
    PerByte(u64),
    /// Per significant byte of the exponent.
    PerExponentByte(u64),
    /// Per key after the first.
    PerExtraKey(u64),
    /// Storage read: [`gas::SLOT`](crate::gas::SLOT).
    Slot,
    /// Storage write: EIP-2200, 2929 and 3529.
    Sstore,
    /// Account access: [`gas::ACCOUNT`](crate::gas::ACCOUNT).
    Account,
    /// Account access, plus per word copied, plus memory growth.
    AccountPerWord(u64),
    /// A message call, plus memory growth.
    Call,
    /// SELFDESTRUCT's account rules.
    SelfDestruct,
    /// All gas of the frame.
    All,
}

/// What a static frame allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StaticRule {
    /// Always allowed.
    Allowed,
    /// An exceptional halt.
    Refused,
    /// Allowed when the value operand is zero.
    ZeroValue,
}

/// Whether the program can see the gas left at this operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observes {
    /// No: gas may be charged ahead across it.
    Nothing,
    /// The gas left is visible here.
    Gas,
    /// The operation may end the frame with gas kept.
    Fault,
    /// The operation ends the frame.
    End,
}

/// A service that the host must offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// None.
    Nothing,
    /// Hedera's token and consensus services.
    Hedera,
}

/// What an operation overwrites beside the stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clobbers {
    /// Nothing.
    Nothing,
    /// The return-data buffer.
    ReturnData,
}

/// One row of the opcode table.
#[derive(Clone, Copy, Debug)]
pub struct OpInfo {
    /// Text mnemonic, lower case.
    pub name: &'static str,
    /// What the operation does.
    pub doc: &'static str,
    /// Byte in the native encoding.
    pub zvm: Option<u8>,
    /// Byte in Ethereum's encoding.
    pub evm: Option<u8>,
    /// Bytes of the immediate.
    pub imm: u8,
    /// Stack effect.
    pub stack: StackEffect,
    /// Static gas.
    pub gas: u64,
    /// The rest of the price.
    pub dynamic: DynamicGas,
    /// Rule in static frames.
    pub in_static: StaticRule,
    /// Visibility of gas.
    pub observes: Observes,
    /// Host service needed.
    pub needs: Needs,
    /// What it overwrites.
    pub clobbers: Clobbers,
    /// First fork that has it.
    pub since: Fork,
}

macro_rules! byte_column {
    (-) => {
        None
    };
    ($byte:literal) => {
        Some($byte)
    };
}

macro_rules! define_op {
    ($( $(#[doc = $doc:literal])+ $Name:ident $name:ident zvm($zvm:tt) evm($evm:tt) imm($imm:literal)
        stack($stack:ident $(($pops:literal, $pushes:literal))?) gas($gas:literal)
        dynamic($dynamic:ident $(($rate:literal))?) in_static($in_static:ident) observes($observes:ident)
        needs($needs:ident) clobbers($clobbers:ident) since($since:ident); )*) => {
        /// An operation of the machine, whatever its byte.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Op {
            $( $(#[doc = $doc])+ $Name, )*
        }

        impl Op {
            /// Every operation, in table order.
            pub const ALL: &'static [Op] = &[ $( Op::$Name ),* ];
            /// Number of operations.
            pub const COUNT: usize = Op::ALL.len();
        }

        /// The opcode table as data, indexed by `Op as usize`.
        pub static OP_INFO: [OpInfo; Op::COUNT] = OP_TABLE;

        /// The same table for constant evaluation.
        pub(crate) const OP_TABLE: [OpInfo; Op::COUNT] = [ $( OpInfo {
            name: stringify!($name),
            doc: concat!($($doc),+),
            zvm: byte_column!($zvm),
            evm: byte_column!($evm),
            imm: $imm,
            stack: StackEffect::$stack $(($pops, $pushes))?,
            gas: $gas,
            dynamic: DynamicGas::$dynamic $(($rate))?,
            in_static: StaticRule::$in_static,
            observes: Observes::$observes,
            needs: Needs::$needs,
            clobbers: Clobbers::$clobbers,
            since: Fork::$since,
        } ),* ];
    };
}
crate::for_each_opcode!(define_op);

impl Op {
    /// The operation's row.
    pub const fn info(self) -> &'static OpInfo {
        &OP_INFO[self as usize]
    }

    /// Text mnemonic, lower case.
    pub const fn name(self) -> &'static str {
        self.info().name
    }

    /// The operation with that mnemonic, in any case.
    pub fn from_name(name: &str) -> Option<Op> {
        Op::ALL.iter().copied().find(|op| op.name().eq_ignore_ascii_case(name))
    }

    /// The operation with that number (`Op as u8`), not its byte in an encoding.
    pub fn from_number(number: u8) -> Option<Op> {
        Op::ALL.get(usize::from(number)).copied()
    }

    /// The rate of a `PerWord`, `PerByte`, `PerExponentByte`, `PerExtraKey` or `AccountPerWord` price, else 0.
    pub const fn dynamic_rate(self) -> u64 {
        match self.info().dynamic {
            DynamicGas::PerWord(rate)
            | DynamicGas::PerByte(rate)
            | DynamicGas::PerExponentByte(rate)
            | DynamicGas::PerExtraKey(rate)
            | DynamicGas::AccountPerWord(rate) => rate,
            _ => 0,
        }
    }

    /// Words needed on the stack and words left in their place, for an instruction with this immediate byte.
    ///
    /// The byte is looked at only where the row says so. `swapn n` needs n + 1 words and leaves n + 1.
    pub const fn stack_effect(self, immediate: u8) -> (u16, u16) {
        let n = immediate as u16;
        match self.info().stack {
            StackEffect::Fixed(pops, pushes) => (pops as u16, pushes as u16),
            StackEffect::Dup => (n, n + 1),
            StackEffect::Swap => (n + 1, n + 1),
            StackEffect::Keys => (n + 1, 1),
        }
    }

    /// Whether the immediate byte is legal; an illegal one makes the instruction an invalid opcode.
    ///
    /// Checked in this order by every tier: stack, static gas, then this.
    pub const fn immediate_is_legal(self, immediate: u8) -> bool {
        match self {
            Op::DupN | Op::SwapN => immediate != 0,
            Op::TablehashN => immediate >= 1 && immediate <= 16,
            Op::CAdd | Op::CSub | Op::CMul | Op::CDiv | Op::CMod | Op::CNeg | Op::CExp => {
                let width = immediate & 0x3f;
                immediate & 0x40 == 0 && width >= 1 && width <= 32
            }
            Op::CCast => {
                let width = immediate & 0x3f;
                width >= 1 && width <= 32
            }
            _ => true,
        }
    }

    /// Whether control never continues with the next instruction.
    pub const fn ends_block(self) -> bool {
        matches!(self, Op::Jump) || matches!(self.info().observes, Observes::End)
    }
}

impl std::fmt::Display for Op {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Relations that the rest of the project relies on, checked when the crate compiles.
const _: () = {
    // No byte is used twice in an encoding.
    let mut zvm_seen = [false; 256];
    let mut evm_seen = [false; 256];
    let mut i = 0;
    while i < Op::COUNT {
        if let Some(byte) = OP_TABLE[i].zvm {
            assert!(!zvm_seen[byte as usize], "a native byte is used twice");
            zvm_seen[byte as usize] = true;
        }
        if let Some(byte) = OP_TABLE[i].evm {
            assert!(!evm_seen[byte as usize], "an EVM byte is used twice");
            evm_seen[byte as usize] = true;
        }
        assert!(OP_TABLE[i].zvm.is_some() || OP_TABLE[i].evm.is_some(), "an operation without a byte");
        i += 1;
    }
};
