//! Cross-checking: frames that run interpreted are run again as compiled code, over what the host answered.
//!
//! The interpreter runs on the state and its result stands. What it asked and what it was told is a
//! [record](record::Event); compiled code then runs the same frame with the record for a host, so it can change
//! nothing, and whatever it does otherwise is a [`Difference`]: another question, outcome, gas, return data or
//! memory. A frame ends in a trap in both or in neither; which trap, and how far it came, may differ, because
//! compiled code charges ahead.
//!
//! Which frames are checked is decided in [`engine`](crate::engine); a [`Case`] is a difference made portable.

mod case;
mod case_text;
mod folder;
mod record;
mod replay;

use std::fmt;
use std::io;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;

pub use self::case::{Case, FrameEnd};
pub use self::case_text::{CASE_BYTES_MAX, CaseError};
pub use self::record::Event;
pub use self::replay::{ReplayError, Replayed};

pub(crate) use self::folder::CaseFolder;
pub(crate) use self::record::{Record, Recorder};
pub(crate) use self::replay::{Over, difference, run_over};

/// Which frames are checked, and what becomes of a difference. In [`Mode::Check`](crate::Mode::Check) every frame
/// with compiled code is checked, whatever `one_in` and `first_runs` say.
#[derive(Clone)]
pub struct Checking {
    /// One of that many frames that have compiled code, picked at random; `None`: none but first runs.
    pub one_in: Option<NonZeroU32>,
    /// Frames of a code that are checked, and agree, before compiled code gives results, counted anew whenever more
    /// of the code is compiled. Until then other frames of the code are interpreted. A frame that is in compiled
    /// code already may run into what was just compiled.
    pub first_runs: u32,
    /// Bytes of records that the frames of a transaction may hold together; a frame that needs more is not checked.
    pub record_bytes_max: usize,
    /// Folder for case files, made if it is missing; `None`: none are written.
    pub case_folder: Option<PathBuf>,
    /// Most case files that one engine writes.
    pub case_files_max: u32,
    /// Is told of every difference, on the thread that runs the frame.
    pub on_difference: Option<OnDifference>,
    /// Seed of what is picked at random; `None`: one that nobody can know.
    pub seed: Option<u64>,
}

/// Whom an engine tells of differences.
pub type OnDifference = Arc<dyn Fn(&Report) + Send + Sync>;

impl Checking {
    /// No frame by itself, 64 MiB of records, no case files: what others are made from.
    pub const fn new() -> Checking {
        Checking {
            one_in: None,
            first_runs: 0,
            record_bytes_max: 64 << 20,
            case_folder: None,
            case_files_max: 64,
            on_difference: None,
            seed: None,
        }
    }

    /// One in so many frames, and the first runs of each code.
    pub fn sampling(one_in: NonZeroU32, first_runs: u32) -> Checking {
        Checking { one_in: Some(one_in), first_runs, ..Checking::new() }
    }
}

impl Default for Checking {
    fn default() -> Checking {
        Checking::new()
    }
}

impl fmt::Debug for Checking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Checking { one_in, first_runs, record_bytes_max, case_folder, case_files_max, .. } = self;
        f.debug_struct("Checking")
            .field("one_in", one_in)
            .field("first_runs", first_runs)
            .field("record_bytes_max", record_bytes_max)
            .field("case_folder", case_folder)
            .field("case_files_max", case_files_max)
            .finish_non_exhaustive()
    }
}

/// What cross-checking did so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckStats {
    /// Frames that ran in both tiers.
    pub frames_checked: u64,
    /// Frames that were picked and not checked, because their record grew too large.
    pub frames_given_up: u64,
    /// Frames in which the tiers differed.
    pub differences: u64,
    /// Codes banned.
    pub codes_banned: u64,
    /// Case files written.
    pub cases_written: u64,
    /// Case files that could not be written.
    pub cases_failed: u64,
}

/// Something in which compiled code differs from the interpreter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What: `outcome`, `gas left`, `return data`, `memory`, or `question` and its number.
    pub what: String,
    /// In the interpreter.
    pub interpreted: String,
    /// In compiled code.
    pub compiled: String,
}

impl Difference {
    /// A difference in something; long values are cut.
    pub(crate) fn new(
        what: impl Into<String>,
        interpreted: impl fmt::Display,
        compiled: impl fmt::Display,
    ) -> Difference {
        Difference {
            what: what.into(),
            interpreted: cut(interpreted.to_string()),
            compiled: cut(compiled.to_string()),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: interpreted {}, compiled {}", self.what, self.interpreted, self.compiled)
    }
}

/// Cuts a text that nobody would read to its end.
fn cut(mut text: String) -> String {
    const CHARS_MAX: usize = 400;
    if let Some((end, _)) = text.char_indices().nth(CHARS_MAX) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// A difference as the embedder is told of it. The interpreter's result stands, and the code is banned already.
#[derive(Debug)]
pub struct Report {
    /// The frame, with all that is needed to run it again.
    pub case: Case,
    /// The case file, or why it could not be written; `None` if there is no folder or it has its share.
    pub file: Option<io::Result<PathBuf>>,
}
