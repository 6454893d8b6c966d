//! Inputs of properties: how they are made, made smaller, encoded and shown.

use std::fmt::Write;

use alloy_dyn_abi::{DynSolType, DynSolValue};
use alloy_primitives::{Address, B256, I256, U256, hex};
use kalix::sema::types::{Type, TypeId, Types};

/// Longest `bytes`, `string` or `Vec` that is made.
const LENGTH_MAX: u64 = 40;

/// A stream of numbers that one seed always gives: SplitMix64.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Random {
        Random(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ bits >> 31
    }

    /// A number below `end`, which is not 0.
    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn word(&mut self) -> U256 {
        U256::from_limbs([self.next(), self.next(), self.next(), self.next()])
    }
}

/// Which values a run gets: the edges come first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Choice {
    Least,
    Greatest,
    One,
    Mixed,
}

/// Makes and shows values of the types of a program.
pub(crate) struct Values<'p> {
    types: &'p Types,
    /// Accounts that the tests know, with their names.
    names: &'p [(Address, String)],
}

impl<'p> Values<'p> {
    pub(crate) fn new(types: &'p Types, names: &'p [(Address, String)]) -> Values<'p> {
        Values { types, names }
    }

    /// The input of a run.
    pub(crate) fn input(&self, params: &[TypeId], run: u32, random: &mut Random) -> Vec<DynSolValue> {
        let choice = match run {
            0 => Choice::Least,
            1 => Choice::Greatest,
            2 => Choice::One,
            _ => Choice::Mixed,
        };
        params.iter().map(|&ty| self.value(ty, choice, random)).collect()
    }

    /// Zeros of these types.
    pub(crate) fn zeros(&self, params: &[TypeId]) -> Vec<DynSolValue> {
        self.input(params, 0, &mut Random::new(0)).into_iter().map(zero_of).collect()
    }

    fn value(&self, ty: TypeId, choice: Choice, random: &mut Random) -> DynSolValue {
        match self.types.get(ty) {
            Type::Bool => DynSolValue::Bool(match choice {
                Choice::Least => false,
                Choice::Greatest | Choice::One => true,
                Choice::Mixed => random.below(2) == 1,
            }),
            Type::Int(int) => {
                let bits = usize::from(int.bits);
                let word = int_word(bits, int.signed, choice, random);
                match int.signed {
                    true => DynSolValue::Int(I256::from_raw(word), bits),
                    false => DynSolValue::Uint(word, bits),
                }
            }
            Type::Address | Type::Handle(_) => DynSolValue::Address(self.address(choice, random)),
            Type::Hash => DynSolValue::FixedBytes(fixed_bytes(32, choice, random), 32),
            &Type::FixedBytes(size) => {
                DynSolValue::FixedBytes(fixed_bytes(size.into(), choice, random), size.into())
            }
            Type::Bytes => DynSolValue::Bytes(self.data(choice, random, |byte| byte)),
            Type::String => {
                let letters = self.data(choice, random, |byte| b' ' + byte % 95);
                DynSolValue::String(letters.into_iter().map(char::from).collect())
            }
            Type::Tuple(elements) => {
                DynSolValue::Tuple(elements.iter().map(|&ty| self.value(ty, choice, random)).collect())
            }
            Type::Struct(id) => {
                let fields = &self.types.structs[id.index()].fields;
                DynSolValue::Tuple(fields.iter().map(|field| self.value(field.1, choice, random)).collect())
            }
            Type::Enum(id) => {
                let variants = &self.types.enums[id.index()].variants;
                let at = match choice {
                    Choice::Least => 0,
                    Choice::Greatest => variants.len().saturating_sub(1),
                    Choice::One => 1.min(variants.len().saturating_sub(1)),
                    Choice::Mixed => random.below(variants.len().max(1) as u64) as usize,
                };
                let discriminant = variants.get(at).map_or(0, |variant| variant.discriminant);
                DynSolValue::Uint(U256::from(discriminant), 8)
            }
            &Type::Array { element, length } => {
                DynSolValue::FixedArray((0..length).map(|_| self.value(element, choice, random)).collect())
            }
            &Type::Vec(element) => {
                let length = length(choice, random) / 4;
                DynSolValue::Array((0..length).map(|_| self.value(element, choice, random)).collect())
            }
            // Checking refused parameters of other types.
            _ => DynSolValue::Uint(U256::ZERO, 256),
        }
    }

    fn address(&self, choice: Choice, random: &mut Random) -> Address {
        match choice {
            Choice::Least => Address::ZERO,
            Choice::Greatest => Address::repeat_byte(0xff),
            Choice::One => Address::with_last_byte(1),
            // Few accounts, so that two of them are often one.
            Choice::Mixed => match random.below(8) {
                0 => Address::ZERO,
                1 if !self.names.is_empty() => self.names[random.below(self.names.len() as u64) as usize].0,
                2 => Address::with_last_byte(random.below(4) as u8 + 0x20),
                _ => Address::from_slice(&random.word().to_be_bytes::<32>()[12..]),
            },
        }
    }

    fn data(&self, choice: Choice, random: &mut Random, letter: impl Fn(u8) -> u8) -> Vec<u8> {
        let length = length(choice, random);
        (0..length).map(|_| letter(random.next() as u8)).collect()
    }

    /// Inputs that are smaller, the smallest first.
    pub(crate) fn smaller(&self, params: &[TypeId], input: &[DynSolValue]) -> Vec<Vec<DynSolValue>> {
        let mut found = Vec::new();
        for (at, (&ty, value)) in params.iter().zip(input).enumerate() {
            for smaller in self.smaller_values(ty, value) {
                let mut candidate = input.to_vec();
                candidate[at] = smaller;
                found.push(candidate);
            }
        }
        found
    }

    fn smaller_values(&self, ty: TypeId, value: &DynSolValue) -> Vec<DynSolValue> {
        let within = |values: &[DynSolValue], types: &[TypeId]| -> Vec<Vec<DynSolValue>> {
            self.smaller(types, values)
        };
        match (self.types.get(ty), value) {
            (_, DynSolValue::Bool(true)) => vec![DynSolValue::Bool(false)],
            (Type::Enum(id), &DynSolValue::Uint(word, bits)) => {
                let variants = &self.types.enums[id.index()].variants;
                let all = variants.iter().map(|variant| U256::from(variant.discriminant));
                all.filter(|&other| other < word).map(|word| DynSolValue::Uint(word, bits)).collect()
            }
            (_, &DynSolValue::Uint(word, bits)) => {
                smaller_words(word).into_iter().map(|word| DynSolValue::Uint(word, bits)).collect()
            }
            (_, &DynSolValue::Int(value, bits)) => {
                let size = value.unsigned_abs();
                let mut values = vec![];
                if value.is_negative() && size < U256::from(1) << 255 {
                    values.push(DynSolValue::Int(I256::from_raw(size), bits));
                }
                let signed = |size: U256| match value.is_negative() {
                    true => I256::from_raw(size.wrapping_neg()),
                    false => I256::from_raw(size),
                };
                values
                    .extend(smaller_words(size).into_iter().map(|size| DynSolValue::Int(signed(size), bits)));
                if value.is_negative() && bits < 256 {
                    // The magnitude of the least value fits no positive one.
                    values.retain(|other| {
                        !matches!(other, DynSolValue::Int(int, _)
                        if *int >= I256::from_raw(U256::from(1) << (bits - 1)))
                    });
                }
                values
            }
            (_, DynSolValue::Address(address)) => {
                let mut simple = vec![Address::ZERO, Address::with_last_byte(1), Address::with_last_byte(2)];
                simple.extend(self.names.iter().map(|name| name.0));
                let end = simple.iter().position(|other| other == address).unwrap_or(simple.len());
                simple[..end].iter().map(|&address| DynSolValue::Address(address)).collect()
            }
            (_, DynSolValue::FixedBytes(word, size)) if !word.is_zero() => {
                let mut values = vec![DynSolValue::FixedBytes(B256::ZERO, *size)];
                for at in 0..*size {
                    if word[at] != 0 {
                        let mut simpler = *word;
                        simpler[at] = 0;
                        values.push(DynSolValue::FixedBytes(simpler, *size));
                    }
                }
                values
            }
            (_, DynSolValue::Bytes(bytes)) => {
                smaller_lists(bytes, 0).into_iter().map(DynSolValue::Bytes).collect()
            }
            (_, DynSolValue::String(text)) => {
                let letters: Vec<char> = text.chars().collect();
                let lists = smaller_lists(&letters, 'a');
                lists.into_iter().map(|letters| DynSolValue::String(letters.into_iter().collect())).collect()
            }
            (&Type::Vec(element), DynSolValue::Array(elements)) => {
                let types = vec![element; elements.len()];
                let shorter = (0..elements.len()).map(|at| {
                    let mut rest = elements.clone();
                    rest.remove(at);
                    rest
                });
                let halves = (elements.len() > 1).then(|| elements[..elements.len() / 2].to_vec());
                let all = halves.into_iter().chain(shorter).chain(within(elements, &types));
                all.map(DynSolValue::Array).collect()
            }
            (&Type::Array { element, .. }, DynSolValue::FixedArray(elements)) => {
                let types = vec![element; elements.len()];
                within(elements, &types).into_iter().map(DynSolValue::FixedArray).collect()
            }
            (Type::Struct(id), DynSolValue::Tuple(fields)) => {
                let declared = &self.types.structs[id.index()].fields;
                let types: Vec<TypeId> = declared.iter().map(|field| field.1).collect();
                within(fields, &types).into_iter().map(DynSolValue::Tuple).collect()
            }
            (Type::Tuple(types), DynSolValue::Tuple(elements)) => {
                within(elements, types).into_iter().map(DynSolValue::Tuple).collect()
            }
            _ => Vec::new(),
        }
    }

    /// The values of these types in data that `abi.encode` made.
    pub(crate) fn decode(&self, types: &[TypeId], data: &[u8]) -> Option<Vec<DynSolValue>> {
        let parts: Option<Vec<DynSolType>> =
            types.iter().map(|&ty| DynSolType::parse(&self.types.abi_type(ty)?).ok()).collect();
        match DynSolType::Tuple(parts?).abi_decode_params(data).ok()? {
            DynSolValue::Tuple(values) if types.len() != 1 || values.len() == 1 => Some(values),
            value => Some(vec![value]),
        }
    }

    /// A value as one would write it in Kalix.
    pub(crate) fn show(&self, ty: TypeId, value: &DynSolValue) -> String {
        let list = |values: &[DynSolValue], types: &dyn Fn(usize) -> TypeId| -> String {
            let shown: Vec<String> =
                values.iter().enumerate().map(|(at, value)| self.show(types(at), value)).collect();
            shown.join(", ")
        };
        match (self.types.get(ty), value) {
            (Type::Enum(id), DynSolValue::Uint(word, _)) => {
                let def = &self.types.enums[id.index()];
                let variant = def.variants.iter().find(|variant| U256::from(variant.discriminant) == *word);
                variant.map_or(word.to_string(), |variant| format!("{}::{}", def.name, variant.name))
            }
            (Type::Struct(id), DynSolValue::Tuple(fields)) => {
                let def = &self.types.structs[id.index()];
                let mut text = format!("{} {{ ", def.name);
                for (at, (field, value)) in def.fields.iter().zip(fields).enumerate() {
                    let separator = if at == 0 { "" } else { ", " };
                    let shown = self.show(field.1, value);
                    write!(text, "{separator}{}: {shown}", field.0).expect("a string grows");
                }
                text + " }"
            }
            (Type::Tuple(types), DynSolValue::Tuple(values)) => {
                format!("({})", list(values, &|at| types.get(at).copied().unwrap_or(TypeId::ERROR)))
            }
            (&Type::Vec(element), DynSolValue::Array(values))
            | (&Type::Array { element, .. }, DynSolValue::FixedArray(values)) => {
                format!("[{}]", list(values, &|_| element))
            }
            (_, DynSolValue::Bool(value)) => value.to_string(),
            (_, DynSolValue::Uint(word, bits)) => {
                let greatest = U256::MAX >> (256 - *bits);
                match *word == greatest && *bits > 8 {
                    true => format!("u{bits}::MAX"),
                    false => word.to_string(),
                }
            }
            (_, DynSolValue::Int(value, bits)) => match I256::from_raw((U256::MAX >> (256 - *bits)) >> 1) {
                greatest if *value == greatest && *bits > 8 => format!("i{bits}::MAX"),
                _ => value.to_string(),
            },
            (_, DynSolValue::Address(address)) => self.show_address(address),
            (_, DynSolValue::FixedBytes(word, size)) => format!("0x{}", hex::encode(&word[..*size])),
            (_, DynSolValue::Bytes(bytes)) => format!("hex\"{}\"", hex::encode(bytes)),
            (_, DynSolValue::String(text)) => format!("{text:?}"),
            _ => "?".to_owned(),
        }
    }

    /// An account, by its name if it has one.
    pub(crate) fn show_address(&self, address: &Address) -> String {
        match self.names.iter().find(|name| name.0 == *address) {
            Some((_, name)) => format!("{name} ({address})"),
            None if address.is_zero() => "Address::ZERO".to_owned(),
            None => address.to_string(),
        }
    }
}

fn zero_of(value: DynSolValue) -> DynSolValue {
    match value {
        DynSolValue::Int(_, bits) => DynSolValue::Int(I256::ZERO, bits),
        DynSolValue::FixedArray(values) => DynSolValue::FixedArray(values.into_iter().map(zero_of).collect()),
        DynSolValue::Tuple(values) => DynSolValue::Tuple(values.into_iter().map(zero_of).collect()),
        other => other,
    }
}

fn length(choice: Choice, random: &mut Random) -> u64 {
    match choice {
        Choice::Least => 0,
        Choice::Greatest => LENGTH_MAX,
        Choice::One => 1,
        Choice::Mixed => random.below(LENGTH_MAX + 1),
    }
}

fn fixed_bytes(size: usize, choice: Choice, random: &mut Random) -> B256 {
    let mut bytes = match choice {
        Choice::Least => B256::ZERO,
        Choice::Greatest => B256::repeat_byte(0xff),
        Choice::One => B256::with_last_byte(0) | B256::from(U256::from(1) << 248),
        Choice::Mixed => B256::from(random.word()),
    };
    bytes[size..].fill(0);
    bytes
}

/// An integer, sign-extended: edges, numbers of every length, and small ones.
fn int_word(bits: usize, signed: bool, choice: Choice, random: &mut Random) -> U256 {
    let greatest = U256::MAX >> (256 - bits + usize::from(signed));
    let least = if signed { !greatest } else { U256::ZERO };
    match choice {
        Choice::Least => least,
        Choice::Greatest => greatest,
        Choice::One => U256::from(1),
        Choice::Mixed => match random.below(8) {
            0 => match random.below(6) {
                0 => least,
                1 => greatest,
                2 => U256::ZERO,
                3 => U256::from(1),
                4 => greatest - U256::from(1),
                _ => least.wrapping_add(U256::from(1)),
            },
            1 => U256::from(random.below(17)).min(greatest),
            _ => {
                let kept = random.below(bits as u64) as usize + 1;
                let word = random.word() >> (256 - kept);
                match signed {
                    // The sign is the highest bit kept.
                    true if word.bit(kept - 1) => word | (U256::MAX << (kept - 1)),
                    _ => word,
                }
            }
        },
    }
}

/// Numbers below a number, in steps that find the least one that still fails.
fn smaller_words(word: U256) -> Vec<U256> {
    // What depends on remainders is rarely found by halving.
    let mut found: Vec<U256> = (0..=16u64).map(U256::from).filter(|&small| small < word).collect();
    found.extend(
        [128usize, 64, 32, 16, 8, 4, 2].map(|bits| word >> bits).into_iter().filter(|short| !short.is_zero()),
    );
    let mut step = word;
    while !step.is_zero() {
        found.push(word - step);
        step >>= 1;
    }
    found
}

/// Shorter lists, and lists with simpler elements.
fn smaller_lists<T: Clone + PartialEq>(list: &[T], simplest: T) -> Vec<Vec<T>> {
    let mut found = Vec::new();
    let mut kept = 0;
    while kept < list.len() {
        found.push(list[..kept].to_vec());
        kept = (kept + list.len()).div_ceil(2);
        if kept == list.len() - 1 {
            found.push(list[..kept].to_vec());
            break;
        }
    }
    for at in 0..list.len() {
        if list[at] != simplest {
            let mut simpler = list.to_vec();
            simpler[at] = simplest.clone();
            found.push(simpler);
        }
    }
    found
}
