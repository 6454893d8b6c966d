//! The two byte encodings, derived from the opcode table: byte to operation and operation to byte.
//!
//! An instruction's length depends on its first byte alone, so [`Encoding::instruction_len`] asks for neither
//! fork nor host; whether the operation is *active* is a separate question, [`Encoding::decode`].

use alloy_primitives::{Address, Bytes};

use super::info::{Needs, OP_TABLE, Op};
use crate::fork::Fork;

/// The bytes that mark native code in an account: `EF 5A 01`.
pub const NATIVE_PREFIX: [u8; 3] = [0xef, 0x5a, 0x01];

/// The bytes that begin a delegation, `EF 01 00`; an address follows (EIP-7702).
pub const DELEGATION_PREFIX: [u8; 3] = [0xef, 0x01, 0x00];

/// The account whose code runs in place of these bytes, if they are a delegation (EIP-7702).
#[inline]
pub fn delegation_target(raw: &[u8]) -> Option<Address> {
    let target = raw.strip_prefix(&DELEGATION_PREFIX)?;
    Some(Address::from(<[u8; 20]>::try_from(target).ok()?))
}

/// The bytes of a delegation to `target` (EIP-7702).
pub fn delegation_to(target: &Address) -> Bytes {
    [&DELEGATION_PREFIX[..], target.as_slice()].concat().into()
}

/// A byte encoding of the machine's operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// The native encoding, which Kalix emits.
    Zvm,
    /// Ethereum's encoding, byte for byte.
    Evm,
}

const NO_OP: u8 = 0xff;
const _: () = assert!(Op::COUNT < NO_OP as usize, "operation numbers fit a byte with one to spare");

/// Operation number by byte, [`NO_OP`] where the encoding has no row.
static ZVM_OPS: [u8; 256] = op_numbers(Encoding::Zvm);
static EVM_OPS: [u8; 256] = op_numbers(Encoding::Evm);

/// Immediate bytes by first byte.
static ZVM_IMMEDIATES: [u8; 256] = immediates(Encoding::Zvm);
static EVM_IMMEDIATES: [u8; 256] = immediates(Encoding::Evm);

const fn byte_in(encoding: Encoding, number: usize) -> Option<u8> {
    match encoding {
        Encoding::Zvm => OP_TABLE[number].zvm,
        Encoding::Evm => OP_TABLE[number].evm,
    }
}

const fn op_numbers(encoding: Encoding) -> [u8; 256] {
    let mut table = [NO_OP; 256];
    let mut number = 0;
    while number < Op::COUNT {
        if let Some(byte) = byte_in(encoding, number) {
            table[byte as usize] = number as u8;
        }
        number += 1;
    }
    table
}

const fn immediates(encoding: Encoding) -> [u8; 256] {
    let mut table = [0; 256];
    let mut number = 0;
    while number < Op::COUNT {
        if let Some(byte) = byte_in(encoding, number) {
            table[byte as usize] = OP_TABLE[number].imm;
        }
        number += 1;
    }
    table
}

impl Encoding {
    /// Both encodings.
    pub const ALL: [Encoding; 2] = [Encoding::Zvm, Encoding::Evm];

    /// Lower-case name.
    pub const fn name(self) -> &'static str {
        match self {
            Encoding::Zvm => "zvm",
            Encoding::Evm => "evm",
        }
    }

    /// The operation a byte stands for, whatever the fork and host.
    #[inline]
    pub fn op(self, byte: u8) -> Option<Op> {
        let table = match self {
            Encoding::Zvm => &ZVM_OPS,
            Encoding::Evm => &EVM_OPS,
        };
        Op::from_number(table[usize::from(byte)])
    }

    /// The operation a byte stands for if it is active at `fork` on a host with or without Hedera's services.
    #[inline]
    pub fn decode(self, byte: u8, fork: Fork, hedera: bool) -> Option<Op> {
        self.op(byte).filter(|op| op.is_active(fork, hedera))
    }

    /// The byte of an operation, if the encoding has it.
    pub const fn byte(self, op: Op) -> Option<u8> {
        match self {
            Encoding::Zvm => op.info().zvm,
            Encoding::Evm => op.info().evm,
        }
    }

    /// Bytes of the immediate that follow this first byte.
    #[inline]
    pub fn immediate_len(self, byte: u8) -> usize {
        let table = match self {
            Encoding::Zvm => &ZVM_IMMEDIATES,
            Encoding::Evm => &EVM_IMMEDIATES,
        };
        usize::from(table[usize::from(byte)])
    }

    /// Bytes of the whole instruction that starts with this byte.
    #[inline]
    pub fn instruction_len(self, byte: u8) -> usize {
        1 + self.immediate_len(byte)
    }
}

impl Op {
    /// Whether the operation exists at `fork` on a host with or without Hedera's services.
    #[inline]
    pub const fn is_active(self, fork: Fork, hedera: bool) -> bool {
        let info = self.info();
        fork as u8 >= info.since as u8 && (hedera || matches!(info.needs, Needs::Nothing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_decodes_to_the_row_that_names_it() {
        for encoding in Encoding::ALL {
            for &op in Op::ALL {
                if let Some(byte) = encoding.byte(op) {
                    assert_eq!(encoding.op(byte), Some(op));
                    assert_eq!(encoding.immediate_len(byte), usize::from(op.info().imm));
                }
            }
        }
        assert_eq!(Encoding::Evm.op(0x0c), None);
        assert_eq!(Encoding::Evm.instruction_len(0x0c), 1);
    }

    #[test]
    fn clz_starts_at_osaka_but_always_has_its_length() {
        let byte = Encoding::Evm.byte(Op::Clz).expect("CLZ has an EVM byte");
        assert_eq!(Encoding::Evm.decode(byte, Fork::Prague, false), None);
        assert_eq!(Encoding::Evm.decode(byte, Fork::Osaka, false), Some(Op::Clz));
    }
}
