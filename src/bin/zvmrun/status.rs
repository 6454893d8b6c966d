//! THE table of exit statuses. `--help` and `docs/zvmrun.md` print it; nothing else names a number.

macro_rules! define_status {
    ($( $Name:ident $number:literal $name:literal $text:literal; )*) => {
        /// How a run of zvmrun ended, as the shell sees it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum Status {
            $( #[doc = $text] $Name = $number, )*
        }

        impl Status {
            /// Every status, in the order of its number.
            pub(crate) const ALL: &'static [Status] = &[ $( Status::$Name ),* ];

            /// Name in JSON.
            pub(crate) const fn name(self) -> &'static str {
                match self { $( Status::$Name => $name, )* }
            }

            /// What it means.
            pub(crate) const fn text(self) -> &'static str {
                match self { $( Status::$Name => $text, )* }
            }
        }
    };
}

define_status! {
    Success 0 "success" "everything asked for ran, and succeeded";
    Engine 1 "engine" "the engine itself failed, or met its memory limit; the program has no outcome";
    Usage 2 "usage" "the command line makes no sense";
    File 3 "file" "a file cannot be read, or the output cannot be written";
    Malformed 4 "malformed" "the file is neither a sound container nor text that assembles";
    UnknownFunction 5 "unknown_function" "the contract has no function of that name";
    Argument 6 "argument" "an argument is missing, too many, or does not fit its type";
    Reverted 10 "reverted" "the program reverted: an error, a failed require, a fault such as overflow";
    OutOfGas 11 "out_of_gas" "the program ran out of gas";
    Trap 12 "trap" "the program ended exceptionally: invalid jump or opcode, stack underflow, and so on";
    Refused 13 "refused" "the transaction is not valid: too little gas to start, or more value than the sender has";
    TiersDiffer 20 "tiers_differ" "--check: interpreter and native code gave different results; please report it";
    NothingCompiled 21 "nothing_compiled" "--check: no block ran as native code, so nothing was compared";
    NoJit 22 "no_jit" "--jit or --check was asked of a zvmrun built without the feature `jit`";
}

impl Status {
    /// The number that the process exits with.
    pub(crate) const fn number(self) -> u8 {
        self as u8
    }

    /// The table as the help text shows it.
    pub(crate) fn help() -> String {
        let mut text = String::from("Exit status:\n");
        for status in Status::ALL {
            text.push_str(&format!("  {:>2}  {}\n", status.number(), status.text()));
        }
        text.push_str("With several calls it is that of the last call that failed.");
        text
    }

    /// The table as the book shows it.
    #[cfg(test)]
    pub(crate) fn markdown() -> String {
        let mut text = String::from("| status | name in JSON | meaning |\n| ---: | --- | --- |\n");
        for status in Status::ALL {
            text.push_str(&format!("| {} | `{}` | {} |\n", status.number(), status.name(), status.text()));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_distinct_and_ascend() {
        for pair in Status::ALL.windows(2) {
            assert!(pair[0].number() < pair[1].number());
            assert_ne!(pair[0].name(), pair[1].name());
        }
    }
}
