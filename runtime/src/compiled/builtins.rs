//! THE list of runtime calls: what compiled code asks of the runtime, with the signature of each.
//!
//! A compiler derives its table of function pointers, the offsets in it and the signatures from this list; the
//! shims themselves live with the compiler. Every call takes the compiler's run context first and returns a
//! status: [`STATUS_CONTINUE`](crate::outcome::STATUS_CONTINUE) or an [`Exit`](crate::outcome::Exit)'s.
//!
//! Parameter types: `u32`, `u64`, and `words`, a pointer to four consecutive 256-bit words: operands first, top of
//! stack first; the result replaces the first.

/// Calls `$callback! { rows }` with every runtime call: doc, Rust variant, name, typed parameters.
#[macro_export]
macro_rules! for_each_builtin {
    ($callback:path) => {
        $callback! {
            /// One operation on stack, gas and memory of the frame. `op` is its number, `pc` its offset. When it
            /// succeeds and less than `rest` gas is left, the status is `Interpret`; else `rest`, the static gas of
            /// what follows in the block, is charged. A request leaves the frame at `next_pc`.
            Execute execute(op: u32, pc: u32, next_pc: u32, rest: u64);
            /// `sload` of a key; gas as in `execute`.
            Sload sload(operands: words, rest: u64);
            /// `sstore` of a key and a value; gas as in `execute`.
            Sstore sstore(operands: words, rest: u64);
            /// Keccak-256 of `size` bytes of memory, which are there and paid for.
            Keccak keccak(offset: u64, size: u64, result: words);
            /// `tablehash` of two words.
            Tablehash tablehash(operands: words);
            /// `exp` of two words, paid for.
            Exp exp(operands: words);
            /// `calldataload` of an offset.
            CalldataLoad calldata_load(operands: words);
            /// Grows memory to hold `size` bytes at `offset` and charges for it. When the gas left then would be
            /// less than `rest`, nothing changes and the status is `Interpret`; else `rest` is charged.
            MemoryGrow memory_grow(offset: u64, size: u64, rest: u64);
            /// Tells the frame's tracker that the block at `pc` begins, with `gas` left.
            BeginBlock begin_block(pc: u32, gas: u64);
            /// Ends the frame with `Panic(uint256 code)`.
            Panic panic(code: u32);
            /// `mul` of two words.
            Mul mul(operands: words);
            /// `div` of two words.
            Div div(operands: words);
            /// `sdiv` of two words.
            Sdiv sdiv(operands: words);
            /// `mod` of two words.
            Rem rem(operands: words);
            /// `smod` of two words.
            Smod smod(operands: words);
            /// `addmod` of three words.
            Addmod addmod(operands: words);
            /// `mulmod` of three words.
            Mulmod mulmod(operands: words);
            /// `signextend` of two words.
            Signextend signextend(operands: words);
            /// `byte` of two words.
            Byte byte(operands: words);
            /// `shl` of two words.
            Shl shl(operands: words);
            /// `shr` of two words.
            Shr shr(operands: words);
            /// `sar` of two words.
            Sar sar(operands: words);
            /// A checked operation of one or two words in the type `type_byte`; the status is 0, or the code of the
            /// panic it ends in.
            Checked checked(op: u32, type_byte: u32, operands: words);
        }
    };
}
