//! THE opcode table: one row per operation, with its byte in each encoding.
//!
//! Everything the project knows about an operation is a column here or is derived from one: the
//! [`Op`](super::Op) enum, both decoders, mnemonics, static gas, stack effect, the assembler, the dispatch
//! of the interpreter, the translator of the JIT and `docs/vm/opcodes.md`.
//! To add an operation, add a row; the compiler then names every place that must learn it.
//!
//! Columns, in order:
//!
//! | column | meaning |
//! | --- | --- |
//! | doc | what the operation does; operands from the top of the stack down, `a` = top |
//! | `Name name` | Rust variant and text mnemonic |
//! | `zvm(..)` `evm(..)` | byte in each encoding, `-` where the encoding lacks it |
//! | `imm(n)` | bytes of the immediate |
//! | `stack(..)` | a [`StackEffect`](super::StackEffect): `Fixed(pops, pushes)`, or by the immediate |
//! | `gas(n)` | static gas |
//! | `dynamic(..)` | the rest of the price, a [`DynamicGas`](super::DynamicGas) |
//! | `in_static(..)` | a [`StaticRule`](super::StaticRule) |
//! | `observes(..)` | an [`Observes`](super::Observes): where charging must be exact |
//! | `needs(..)` `clobbers(..)` | host service needed; what is overwritten beside the stack |
//! | `since(..)` | first fork, a [`Fork`](crate::fork::Fork) |

/// Calls `$callback! { rows }` with the whole table.
#[macro_export]
macro_rules! for_each_opcode {
    ($callback:path) => {
        $callback! {
            /// End the frame successfully with empty return data (EVM STOP).
            Halt halt zvm(0x00) evm(0x00) imm(0) stack(Fixed(0, 0))
                gas(0) dynamic(None) in_static(Allowed) observes(End) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Do nothing. Costs 1 so that no op is free inside a loop.
            Nop nop zvm(0x01) evm(-) imm(0) stack(Fixed(0, 0))
                gas(1) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Drop the top word.
            Pop pop zvm(0x10) evm(0x50) imm(0) stack(Fixed(1, 0))
                gas(2) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Push the next 1 byte(s), big-endian, zero-extended.
            Push1 push1 zvm(0x11) evm(0x60) imm(1) stack(Fixed(0, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Push the next 2 byte(s), big-endian, zero-extended.
            Push2 push2 zvm(0x12) evm(0x61) imm(2) stack(Fixed(0, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Push the next 4 byte(s), big-endian, zero-extended.
            Push4 push4 zvm(0x13) evm(0x63) imm(4) stack(Fixed(0, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Push the next 8 byte(s), big-endian, zero-extended.
            Push8 push8 zvm(0x14) evm(0x67) imm(8) stack(Fixed(0, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Push the next 16 byte(s), big-endian, zero-extended.
            Push16 push16 zvm(0x15) evm(0x6F) imm(16) stack(Fixed(0, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Push the next 32 byte(s), big-endian, zero-extended.
            Push32 push32 zvm(0x16) evm(0x7F) imm(32) stack(Fixed(0, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Duplicate word 1 (1 = top).
            Dup1 dup1 zvm(0x17) evm(0x80) imm(0) stack(Fixed(1, 2))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Duplicate word 2 (1 = top).
            Dup2 dup2 zvm(0x18) evm(0x81) imm(0) stack(Fixed(2, 3))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Duplicate word 3 (1 = top).
            Dup3 dup3 zvm(0x19) evm(0x82) imm(0) stack(Fixed(3, 4))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Duplicate word 4 (1 = top).
            Dup4 dup4 zvm(0x1A) evm(0x83) imm(0) stack(Fixed(4, 5))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Swap the top with word 2.
            Swap1 swap1 zvm(0x1B) evm(0x90) imm(0) stack(Fixed(2, 2))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Swap the top with word 3.
            Swap2 swap2 zvm(0x1C) evm(0x91) imm(0) stack(Fixed(3, 3))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Swap the top with word 4.
            Swap3 swap3 zvm(0x1D) evm(0x92) imm(0) stack(Fixed(4, 4))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Swap the top with word 5.
            Swap4 swap4 zvm(0x1E) evm(0x93) imm(0) stack(Fixed(5, 5))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Push zero.
            Push0 push0 zvm(0x1F) evm(0x5F) imm(0) stack(Fixed(0, 1))
                gas(2) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Duplicate word n, n = immediate, 1..=255; 0 is an invalid opcode.
            DupN dupn zvm(0x20) evm(-) imm(1) stack(Dup)
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Swap the top with word n+1, n = immediate, 1..=255; 0 is an invalid opcode.
            SwapN swapn zvm(0x21) evm(-) imm(1) stack(Swap)
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Push the next 20 bytes (an address).
            Push20 push20 zvm(0x22) evm(0x73) imm(20) stack(Fixed(0, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// a + b mod 2^256 (a = top).
            Add add zvm(0x30) evm(0x01) imm(0) stack(Fixed(2, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// a - b mod 2^256 (a = top).
            Sub sub zvm(0x31) evm(0x03) imm(0) stack(Fixed(2, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// a * b mod 2^256 (a = top).
            Mul mul zvm(0x32) evm(0x02) imm(0) stack(Fixed(2, 1))
                gas(5) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// a / b, 0 if b = 0 (a = top).
            Div div zvm(0x33) evm(0x04) imm(0) stack(Fixed(2, 1))
                gas(5) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// signed a / b, 0 if b = 0; MIN / -1 = MIN (a = top).
            Sdiv sdiv zvm(0x34) evm(0x05) imm(0) stack(Fixed(2, 1))
                gas(5) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// a mod b, 0 if b = 0 (a = top).
            Mod mod zvm(0x35) evm(0x06) imm(0) stack(Fixed(2, 1))
                gas(5) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// signed remainder, sign of a, 0 if b = 0 (a = top).
            Smod smod zvm(0x36) evm(0x07) imm(0) stack(Fixed(2, 1))
                gas(5) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// (a + b) mod n over 257 bits, 0 if n = 0 (a = top).
            AddMod addmod zvm(0x37) evm(0x08) imm(0) stack(Fixed(3, 1))
                gas(8) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// (a * b) mod n over 512 bits, 0 if n = 0 (a = top).
            MulMod mulmod zvm(0x38) evm(0x09) imm(0) stack(Fixed(3, 1))
                gas(8) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// a ^ b mod 2^256 (a = top).
            Exp exp zvm(0x39) evm(0x0A) imm(0) stack(Fixed(2, 1))
                gas(10) dynamic(PerExponentByte(50)) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// sign-extend b from byte a (a = top).
            SignExtend signextend zvm(0x3A) evm(0x0B) imm(0) stack(Fixed(2, 1))
                gas(5) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Checked a + b in type t (immediate); see zvm.md.
            CAdd cadd zvm(0x40) evm(-) imm(1) stack(Fixed(2, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Fault) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Checked a - b in type t (immediate); see zvm.md.
            CSub csub zvm(0x41) evm(-) imm(1) stack(Fixed(2, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Fault) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Checked a * b in type t (immediate); see zvm.md.
            CMul cmul zvm(0x42) evm(-) imm(1) stack(Fixed(2, 1))
                gas(5) dynamic(None) in_static(Allowed) observes(Fault) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Checked a / b; Panic(0x12) if b = 0 in type t (immediate); see zvm.md.
            CDiv cdiv zvm(0x43) evm(-) imm(1) stack(Fixed(2, 1))
                gas(5) dynamic(None) in_static(Allowed) observes(Fault) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Checked a mod b; Panic(0x12) if b = 0 in type t (immediate); see zvm.md.
            CMod cmod zvm(0x44) evm(-) imm(1) stack(Fixed(2, 1))
                gas(5) dynamic(None) in_static(Allowed) observes(Fault) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Checked -a in type t (immediate); see zvm.md.
            CNeg cneg zvm(0x45) evm(-) imm(1) stack(Fixed(1, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Fault) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Checked a ^ b in type t (immediate); a must fit t, b is any unsigned word.
            CExp cexp zvm(0x46) evm(-) imm(1) stack(Fixed(2, 1))
                gas(10) dynamic(PerExponentByte(50)) in_static(Allowed) observes(Fault) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Checked conversion of a to type t (immediate); bit 6 of t: a is signed. The word is unchanged.
            CCast ccast zvm(0x47) evm(-) imm(1) stack(Fixed(1, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Fault) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Pop c; if c = 0 end the frame as PANIC with the immediate code.
            Assert assert zvm(0x4E) evm(-) imm(1) stack(Fixed(1, 0))
                gas(3) dynamic(None) in_static(Allowed) observes(Fault) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// End the frame as REVERT with return data Panic(uint256 code), code = immediate.
            Panic panic zvm(0x4F) evm(-) imm(1) stack(Fixed(0, 0))
                gas(0) dynamic(None) in_static(Allowed) observes(End) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// a < b (a = top).
            Lt lt zvm(0x50) evm(0x10) imm(0) stack(Fixed(2, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// a > b (a = top).
            Gt gt zvm(0x51) evm(0x11) imm(0) stack(Fixed(2, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// signed a < b (a = top).
            Slt slt zvm(0x52) evm(0x12) imm(0) stack(Fixed(2, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// signed a > b (a = top).
            Sgt sgt zvm(0x53) evm(0x13) imm(0) stack(Fixed(2, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// a = b (a = top).
            Eq eq zvm(0x54) evm(0x14) imm(0) stack(Fixed(2, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// a = 0 (a = top).
            IsZero iszero zvm(0x55) evm(0x15) imm(0) stack(Fixed(1, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// a and b (a = top).
            And and zvm(0x56) evm(0x16) imm(0) stack(Fixed(2, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// a or b (a = top).
            Or or zvm(0x57) evm(0x17) imm(0) stack(Fixed(2, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// a xor b (a = top).
            Xor xor zvm(0x58) evm(0x18) imm(0) stack(Fixed(2, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// not a (a = top).
            Not not zvm(0x59) evm(0x19) imm(0) stack(Fixed(1, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// byte a of b, 0 = most significant; 0 if a > 31 (a = top).
            Byte byte zvm(0x5A) evm(0x1A) imm(0) stack(Fixed(2, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// b << a, 0 if a > 255 (a = top).
            Shl shl zvm(0x5B) evm(0x1B) imm(0) stack(Fixed(2, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// b >> a logical, 0 if a > 255 (a = top).
            Shr shr zvm(0x5C) evm(0x1C) imm(0) stack(Fixed(2, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// b >> a arithmetic (a = top).
            Sar sar zvm(0x5D) evm(0x1D) imm(0) stack(Fixed(2, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Count leading zero bits; 256 for 0.
            Clz clz zvm(0x5E) evm(0x1E) imm(0) stack(Fixed(1, 1))
                gas(5) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Osaka);
            /// Keccak-256 of memory [offset, offset+size). In: offset, size.
            Keccak256 keccak256 zvm(0x70) evm(0x20) imm(0) stack(Fixed(2, 1))
                gas(30) dynamic(PerWord(6)) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// SHA-256 of memory. In: offset, size.
            Sha256 sha256 zvm(0x71) evm(-) imm(0) stack(Fixed(2, 1))
                gas(60) dynamic(PerWord(12)) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// RIPEMD-160 of memory, zero-extended. In: offset, size.
            Ripemd160 ripemd160 zvm(0x72) evm(-) imm(0) stack(Fixed(2, 1))
                gas(600) dynamic(PerWord(120)) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Unkeyed BLAKE2b with a 32-byte digest (not a truncated BLAKE2b-512). In: offset, size.
            Blake2b blake2b zvm(0x73) evm(-) imm(0) stack(Fixed(2, 1))
                gas(30) dynamic(PerWord(6)) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Load a word. In: offset.
            Mload mload zvm(0x80) evm(0x51) imm(0) stack(Fixed(1, 1))
                gas(3) dynamic(Memory) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Store a word. In: offset, value.
            Mstore mstore zvm(0x81) evm(0x52) imm(0) stack(Fixed(2, 0))
                gas(3) dynamic(Memory) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Store the low byte. In: offset, value.
            Mstore8 mstore8 zvm(0x82) evm(0x53) imm(0) stack(Fixed(2, 0))
                gas(3) dynamic(Memory) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Memory size in bytes, a multiple of 32.
            Msize msize zvm(0x83) evm(0x59) imm(0) stack(Fixed(0, 1))
                gas(2) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Copy within memory, overlap allowed. In: dest, src, size.
            Mcopy mcopy zvm(0x84) evm(0x5E) imm(0) stack(Fixed(3, 0))
                gas(3) dynamic(PerWord(3)) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Load a storage word. In: key.
            Sload sload zvm(0x90) evm(0x54) imm(0) stack(Fixed(1, 1))
                gas(0) dynamic(Slot) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Store a storage word. In: key, value.
            Sstore sstore zvm(0x91) evm(0x55) imm(0) stack(Fixed(2, 0))
                gas(0) dynamic(Sstore) in_static(Refused) observes(Gas) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Load a transient word. In: key.
            Tload tload zvm(0x92) evm(0x5C) imm(0) stack(Fixed(1, 1))
                gas(100) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Store a transient word. In: key, value.
            Tstore tstore zvm(0x93) evm(0x5D) imm(0) stack(Fixed(2, 0))
                gas(100) dynamic(None) in_static(Refused) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Jump. In: target, which must be a JUMPDEST.
            Jump jump zvm(0xA0) evm(0x56) imm(0) stack(Fixed(1, 0))
                gas(8) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Jump if cond != 0. In: target, cond.
            JumpI jumpi zvm(0xA1) evm(0x57) imm(0) stack(Fixed(2, 0))
                gas(10) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Offset of this op in the code.
            Pc pc zvm(0xA2) evm(0x58) imm(0) stack(Fixed(0, 1))
                gas(2) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Mark a jump target.
            JumpDest jumpdest zvm(0xA3) evm(0x5B) imm(0) stack(Fixed(0, 0))
                gas(1) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Message call. In: gas, address, value, in_offset, in_size, out_offset, out_size. Out: 1 success, 0 failure.
            Call call zvm(0xA4) evm(0xF1) imm(0) stack(Fixed(7, 1))
                gas(0) dynamic(Call) in_static(ZeroValue) observes(Gas) needs(Nothing) clobbers(ReturnData) since(Cancun);
            /// Like CALL with the callee's code on this account. Kept for EVM compatibility.
            CallCode callcode zvm(0xA5) evm(0xF2) imm(0) stack(Fixed(7, 1))
                gas(0) dynamic(Call) in_static(Allowed) observes(Gas) needs(Nothing) clobbers(ReturnData) since(Cancun);
            /// In: gas, address, in_offset, in_size, out_offset, out_size.
            DelegateCall delegatecall zvm(0xA6) evm(0xF4) imm(0) stack(Fixed(6, 1))
                gas(0) dynamic(Call) in_static(Allowed) observes(Gas) needs(Nothing) clobbers(ReturnData) since(Cancun);
            /// Like CALL with value 0; every state change below it is an exceptional halt.
            StaticCall staticcall zvm(0xA7) evm(0xFA) imm(0) stack(Fixed(6, 1))
                gas(0) dynamic(Call) in_static(Allowed) observes(Gas) needs(Nothing) clobbers(ReturnData) since(Cancun);
            /// End the frame successfully. In: offset, size.
            Return return zvm(0xA8) evm(0xF3) imm(0) stack(Fixed(2, 0))
                gas(0) dynamic(Memory) in_static(Allowed) observes(End) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// End the frame, undo its changes, keep its remaining gas. In: offset, size.
            Revert revert zvm(0xA9) evm(0xFD) imm(0) stack(Fixed(2, 0))
                gas(0) dynamic(Memory) in_static(Allowed) observes(End) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// EIP-6780 semantics. In: beneficiary.
            SelfDestruct selfdestruct zvm(0xAA) evm(0xFF) imm(0) stack(Fixed(1, 0))
                gas(5000) dynamic(SelfDestruct) in_static(Refused) observes(End) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// In: value, offset, size. Out: address or 0.
            Create create zvm(0xAB) evm(0xF0) imm(0) stack(Fixed(3, 1))
                gas(32000) dynamic(PerWord(2)) in_static(Refused) observes(Gas) needs(Nothing) clobbers(ReturnData) since(Cancun);
            /// In: value, offset, size, salt. Out: address or 0.
            Create2 create2 zvm(0xAC) evm(0xF5) imm(0) stack(Fixed(4, 1))
                gas(32000) dynamic(PerWord(8)) in_static(Refused) observes(Gas) needs(Nothing) clobbers(ReturnData) since(Cancun);
            /// This account.
            Address address zvm(0xB0) evm(0x30) imm(0) stack(Fixed(0, 1))
                gas(2) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Balance of an account. In: address.
            Balance balance zvm(0xB1) evm(0x31) imm(0) stack(Fixed(1, 1))
                gas(0) dynamic(Account) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Transaction sender.
            Origin origin zvm(0xB2) evm(0x32) imm(0) stack(Fixed(0, 1))
                gas(2) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Message sender.
            Caller caller zvm(0xB3) evm(0x33) imm(0) stack(Fixed(0, 1))
                gas(2) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Message value.
            CallValue callvalue zvm(0xB4) evm(0x34) imm(0) stack(Fixed(0, 1))
                gas(2) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Word of call data, zero-padded. In: offset.
            CalldataLoad calldataload zvm(0xB5) evm(0x35) imm(0) stack(Fixed(1, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Size of call data.
            CalldataSize calldatasize zvm(0xB6) evm(0x36) imm(0) stack(Fixed(0, 1))
                gas(2) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// In: dest, offset, size.
            CalldataCopy calldatacopy zvm(0xB7) evm(0x37) imm(0) stack(Fixed(3, 0))
                gas(3) dynamic(PerWord(3)) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Size of this code.
            CodeSize codesize zvm(0xB8) evm(0x38) imm(0) stack(Fixed(0, 1))
                gas(2) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// In: dest, offset, size.
            CodeCopy codecopy zvm(0xB9) evm(0x39) imm(0) stack(Fixed(3, 0))
                gas(3) dynamic(PerWord(3)) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Effective gas price.
            GasPrice gasprice zvm(0xBA) evm(0x3A) imm(0) stack(Fixed(0, 1))
                gas(2) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// In: address.
            ExtcodeSize extcodesize zvm(0xBB) evm(0x3B) imm(0) stack(Fixed(1, 1))
                gas(0) dynamic(Account) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// In: address, dest, offset, size.
            ExtcodeCopy extcodecopy zvm(0xBC) evm(0x3C) imm(0) stack(Fixed(4, 0))
                gas(0) dynamic(AccountPerWord(3)) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Size of the last call's return data.
            ReturndataSize returndatasize zvm(0xBD) evm(0x3D) imm(0) stack(Fixed(0, 1))
                gas(2) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// In: dest, offset, size; reading past the end is an exceptional halt.
            ReturndataCopy returndatacopy zvm(0xBE) evm(0x3E) imm(0) stack(Fixed(3, 0))
                gas(3) dynamic(PerWord(3)) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// In: address.
            ExtcodeHash extcodehash zvm(0xBF) evm(0x3F) imm(0) stack(Fixed(1, 1))
                gas(0) dynamic(Account) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Hash of one of the last 256 blocks. In: number.
            BlockHash blockhash zvm(0xC0) evm(0x40) imm(0) stack(Fixed(1, 1))
                gas(20) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Block beneficiary.
            Coinbase coinbase zvm(0xC1) evm(0x41) imm(0) stack(Fixed(0, 1))
                gas(2) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Block time, seconds.
            Timestamp timestamp zvm(0xC2) evm(0x42) imm(0) stack(Fixed(0, 1))
                gas(2) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Block number.
            Number number zvm(0xC3) evm(0x43) imm(0) stack(Fixed(0, 1))
                gas(2) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Alias of PREVRANDAO, kept for old code.
            Difficulty difficulty zvm(0xC4) evm(-) imm(0) stack(Fixed(0, 1))
                gas(2) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Beacon randomness.
            PrevRandao prevrandao zvm(0xC5) evm(0x44) imm(0) stack(Fixed(0, 1))
                gas(2) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Block gas limit.
            GasLimit gaslimit zvm(0xC6) evm(0x45) imm(0) stack(Fixed(0, 1))
                gas(2) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Chain id.
            ChainId chainid zvm(0xC7) evm(0x46) imm(0) stack(Fixed(0, 1))
                gas(2) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Balance of this account.
            SelfBalance selfbalance zvm(0xC8) evm(0x47) imm(0) stack(Fixed(0, 1))
                gas(5) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Base fee.
            BaseFee basefee zvm(0xC9) evm(0x48) imm(0) stack(Fixed(0, 1))
                gas(2) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Gas left after this op.
            Gas gas zvm(0xCA) evm(0x5A) imm(0) stack(Fixed(0, 1))
                gas(2) dynamic(None) in_static(Allowed) observes(Gas) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// In: index.
            BlobHash blobhash zvm(0xCB) evm(0x49) imm(0) stack(Fixed(1, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Blob base fee.
            BlobBaseFee blobbasefee zvm(0xCC) evm(0x4A) imm(0) stack(Fixed(0, 1))
                gas(2) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// keccak256(table_slot || key). In: table_slot (top), key; both as 32-byte big-endian words.
            Tablehash tablehash zvm(0xD2) evm(-) imm(0) stack(Fixed(2, 1))
                gas(30) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// keccak256(table_slot || key_1 || ... || key_n), n = immediate 1..=16, others are an invalid opcode. In: table_slot (top), key_1, ..., key_n.
            TablehashN tablehashn zvm(0xD3) evm(-) imm(1) stack(Keys)
                gas(30) dynamic(PerExtraKey(6)) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// In: token, from, to, amount. Out: status.
            HtsTransfer hts_transfer zvm(0xE0) evm(-) imm(0) stack(Fixed(4, 1))
                gas(10000) dynamic(None) in_static(Refused) observes(Nothing) needs(Hedera) clobbers(ReturnData) since(Cancun);
            /// In: token, amount. Out: status.
            HtsMint hts_mint zvm(0xE1) evm(-) imm(0) stack(Fixed(2, 1))
                gas(50000) dynamic(None) in_static(Refused) observes(Nothing) needs(Hedera) clobbers(ReturnData) since(Cancun);
            /// In: token, amount. Out: status.
            HtsBurn hts_burn zvm(0xE2) evm(-) imm(0) stack(Fixed(2, 1))
                gas(50000) dynamic(None) in_static(Refused) observes(Nothing) needs(Hedera) clobbers(ReturnData) since(Cancun);
            /// In: account, token. Out: status.
            HtsAssociate hts_associate zvm(0xE3) evm(-) imm(0) stack(Fixed(2, 1))
                gas(20000) dynamic(None) in_static(Refused) observes(Nothing) needs(Hedera) clobbers(ReturnData) since(Cancun);
            /// In: account, token. Out: status.
            HtsDissociate hts_dissociate zvm(0xE4) evm(-) imm(0) stack(Fixed(2, 1))
                gas(20000) dynamic(None) in_static(Refused) observes(Nothing) needs(Hedera) clobbers(ReturnData) since(Cancun);
            /// In: token, spender, amount. Out: status.
            HtsApprove hts_approve zvm(0xE5) evm(-) imm(0) stack(Fixed(3, 1))
                gas(20000) dynamic(None) in_static(Refused) observes(Nothing) needs(Hedera) clobbers(ReturnData) since(Cancun);
            /// In: params_offset, params_size (ABI-encoded). Out: token address or 0.
            HtsCreate hts_create zvm(0xE6) evm(-) imm(0) stack(Fixed(2, 1))
                gas(100000) dynamic(PerByte(100)) in_static(Refused) observes(Nothing) needs(Hedera) clobbers(ReturnData) since(Cancun);
            /// In: topic, offset, size. Out: status.
            HcsSubmit hcs_submit zvm(0xE7) evm(-) imm(0) stack(Fixed(3, 1))
                gas(5000) dynamic(PerByte(100)) in_static(Refused) observes(Nothing) needs(Hedera) clobbers(ReturnData) since(Cancun);
            /// In: params_offset, params_size (ABI-encoded). Out: topic address or 0.
            HcsCreateTopic hcs_create_topic zvm(0xE8) evm(-) imm(0) stack(Fixed(2, 1))
                gas(50000) dynamic(PerByte(100)) in_static(Refused) observes(Nothing) needs(Hedera) clobbers(ReturnData) since(Cancun);
            /// In: topic, params_offset, params_size. Out: status.
            HcsUpdateTopic hcs_update_topic zvm(0xE9) evm(-) imm(0) stack(Fixed(3, 1))
                gas(25000) dynamic(PerByte(100)) in_static(Refused) observes(Nothing) needs(Hedera) clobbers(ReturnData) since(Cancun);
            /// In: topic. Out: status.
            HcsDeleteTopic hcs_delete_topic zvm(0xEA) evm(-) imm(0) stack(Fixed(1, 1))
                gas(12500) dynamic(None) in_static(Refused) observes(Nothing) needs(Hedera) clobbers(ReturnData) since(Cancun);
            /// Long-zero address of this account's entity, zero-extended.
            HederaAccountId hedera_account_id zvm(0xEB) evm(-) imm(0) stack(Fixed(0, 1))
                gas(100) dynamic(None) in_static(Allowed) observes(Nothing) needs(Hedera) clobbers(Nothing) since(Cancun);
            /// Consensus time, nanoseconds.
            HederaTimestamp hedera_timestamp zvm(0xEC) evm(-) imm(0) stack(Fixed(0, 1))
                gas(2) dynamic(None) in_static(Allowed) observes(Nothing) needs(Hedera) clobbers(Nothing) since(Cancun);
            /// Verify an ML-DSA-65 signature. In: msg_offset, msg_size, sig_offset, sig_size, key_offset. Out: 1 valid, 0 not.
            PqVerifyDilithium pq_verify_dilithium zvm(0xF0) evm(-) imm(0) stack(Fixed(5, 1))
                gas(8000) dynamic(PerWord(6)) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Verify a Falcon-512 signature. In: msg_offset, msg_size, sig_offset, sig_size, key_offset. Out: 1 valid, 0 not.
            PqVerifyFalcon pq_verify_falcon zvm(0xF1) evm(-) imm(0) stack(Fixed(5, 1))
                gas(3000) dynamic(PerWord(6)) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Verify an SLH-DSA-SHA2-128s signature. In: msg_offset, msg_size, sig_offset, sig_size, key_offset. Out: 1 valid, 0 not.
            PqVerifySphincs pq_verify_sphincs zvm(0xF2) evm(-) imm(0) stack(Fixed(5, 1))
                gas(25000) dynamic(PerWord(6)) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Log with 0 topic(s). In: offset, size, topic 1, ..., topic n.
            Log0 log0 zvm(0xF8) evm(0xA0) imm(0) stack(Fixed(2, 0))
                gas(375) dynamic(PerByte(8)) in_static(Refused) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Log with 1 topic(s). In: offset, size, topic 1, ..., topic n.
            Log1 log1 zvm(0xF9) evm(0xA1) imm(0) stack(Fixed(3, 0))
                gas(750) dynamic(PerByte(8)) in_static(Refused) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Log with 2 topic(s). In: offset, size, topic 1, ..., topic n.
            Log2 log2 zvm(0xFA) evm(0xA2) imm(0) stack(Fixed(4, 0))
                gas(1125) dynamic(PerByte(8)) in_static(Refused) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Log with 3 topic(s). In: offset, size, topic 1, ..., topic n.
            Log3 log3 zvm(0xFB) evm(0xA3) imm(0) stack(Fixed(5, 0))
                gas(1500) dynamic(PerByte(8)) in_static(Refused) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Log with 4 topic(s). In: offset, size, topic 1, ..., topic n.
            Log4 log4 zvm(0xFC) evm(0xA4) imm(0) stack(Fixed(6, 0))
                gas(1875) dynamic(PerByte(8)) in_static(Refused) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Exceptional halt; consumes all gas of the frame.
            Invalid invalid zvm(0xFE) evm(0xFE) imm(0) stack(Fixed(0, 0))
                gas(0) dynamic(All) in_static(Allowed) observes(End) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Push the next 3 byte(s) (EVM encoding only).
            Push3 push3 zvm(-) evm(0x62) imm(3) stack(Fixed(0, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Push the next 5 byte(s) (EVM encoding only).
            Push5 push5 zvm(-) evm(0x64) imm(5) stack(Fixed(0, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Push the next 6 byte(s) (EVM encoding only).
            Push6 push6 zvm(-) evm(0x65) imm(6) stack(Fixed(0, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Push the next 7 byte(s) (EVM encoding only).
            Push7 push7 zvm(-) evm(0x66) imm(7) stack(Fixed(0, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Push the next 9 byte(s) (EVM encoding only).
            Push9 push9 zvm(-) evm(0x68) imm(9) stack(Fixed(0, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Push the next 10 byte(s) (EVM encoding only).
            Push10 push10 zvm(-) evm(0x69) imm(10) stack(Fixed(0, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Push the next 11 byte(s) (EVM encoding only).
            Push11 push11 zvm(-) evm(0x6A) imm(11) stack(Fixed(0, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Push the next 12 byte(s) (EVM encoding only).
            Push12 push12 zvm(-) evm(0x6B) imm(12) stack(Fixed(0, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Push the next 13 byte(s) (EVM encoding only).
            Push13 push13 zvm(-) evm(0x6C) imm(13) stack(Fixed(0, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Push the next 14 byte(s) (EVM encoding only).
            Push14 push14 zvm(-) evm(0x6D) imm(14) stack(Fixed(0, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Push the next 15 byte(s) (EVM encoding only).
            Push15 push15 zvm(-) evm(0x6E) imm(15) stack(Fixed(0, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Push the next 17 byte(s) (EVM encoding only).
            Push17 push17 zvm(-) evm(0x70) imm(17) stack(Fixed(0, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Push the next 18 byte(s) (EVM encoding only).
            Push18 push18 zvm(-) evm(0x71) imm(18) stack(Fixed(0, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Push the next 19 byte(s) (EVM encoding only).
            Push19 push19 zvm(-) evm(0x72) imm(19) stack(Fixed(0, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Push the next 21 byte(s) (EVM encoding only).
            Push21 push21 zvm(-) evm(0x74) imm(21) stack(Fixed(0, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Push the next 22 byte(s) (EVM encoding only).
            Push22 push22 zvm(-) evm(0x75) imm(22) stack(Fixed(0, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Push the next 23 byte(s) (EVM encoding only).
            Push23 push23 zvm(-) evm(0x76) imm(23) stack(Fixed(0, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Push the next 24 byte(s) (EVM encoding only).
            Push24 push24 zvm(-) evm(0x77) imm(24) stack(Fixed(0, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Push the next 25 byte(s) (EVM encoding only).
            Push25 push25 zvm(-) evm(0x78) imm(25) stack(Fixed(0, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Push the next 26 byte(s) (EVM encoding only).
            Push26 push26 zvm(-) evm(0x79) imm(26) stack(Fixed(0, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Push the next 27 byte(s) (EVM encoding only).
            Push27 push27 zvm(-) evm(0x7A) imm(27) stack(Fixed(0, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Push the next 28 byte(s) (EVM encoding only).
            Push28 push28 zvm(-) evm(0x7B) imm(28) stack(Fixed(0, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Push the next 29 byte(s) (EVM encoding only).
            Push29 push29 zvm(-) evm(0x7C) imm(29) stack(Fixed(0, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Push the next 30 byte(s) (EVM encoding only).
            Push30 push30 zvm(-) evm(0x7D) imm(30) stack(Fixed(0, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Push the next 31 byte(s) (EVM encoding only).
            Push31 push31 zvm(-) evm(0x7E) imm(31) stack(Fixed(0, 1))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Duplicate word 5 (EVM encoding only; ZVM has DUPN).
            Dup5 dup5 zvm(-) evm(0x84) imm(0) stack(Fixed(5, 6))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Duplicate word 6 (EVM encoding only; ZVM has DUPN).
            Dup6 dup6 zvm(-) evm(0x85) imm(0) stack(Fixed(6, 7))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Duplicate word 7 (EVM encoding only; ZVM has DUPN).
            Dup7 dup7 zvm(-) evm(0x86) imm(0) stack(Fixed(7, 8))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Duplicate word 8 (EVM encoding only; ZVM has DUPN).
            Dup8 dup8 zvm(-) evm(0x87) imm(0) stack(Fixed(8, 9))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Duplicate word 9 (EVM encoding only; ZVM has DUPN).
            Dup9 dup9 zvm(-) evm(0x88) imm(0) stack(Fixed(9, 10))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Duplicate word 10 (EVM encoding only; ZVM has DUPN).
            Dup10 dup10 zvm(-) evm(0x89) imm(0) stack(Fixed(10, 11))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Duplicate word 11 (EVM encoding only; ZVM has DUPN).
            Dup11 dup11 zvm(-) evm(0x8A) imm(0) stack(Fixed(11, 12))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Duplicate word 12 (EVM encoding only; ZVM has DUPN).
            Dup12 dup12 zvm(-) evm(0x8B) imm(0) stack(Fixed(12, 13))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Duplicate word 13 (EVM encoding only; ZVM has DUPN).
            Dup13 dup13 zvm(-) evm(0x8C) imm(0) stack(Fixed(13, 14))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Duplicate word 14 (EVM encoding only; ZVM has DUPN).
            Dup14 dup14 zvm(-) evm(0x8D) imm(0) stack(Fixed(14, 15))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Duplicate word 15 (EVM encoding only; ZVM has DUPN).
            Dup15 dup15 zvm(-) evm(0x8E) imm(0) stack(Fixed(15, 16))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Duplicate word 16 (EVM encoding only; ZVM has DUPN).
            Dup16 dup16 zvm(-) evm(0x8F) imm(0) stack(Fixed(16, 17))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Swap the top with word 6 (EVM encoding only; ZVM has SWAPN).
            Swap5 swap5 zvm(-) evm(0x94) imm(0) stack(Fixed(6, 6))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Swap the top with word 7 (EVM encoding only; ZVM has SWAPN).
            Swap6 swap6 zvm(-) evm(0x95) imm(0) stack(Fixed(7, 7))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Swap the top with word 8 (EVM encoding only; ZVM has SWAPN).
            Swap7 swap7 zvm(-) evm(0x96) imm(0) stack(Fixed(8, 8))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Swap the top with word 9 (EVM encoding only; ZVM has SWAPN).
            Swap8 swap8 zvm(-) evm(0x97) imm(0) stack(Fixed(9, 9))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Swap the top with word 10 (EVM encoding only; ZVM has SWAPN).
            Swap9 swap9 zvm(-) evm(0x98) imm(0) stack(Fixed(10, 10))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Swap the top with word 11 (EVM encoding only; ZVM has SWAPN).
            Swap10 swap10 zvm(-) evm(0x99) imm(0) stack(Fixed(11, 11))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Swap the top with word 12 (EVM encoding only; ZVM has SWAPN).
            Swap11 swap11 zvm(-) evm(0x9A) imm(0) stack(Fixed(12, 12))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Swap the top with word 13 (EVM encoding only; ZVM has SWAPN).
            Swap12 swap12 zvm(-) evm(0x9B) imm(0) stack(Fixed(13, 13))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Swap the top with word 14 (EVM encoding only; ZVM has SWAPN).
            Swap13 swap13 zvm(-) evm(0x9C) imm(0) stack(Fixed(14, 14))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Swap the top with word 15 (EVM encoding only; ZVM has SWAPN).
            Swap14 swap14 zvm(-) evm(0x9D) imm(0) stack(Fixed(15, 15))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Swap the top with word 16 (EVM encoding only; ZVM has SWAPN).
            Swap15 swap15 zvm(-) evm(0x9E) imm(0) stack(Fixed(16, 16))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
            /// Swap the top with word 17 (EVM encoding only; ZVM has SWAPN).
            Swap16 swap16 zvm(-) evm(0x9F) imm(0) stack(Fixed(17, 17))
                gas(3) dynamic(None) in_static(Allowed) observes(Nothing) needs(Nothing) clobbers(Nothing) since(Cancun);
        }
    };
}
