//! The gate: the native function by which Rust code enters regions, and the signatures of both.
//!
//! Regions jump to each other by tail calls and hand on in registers what all of them need of the frame, so their
//! calling convention is one that Rust does not speak.

use cranelift_codegen::ir::{AbiParam, Function, InstBuilder, MemFlagsData, Signature, types};
use cranelift_codegen::isa::{CallConv, TargetFrontendConfig};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use zvm::compiled::frame::offsets;

use crate::entry::context_offsets;

/// The signature of a region: the run context, the block to start at, the frame, the bottom of its stack, the gas
/// left, and a pointer above the top word; to a status. All are integers in registers.
pub(crate) fn region_signature() -> Signature {
    let mut signature = Signature::new(CallConv::Tail);
    let params = [types::I64, types::I32, types::I64, types::I64, types::I64, types::I64];
    signature.params.extend(params.map(AbiParam::new));
    signature.returns.push(AbiParam::new(types::I32));
    signature
}

/// The signature of the gate: the run context, the block to start at, the code of its region; to a status.
pub(crate) fn gate_signature(call_conv: CallConv) -> Signature {
    let mut signature = Signature::new(call_conv);
    signature.params.extend([types::I64, types::I32, types::I64].map(AbiParam::new));
    signature.returns.push(AbiParam::new(types::I32));
    signature
}

/// Writes the gate into `func`, which has its signature.
pub(crate) fn translate_gate(func: &mut Function, frontend_config: TargetFrontendConfig) {
    let mut builder_context = FunctionBuilderContext::new();
    let mut b = FunctionBuilder::new(func, &mut builder_context);
    let entry = b.create_block();
    b.append_block_params_for_function_params(entry);
    b.switch_to_block(entry);
    b.seal_block(entry);
    let &[context, block, code] = b.block_params(entry) else {
        unreachable!("the signature has three parameters");
    };
    let flags = MemFlagsData::trusted();
    let frame = b.ins().load(types::I64, flags, context, context_offsets::FRAME as i32);
    let stack_base = b.ins().load(types::I64, flags, frame, offsets::STACK_BASE as i32);
    let gas = b.ins().load(types::I64, flags, frame, offsets::GAS as i32);
    let len = b.ins().load(types::I64, flags, frame, offsets::STACK_LEN as i32);
    let five = b.ins().iconst(types::I64, 5);
    let bytes = b.ins().ishl(len, five);
    let top = b.ins().iadd(stack_base, bytes);
    let signature = b.import_signature(region_signature());
    let call = b.ins().call_indirect(signature, code, &[context, block, frame, stack_base, gas, top]);
    let status = b.inst_results(call)[0];
    b.ins().return_(&[status]);
    b.finalize(frontend_config);
}
