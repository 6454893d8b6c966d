//! Operations on words, conversions, and what the environment knows.

use crate::sema::types::IntType;

/// How an arithmetic operation treats a result outside its type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ArithMode {
    /// Faults: Panic 0x11, or 0x12 for division by zero.
    Checked,
    /// Result modulo 2^N, in the type's representation.
    Wrapping,
    /// Result clamped to the range of the type.
    Saturating,
}

/// A binary operation on words of one type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum BinaryOp {
    /// `+ +% +|`, integers.
    Add(ArithMode),
    /// `- -% -|`, integers.
    Sub(ArithMode),
    /// `* *% *|`, integers.
    Mul(ArithMode),
    /// `/`: truncating; divisor 0 faults 0x12, `MIN / -1` faults 0x11.
    Div,
    /// `%`: divisor 0 faults 0x12, `MIN % -1` is 0.
    Rem,
    /// `**`, checked; the right operand has an unsigned type of its own.
    Pow,
    /// `<<` modulo 2^N; the right operand has an unsigned type of its own, and N or more gives 0.
    Shl,
    /// `>>`: arithmetic for `iN`, else logical; the right operand has an unsigned type of its own, and N or
    /// more gives 0 or −1.
    Shr,
    /// `&` on integers, `bytes<N>`, `Hash`.
    And,
    /// `|` on integers, `bytes<N>`, `Hash`.
    Or,
    /// `^` on integers, `bytes<N>`, `Hash`.
    Xor,
}

/// A unary operation; the result has the operand's type.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum UnaryOp {
    /// `-` on `iN`: Panic 0x11 for `MIN`.
    Neg,
    /// `~` on integers, `bytes<N>`, `Hash`; the result is again in the type's representation.
    BitNot,
    /// `!` on `bool`.
    Not,
}

/// A comparison; the result is `bool`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CompareOp {
    /// `==`.
    Eq,
    /// `!=`.
    Ne,
    /// `<`; signed for `iN`, else unsigned.
    Lt,
    /// `<=`.
    Le,
    /// `>`.
    Gt,
    /// `>=`.
    Ge,
}

/// A conversion; source and target types are those of the operand and of the node.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CastKind {
    /// Integer to integer; Panic 0x11 when the target does not hold the value. No check is needed when
    /// `to.contains(from)`.
    IntChecked {
        /// Type of the operand.
        from: IntType,
        /// Type of the result.
        to: IntType,
    },
    /// Integer to integer: truncates or sign-extends.
    IntWrapping {
        /// Type of the operand.
        from: IntType,
        /// Type of the result.
        to: IntType,
    },
    /// The word stays as it is: `bool` to integer, `Address` and `u160`, `Hash`, `u256` and `bytes<32>`,
    /// a wider `bytes<M>`, handle to `Address`, payload-free enum to `u8`, and identities.
    SameWord,
    /// `bytes<N>` to `u(8N)`: shifts right.
    FixedBytesToInt {
        /// N.
        size: u8,
    },
    /// `u(8N)` to `bytes<N>`: shifts left.
    IntToFixedBytes {
        /// N.
        size: u8,
    },
    /// `bytes<N>` to a narrower `bytes<M>` with `as%`: keeps the first M bytes.
    TruncateFixedBytes {
        /// M.
        size: u8,
    },
    /// `u8` to a payload-free enum with discriminants 0..variants: Panic 0x21 from `variants` on.
    IntToEnum {
        /// Number of variants.
        variants: u16,
    },
}

/// What is known without an operand (§10.4).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Env {
    /// `msg.sender: Address`.
    MsgSender,
    /// `msg.value: u256`.
    MsgValue,
    /// `msg.data: bytes`: a copy of the call data.
    MsgData,
    /// `msg.sig: bytes<4>`: the first four bytes of calldata, zero-padded.
    MsgSig,
    /// `tx.origin: Address`.
    TxOrigin,
    /// `tx.gasprice: u256`.
    TxGasPrice,
    /// `block.timestamp: u64`.
    BlockTimestamp,
    /// `block.number: u64`.
    BlockNumber,
    /// `block.chainid: u64`.
    BlockChainId,
    /// `block.gaslimit: u64`.
    BlockGasLimit,
    /// `block.basefee: u256`.
    BlockBaseFee,
    /// `block.prevrandao: u256`.
    BlockPrevRandao,
    /// `block.coinbase: Address`.
    BlockCoinbase,
    /// `self.address: Address`.
    SelfAddress,
    /// `self.balance: u256`.
    SelfBalance,
    /// `gas_left() -> u64`.
    GasLeft,
    /// `hedera.account_id: Address`.
    HederaAccountId,
    /// `hedera.timestamp: u64`.
    HederaTimestamp,
}

/// What the environment knows about one word.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Query {
    /// `a.balance: u256` of an `Address`.
    Balance,
    /// `a.code_size: u256` of an `Address`.
    CodeSize,
    /// `a.code_hash: Hash` of an `Address`.
    CodeHash,
    /// `block_hash(n: u64) -> Hash`.
    BlockHash,
}
