//! Words that change by the same amount in each round of a loop, and the questions that end the loop.
//!
//! How often a loop goes round follows from its start, its step and such a question; [`rounds`](super::rounds) finds these.

use alloy_primitives::U256;
use zvm::bytecode::Op;

use super::walk::Word;

/// What a word of the stack was when a loop's head was last reached, and a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Counter {
    /// The offset of the head.
    pub(super) head: u32,
    /// Where the word lay, counted from the bottom.
    pub(super) place: u32,
    /// What was added since.
    pub(super) plus: i64,
}

impl Counter {
    fn add(self, number: i64) -> Option<Word> {
        Some(Word::Counter(Counter { plus: self.plus.checked_add(number)?, ..self }))
    }
}

/// How a counter relates to a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Relation {
    Below,
    Above,
    Equal,
}

/// A question to a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Test {
    pub(super) counter: Counter,
    relation: Relation,
    number: u64,
    // Whether the opposite is asked.
    is_negated: bool,
}

impl Test {
    /// The question whose answer a condition is.
    pub(super) fn of(condition: Word) -> Option<Test> {
        match condition {
            Word::Test(test) => Some(test),
            // It is not 0.
            Word::Counter(counter) => {
                Some(Test { counter, relation: Relation::Equal, number: 0, is_negated: true })
            }
            _ => None,
        }
    }

    /// How often in a row the answer is `answer` if the loop's head first finds `start` in the counter's place, and each
    /// round adds `step`; `None` if that has no end, or none that is known here.
    pub(super) fn rounds(&self, answer: bool, start: u64, step: i64) -> Option<u64> {
        let first = i128::from(start) + i128::from(self.counter.plus);
        let (number, step) = (i128::from(self.number), i128::from(step));
        // Words have no sign: below 0 they would be huge.
        if first < 0 || step == 0 {
            return None;
        }
        let up_to = |end: i128| (step > 0).then(|| (end - first + step - 1).div_euclid(step).max(0));
        let down_to = |end: i128| {
            let rounds = (step < 0).then(|| (first - end).div_euclid(-step) + 1)?.max(0);
            (first + rounds * step >= 0).then_some(rounds)
        };
        let rounds = match (self.relation, answer != self.is_negated) {
            (Relation::Below, true) => up_to(number),
            (Relation::Above, false) => up_to(number + 1),
            (Relation::Above, true) => down_to(number + 1),
            (Relation::Below, false) => down_to(number),
            (Relation::Equal, false) => {
                let (way, rest) = ((number - first) / step, (number - first) % step);
                (way >= 0 && rest == 0).then_some(way)
            }
            (Relation::Equal, true) => None,
        };
        rounds.and_then(|rounds| u64::try_from(rounds).ok())
    }
}

/// The result of an operation one of whose operands, top first, is a counter or a question to one.
pub(super) fn result(op: Op, operands: &[Word]) -> Option<Word> {
    let test = |counter, relation, word: U256| {
        let number = u64::try_from(word).ok()?;
        Some(Word::Test(Test { counter, relation, number, is_negated: false }))
    };
    match (op, operands) {
        (Op::Add | Op::CAdd, &[Word::Counter(counter), Word::Known(word)])
        | (Op::Add | Op::CAdd, &[Word::Known(word), Word::Counter(counter)]) => counter.add(small(word)?),
        (Op::Sub | Op::CSub, &[Word::Counter(counter), Word::Known(word)]) => {
            counter.add(small(word)?.checked_neg()?)
        }
        // Counters are followed from 0 to 2^64, where words with and without a sign are the same.
        (Op::Lt | Op::Slt, &[Word::Counter(counter), Word::Known(word)])
        | (Op::Gt | Op::Sgt, &[Word::Known(word), Word::Counter(counter)]) => {
            test(counter, Relation::Below, word)
        }
        (Op::Gt | Op::Sgt, &[Word::Counter(counter), Word::Known(word)])
        | (Op::Lt | Op::Slt, &[Word::Known(word), Word::Counter(counter)]) => {
            test(counter, Relation::Above, word)
        }
        (Op::Eq, &[Word::Counter(counter), Word::Known(word)])
        | (Op::Eq, &[Word::Known(word), Word::Counter(counter)]) => test(counter, Relation::Equal, word),
        (Op::IsZero, &[Word::Counter(counter)]) => test(counter, Relation::Equal, U256::ZERO),
        (Op::IsZero, &[Word::Test(test)]) => Some(Word::Test(Test { is_negated: !test.is_negated, ..test })),
        _ => None,
    }
}

/// A word as a number with a sign, if it is a small one.
fn small(word: U256) -> Option<i64> {
    match i64::try_from(word) {
        Ok(number) => Some(number),
        Err(_) => i64::try_from(word.wrapping_neg()).ok()?.checked_neg(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNTER: Counter = Counter { head: 7, place: 2, plus: 0 };

    /// Counts by doing it, up to a thousand.
    fn counted(
        op: Op,
        number: u64,
        counter_first: bool,
        answer: bool,
        (start, step): (u64, i64),
    ) -> Option<u64> {
        let mut value = U256::from(start);
        let number = U256::from(number);
        for rounds in 0..1000 {
            let (a, b) = if counter_first { (value, number) } else { (number, value) };
            let found = match op {
                Op::Lt => a < b,
                Op::Gt => a > b,
                _ => a == b,
            };
            if found != answer {
                return Some(rounds);
            }
            value = match u64::try_from(step) {
                Ok(step) => value.wrapping_add(U256::from(step)),
                Err(_) => value.wrapping_sub(U256::from(step.unsigned_abs())),
            };
        }
        None
    }

    #[test]
    fn rounds_are_as_many_as_there_are() {
        let mut ended = 0;
        for op in [Op::Lt, Op::Gt, Op::Eq] {
            for (start, step) in [(0, 1), (3, 1), (10, -1), (9, -2), (10, -2), (1, 3), (5, 0), (300, -7)] {
                for number in [0, 1, 4, 10, 11] {
                    for (counter_first, answer) in
                        [(true, true), (true, false), (false, true), (false, false)]
                    {
                        let words = [Word::Counter(COUNTER), Word::Known(U256::from(number))];
                        let words = if counter_first { words } else { [words[1], words[0]] };
                        let test = Test::of(result(op, &words).expect("a test")).expect("a test");
                        let found = test.rounds(answer, start, step);
                        let expected = counted(op, number, counter_first, answer, (start, step));
                        ended += usize::from(found.is_some());
                        // What is not followed is not wrong: equality that holds, a count that passes 0.
                        assert!(
                            found.is_none() || found == expected,
                            "{op:?} {words:?} {answer} from {start} by {step}: {found:?}, {expected:?}"
                        );
                    }
                }
            }
        }
        assert!(ended > 150, "{ended}");
    }

    #[test]
    fn sums_and_negations_are_followed() {
        let one = Word::Known(U256::from(1));
        let less = result(Op::Sub, &[Word::Counter(COUNTER), one]).expect("a counter");
        assert_eq!(less, Word::Counter(Counter { plus: -1, ..COUNTER }));
        assert_eq!(result(Op::Add, &[Word::Known(U256::MAX), Word::Counter(COUNTER)]), Some(less));
        assert_eq!(result(Op::Sub, &[one, Word::Counter(COUNTER)]), None);
        // `left` is asked not to be 0 before it is lowered: 100 rounds, and one less if asked afterwards.
        let left = Test::of(Word::Counter(COUNTER)).expect("a condition");
        assert_eq!(left.rounds(true, 100, -1), Some(100));
        assert_eq!(Test::of(less).expect("a condition").rounds(true, 100, -1), Some(99));
        let done = Test::of(result(Op::IsZero, &[Word::Counter(COUNTER)]).expect("a test")).expect("a test");
        assert_eq!((done.rounds(false, 100, -1), done.rounds(true, 100, -1)), (Some(100), None));
        assert_eq!(left.rounds(true, 100, -3), None, "it never is 0");
    }
}
