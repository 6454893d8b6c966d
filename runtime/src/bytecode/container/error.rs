//! What can be wrong with a container: the field, its offset, the problem.

use std::fmt;

use super::{Tag, VERSION};

/// Which part of a container an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The file as a whole.
    File,
    /// The magic number.
    Magic,
    /// The version byte.
    Version,
    /// The target byte.
    Target,
    /// The flags byte.
    Flags,
    /// The byte that must be zero.
    Reserved,
    /// The size of the code.
    CodeSize,
    /// The size of the ABI.
    AbiSize,
    /// The code.
    Code,
    /// The ABI.
    Abi,
    /// The tag of a section.
    SectionTag,
    /// The size of a section.
    SectionSize(Tag),
    /// The payload of a section.
    Section(Tag),
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Field::File => "file",
            Field::Magic => "magic",
            Field::Version => "version",
            Field::Target => "target",
            Field::Flags => "flags",
            Field::Reserved => "reserved byte",
            Field::CodeSize => "code size",
            Field::AbiSize => "ABI size",
            Field::Code => "code",
            Field::Abi => "ABI",
            Field::SectionTag => "section tag",
            Field::SectionSize(tag) => return write!(f, "size of section {tag}"),
            Field::Section(tag) => return write!(f, "section {tag}"),
        };
        f.write_str(text)
    }
}

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The file ends inside the field.
    #[error("{needed} bytes are needed, the file has {available} left")]
    Truncated {
        /// Bytes that the field takes.
        needed: u64,
        /// Bytes left in the file.
        available: u64,
    },
    /// Not a container.
    #[error("a container starts with the bytes \"ZVMC\"")]
    NotAContainer,
    /// A version of the format that this crate doesn't know.
    #[error("version {0} is not supported, only version {VERSION} is")]
    UnknownVersion(u8),
    /// WebAssembly, reserved by the format.
    #[error("target 2 (WASM) is reserved and cannot be run")]
    Wasm,
    /// A target byte without a meaning.
    #[error("target {0} is unknown; known are 0 (native) and 1 (EVM)")]
    UnknownTarget(u8),
    /// A flag bit without a meaning.
    #[error("unknown flag bits {0:#04x}; only bits 0 and 1 have a meaning")]
    UnknownFlags(u8),
    /// The reserved byte is not zero.
    #[error("must be zero, is {0:#04x}")]
    NotZero(u8),
    /// Larger than the format allows.
    #[error("{size} bytes, the limit is {limit}")]
    TooLarge {
        /// Size in bytes.
        size: u64,
        /// Largest size in bytes.
        limit: u64,
    },
    /// Native code with the prefix that accounts carry.
    #[error("native code stands here without its prefix EF 5A 01")]
    PrefixInBody,
    /// EVM code that could not be deployed.
    #[error("EVM code must not begin with the byte EF")]
    EvmCodeBeginsWithEf,
    /// Native init code without its prefix.
    #[error("init code of the native target begins with EF 5A 01")]
    InitWithoutPrefix,
    /// Flag bit 1 without the section it speaks of.
    #[error("bit 1 says that the code needs INIT, but there is no INIT section")]
    NeedsInitWithoutInit,
    /// The ABI is not text.
    #[error("not valid UTF-8")]
    NotUtf8,
    /// A section that stands twice.
    #[error("section {0} stands twice")]
    DuplicateSection(Tag),
    /// The sections end without HASH.
    #[error("the sections end without the mandatory HASH")]
    MissingHash,
    /// HASH of a wrong size.
    #[error("HASH has 32 bytes, not {0}")]
    HashSize(u32),
    /// The file is damaged.
    #[error("the hash does not match: the file is damaged")]
    HashMismatch,
    /// Bytes after the end.
    #[error("{0} bytes follow the end of the container")]
    TrailingBytes(u64),
}

/// Why bytes are not a container, or a value cannot be written as one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("container: {field} at offset {offset}: {problem}")]
pub struct ContainerError {
    /// The field.
    pub field: Field,
    /// Its offset in the file, in bytes.
    pub offset: usize,
    /// What is wrong with it.
    pub problem: Problem,
}
