//! Authorizations of EIP-7702: which have an effect, what that is, and what it costs.

use zvm::bytecode::delegation_to;
use zvm::state::InMemoryDatabase;
use zvm::tx::{Authorization, Transaction, TransactionKind, TransactionResult};
use zvm::{Address, Bytes, Executor, Fork, U256};

use crate::world::*;

/// An account with a nonce of 3 and some wei.
const KNOWN: Address = Address::repeat_byte(0x44);
/// An address without an account.
const NEW: Address = Address::repeat_byte(0x33);

fn authorization(authority: Address, nonce: u64) -> Authorization {
    Authorization { chain_id: w(1), address: OTHER, nonce, authority: Some(authority) }
}

fn world(code: &str) -> Executor<InMemoryDatabase> {
    let mut database = database(&evm(code));
    database.insert_account(KNOWN, 3, w(50), Bytes::new());
    // Says who it is, and stores that.
    let code = evm("address\ndup1\npush0\nsstore\npush0\nmstore\npush1 32\npush0\nreturn");
    database.insert_account(OTHER, 1, U256::ZERO, code);
    executor(Fork::Prague, database)
}

fn send(
    executor: &mut Executor<InMemoryDatabase>,
    to: Address,
    authorizations: Vec<Authorization>,
) -> TransactionResult {
    let kind = TransactionKind::SetCode { fees: fees(2, 0), access_list: vec![], authorizations };
    let transaction = Transaction { to: Some(to), gas_limit: 400_000, nonce: None, ..call(kind) };
    executor.transact(&transaction, &block()).expect("valid")
}

fn code(executor: &mut Executor<InMemoryDatabase>, address: Address) -> Bytes {
    let hash = account(executor, address).code_hash;
    executor.state_mut().code(&hash).expect("no host trouble")
}

#[test]
fn a_delegation_is_written_and_runs_in_its_account() {
    let mut executor = world("halt");
    let result = send(&mut executor, KNOWN, vec![authorization(KNOWN, 3)]);
    assert_eq!(result.output, KNOWN.into_word().to_vec());
    assert_eq!(code(&mut executor, KNOWN), delegation_to(&OTHER));
    assert_eq!(account(&mut executor, KNOWN).nonce, 4);
    let stored = |executor: &mut Executor<InMemoryDatabase>, address| {
        executor.state_mut().peek_storage(&address, &U256::ZERO).expect("no host trouble")
    };
    assert_eq!(stored(&mut executor, KNOWN), U256::from_be_slice(KNOWN.as_slice()));
    assert_eq!(stored(&mut executor, OTHER), U256::ZERO);
    // Zero takes it away again; what it stored stays.
    let clear = Authorization { address: Address::ZERO, ..authorization(KNOWN, 4) };
    assert_eq!(send(&mut executor, KNOWN, vec![clear]).output, Bytes::new());
    assert!(!account(&mut executor, KNOWN).has_code());
    assert_eq!(account(&mut executor, KNOWN).nonce, 5);
    assert_eq!(stored(&mut executor, KNOWN), U256::from_be_slice(KNOWN.as_slice()));
}

#[test]
fn each_authorization_costs_25000_and_half_of_that_comes_back_for_accounts_that_exist() {
    let mut executor = world("halt");
    let result = send(&mut executor, TARGET, vec![authorization(KNOWN, 3), authorization(NEW, 0)]);
    assert_eq!((result.gas_used, result.gas_refunded), (21_000 + 50_000 - 12_500, 12_500));
    assert_eq!(code(&mut executor, NEW), delegation_to(&OTHER));
    assert_eq!(account(&mut executor, NEW).nonce, 1);
    // One after the other: the second finds the account that the first made. The cap is a fifth of 71,000.
    let mut executor = world("halt");
    let result = send(&mut executor, TARGET, vec![authorization(NEW, 0), authorization(NEW, 1)]);
    assert_eq!((result.gas_used, result.gas_refunded), (71_000 - 12_500, 12_500));
    assert_eq!(account(&mut executor, NEW).nonce, 2);
}

#[test]
fn an_authorization_that_breaks_a_rule_has_no_effect_and_costs_the_same() {
    let known = authorization(KNOWN, 3);
    for broken in [
        Authorization { chain_id: w(2), ..known },
        Authorization { nonce: 2, ..known },
        Authorization { nonce: 4, ..known },
        Authorization { nonce: u64::MAX, ..known },
        Authorization { authority: None, ..known },
        // An account with code of its own.
        authorization(OTHER, 1),
    ] {
        let mut executor = world("halt");
        let result = send(&mut executor, TARGET, vec![broken]);
        assert_eq!((result.gas_used, result.gas_refunded), (46_000, 0), "{broken:?}");
        assert_eq!(executor.state().diff().accounts.len(), 1, "the sender alone: {broken:?}");
    }
    let mut executor = world("halt");
    let any_chain = Authorization { chain_id: U256::ZERO, ..known };
    send(&mut executor, TARGET, vec![any_chain]);
    assert_eq!(code(&mut executor, KNOWN), delegation_to(&OTHER));
}

#[test]
fn the_senders_own_authorization_counts_the_transaction() {
    let mut executor = world("halt");
    send(&mut executor, TARGET, vec![authorization(SENDER, NONCE)]);
    assert!(!account(&mut executor, SENDER).has_code());
    send(&mut executor, TARGET, vec![authorization(SENDER, NONCE + 2)]);
    assert_eq!(code(&mut executor, SENDER), delegation_to(&OTHER));
    assert_eq!(account(&mut executor, SENDER).nonce, NONCE + 3);
}

#[test]
fn delegations_and_their_refund_outlast_a_call_that_reverts() {
    let mut executor = world("push0\npush0\nrevert");
    let result = send(&mut executor, TARGET, vec![authorization(KNOWN, 3)]);
    assert!(!result.is_success());
    let spent = 46_000 + 4;
    assert_eq!(result.gas_refunded, spent / 5, "the cap");
    assert_eq!(code(&mut executor, KNOWN), delegation_to(&OTHER));
}

#[test]
fn signers_are_warm_unless_their_nonce_or_chain_was_refused_first() {
    let gas = |authorization: Authorization| {
        let mut executor = world(&format!("push20 {KNOWN}\nbalance"));
        send(&mut executor, TARGET, vec![authorization]).exec_gas - 3
    };
    assert_eq!(gas(authorization(KNOWN, 3)), 100);
    assert_eq!(gas(authorization(KNOWN, 9)), 100, "the nonce is compared after the access");
    assert_eq!(gas(Authorization { chain_id: w(2), ..authorization(KNOWN, 3) }), 2600);
    assert_eq!(gas(authorization(KNOWN, u64::MAX)), 2600);
}

#[test]
fn the_code_of_a_delegation_is_23_bytes_to_others_and_its_target_is_warm_for_the_receiver() {
    let mut executor = world(&format!("push20 {KNOWN}\nextcodesize\npush0\nmstore\npush1 32\npush0\nreturn"));
    let result = send(&mut executor, TARGET, vec![authorization(KNOWN, 3)]);
    assert_eq!(U256::from_be_slice(&result.output), w(23));

    // The receiver delegates to code that reads its own balance's price: the target is warm.
    let mut executor = world(&format!("push20 {TARGET}\nbalance"));
    let to_target = Authorization { address: TARGET, ..authorization(KNOWN, 3) };
    assert_eq!(send(&mut executor, KNOWN, vec![to_target]).exec_gas, 3 + 100);
}

#[test]
fn a_delegation_is_followed_once_and_not_into_a_precompiled_contract() {
    let mut executor = world("halt");
    send(&mut executor, TARGET, vec![authorization(KNOWN, 3)]);
    let chained = Authorization { address: KNOWN, ..authorization(NEW, 0) };
    let result = send(&mut executor, NEW, vec![chained]);
    assert!(!result.is_success(), "the bytes EF 01 00 are no program");
    let sha256 = Authorization { address: Address::with_last_byte(2), ..authorization(NEW, 1) };
    let result = send(&mut executor, NEW, vec![sha256]);
    assert!(result.is_success() && result.output.is_empty());
}

#[cfg(feature = "precompiles")]
#[test]
fn the_signer_of_an_authorization_is_recovered() {
    let number = |text: &str| text.parse::<U256>().expect("a number");
    // Signed by a script with arithmetic of its own; the key is keccak256("cow"), the parity 0.
    let r = number("0x544e77a4dbfad982648d8e4c293bc8bb5185e04417b4b073d7155c4ee55a1350");
    let s = number("0x2b48fc982a332a064ba4fdade5190277f1ea9322ad3bfaa3dc20414d9ed79e02");
    let recover = |y_parity: u64, s| Authorization::recover(w(1), OTHER, 5, w(y_parity), r, s).authority;
    let signer: Address = "0xcd2a3d9f938e13cd947ec05abc7fe734df8dd826".parse().expect("an address");
    assert_eq!(recover(0, s), Some(signer));
    assert_ne!(recover(1, s), Some(signer));
    assert_eq!(recover(2, s), None);
    assert_eq!(recover(27, s), None);
    assert_eq!(recover(0, U256::ZERO), None);
    // The other signature of the same key, refused since EIP-2.
    let order = number("0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
    assert_eq!(recover(1, order - s), None);
}
