//! Forks of Ethereum that the machine implements.

/// A fork, oldest first, so that `fork >= Fork::Prague` reads as "since Prague".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fork {
    /// March 2024.
    Cancun,
    /// May 2025.
    Prague,
    /// December 2025.
    Osaka,
}

impl Fork {
    /// Every fork, oldest first.
    pub const ALL: [Fork; 3] = [Fork::Cancun, Fork::Prague, Fork::Osaka];
    /// The newest fork, which tools use unless told otherwise.
    pub const LATEST: Fork = Fork::Osaka;

    /// Lower-case name, as command lines take it.
    pub const fn name(self) -> &'static str {
        match self {
            Fork::Cancun => "cancun",
            Fork::Prague => "prague",
            Fork::Osaka => "osaka",
        }
    }

    /// The fork of that name, in any case.
    pub fn from_name(name: &str) -> Option<Fork> {
        Fork::ALL.into_iter().find(|fork| fork.name().eq_ignore_ascii_case(name))
    }
}
