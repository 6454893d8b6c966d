//! Gates before compiled code: at which block heads a run may enter it. They cost no compilation.

use std::any::Any;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use alloy_primitives::B256;
use serde::{Deserialize, Serialize};
use zvm::bytecode::Code;
use zvm::compiled::frame::{Frame, Spec};
use zvm::compiled::tier::{CompiledCode, Effort, Refusal, Tier};
use zvm::host::Host;
use zvm::outcome::Exit;
use zvm_jit::Jit;

/// Where a run may enter compiled code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// Everywhere.
    Open,
    /// From the block head with that number on, counted over the frames of the run.
    After(u64),
    /// At every other block head or so, picked by a seed.
    Random(u64),
}

/// The gate of the run that goes on, shared by all code of an engine.
#[derive(Debug)]
pub struct Control {
    gate: Mutex<Gate>,
    asked: AtomicU64,
    has_failed: AtomicBool,
}

impl Control {
    /// An open gate.
    pub fn new() -> Arc<Control> {
        Arc::new(Control {
            gate: Mutex::new(Gate::Open),
            asked: AtomicU64::new(0),
            has_failed: AtomicBool::new(false),
        })
    }

    /// Sets the gate of the next run.
    pub fn set(&self, gate: Gate) {
        *self.gate.lock().unwrap_or_else(PoisonError::into_inner) = gate;
        self.asked.store(0, Ordering::Relaxed);
    }

    /// Whether the compiler failed or panicked since this was asked last. The engine would only interpret.
    pub fn take_failure(&self) -> bool {
        self.has_failed.swap(false, Ordering::Relaxed)
    }

    fn note(&self, refusal: Refusal) -> Refusal {
        if refusal != Refusal::Limit {
            self.has_failed.store(true, Ordering::Relaxed);
        }
        refusal
    }

    fn lets_in(&self) -> bool {
        let count = self.asked.fetch_add(1, Ordering::Relaxed);
        match *self.gate.lock().unwrap_or_else(PoisonError::into_inner) {
            Gate::Open => true,
            Gate::After(heads) => count >= heads,
            Gate::Random(seed) => is_odd(seed, count),
        }
    }
}

/// A coin for each number.
pub(crate) fn is_odd(seed: u64, number: u64) -> bool {
    testkit::random::Random::new(seed.wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15))).bits64() & 1
        == 1
}

/// A compiler whose code stands behind a gate.
pub struct GatedTier {
    jit: Arc<Jit>,
    control: Arc<Control>,
    /// Leaves out regions picked by this seed.
    skip_seed: Option<u64>,
    /// Compiled code by hash: init code is compiled once, not once per creation.
    known: Mutex<HashMap<B256, Arc<dyn CompiledCode>>>,
}

/// Contracts that a gated tier remembers.
const KNOWN_MAX: usize = 48;

impl GatedTier {
    /// A gate before a compiler.
    pub fn new(jit: Arc<Jit>, control: Arc<Control>, skip_seed: Option<u64>) -> GatedTier {
        GatedTier { jit, control, skip_seed, known: Mutex::default() }
    }
}

impl Tier for GatedTier {
    fn prepare(&self, code: &Code, spec: &Spec) -> Result<Box<dyn CompiledCode>, Refusal> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let inner = match known.get(&code.hash()) {
            Some(inner) => inner.clone(),
            None => {
                let prepared =
                    Tier::prepare(&*self.jit, code, spec).map_err(|refusal| self.control.note(refusal))?;
                let inner: Arc<dyn CompiledCode> = Arc::from(prepared);
                if known.len() >= KNOWN_MAX {
                    known.clear();
                }
                known.insert(code.hash(), inner.clone());
                inner
            }
        };
        Ok(Box::new(GatedCode { inner, control: self.control.clone(), skip_seed: self.skip_seed }))
    }
}

struct GatedCode {
    inner: Arc<dyn CompiledCode>,
    control: Arc<Control>,
    skip_seed: Option<u64>,
}

impl CompiledCode for GatedCode {
    fn region_count(&self) -> usize {
        self.inner.region_count()
    }

    fn region_at(&self, pc: usize) -> Option<usize> {
        self.inner.region_at(pc)
    }

    fn region_size(&self, region: usize) -> usize {
        self.inner.region_size(region)
    }

    fn compile_region(&self, code: &Code, region: usize, effort: Effort) -> Result<(), Refusal> {
        match self.skip_seed {
            Some(seed) if is_odd(seed, region as u64) => Err(Refusal::Limit),
            _ => {
                self.inner.compile_region(code, region, effort).map_err(|refusal| self.control.note(refusal))
            }
        }
    }

    fn is_improvable(&self, region: usize) -> bool {
        self.inner.is_improvable(region)
    }

    fn can_enter(&self, pc: usize) -> bool {
        self.inner.can_enter(pc) && self.control.lets_in()
    }

    fn run(&self, frame: &mut Frame, host: &mut dyn Host) -> Exit {
        self.inner.run(frame, host)
    }

    fn size_bytes(&self) -> usize {
        self.inner.size_bytes()
    }

    fn as_any(&self) -> &dyn Any {
        self.inner.as_any()
    }
}
