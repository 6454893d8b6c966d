//! Words of storage as `kalixc gas --state` names them: `NAME=VALUE`, `NAME[KEY]=VALUE`, `0xSLOT=VALUE`.

use alloy_dyn_abi::{DynSolType, DynSolValue};
use alloy_primitives::{U256, keccak256};
use anyhow::{Context, anyhow, bail};
use kalix::sema::typed::{Contract, MemberKind, StorageMember};
use kalix::sema::types::{Type, TypeId, Types};

/// Some bits of a slot.
pub(super) struct StateWord {
    pub(super) slot: U256,
    /// The bits that are set to those of `word`.
    pub(super) mask: U256,
    pub(super) word: U256,
}

/// Reads one setting.
pub(super) fn parse(text: &str, contract: &Contract, types: &Types) -> anyhow::Result<StateWord> {
    let (place, value) = text.split_once('=').with_context(|| {
        format!("`{text}` sets nothing; write NAME=VALUE, NAME[KEY]=VALUE or 0xSLOT=VALUE")
    })?;
    let (place, value) = (place.trim(), value.trim());
    if place.starts_with("0x") {
        let number = |text: &str| text.parse::<U256>().with_context(|| format!("`{text}` is no word"));
        return Ok(StateWord { slot: number(place)?, mask: U256::MAX, word: number(value)? });
    }
    let (name, mut keys) = place.split_at(place.find('[').unwrap_or(place.len()));
    let member = contract
        .storage
        .iter()
        .find(|member| member.name == name && member.kind != MemberKind::Transient)
        .with_context(|| format!("`{}` has no state or table `{name}`", contract.name))?;
    let (mut slot, mut ty) = (member.slot, member.ty);
    while let Some(rest) = keys.strip_prefix('[') {
        let Type::Map { key, value } = *types.get(ty) else {
            bail!("`{name}` has no more keys before `[{rest}`; other places are named by slot, 0xSLOT=VALUE");
        };
        let end = rest.find(']').with_context(|| format!("a `]` is missing in `{place}`"))?;
        let mut preimage = slot.to_be_bytes_vec();
        for word in key_words(types, key, &rest[..end])? {
            preimage.extend(word.to_be_bytes::<32>());
        }
        (slot, ty, keys) = (keccak256(preimage).into(), value, &rest[end + 1..]);
    }
    if !keys.is_empty() {
        bail!("`{keys}` is left over in `{place}`");
    }
    let Some(size_bytes) = types.word_size_bytes(ty) else {
        bail!("`{place}` is no single word, but `{}`; name its slots, 0xSLOT=VALUE", types.display(ty));
    };
    let mut word = word_of(types, ty, value)?;
    if matches!(types.get(ty), Type::FixedBytes(_)) {
        word >>= 8 * (32 - usize::from(size_bytes));
    }
    if !shares_slot(contract, member) {
        return Ok(StateWord { slot, mask: U256::MAX, word });
    }
    let shift = 8 * usize::from(member.offset_bytes);
    let mask = (U256::MAX >> (256 - 8 * usize::from(size_bytes))) << shift;
    Ok(StateWord { slot, mask, word: word << shift & mask })
}

fn shares_slot(contract: &Contract, member: &StorageMember) -> bool {
    let is_other = |other: &&StorageMember| {
        other.kind != MemberKind::Transient && other.slot == member.slot && other.name != member.name
    };
    contract.storage.iter().any(|other| is_other(&other))
}

/// The words that a key is hashed as: one, or one for each element of a tuple.
fn key_words(types: &Types, ty: TypeId, text: &str) -> anyhow::Result<Vec<U256>> {
    let value = value_of(types, ty, text)?;
    let parts = match value {
        DynSolValue::Tuple(parts) => parts,
        other => vec![other],
    };
    let word = |part: &DynSolValue| match part {
        DynSolValue::Bytes(bytes) => Some(keccak256(bytes).into()),
        DynSolValue::String(text) => Some(keccak256(text.as_bytes()).into()),
        other => other.as_word().map(Into::into),
    };
    parts.iter().map(|part| word(part).with_context(|| format!("`{text}` is no key"))).collect()
}

fn word_of(types: &Types, ty: TypeId, text: &str) -> anyhow::Result<U256> {
    let word = value_of(types, ty, text)?.as_word();
    word.map(Into::into).with_context(|| format!("`{text}` is no single word"))
}

fn value_of(types: &Types, ty: TypeId, text: &str) -> anyhow::Result<DynSolValue> {
    let name =
        types.abi_type(ty).with_context(|| format!("`{}` cannot be written down", types.display(ty)))?;
    let sol = DynSolType::parse(&name).map_err(|error| anyhow!("`{name}`: {error}"))?;
    sol.coerce_str(text.trim()).map_err(|error| anyhow!("`{text}` as `{}`: {error}", types.display(ty)))
}
