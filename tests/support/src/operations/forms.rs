//! The states an operand can have when compiled code meets it.

use alloy_primitives::U256;
use zvm::bytecode::{Encoding, Op};

use crate::model::{Effect, evaluate};
use crate::pieces::Piece;

/// Label of the block that resting operands wait for; jumps under test use label 0.
const REST: usize = 1;

/// How an operand reaches the operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A constant of the code.
    Literal(U256),
    /// The offset of the label 0.
    Target,
    /// A word of call data loaded in the same block.
    Loaded,
    /// On the stack in memory since an earlier block.
    Resting,
    /// A word of call data, masked to 64 bits.
    Masked,
    /// A word of call data, turned into 0 or 1.
    Flag,
    /// The result of a checked operation of that type; faults where the word lies outside.
    Checked(u8),
}

impl Form {
    /// The forms that a call-data word can take in an encoding.
    pub(super) fn of_calldata(encoding: Encoding) -> Vec<Form> {
        let mut forms = vec![Form::Loaded, Form::Resting, Form::Masked, Form::Flag];
        if encoding == Encoding::Zvm {
            forms.extend([0x08, 0x88, 0x10, 0x90].map(Form::Checked));
        }
        forms
    }

    /// The operand that the operation sees when the call data holds `word`; `None` where the form faults first.
    pub(super) fn operand(self, word: U256, target: U256) -> Option<U256> {
        match self {
            Form::Literal(literal) => Some(literal),
            Form::Target => Some(target),
            Form::Loaded | Form::Resting => Some(word),
            Form::Masked => Some(word & U256::from(u64::MAX)),
            Form::Flag => Some(U256::from(u8::from(!word.is_zero()))),
            Form::Checked(ty) => match evaluate(Op::CAdd, ty, &[U256::ZERO, word]) {
                Some((Effect::Words(_), _)) => Some(word),
                _ => None,
            },
        }
    }

    /// Pushes the operand that stands at `position` of the call data.
    fn push(self, encoding: Encoding, position: usize, pieces: &mut Vec<Piece>) {
        match self {
            Form::Literal(word) => return pieces.push(Piece::push(encoding, word, 1)),
            Form::Target => return pieces.push(Piece::PushLabel(0)),
            _ => {}
        }
        pieces.push(Piece::push(encoding, U256::from(32 * position), 2));
        pieces.push(Piece::plain(Op::CalldataLoad));
        match self {
            Form::Masked => {
                pieces.push(Piece::push(encoding, U256::from(u64::MAX), 8));
                pieces.push(Piece::plain(Op::And));
            }
            Form::Flag => pieces.extend([Piece::plain(Op::IsZero), Piece::plain(Op::IsZero)]),
            Form::Checked(ty) => {
                pieces.extend([Piece::plain(Op::Push0), Piece::with_byte(Op::CAdd, ty)]);
            }
            _ => {}
        }
    }
}

/// Pushes operands so that `forms[0]` describes the top one.
pub(super) fn push_operands(encoding: Encoding, forms: &[Form], pieces: &mut Vec<Piece>) {
    if !forms.contains(&Form::Resting) {
        for (position, form) in forms.iter().enumerate().rev() {
            form.push(encoding, position, pieces);
        }
        return;
    }
    for position in (0..forms.len()).rev() {
        Form::Loaded.push(encoding, position, pieces);
    }
    // A block with two ways into it: what stands on the stack now is in memory.
    pieces.push(Piece::plain(Op::CalldataSize));
    pieces.push(Piece::PushLabel(REST));
    pieces.push(Piece::plain(Op::JumpI));
    pieces.push(Piece::Label(REST));
    for (position, &form) in forms.iter().enumerate() {
        if form != Form::Resting {
            form.push(encoding, position, pieces);
            pieces.push(swap(encoding, position + 1));
            pieces.push(Piece::plain(Op::Pop));
        }
    }
}

/// Swaps the top with word `n + 1`; `n` is at most 16.
fn swap(encoding: Encoding, n: usize) -> Piece {
    match Op::from_name(&format!("swap{n}")).filter(|&op| encoding.byte(op).is_some()) {
        Some(op) => Piece::plain(op),
        None => Piece::with_byte(Op::SwapN, n as u8),
    }
}
