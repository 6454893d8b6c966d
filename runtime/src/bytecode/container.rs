//! The ZVMC container: code, ABI and optional sections in one file.
//!
//! A reader and a writer that enforce the same rules; what the sections mean is their users' business. Layout,
//! little-endian, every field named as [`Field`] names it in errors:
//!
//! ```text
//! offset 0   magic      "ZVMC"
//!        4   version    1
//!        5   target     0 native, 1 EVM (2, WASM, is refused by name)
//!        6   flags      bit 0: sections follow; bit 1: not runnable without INIT
//!        7   reserved   0
//!        8   code size  u32
//!       12   ABI size   u32
//!       16   code, then ABI (UTF-8 JSON), then sections: tag [4], size u32, payload; HASH last
//! ```

mod error;

use std::collections::BTreeSet;
use std::fmt;

use alloy_primitives::Bytes;

use super::analyze::Code;
use super::encoding::{Encoding, NATIVE_PREFIX};
use crate::gas::{CODE_SIZE_MAX, INIT_CODE_SIZE_MAX};
use crate::keccak::keccak256;

pub use error::{ContainerError, Field, Problem};

/// The first four bytes of a container.
pub const MAGIC: [u8; 4] = *b"ZVMC";
/// The version this crate reads and writes.
pub const VERSION: u8 = 1;
/// Bytes of the fixed header.
pub const HEADER_SIZE: usize = 16;
/// Largest container, in bytes.
pub const CONTAINER_SIZE_MAX: usize = 4 << 20;
/// Largest ABI, in bytes.
pub const ABI_SIZE_MAX: usize = 1 << 20;

const FLAG_SECTIONS: u8 = 1;
const FLAG_NEEDS_INIT: u8 = 2;
const SECTION_HEADER_SIZE: usize = 8;
const HASH_SIZE: usize = 32;
/// The prefix that native code gains when it is deployed counts against the limit.
const NATIVE_BODY_SIZE_MAX: usize = CODE_SIZE_MAX - NATIVE_PREFIX.len();

/// The tag of a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub [u8; 4]);

impl Tag {
    /// Exact init code, without arguments.
    pub const INIT: Tag = Tag(*b"INIT");
    /// Source map.
    pub const SMAP: Tag = Tag(*b"SMAP");
    /// Gas estimates.
    pub const GASE: Tag = Tag(*b"GASE");
    /// Source texts.
    pub const SRCS: Tag = Tag(*b"SRCS");
    /// Compiler, settings, table version.
    pub const META: Tag = Tag(*b"META");
    /// Keccak-256 of everything before this tag; always last.
    pub const HASH: Tag = Tag(*b"HASH");
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

/// What the code is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Target {
    /// The native encoding; the code stands without its prefix `EF 5A 01`.
    Native = 0,
    /// Ethereum's encoding.
    Evm = 1,
}

impl Target {
    /// The encoding of the code.
    pub const fn encoding(self) -> Encoding {
        match self {
            Target::Native => Encoding::Zvm,
            Target::Evm => Encoding::Evm,
        }
    }

    const fn code_size_max(self) -> usize {
        match self {
            Target::Native => NATIVE_BODY_SIZE_MAX,
            Target::Evm => CODE_SIZE_MAX,
        }
    }
}

/// The sections a container may carry; contents beside `init` are opaque here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sections {
    /// `INIT`: init code without arguments; for the native target with its prefix `EF 5A 01`.
    pub init: Option<Bytes>,
    /// `SMAP`: source map.
    pub source_map: Option<Bytes>,
    /// `GASE`: gas estimates.
    pub gas_estimates: Option<Bytes>,
    /// `SRCS`: source texts.
    pub sources: Option<Bytes>,
    /// `META`: compiler, settings, table version.
    pub meta: Option<Bytes>,
}

impl Sections {
    /// Known sections in the order the writer uses.
    const ORDER: [Tag; 5] = [Tag::INIT, Tag::SMAP, Tag::GASE, Tag::SRCS, Tag::META];

    /// The payload of a known section.
    pub fn get(&self, tag: Tag) -> Option<&Bytes> {
        match tag {
            Tag::INIT => self.init.as_ref(),
            Tag::SMAP => self.source_map.as_ref(),
            Tag::GASE => self.gas_estimates.as_ref(),
            Tag::SRCS => self.sources.as_ref(),
            Tag::META => self.meta.as_ref(),
            _ => None,
        }
    }

    /// Keeps the payload of a known section; others are skipped.
    fn set(&mut self, tag: Tag, payload: Bytes) {
        let slot = match tag {
            Tag::INIT => &mut self.init,
            Tag::SMAP => &mut self.source_map,
            Tag::GASE => &mut self.gas_estimates,
            Tag::SRCS => &mut self.sources,
            Tag::META => &mut self.meta,
            _ => return,
        };
        *slot = Some(payload);
    }
}

/// A contract as the compiler writes it to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// What the code is made for.
    pub target: Target,
    /// Whether the code is meaningless before `INIT` has run (immutables, initializers or a constructor).
    pub needs_init: bool,
    /// Run-time code; for the native target without its prefix.
    pub code: Bytes,
    /// The ABI, JSON text.
    pub abi: String,
    /// Sections; `None` writes a file that ends after the ABI.
    pub sections: Option<Sections>,
}

impl Container {
    /// Whether these bytes claim to be a container.
    pub fn has_magic(bytes: &[u8]) -> bool {
        bytes.starts_with(&MAGIC)
    }

    /// Reads a container, checking every rule of the format.
    pub fn read(bytes: &[u8]) -> Result<Container, ContainerError> {
        Reader { bytes, offset: 0 }.container()
    }

    /// Writes the container: the same value always gives the same bytes, and [`Container::read`] accepts them.
    pub fn write(&self) -> Result<Vec<u8>, ContainerError> {
        check_code(self.target, &self.code, HEADER_SIZE)?;
        let abi_offset = HEADER_SIZE + self.code.len();
        check_abi_size(self.abi.len(), 12)?;
        let mut flags = 0;
        if self.sections.is_some() {
            flags |= FLAG_SECTIONS;
        }
        if self.needs_init {
            flags |= FLAG_NEEDS_INIT;
            if self.init().is_none() {
                return Err(error(Field::Flags, 6, Problem::NeedsInitWithoutInit));
            }
        }
        let mut out = Vec::with_capacity(abi_offset + self.abi.len());
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&[VERSION, self.target as u8, flags, 0]);
        out.extend_from_slice(&(self.code.len() as u32).to_le_bytes());
        out.extend_from_slice(&(self.abi.len() as u32).to_le_bytes());
        out.extend_from_slice(&self.code);
        out.extend_from_slice(self.abi.as_bytes());
        if let Some(sections) = &self.sections {
            for tag in Sections::ORDER {
                if let Some(payload) = sections.get(tag) {
                    write_section(&mut out, self.target, tag, payload)?;
                }
            }
            let hash = keccak256(&out);
            write_section(&mut out, self.target, Tag::HASH, hash.as_slice())?;
        }
        check_file_size(out.len() as u64)?;
        Ok(out)
    }

    /// Init code without arguments, if the container carries it.
    pub fn init(&self) -> Option<&Bytes> {
        self.sections.as_ref()?.init.as_ref()
    }

    /// Creation data: init code followed by ABI-encoded arguments.
    pub fn creation_data(&self, arguments: &[u8]) -> Option<Vec<u8>> {
        Some([self.init()?, arguments].concat())
    }

    /// The bytes an account holds that runs this code: for the native target with the prefix.
    pub fn account_code(&self) -> Bytes {
        match self.target {
            Target::Native => [&NATIVE_PREFIX[..], &self.code].concat().into(),
            Target::Evm => self.code.clone(),
        }
    }

    /// The run-time code, analyzed.
    pub fn analyzed_code(&self) -> Code {
        Code::new(self.account_code(), true)
    }
}

fn error(field: Field, offset: usize, problem: Problem) -> ContainerError {
    ContainerError { field, offset, problem }
}

fn check_size(field: Field, offset: usize, size: u64, limit: usize) -> Result<(), ContainerError> {
    let limit = limit as u64;
    if size > limit { Err(error(field, offset, Problem::TooLarge { size, limit })) } else { Ok(()) }
}

fn check_file_size(size: u64) -> Result<(), ContainerError> {
    check_size(Field::File, 0, size, CONTAINER_SIZE_MAX)
}

fn check_abi_size(size: usize, offset: usize) -> Result<(), ContainerError> {
    check_size(Field::AbiSize, offset, size as u64, ABI_SIZE_MAX)
}

fn check_code(target: Target, code: &[u8], offset: usize) -> Result<(), ContainerError> {
    check_size(Field::Code, offset, code.len() as u64, target.code_size_max())?;
    match target {
        Target::Native if code.starts_with(&NATIVE_PREFIX) => {
            Err(error(Field::Code, offset, Problem::PrefixInBody))
        }
        Target::Evm if code.first() == Some(&0xef) => {
            Err(error(Field::Code, offset, Problem::EvmCodeBeginsWithEf))
        }
        _ => Ok(()),
    }
}

fn check_section(target: Target, tag: Tag, payload: &[u8], offset: usize) -> Result<(), ContainerError> {
    if tag == Tag::INIT {
        check_size(Field::Section(tag), offset, payload.len() as u64, INIT_CODE_SIZE_MAX)?;
        if target == Target::Native && !payload.starts_with(&NATIVE_PREFIX) {
            return Err(error(Field::Section(tag), offset, Problem::InitWithoutPrefix));
        }
    }
    Ok(())
}

fn write_section(out: &mut Vec<u8>, target: Target, tag: Tag, payload: &[u8]) -> Result<(), ContainerError> {
    let offset = out.len() + SECTION_HEADER_SIZE;
    check_section(target, tag, payload, offset)?;
    // Checked per section, so that the size below fits its u32.
    check_file_size(offset as u64 + payload.len() as u64)?;
    out.extend_from_slice(&tag.0);
    out.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    out.extend_from_slice(payload);
    Ok(())
}

/// A cursor over the file. Nothing is copied before its size was compared with what the file holds.
struct Reader<'b> {
    bytes: &'b [u8],
    offset: usize,
}

impl<'b> Reader<'b> {
    fn left(&self) -> u64 {
        (self.bytes.len() - self.offset) as u64
    }

    /// The next `size` bytes, or an error that names the field.
    fn take(&mut self, field: Field, size: u64) -> Result<&'b [u8], ContainerError> {
        let available = self.left();
        if size > available {
            return Err(error(field, self.offset, Problem::Truncated { needed: size, available }));
        }
        let start = self.offset;
        self.offset += size as usize;
        Ok(&self.bytes[start..self.offset])
    }

    fn array<const N: usize>(&mut self, field: Field) -> Result<[u8; N], ContainerError> {
        Ok(self.take(field, N as u64)?.try_into().expect("`take` gave N bytes"))
    }

    fn byte(&mut self, field: Field) -> Result<u8, ContainerError> {
        Ok(self.array::<1>(field)?[0])
    }

    fn size(&mut self, field: Field) -> Result<u32, ContainerError> {
        Ok(u32::from_le_bytes(self.array(field)?))
    }

    fn container(mut self) -> Result<Container, ContainerError> {
        check_file_size(self.bytes.len() as u64)?;
        if !MAGIC.starts_with(&self.bytes[..self.bytes.len().min(MAGIC.len())]) {
            return Err(error(Field::Magic, 0, Problem::NotAContainer));
        }
        self.take(Field::Magic, MAGIC.len() as u64)?;
        match self.byte(Field::Version)? {
            VERSION => {}
            other => return Err(error(Field::Version, 4, Problem::UnknownVersion(other))),
        }
        let target = match self.byte(Field::Target)? {
            0 => Target::Native,
            1 => Target::Evm,
            2 => return Err(error(Field::Target, 5, Problem::Wasm)),
            other => return Err(error(Field::Target, 5, Problem::UnknownTarget(other))),
        };
        let flags = self.byte(Field::Flags)?;
        let unknown = flags & !(FLAG_SECTIONS | FLAG_NEEDS_INIT);
        if unknown != 0 {
            return Err(error(Field::Flags, 6, Problem::UnknownFlags(unknown)));
        }
        match self.byte(Field::Reserved)? {
            0 => {}
            other => return Err(error(Field::Reserved, 7, Problem::NotZero(other))),
        }
        let code_size = self.size(Field::CodeSize)?;
        check_size(Field::CodeSize, 8, u64::from(code_size), target.code_size_max())?;
        let abi_size = self.size(Field::AbiSize)?;
        check_abi_size(abi_size as usize, 12)?;

        let code = self.take(Field::Code, u64::from(code_size))?;
        check_code(target, code, HEADER_SIZE)?;
        let abi_offset = self.offset;
        let abi = self.take(Field::Abi, u64::from(abi_size))?;
        let abi = match std::str::from_utf8(abi) {
            Ok(text) => text,
            Err(at) => return Err(error(Field::Abi, abi_offset + at.valid_up_to(), Problem::NotUtf8)),
        };
        let sections = if flags & FLAG_SECTIONS != 0 { Some(self.sections(target)?) } else { None };
        if self.left() != 0 {
            return Err(error(Field::File, self.offset, Problem::TrailingBytes(self.left())));
        }
        let needs_init = flags & FLAG_NEEDS_INIT != 0;
        if needs_init && sections.as_ref().is_none_or(|sections| sections.init.is_none()) {
            return Err(error(Field::Flags, 6, Problem::NeedsInitWithoutInit));
        }
        Ok(Container {
            target,
            needs_init,
            code: Bytes::copy_from_slice(code),
            abi: abi.to_owned(),
            sections,
        })
    }

    /// Reads sections up to and including HASH.
    fn sections(&mut self, target: Target) -> Result<Sections, ContainerError> {
        let mut sections = Sections::default();
        let mut seen = BTreeSet::new();
        loop {
            let tag_offset = self.offset;
            if self.left() == 0 {
                return Err(error(Field::SectionTag, tag_offset, Problem::MissingHash));
            }
            let tag = Tag(self.array(Field::SectionTag)?);
            if !seen.insert(tag) {
                return Err(error(Field::SectionTag, tag_offset, Problem::DuplicateSection(tag)));
            }
            let size_offset = self.offset;
            let size = self.size(Field::SectionSize(tag))?;
            if tag == Tag::HASH && size as usize != HASH_SIZE {
                return Err(error(Field::SectionSize(tag), size_offset, Problem::HashSize(size)));
            }
            let offset = self.offset;
            let payload = self.take(Field::Section(tag), u64::from(size))?;
            if tag == Tag::HASH {
                if keccak256(&self.bytes[..tag_offset]) != payload {
                    return Err(error(Field::Section(tag), offset, Problem::HashMismatch));
                }
                return Ok(sections);
            }
            check_section(target, tag, payload, offset)?;
            sections.set(tag, Bytes::copy_from_slice(payload));
        }
    }
}

#[cfg(test)]
mod tests;
