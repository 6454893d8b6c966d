//! The ledger: what answers the services' requests over a state.

use alloy_primitives::{Address, Bytes, U256};

use super::words::{Store, Table, key, place};
use super::{Acting, ResponseCode, ServiceReply, ServiceRequest, TokenParams, TopicParams};
use crate::host::{HostError, Log};
use crate::state::{Database, State};

/// Tokens, topics and account numbers of a state.
///
/// Its methods are what an embedder sets the ledger up with, and what a test asks it; requests of programs come in
/// by [`Ledger::answer`]. All of it is journaled by the state.
pub struct Ledger<'s> {
    pub(super) store: &'s mut dyn Store,
    /// Consensus time, nanoseconds since the epoch.
    pub(super) time: u64,
}

/// Why something was not done. Nothing has changed then.
#[derive(Debug)]
pub enum Refusal {
    /// The network's reason.
    Code(ResponseCode),
    /// The state could not be read or written.
    Host(HostError),
}

impl From<HostError> for Refusal {
    fn from(error: HostError) -> Refusal {
        Refusal::Host(error)
    }
}

impl From<ResponseCode> for Refusal {
    fn from(code: ResponseCode) -> Refusal {
        Refusal::Code(code)
    }
}

/// Refuses with the code unless the condition holds.
pub(super) fn ensure(condition: bool, otherwise: ResponseCode) -> Result<(), Refusal> {
    if condition { Ok(()) } else { Err(Refusal::Code(otherwise)) }
}

/// Reads an amount: above [`AMOUNT_MAX`](super::AMOUNT_MAX) it is refused.
pub(super) fn amount(word: &U256, otherwise: ResponseCode) -> Result<u64, Refusal> {
    u64::try_from(*word).ok().filter(|&units| units <= super::AMOUNT_MAX).ok_or(Refusal::Code(otherwise))
}

impl<'s> Ledger<'s> {
    /// The ledger in a state, at a consensus time in nanoseconds since the epoch.
    pub fn new<D: Database>(state: &'s mut State<D>, time: u64) -> Ledger<'s> {
        Ledger { store: state, time }
    }

    /// Answers a request. What is refused has changed nothing.
    pub fn answer(&mut self, acting: &Acting, request: &ServiceRequest) -> Result<ServiceReply, HostError> {
        let mut logs = Vec::new();
        let done = self.whole(|ledger| ledger.perform(acting, request, &mut logs));
        match done {
            Ok(word) => Ok(ServiceReply { code: ResponseCode::Success, word, logs }),
            Err(Refusal::Code(code)) => Ok(ServiceReply::refused(code)),
            Err(Refusal::Host(error)) => Err(error),
        }
    }

    /// Does all of something, or nothing.
    pub(super) fn whole<T>(
        &mut self,
        act: impl FnOnce(&mut Ledger<'_>) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let mark = self.store.mark();
        let done = act(&mut Ledger { store: self.store, time: self.time });
        if done.is_err() {
            self.store.undo_to(mark);
        }
        done
    }

    fn perform(
        &mut self,
        acting: &Acting,
        request: &ServiceRequest,
        logs: &mut Vec<Log>,
    ) -> Result<U256, Refusal> {
        let account = acting.account;
        match request {
            ServiceRequest::Transfer { token, from, to, amount: units } => {
                let units = amount(units, ResponseCode::InvalidAccountAmounts)?;
                logs.push(self.transfer(&account, token, from, to, units)?);
            }
            ServiceRequest::Mint { token, amount: units } => {
                let units = amount(units, ResponseCode::InvalidTokenMintAmount)?;
                logs.push(self.mint(&account, token, units)?);
            }
            ServiceRequest::Burn { token, amount: units } => {
                let units = amount(units, ResponseCode::InvalidTokenBurnAmount)?;
                logs.push(self.burn(&account, token, units)?);
            }
            ServiceRequest::Associate { account: named, token } => self.associate(acting, named, token)?,
            ServiceRequest::Dissociate { account: named, token } => self.dissociate(acting, named, token)?,
            ServiceRequest::Approve { token, spender, amount: units } => {
                let units = amount(units, ResponseCode::NegativeAllowanceAmount)?;
                logs.push(self.approve(&account, token, spender, units)?);
            }
            ServiceRequest::CreateToken { params } => {
                let params = TokenParams::decode(params)?;
                let (token, log) = self.create_token(&account, params.into_token(account))?;
                logs.extend(log);
                return Ok(key(&token));
            }
            ServiceRequest::Submit { topic, message } => {
                logs.push(self.submit(&account, topic, message)?);
            }
            ServiceRequest::CreateTopic { params } => {
                let TopicParams { memo } = TopicParams::decode(params)?;
                return Ok(key(&self.create_topic(&account, memo)?));
            }
            ServiceRequest::UpdateTopic { topic, params } => {
                let TopicParams { memo } = TopicParams::decode(params)?;
                self.update_topic(&account, topic, memo)?;
            }
            ServiceRequest::DeleteTopic { topic } => self.delete_topic(&account, topic)?,
            ServiceRequest::AccountId {} => {
                return Ok(self.account_id(&account)?.map_or(U256::ZERO, |id| key(&id)));
            }
        }
        Ok(U256::ONE)
    }

    /// A record of one word.
    pub(super) fn word(&mut self, table: Table, keys: &[U256]) -> Result<U256, HostError> {
        self.store.load(&place(table, keys))
    }

    pub(super) fn set_word(&mut self, table: Table, keys: &[U256], word: U256) -> Result<(), HostError> {
        self.store.save(&place(table, keys), &word)
    }

    /// Gives a new token or topic its address, with that code.
    pub(super) fn new_entity(&mut self, code: impl FnOnce(&Address) -> Bytes) -> Result<Address, Refusal> {
        let address = super::entities::long_zero(self.next_number()?);
        self.store.place_code(&address, code(&address))?;
        Ok(address)
    }
}
