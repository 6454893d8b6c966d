//! Hedera's services as operations.
//!
//! What a service does is the host's; here are the static rule, the gas for parameters in memory, and where the
//! answer goes: a word on the stack, and the network's response code in the return-data buffer.

use alloy_primitives::{Bytes, U256};

use super::context::word_address;
use super::storage::host_result;
use crate::bytecode::Op;
use crate::compiled::frame::Frame;
use crate::hedera::{Acting, ServiceRequest};
use crate::host::Host;
use crate::outcome::{Exit, Trap};

/// `hts_transfer`.
pub fn transfer(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    super::refuse_static(frame)?;
    let [token, from, to, amount] = frame.stack.pop();
    let [token, from, to] = [token, from, to].map(|word| word_address(&word));
    ask(frame, host, &ServiceRequest::Transfer { token, from, to, amount })
}

/// `hts_mint`.
pub fn mint(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    super::refuse_static(frame)?;
    let [token, amount] = frame.stack.pop();
    ask(frame, host, &ServiceRequest::Mint { token: word_address(&token), amount })
}

/// `hts_burn`.
pub fn burn(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    super::refuse_static(frame)?;
    let [token, amount] = frame.stack.pop();
    ask(frame, host, &ServiceRequest::Burn { token: word_address(&token), amount })
}

/// `hts_associate`.
pub fn associate(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    super::refuse_static(frame)?;
    let [account, token] = frame.stack.pop().map(|word| word_address(&word));
    ask(frame, host, &ServiceRequest::Associate { account, token })
}

/// `hts_dissociate`.
pub fn dissociate(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    super::refuse_static(frame)?;
    let [account, token] = frame.stack.pop().map(|word| word_address(&word));
    ask(frame, host, &ServiceRequest::Dissociate { account, token })
}

/// `hts_approve`.
pub fn approve(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    super::refuse_static(frame)?;
    let [token, spender, amount] = frame.stack.pop();
    let [token, spender] = [token, spender].map(|word| word_address(&word));
    ask(frame, host, &ServiceRequest::Approve { token, spender, amount })
}

/// `hts_create`.
pub fn create_token(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    super::refuse_static(frame)?;
    let params = pop_bytes(frame, Op::HtsCreate)?;
    ask(frame, host, &ServiceRequest::CreateToken { params })
}

/// `hcs_submit`.
pub fn submit(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    super::refuse_static(frame)?;
    let [topic] = frame.stack.pop();
    let message = pop_bytes(frame, Op::HcsSubmit)?;
    ask(frame, host, &ServiceRequest::Submit { topic: word_address(&topic), message })
}

/// `hcs_create_topic`.
pub fn create_topic(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    super::refuse_static(frame)?;
    let params = pop_bytes(frame, Op::HcsCreateTopic)?;
    ask(frame, host, &ServiceRequest::CreateTopic { params })
}

/// `hcs_update_topic`.
pub fn update_topic(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    super::refuse_static(frame)?;
    let [topic] = frame.stack.pop();
    let params = pop_bytes(frame, Op::HcsUpdateTopic)?;
    ask(frame, host, &ServiceRequest::UpdateTopic { topic: word_address(&topic), params })
}

/// `hcs_delete_topic`.
pub fn delete_topic(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    super::refuse_static(frame)?;
    let [topic] = frame.stack.pop();
    ask(frame, host, &ServiceRequest::DeleteTopic { topic: word_address(&topic) })
}

/// `hedera_account_id`: reads only, and leaves the return-data buffer alone.
pub fn account_id(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    let reply = host.hedera(&acting(frame), &ServiceRequest::AccountId {});
    let reply = host_result(frame, reply)?;
    frame.stack.push_word(reply.word);
    Ok(())
}

/// `hedera_timestamp`.
pub fn timestamp(frame: &mut Frame, host: &mut dyn Host) -> Result<(), Exit> {
    frame.stack.push_word(U256::from(host.block().consensus_time()));
    Ok(())
}

fn acting(frame: &Frame) -> Acting {
    Acting { account: frame.message.address, caller: frame.message.caller }
}

/// Takes offset and size off the stack and pays for the bytes there.
fn pop_bytes(frame: &mut Frame, op: Op) -> Result<Bytes, Exit> {
    let [offset, size] = frame.stack.pop();
    let count = u64::try_from(size).map_err(|_| Trap::OutOfGas)?;
    super::charge(frame, op.dynamic_rate().saturating_mul(count))?;
    let range = super::memory::touch(frame, &offset, &size)?;
    Ok(Bytes::copy_from_slice(&frame.memory.bytes()[range]))
}

/// Asks, and puts the answer where the program finds it.
fn ask(frame: &mut Frame, host: &mut dyn Host, request: &ServiceRequest) -> Result<(), Exit> {
    let reply = host.hedera(&acting(frame), request);
    let reply = host_result(frame, reply)?;
    let code = U256::from(reply.code.number()).to_be_bytes::<32>();
    frame.return_data = Bytes::copy_from_slice(&code);
    frame.stack.push_word(reply.word);
    Ok(())
}
