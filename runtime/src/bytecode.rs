//! Bytecode: the opcode table, both encodings, analysis, the container and the text form.

pub mod analyze;
pub mod asm;
pub mod container;
pub mod decode;
pub mod disasm;
pub mod encoding;
pub mod info;
pub mod opcodes;
pub mod steps;

pub use analyze::{CODE_PADDING, Code};
pub use asm::{AsmError, Assembly, assemble};
pub use container::{Container, ContainerError};
pub use decode::{Instruction, instructions};
pub use disasm::{DisasmOptions, disassemble};
pub use encoding::{DELEGATION_PREFIX, Encoding, NATIVE_PREFIX, delegation_target, delegation_to};
pub use info::{Clobbers, DynamicGas, Needs, OP_INFO, Observes, Op, OpInfo, StackEffect, StaticRule};
