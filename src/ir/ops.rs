//! THE IR operation table: every operation, its operands, results, immediate, effects and traps.
//!
//! The enum [`Op`], the printer and reader ([`text`](super::text)), the verifier ([`verify`](super::verify))
//! and the optimizer's questions ("may this be dropped?") derive from the rows of `for_each_ir_op!`.
//! What an operation costs in bytes is not here: see `codegen::select`. Terminators are not operations; they are
//! [`Terminator`](super::Terminator).
//!
//! Operands are listed in the order of the machine's stack, top first, so `sub a, b` is `a - b`, `shl shift, value`
//! is `value << shift`, and `mstore address, value` stores `value`.

/// Calls a macro with the rows of the table.
///
/// A row is: doc, variant, mnemonic, `(fixed operands; variable tail)`, `->` number of results (`*`: as many as the
/// callee returns), kind of immediate, effect class, `trap` or `-`.
macro_rules! for_each_ir_op {
    ($callback:ident) => {
        $callback! {
            // Constants and addresses known when code is laid out.
            /// A constant word.
            Const "const" () -> 1 imm(Word) Pure -;
            /// The memory address of a static buffer of this function, see [`FrameSlot`](crate::ir::FrameSlot).
            FrameAddr "frameaddr" () -> 1 imm(Slot) Pure -;
            /// The first memory address above all static frames: where the heap begins.
            HeapBase "heapbase" () -> 1 imm(None) Pure -;
            /// The code offset of a data segment, as `codecopy` counts.
            DataOffset "dataoffset" () -> 1 imm(Data) Pure -;
            /// The size of a data segment in bytes.
            DataSize "datasize" () -> 1 imm(Data) Pure -;
            /// The immutable with the number of the immediate: a word that creation writes into the run-time code.
            Immutable "immutable" () -> 1 imm(Word) Env -;
            /// The code offset just past this module's code and data: constructor arguments begin here in init code.
            CodeEnd "codeend" () -> 1 imm(None) Pure -;

            // Arithmetic that wraps at 2^256.
            /// a + b.
            Add "add" (a, b) -> 1 imm(None) Pure -;
            /// a - b.
            Sub "sub" (a, b) -> 1 imm(None) Pure -;
            /// a * b.
            Mul "mul" (a, b) -> 1 imm(None) Pure -;
            /// a / b unsigned, 0 if b = 0.
            Div "div" (a, b) -> 1 imm(None) Pure -;
            /// a / b signed, truncating, 0 if b = 0.
            Sdiv "sdiv" (a, b) -> 1 imm(None) Pure -;
            /// a mod b unsigned, 0 if b = 0.
            Mod "mod" (a, b) -> 1 imm(None) Pure -;
            /// a mod b signed, sign of a, 0 if b = 0.
            Smod "smod" (a, b) -> 1 imm(None) Pure -;
            /// (a + b) mod n without overflow, 0 if n = 0.
            Addmod "addmod" (a, b, n) -> 1 imm(None) Pure -;
            /// (a * b) mod n without overflow, 0 if n = 0.
            Mulmod "mulmod" (a, b, n) -> 1 imm(None) Pure -;
            /// base ^ exponent.
            Exp "exp" (base, exponent) -> 1 imm(None) Pure -;
            /// Sign-extends `value` from byte `byte` (0 = lowest).
            Signextend "signextend" (byte, value) -> 1 imm(None) Pure -;

            // Checked arithmetic: the immediate is the integer type; see the machine's "Checked arithmetic".
            /// a + b in the type, or Panic 0x11.
            Cadd "cadd" (a, b) -> 1 imm(Type) Pure trap;
            /// a - b in the type, or Panic 0x11.
            Csub "csub" (a, b) -> 1 imm(Type) Pure trap;
            /// a * b in the type, or Panic 0x11.
            Cmul "cmul" (a, b) -> 1 imm(Type) Pure trap;
            /// a / b in the type, or Panic 0x12 (b = 0) or 0x11.
            Cdiv "cdiv" (a, b) -> 1 imm(Type) Pure trap;
            /// a mod b in the type, or Panic 0x12 (b = 0).
            Cmod "cmod" (a, b) -> 1 imm(Type) Pure trap;
            /// -a in the type, or Panic 0x11.
            Cneg "cneg" (a) -> 1 imm(Type) Pure trap;
            /// base ^ exponent in the type (the exponent is any unsigned word), or Panic 0x11.
            Cexp "cexp" (base, exponent) -> 1 imm(Type) Pure trap;
            /// The word unchanged if, read as unsigned, it lies in the type; else Panic 0x11.
            Ccast "ccast" (a) -> 1 imm(Type) Pure trap;
            /// The word unchanged if, read as signed, it lies in the type; else Panic 0x11.
            CcastSigned "ccast_signed" (a) -> 1 imm(Type) Pure trap;

            // Comparison and bits. Truth is 1, falsehood 0.
            /// a < b unsigned.
            Lt "lt" (a, b) -> 1 imm(None) Pure -;
            /// a > b unsigned.
            Gt "gt" (a, b) -> 1 imm(None) Pure -;
            /// a < b signed.
            Slt "slt" (a, b) -> 1 imm(None) Pure -;
            /// a > b signed.
            Sgt "sgt" (a, b) -> 1 imm(None) Pure -;
            /// a = b.
            Eq "eq" (a, b) -> 1 imm(None) Pure -;
            /// a = 0; also logical not.
            Iszero "iszero" (a) -> 1 imm(None) Pure -;
            /// Bitwise and.
            And "and" (a, b) -> 1 imm(None) Pure -;
            /// Bitwise or.
            Or "or" (a, b) -> 1 imm(None) Pure -;
            /// Bitwise exclusive or.
            Xor "xor" (a, b) -> 1 imm(None) Pure -;
            /// Bitwise complement.
            Not "not" (a) -> 1 imm(None) Pure -;
            /// Byte `index` of `value`, 0 = most significant.
            Byte "byte" (index, value) -> 1 imm(None) Pure -;
            /// value << shift, 0 from 256 on.
            Shl "shl" (shift, value) -> 1 imm(None) Pure -;
            /// value >> shift, logical.
            Shr "shr" (shift, value) -> 1 imm(None) Pure -;
            /// value >> shift, arithmetic.
            Sar "sar" (shift, value) -> 1 imm(None) Pure -;

            // Environment: constant for the whole frame, so never worth a stack slot.
            /// This account.
            Address "address" () -> 1 imm(None) Env -;
            /// The sender of the transaction.
            Origin "origin" () -> 1 imm(None) Env -;
            /// The sender of the message.
            Caller "caller" () -> 1 imm(None) Env -;
            /// The value of the message.
            Callvalue "callvalue" () -> 1 imm(None) Env -;
            /// The size of the call data.
            Calldatasize "calldatasize" () -> 1 imm(None) Env -;
            /// The size of the running code; in init code this includes the constructor arguments.
            Codesize "codesize" () -> 1 imm(None) Env -;
            /// The effective gas price.
            Gasprice "gasprice" () -> 1 imm(None) Env -;
            /// The block's beneficiary.
            Coinbase "coinbase" () -> 1 imm(None) Env -;
            /// The block's time in seconds.
            Timestamp "timestamp" () -> 1 imm(None) Env -;
            /// The block's number.
            Number "number" () -> 1 imm(None) Env -;
            /// The block's time in a test, which `vm.warp` changes while the frame runs.
            WarpedTimestamp "warpedtimestamp" () -> 1 imm(None) ReadWorld -;
            /// The block's number in a test, which `vm.roll` changes while the frame runs.
            RolledNumber "rollednumber" () -> 1 imm(None) ReadWorld -;
            /// The beacon chain's randomness.
            Prevrandao "prevrandao" () -> 1 imm(None) Env -;
            /// The block's gas limit.
            Gaslimit "gaslimit" () -> 1 imm(None) Env -;
            /// The chain's number.
            Chainid "chainid" () -> 1 imm(None) Env -;
            /// The block's base fee.
            Basefee "basefee" () -> 1 imm(None) Env -;
            /// The block's blob base fee.
            Blobbasefee "blobbasefee" () -> 1 imm(None) Env -;
            /// One of the last 256 block hashes, else 0.
            Blockhash "blockhash" (number) -> 1 imm(None) Env -;
            /// A word of the call data, zero-padded.
            Calldataload "calldataload" (offset) -> 1 imm(None) Env -;
            /// The consensus time in nanoseconds.
            HederaTimestamp "hedera_timestamp" () -> 1 imm(None) Env -;

            // Facts that a call or a store may change.
            /// The address of this account's entity, 0 before it has a number.
            HederaAccountId "hedera_account_id" () -> 1 imm(None) ReadWorld -;
            /// The balance of an account.
            Balance "balance" (account) -> 1 imm(None) ReadWorld -;
            /// The balance of this account.
            Selfbalance "selfbalance" () -> 1 imm(None) ReadWorld -;
            /// The size of an account's code.
            Extcodesize "extcodesize" (account) -> 1 imm(None) ReadWorld -;
            /// The hash of an account's code.
            Extcodehash "extcodehash" (account) -> 1 imm(None) ReadWorld -;
            /// The size of the last call's return data.
            Returndatasize "returndatasize" () -> 1 imm(None) ReadWorld -;
            /// The gas left.
            Gas "gas" () -> 1 imm(None) Gas -;

            // Memory.
            /// Loads a word.
            Mload "mload" (address) -> 1 imm(None) ReadMemory -;
            /// Stores a word.
            Mstore "mstore" (address, value) -> 0 imm(None) WriteMemory -;
            /// Stores the lowest byte of a word.
            Mstore8 "mstore8" (address, value) -> 0 imm(None) WriteMemory -;
            /// Copies memory; ranges may overlap.
            Mcopy "mcopy" (dest, source, size) -> 0 imm(None) WriteMemory -;
            /// Copies call data, zero-padded, to memory.
            Calldatacopy "calldatacopy" (dest, offset, size) -> 0 imm(None) WriteMemory -;
            /// Copies the running code, zero-padded, to memory.
            Codecopy "codecopy" (dest, offset, size) -> 0 imm(None) WriteMemory -;
            /// Copies return data to memory; past its end the frame halts exceptionally.
            Returndatacopy "returndatacopy" (dest, offset, size) -> 0 imm(None) WriteMemory -;
            /// Keccak-256 of memory.
            Keccak256 "keccak256" (address, size) -> 1 imm(None) ReadMemory -;
            /// SHA-256 of memory.
            Sha256 "sha256" (address, size) -> 1 imm(None) ReadMemory -;
            /// RIPEMD-160 of memory.
            Ripemd160 "ripemd160" (address, size) -> 1 imm(None) ReadMemory -;
            /// BLAKE2b of memory.
            Blake2b "blake2b" (address, size) -> 1 imm(None) ReadMemory -;
            /// Whether `signature` of `message` by the ML-DSA-65 key at `key` is valid.
            PqVerifyDilithium "pq_verify_dilithium" (message, size, signature, signature_size, key) -> 1 imm(None) ReadMemory -;
            /// The same of Falcon-512.
            PqVerifyFalcon "pq_verify_falcon" (message, size, signature, signature_size, key) -> 1 imm(None) ReadMemory -;
            /// The same of SLH-DSA-SHA2-128s.
            PqVerifySphincs "pq_verify_sphincs" (message, size, signature, signature_size, key) -> 1 imm(None) ReadMemory -;

            // Storage.
            /// Loads a storage word.
            Sload "sload" (slot) -> 1 imm(None) ReadStorage -;
            /// Stores a storage word.
            Sstore "sstore" (slot, value) -> 0 imm(None) WriteStorage -;
            /// Loads a transient word.
            Tload "tload" (slot) -> 1 imm(None) ReadTransient -;
            /// Stores a transient word.
            Tstore "tstore" (slot, value) -> 0 imm(None) WriteTransient -;
            /// keccak256(slot ‖ key, …): where the value of a table's key begins; 1 to 16 keys.
            Tablehash "tablehash" (slot, key; keys) -> 1 imm(None) Pure -;

            // Effects outside the frame.
            /// Emits a log of memory [address, address + size) with 0 to 4 topics, topic 0 first.
            Log "log" (address, size; topics) -> 0 imm(None) Effect -;
            /// Message call; 1 on success.
            Call "call" (gas, account, value, in_address, in_size, out_address, out_size) -> 1 imm(None) Effect -;
            /// Message call with this account's storage; 1 on success.
            Delegatecall "delegatecall" (gas, account, in_address, in_size, out_address, out_size) -> 1 imm(None) Effect -;
            /// Message call that may change nothing; 1 on success.
            Staticcall "staticcall" (gas, account, in_address, in_size, out_address, out_size) -> 1 imm(None) Effect -;
            /// Creates a contract; its address or 0.
            Create "create" (value, address, size) -> 1 imm(None) Effect -;
            /// Creates a contract at a salted address; its address or 0.
            Create2 "create2" (value, address, size, salt) -> 1 imm(None) Effect -;
            /// Moves units of a token; 1 on success, as of all services.
            HtsTransfer "hts_transfer" (token, from, to, amount) -> 1 imm(None) Effect -;
            /// Makes units of a token.
            HtsMint "hts_mint" (token, amount) -> 1 imm(None) Effect -;
            /// Destroys units of a token.
            HtsBurn "hts_burn" (token, amount) -> 1 imm(None) Effect -;
            /// Lets an account hold a token.
            HtsAssociate "hts_associate" (account, token) -> 1 imm(None) Effect -;
            /// Takes that back.
            HtsDissociate "hts_dissociate" (account, token) -> 1 imm(None) Effect -;
            /// Allows an account to take units.
            HtsApprove "hts_approve" (token, spender, amount) -> 1 imm(None) Effect -;
            /// Creates a token; its address or 0.
            HtsCreate "hts_create" (address, size) -> 1 imm(None) Effect -;
            /// Sends a message to a topic.
            HcsSubmit "hcs_submit" (topic, address, size) -> 1 imm(None) Effect -;
            /// Creates a topic; its address or 0.
            HcsCreateTopic "hcs_create_topic" (address, size) -> 1 imm(None) Effect -;
            /// Changes a topic.
            HcsUpdateTopic "hcs_update_topic" (topic, address, size) -> 1 imm(None) Effect -;
            /// Deletes a topic.
            HcsDeleteTopic "hcs_delete_topic" (topic) -> 1 imm(None) Effect -;
            /// Calls a function of this module.
            Icall "icall" (; args) -> * imm(Func) Effect -;

            // Faults.
            /// Ends the frame with the Panic code of the immediate if `condition` is 0.
            Assert "assert" (condition) -> 0 imm(Panic) Pure trap;
        }
    };
}
/// What kind of immediate an operation carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImmKind {
    /// None.
    None,
    /// A 256-bit constant.
    Word,
    /// An integer type.
    Type,
    /// A Panic code.
    Panic,
    /// A function of the module.
    Func,
    /// A data segment of the module.
    Data,
    /// A static buffer of the function.
    Slot,
}

/// What an operation observes or changes besides its operands and results.
///
/// An operation of class `Pure` or `Env` gives the same results for the same operands anywhere in the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Nothing.
    Pure,
    /// Facts that do not change while the frame runs.
    Env,
    /// Reads memory.
    ReadMemory,
    /// Writes memory.
    WriteMemory,
    /// Reads persistent storage.
    ReadStorage,
    /// Writes persistent storage.
    WriteStorage,
    /// Reads transient storage.
    ReadTransient,
    /// Writes transient storage.
    WriteTransient,
    /// Reads balances, code of other accounts or return data.
    ReadWorld,
    /// Observes the gas left.
    Gas,
    /// Anything: logs, calls, creations, internal calls.
    Effect,
}

/// How many results an operation has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Results {
    /// This many.
    Fixed(usize),
    /// As many as the called function returns.
    Callee,
}

/// One row of the table.
#[derive(Debug)]
pub struct OpInfo {
    /// The name in the text form.
    pub mnemonic: &'static str,
    /// The names of the operands that are always there.
    pub operands: &'static [&'static str],
    /// The name of the operands that may follow, any number of them.
    pub tail: Option<&'static str>,
    /// How many results there are.
    pub results: Results,
    /// The kind of immediate.
    pub imm: ImmKind,
    /// What it observes or changes.
    pub effect: Effect,
    /// Whether it may end the frame with a Panic.
    pub traps: bool,
}

macro_rules! results {
    (*) => {
        Results::Callee
    };
    ($n:literal) => {
        Results::Fixed($n)
    };
}

macro_rules! traps {
    (trap) => {
        true
    };
    (-) => {
        false
    };
}

macro_rules! define_ops {
    ($( $(#[doc = $doc:literal])+ $Name:ident $mnemonic:literal ( $($operand:ident),* $(; $tail:ident)? ) -> $results:tt
        imm($imm:ident) $effect:ident $trap:tt ; )*) => {
        /// An operation of the intermediate representation.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Op { $( $(#[doc = $doc])+ $Name, )* }

        impl Op {
            /// Every operation, in table order.
            pub const ALL: &'static [Op] = &[ $( Op::$Name ),* ];
        }

        static INFO: &[OpInfo] = &[ $( OpInfo {
            mnemonic: $mnemonic,
            operands: &[ $( stringify!($operand) ),* ],
            tail: define_ops!(@tail $($tail)?),
            results: results!($results),
            imm: ImmKind::$imm,
            effect: Effect::$effect,
            traps: traps!($trap),
        } ),* ];
    };
    (@tail $tail:ident) => { Some(stringify!($tail)) };
    (@tail) => { None };
}
for_each_ir_op!(define_ops);

impl Op {
    /// The row of this operation.
    pub fn info(self) -> &'static OpInfo {
        &INFO[self as usize]
    }

    /// The operation of this mnemonic.
    pub fn from_mnemonic(mnemonic: &str) -> Option<Op> {
        Op::ALL.iter().copied().find(|op| op.info().mnemonic == mnemonic)
    }

    /// Whether the operation may be dropped when no result is used.
    ///
    /// Reads may be dropped: what they charge is not part of the program's meaning. `gas` may be, too.
    pub fn is_removable(self) -> bool {
        let info = self.info();
        !info.traps
            && match info.effect {
                Effect::Pure
                | Effect::Env
                | Effect::ReadMemory
                | Effect::ReadStorage
                | Effect::ReadTransient
                | Effect::ReadWorld
                | Effect::Gas => true,
                Effect::WriteMemory | Effect::WriteStorage | Effect::WriteTransient | Effect::Effect => false,
            }
    }

    /// Whether two executions with equal operands in one frame give equal results (or the same trap), so that the
    /// second may reuse the results of the first if the first dominates it.
    pub fn is_repeatable(self) -> bool {
        matches!(self.info().effect, Effect::Pure | Effect::Env)
    }

    /// Whether the order of the operands does not matter.
    pub fn is_commutative(self) -> bool {
        matches!(self, Op::Add | Op::Mul | Op::Cadd | Op::Cmul | Op::Eq | Op::And | Op::Or | Op::Xor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mnemonics_are_unique_and_found() {
        for &op in Op::ALL {
            assert_eq!(Op::from_mnemonic(op.info().mnemonic), Some(op));
        }
    }

    #[test]
    fn rows_are_consistent() {
        for &op in Op::ALL {
            let info = op.info();
            assert!(
                !(info.traps && info.imm == ImmKind::None),
                "{}: a trap's code or type is an immediate",
                info.mnemonic
            );
            if info.results == Results::Fixed(0) && !info.traps {
                assert!(
                    !op.is_removable(),
                    "{}: without result and effect it would be nothing",
                    info.mnemonic
                );
            }
            assert!(!op.is_commutative() || info.operands.len() == 2);
        }
    }
}
