//! The gas left while a region runs: one variable for the region, and one of its own for each carried loop.
//!
//! A variable that lives through the whole of a large function is kept in memory by the register allocator, loops
//! included. So a loop counts in a variable that nothing outside of it touches: the complement of the gas left,
//! which grows by what is charged and equals it at no point, so that the two are never merged into one.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{InstBuilder, Value};
use cranelift_frontend::Variable;

use super::Translator;

impl Translator<'_> {
    /// The loop's variable where the code under translation is in one.
    fn loop_meter(&self) -> Option<Variable> {
        self.in_loop.map(|place| self.meter_of(place))
    }

    /// The gas left, after the charge of the current block.
    pub(super) fn gas_left(&mut self) -> Value {
        match self.loop_meter() {
            None => self.b.use_var(self.gas),
            Some(meter) => {
                let complement = self.b.use_var(meter);
                self.b.ins().bnot(complement)
            }
        }
    }

    /// Sets the gas left.
    pub(super) fn set_gas(&mut self, gas: Value) {
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

    /// Takes `cost` of the gas left, which is not less.
    pub(super) fn take_gas(&mut self, cost: u64) {
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
