//! The last look at finished bytes: stack heights, jump targets, and the control flow graph that falls out.
//!
//! Always on. It trusts nothing that codegen meant, only the bytes and the list of functions: code is executed with
//! symbolic words (pushed constants are known, the return address of the function is known by name) along every path. Checked:
//! 1. Every byte reached is an operation of the target's encoding with a legal immediate, and no path runs past the end of the code.
//! 2. Every jump has a known target, and it is a JUMPDEST; an internal call enters a function with its arguments and a return address that is a JUMPDEST.
//! 3. No operation takes words that are not there, in this function.
//! 4. A function returns with exactly its results above what its caller had.
//! 5. The stack stays within the machine's limit over the whole call graph.
//!
//! Where paths with different heights meet, only the words that all have are known from there on; returning is then an error.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use zvm::bytecode::{Op, instructions};
use zvm::gas::STACK_LIMIT;

use super::FunctionCode;
use super::target::{StackAccess, Target, stack_access};

/// A basic block of the finished code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByteBlock {
    /// Offset of the first instruction.
    pub start: u32,
    /// Offset after the last instruction.
    pub end: u32,
    /// The blocks that may follow, by offset; for a call, where the callee returns to.
    pub successors: Vec<u32>,
    /// The function called by the last instruction.
    pub callee: Option<usize>,
}

/// The control flow of the finished code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ByteFlow {
    /// For each function, its blocks by offset; blocks shared by functions are listed in each.
    pub functions: Vec<BTreeMap<u32, ByteBlock>>,
    /// For each function, the most words above its caller's, arguments and callees included.
    pub heights_max: Vec<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    Constant(u32),
    ReturnAddress,
    Unknown,
}

/// What is known of the stack when a block begins.
#[derive(Clone, Debug, PartialEq, Eq)]
struct State {
    // Top last.
    words: Vec<Word>,
    // Whether `words` is the whole stack of the function.
    is_whole: bool,
    // No path comes with more words.
    height_max: usize,
}

/// Checks code (without data) whose functions are listed with callees before callers.
pub(super) fn check(
    code: &[u8],
    target: Target,
    functions: &[FunctionCode],
    order: &[usize],
) -> Result<ByteFlow, String> {
    let program = Program::decode(code, target);
    let entries: FxHashMap<u32, usize> = functions.iter().enumerate().map(|(i, f)| (f.entry, i)).collect();
    let count = functions.len();
    let mut flow = ByteFlow { functions: vec![BTreeMap::new(); count], heights_max: vec![0; count] };
    for &index in order {
        let walker =
            Walker { program: &program, functions, entries: &entries, heights_max: &flow.heights_max, index };
        let (blocks, height_max) = walker.walk()?;
        flow.functions[index] = blocks;
        flow.heights_max[index] = height_max;
    }
    Ok(flow)
}

struct Program {
    // By offset; nothing inside of an instruction.
    instructions: Vec<Option<Decoded>>,
}

#[derive(Clone, Copy)]
struct Decoded {
    op: Option<Op>,
    byte: u8,
    pushed: Option<u32>,
    next: u32,
}

impl Program {
    fn decode(code: &[u8], target: Target) -> Program {
        let mut decoded = vec![None; code.len()];
        for instruction in instructions(code, target.encoding()) {
            let is_push = instruction.op.is_some_and(|op| op.name().starts_with("push"));
            let pushed = is_push.then(|| u32::try_from(instruction.immediate_word()).ok()).flatten();
            let (op, byte) = (instruction.op, instruction.immediate_byte());
            // A cut-off immediate would read the data that follows as zeros.
            let whole = instruction.next <= code.len();
            decoded[instruction.offset] =
                Some(Decoded { op: op.filter(|_| whole), byte, pushed, next: instruction.next as u32 });
        }
        Program { instructions: decoded }
    }

    fn at(&self, offset: u32) -> Option<&Decoded> {
        self.instructions.get(offset as usize)?.as_ref()
    }

    fn is_jumpdest(&self, offset: u32) -> bool {
        self.at(offset).is_some_and(|i| i.op == Some(Op::JumpDest))
    }
}

struct Walker<'p> {
    program: &'p Program,
    functions: &'p [FunctionCode],
    entries: &'p FxHashMap<u32, usize>,
    heights_max: &'p [usize],
    index: usize,
}

impl Walker<'_> {
    fn walk(&self) -> Result<(BTreeMap<u32, ByteBlock>, usize), String> {
        let function = &self.functions[self.index];
        let mut words = Vec::new();
        if function.is_called {
            words.push(Word::ReturnAddress);
            words.extend(vec![Word::Unknown; function.stack_args]);
        }
        let height_max = words.len();
        let mut states = FxHashMap::default();
        states.insert(function.entry, State { words, is_whole: true, height_max });
        let mut blocks = BTreeMap::new();
        let mut height_max = height_max;
        let mut work = vec![function.entry];
        while let Some(start) = work.pop() {
            let state = states[&start].clone();
            let (block, out) = self.block(start, state, &mut height_max).map_err(|(offset, message)| {
                format!("offset {offset:#x} in \"{}\": {message}", function.name)
            })?;
            for (to, state) in out {
                match states.get_mut(&to) {
                    None => {
                        states.insert(to, state);
                        work.push(to);
                    }
                    Some(known) if *known == state => {}
                    Some(known) => {
                        let joined = join(known, &state);
                        if joined != *known {
                            *known = joined;
                            work.push(to);
                        }
                    }
                }
            }
            blocks.insert(start, block);
        }
        Ok((blocks, height_max))
    }

    /// Executes one block; gives its way out with the stacks handed on.
    #[expect(clippy::type_complexity, reason = "the pair is taken apart at once by the only caller")]
    fn block(
        &self,
        start: u32,
        mut state: State,
        height_max: &mut usize,
    ) -> Result<(ByteBlock, Vec<(u32, State)>), (u32, String)> {
        let mut at = start;
        let mut block = ByteBlock { start, end: start, successors: Vec::new(), callee: None };
        loop {
            let fail = |message: String| Err((at, message));
            let Some(decoded) = self.program.at(at) else {
                return fail("execution runs past the end of the code".into());
            };
            let Some(op) = decoded.op else { return fail("not an operation".into()) };
            if !op.immediate_is_legal(decoded.byte) {
                return fail(format!("{op} with immediate {:#x}", decoded.byte));
            }
            if op == Op::JumpDest && at != start {
                // Another path may come in here.
                block.end = at;
                block.successors = vec![at];
                return Ok((block, vec![(at, state)]));
            }
            let top = state.words.last().copied();
            self.step(op, decoded, &mut state).map_err(|message| (at, message))?;
            *height_max = (*height_max).max(state.height_max);
            if state.height_max > STACK_LIMIT {
                return fail(format!("the stack may hold {} words", state.height_max));
            }
            block.end = decoded.next;
            match op {
                Op::Jump => {
                    let out =
                        self.jump(top, state, &mut block, height_max).map_err(|message| (at, message))?;
                    block.successors = out.iter().map(|(to, _)| *to).collect();
                    return Ok((block, out));
                }
                Op::JumpI => {
                    let Some(Word::Constant(target)) = top else {
                        return fail("a jump to an unknown place".into());
                    };
                    if !self.program.is_jumpdest(target) {
                        return fail(format!("a jump to {target:#x}, which is no JUMPDEST"));
                    }
                    block.successors = vec![target, decoded.next];
                    return Ok((block, vec![(target, state.clone()), (decoded.next, state)]));
                }
                _ if op.ends_block() => return Ok((block, Vec::new())),
                _ => at = decoded.next,
            }
        }
    }

    fn step(&self, op: Op, decoded: &Decoded, state: &mut State) -> Result<(), String> {
        let (pops, pushes) = op.stack_effect(decoded.byte);
        let (pops, pushes) = (usize::from(pops), usize::from(pushes));
        let Some(kept) = state.words.len().checked_sub(pops) else {
            return Err(format!("{op} takes {pops} words of {}", state.words.len()));
        };
        match stack_access(op, decoded.byte) {
            Some(StackAccess::Swap(distance)) => {
                let top = state.words.len() - 1;
                state.words.swap(top, top - distance);
            }
            Some(StackAccess::Dup(depth)) => state.words.push(state.words[state.words.len() - depth]),
            None => {
                state.words.truncate(kept);
                let pushed = decoded.pushed.map_or(Word::Unknown, Word::Constant);
                state.words.extend(std::iter::repeat_n(pushed, pushes));
            }
        }
        state.height_max = state.height_max + pushes - pops;
        Ok(())
    }

    fn jump(
        &self,
        target: Option<Word>,
        mut state: State,
        block: &mut ByteBlock,
        height_max: &mut usize,
    ) -> Result<Vec<(u32, State)>, String> {
        let function = &self.functions[self.index];
        match target {
            Some(Word::ReturnAddress) if !state.is_whole || state.words.len() != function.stack_results => {
                Err(format!(
                    "a return with {} words instead of {}",
                    state.words.len(),
                    function.stack_results
                ))
            }
            Some(Word::ReturnAddress) => Ok(Vec::new()),
            Some(Word::Constant(target)) => {
                if !self.program.is_jumpdest(target) {
                    return Err(format!("a jump to {target:#x}, which is no JUMPDEST"));
                }
                let Some(&callee) = self.entries.get(&target).filter(|&&callee| callee != 0) else {
                    return Ok(vec![(target, state)]);
                };
                let called = &self.functions[callee];
                let Some(kept) = state.words.len().checked_sub(called.stack_args + 1) else {
                    return Err(format!("a call of \"{}\" with too few words", called.name));
                };
                let Word::Constant(back) = state.words[kept] else {
                    return Err(format!("a call of \"{}\" without a return address", called.name));
                };
                if !self.program.is_jumpdest(back) {
                    return Err(format!("a return to {back:#x}, which is no JUMPDEST"));
                }
                let below = state.height_max - called.stack_args - 1;
                *height_max = (*height_max).max(below + self.heights_max[callee]);
                if *height_max > STACK_LIMIT {
                    return Err(format!("the stack may hold {height_max} words"));
                }
                block.callee = Some(callee);
                state.words.truncate(kept);
                state.words.extend(std::iter::repeat_n(Word::Unknown, called.stack_results));
                state.height_max = below + called.stack_results;
                Ok(vec![(back, state)])
            }
            _ => Err("a jump to an unknown place".into()),
        }
    }
}

/// What is known where two paths meet.
fn join(a: &State, b: &State) -> State {
    let length = a.words.len().min(b.words.len());
    let tail = |state: &State| state.words[state.words.len() - length..].to_vec();
    let words = tail(a).into_iter().zip(tail(b)).map(|(x, y)| if x == y { x } else { Word::Unknown });
    State {
        words: words.collect(),
        is_whole: a.is_whole && b.is_whole && a.words.len() == b.words.len(),
        height_max: a.height_max.max(b.height_max),
    }
}

#[cfg(test)]
mod tests {
    use zvm::bytecode::Encoding;

    use super::*;

    fn byte(op: Op) -> u8 {
        Encoding::Zvm.byte(op).expect("native")
    }

    fn check_entry(code: &[u8]) -> Result<ByteFlow, String> {
        let entry = FunctionCode {
            name: "entry".into(),
            entry: 0,
            is_called: false,
            stack_args: 0,
            stack_results: 0,
            height_max: 0,
        };
        check(code, Target::Zvm, &[entry], &[0])
    }

    fn assert_refused(code: &[u8], message: &str) {
        let error = check_entry(code).expect_err(message);
        assert!(error.contains(message), "{error}");
    }

    #[test]
    fn broken_code_is_refused() {
        assert_refused(&[byte(Op::Add), byte(Op::Halt)], "takes 2 words of 0");
        assert_refused(&[byte(Op::Push0)], "runs past the end");
        assert_refused(&[byte(Op::Push2), 0], "not an operation");
        assert_refused(&[0xee], "not an operation");
        assert_refused(&[byte(Op::Push1), 0, byte(Op::Jump)], "no JUMPDEST");
        assert_refused(&[byte(Op::Caller), byte(Op::Jump)], "unknown place");
        assert_refused(&[byte(Op::Push0), byte(Op::DupN), 0, byte(Op::Halt)], "immediate 0x0");
        // A loop that leaves one word behind each time.
        let growing = [byte(Op::JumpDest), byte(Op::Caller), byte(Op::Push0), byte(Op::Jump)];
        assert_refused(&growing, "the stack may hold 1025 words");
    }

    #[test]
    fn flow_has_blocks_and_ways() {
        // push0; push1 5; jumpi; halt; jumpdest; halt
        let code = [
            byte(Op::Push0),
            byte(Op::Push1),
            5,
            byte(Op::JumpI),
            byte(Op::Halt),
            byte(Op::JumpDest),
            byte(Op::Halt),
        ];
        let flow = check_entry(&code).expect("sound");
        let blocks = &flow.functions[0];
        assert_eq!(blocks.keys().copied().collect::<Vec<_>>(), [0, 4, 5]);
        assert_eq!(blocks[&0].successors, [5, 4]);
        assert_eq!((blocks[&4].end, blocks[&5].end), (5, 7));
        assert_eq!(flow.heights_max, [2]);
    }
}
