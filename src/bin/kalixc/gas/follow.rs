//! Tells the estimator which way an execution goes, and keeps both figures of every call: the estimate and what the
//! machine took.

use std::collections::HashMap;
use std::sync::Arc;

use alloy_primitives::{Address, B256, U256};
use kalix::codegen::gas_report::Estimator;
use kalix::codegen::gas_report::path::{CodeCosts, PathEnd, PathGas, Resolver};
use kalix::driver::CompiledContract;
use zvm::Fork;
use zvm::call_stack::CallRequest;
use zvm::compiled::frame::Frame;
use zvm::host::HostError;
use zvm::inspect::{CallEnd, CallStart, Inspector, Interception, StorageAccess, StorageAccessKind, World};
use zvm::outcome::Exit;
use zvm::precompiles::is_precompile;

/// What ran, by the number of its contract among those compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Ran {
    /// Its creation.
    Creation(usize),
    /// A call that began with these bytes; fewer than four are none.
    Call(usize, Option<[u8; 4]>),
}

/// A call or creation that has ended.
#[derive(Clone, Debug)]
pub(crate) struct Followed {
    pub(crate) ran: Ran,
    pub(crate) exit: Option<Exit>,
    pub(crate) estimate: PathGas,
    /// What the machine took.
    pub(crate) taken: u64,
}

/// The code of a contract as it was compiled.
struct Contract {
    init: Vec<u8>,
    init_costs: Arc<CodeCosts>,
    runtime_costs: Arc<CodeCosts>,
}

/// A frame that runs.
struct Level {
    ran: Option<Ran>,
    gas: u64,
}

/// Follows the frames of a transaction.
pub(crate) struct Follower {
    resolver: Resolver,
    contracts: Vec<Contract>,
    /// Which contract an account is.
    accounts: HashMap<Address, usize>,
    /// Code that is none of the contracts', by its hash.
    foreign: HashMap<B256, Arc<CodeCosts>>,
    levels: Vec<Level>,
    ended: Vec<Followed>,
}

impl Follower {
    pub(crate) fn new(fork: Fork, contracts: &[CompiledContract]) -> Follower {
        let contracts = contracts.iter().map(|contract| {
            let artifact = &contract.artifact;
            Contract {
                init: artifact.container.init().unwrap_or_default().to_vec(),
                init_costs: Arc::new(Estimator::new(&artifact.init).costs()),
                runtime_costs: Arc::new(Estimator::new(&artifact.runtime).costs()),
            }
        });
        let mut resolver = Resolver::new();
        // Nobody's address is that of the block's beneficiary, too.
        resolver.warm_account(Address::ZERO);
        let low = (1..=u64::from(u16::MAX)).map(|number| Address::from_word(U256::from(number).into()));
        low.filter(|address| is_precompile(fork, address)).for_each(|address| resolver.warm_account(address));
        Follower {
            resolver,
            contracts: contracts.collect(),
            accounts: HashMap::new(),
            foreign: HashMap::new(),
            levels: Vec::new(),
            ended: Vec::new(),
        }
    }

    /// Makes an account warm from the start.
    pub(crate) fn warm(&mut self, account: Address) {
        self.resolver.warm_account(account);
    }

    /// Says which accounts are contracts already, by their names.
    pub(crate) fn place(&mut self, places: &HashMap<String, Address>, contracts: &[CompiledContract]) {
        for (number, contract) in contracts.iter().enumerate() {
            if let Some(&place) = places.get(&contract.artifact.name) {
                self.accounts.insert(place, number);
            }
        }
    }

    /// Everything that was followed since the last time, in the order in which it ended.
    pub(crate) fn take(&mut self) -> Vec<Followed> {
        std::mem::take(&mut self.ended)
    }

    /// A frame of nobody's making begins.
    pub(crate) fn begin(&mut self, address: Address, is_creation: bool, gas: u64) {
        self.resolver.begin(address, is_creation, gas);
        self.levels.push(Level { ran: None, gas });
    }

    /// The call that was made last is answered by an inspector.
    pub(crate) fn answered(&mut self) {
        self.resolver.answered();
    }
}

impl Inspector for Follower {
    fn wants_steps(&self) -> bool {
        true
    }

    fn step(&mut self, frame: &Frame) {
        if self.resolver.wants_code() {
            let level = self.levels.last().and_then(|level| level.ran);
            let known = level.map(|ran| match ran {
                Ran::Creation(contract) => &self.contracts[contract].init_costs,
                Ran::Call(contract, _) => &self.contracts[contract].runtime_costs,
            });
            let code = &frame.code;
            let costs = match known {
                Some(costs) => Arc::clone(costs),
                None => {
                    let make = || Arc::new(CodeCosts::new(code.body(), code.encoding()));
                    Arc::clone(self.foreign.entry(code.hash()).or_insert_with(make))
                }
            };
            self.resolver.set_code(costs);
        }
        self.resolver.step(frame.pc as u32, frame.stack.words());
    }

    fn storage(&mut self, access: &StorageAccess) {
        if let StorageAccessKind::Written { previous, .. } = access.kind {
            self.resolver.stored(access.key, previous);
        }
    }

    fn intercept_call(
        &mut self,
        request: &mut CallRequest,
        _: usize,
        world: &mut dyn World,
    ) -> Result<Option<Interception>, HostError> {
        self.resolver.calling(world.is_dead(&request.code_address)?);
        Ok(None)
    }

    fn call_start(&mut self, start: &CallStart<'_>) {
        let is_creation = start.kind.is_create();
        let contract = if is_creation {
            let places = self.contracts.iter().enumerate();
            let found = places
                .filter(|(_, contract)| !contract.init.is_empty() && start.input.starts_with(&contract.init));
            let found = found.max_by_key(|(_, contract)| contract.init.len()).map(|(place, _)| place);
            match found {
                Some(place) => self.accounts.insert(start.address, place),
                None => self.accounts.remove(&start.address),
            };
            found
        } else {
            self.accounts.get(&start.code_address).copied()
        };
        let ran = contract.map(|contract| match is_creation {
            true => Ran::Creation(contract),
            false => Ran::Call(contract, start.input.first_chunk().copied()),
        });
        self.resolver.begin(start.address, is_creation, start.gas);
        self.levels.push(Level { ran, gas: start.gas });
    }

    fn call_end(&mut self, end: &CallEnd<'_>) {
        let Some(level) = self.levels.pop() else { return };
        let taken = level.gas.saturating_sub(end.gas_left);
        let how = match end.exit {
            Some(Exit::Halt | Exit::Return) => PathEnd::Kept,
            Some(Exit::Trap(_)) => PathEnd::Trapped,
            _ => PathEnd::Undone,
        };
        let Some(estimate) = self.resolver.end(how, taken) else { return };
        if let Some(ran) = level.ran {
            self.ended.push(Followed { ran, exit: end.exit, estimate, taken });
        }
    }
}
