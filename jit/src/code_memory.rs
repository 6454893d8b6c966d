//! Pages of machine code: written once, executable afterwards, never both, gone when dropped.

use std::sync::{Mutex, PoisonError};

use cranelift_codegen::ir::{Signature, types};
use cranelift_codegen::isa::{CallConv, OwnedTargetIsa};
use cranelift_jit::{ArenaMemoryProvider, JITBuilder, JITModule};
use cranelift_module::{Module, default_libcall_names};

use crate::entry::RegionFn;
use crate::error::JitError;

/// Executable code of the regions of one contract.
pub(crate) struct CodeMemory {
    /// Owns the pages. `None` only while dropping.
    module: Mutex<Option<JITModule>>,
    // Invariant: each points into pages of `module` that hold a finished function of this signature.
    regions: Vec<RegionFn>,
    size_bytes: usize,
}

/// Machine code of several functions, one behind the other.
#[derive(Default)]
pub(crate) struct CodeBytes {
    bytes: Vec<u8>,
    offsets: Vec<usize>,
}

/// Alignment of each function; a cache line.
const FUNCTION_ALIGN: usize = 64;

impl CodeBytes {
    /// Appends position-independent machine code without relocations: a function with the signature of a region.
    pub(crate) fn push(&mut self, code: &[u8]) {
        self.bytes.resize(self.bytes.len().next_multiple_of(FUNCTION_ALIGN), 0);
        self.offsets.push(self.bytes.len());
        self.bytes.extend_from_slice(code);
    }
}

impl CodeMemory {
    /// Copies the code to fresh pages and makes them executable.
    ///
    /// The caller vouches that each function of `code` is the finished output of Cranelift for a function with
    /// the signature of [`RegionFn`] on this machine; only [`compiler`](crate::compiler) does so.
    pub(crate) fn new(code: &CodeBytes, isa: &OwnedTargetIsa) -> Result<CodeMemory, JitError> {
        let failed = |error: &dyn std::fmt::Display| JitError::Memory(error.to_string());
        let provider = ArenaMemoryProvider::new_with_size(code.bytes.len().max(1)).map_err(|e| failed(&e))?;
        let mut builder = JITBuilder::with_isa(isa.clone(), default_libcall_names());
        builder.memory_provider(Box::new(provider));
        let mut module = JITModule::new(builder);
        let signature = Signature::new(isa.default_call_conv());
        let id = module.declare_anonymous_function(&signature).map_err(|e| failed(&e))?;
        let align = FUNCTION_ALIGN as u64;
        module.define_function_bytes(id, align, &code.bytes, &[]).map_err(|e| failed(&e))?;
        module.finalize_definitions().map_err(|e| failed(&e))?;
        let base = module.get_finalized_function(id);
        let regions = code
            .offsets
            .iter()
            .map(|&offset| {
                // SAFETY: the offset lies in the bytes just placed at `base`.
                let function = unsafe { base.add(offset) };
                // SAFETY: a finished function of this signature starts there, as the caller vouches.
                unsafe { std::mem::transmute::<*const u8, RegionFn>(function) }
            })
            .collect();
        Ok(CodeMemory { module: Mutex::new(Some(module)), regions, size_bytes: code.bytes.len() })
    }

    /// The function of a region; call it only while `self` lives.
    pub(crate) fn region(&self, number: u32) -> RegionFn {
        self.regions[number as usize]
    }

    /// Bytes of machine code.
    pub(crate) fn size_bytes(&self) -> usize {
        self.size_bytes
    }
}

impl Drop for CodeMemory {
    fn drop(&mut self) {
        let module = self.module.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(module) = module {
            // SAFETY: code runs only while the contract that owns `self` is borrowed, so none runs now, and the
            // pointers in `regions` go with `self`.
            unsafe { module.free_memory() };
        }
    }
}

/// The native signature of [`RegionFn`].
pub(crate) fn region_signature(call_conv: CallConv) -> Signature {
    use cranelift_codegen::ir::AbiParam;
    let mut signature = Signature::new(call_conv);
    signature.params.extend([AbiParam::new(types::I64), AbiParam::new(types::I32)]);
    signature.returns.push(AbiParam::new(types::I32));
    signature
}
