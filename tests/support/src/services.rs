//! A program that asks Hedera's services for whatever its call data says.

use zvm::{Bytes, U256};

use crate::relay::{TELL, account_code};

/// Which service the actor asks; the number is the first word of its call data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// `hts_transfer`.
    Transfer,
    /// `hts_mint`.
    Mint,
    /// `hts_burn`.
    Burn,
    /// `hts_associate`.
    Associate,
    /// `hts_dissociate`.
    Dissociate,
    /// `hts_approve`.
    Approve,
    /// `hts_create`.
    Create,
    /// `hcs_submit`.
    Submit,
    /// `hcs_create_topic`.
    CreateTopic,
    /// `hcs_update_topic`.
    UpdateTopic,
    /// `hcs_delete_topic`.
    DeleteTopic,
    /// `hedera_account_id`.
    AccountId,
    /// `hedera_timestamp`.
    Timestamp,
}

/// All services: mnemonic, words among the operands, and whether a memory range follows.
pub const SERVICES: [(Service, &str, usize, bool); 13] = [
    (Service::Transfer, "hts_transfer", 4, false),
    (Service::Mint, "hts_mint", 2, false),
    (Service::Burn, "hts_burn", 2, false),
    (Service::Associate, "hts_associate", 2, false),
    (Service::Dissociate, "hts_dissociate", 2, false),
    (Service::Approve, "hts_approve", 3, false),
    (Service::Create, "hts_create", 0, true),
    (Service::Submit, "hcs_submit", 1, true),
    (Service::CreateTopic, "hcs_create_topic", 0, true),
    (Service::UpdateTopic, "hcs_update_topic", 1, true),
    (Service::DeleteTopic, "hcs_delete_topic", 1, false),
    (Service::AccountId, "hedera_account_id", 0, false),
    (Service::Timestamp, "hedera_timestamp", 0, false),
];

/// A program that asks the service of its call data's first word, with the words and the bytes behind it, and answers
/// with the word on the stack and the return-data buffer.
fn actor_text() -> String {
    let mut text = String::from(".zvm\n");
    for (number, (_, name, _, _)) in SERVICES.iter().enumerate() {
        text += &format!("push0\ncalldataload\npush1 {number}\neq\npush2 {name}\njumpi\n");
    }
    text += "invalid\n";
    for (_, name, words, has_data) in SERVICES {
        text += &format!("{name}:\njumpdest\n");
        if has_data {
            let start = 32 * (words + 1);
            text +=
                &format!("push1 {start}\ncalldatasize\nsub\ndup1\npush1 {start}\npush1 128\ncalldatacopy\n");
            text += "push1 128\n";
        }
        for word in (1..=words).rev() {
            text += &format!("push1 {}\ncalldataload\n", 32 * word);
        }
        text += &format!("{name}\npush2 answer\njump\n");
    }
    text + "answer:\njumpdest\n" + TELL
}

/// The code of an account that asks as its call data says.
pub fn actor() -> Bytes {
    account_code(&actor_text())
}

/// Call data of a contract that asks a service.
pub fn asking(service: Service, words: &[U256], data: &[u8]) -> Bytes {
    let number = SERVICES.iter().position(|row| row.0 == service).expect("all are listed");
    let mut bytes = U256::from(number).to_be_bytes_vec();
    for word in words {
        bytes.extend(word.to_be_bytes::<32>());
    }
    bytes.extend(data);
    bytes.into()
}
