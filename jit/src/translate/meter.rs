//! The gas left while a region runs: one variable for the region, and one of its own for each carried loop.
//!
//! A variable that lives through the whole of a large function is kept in memory by the register allocator, loops
//! included. So a loop counts in a variable that nothing outside of it touches: the complement of the gas left,
//! which grows by what is charged and equals it at no point, so that the two are never merged into one. Where a loop
//! has a second version, for words that have outgrown the first, that one counts as the region does.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value};
use cranelift_frontend::Variable;

use super::Translator;

impl Translator<'_> {
    /// The loop's variable where the code under translation is in one.
    fn loop_meter(&self) -> Option<Variable> {
        self.in_loop.and_then(|place| self.meter_of(place))
    }

    /// The gas left, after the charge of the current block.
    pub(super) fn gas_left(&mut self) -> Value {
        if self.is_round() {
            return self.gas_in_round(0);
        }
        self.pay_gas();
        match self.loop_meter() {
            None => self.b.use_var(self.gas),
            Some(meter) => {
                let complement = self.b.use_var(meter);
                self.b.ins().bnot(complement)
            }
        }
    }

    /// The same in a round, for a way out of it. The sum is opaque to Cranelift, which else takes it from the meter as it
    /// was before the round, and so keeps that all the time. Its first operand shares a register with it, which the meter
    /// must not.
    fn gas_in_round(&mut self, rest: u64) -> Value {
        let Some(meter) = self.loop_meter() else { unreachable!("a round is one of a loop's first version") };
        let more = self.imm((self.gas_owed as i64).wrapping_sub(rest as i64));
        let complement = self.b.use_var(meter);
        let (complement, _) = self.b.ins().uadd_overflow(more, complement);
        self.b.ins().bnot(complement)
    }

    /// Gas left when `rest` of what was charged ahead is given back.
    pub(super) fn gas_with(&mut self, rest: u64) -> Value {
        if self.is_round() {
            return self.gas_in_round(rest);
        }
        if rest == 0 {
            return self.gas_left();
        }
        self.pay_gas();
        match self.loop_meter() {
            None => {
                let (gas, rest) = (self.b.use_var(self.gas), self.imm(rest as i64));
                self.b.ins().iadd(gas, rest)
            }
            Some(meter) => {
                let (complement, rest) = (self.b.use_var(meter), self.imm(rest as i64));
                let gas = self.b.ins().bnot(complement);
                self.b.ins().iadd(gas, rest)
            }
        }
    }

    /// Sets the gas left.
    pub(super) fn set_gas(&mut self, gas: Value) {
        self.gas_ahead = 0;
        self.gas_owed = 0;
        match self.loop_meter() {
            None => self.b.def_var(self.gas, gas),
            Some(meter) => self.start_meter(meter, gas),
        }
    }

    /// Starts a loop's variable with the gas left.
    pub(super) fn start_meter(&mut self, meter: Variable, gas: Value) {
        let complement = self.b.ins().bnot(gas);
        self.b.def_var(meter, complement);
    }

    /// Before the path goes on outside of its loop: tells the region's variable.
    pub(super) fn hand_over_gas(&mut self) {
        if self.in_loop.is_some() {
            let gas = self.gas_left();
            self.b.def_var(self.gas, gas);
        }
    }

    /// A flag: whether less gas than `cost` is left.
    pub(super) fn is_short_of(&mut self, cost: u64) -> Value {
        let cost = cost.saturating_add(self.gas_owed);
        match self.loop_meter() {
            None => {
                let gas = self.b.use_var(self.gas);
                let cost = self.imm(cost as i64);
                self.b.ins().icmp(IntCC::UnsignedLessThan, gas, cost)
            }
            Some(meter) => {
                let complement = self.b.use_var(meter);
                let most = self.imm(!cost as i64);
                self.b.ins().icmp(IntCC::UnsignedGreaterThan, complement, most)
            }
        }
    }

    /// Takes `cost` and what is owed; gives a flag: whether there was less, or less than `ahead` is left. For rounds
    /// whose gas is known to fit 63 bits.
    ///
    /// The test is of the result, so that the sum stands in front of it: else Cranelift moves the sum behind the branch
    /// that closes the loop, where a jump of its own has to follow it.
    pub(super) fn take_gas_and_test(&mut self, cost: u64, ahead: u64) -> Value {
        let Some(meter) = self.loop_meter() else { unreachable!("a round is one of a loop's first version") };
        self.take_gas(cost);
        let taken = self.b.use_var(meter);
        let most = self.imm(!ahead as i64);
        self.b.ins().icmp(IntCC::SignedGreaterThan, taken, most)
    }

    /// Takes what is owed.
    pub(super) fn pay_gas(&mut self) {
        if self.gas_owed > 0 {
            self.take_gas(0);
        }
    }

    /// Takes `cost` of the gas left, which is not less, and what is owed.
    pub(super) fn take_gas(&mut self, cost: u64) {
        // What is owed is known to be there.
        let cost = cost.saturating_add(std::mem::take(&mut self.gas_owed));
        let cost = self.imm(cost as i64);
        match self.loop_meter() {
            None => {
                let gas = self.b.use_var(self.gas);
                let left = self.b.ins().isub(gas, cost);
                self.b.def_var(self.gas, left);
            }
            Some(meter) => {
                let complement = self.b.use_var(meter);
                let complement = self.b.ins().iadd(complement, cost);
                self.b.def_var(meter, complement);
            }
        }
    }
}
