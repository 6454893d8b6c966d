//! Accounts other than storage: balances, code of others, the end of an account.
//!
//! The cold price is charged before the host is asked: a frame that can't pay it never reaches a database.

use alloy_primitives::{Address, U256};

use super::context::word_address;
use super::memory::{charge_words, touch};
use super::storage::host_result;
use crate::bytecode::Op;
use crate::compiled::frame::Frame;
use crate::gas;
use crate::host::{Access, Host};
use crate::outcome::{Exit, Trap};
use crate::state::AccountInfo;

/// Asks for an account where the frame could pay the cold price; nothing is charged.
fn access(frame: &mut Frame, host: &mut dyn Host, address: &Address) -> Result<Access<AccountInfo>, Exit> {
    let read = host.account(address, frame.gas >= gas::ACCOUNT.cold);
    Ok(host_result(frame, read)?.ok_or(Trap::OutOfGas)?)
}

/// Pays for a touch of an account (EIP-2929) and gives it.
pub(super) fn touch_account(
    frame: &mut Frame,
    host: &mut dyn Host,
    address: &Address,
) -> Result<AccountInfo, Exit> {
    let account = access(frame, host, address)?;
    super::charge(frame, gas::ACCOUNT.of(account.is_cold))?;
    Ok(account.value)
}

/// `balance`.
pub fn balance(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    let address = word_address(frame.stack.top_mut());
    let account = touch_account(frame, host, &address)?;
    *frame.stack.top_mut() = account.balance;
    Ok(())
}

/// `selfbalance`.
pub fn selfbalance(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    let read = host.self_balance(&frame.message.address);
    let balance = host_result(frame, read)?;
    frame.stack.push_word(balance);
    Ok(())
}

/// `extcodesize`: of all bytes, prefix included; of a delegation its 23 bytes.
pub fn extcodesize(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    let address = word_address(frame.stack.top_mut());
    let account = touch_account(frame, host, &address)?;
    let size = if account.has_code() {
        let code = host.code(&account.code_hash);
        host_result(frame, code)?.raw().len()
    } else {
        0
    };
    *frame.stack.top_mut() = U256::from(size);
    Ok(())
}

/// `extcodecopy`: as [`extcodesize`], zeros past the end.
pub fn extcodecopy(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    let [address, dest, offset, size] = frame.stack.pop();
    charge_words(frame, Op::ExtcodeCopy, &size)?;
    let range = touch(frame, &dest, &size)?;
    let account = touch_account(frame, host, &word_address(&address))?;
    if account.has_code() && !range.is_empty() {
        let code = host.code(&account.code_hash);
        let code = host_result(frame, code)?;
        frame.memory.copy_padded(range, code.raw(), &offset);
    } else {
        frame.memory.copy_padded(range, &[], &U256::ZERO);
    }
    Ok(())
}

/// `extcodehash`: 0 for an account that is dead (EIP-1052, 161).
pub fn extcodehash(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    let address = word_address(frame.stack.top_mut());
    let account = touch_account(frame, host, &address)?;
    *frame.stack.top_mut() = if account.is_empty() { U256::ZERO } else { account.code_hash.into() };
    Ok(())
}

/// `selfdestruct`: moves the balance, and ends the account if this transaction created it (EIP-6780).
pub fn selfdestruct(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    super::refuse_static(frame)?;
    let [beneficiary] = frame.stack.pop();
    let beneficiary = word_address(&beneficiary);
    let heir = access(frame, host, &beneficiary)?;
    // A warm beneficiary is part of the static price.
    super::charge(frame, if heir.is_cold { gas::ACCOUNT.cold } else { 0 })?;
    let here = frame.message.address;
    let balance = host.self_balance(&here);
    if heir.value.is_empty() && !host_result(frame, balance)?.is_zero() {
        super::charge(frame, gas::NEW_ACCOUNT)?;
    }
    let ended = host.selfdestruct(&here, &beneficiary);
    host_result(frame, ended)?;
    Err(Exit::Halt)
}
