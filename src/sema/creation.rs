//! Who creates whom: the creation code of a contract is embedded in its creator, so there are no circles (K0507).

use std::collections::BTreeMap;

use super::Sema;
use super::scope::ContractIndex;
use crate::diag::Code;
use crate::source::Span;

impl Sema<'_> {
    /// The contracts that a contract's functions create or ask the hash of, each with the first place.
    pub(super) fn created_by(&self, contract: ContractIndex) -> BTreeMap<u32, Span> {
        let functions = &self.contracts[contract].typed.functions;
        let sites = functions.iter().flat_map(|&id| &self.signature(id).effects.creates);
        let mut created = BTreeMap::new();
        for &(index, span) in sites {
            created.entry(index as u32).or_insert(span);
        }
        created
    }

    /// Reports contracts that create each other in a circle, once for each place that closes one.
    pub(super) fn check_creation_cycles(&mut self) {
        let created: Vec<Vec<(usize, Span)>> = (0..self.contracts.len())
            .map(|index| self.created_by(index).into_iter().map(|made| (made.0 as usize, made.1)).collect())
            .collect();
        let mut done = vec![false; created.len()];
        // The stack is explicit: the length of a chain is the source's choice.
        for start in 0..created.len() {
            let mut way: Vec<(usize, usize)> = vec![(start, 0)];
            while let Some((at, next)) = way.last_mut() {
                let at = *at;
                let step = if done[at] { None } else { created[at].get(*next).copied() };
                *next += 1;
                let Some((child, span)) = step else {
                    done[at] = true;
                    way.pop();
                    continue;
                };
                match way.iter().position(|step| step.0 == child) {
                    Some(from) => {
                        let circle = way[from..].iter().map(|step| step.0).chain([child]);
                        let names: Vec<&str> =
                            circle.map(|index| self.contracts[index].ast.name.as_str()).collect();
                        let cycle = names.join(" creates ");
                        self.diags.error(Code::CreationCycle, span).arg("cycle", cycle);
                    }
                    None => way.push((child, 0)),
                }
            }
        }
    }
}
