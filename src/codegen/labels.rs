//! Code blocks with symbolic jumps -> bytes: which block follows which, and where every label is.
//!
//! Every label is pushed with PUSH2, so sizes are known before offsets are. Blocks are placed so that the likely way falls
//! through; a conditional jump leads to `then` and falls into `otherwise` (a JUMPDEST costs less than turning the
//! condition around). Loops are placed with their condition at the bottom. Blocks that only end the frame as a revert or
//! fault come last; tiny ones are copied instead of jumped to.

use alloy_primitives::U256;
use rustc_hash::{FxHashMap, FxHashSet};
use zvm::bytecode::Op;

use super::InternalError;
use super::init_code::ImmutableSite;
use super::target::Target;
use crate::ir::DataId;
use crate::source::Span;

/// A place in the code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) struct Label(u32);

/// The labels given out.
#[derive(Default)]
pub(super) struct Labels {
    count: u32,
}

impl Labels {
    /// A label that nothing has yet.
    pub(super) fn fresh(&mut self) -> Label {
        self.count += 1;
        Label(self.count - 1)
    }
}

/// An instruction whose addresses are not known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// An operation without immediate.
    Op(Op),
    /// An operation with an immediate byte.
    WithByte(Op, u8),
    /// The shortest push of a word.
    Push(U256),
    /// A push of a label's offset.
    PushLabel(Label),
    /// A push of a data segment's offset.
    PushDataOffset(DataId),
    /// A push of the offset after code and data.
    PushCodeEnd,
    /// A push of 32 bytes that creation fills with the immutable of this number.
    PushImmutable(u32),
    /// The jump of an internal call.
    Call,
    /// The jump back to the caller.
    Return,
    /// A label, here.
    Here(Label),
}

/// Something that stands for a range of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spanned<T> {
    pub(super) item: T,
    pub(super) span: Span,
}

/// How a code block ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// Its last item ends it.
    End,
    /// Continues there.
    Jump(Label),
    /// Continues at `then` if the word on top is not 0, else at `otherwise`.
    Branch { then: Label, otherwise: Label },
}

/// Instructions that are executed in sequence.
#[derive(Clone, Debug)]
pub(super) struct CodeBlock {
    pub(super) label: Label,
    pub(super) items: Vec<Spanned<Item>>,
    pub(super) exit: Exit,
    pub(super) span: Span,
}

/// What a jump is, for the source map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JumpKind {
    /// Not a jump, or one within a function.
    Other,
    /// An internal call.
    Call,
    /// A return from an internal call.
    Return,
}

/// One instruction of finished code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// Where it begins.
    pub offset: u32,
    /// The source it stands for.
    pub span: Span,
    /// What kind of jump it is.
    pub jump: JumpKind,
}

/// Bytes with what is known about them.
#[derive(Debug)]
pub(super) struct Assembled {
    /// Code, then data.
    pub(super) bytes: Vec<u8>,
    /// Where the code ends and the data begins.
    pub(super) code_size: usize,
    /// Every instruction, in order.
    pub(super) instructions: Vec<Instruction>,
    /// Where each placed label is.
    pub(super) offsets: FxHashMap<Label, u32>,
    /// Where immutables are read, in order.
    pub(super) immutables: Vec<ImmutableSite>,
}

/// A block copied instead of jumped to has at most this many items.
const TINY_ITEMS_MAX: usize = 3;

/// Places the blocks of all functions (each function's first block is its entry) and appends the data.
pub(super) fn assemble(
    functions: &[Vec<CodeBlock>],
    data: &[&[u8]],
    target: Target,
) -> Result<Assembled, InternalError> {
    let mut items = Vec::new();
    let mut cold = Vec::new();
    for blocks in functions {
        let mut placer = Placer::new(blocks);
        placer.place(&mut items, &mut cold);
    }
    items.extend(cold);
    encode(&items, data, target)
}

struct Placer<'b> {
    blocks: &'b [CodeBlock],
    index: FxHashMap<Label, usize>,
    is_cold: Vec<bool>,
    // Whether a later block jumps back to this one.
    is_loop_header: Vec<bool>,
    placed: Vec<bool>,
}

impl<'b> Placer<'b> {
    fn new(blocks: &'b [CodeBlock]) -> Self {
        let index = blocks.iter().enumerate().map(|(i, b)| (b.label, i)).collect();
        let mut placer = Placer {
            blocks,
            index,
            is_cold: vec![false; blocks.len()],
            is_loop_header: vec![false; blocks.len()],
            placed: vec![false; blocks.len()],
        };
        // Blocks come in reverse postorder, edges' blocks after their sources: one pass backward sees most successors first.
        for (i, block) in blocks.iter().enumerate().rev() {
            let next = placer.successors(i);
            placer.is_cold[i] = match block.exit {
                Exit::End => block.items.last().is_some_and(|last| match last.item {
                    Item::Op(op) | Item::WithByte(op, _) => {
                        matches!(op, Op::Revert | Op::Panic | Op::Invalid)
                    }
                    _ => false,
                }),
                _ => !next.is_empty() && next.iter().all(|&n| n > i && placer.is_cold[n]),
            };
            for n in next {
                placer.is_loop_header[n] |= n <= i;
            }
        }
        placer
    }

    /// Follows blocks that do nothing but jump.
    fn resolve(&self, mut label: Label) -> Label {
        for _ in 0..self.blocks.len() {
            match &self.blocks[self.index[&label]] {
                CodeBlock { items, exit: Exit::Jump(next), .. } if items.is_empty() => label = *next,
                _ => break,
            }
        }
        label
    }

    fn successors(&self, block: usize) -> Vec<usize> {
        let labels = match self.blocks[block].exit {
            Exit::End => vec![],
            Exit::Jump(to) => vec![to],
            Exit::Branch { then, otherwise } => vec![otherwise, then],
        };
        labels.into_iter().map(|l| self.index[&self.resolve(l)]).collect()
    }

    fn tiny(&self, label: Label) -> Option<&'b CodeBlock> {
        let block = &self.blocks[self.index[&label]];
        let copyable = block.items.len() <= TINY_ITEMS_MAX
            && block.items.iter().all(|i| !matches!(i.item, Item::Here(_) | Item::Call));
        (block.exit == Exit::End && copyable).then_some(block)
    }

    fn place(&mut self, hot: &mut Vec<Spanned<Item>>, cold: &mut Vec<Spanned<Item>>) {
        let mut work = vec![0];
        let mut late = Vec::new();
        loop {
            let (start, out) = match (work.pop(), late.pop()) {
                (Some(start), unused) => {
                    late.extend(unused);
                    if self.is_cold[start] && start != 0 {
                        late.push(start);
                        continue;
                    }
                    (start, &mut *hot)
                }
                (None, Some(start)) => (start, &mut *cold),
                (None, None) => return,
            };
            if !self.placed[start] {
                self.chain(start, out, &mut work);
            }
        }
    }

    /// Places a block and those that follow by falling through; the others go to `work`.
    fn chain(&mut self, start: usize, out: &mut Vec<Spanned<Item>>, work: &mut Vec<usize>) {
        let mut at = start;
        loop {
            self.placed[at] = true;
            let block = &self.blocks[at];
            out.push(Spanned { item: Item::Here(block.label), span: block.span });
            out.extend(&block.items);
            let mut push = |item| out.push(Spanned { item, span: block.span });
            let next = match block.exit {
                Exit::End => None,
                Exit::Jump(to) => {
                    let to = self.resolve(to);
                    let target = self.index[&to];
                    if let Some(tiny) = self.tiny(to) {
                        out.extend(&tiny.items);
                        None
                    } else if self.placed[target] {
                        push(Item::PushLabel(to));
                        push(Item::Op(Op::Jump));
                        None
                    } else if let Some(body) = self.loop_body(target) {
                        // The condition goes below the body, which then falls into it.
                        push(Item::PushLabel(to));
                        push(Item::Op(Op::Jump));
                        work.push(target);
                        Some(body)
                    } else {
                        Some(target)
                    }
                }
                Exit::Branch { then, otherwise } => {
                    let (then, otherwise) = (self.resolve(then), self.resolve(otherwise));
                    let (then_at, otherwise_at) = (self.index[&then], self.index[&otherwise]);
                    let tiny = self.tiny(otherwise);
                    if tiny.is_none()
                        && self.placed[otherwise_at]
                        && !self.placed[then_at]
                        && !self.is_cold[otherwise_at]
                    {
                        push(Item::Op(Op::IsZero));
                        push(Item::PushLabel(otherwise));
                        push(Item::Op(Op::JumpI));
                        Some(then_at)
                    } else {
                        push(Item::PushLabel(then));
                        push(Item::Op(Op::JumpI));
                        work.push(then_at);
                        if let Some(tiny) = tiny {
                            out.extend(&tiny.items);
                            None
                        } else if self.placed[otherwise_at] {
                            push(Item::PushLabel(otherwise));
                            push(Item::Op(Op::Jump));
                            None
                        } else {
                            Some(otherwise_at)
                        }
                    }
                }
            };
            match next {
                Some(next) => at = next,
                None => return,
            }
        }
    }

    /// The body of a loop whose header decides whether to go on, if it is worth placing the header last.
    fn loop_body(&self, header: usize) -> Option<usize> {
        let block = &self.blocks[header];
        let Exit::Branch { then, otherwise } = block.exit else { return None };
        let ways = [then, otherwise].map(|label| self.index[&self.resolve(label)]);
        if !self.is_loop_header[header] || ways.iter().any(|&way| way == header || self.placed[way]) {
            return None;
        }
        ways.into_iter().find(|&body| self.loops_back(body, header))
    }

    /// Whether `from` leads to `header` without leaving the loop; blocks of outer loops come before the header.
    fn loops_back(&self, from: usize, header: usize) -> bool {
        let mut seen = FxHashSet::from_iter([from]);
        let mut work = vec![from];
        while let Some(at) = work.pop() {
            for next in self.successors(at) {
                if next == header {
                    return true;
                }
                if next > header && seen.insert(next) {
                    work.push(next);
                }
            }
        }
        false
    }
}

/// Gives every label its offset and writes the bytes.
fn encode(items: &[Spanned<Item>], data: &[&[u8]], target: Target) -> Result<Assembled, InternalError> {
    let error = |span, detail: String| InternalError::new(span, detail);
    let used: FxHashSet<Label> = items
        .iter()
        .filter_map(|spanned| match spanned.item {
            Item::PushLabel(label) => Some(label),
            _ => None,
        })
        .collect();
    let mut offsets = FxHashMap::default();
    let mut size = 0usize;
    for spanned in items {
        if let Item::Here(label) = spanned.item {
            offsets.insert(label, size as u32);
        }
        size += item_size(spanned.item, &used, target);
    }
    let code_size = size;
    let data_offsets: Vec<usize> = data
        .iter()
        .map(|segment| {
            size += segment.len();
            size - segment.len()
        })
        .collect();
    let address = |span, address: usize| {
        u16::try_from(address).map(U256::from).map_err(|_| InternalError {
            code_size: Some(size),
            ..error(span, format!("address {address:#x} does not fit two bytes"))
        })
    };

    let mut assembled = Assembled {
        bytes: Vec::with_capacity(size),
        code_size,
        instructions: Vec::with_capacity(items.len()),
        offsets: FxHashMap::default(),
        immutables: Vec::new(),
    };
    for &Spanned { item, span } in items {
        let offset = assembled.bytes.len() as u32;
        // The immediate is the lowest bytes of a word.
        let (op, word, size, jump) = match item {
            Item::Op(op) => (op, U256::ZERO, 0, JumpKind::Other),
            Item::WithByte(op, byte) => (op, U256::from(byte), 1, JumpKind::Other),
            Item::Push(word) => {
                let (op, size) = target.push(word);
                (op, word, size, JumpKind::Other)
            }
            Item::PushLabel(label) => {
                let place =
                    offsets.get(&label).ok_or_else(|| error(span, format!("{label:?} is nowhere")))?;
                (Op::Push2, address(span, *place as usize)?, 2, JumpKind::Other)
            }
            Item::PushDataOffset(id) => {
                (Op::Push2, address(span, data_offsets[id.index()])?, 2, JumpKind::Other)
            }
            Item::PushCodeEnd => (Op::Push2, address(span, size)?, 2, JumpKind::Other),
            Item::PushImmutable(index) => {
                let site = ImmutableSite { index: index as usize, offset: offset + 1 };
                assembled.immutables.push(site);
                (Op::Push32, U256::ZERO, U256::BYTES, JumpKind::Other)
            }
            Item::Call => (Op::Jump, U256::ZERO, 0, JumpKind::Call),
            Item::Return => (Op::Jump, U256::ZERO, 0, JumpKind::Return),
            Item::Here(label) if used.contains(&label) => (Op::JumpDest, U256::ZERO, 0, JumpKind::Other),
            Item::Here(_) => continue,
        };
        let byte =
            target.encoding().byte(op).ok_or_else(|| error(span, format!("the target has no {op}")))?;
        assembled.bytes.push(byte);
        assembled.bytes.extend_from_slice(&word.to_be_bytes::<{ U256::BYTES }>()[U256::BYTES - size..]);
        assembled.instructions.push(Instruction { offset, span, jump });
    }
    debug_assert_eq!(assembled.bytes.len(), code_size);
    for segment in data {
        assembled.bytes.extend_from_slice(segment);
    }
    assembled.offsets = offsets;
    Ok(assembled)
}

fn item_size(item: Item, used: &FxHashSet<Label>, target: Target) -> usize {
    match item {
        Item::Op(_) | Item::Call | Item::Return => 1,
        Item::WithByte(..) => 2,
        Item::Push(word) => 1 + target.push(word).1,
        Item::PushLabel(_) | Item::PushDataOffset(_) | Item::PushCodeEnd => 3,
        Item::PushImmutable(_) => 33,
        Item::Here(label) => usize::from(used.contains(&label)),
    }
}
