//! Turning one stack into another: the operations between the end of a block and the layout that the next one expects.
//!
//! Greedy, and linear in the number of words that are in the wrong place: surplus words are popped when they are on top,
//! a word on top that belongs elsewhere is swapped there, missing words are duplicated or pushed. Only stacks are
//! known here, no instructions.

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step<T> {
    /// Drops the top.
    Pop,
    /// Exchanges the top with the word this far below it.
    Swap(usize),
    /// Duplicates the word at this depth, 1 = top.
    Dup(usize),
    /// Pushes a word that is not on the stack.
    Push(T),
}

/// The steps that turn `stack` into `target`, both bottom first; `stack` is left equal to `target`.
///
/// A word of `target` that is not on the stack is pushed. Words below `stack` are not touched.
pub(super) fn shuffle<T: Copy + Eq>(stack: &mut Vec<T>, target: &[T]) -> Vec<Step<T>> {
    let mut steps = Vec::new();
    let count = |words: &[T], word: T| words.iter().filter(|&&w| w == word).count();
    loop {
        let height = stack.len();
        let in_place = |i: usize| i < target.len() && stack[i] == target[i];
        let Some(top) = stack.last().copied() else {
            match target.first() {
                None => return steps,
                Some(&word) => {
                    stack.push(word);
                    steps.push(Step::Push(word));
                    continue;
                }
            }
        };
        // Exchanging equal words would change nothing.
        let wrong = (0..height).find(|&i| !in_place(i) && stack[i] != top);
        if !in_place(height - 1) {
            // A place where the top belongs and something else is.
            let home = (0..height - 1).find(|&i| i < target.len() && target[i] == top && !in_place(i));
            let surplus = count(stack, top) > count(target, top);
            if surplus {
                stack.pop();
                steps.push(Step::Pop);
                continue;
            }
            if let Some(home) = home {
                stack.swap(home, height - 1);
                steps.push(Step::Swap(height - 1 - home));
                continue;
            }
        }
        // What is missing comes first where it belongs at once, else where it can be swapped down.
        let missing = |&&word: &&T| count(stack, word) < count(target, word);
        let next = target.get(height).filter(missing);
        if let Some(&word) = next.or_else(|| target.iter().find(missing)) {
            steps.push(match stack.iter().rposition(|&w| w == word) {
                Some(at) => Step::Dup(height - at),
                None => Step::Push(word),
            });
            stack.push(word);
            continue;
        }
        // Nothing is missing; a word in the wrong place comes to the top, from where it is popped or swapped home.
        match wrong {
            None if height == target.len() => return steps,
            None => unreachable!("a stack that is a proper prefix of the target misses a word"),
            Some(wrong) => {
                debug_assert!(wrong < height - 1, "the top was handled above");
                stack.swap(wrong, height - 1);
                steps.push(Step::Swap(height - 1 - wrong));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run(stack: &[u8], target: &[u8]) -> Vec<Step<u8>> {
        let mut end = stack.to_vec();
        let steps = shuffle(&mut end, target);
        assert_eq!(end, target);
        let mut replayed = stack.to_vec();
        for step in &steps {
            let height = replayed.len();
            match *step {
                Step::Pop => drop(replayed.pop()),
                Step::Swap(distance) => replayed.swap(height - 1, height - 1 - distance),
                Step::Dup(depth) => replayed.push(replayed[height - depth]),
                Step::Push(word) => {
                    assert!(!replayed.contains(&word), "what is on the stack is duplicated");
                    replayed.push(word);
                }
            }
        }
        assert_eq!(replayed, target);
        steps
    }

    #[test]
    fn common_shapes_are_short() {
        assert_eq!(run(&[1, 2], &[1, 2]), []);
        assert_eq!(run(&[1, 2, 3], &[1, 2]), [Step::Pop]);
        assert_eq!(run(&[9, 1], &[1, 9]), [Step::Swap(1)]);
        assert_eq!(run(&[1], &[1, 1]), [Step::Dup(1)]);
        assert_eq!(run(&[1, 2], &[1, 7]), [Step::Pop, Step::Push(7)]);
        assert_eq!(run(&[7, 1], &[1]), [Step::Swap(1), Step::Pop]);
        assert_eq!(run(&[], &[4, 5]), [Step::Push(4), Step::Push(5)]);
    }

    proptest! {
        #[test]
        fn every_target_is_reached(stack in prop::collection::vec(0u8..12, 0..24), target in prop::collection::vec(0u8..12, 0..24)) {
            let steps = run(&stack, &target);
            prop_assert!(steps.len() <= 3 * (stack.len() + target.len()), "{} steps", steps.len());
        }
    }
}
