//! What is known of values at one point of the walk, with a log to take it back.

use alloy_primitives::U256;

use crate::ir::{BlockId, Function, Imm, Inst, IntType, Op, Value};

/// How many pairs of the order are looked through for a chain.
const ORDER_SEARCHED_MAX: usize = 64;
/// How deep conditions are taken apart.
const CONDITION_DEPTH_MAX: usize = 16;

/// The unsigned words from `min` to `max`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Interval {
    pub(super) min: U256,
    pub(super) max: U256,
}

impl Interval {
    /// Every word.
    pub(super) const ALL: Interval = Interval { min: U256::ZERO, max: U256::MAX };

    /// One word.
    pub(super) fn of(word: U256) -> Interval {
        Interval { min: word, max: word }
    }

    /// The words up to this one.
    pub(super) fn up_to(max: U256) -> Interval {
        Interval { min: U256::ZERO, max }
    }

    /// Whether the word is not 0, if that is known.
    pub(super) fn truth(self) -> Option<bool> {
        if self.max.is_zero() {
            Some(false)
        } else if self.min.is_zero() {
            None
        } else {
            Some(true)
        }
    }

    /// The words in either.
    pub(super) fn join(self, other: Interval) -> Interval {
        Interval { min: self.min.min(other.min), max: self.max.max(other.max) }
    }

    /// The words in both; where there are none the code is never reached, and either will do.
    fn meet(self, other: Interval) -> Interval {
        let (min, max) = (self.min.max(other.min), self.max.min(other.max));
        if min <= max { Interval { min, max } } else { self }
    }
}

/// The operation that makes a value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Def {
    /// A constant.
    Constant(U256),
    /// Another operation of one operand.
    Unary(Op, Value),
    /// Another operation of two operands.
    Binary(Op, [Value; 2]),
    /// Anything else, such as a parameter.
    Other,
}

/// How far the log had come.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    log: usize,
    order: usize,
}

/// The facts.
pub(super) struct Facts {
    defs: Vec<Def>,
    blocks: Vec<Option<BlockId>>,
    intervals: Vec<Interval>,
    // Bits that may be set; they depend on operations alone, so nothing takes them back.
    bits: Vec<U256>,
    // The lesser value, the greater one, and whether they differ.
    order: Vec<(Value, Value, bool)>,
    log: Vec<(Value, Interval)>,
}

impl Facts {
    /// What operations say by themselves.
    pub(super) fn of(function: &Function) -> Facts {
        let mut facts = Facts {
            defs: vec![Def::Other; function.value_count],
            blocks: vec![None; function.value_count],
            intervals: vec![Interval::ALL; function.value_count],
            bits: vec![U256::MAX; function.value_count],
            order: Vec::new(),
            log: Vec::new(),
        };
        for id in function.reverse_postorder() {
            let block = &function.blocks[id.index()];
            block.params.iter().for_each(|param| facts.blocks[param.index()] = Some(id));
            for inst in &block.insts {
                inst.results.iter().for_each(|result| facts.blocks[result.index()] = Some(id));
                let [result] = inst.results[..] else { continue };
                facts.define(inst);
                // Intervals of what the operation is made of may become smaller by facts; those of the result stay.
                facts.intervals[result.index()] = facts.result(inst);
            }
        }
        facts
    }

    fn define(&mut self, inst: &Inst) {
        let result = inst.results[0].index();
        self.defs[result] = match (inst.op, inst.imm, &inst.args[..]) {
            (Op::Const, Imm::Word(word), _) => Def::Constant(word),
            (op, _, &[a]) => Def::Unary(op, a),
            (op, _, &[a, b]) => Def::Binary(op, [a, b]),
            _ => Def::Other,
        };
        self.bits[result] = self.result_bits(inst);
    }

    pub(super) fn def(&self, value: Value) -> Def {
        self.defs[value.index()]
    }

    pub(super) fn constant(&self, value: Value) -> Option<U256> {
        match self.defs[value.index()] {
            Def::Constant(word) => Some(word),
            _ => None,
        }
    }

    /// The block that defines a value.
    pub(super) fn block_of(&self, value: Value) -> Option<BlockId> {
        self.blocks[value.index()]
    }

    pub(super) fn interval(&self, value: Value) -> Interval {
        self.intervals[value.index()].meet(Interval::up_to(self.bits[value.index()]))
    }

    /// The bits of a value that may be set.
    pub(super) fn bits(&self, value: Value) -> U256 {
        let max = self.interval(value).max;
        let below = if max.is_zero() { U256::ZERO } else { U256::MAX >> max.leading_zeros() };
        self.bits[value.index()] & below
    }

    pub(super) fn mark(&self) -> Mark {
        Mark { log: self.log.len(), order: self.order.len() }
    }

    /// Takes back everything learned since.
    pub(super) fn undo(&mut self, mark: Mark) {
        while self.log.len() > mark.log {
            let (value, interval) = self.log.pop().expect("longer than the mark");
            self.intervals[value.index()] = interval;
        }
        self.order.truncate(mark.order);
    }

    /// Makes an interval smaller.
    pub(super) fn set(&mut self, value: Value, interval: Interval) {
        let known = self.intervals[value.index()];
        let smaller = known.meet(interval);
        if smaller != known {
            self.log.push((value, known));
            self.intervals[value.index()] = smaller;
        }
    }

    /// Learns that `a < b`.
    pub(super) fn assume_less(&mut self, a: Value, b: Value) {
        self.order.push((a, b, true));
        let (below, above) = (self.interval(a), self.interval(b));
        self.set(a, Interval::up_to(above.max.saturating_sub(U256::ONE)));
        self.set(b, Interval { min: below.min.saturating_add(U256::ONE), max: U256::MAX });
    }

    /// Learns that `a <= b`.
    pub(super) fn assume_at_most(&mut self, a: Value, b: Value) {
        self.order.push((a, b, false));
        let (below, above) = (self.interval(a), self.interval(b));
        self.set(a, Interval::up_to(above.max));
        self.set(b, Interval { min: below.min, max: U256::MAX });
    }

    /// Whether `a < b` is known.
    pub(super) fn is_less(&self, a: Value, b: Value) -> bool {
        self.interval(a).max < self.interval(b).min || self.is_ordered(a, b, true)
    }

    /// Whether `a <= b` is known.
    pub(super) fn is_at_most(&self, a: Value, b: Value) -> bool {
        a == b || self.interval(a).max <= self.interval(b).min || self.is_ordered(a, b, false)
    }

    fn is_ordered(&self, a: Value, b: Value, strict: bool) -> bool {
        let pairs = &self.order[self.order.len().saturating_sub(ORDER_SEARCHED_MAX)..];
        pairs.iter().any(|&(low, high, differs)| {
            let meets = |x: Value, y: Value| x == y || self.interval(x).max <= self.interval(y).min;
            // a <= low < high <= b, by one pair; or a < x, x < b by two.
            if meets(a, low) && meets(high, b) && (differs || !strict) {
                return true;
            }
            low == a && pairs.iter().any(|&(l, h, d)| l == high && h == b && (differs || d || !strict))
        })
    }

    /// Learns that a condition is true, or that it is 0.
    pub(super) fn assume(&mut self, condition: Value, holds: bool) {
        let mut work = vec![(condition, holds)];
        for _ in 0..CONDITION_DEPTH_MAX {
            let Some((condition, holds)) = work.pop() else { return };
            self.assume_one(condition, holds, &mut work);
        }
    }

    fn assume_one(&mut self, condition: Value, holds: bool, work: &mut Vec<(Value, bool)>) {
        if holds {
            self.set(condition, Interval { min: U256::ONE, max: U256::MAX });
        } else {
            self.set(condition, Interval::of(U256::ZERO));
        }
        match (self.defs[condition.index()], holds) {
            (Def::Binary(Op::Lt, [a, b]), true) | (Def::Binary(Op::Gt, [b, a]), true) => {
                self.assume_less(a, b)
            }
            (Def::Binary(Op::Lt, [a, b]), false) | (Def::Binary(Op::Gt, [b, a]), false) => {
                self.assume_at_most(b, a)
            }
            (Def::Binary(Op::Eq, [a, b]), true) => {
                self.assume_at_most(a, b);
                self.assume_at_most(b, a);
            }
            (Def::Binary(Op::Eq, [a, b]), false) => self.assume_different(a, b),
            (Def::Binary(Op::Sub | Op::Xor, [a, b]), true) => self.assume_different(a, b),
            (Def::Unary(Op::Iszero, x), _) => work.push((x, !holds)),
            (Def::Binary(Op::And, [x, y]), true) => work.extend([(x, true), (y, true)]),
            (Def::Binary(Op::Or, [x, y]), false) => work.extend([(x, false), (y, false)]),
            (Def::Binary(Op::Shr, [shift, x]), false) => {
                if let Some(shift) = self.constant(shift)
                    && shift < U256::from(256)
                {
                    let max = (U256::ONE << shift.to::<usize>()) - U256::ONE;
                    self.set(x, Interval::up_to(max));
                }
            }
            _ => {}
        }
    }

    fn assume_different(&mut self, a: Value, b: Value) {
        for (value, other) in [(a, b), (b, a)] {
            let Some(word) = self.constant(other) else { continue };
            let Interval { min, max } = self.interval(value);
            if word == min && min < max {
                self.set(value, Interval { min: min + U256::ONE, max });
            } else if word == max && min < max {
                self.set(value, Interval { min, max: max - U256::ONE });
            }
        }
    }

    /// Learns what holds after an operation that did not fault.
    pub(super) fn learn_from(&mut self, inst: &Inst) {
        if let [result] = inst.results[..] {
            self.define(inst);
            self.set(result, self.result(inst));
        }
        if let (Imm::Type(ty), true) = (inst.imm, inst.op.info().traps)
            && !ty.is_signed()
        {
            self.learn_from_check(inst, ty);
        } else if inst.op == Op::Assert {
            self.assume(inst.args[0], true);
        }
    }

    fn learn_from_check(&mut self, inst: &Inst, ty: IntType) {
        let within = Interval::up_to(ty.max_word());
        match (inst.op, &inst.args[..]) {
            (Op::Cadd, &[a, b]) => {
                self.set(a, within);
                self.set(b, within);
                self.assume_at_most(a, inst.results[0]);
                self.assume_at_most(b, inst.results[0]);
            }
            (Op::Csub, &[a, b]) => {
                self.set(a, within);
                self.assume_at_most(b, a);
                self.assume_at_most(inst.results[0], a);
            }
            (Op::Cmul, &[a, b]) => {
                self.set(a, within);
                self.set(b, within);
            }
            (Op::Cdiv | Op::Cmod, &[a, b]) => {
                self.set(a, within);
                self.set(b, Interval { min: U256::ONE, max: within.max });
            }
            (Op::Ccast, &[a]) => self.set(a, within),
            _ => {}
        }
    }

    /// The words that an operation can give, from what is known of its operands.
    fn result(&self, inst: &Inst) -> Interval {
        let arg = |index: usize| self.interval(inst.args[index]);
        let in_type = |interval: Interval| match inst.imm {
            Imm::Type(ty) if !ty.is_signed() => interval.meet(Interval::up_to(ty.max_word())),
            Imm::Type(_) => Interval::ALL,
            _ => interval,
        };
        match inst.op {
            Op::Const => match inst.imm {
                Imm::Word(word) => Interval::of(word),
                _ => Interval::ALL,
            },
            Op::Add => match arg(0).max.checked_add(arg(1).max) {
                Some(max) => Interval { min: arg(0).min + arg(1).min, max },
                None => Interval::ALL,
            },
            Op::Sub => match arg(0).min.checked_sub(arg(1).max) {
                Some(min) => Interval { min, max: arg(0).max - arg(1).min },
                None if self.is_at_most(inst.args[1], inst.args[0]) => Interval::up_to(arg(0).max),
                None => Interval::ALL,
            },
            Op::Mul => match arg(0).max.checked_mul(arg(1).max) {
                Some(max) => Interval { min: arg(0).min * arg(1).min, max },
                None => Interval::ALL,
            },
            Op::Div => Interval::up_to(match arg(1).min {
                min if min.is_zero() => arg(0).max,
                min => arg(0).max / min,
            }),
            Op::Mod => {
                let limit = arg(1).max.saturating_sub(U256::ONE);
                Interval::up_to(arg(0).max.min(limit))
            }
            Op::Cadd => in_type(Interval {
                min: arg(0).min.saturating_add(arg(1).min),
                max: arg(0).max.saturating_add(arg(1).max),
            }),
            Op::Csub => in_type(Interval {
                min: arg(0).min.saturating_sub(arg(1).max),
                max: arg(0).max.saturating_sub(arg(1).min),
            }),
            Op::Cmul => in_type(Interval {
                min: arg(0).min.saturating_mul(arg(1).min),
                max: arg(0).max.saturating_mul(arg(1).max),
            }),
            Op::Cdiv | Op::Cmod => in_type(Interval::up_to(arg(0).max)),
            Op::Cexp => in_type(Interval::ALL),
            Op::Ccast => match inst.imm {
                Imm::Type(ty) => arg(0).meet(Interval::up_to(ty.max_word())),
                _ => arg(0),
            },
            Op::Lt | Op::Gt | Op::Slt | Op::Sgt | Op::Eq | Op::Iszero => Interval::up_to(U256::ONE),
            Op::And => Interval::up_to(arg(0).max.min(arg(1).max)),
            Op::Or => Interval { min: arg(0).min.max(arg(1).min), max: U256::MAX },
            Op::Byte => Interval::up_to(U256::from(255)),
            Op::Shr => match self.constant(inst.args[0]) {
                Some(shift) if shift < U256::from(256) => {
                    let by = shift.to::<usize>();
                    Interval { min: arg(1).min >> by, max: arg(1).max >> by }
                }
                Some(_) => Interval::of(U256::ZERO),
                None => Interval::up_to(arg(1).max),
            },
            Op::Shl => match self.constant(inst.args[0]) {
                Some(shift)
                    if shift < U256::from(256) && arg(1).max.leading_zeros() >= shift.to::<usize>() =>
                {
                    let by = shift.to::<usize>();
                    Interval { min: arg(1).min << by, max: arg(1).max << by }
                }
                _ => Interval::ALL,
            },
            Op::Address | Op::Origin | Op::Caller | Op::Coinbase | Op::Create | Op::Create2 => {
                Interval::up_to(U256::MAX >> 96)
            }
            Op::Call | Op::Delegatecall | Op::Staticcall => Interval::up_to(U256::ONE),
            // Memory and call data of a frame are far smaller than this.
            Op::Calldatasize | Op::Returndatasize | Op::Codesize | Op::Extcodesize => {
                Interval::up_to(U256::from(u32::MAX))
            }
            Op::FrameAddr | Op::HeapBase => Interval::up_to(U256::from(1u64 << 40)),
            Op::DataOffset | Op::DataSize | Op::CodeEnd => Interval::up_to(U256::from(u32::MAX)),
            _ => Interval::ALL,
        }
    }

    /// The bits of a result that may be set, whatever the way to it.
    fn result_bits(&self, inst: &Inst) -> U256 {
        let arg = |index: usize| self.bits[inst.args[index].index()];
        let shift = || self.constant(inst.args[0]).filter(|shift| *shift < U256::from(256));
        match (inst.op, inst.imm) {
            (Op::Const, Imm::Word(word)) => word,
            (Op::And, _) => arg(0) & arg(1),
            (Op::Or | Op::Xor, _) => arg(0) | arg(1),
            (Op::Shl, _) => shift().map_or(U256::MAX, |by| arg(1) << by.to::<usize>()),
            (Op::Shr, _) => shift().map_or(U256::MAX, |by| arg(1) >> by.to::<usize>()),
            (Op::Lt | Op::Gt | Op::Slt | Op::Sgt | Op::Eq | Op::Iszero, _) => U256::ONE,
            (Op::Ccast, Imm::Type(ty)) => arg(0) & ty.max_word(),
            (Op::Cadd | Op::Csub | Op::Cmul | Op::Cdiv | Op::Cmod | Op::Cexp, Imm::Type(ty))
                if !ty.is_signed() =>
            {
                ty.max_word()
            }
            (Op::Byte, _) => U256::from(255),
            (Op::Address | Op::Origin | Op::Caller | Op::Coinbase, _) => U256::MAX >> 96,
            _ => U256::MAX,
        }
    }
}
