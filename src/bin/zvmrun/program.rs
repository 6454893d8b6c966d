//! The file to run: a container, or assembly text.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use alloy_primitives::Bytes;
use zvm::Fork;
use zvm::bytecode::container::CONTAINER_SIZE_MAX;
use zvm::bytecode::{Container, Encoding, NATIVE_PREFIX, asm};

use crate::abi::Abi;
use crate::failure::Failure;
use crate::session::Rules;
use crate::status::Status;

/// A contract to run.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// Encoding of the run-time code.
    pub(crate) encoding: Encoding,
    /// Run-time code as an account holds it: native code with its prefix.
    pub(crate) code: Bytes,
    /// Init code without arguments; `None` if the code is installed as it is.
    pub(crate) init: Option<Bytes>,
    /// What can be called.
    pub(crate) abi: Option<Abi>,
    /// The same as the file has it, with all that the run does not need.
    pub(crate) abi_text: Option<String>,
    /// The source texts by name, JSON, if the file has them.
    pub(crate) sources: Option<Bytes>,
}

impl Program {
    /// Reads and checks a file.
    pub(crate) fn load(path: &Path) -> Result<Program, Failure> {
        let bytes = read(path).map_err(|failure| failure.at(path.display().to_string()))?;
        Program::parse(&bytes, path).map_err(|failure| failure.at(path.display().to_string()))
    }

    fn parse(bytes: &[u8], path: &Path) -> Result<Program, Failure> {
        let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let malformed = |message: String| Failure::new(Status::Malformed, message);
        if Container::has_magic(bytes) || extension == "zvmc" {
            let container = Container::read(bytes).map_err(|error| {
                malformed(format!("not a sound container: {error}"))
                    .help("build it again with `kalixc build`, or fetch it again")
            })?;
            return Program::of_container(&container);
        }
        if extension == "kalix" {
            let help = "compile it first: kalixc build FILE, which writes a .zvmc per contract";
            return Err(malformed("this is Kalix source, zvmrun runs containers".into()).help(help));
        }
        let text = std::str::from_utf8(bytes).map_err(|error| {
            malformed(format!("neither a container nor text: byte {} is not UTF-8", error.valid_up_to()))
                .help("zvmrun runs containers (.zvmc) and assembly text (.zvm)")
        })?;
        if text.trim_ascii().is_empty() {
            // Such as a file whose writing was interrupted.
            return Err(malformed("the file is empty".into())
                .help("zvmrun runs containers (.zvmc) and assembly text (.zvm)"));
        }
        let assembly = asm::assemble(text).map_err(|error| {
            malformed(error.problem.to_string())
                .at(format!("{}:{}:{}", path.display(), error.line, error.column))
                .help("the form of the text is described in docs/vm/assembly.md")
        })?;
        let code = match assembly.encoding {
            Encoding::Zvm => [&NATIVE_PREFIX[..], &assembly.code].concat(),
            Encoding::Evm => assembly.code,
        };
        Ok(Program {
            encoding: assembly.encoding,
            code: code.into(),
            init: None,
            abi: None,
            abi_text: None,
            sources: None,
        })
    }

    fn of_container(container: &Container) -> Result<Program, Failure> {
        Ok(Program {
            encoding: container.target.encoding(),
            code: container.account_code(),
            init: container.init().cloned(),
            abi: Abi::read(&container.abi)?,
            abi_text: Some(container.abi.clone()),
            sources: container.sections.as_ref().and_then(|sections| sections.sources.clone()),
        })
    }

    /// The rules that it runs by: services are there if its ABI requires them.
    pub(crate) fn rules(&self, fork: Fork) -> Rules {
        Rules { fork, hedera: self.abi.as_ref().is_some_and(Abi::requires_hedera) }
    }

    /// Name of the contract, if an ABI says it.
    pub(crate) fn contract(&self) -> Option<&str> {
        self.abi.as_ref().map(|abi| abi.contract.as_str())
    }
}

/// Reads a whole file, which may be a pipe or a device, up to the size of the largest container.
fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let wrong = |error: std::io::Error| {
        Failure::new(Status::File, format!("cannot read the file: {error}"))
            .help("zvmrun takes a container (.zvmc, made by `kalixc build`) or assembly text (.zvm)")
    };
    let mut bytes = Vec::new();
    let limit = CONTAINER_SIZE_MAX as u64 + 1;
    File::open(path).map_err(wrong)?.take(limit).read_to_end(&mut bytes).map_err(wrong)?;
    if bytes.len() as u64 == limit {
        let message = format!("the file is larger than {CONTAINER_SIZE_MAX} bytes, the limit of a container");
        return Err(Failure::new(Status::Malformed, message));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &[u8], name: &str) -> Result<Program, Failure> {
        Program::parse(bytes, Path::new(name))
    }

    #[test]
    fn text_assembles_to_account_code() {
        let program = parse(b".zvm\nhalt\n", "a.zvm").unwrap();
        assert_eq!(program.code[..3], NATIVE_PREFIX);
        assert!(program.init.is_none() && program.abi.is_none());
        let program = parse(b".evm\nstop\n", "a.zvm").or_else(|_| parse(b".evm\nhalt\n", "a.zvm")).unwrap();
        assert_eq!(program.encoding, Encoding::Evm);
        assert_eq!(program.code[..], [0]);
    }

    #[test]
    fn what_cannot_be_run_says_why() {
        for (bytes, name, part) in [
            (&b"ZVMC"[..], "a.zvmc", "not a sound container"),
            (b"halt", "a.zvmc", "not a sound container"),
            (b"contract C {}", "a.kalix", "Kalix source"),
            (b"\xff\xfe", "a.bin", "byte 0 is not UTF-8"),
            (b"halt\nfoo\n", "a.zvm", "unknown operation `foo`"),
        ] {
            let failure = parse(bytes, name).unwrap_err();
            assert_eq!(failure.status, Status::Malformed);
            assert!(failure.message.contains(part), "{}", failure.message);
        }
        assert_eq!(parse(b"halt\nfoo\n", "a.zvm").unwrap_err().place.as_deref(), Some("a.zvm:2:1"));
    }

    #[test]
    fn a_missing_file_is_a_file_failure() {
        let failure = Program::load(Path::new("no/such/file.zvmc")).unwrap_err();
        assert_eq!(failure.status, Status::File);
        assert_eq!(failure.place.as_deref(), Some("no/such/file.zvmc"));
    }
}
