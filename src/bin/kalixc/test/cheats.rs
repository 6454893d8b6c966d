//! What `vm` does while a test runs: an inspector that answers its calls.
//!
//! Calls and creations of the test itself are those made with one frame active; what contracts under test do among
//! themselves is only watched.

use std::collections::HashMap;

use alloy_dyn_abi::{DynSolType, DynSolValue};
use alloy_primitives::{Address, Bytes, U256};
use kalix::sema::cheats::{self, Cheat};
use kalix::sema::types::Types;
use zvm::call_stack::{Answer, CallKind, CallRequest, CreateRequest, FrameKind};
use zvm::compiled::frame::Frame;
use zvm::hedera::{Acting, ResponseCode, ServiceReply, ServiceRequest};
use zvm::host::{BlockEnv, HostError, Log};
use zvm::inspect::{CallEnd, CallStart, Inspector, Interception, StorageAccess, World};
use zvm::outcome::Exit;

use crate::gas::follow::Follower;

/// What a test itself found wrong.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Finding {
    /// An assertion failed: its number, and both sides in the encoding of `abi.encode`.
    Assertion { number: u64, sides: Bytes },
    /// A call that should have reverted succeeded, or reverted with other data.
    Revert { expected: Option<Bytes>, found: Option<Bytes> },
    /// A call did not log what it should; what it logged.
    Emit { expected: Log, found: Vec<Log> },
    /// An expectation was left over.
    NoCall(&'static str),
    /// No operation of this byte asked for what `vm.hedera_fail` would have had refused.
    NoService(u8),
}

/// Where a frame that failed stood.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FailedFrame {
    pub(crate) depth: usize,
    /// The account whose code ran.
    pub(crate) code_address: Address,
    /// Whether it was creating.
    pub(crate) is_creation: bool,
    /// Offsets of the operations that ran last, the failed one last.
    pub(crate) trail: Vec<u32>,
    pub(crate) exit: Option<Exit>,
    pub(crate) output: Bytes,
}

/// A frame that is active.
struct Level {
    code_address: Address,
    is_creation: bool,
    trail: Vec<u32>,
    /// How many entries were logged when it began.
    logged: usize,
}

/// How many operations of a frame are remembered.
const TRAIL_MAX: usize = 64;

/// Answers `vm`, and watches what the calls of a test do.
pub(crate) struct Cheats {
    selectors: HashMap<[u8; 4], Cheat>,
    pub(crate) block: BlockEnv,
    next_caller: Option<Address>,
    caller: Option<Address>,
    call_gas: u64,
    last_gas: u64,
    expected_revert: Option<Option<Bytes>>,
    expected_logs: Vec<Log>,
    awaits_pattern: bool,
    /// Bytes of the operations of which the next is refused, each as often as it stands here.
    failing_services: Vec<u8>,
    logs: Vec<Log>,
    levels: Vec<Level>,
    /// Whether to remember where frames fail; the interpreter runs them then.
    pub(crate) traces: bool,
    pub(crate) failed_frames: Vec<FailedFrame>,
    /// The init code with which each account was created.
    pub(crate) created: HashMap<Address, Bytes>,
    pub(crate) finding: Option<Finding>,
    pub(crate) is_rejected: bool,
    /// Estimates what every call costs, if that is asked for; the interpreter runs everything then.
    pub(crate) follower: Option<Follower>,
}

impl Cheats {
    pub(crate) fn new(types: &Types, block: BlockEnv, traces: bool) -> Cheats {
        Cheats {
            selectors: Cheat::ALL.iter().map(|&cheat| (cheat.selector(types), cheat)).collect(),
            block,
            next_caller: None,
            caller: None,
            call_gas: 0,
            last_gas: 0,
            expected_revert: None,
            expected_logs: Vec::new(),
            awaits_pattern: false,
            failing_services: Vec::new(),
            logs: Vec::new(),
            levels: Vec::new(),
            traces,
            failed_frames: Vec::new(),
            created: HashMap::new(),
            finding: None,
            is_rejected: false,
            follower: None,
        }
    }

    /// The outermost frame is about to run with this much gas; nobody else tells of it.
    pub(crate) fn begin(&mut self, code_address: Address, is_creation: bool, gas: u64) {
        if let Some(follower) = &mut self.follower {
            follower.begin(code_address, is_creation, gas);
        }
        self.levels = vec![Level { code_address, is_creation, trail: Vec::new(), logged: 0 }];
    }

    /// What the test left undone.
    pub(crate) fn end(&mut self) {
        if self.finding.is_some() {
            return;
        }
        if self.expected_revert.is_some() {
            self.finding = Some(Finding::NoCall("vm.expect_revert"));
        } else if !self.expected_logs.is_empty() {
            self.finding = Some(Finding::NoCall("vm.expect_emit"));
        } else if let Some(&op) = self.failing_services.first() {
            self.finding = Some(Finding::NoService(op));
        }
    }

    /// Serves a cheat. The call fails if the test is to stop.
    fn serve(&mut self, input: &[u8], world: &mut dyn World) -> Result<Interception, HostError> {
        let stop = Interception { is_success: false, output: Bytes::new() };
        let done = |output: Vec<u8>| Interception { is_success: true, output: output.into() };
        let Some((selector, rest)) = input.split_at_checked(4) else { return Ok(stop) };
        let Some(cheat) =
            <[u8; 4]>::try_from(selector).ok().and_then(|key| self.selectors.get(&key).copied())
        else {
            return Ok(stop);
        };
        let word = |at: usize| U256::from_be_slice(rest.get(32 * at..32 * at + 32).unwrap_or(&[]));
        let account = Address::from_word(word(0).into());
        match cheat {
            Cheat::Prank => self.next_caller = Some(account),
            Cheat::PrankAll => self.caller = Some(account),
            Cheat::Deal => world.set_balance(&account, word(1))?,
            Cheat::Warp => self.block.timestamp = word(0),
            Cheat::Roll => self.block.number = word(0),
            Cheat::LastGas => return Ok(done(U256::from(self.last_gas).to_be_bytes_vec())),
            Cheat::Storage => return Ok(done(world.storage(&account, &word(1))?.to_be_bytes_vec())),
            Cheat::ExpectRevert => self.expected_revert = Some(None),
            Cheat::ExpectRevertWith => {
                self.expected_revert = Some(Some(bytes_argument(rest, 1).unwrap_or_default()));
            }
            Cheat::ExpectEmit => self.awaits_pattern = true,
            Cheat::HederaFail => self.failing_services.push(word(0).saturating_to()),
            Cheat::Reject => {
                self.is_rejected = true;
                return Ok(stop);
            }
            Cheat::Fail => {
                let sides = bytes_argument(rest, 2).unwrap_or_default();
                self.finding = Some(Finding::Assertion { number: word(0).saturating_to(), sides });
                return Ok(stop);
            }
        }
        Ok(done(Vec::new()))
    }
}

/// The `bytes` that is the last of `count` arguments.
fn bytes_argument(data: &[u8], count: usize) -> Option<Bytes> {
    let mut types = vec![DynSolType::Uint(256); count - 1];
    types.push(DynSolType::Bytes);
    match DynSolType::Tuple(types).abi_decode_params(data).ok()? {
        DynSolValue::Tuple(mut values) => match values.pop()? {
            DynSolValue::Bytes(bytes) => Some(bytes.into()),
            _ => None,
        },
        // A tuple of one is its element.
        DynSolValue::Bytes(bytes) => Some(bytes.into()),
        _ => None,
    }
}

impl Inspector for Cheats {
    fn wants_steps(&self) -> bool {
        self.traces || self.follower.is_some()
    }

    fn step(&mut self, frame: &Frame) {
        if let Some(follower) = &mut self.follower {
            follower.step(frame);
        }
        if !self.traces {
            return;
        }
        if let Some(level) = self.levels.last_mut() {
            if level.trail.len() == TRAIL_MAX {
                level.trail.drain(..TRAIL_MAX / 2);
            }
            level.trail.push(frame.pc as u32);
        }
    }

    fn call_start(&mut self, start: &CallStart<'_>) {
        if let Some(follower) = &mut self.follower {
            follower.call_start(start);
        }
        let is_creation = start.kind.is_create();
        if is_creation {
            self.created.insert(start.address, start.input.clone());
        }
        let (code_address, logged) = (start.code_address, self.logs.len());
        self.levels.push(Level { code_address, is_creation, trail: Vec::new(), logged });
    }

    fn storage(&mut self, access: &StorageAccess) {
        if let Some(follower) = &mut self.follower {
            follower.storage(access);
        }
    }

    fn call_end(&mut self, end: &CallEnd<'_>) {
        if let Some(follower) = &mut self.follower {
            follower.call_end(end);
        }
        let Some(level) = self.levels.pop() else { return };
        if end.is_success() {
            return;
        }
        self.logs.truncate(level.logged);
        if self.traces {
            self.failed_frames.push(FailedFrame {
                depth: end.depth,
                code_address: level.code_address,
                is_creation: level.is_creation,
                trail: level.trail,
                exit: end.exit,
                output: end.output.clone(),
            });
        }
    }

    fn log(&mut self, log: &Log) {
        if self.levels.len() == 1 {
            if std::mem::take(&mut self.awaits_pattern) {
                self.expected_logs.push(log.clone());
            }
        } else {
            self.logs.push(log.clone());
        }
    }

    fn intercept_call(
        &mut self,
        request: &mut CallRequest,
        depth: usize,
        world: &mut dyn World,
    ) -> Result<Option<Interception>, HostError> {
        if let Some(follower) = &mut self.follower {
            follower.intercept_call(request, depth, world)?;
        }
        if request.code_address == cheats::ADDRESS {
            if let Some(follower) = &mut self.follower {
                follower.answered();
            }
            return self.serve(&request.input, world).map(Some);
        }
        if depth == 1 {
            if let (Some(caller), CallKind::Call | CallKind::StaticCall) =
                (self.next_caller.take().or(self.caller), request.kind)
            {
                request.caller = caller;
            }
            self.call_gas = request.gas;
            self.logs.clear();
        }
        Ok(None)
    }

    fn intercept_create(&mut self, request: &mut CreateRequest, depth: usize) {
        if depth == 1 {
            if let Some(caller) = self.next_caller.take().or(self.caller) {
                request.creator = caller;
            }
            self.call_gas = request.gas;
            self.logs.clear();
        }
    }

    fn intercept_service(&mut self, _: &Acting, request: &ServiceRequest) -> Option<ServiceReply> {
        let byte = request.op().info().zvm;
        let at = self.failing_services.iter().position(|&op| Some(op) == byte)?;
        self.failing_services.remove(at);
        Some(ServiceReply::refused(ResponseCode::FailInvalid))
    }

    fn answer(&mut self, answer: &mut Answer, depth: usize) {
        if depth != 1 {
            return;
        }
        self.last_gas = self.call_gas.saturating_sub(answer.gas_left);
        if let Some(expected) = self.expected_revert.take() {
            let found = (!answer.is_success).then(|| answer.output.clone());
            let is_met = match (&expected, &found) {
                (Some(expected), Some(found)) => expected == found,
                (expected, found) => expected.is_none() && found.is_some(),
            };
            if is_met {
                // The test goes on as if the call had given zeros.
                answer.is_success = true;
                answer.output = match answer.kind {
                    FrameKind::Call { .. } => vec![0; EXPECTED_REVERT_OUTPUT].into(),
                    FrameKind::Create { .. } => Bytes::new(),
                };
            } else {
                self.finding = Some(Finding::Revert { expected, found });
                answer.is_success = false;
                answer.output = Bytes::new();
            }
            return;
        }
        let expected = std::mem::take(&mut self.expected_logs);
        let is_missing =
            |log: &Log| !self.logs.iter().any(|other| other.topics == log.topics && other.data == log.data);
        if answer.is_success
            && let Some(expected) = expected.into_iter().find(is_missing)
        {
            self.finding = Some(Finding::Emit { expected, found: self.logs.clone() });
            answer.is_success = false;
            answer.output = Bytes::new();
        }
    }

    fn block(&self) -> Option<&BlockEnv> {
        Some(&self.block)
    }
}

/// Bytes of zeros that a call gives which reverted as expected: enough for the outputs of any function one would write.
const EXPECTED_REVERT_OUTPUT: usize = 4096;
