//! Storage slots of members (§5.2).
//!
//! First every `state` member in source order, then every `table`, each at the next free slot. A member with
//! `#[slot(…)]` stands where it says and moves no other; an overlap is reported.

use std::collections::HashMap;

use alloy_primitives::U256;

use super::Sema;
use super::scope::ContractIndex;
use super::typed::{MemberKind, StorageMember};
use crate::diag::Code;

impl Sema<'_> {
    /// Gives the members of a contract their slots.
    pub(super) fn assign_slots(&mut self, contract: ContractIndex) {
        let storage = &mut self.contracts[contract].typed.storage;
        assign(storage);
        let mut taken: HashMap<U256, usize> = HashMap::new();
        for (index, member) in storage.iter().enumerate() {
            if let Some(first) = taken.insert(member.slot, index) {
                // The one with an explicit slot is the one to change.
                let (a, b) = if member.explicit_slot { (index, first) } else { (first, index) };
                self.diags
                    .error(Code::SlotOverlap, storage[a].span)
                    .arg("a", &storage[a].name)
                    .arg("b", &storage[b].name)
                    .arg("s", member.slot)
                    .secondary(storage[b].span, "the other member");
            }
        }
    }
}

fn assign(storage: &mut [StorageMember]) {
    let mut next = U256::ZERO;
    for kind in [MemberKind::State, MemberKind::Table] {
        for member in storage.iter_mut().filter(|member| member.kind == kind && !member.explicit_slot) {
            member.slot = next;
            next += U256::from(1);
        }
    }
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
        assign(&mut storage);
        let slots = storage.map(|member| member.slot);
        assert_eq!(slots, [2u64, 0, 9, 3, 1].map(U256::from));
    }
}
