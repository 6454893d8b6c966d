//! Whether a module is well-formed. Lowering and every pass must leave it so; a failure is an internal error.
//!
//! The properties, in the order in which they are checked:
//! 1. Function 0 exists, has no parameters and no results, is called by nobody and never executes `ret`.
//! 2. Every function has an entry block, and nothing jumps to it.
//! 3. An operation has the number of operands and results and the kind of immediate that its row in [`ops`](super::ops) says;
//!    `tablehash` has at most 16 keys, `log` at most 4 topics.
//! 4. Functions, data segments, slots and blocks that are named exist.
//! 5. A jump hands over as many values as its target has parameters; the cases of a `switch` differ.
//! 6. `icall` and `ret` agree with the function's parameters and results.
//! 7. Every value is defined exactly once, and in reachable blocks each use is dominated by the definition.
//! 8. No function can call itself, directly or through others: frames are static.

use super::dominance::Dominance;
use super::ops::Results;
use super::{BlockCall, BlockId, FuncId, Function, Imm, Inst, Module, Op, Terminator, Value};
use crate::source::Span;

/// What is wrong with a module, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("function {function} \"{name}\", {block}: {message}")]
pub struct VerifyError {
    /// The function.
    pub function: FuncId,
    /// Its name.
    pub name: String,
    /// The block.
    pub block: BlockId,
    /// The source that the faulty operation stands for.
    pub span: Span,
    /// Which property does not hold.
    pub message: String,
}

/// Checks all properties and reports the first that fails.
pub fn verify(module: &Module) -> Result<(), VerifyError> {
    let fail = |message: &str| VerifyError {
        function: Module::ENTRY,
        name: module.name.clone(),
        block: Function::ENTRY,
        span: Span::default(),
        message: message.to_owned(),
    };
    let entry = module.functions.first().ok_or_else(|| fail("there is no function"))?;
    if entry.blocks.is_empty() || !entry.params().is_empty() || entry.result_count != 0 {
        return Err(fail("function 0 has parameters or results"));
    }
    for (index, function) in module.functions.iter().enumerate() {
        FunctionVerifier { module, function, id: FuncId::new(index) }.run()?;
    }
    call_order(module).map(drop).map_err(|id| fail(&format!("{id} can call itself")))
}

/// The functions so that each comes after all that it calls, or one that can call itself.
pub fn call_order(module: &Module) -> Result<Vec<FuncId>, FuncId> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    let mut marks = vec![Mark::New; module.functions.len()];
    let mut order = Vec::with_capacity(marks.len());
    for root in (0..marks.len()).map(FuncId::new) {
        let mut stack = vec![(root, false)];
        while let Some((id, leaving)) = stack.pop() {
            if leaving {
                marks[id.index()] = Mark::Done;
                order.push(id);
                continue;
            }
            match marks[id.index()] {
                Mark::Done => continue,
                Mark::Open => return Err(id),
                Mark::New => marks[id.index()] = Mark::Open,
            }
            stack.push((id, true));
            for callee in callees(&module.functions[id.index()]) {
                match marks[callee.index()] {
                    Mark::Open => return Err(callee),
                    Mark::New => stack.push((callee, false)),
                    Mark::Done => {}
                }
            }
        }
    }
    Ok(order)
}

/// The functions that a function calls, each once, in ascending order.
pub fn callees(function: &Function) -> Vec<FuncId> {
    let insts = function.blocks.iter().flat_map(|block| &block.insts);
    let mut found: Vec<FuncId> = insts
        .filter_map(|inst| match inst.imm {
            Imm::Func(callee) => Some(callee),
            _ => None,
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

struct FunctionVerifier<'m> {
    module: &'m Module,
    function: &'m Function,
    id: FuncId,
}

impl FunctionVerifier<'_> {
    fn run(&self) -> Result<(), VerifyError> {
        if self.function.blocks.is_empty() {
            return self.fail(Function::ENTRY, self.function.span, "there is no entry block");
        }
        for (block, data) in self.function.blocks() {
            for inst in &data.insts {
                self.inst(block, inst)?;
            }
            self.terminator(block, &data.term, data.term_span)?;
        }
        self.values()
    }

    fn fail<T>(&self, block: BlockId, span: Span, message: impl Into<String>) -> Result<T, VerifyError> {
        let (function, name) = (self.id, self.function.name.clone());
        Err(VerifyError { function, name, block, span, message: message.into() })
    }

    fn inst(&self, block: BlockId, inst: &Inst) -> Result<(), VerifyError> {
        let info = inst.op.info();
        let fail = |message: String| self.fail(block, inst.span, format!("{}: {message}", info.mnemonic));
        let (fixed, given) = (info.operands.len(), inst.args.len());
        if given < fixed || (given > fixed && info.tail.is_none()) {
            return fail(format!("{given} operands instead of {fixed}"));
        }
        let tail_max = match inst.op {
            Op::Tablehash => 15,
            Op::Log => 4,
            _ => usize::MAX,
        };
        if given - fixed > tail_max {
            return fail(format!("{given} operands are too many"));
        }
        if inst.imm.kind() != info.imm {
            return fail(format!("immediate {:?} instead of {:?}", inst.imm, info.imm));
        }
        if let Results::Fixed(n) = info.results
            && inst.results.len() != n
        {
            return fail(format!("{} results instead of {n}", inst.results.len()));
        }
        match inst.imm {
            Imm::Func(callee) => {
                let Some(target) = self.module.functions.get(callee.index()).filter(|f| !f.blocks.is_empty())
                else {
                    return fail(format!("{callee} does not exist"));
                };
                if callee == Module::ENTRY {
                    return fail("the entry function is called".into());
                }
                if target.params().len() != given || target.result_count != inst.results.len() {
                    return fail(format!("does not match the parameters or results of {callee}"));
                }
            }
            Imm::Data(data) if data.index() >= self.module.data.len() => {
                return fail(format!("{data} does not exist"));
            }
            Imm::Slot(slot) if slot.index() >= self.function.slots.len() => {
                return fail(format!("{slot} does not exist"));
            }
            _ => {}
        }
        Ok(())
    }

    fn terminator(&self, block: BlockId, term: &Terminator, span: Span) -> Result<(), VerifyError> {
        for BlockCall { block: to, args } in term.successors() {
            let Some(target) = self.function.blocks.get(to.index()) else {
                return self.fail(block, span, format!("{to} does not exist"));
            };
            if *to == Function::ENTRY {
                return self.fail(block, span, "a jump to the entry block");
            }
            if target.params.len() != args.len() {
                return self.fail(
                    block,
                    span,
                    format!("{} values for {} parameters of {to}", args.len(), target.params.len()),
                );
            }
        }
        match term {
            Terminator::Ret(_) if self.id == Module::ENTRY => {
                self.fail(block, span, "`ret` in the entry function")
            }
            Terminator::Ret(values) if values.len() != self.function.result_count => self.fail(
                block,
                span,
                format!("`ret` with {} of {} results", values.len(), self.function.result_count),
            ),
            Terminator::Switch { cases, .. } => {
                let mut words: Vec<_> = cases.iter().map(|(word, _)| word).collect();
                words.sort_unstable();
                match words.windows(2).find(|pair| pair[0] == pair[1]) {
                    Some(pair) => self.fail(block, span, format!("case {:#x} twice", pair[0])),
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    fn values(&self) -> Result<(), VerifyError> {
        // The block of each definition, and its position there: 0 for parameters, else 1 + the index of the operation.
        let mut defs: Vec<Option<(BlockId, usize)>> = vec![None; self.function.value_count];
        for (block, data) in self.function.blocks() {
            let params = data.params.iter().map(|&v| (v, 0));
            let results = data
                .insts
                .iter()
                .enumerate()
                .flat_map(|(i, inst)| inst.results.iter().map(move |&v| (v, i + 1)));
            for (value, position) in params.chain(results) {
                match defs.get_mut(value.index()) {
                    None => return self.fail(block, data.term_span, format!("{value} is out of range")),
                    Some(Some(_)) => {
                        return self.fail(block, data.term_span, format!("{value} is defined twice"));
                    }
                    Some(def) => *def = Some((block, position)),
                }
            }
        }
        let dominance = Dominance::of(self.function);
        let check = |block: BlockId, position: usize, value: Value, span: Span| {
            let Some((def_block, def_position)) = defs.get(value.index()).copied().flatten() else {
                return self.fail(block, span, format!("{value} is not defined"));
            };
            let before = if def_block == block {
                def_position < position
            } else {
                dominance.dominates(def_block, block) || !dominance.is_reachable(block)
            };
            if before {
                Ok(())
            } else {
                self.fail(block, span, format!("{value} is used before its definition"))
            }
        };
        for (block, data) in self.function.blocks() {
            for (i, inst) in data.insts.iter().enumerate() {
                inst.args.iter().try_for_each(|&arg| check(block, i + 1, arg, inst.span))?;
            }
            let handed_over = data.term.successors().flat_map(|to| to.args.iter().copied());
            let mut used = data.term.operands().chain(handed_over);
            used.try_for_each(|value| check(block, usize::MAX, value, data.term_span))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::ir::text::read_module;

    fn check(body: &str, expected: &str) {
        let text = format!(
            "module \"m\"\nfunc \"entry\" -> 0 {{\n{body}\n}}\nfunc \"f\" -> 1 {{\nb0(v0):\n  ret v0\n}}\n\
             func \"g\" -> 0 {{\nb0:\n  icall f3\n  ret\n}}\nfunc \"h\" -> 0 {{\nb0:\n  ret\n}}\n"
        );
        let module = read_module(&text).expect("readable");
        match super::verify(&module) {
            Ok(()) => assert_eq!(expected, "ok"),
            Err(error) => assert!(error.to_string().contains(expected), "{error}"),
        }
    }

    #[test]
    fn well_formed() {
        check(
            "b0:\n  v0 = const 1\n  v1 = icall f1, v0\n  br v1, b1(v0), b2\nb1(v2):\n  halt\nb2:\n  panic 0x11",
            "ok",
        );
    }

    #[test]
    fn each_property_is_noticed() {
        check("b0:\n  v0 = add v1, v1\n  halt", "v1 is not defined");
        check("b0:\n  v0 = add v1, v1\n  v1 = const 2\n  halt", "v1 is used before its definition");
        check("b0:\n  v0 = const 1\n  v0 = const 2\n  halt", "v0 is defined twice");
        check("b0:\n  jump b0", "a jump to the entry block");
        check("b0:\n  jump b7", "b7 does not exist");
        check("b0:\n  ret", "`ret` in the entry function");
        check("b0:\n  jump b1\nb1(v0):\n  halt", "0 values for 1 parameters");
        check("b0:\n  v0 = icall f1\n  halt", "does not match the parameters");
        check("b0:\n  icall f9\n  halt", "f9 does not exist");
        check("b0:\n  v0 = caller\n  switch v0, [1: b1, 1: b1], b1\nb1:\n  halt", "case 0x1 twice");
        check("b0:\n  v0 = frameaddr s0\n  halt", "s0 does not exist");
        check("b0:\n  v0 = dataoffset d0\n  halt", "d0 does not exist");
        check(
            "b0:\n  v0 = caller\n  br v0, b1, b2\nb1:\n  v1 = const 1\n  jump b2\nb2:\n  mstore v0, v1\n  halt",
            "v1 is used before its definition",
        );
    }

    #[test]
    fn recursion_is_noticed() {
        let text = "module \"m\"\nfunc \"entry\" -> 0 {\nb0:\n  halt\n}\nfunc \"f\" -> 0 {\nb0:\n  icall f2\n  ret\n}\n\
                    func \"g\" -> 0 {\nb0:\n  icall f1\n  ret\n}\n";
        let error = super::verify(&read_module(text).expect("readable")).expect_err("recursive");
        assert!(error.message.contains("can call itself"), "{error}");
    }
}
