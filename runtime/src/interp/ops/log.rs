//! Logs.

use alloy_primitives::{B256, Bytes};

use crate::bytecode::Op;
use crate::compiled::frame::Frame;
use crate::host::{Host, Log};
use crate::outcome::{Exit, Trap};

/// `log0` to `log4`, by the number of topics.
pub fn log<const TOPICS: usize>(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    super::refuse_static(frame)?;
    let [offset, size] = frame.stack.pop();
    let bytes = u64::try_from(size).map_err(|_| Trap::OutOfGas)?;
    super::charge(frame, Op::Log0.dynamic_rate().saturating_mul(bytes))?;
    let range = super::memory::touch(frame, &offset, &size)?;
    let topics = frame.stack.pop::<TOPICS>().iter().map(|topic| B256::from(*topic)).collect();
    let data = Bytes::copy_from_slice(&frame.memory.bytes()[range]);
    host.log(Log { address: frame.message.address, topics, data });
    Ok(())
}
