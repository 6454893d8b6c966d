//! THE list of cases that are not run, each with its reason.

/// A case that is not run.
pub struct Skip {
    /// End of the file's path.
    pub file: &'static str,
    /// Why.
    pub reason: &'static str,
}

/// Every case that is not run although its fork is known.
pub const SKIPS: &[Skip] = &[Skip {
    file: "stTimeConsuming/CALLBlake2f_MaxRounds.json",
    reason: "2^32-1 rounds of BLAKE2 take minutes and test nothing that fewer rounds do not",
}];

/// Why cases of a file are not run, if they are not.
pub fn skip_reason(path: &str) -> Option<&'static str> {
    SKIPS.iter().find(|skip| path.ends_with(skip.file)).map(|skip| skip.reason)
}

/// Why cases of forks that the machine does not implement are not run.
pub const OTHER_FORK: &str = "fork before Cancun";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_asked_by_the_end_of_the_path() {
        assert!(skip_reason("/somewhere/gst/stTimeConsuming/CALLBlake2f_MaxRounds.json").is_some());
        assert!(skip_reason("gst/stTimeConsuming/CALLBlake2f.json").is_none());
    }
}
