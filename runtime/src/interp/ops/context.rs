//! Facts of the message, the transaction, the account and the code.

use alloy_primitives::{Address, B256, U256};

use super::memory::{charge_words, copy_to_memory, touch};
use crate::bytecode::Op;
use crate::compiled::frame::Frame;
use crate::host::Host;
use crate::outcome::{Exit, Trap};

/// The word of an address.
#[inline]
pub fn address_word(address: &Address) -> U256 {
    address.into_word().into()
}

/// The address in a word's low 20 bytes.
#[inline]
pub fn word_address(word: &U256) -> Address {
    Address::from_word(B256::from(*word))
}

/// `address`.
pub fn address(frame: &mut Frame, _: &mut dyn Host) -> Result<(), Exit> {
    frame.stack.push_word(address_word(&frame.message.address));
    Ok(())
}

/// `origin`.
pub fn origin(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    frame.stack.push_word(address_word(&host.tx().origin));
    Ok(())
}

/// `gasprice`.
pub fn gasprice(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    frame.stack.push_word(host.tx().gas_price);
    Ok(())
}

/// `caller`.
pub fn caller(frame: &mut Frame, _: &mut dyn Host) -> Result<(), Exit> {
    frame.stack.push_word(address_word(&frame.message.caller));
    Ok(())
}

/// `callvalue`.
pub fn callvalue(frame: &mut Frame, _: &mut dyn Host) -> Result<(), Exit> {
    frame.stack.push_word(frame.message.value);
    Ok(())
}

/// `calldataload`.
pub fn calldataload(frame: &mut Frame, _: &mut dyn Host) -> Result<(), Exit> {
    let offset = *frame.stack.top_mut();
    *frame.stack.top_mut() = calldata_word(frame, &offset);
    Ok(())
}

/// The word of call data at an offset, zeros past its end.
pub fn calldata_word(frame: &Frame, offset: &U256) -> U256 {
    let input = &frame.message.input;
    let rest = usize::try_from(*offset).ok().and_then(|offset| input.get(offset..)).unwrap_or(&[]);
    let mut bytes = [0; 32];
    let copied = rest.len().min(32);
    bytes[..copied].copy_from_slice(&rest[..copied]);
    U256::from_be_bytes(bytes)
}

/// `calldatasize`.
pub fn calldatasize(frame: &mut Frame, _: &mut dyn Host) -> Result<(), Exit> {
    frame.stack.push_word(U256::from(frame.message.input.len()));
    Ok(())
}

/// `calldatacopy`.
pub fn calldatacopy(frame: &mut Frame, _: &mut dyn Host) -> Result<(), Exit> {
    let (range, offset) = copy_to_memory(frame, Op::CalldataCopy)?;
    frame.memory.copy_padded(range, &frame.message.input, &offset);
    Ok(())
}

/// `codesize`: of the body, as the code's own offsets count.
pub fn codesize(frame: &mut Frame, _: &mut dyn Host) -> Result<(), Exit> {
    frame.stack.push_word(U256::from(frame.code.body().len()));
    Ok(())
}

/// `codecopy`.
pub fn codecopy(frame: &mut Frame, _: &mut dyn Host) -> Result<(), Exit> {
    let (range, offset) = copy_to_memory(frame, Op::CodeCopy)?;
    frame.memory.copy_padded(range, frame.code.body(), &offset);
    Ok(())
}

/// `returndatasize`.
pub fn returndatasize(frame: &mut Frame, _: &mut dyn Host) -> Result<(), Exit> {
    frame.stack.push_word(U256::from(frame.return_data.len()));
    Ok(())
}

/// `returndatacopy`: reading past the end is an exceptional halt, even of an empty range.
pub fn returndatacopy(frame: &mut Frame, _: &mut dyn Host) -> Result<(), Exit> {
    let [dest, offset, size] = frame.stack.pop();
    charge_words(frame, Op::ReturndataCopy, &size)?;
    let range = touch(frame, &dest, &size)?;
    let end = offset.checked_add(size).ok_or(Trap::ReturnDataOutOfBounds)?;
    if end > U256::from(frame.return_data.len()) {
        return Err(Trap::ReturnDataOutOfBounds.into());
    }
    frame.memory.copy_padded(range, &frame.return_data, &offset);
    Ok(())
}
