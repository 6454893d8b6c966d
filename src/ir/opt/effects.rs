//! What a call of each function may read and write, callees included.

use crate::ir::verify::{call_order, callees};
use crate::ir::{Effect, FuncId, Module, Op, Terminator};

/// What a function may observe or change outside itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effects {
    /// Memory may be read.
    pub reads_memory: bool,
    /// Memory may be written.
    pub writes_memory: bool,
    /// Persistent storage may be read: by the function, or by what it calls outside.
    pub reads_storage: bool,
    /// Persistent storage may be written.
    pub writes_storage: bool,
    /// Transient storage may be read.
    pub reads_transient: bool,
    /// Transient storage may be written.
    pub writes_transient: bool,
}

impl Effects {
    /// Nothing.
    pub const NONE: Effects = Effects {
        reads_memory: false,
        writes_memory: false,
        reads_storage: false,
        writes_storage: false,
        reads_transient: false,
        writes_transient: false,
    };
    /// Everything.
    pub const ALL: Effects = Effects {
        reads_memory: true,
        writes_memory: true,
        reads_storage: true,
        writes_storage: true,
        reads_transient: true,
        writes_transient: true,
    };

    fn and(self, other: Effects) -> Effects {
        Effects {
            reads_memory: self.reads_memory | other.reads_memory,
            writes_memory: self.writes_memory | other.writes_memory,
            reads_storage: self.reads_storage | other.reads_storage,
            writes_storage: self.writes_storage | other.writes_storage,
            reads_transient: self.reads_transient | other.reads_transient,
            writes_transient: self.writes_transient | other.writes_transient,
        }
    }

    /// Of one operation that is no internal call. An external call may come back, so it does what any entry point does;
    /// a static one comes back without the right to write.
    pub fn of(op: Op) -> Effects {
        match op.info().effect {
            Effect::Pure | Effect::Env | Effect::ReadWorld | Effect::Gas => Effects::NONE,
            Effect::ReadMemory => Effects { reads_memory: true, ..Effects::NONE },
            Effect::WriteMemory => {
                Effects { writes_memory: true, reads_memory: op == Op::Mcopy, ..Effects::NONE }
            }
            Effect::ReadStorage => Effects { reads_storage: true, ..Effects::NONE },
            Effect::WriteStorage => Effects { writes_storage: true, ..Effects::NONE },
            Effect::ReadTransient => Effects { reads_transient: true, ..Effects::NONE },
            Effect::WriteTransient => Effects { writes_transient: true, ..Effects::NONE },
            Effect::Effect => match op {
                // Services keep their records elsewhere and run no code.
                Op::Log
                | Op::HtsTransfer
                | Op::HtsMint
                | Op::HtsBurn
                | Op::HtsAssociate
                | Op::HtsDissociate
                | Op::HtsApprove
                | Op::HtsCreate
                | Op::HcsSubmit
                | Op::HcsCreateTopic
                | Op::HcsUpdateTopic
                | Op::HcsDeleteTopic => Effects { reads_memory: true, ..Effects::NONE },
                Op::Staticcall => Effects { writes_storage: false, writes_transient: false, ..Effects::ALL },
                _ => Effects::ALL,
            },
        }
    }

    /// Of every function of a module, by its number. A module with recursion is not well-formed: there, anything is assumed.
    pub fn of_functions(module: &Module) -> Vec<Effects> {
        let mut all = vec![Effects::ALL; module.functions.len()];
        let Ok(order) = call_order(module) else { return all };
        for id in order {
            let function = &module.functions[id.index()];
            let own = function.blocks.iter().flat_map(|block| &block.insts);
            let own = own
                .filter(|inst| inst.op != Op::Icall)
                .fold(Effects::NONE, |sum, inst| sum.and(Effects::of(inst.op)));
            // A successful end of the frame shows storage to everyone.
            let ends = function
                .blocks
                .iter()
                .any(|block| matches!(block.term, Terminator::Halt | Terminator::Return { .. }));
            let shown = Effects { reads_storage: true, reads_transient: true, ..Effects::NONE };
            let own = if ends { own.and(shown) } else { own };
            let sum = callees(function).iter().fold(own, |sum, callee: &FuncId| sum.and(all[callee.index()]));
            all[id.index()] = sum;
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::text::read_module;

    #[test]
    fn callees_count() {
        let text = "func \"f\" -> 0 {\nb0:\n  icall f1\n  panic 0x01\n}\nfunc \"g\" -> 0 {\nb0:\n  v0 = caller\n  sstore v0, v0\n  ret\n}\n";
        let module = read_module(text).expect("readable");
        let writes = Effects { writes_storage: true, ..Effects::NONE };
        assert_eq!(Effects::of_functions(&module), [writes, writes]);
        assert!(!Effects::of(Op::Staticcall).writes_storage && Effects::of(Op::Call).writes_storage);
    }
}
