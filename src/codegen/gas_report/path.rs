//! What one execution costs, by the estimator's own account: the terms of an estimate, resolved for a state.
//!
//! A [`Resolver`] is told which way an execution goes (the offset and the operands of each operation, where calls begin and
//! end, what a store found) and never what the machine charged. From the code's bytes it knows what each basic block costs;
//! it keeps its own account of memory, of what was touched before in the transaction, of the values that slots had when it
//! began, and of the gas that calls are given. Whoever has both figures can hold them against each other.
//!
//! What precompiled contracts take is theirs to say: it is taken over as reported, and counted as [`PathGas::outside`].

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use alloy_primitives::{Address, U256};
use zvm::bytecode::{DynamicGas, Encoding, Op, instructions};
use zvm::gas::{
    ACCOUNT, CALL_STIPEND, CALL_VALUE, CODE_DEPOSIT_BYTE, NEW_ACCOUNT, SLOT, SSTORE_COLD, forwardable,
    memory_cost, sstore_cost, words,
};

use super::walk::{Size, ranges, size_operand};

/// What the basic blocks of a code cost.
#[derive(Debug)]
pub struct CodeCosts {
    places: HashMap<u32, Place>,
}

/// An operation with what its block costs up to it.
#[derive(Clone, Copy, Debug)]
struct Place {
    op: Op,
    immediate: u8,
    block: u32,
    // Static gas of the block, this operation included.
    through: u64,
}

impl CodeCosts {
    /// Adds up the blocks of `code`, which stands without a prefix.
    pub fn new(code: &[u8], encoding: Encoding) -> CodeCosts {
        let mut places = HashMap::new();
        let (mut block, mut through, mut begins) = (0, 0, true);
        for instruction in instructions(code, encoding) {
            let Some(op) = instruction.op else {
                begins = true;
                continue;
            };
            let at = instruction.offset as u32;
            if begins || op == Op::JumpDest {
                (block, through) = (at, 0);
            }
            through += op.info().gas;
            places.insert(at, Place { op, immediate: instruction.immediate_byte(), block, through });
            begins = op == Op::JumpI || op.ends_block();
        }
        CodeCosts { places }
    }
}

/// The gas of one message call or creation, by what it is for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PathGas {
    /// Operations' fixed prices.
    pub fixed: u64,
    /// Growth of memory.
    pub memory: u64,
    /// What state and data decided: by operation and circumstance, how often and how much.
    pub terms: BTreeMap<(&'static str, &'static str), (u64, u64)>,
    /// What called and created contracts used of the gas that they were given; a stipend that was not used counts against it.
    pub calls: i64,
    /// Of `calls`, what was reported rather than estimated.
    pub outside: u64,
    /// The rest of the gas, where a trap took it.
    pub lost: u64,
    /// What comes back at the end of the transaction, if that is kept (EIP-3529).
    pub refund: i64,
    /// How many basic blocks ran.
    pub blocks: u64,
    /// Stands for the sequence of blocks: equal ways have equal numbers.
    pub way: u64,
    /// Whether an operation ran whose price the estimator does not know, or that is not in the code as it was compiled.
    pub is_lost: bool,
}

impl PathGas {
    /// All of it; refunds are not taken off.
    pub fn total(&self) -> u64 {
        let terms: u64 = self.terms.values().map(|term| term.1).sum();
        (self.fixed + self.memory + terms + self.lost).saturating_add_signed(self.calls)
    }

    fn term(&mut self, op: &'static str, how: &'static str, gas: u64) {
        let (count, sum) = self.terms.entry((op, how)).or_default();
        *count += 1;
        *sum = sum.saturating_add(gas);
    }
}

/// How a frame ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathEnd {
    /// Its effects stay; what a creation returned is the new account's code.
    Kept,
    /// Its effects are undone, the gas left goes back.
    Undone,
    /// Its effects are undone and its gas is gone.
    Trapped,
}

/// A frame that is being followed.
struct Following {
    costs: Option<Arc<CodeCosts>>,
    address: Address,
    given: u64,
    gas: PathGas,
    at: Option<Place>,
    memory_words: u64,
    way: DefaultHasher,
    // The slot that is being written, with its new word and whether it is cold.
    store: Option<(U256, U256, bool)>,
    call: Option<Call>,
    is_creation: bool,
    // How many bytes it has returned.
    returned: u64,
    // Where the journal stood.
    mark: usize,
}

/// A call that is being made.
#[derive(Clone, Copy)]
struct Call {
    asked: U256,
    sends_value: bool,
    // Whether an account comes to be by it, if it was not there.
    may_create: bool,
    stipend: u64,
}

/// Something that was touched for the first time.
enum Touched {
    Account(Address),
    Slot(Address, U256),
}

/// Follows the frames of one transaction.
#[derive(Default)]
pub struct Resolver {
    frames: Vec<Following>,
    accounts: HashSet<Address>,
    slots: HashSet<(Address, U256)>,
    originals: HashMap<(Address, U256), U256>,
    journal: Vec<Touched>,
}

impl Resolver {
    /// A transaction in which nothing was touched.
    pub fn new() -> Resolver {
        Resolver::default()
    }

    /// Makes an account warm for good: sender, recipient, precompiled contracts, what an access list names.
    pub fn warm_account(&mut self, account: Address) {
        self.accounts.insert(account);
    }

    /// How many frames are active.
    pub fn depth(&self) -> usize {
        self.frames.len()
    }

    /// A frame begins, on the storage of `address`, with `given` gas. A frame of a call gets what its caller set aside for
    /// it, which is known here; `given` counts for the outermost one.
    pub fn begin(&mut self, address: Address, is_creation: bool, given: u64) {
        let mut set_aside = given;
        if let Some(caller) = self.frames.last() {
            let left = caller.left();
            set_aside = match &caller.call {
                Some(call) => call.set_aside(left),
                None => forwardable(left),
            };
        }
        if is_creation && address != Address::ZERO {
            // The address stays warm if the creation fails.
            self.accounts.insert(address);
        }
        self.frames.push(Following {
            costs: None,
            address,
            given: set_aside,
            gas: PathGas::default(),
            at: None,
            memory_words: 0,
            way: DefaultHasher::new(),
            store: None,
            call: None,
            is_creation,
            returned: 0,
            mark: self.journal.len(),
        });
    }

    /// Whether the innermost frame's code is not known yet.
    pub fn wants_code(&self) -> bool {
        self.frames.last().is_some_and(|frame| frame.costs.is_none())
    }

    /// What the blocks of the innermost frame's code cost.
    pub fn set_code(&mut self, costs: Arc<CodeCosts>) {
        if let Some(frame) = self.frames.last_mut() {
            frame.costs = Some(costs);
        }
    }

    /// The operation at an offset of the innermost frame's code is about to run, on this stack, bottom first.
    pub fn step(&mut self, offset: u32, stack: &[U256]) {
        let Some(frame) = self.frames.last_mut() else { return };
        let found = frame.costs.as_ref().and_then(|costs| costs.places.get(&offset));
        let Some(&place) = found else {
            // Code may end without an operation that says so.
            frame.gas.is_lost |= frame.at.is_some_and(|at| !at.op.ends_block());
            return;
        };
        if offset == place.block {
            frame.gas.fixed += frame.at.map_or(0, |at| at.through);
            frame.gas.blocks += 1;
            place.block.hash(&mut frame.way);
        }
        frame.at = Some(place);
        let (pops, _) = place.op.stack_effect(place.immediate);
        if stack.len() >= usize::from(pops) {
            let operand = |at: usize| stack[stack.len() - 1 - at];
            self.charge(place, &operand);
        }
    }

    /// Adds what the operands decide of an operation's price.
    fn charge(&mut self, place: Place, operand: &dyn Fn(usize) -> U256) {
        let op = place.op;
        let Some(frame) = self.frames.last_mut() else { return };
        let here = frame.address;
        frame.grow(op, operand);
        let rate = op.dynamic_rate();
        let size = || size_operand(op).map_or(0, |at| operand(at).saturating_to());
        let name = op.name();
        match op.info().dynamic {
            DynamicGas::None | DynamicGas::Memory | DynamicGas::All => {}
            DynamicGas::PerWord(_) => frame.gas.term(name, "words", rate.saturating_mul(words(size()))),
            DynamicGas::PerByte(_) => frame.gas.term(name, "bytes", rate.saturating_mul(size())),
            DynamicGas::PerExponentByte(_) => {
                frame.gas.term(name, "exponent", rate * operand(1).byte_len() as u64);
            }
            DynamicGas::PerExtraKey(_) => {
                frame.gas.term(name, "keys", rate * u64::from(place.immediate).saturating_sub(1));
            }
            DynamicGas::Slot => {
                let is_cold = self.touch_slot(here, operand(0));
                self.term(name, warmth(is_cold), SLOT.of(is_cold));
            }
            DynamicGas::Sstore => {
                let (key, word) = (operand(0), operand(1));
                let is_cold = self.touch_slot(here, key);
                if let Some(frame) = self.frames.last_mut() {
                    frame.store = Some((key, word, is_cold));
                }
            }
            DynamicGas::Account => self.touch_account(name, operand(0)),
            DynamicGas::AccountPerWord(_) => {
                let count = words(operand(3).saturating_to());
                frame.gas.term(name, "words", rate.saturating_mul(count));
                self.touch_account(name, operand(0));
            }
            DynamicGas::Call => {
                let sends_value = matches!(op, Op::Call | Op::CallCode) && !operand(2).is_zero();
                let stipend = if sends_value { CALL_STIPEND } else { 0 };
                let may_create = sends_value && op == Op::Call;
                frame.call = Some(Call { asked: operand(0), sends_value, may_create, stipend });
                self.touch_account(name, operand(1));
            }
            DynamicGas::SelfDestruct => frame.gas.is_lost = true,
        }
        if let (Op::Return, Some(frame)) = (op, self.frames.last_mut()) {
            frame.returned = operand(1).saturating_to();
        }
    }

    /// The store that the innermost frame is making found this word.
    pub fn stored(&mut self, key: U256, current: U256) {
        let Some(frame) = self.frames.last_mut() else { return };
        let Some((slot, word, is_cold)) = frame.store.take().filter(|store| store.0 == key) else { return };
        let original = *self.originals.entry((frame.address, slot)).or_insert(current);
        let (gas, refund) = sstore_cost(&original, &current, &word);
        frame.gas.refund += refund;
        frame.gas.term(Op::Sstore.name(), change(original, current, word), gas);
        if is_cold {
            frame.gas.term(Op::Sstore.name(), "cold", SSTORE_COLD);
        }
    }

    /// The call that the innermost frame makes is paid for, to an account that may be dead.
    pub fn calling(&mut self, is_dead: bool) {
        let Some(frame) = self.frames.last_mut() else { return };
        let Some(call) = frame.call else { return };
        if call.sends_value {
            frame.gas.term(Op::Call.name(), "value", CALL_VALUE);
        }
        if call.may_create && is_dead {
            frame.gas.term(Op::Call.name(), "new account", NEW_ACCOUNT);
        }
    }

    /// The call was answered without a frame, and its gas came back.
    pub fn answered(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            let stipend = frame.call.take().map_or(0, |call| call.stipend);
            frame.gas.calls -= stipend as i64;
        }
    }

    /// The innermost frame ends; of what ran without code, `reported` says how much gas it used. Gives what it cost.
    pub fn end(&mut self, end: PathEnd, reported: u64) -> Option<PathGas> {
        let mut frame = self.frames.pop()?;
        frame.gas.fixed += frame.at.take().map_or(0, |at| at.through);
        frame.gas.way = frame.way.finish();
        if frame.costs.is_none() {
            frame.gas.outside = reported;
            frame.gas.calls = reported as i64;
        }
        match end {
            PathEnd::Kept if frame.is_creation => {
                frame.gas.term("code", "bytes", CODE_DEPOSIT_BYTE.saturating_mul(frame.returned));
            }
            PathEnd::Kept | PathEnd::Undone => {}
            PathEnd::Trapped => frame.gas.lost = frame.given.saturating_sub(frame.gas.total()),
        }
        if end != PathEnd::Kept {
            frame.gas.refund = 0;
            for touched in self.journal.drain(frame.mark..) {
                match touched {
                    Touched::Account(account) => self.accounts.remove(&account),
                    Touched::Slot(account, key) => self.slots.remove(&(account, key)),
                };
            }
        }
        if let Some(caller) = self.frames.last_mut() {
            let stipend = caller.call.take().map_or(0, |call| call.stipend);
            caller.gas.calls += frame.gas.total() as i64 - stipend as i64;
            caller.gas.outside += frame.gas.outside;
            caller.gas.refund += frame.gas.refund;
            caller.gas.is_lost |= frame.gas.is_lost;
            frame.gas.way.hash(&mut caller.way);
        }
        Some(frame.gas)
    }

    fn term(&mut self, op: &'static str, how: &'static str, gas: u64) {
        if let Some(frame) = self.frames.last_mut() {
            frame.gas.term(op, how, gas);
        }
    }

    fn touch_account(&mut self, op: &'static str, word: U256) {
        let account = Address::from_word(word.into());
        let is_cold = self.accounts.insert(account);
        if is_cold {
            self.journal.push(Touched::Account(account));
        }
        self.term(op, warmth(is_cold), ACCOUNT.of(is_cold));
    }

    fn touch_slot(&mut self, account: Address, key: U256) -> bool {
        let is_cold = self.slots.insert((account, key));
        if is_cold {
            self.journal.push(Touched::Slot(account, key));
        }
        is_cold
    }
}

impl Following {
    /// Gas left of what it was given.
    fn left(&self) -> u64 {
        let used = self.gas.total() + self.at.map_or(0, |at| at.through);
        self.given.saturating_sub(used)
    }

    /// Pays for the memory that an operation touches.
    fn grow(&mut self, op: Op, operand: &dyn Fn(usize) -> U256) {
        for &(offset, size) in ranges(op) {
            let size = match size {
                Size::Fixed(size) => size,
                Size::Operand(at) => operand(at).saturating_to(),
            };
            if size == 0 {
                continue;
            }
            let end = words(operand(offset).saturating_to::<u64>().saturating_add(size));
            if end > self.memory_words {
                let growth = memory_cost(end) - memory_cost(self.memory_words);
                self.gas.memory = self.gas.memory.saturating_add(growth);
                self.memory_words = end;
            }
        }
    }
}

impl Call {
    fn set_aside(&self, left: u64) -> u64 {
        let most = forwardable(left);
        u64::try_from(self.asked).map_or(most, |asked| asked.min(most)) + self.stipend
    }
}

const fn warmth(is_cold: bool) -> &'static str {
    if is_cold { "cold" } else { "warm" }
}

/// What a store does, in the words of EIP-2200's table.
fn change(original: U256, current: U256, word: U256) -> &'static str {
    if word == current {
        return "unchanged";
    }
    match (current == original, current.is_zero(), word.is_zero()) {
        (false, ..) => "again",
        (true, true, _) => "from zero",
        (true, false, true) => "to zero",
        (true, false, false) => "other value",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(number: u64) -> U256 {
        U256::from(number)
    }

    /// `push1 1; push0; sstore; push0; sload; halt`, by hand.
    fn code() -> (Vec<u8>, [u32; 6]) {
        let byte = |op| Encoding::Evm.byte(op).expect("an operation of Ethereum");
        let bytes = vec![
            byte(Op::Push1),
            1,
            byte(Op::Push0),
            byte(Op::Sstore),
            byte(Op::Push0),
            byte(Op::Sload),
            byte(Op::Halt),
        ];
        (bytes, [0, 2, 3, 4, 5, 6])
    }

    fn run(resolver: &mut Resolver, current: u64, end: PathEnd) -> PathGas {
        let (bytes, offsets) = code();
        resolver.begin(Address::ZERO, false, 100_000);
        assert!(resolver.wants_code());
        resolver.set_code(Arc::new(CodeCosts::new(&bytes, Encoding::Evm)));
        let stacks: [&[U256]; 6] = [&[], &[word(1)], &[word(1), word(0)], &[], &[word(0)], &[word(1)]];
        for (offset, stack) in offsets.into_iter().zip(stacks) {
            resolver.step(offset, stack);
            if offset == 3 {
                resolver.stored(word(0), word(current));
            }
        }
        resolver.end(end, 0).expect("a frame ended")
    }

    #[test]
    fn terms_depend_on_what_was_touched_and_stored() {
        let kept = PathEnd::Kept;
        let fixed = 3 + 2 + 2;
        let mut resolver = Resolver::new();
        assert_eq!(run(&mut resolver, 0, kept).total(), fixed + 20_000 + SSTORE_COLD + SLOT.warm);
        // The slot is warm and was changed before: what it had at first counts.
        assert_eq!(run(&mut resolver, 2, kept).total(), fixed + 100 + SLOT.warm);
        assert_eq!(run(&mut Resolver::new(), 2, kept).total(), fixed + 2900 + SSTORE_COLD + SLOT.warm);
        // What failed has touched nothing.
        let mut resolver = Resolver::new();
        run(&mut resolver, 0, PathEnd::Undone);
        assert_eq!(run(&mut resolver, 0, kept).total(), fixed + 20_000 + SSTORE_COLD + SLOT.warm);
        assert_eq!(run(&mut resolver, 0, PathEnd::Trapped).total(), 100_000);
    }

    #[test]
    fn an_operation_outside_of_the_code_is_told() {
        let (bytes, _) = code();
        let mut resolver = Resolver::new();
        resolver.begin(Address::ZERO, false, 100);
        resolver.set_code(Arc::new(CodeCosts::new(&bytes, Encoding::Evm)));
        resolver.step(0, &[]);
        resolver.step(1, &[word(1)]);
        assert!(resolver.end(PathEnd::Undone, 0).expect("a frame ended").is_lost);
    }
}
