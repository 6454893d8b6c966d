//! The command line: flags, and the calls they ask for. What an argument means is decided by the ABI later.

use std::path::PathBuf;

use clap::{ArgGroup, Parser, ValueEnum};

use crate::failure::Failure;
use crate::status::Status;
use crate::words::{Word, split_words};

/// Runs a ZVM contract: deploys it into an empty world and calls its functions.
///
/// FILE is a container (`.zvmc`, as kalixc writes it) or assembly text (`.zvm`). Without a function it is
/// deployed and its functions are listed; code without an ABI runs once, with --calldata if given.
///
/// Other commands have their own --help: `zvmrun statetest` runs files of state tests, `zvmrun explore` makes a page that
/// shows a contract from the inside, `zvmrun compile` compiles a contract ahead, `zvmrun replay` runs a case file again.
/// A FILE of such a name is ./statetest.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "zvmrun",
    version,
    override_usage = "zvmrun [--interp | --jit | --check] [OPTIONS] FILE [FUNCTION [ARGUMENT]…]\n       zvmrun statetest PATH…\n       zvmrun explore FILE [FUNCTION [ARGUMENT]…]\n       zvmrun compile FILE --code-cache DIR\n       zvmrun replay FILE",
    after_help = Status::help(),
    max_term_width = 110,
    group = ArgGroup::new("tier").multiple(false),
    group = ArgGroup::new("what").multiple(false),
)]
pub(crate) struct Flags {
    /// Container or assembly text to run.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// Function to call (name, signature or selector), then its arguments.
    ///
    /// Integers are decimal or 0x hex, with `_` between digits; addresses are 0x and 40 digits, or a name
    /// such as @caller, @contract, @zero, @alice; arrays are [a, b], tuples (a, b). Put -- before a string
    /// that begins with a hyphen.
    #[arg(value_name = "FUNCTION [ARGUMENT]", allow_negative_numbers = true, group = "what")]
    pub(crate) function: Vec<String>,

    /// Interpret everything.
    #[arg(long, group = "tier")]
    pub(crate) interp: bool,

    /// Compile to native code at once, and run that.
    #[arg(long, group = "tier")]
    pub(crate) jit: bool,

    /// Run every transaction in both tiers from the same world; any difference is an error.
    #[arg(long, group = "tier")]
    pub(crate) check: bool,

    /// Folder of machine code: what is there is not compiled again, what is compiled is stored.
    ///
    /// It is made if it is missing, and refused if others can write to it.
    #[arg(long, value_name = "DIR", conflicts_with = "interp")]
    pub(crate) code_cache: Option<PathBuf>,

    /// With --check: folder for the frames in which the tiers differ, one file each; see `zvmrun replay`.
    #[arg(long, value_name = "DIR", requires = "check")]
    pub(crate) cases: Option<PathBuf>,

    /// One call, as in "deposit 100"; repeat it for several calls in one world.
    ///
    /// --from, --value and --gas inside the text hold for that call alone: "deposit 100 --from @alice".
    #[arg(long = "call", value_name = "TEXT", group = "what")]
    pub(crate) calls: Vec<String>,

    /// Call data to send as it is, in hex.
    #[arg(long, value_name = "0x…", group = "what")]
    pub(crate) calldata: Option<String>,

    /// Gas limit of each call. A deployment gets 16777216 at least.
    #[arg(long, value_name = "GAS", default_value_t = GAS_DEFAULT.to_string())]
    pub(crate) gas: String,

    /// Sender of each transaction: an address or a name.
    #[arg(long, value_name = "ADDRESS", default_value = "@caller")]
    pub(crate) from: String,

    /// Wei sent with each call.
    #[arg(long, value_name = "WEI", default_value = "0")]
    pub(crate) value: String,

    /// Arguments of the constructor, as in "100 @caller"; 0x hex where no ABI describes them.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub(crate) init_args: Option<String>,

    /// Wei sent with the deployment.
    #[arg(long, value_name = "WEI", default_value = "0")]
    pub(crate) init_value: String,

    /// Rules to run by: cancun, prague or osaka.
    #[arg(long, value_name = "FORK", default_value = "osaka")]
    pub(crate) fork: String,

    /// Show what becomes of the contract's code: its regions, intermediate code and machine code.
    ///
    /// Each line of code stands behind the offset of the operation that it was made for.
    #[arg(long, value_name = "FORM,…", value_enum, value_delimiter = ',')]
    pub(crate) dump: Vec<DumpForm>,

    /// Name native code for Linux's `perf`, in /tmp/perf-PID.map.
    #[arg(long)]
    pub(crate) perf_map: bool,

    /// Show what the tiers did: what was compiled, at what cost, and why native code was left.
    #[arg(long)]
    pub(crate) stats: bool,

    /// Print one JSON document instead of text.
    #[arg(long)]
    pub(crate) json: bool,
}

/// A form of code to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DumpForm {
    /// Blocks by region.
    Regions,
    /// Cranelift's intermediate code.
    Clif,
    /// Machine code.
    Asm,
}

/// Gas limit unless `--gas` says otherwise: the most that Osaka gives a transaction (EIP-7825).
pub(crate) const GAS_DEFAULT: u64 = zvm::gas::TX_LIMIT_MAX;

/// How transactions are executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Interpreter, and native code for what spends much gas.
    Auto,
    /// Interpreter only.
    Interp,
    /// Native code from the first instruction.
    Jit,
    /// Both, compared.
    Check,
}

impl Mode {
    /// Name in reports.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Mode::Auto => "auto",
            Mode::Interp => "interp",
            Mode::Jit => "jit",
            Mode::Check => "check",
        }
    }

    /// Whether it makes no sense without the JIT.
    pub(crate) const fn needs_jit(self) -> bool {
        matches!(self, Mode::Jit | Mode::Check)
    }
}

/// One call that the command line asks for, not yet looked up in an ABI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CallText {
    /// As the user wrote it, for reports.
    pub(crate) title: String,
    /// Function name, signature or selector.
    pub(crate) function: String,
    /// Arguments.
    pub(crate) arguments: Vec<String>,
    /// `--from` of this call.
    pub(crate) from: Option<String>,
    /// `--value` of this call.
    pub(crate) value: Option<String>,
    /// `--gas` of this call.
    pub(crate) gas: Option<String>,
}

impl Flags {
    /// The tier that the flags ask for.
    pub(crate) fn mode(&self) -> Mode {
        match (self.interp, self.jit, self.check) {
            (true, _, _) => Mode::Interp,
            (_, true, _) => Mode::Jit,
            (_, _, true) => Mode::Check,
            _ => Mode::Auto,
        }
    }

    /// Calls by function, in order.
    pub(crate) fn call_texts(&self) -> Result<Vec<CallText>, Failure> {
        if let Some((function, arguments)) = self.function.split_first() {
            return Ok(vec![CallText {
                title: self.function.join(" "),
                function: function.clone(),
                arguments: arguments.to_vec(),
                from: None,
                value: None,
                gas: None,
            }]);
        }
        let place = |index: usize| format!("--call {} of {}", index + 1, self.calls.len());
        let parse =
            |(index, text): (usize, &String)| call_text(text).map_err(|failure| failure.at(place(index)));
        self.calls.iter().enumerate().map(parse).collect()
    }
}

/// Reads the text of one `--call`.
fn call_text(text: &str) -> Result<CallText, Failure> {
    let usage = |message: String| {
        Failure::new(Status::Usage, message)
            .help("write a function and its arguments in one text: --call \"deposit 100\"")
    };
    let words = split_words(text).map_err(|error| usage(format!("`{text}`: {error}")))?;
    let mut words = words.into_iter();
    let function = words.next().ok_or_else(|| usage("the text of --call is empty".into()))?.text;
    let mut call = CallText {
        title: text.trim().into(),
        function,
        arguments: vec![],
        from: None,
        value: None,
        gas: None,
    };
    while let Some(Word { text: word, quoted }) = words.next() {
        let slot = match word.as_str() {
            "--from" if !quoted => &mut call.from,
            "--value" if !quoted => &mut call.value,
            "--gas" if !quoted => &mut call.gas,
            _ => {
                call.arguments.push(word);
                continue;
            }
        };
        let value = words.next().ok_or_else(|| usage(format!("{word} needs a value in `{text}`")))?;
        *slot = Some(value.text);
    }
    Ok(call)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(line: &[&str]) -> Flags {
        Flags::try_parse_from([&["zvmrun"], line].concat()).expect("the line is well-formed")
    }

    #[test]
    fn the_definition_is_consistent() {
        use clap::CommandFactory;
        Flags::command().debug_assert();
    }

    #[test]
    fn flags_may_stand_behind_the_arguments_and_numbers_may_be_negative() {
        let flags = flags(&["c.zvmc", "shift", "-5", "7", "--gas", "100", "--check"]);
        assert_eq!(flags.function, ["shift", "-5", "7"]);
        assert_eq!((flags.gas.as_str(), flags.mode()), ("100", Mode::Check));
    }

    #[test]
    fn what_to_do_and_the_tier_are_given_once() {
        for line in [
            &["c.zvmc", "get", "--calldata", "0x"][..],
            &["c.zvmc", "get", "--call", "get"],
            &["c.zvmc", "--interp", "--jit"],
            &[],
        ] {
            assert!(Flags::try_parse_from([&["zvmrun"], line].concat()).is_err(), "{line:?}");
        }
    }

    #[test]
    fn a_call_text_may_carry_its_own_sender_value_and_gas() {
        let flags = flags(&[
            "c.zvmc",
            "--call",
            "deposit 100 --from @bob --value 7",
            "--call",
            "say '--from' --gas 9",
        ]);
        let calls = flags.call_texts().unwrap();
        assert_eq!(calls[0].arguments, ["100"]);
        assert_eq!((calls[0].from.as_deref(), calls[0].value.as_deref()), (Some("@bob"), Some("7")));
        assert_eq!(calls[1].arguments, ["--from"]);
        assert_eq!(calls[1].gas.as_deref(), Some("9"));
    }

    #[test]
    fn a_broken_call_text_says_which() {
        for text in ["", "   ", "deposit 'x", "deposit --from", "deposit [1"] {
            let failure = flags(&["c.zvmc", "--call", "get", "--call", text]).call_texts().unwrap_err();
            assert_eq!(failure.status, Status::Usage);
            assert_eq!(failure.place.as_deref(), Some("--call 2 of 2"), "{text:?}");
        }
    }
}
