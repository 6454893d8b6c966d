//! Why code was not compiled. Each variant says whose fault it is; all of them mean "interpret".

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
    /// Cranelift has no code generator for this machine.
    #[error("no code generator for this machine: {0}")]
    Machine(String),
    /// Cranelift refused the intermediate code: a mistake of the translator or of Cranelift.
    #[error("the code generator failed: {0}")]
    Backend(String),
    /// Cranelift panicked.
    #[error("the code generator panicked: {0}")]
    Panic(String),
    /// The operating system gave no memory for code.
    #[error("no memory for code: {0}")]
    Memory(String),
}
