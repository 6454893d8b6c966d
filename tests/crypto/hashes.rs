//! `sha256`, `ripemd160` and `blake2b`.

use alloy_primitives::hex;
use zvm::U256;
use zvm::bytecode::Op;

use crate::world::worlds;

#[test]
fn hashes_are_those_of_other_implementations_and_cost_what_the_table_says() {
    for (column, op) in [Op::Sha256, Op::Ripemd160, Op::Blake2b].into_iter().enumerate() {
        let text = format!(
            ".zvm\ncalldatasize\npush0\npush0\ncalldatacopy\ncalldatasize\npush0\n{}\npush0\nmstore\npush1 32\npush0
            return",
            op.name()
        );
        let mut worlds = worlds(&text);
        let mut rows = 0;
        for line in include_str!("vectors/hashes.txt").lines().filter(|line| !line.starts_with('#')) {
            let mut values = line.split(' ');
            let size: usize = values.next().expect("a size").parse().expect("a number");
            let expected = hex::decode(values.nth(column).expect("a hash")).expect("digits");
            let data: Vec<u8> = (0..size).map(|index| (index * 31 + 7) as u8).collect();
            for world in &mut worlds {
                let (word, gas) = world.run(data.clone().into());
                assert_eq!(word, U256::from_be_slice(&expected), "{op} of {size} bytes");
                let words = size.div_ceil(32) as u64;
                // Eleven other operations, a copy and the memory of both that and the answer.
                let others = 2 + 2 + 2 + 3 + 3 * words + 2 + 2 + 2 + 3 + 3 + 2;
                let memory = zvm::gas::memory_cost(words.max(1));
                let rate = op.dynamic_rate() * words;
                assert_eq!(gas, others + memory + op.info().gas + rate, "{op} of {size} bytes");
            }
            rows += 1;
        }
        assert_eq!(rows, 13, "{op}");
    }
}
