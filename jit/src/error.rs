//! Why code was not compiled. Each variant says whose fault it is; all of them mean "interpret".

use zvm::compiled::tier::Refusal;

/// Why code was not compiled.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JitError {
    /// The code is longer than the options allow; the caller may raise the limit.
    #[error("the code has {size} bytes, the compiler takes at most {limit}")]
    CodeTooLong {
        /// Bytes of the body.
        size: usize,
        /// [`JitOptions::code_size_max`](crate::JitOptions::code_size_max).
        limit: usize,
    },
    /// A region became more intermediate code than the options allow for its size.
    #[error("a region of {ops} operations became {instructions} instructions, at most {limit} are compiled")]
    TooCostly {
        /// Operations in the region.
        ops: usize,
        /// Instructions of intermediate code.
        instructions: usize,
        /// What [`JitOptions::instructions_per_op_max`](crate::JitOptions::instructions_per_op_max) gives.
        limit: usize,
    },
    /// Cranelift has no code generator for this machine.
    #[error("no code generator for this machine: {0}")]
    Machine(String),
    /// Cranelift refused the intermediate code: a mistake of the translator or of Cranelift.
    #[error("the code generator failed: {0}")]
    Backend(String),
    /// Cranelift panicked.
    #[error("the code generator panicked: {0}")]
    Panic(String),
    /// The compiler's code for it gave a wrong result once.
    #[error("the machine code of this code was found to be wrong, and is banned")]
    Banned,
    /// The operating system gave no memory for code.
    #[error("no memory for code: {0}")]
    Memory(String),
}

impl JitError {
    /// What the engine makes of it.
    pub(crate) fn refusal(&self) -> Refusal {
        match self {
            JitError::CodeTooLong { .. } | JitError::TooCostly { .. } => Refusal::Limit,
            JitError::Machine(_) | JitError::Backend(_) | JitError::Memory(_) => Refusal::Failed,
            JitError::Banned => Refusal::Banned,
            JitError::Panic(_) => Refusal::Panicked,
        }
    }
}
