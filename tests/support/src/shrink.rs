//! Makes a failing program small: drops runs of pieces as long as it still fails.

use crate::pieces::Pieces;

/// The smallest program found that still `fails`; `tries` bounds the work.
pub fn shrink(start: &Pieces, mut tries: usize, fails: impl Fn(&Pieces) -> bool) -> Pieces {
    let mut best = start.clone();
    let mut run = (best.pieces.len() / 2).max(1);
    loop {
        let mut at = 0;
        let mut dropped = false;
        while at < best.pieces.len() && tries > 0 {
            tries -= 1;
            let mut candidate = best.clone();
            let end = (at + run).min(candidate.pieces.len());
            candidate.pieces.drain(at..end);
            if fails(&candidate) {
                best = candidate;
                dropped = true;
            } else {
                at += run;
            }
        }
        if tries == 0 || (run == 1 && !dropped) {
            return simpler_setting(best, &fails);
        }
        if !dropped {
            run = (run / 2).max(1);
        }
    }
}

/// Drops circumstances that do not matter.
fn simpler_setting(mut best: Pieces, fails: &impl Fn(&Pieces) -> bool) -> Pieces {
    let plain = crate::program::Setting::plain();
    let mut attempt = |change: &dyn Fn(&mut Pieces)| {
        let mut candidate = best.clone();
        change(&mut candidate);
        if fails(&candidate) {
            best = candidate;
        }
    };
    attempt(&|pieces| pieces.setting.gas = plain.gas);
    attempt(&|pieces| pieces.setting.fork = plain.fork);
    attempt(&|pieces| pieces.setting.input = plain.input.clone());
    attempt(&|pieces| pieces.setting.value = plain.value);
    attempt(&|pieces| pieces.setting.is_static = plain.is_static);
    attempt(&|pieces| pieces.setting.storage = plain.storage.clone());
    best
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::program;
    use crate::pieces::Piece;
    use zvm::bytecode::Op;

    #[test]
    fn only_what_matters_is_left() {
        let has_add = |pieces: &Pieces| {
            pieces.pieces.iter().any(|piece| matches!(piece, Piece::Instruction(Op::Add, _)))
        };
        let start = (0..).map(program).find(has_add).expect("some program adds");
        let small = shrink(&start, 10_000, has_add);
        assert_eq!(small.pieces, [Piece::plain(Op::Add)]);
    }
}
