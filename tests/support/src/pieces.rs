//! Programs in pieces: lists of instructions and labels that assemble whatever is dropped from them.

use std::collections::BTreeMap;

use alloy_primitives::U256;
use zvm::bytecode::{Encoding, Op};

use crate::program::{Program, Setting};

/// A part of a program that can be dropped alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// An instruction; the immediate has the length that the table says.
    Instruction(Op, Vec<u8>),
    /// Pushes the offset of a label.
    PushLabel(usize),
    /// A `jumpdest` that has a label.
    Label(usize),
    /// A byte that is no operation.
    Raw(u8),
}

impl Piece {
    /// An instruction without an immediate.
    pub fn plain(op: Op) -> Piece {
        Piece::Instruction(op, Vec::new())
    }

    /// An instruction with an immediate of one byte.
    pub fn with_byte(op: Op, immediate: u8) -> Piece {
        Piece::Instruction(op, vec![immediate])
    }

    /// Pushes a word by the narrowest push of the encoding with at least `width_min` bytes.
    pub fn push(encoding: Encoding, word: U256, width_min: usize) -> Piece {
        let width = word.byte_len().max(width_min);
        if width == 0 {
            return Piece::plain(Op::Push0);
        }
        let op = (width..=32)
            .filter_map(|width| Op::from_name(&format!("push{width}")))
            .find(|&op| encoding.byte(op).is_some())
            .expect("both encodings have PUSH32");
        let width = usize::from(op.info().imm);
        Piece::Instruction(op, word.to_be_bytes::<32>()[32 - width..].to_vec())
    }
}

/// A program in pieces.
#[derive(Clone, Debug)]
pub struct Pieces {
    /// Encoding to assemble to.
    pub encoding: Encoding,
    /// The parts, in order.
    pub pieces: Vec<Piece>,
    /// Circumstances.
    pub setting: Setting,
}

impl Pieces {
    /// Assembles the pieces. A label whose `jumpdest` is gone is offset 0.
    pub fn assemble(&self) -> Program {
        let byte = |op: Op| self.encoding.byte(op).expect("the generator asks the table first");
        let mut code = Vec::new();
        let mut fixups = Vec::new();
        let mut labels = BTreeMap::new();
        for piece in &self.pieces {
            match piece {
                Piece::Instruction(op, immediate) => {
                    code.push(byte(*op));
                    code.extend_from_slice(immediate);
                }
                Piece::PushLabel(label) => {
                    code.push(byte(Op::Push2));
                    fixups.push((code.len(), *label));
                    code.extend_from_slice(&[0, 0]);
                }
                Piece::Label(label) => {
                    labels.insert(*label, code.len());
                    code.push(byte(Op::JumpDest));
                }
                Piece::Raw(raw) => code.push(*raw),
            }
        }
        for (at, label) in fixups {
            let target = labels.get(&label).copied().unwrap_or(0) as u16;
            code[at..at + 2].copy_from_slice(&target.to_be_bytes());
        }
        Program { encoding: self.encoding, code, setting: self.setting.clone() }
    }
}
