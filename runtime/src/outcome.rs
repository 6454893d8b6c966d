//! How a frame ends: the trap table, and [`Exit`], which both tiers report.

/// Calls `$callback! { rows }` with every trap: Rust name, byte, text name, message.
#[macro_export]
macro_rules! for_each_trap {
    ($callback:path) => {
        $callback! {
            OutOfGas 1 "out of gas" "the frame needed more gas than it had left";
            StackUnderflow 2 "stack underflow" "an operation needed more words than the stack holds";
            StackOverflow 3 "stack overflow" "the stack would hold more than 1024 words";
            InvalidJump 4 "invalid jump" "a jump went to an offset that is not a jumpdest";
            InvalidOpcode 5 "invalid opcode" "a byte without an active operation, or an illegal immediate, was executed";
            StaticViolation 6 "state change in a static frame" "a static frame tried to change state";
            ReturnDataOutOfBounds 7 "return data out of bounds" "returndatacopy read past the end of the return data";
            CodeTooLarge 8 "deployed code too large" "the code to deploy is longer than the limit (EIP-170)";
            CodeRejected 9 "deployed code rejected" "the code to deploy starts with a byte that is not allowed (EIP-3541)";
            CreateCollision 10 "creation collision" "the address of the new contract is taken (EIP-684)";
            PrecompileFailed 11 "precompiled contract failed" "a precompiled contract refused its input";
        }
    };
}

macro_rules! define_trap {
    ($( $Name:ident $byte:literal $text:literal $message:literal; )*) => {
        /// An exceptional halt: the frame loses its gas and its effects.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Trap {
            $( #[doc = $message] $Name = $byte, )*
        }

        impl Trap {
            /// Every trap, in table order.
            pub const ALL: &'static [Trap] = &[ $( Trap::$Name ),* ];

            /// Short name.
            pub const fn name(self) -> &'static str {
                match self { $( Trap::$Name => $text, )* }
            }

            /// One sentence for a person.
            pub const fn message(self) -> &'static str {
                match self { $( Trap::$Name => $message, )* }
            }

            /// The trap with that byte.
            pub const fn from_byte(byte: u8) -> Option<Trap> {
                match byte { $( $byte => Some(Trap::$Name), )* _ => None }
            }
        }
    };
}
crate::for_each_trap!(define_trap);

impl std::fmt::Display for Trap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a run of a frame stopped: an end of the frame, or a request to whoever drives the frames.
///
/// Both tiers report it; compiled code passes it as a `u32` status, where 0 means "go on".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Ended successfully, no return data.
    Halt,
    /// Ended successfully; the data is in `Frame::output`.
    Return,
    /// Ended, effects undone, gas kept; the data is in `Frame::output`.
    Revert,
    /// Exceptional halt.
    Trap(Trap),
    /// The host failed; the error is in `Frame::host_error`. Never an outcome of the program.
    HostError,
    /// An engine limit was met: memory over all frames of the transaction.
    MemoryLimit,
    /// A message call is to be made; the request is in `Frame::request`.
    Call,
    /// A creation is to be made; the request is in `Frame::request`.
    Create,
    /// Compiled code stops at `Frame::pc`; the interpreter goes on there.
    Interpret,
}

/// Status of compiled code and runtime calls that means "go on".
pub const STATUS_CONTINUE: u32 = 0;
const TRAP_BASE: u32 = 0x100;

impl Exit {
    /// The status by which compiled code reports this exit; never [`STATUS_CONTINUE`].
    pub const fn to_status(self) -> u32 {
        match self {
            Exit::Halt => 1,
            Exit::Return => 2,
            Exit::Revert => 3,
            Exit::HostError => 4,
            Exit::MemoryLimit => 5,
            Exit::Call => 6,
            Exit::Create => 7,
            Exit::Interpret => 8,
            Exit::Trap(trap) => TRAP_BASE + trap as u32,
        }
    }

    /// The exit of a status; `None` for [`STATUS_CONTINUE`] and for numbers that name no exit.
    pub const fn from_status(status: u32) -> Option<Exit> {
        Some(match status {
            1 => Exit::Halt,
            2 => Exit::Return,
            3 => Exit::Revert,
            4 => Exit::HostError,
            5 => Exit::MemoryLimit,
            6 => Exit::Call,
            7 => Exit::Create,
            8 => Exit::Interpret,
            _ => {
                if status < TRAP_BASE || status > TRAP_BASE + 0xff {
                    return None;
                }
                match Trap::from_byte((status - TRAP_BASE) as u8) {
                    Some(trap) => Exit::Trap(trap),
                    None => return None,
                }
            }
        })
    }
}

impl From<Trap> for Exit {
    fn from(trap: Trap) -> Exit {
        Exit::Trap(trap)
    }
}

/// Panic codes of `Panic(uint256)`: Solidity's, and Kalix's own 0x61.
pub mod panic_code {
    /// An assertion failed.
    pub const ASSERTION: u8 = 0x01;
    /// A checked result or operand outside its type.
    pub const OVERFLOW: u8 = 0x11;
    /// Division or remainder by zero.
    pub const DIVISION_BY_ZERO: u8 = 0x12;
    /// A number that names no variant of an enum.
    pub const ENUM: u8 = 0x21;
    /// Pop of an empty vector.
    pub const EMPTY_POP: u8 = 0x31;
    /// Index out of bounds.
    pub const INDEX: u8 = 0x32;
    /// Memory allocation above the limit.
    pub const ALLOCATION: u8 = 0x41;
    /// A loop ran more often than its `max`.
    pub const LOOP_BOUND: u8 = 0x61;
}

/// Return data of a fault: `Panic(uint256)` with that code, exactly 36 bytes.
pub fn panic_data(code: u8) -> [u8; 36] {
    let mut data = [0; 36];
    data[..4].copy_from_slice(&[0x4e, 0x48, 0x7b, 0x71]);
    data[35] = code;
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_exit_survives_its_status() {
        let plain = [
            Exit::Halt,
            Exit::Return,
            Exit::Revert,
            Exit::HostError,
            Exit::MemoryLimit,
            Exit::Call,
            Exit::Create,
            Exit::Interpret,
        ];
        for exit in plain.into_iter().chain(Trap::ALL.iter().map(|&trap| Exit::Trap(trap))) {
            assert_eq!(Exit::from_status(exit.to_status()), Some(exit));
        }
        assert_eq!(Exit::from_status(STATUS_CONTINUE), None);
        assert_eq!(Exit::from_status(TRAP_BASE), None);
        assert_eq!(Exit::from_status(u32::MAX), None);
    }
}
