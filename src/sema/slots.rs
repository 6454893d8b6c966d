//! Storage slots of members (§5.2).
//!
//! First every `state` member in source order, then every `table`, each at the next free slot; the fields of a
//! `state` group are packed and share slots. `transient` members are numbered from 1 in a space of their own. A
//! member with `#[slot(…)]` stands where it says and moves no other; an overlap is reported.

use std::ops::Range;

use alloy_primitives::U256;

use super::Sema;
use super::scope::ContractIndex;
use super::typed::{MemberKind, StorageMember};
use crate::diag::Code;

impl Sema<'_> {
    /// Gives the members of a contract their slots.
    pub(super) fn assign_slots(&mut self, contract: ContractIndex) {
        let contract = &mut self.contracts[contract];
        assign(&mut contract.typed.storage, &contract.groups);
        let (storage, groups) = (&contract.typed.storage, &contract.groups);
        let space = |index: usize| storage[index].kind == MemberKind::Transient;
        let mut order: Vec<usize> = (0..storage.len()).collect();
        order.sort_by_key(|&index| (space(index), storage[index].slot, index));
        // The member that reaches furthest so far, and the slot behind it.
        let mut furthest: Option<(usize, U256)> = None;
        for index in order {
            let member = &storage[index];
            let end = member.slot.saturating_add(slots_of(member));
            if let Some((first, taken)) = furthest
                && space(first) == space(index)
                && member.slot < taken
                && !groups.iter().any(|group| group.contains(&first) && group.contains(&index))
            {
                // The one with an explicit slot is the one to change.
                let (a, b) = if member.explicit_slot { (index, first) } else { (first, index) };
                self.diags
                    .error(Code::SlotOverlap, storage[a].span)
                    .arg("a", &storage[a].name)
                    .arg("b", &storage[b].name)
                    .arg("s", member.slot)
                    .secondary(storage[b].span, "the other member");
            }
            let further = furthest.is_none_or(|(first, taken)| space(first) != space(index) || end > taken);
            if further {
                furthest = Some((index, end));
            }
        }
    }
}

fn assign(storage: &mut [StorageMember], groups: &[Range<usize>]) {
    let mut next = U256::ZERO;
    let mut groups = groups.iter().peekable();
    let mut index = 0;
    while index < storage.len() {
        if let Some(group) = groups.next_if(|group| group.start == index) {
            next = pack(&mut storage[group.clone()], next);
            index = group.end.max(index);
            if group.is_empty() {
                continue;
            }
        } else {
            let member = &mut storage[index];
            if member.kind == MemberKind::State && !member.explicit_slot {
                member.slot = next;
                next += slots_of(member);
            }
            index += 1;
        }
    }
    // Transient slot 0 is the reentrancy lock.
    for (kind, mut next) in [(MemberKind::Table, next), (MemberKind::Transient, U256::from(1))] {
        for member in storage.iter_mut().filter(|member| member.kind == kind && !member.explicit_slot) {
            member.slot = next;
            next += slots_of(member);
        }
    }
}

/// How many slots a member takes that shares none.
fn slots_of(member: &StorageMember) -> U256 {
    U256::from(member.size_bytes.div_ceil(32))
}

/// Packs the fields of a group from slot `next` on, low-order bytes first; the first slot behind it.
fn pack(fields: &mut [StorageMember], next: U256) -> U256 {
    if fields.is_empty() {
        return next;
    }
    let (mut slot, mut used) = (next, 0);
    for field in fields {
        let is_word = field.size_bytes <= 32;
        if used > 0 && (used + field.size_bytes > 32 || !is_word) {
            (slot, used) = (slot + U256::from(1), 0);
        }
        (field.slot, field.offset_bytes) = (slot, used as u8);
        if is_word {
            used += field.size_bytes;
        } else {
            slot += slots_of(field);
        }
    }
    if used > 0 { slot + U256::from(1) } else { slot }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sema::types::TypeId;
    use crate::source::Span;

    fn member(kind: MemberKind, explicit: Option<u64>) -> StorageMember {
        StorageMember {
            name: String::new(),
            span: Span::default(),
            docs: Vec::new(),
            kind,
            ty: TypeId::U64,
            slot: U256::from(explicit.unwrap_or(0)),
            explicit_slot: explicit.is_some(),
            offset_bytes: 0,
            size_bytes: 8,
            is_pub: false,
        }
    }

    #[test]
    fn states_come_before_tables_and_explicit_slots_move_none() {
        let mut storage = [
            member(MemberKind::Table, None),
            member(MemberKind::State, None),
            member(MemberKind::State, Some(9)),
            member(MemberKind::Table, None),
            member(MemberKind::State, None),
        ];
        assign(&mut storage, &[]);
        let slots = storage.map(|member| member.slot);
        assert_eq!(slots, [2u64, 0, 9, 3, 1].map(U256::from));
    }

    #[test]
    fn groups_pack_low_bytes_first_and_begin_new_slots() {
        let field = |size| StorageMember { size_bytes: size, ..member(MemberKind::GroupField, None) };
        let mut storage = [
            member(MemberKind::State, None),
            field(2),
            field(1),
            field(20),
            field(16),
            field(16),
            field(1),
            member(MemberKind::State, None),
            member(MemberKind::Transient, None),
            member(MemberKind::Table, None),
        ];
        assign(&mut storage, &[0..0, 1..6, 6..7]);
        let places = storage.map(|member| (member.slot.to::<u64>(), member.offset_bytes));
        let expected = [(0, 0), (1, 0), (1, 2), (1, 3), (2, 0), (2, 16), (3, 0), (4, 0), (1, 0), (5, 0)];
        assert_eq!(places, expected);
    }
}
