//! Constant folding and algebraic rules over words modulo 2^256; branches on constants become jumps.
//!
//! A checked operation folds only when it succeeds: one that always faults stays and faults at run time. Rules replace a result by an
//! operand or a constant, or an operation by a cheaper one; they never add operations, except constants.

use alloy_primitives::U256;

use super::Changed;
use crate::ir::build::replace_values;
use crate::ir::{Function, Imm, Inst, Op, Terminator, Value};

/// Offsets from the heap's beginning are followed up to this many bytes.
const HEAP_OFFSET_END: u64 = 1 << 40;

/// Runs the pass.
pub fn run(function: &mut Function) -> Changed {
    let mut facts = Facts {
        constants: vec![None; function.value_count],
        truths: vec![false; function.value_count],
        heap_offsets: vec![None; function.value_count],
    };
    let mut replacement: Vec<Option<Value>> = vec![None; function.value_count];
    let mut changed = false;
    // Definitions come before uses in this order, except through parameters, of which nothing is known.
    for id in function.reverse_postorder() {
        let block = &mut function.blocks[id.index()];
        for inst in &mut block.insts {
            for arg in &mut inst.args {
                if let Some(value) = replacement[arg.index()] {
                    *arg = value;
                }
            }
            match facts.simplify(inst) {
                Simplified::Not => {}
                Simplified::Rewritten => changed = true,
                Simplified::To(value) => {
                    replacement[inst.results[0].index()] = Some(value);
                    changed = true;
                }
            }
            facts.note(inst);
        }
        block.insts.retain(|inst| !(inst.op == Op::Assert && facts.is_true(inst.args[0])));
        block.term.for_each_value_mut(|v| *v = replacement[v.index()].unwrap_or(*v));
        if let Some(term) = facts.decided(&block.term) {
            block.term = term;
            changed = true;
        }
    }
    replace_values(function, &replacement);
    Changed::from(changed)
}

struct Facts {
    constants: Vec<Option<U256>>,
    // Results that are 0 or 1.
    truths: Vec<bool>,
    // Results that lie this many bytes above the heap's beginning.
    heap_offsets: Vec<Option<u64>>,
}

enum Simplified {
    Not,
    Rewritten,
    To(Value),
}

impl Facts {
    fn constant(&self, value: Value) -> Option<U256> {
        self.constants[value.index()]
    }

    fn is_true(&self, value: Value) -> bool {
        self.constant(value).is_some_and(|word| !word.is_zero())
    }

    fn note(&mut self, inst: &Inst) {
        if let [result] = inst.results[..] {
            self.heap_offsets[result.index()] = self.heap_offset(inst);
            if let (Op::Const, Imm::Word(word)) = (inst.op, inst.imm) {
                self.constants[result.index()] = Some(word);
                self.truths[result.index()] = word <= U256::ONE;
            } else {
                self.truths[result.index()] =
                    matches!(inst.op, Op::Lt | Op::Gt | Op::Slt | Op::Sgt | Op::Eq | Op::Iszero)
                        || (matches!(inst.op, Op::And | Op::Or | Op::Xor)
                            && inst.args.iter().all(|arg| self.truths[arg.index()]));
            }
        }
    }

    /// How far above the heap's beginning a result lies, where that is certain and not far.
    fn heap_offset(&self, inst: &Inst) -> Option<u64> {
        match (inst.op, &inst.args[..]) {
            (Op::HeapBase, _) => Some(0),
            (Op::Add, &[a, b]) => {
                let (base, added) = match (self.heap_offsets[a.index()], self.heap_offsets[b.index()]) {
                    (Some(base), None) => (base, b),
                    (None, Some(base)) => (base, a),
                    _ => return None,
                };
                let added = u64::try_from(self.constant(added)?).ok()?;
                base.checked_add(added).filter(|&offset| offset < HEAP_OFFSET_END)
            }
            _ => None,
        }
    }

    /// What an operation on two addresses of the heap gives, wherever the heap begins: it begins below 2^32, so nothing wraps.
    fn fold_addresses(&self, inst: &Inst) -> Option<U256> {
        let &[a, b] = &inst.args[..] else { return None };
        let (a, b) = (self.heap_offsets[a.index()]?, self.heap_offsets[b.index()]?);
        fold_binary(inst.op, inst.imm, U256::from(a), U256::from(b))
            .filter(|_| matches!(inst.op, Op::Sub | Op::Lt | Op::Gt | Op::Eq))
    }

    /// Rewrites an operation in place, or names the value that its result equals.
    fn simplify(&self, inst: &mut Inst) -> Simplified {
        let known: Vec<Option<U256>> = inst.args.iter().map(|&arg| self.constant(arg)).collect();
        let folded = match known[..] {
            [Some(a)] => fold_unary(inst.op, inst.imm, a),
            [Some(a), Some(b)] => fold_binary(inst.op, inst.imm, a, b),
            _ => self.fold_addresses(inst),
        };
        if let Some(word) = folded {
            set_constant(inst, word);
            return Simplified::Rewritten;
        }
        match known[..] {
            [_, _] if inst.args[0] == inst.args[1] => self.simplify_equal(inst),
            [Some(a), _] => simplify_left(inst, a),
            [_, Some(b)] => simplify_right(inst, b),
            _ => Simplified::Not,
        }
    }

    /// Both operands are the same value.
    fn simplify_equal(&self, inst: &mut Inst) -> Simplified {
        match inst.op {
            Op::And | Op::Or => Simplified::To(inst.args[0]),
            Op::Sub | Op::Xor | Op::Lt | Op::Gt | Op::Slt | Op::Sgt => {
                set_constant(inst, U256::ZERO);
                Simplified::Rewritten
            }
            Op::Eq => {
                set_constant(inst, U256::ONE);
                Simplified::Rewritten
            }
            _ => Simplified::Not,
        }
    }

    fn decided(&self, term: &Terminator) -> Option<Terminator> {
        match term {
            Terminator::Br { cond, then, otherwise } => {
                let way = if self.constant(*cond)?.is_zero() { otherwise } else { then };
                Some(Terminator::Jump(way.clone()))
            }
            Terminator::Switch { value, cases, default } => {
                let word = self.constant(*value)?;
                let way = cases.iter().find(|(case, _)| *case == word).map_or(default, |(_, to)| to);
                Some(Terminator::Jump(way.clone()))
            }
            _ => None,
        }
    }
}

fn set_constant(inst: &mut Inst, word: U256) {
    inst.op = Op::Const;
    inst.imm = Imm::Word(word);
    inst.args.clear();
}

/// The first operand is a constant, the second is not.
fn simplify_left(inst: &mut Inst, a: U256) -> Simplified {
    let other = inst.args[1];
    match inst.op {
        Op::Add | Op::Or | Op::Xor | Op::Shl | Op::Shr | Op::Sar if a.is_zero() => Simplified::To(other),
        Op::Mul if a == U256::ONE => Simplified::To(other),
        Op::And if a == U256::MAX => Simplified::To(other),
        Op::Mul | Op::And if a.is_zero() => {
            set_constant(inst, U256::ZERO);
            Simplified::Rewritten
        }
        Op::Eq if a.is_zero() => is_zero(inst, other),
        _ => Simplified::Not,
    }
}

/// The second operand is a constant, the first is not.
fn simplify_right(inst: &mut Inst, b: U256) -> Simplified {
    let other = inst.args[0];
    match inst.op {
        Op::Add | Op::Sub | Op::Or | Op::Xor if b.is_zero() => Simplified::To(other),
        Op::Mul | Op::Div if b == U256::ONE => Simplified::To(other),
        Op::And if b == U256::MAX => Simplified::To(other),
        Op::Mul | Op::And | Op::Shl | Op::Shr | Op::Sar if b.is_zero() => {
            set_constant(inst, U256::ZERO);
            Simplified::Rewritten
        }
        Op::Eq if b.is_zero() => is_zero(inst, other),
        _ => Simplified::Not,
    }
}

fn is_zero(inst: &mut Inst, value: Value) -> Simplified {
    inst.op = Op::Iszero;
    inst.args = vec![value];
    Simplified::Rewritten
}

fn fold_unary(op: Op, imm: Imm, a: U256) -> Option<U256> {
    match (op, imm) {
        (Op::Iszero, _) => Some(U256::from(a.is_zero())),
        (Op::Not, _) => Some(!a),
        (Op::Ccast, Imm::Type(ty)) if a <= ty.max_word() => Some(a),
        _ => None,
    }
}

fn fold_binary(op: Op, imm: Imm, a: U256, b: U256) -> Option<U256> {
    let truth = |holds: bool| Some(U256::from(holds));
    // Flipping the sign bit turns signed order into unsigned order.
    let sign = U256::ONE << 255;
    match op {
        Op::Add => Some(a.wrapping_add(b)),
        Op::Sub => Some(a.wrapping_sub(b)),
        Op::Mul => Some(a.wrapping_mul(b)),
        Op::Div => Some(a.checked_div(b).unwrap_or_default()),
        Op::Mod => Some(a.checked_rem(b).unwrap_or_default()),
        Op::Lt => truth(a < b),
        Op::Gt => truth(a > b),
        Op::Slt => truth(a ^ sign < b ^ sign),
        Op::Sgt => truth(a ^ sign > b ^ sign),
        Op::Eq => truth(a == b),
        Op::And => Some(a & b),
        Op::Or => Some(a | b),
        Op::Xor => Some(a ^ b),
        Op::Shl => Some(if a < U256::from(256) { b << a.to::<usize>() } else { U256::ZERO }),
        Op::Shr => Some(if a < U256::from(256) { b >> a.to::<usize>() } else { U256::ZERO }),
        Op::Cadd | Op::Csub | Op::Cmul => fold_checked(op, imm, a, b),
        _ => None,
    }
}

/// Unsigned types only: with both operands in the type, the result is exact or the operation faults.
fn fold_checked(op: Op, imm: Imm, a: U256, b: U256) -> Option<U256> {
    let Imm::Type(ty) = imm else { return None };
    let max = ty.max_word();
    if ty.is_signed() || a > max || b > max {
        return None;
    }
    let result = match op {
        Op::Cadd => a.checked_add(b),
        Op::Csub => a.checked_sub(b),
        _ => a.checked_mul(b),
    };
    result.filter(|word| *word <= max)
}

#[cfg(test)]
mod tests {
    use crate::ir::opt::{dead, fold};
    use crate::ir::text::{print_function, read_module};

    /// The value stored after folding.
    fn check(insts: &str, expected: &str) {
        let text = format!("func \"f\" -> 0 {{\nb0:\n  v0 = caller\n{insts}  sstore v0, v9\n  halt\n}}\n");
        let mut function = read_module(&text).expect("readable").functions.remove(0);
        fold::run(&mut function);
        dead::run(&mut function);
        let printed = print_function(&function);
        assert!(printed.contains(expected), "{expected} in\n{printed}");
    }

    #[test]
    fn constants_fold() {
        check("  v1 = const 3\n  v2 = const 4\n  v9 = sub v1, v2\n", "v9 = const 0xffffffffffffffff");
        check("  v1 = const 3\n  v2 = const 0\n  v9 = div v1, v2\n", "v9 = const 0\n");
        check("  v1 = const 256\n  v2 = const 5\n  v9 = shl v1, v2\n", "v9 = const 0\n");
        check("  v1 = const 200\n  v2 = const 55\n  v9 = cadd.u8 v1, v2\n", "v9 = const 255\n");
    }

    #[test]
    fn what_faults_stays() {
        check("  v1 = const 200\n  v2 = const 56\n  v9 = cadd.u8 v1, v2\n", "v9 = cadd.u8 v1, v2");
        check("  v1 = const 300\n  v9 = ccast.u8 v1\n", "v9 = ccast.u8 v1");
        check("  v1 = const 1\n  v2 = const 0\n  v9 = cdiv.u8 v1, v2\n", "v9 = cdiv.u8 v1, v2");
    }

    #[test]
    fn rules_replace_results_by_operands() {
        check("  v1 = const 0\n  v9 = add v0, v1\n", "sstore v0, v0");
        check("  v9 = sub v0, v0\n", "v9 = const 0");
        check("  v1 = const 0\n  v9 = eq v0, v1\n", "v9 = iszero v0");
        check("  v1 = const 0\n  v9 = sub v1, v0\n", "v9 = sub v1, v0");
    }

    #[test]
    fn addresses_of_the_heap_compare_wherever_it_begins() {
        let sum = "  v1 = heapbase\n  v2 = const 64\n  v3 = add v1, v2\n  v4 = add v2, v3\n";
        check(&format!("{sum}  v9 = sub v4, v3\n"), "v9 = const 64");
        check(&format!("{sum}  v9 = gt v4, v3\n"), "v9 = const 1");
        check(&format!("{sum}  v9 = lt v4, v1\n"), "v9 = const 0");
        check(&format!("{sum}  v9 = eq v4, v4\n"), "v9 = const 1");
        check(&format!("{sum}  v5 = add v4, v0\n  v9 = gt v5, v3\n"), "v9 = gt v5, v3");
        check(&format!("{sum}  v9 = and v4, v3\n"), "v9 = and v4, v3");
    }

    #[test]
    fn decided_branches_become_jumps() {
        let text = "func \"f\" -> 0 {\nb0:\n  v0 = const 2\n  assert 0x01, v0\n  switch v0, [1: b1, 2: b2], b1\nb1:\n  halt\n\
                    b2:\n  br v0, b1, b2\n}\n";
        let mut function = read_module(text).expect("readable").functions.remove(0);
        fold::run(&mut function);
        let printed = print_function(&function);
        assert!(printed.contains("  jump b2\nb1") && printed.contains("b2:\n  jump b1"), "{printed}");
        assert!(!printed.contains("assert"), "{printed}");
    }
}
