//! THE table of expected exceptions: names that tests use, and what refuses such a transaction here.

use zvm::tx::TransactionError as Error;

/// Why a transaction must be refused: any of the reasons will do.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// As the file says it.
    names: String,
    // Invariant: at least one.
    rows: Vec<&'static Row>,
}

/// One exception.
#[derive(Debug)]
struct Row {
    /// Names of execution-spec-tests (without `TransactionException.`), then older ones.
    names: &'static [&'static str],
    met_by: MetBy,
}

/// What refuses such a transaction.
#[derive(Debug)]
enum MetBy {
    /// The engine, with an error of this kind.
    Engine(fn(&Error) -> bool),
    /// Whoever decodes the bytes and recovers the sender; such a transaction never reaches an engine.
    Decoder,
}

/// One row: names, then the pattern of the error.
macro_rules! engine {
    ([$($name:literal),+] $($pattern:tt)+) => {
        Row { names: &[$($name),+], met_by: MetBy::Engine(|error| matches!(error, $($pattern)+)) }
    };
}

/// Every exception that tests name.
const TABLE: &[Row] = &[
    engine!(["INSUFFICIENT_ACCOUNT_FUNDS", "GASLIMIT_PRICE_PRODUCT_OVERFLOW", "TR_NoFunds", "TR_NoFundsX"] Error::Balance { .. }),
    engine!(["TR_NoFundsOrGas"] Error::Balance { .. } | Error::IntrinsicGas { .. }),
    engine!(["INTRINSIC_GAS_TOO_LOW", "TR_IntrinsicGas", "IntrinsicGas"] Error::IntrinsicGas { .. }),
    engine!(["INTRINSIC_GAS_BELOW_FLOOR_GAS_COST"] Error::FloorGas { .. }),
    engine!(["GAS_ALLOWANCE_EXCEEDED", "TR_GasLimitReached"] Error::GasLimitAboveBlock { .. }),
    engine!(["GAS_LIMIT_EXCEEDS_MAXIMUM"] Error::GasLimitAboveCap { .. }),
    engine!(["INSUFFICIENT_MAX_FEE_PER_GAS", "TR_FeeCapLessThanBlocks"] Error::FeeBelowBaseFee { .. }),
    engine!(["PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS", "PRIORITY_GREATER_THAN_MAX_FEE_PER_GAS_2", "TR_TipGtFeeCap"] Error::PriorityAboveFee { .. }),
    engine!(["INITCODE_SIZE_EXCEEDED", "TR_InitCodeLimitExceeded"] Error::InitCodeTooLong { .. }),
    engine!(["NONCE_MISMATCH_TOO_LOW", "TR_NonceTooLow"] Error::NonceTooLow { .. }),
    engine!(["NONCE_MISMATCH_TOO_HIGH", "TR_NonceTooHigh"] Error::NonceTooHigh { .. }),
    engine!(["NONCE_IS_MAX", "TR_NonceHasMaxValue"] Error::NonceExhausted),
    engine!(["SENDER_NOT_EOA", "SenderNotEOA"] Error::SenderHasCode),
    engine!(["SenderNotEOAorNoCASH"] Error::SenderHasCode | Error::Balance { .. }),
    engine!(["INVALID_CHAINID"] Error::ChainId { .. }),
    engine!(["TYPE_NOT_SUPPORTED", "TR_TypeNotSupported"] Error::TypeNotActive { .. }),
    engine!(["TYPE_1_TX_PRE_FORK"] Error::TypeNotActive { number: 1 }),
    engine!(["TYPE_2_TX_PRE_FORK"] Error::TypeNotActive { number: 2 }),
    engine!(["TYPE_3_TX_PRE_FORK", "TYPE_3_TX_ZERO_BLOBS_PRE_FORK", "TR_TypeNotSupportedBlob"] Error::TypeNotActive { number: 3 }),
    engine!(["TYPE_4_TX_PRE_FORK"] Error::TypeNotActive { number: 4 }),
    engine!(["INSUFFICIENT_MAX_FEE_PER_BLOB_GAS"] Error::BlobFeeBelowBaseFee { .. }),
    engine!(["TYPE_3_TX_ZERO_BLOBS", "TR_EMPTYBLOB"] Error::NoBlobs),
    engine!(["TYPE_3_TX_BLOB_COUNT_EXCEEDED"] Error::TooManyBlobs { .. }),
    engine!(["TYPE_3_TX_MAX_BLOB_GAS_ALLOWANCE_EXCEEDED", "TR_BLOBLIST_OVERSIZE"] Error::BlobGasAboveBlock { .. }),
    engine!(["TYPE_3_TX_INVALID_BLOB_VERSIONED_HASH", "TR_BLOBVERSION_INVALID"] Error::BlobHashVersion { .. }),
    engine!(["TYPE_3_TX_CONTRACT_CREATION", "TR_BLOBCREATE"] Error::BlobWithoutReceiver),
    engine!(["TYPE_4_TX_CONTRACT_CREATION"] Error::SetCodeWithoutReceiver),
    engine!(["TYPE_4_EMPTY_AUTHORIZATION_LIST"] Error::NoAuthorizations),
    Row {
        names: &[
            "ADDRESS_TOO_LONG",
            "ADDRESS_TOO_SHORT",
            "EC_RECOVERY_FAIL",
            "GASLIMIT_OVERFLOW",
            "GASPRICE_OVERFLOW",
            "INVALID_SIGNATURE_VRS",
            "NONCE_OVERFLOW",
            "NONCE_TOO_BIG",
            "PRIORITY_OVERFLOW",
            "VALUE_OVERFLOW",
            "TYPE_4_INVALID_AUTHORITY_SIGNATURE",
            "TYPE_4_INVALID_AUTHORITY_SIGNATURE_S_TOO_HIGH",
            "TYPE_4_INVALID_AUTHORIZATION_FORMAT",
            "InvalidVRS",
        ],
        met_by: MetBy::Decoder,
    },
];

/// Exceptions about the encoding: what their names start with.
const RLP_PREFIXES: &[&str] = &["RLP_", "TR_RLP_"];
const RLP: &Row = &Row { names: RLP_PREFIXES, met_by: MetBy::Decoder };

/// What execution-spec-tests write before a name.
const PREFIX: &str = "TransactionException.";

impl Refusal {
    /// The reasons that `A|B` names.
    ///
    /// # Errors
    /// If a name is not in the table.
    pub fn from_names(names: &str) -> Result<Refusal, String> {
        let row = |name: &str| {
            let name = name.trim();
            let name = name.strip_prefix(PREFIX).unwrap_or(name);
            find(name).ok_or_else(|| format!("`{name}` is no exception known here"))
        };
        Ok(Refusal { names: names.to_owned(), rows: names.split('|').map(row).collect::<Result<_, _>>()? })
    }

    /// The names, as the file has them.
    pub fn names(&self) -> &str {
        &self.names
    }

    /// Whether nothing but the bytes of the transaction shows the fault.
    pub fn is_of_encoding(&self) -> bool {
        self.rows.iter().all(|row| matches!(row.met_by, MetBy::Decoder))
    }

    /// Whether the engine's error is one of these reasons.
    pub fn is_met_by(&self, error: &Error) -> bool {
        self.rows.iter().any(|row| match row.met_by {
            MetBy::Engine(is_met_by) => is_met_by(error),
            MetBy::Decoder => false,
        })
    }
}

fn find(name: &str) -> Option<&'static Row> {
    if RLP_PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
        return Some(RLP);
    }
    TABLE.iter().find(|row| row.names.contains(&name))
}

#[cfg(test)]
mod tests {
    use alloy_primitives::U256;

    use super::*;

    const BALANCE: Error = Error::Balance { balance: U256::ZERO };
    const GAS: Error = Error::IntrinsicGas { needed: 1, limit: 0 };

    #[test]
    fn a_name_is_met_by_its_error_alone() {
        let refusal = Refusal::from_names("TransactionException.INSUFFICIENT_ACCOUNT_FUNDS").unwrap();
        assert!(refusal.is_met_by(&BALANCE));
        assert!(!refusal.is_met_by(&GAS));
        assert!(!refusal.is_of_encoding());
    }

    #[test]
    fn of_several_names_any_will_do_in_old_and_new_spelling() {
        let refusal =
            Refusal::from_names("TransactionException.INSUFFICIENT_ACCOUNT_FUNDS|TR_IntrinsicGas").unwrap();
        assert!(refusal.is_met_by(&BALANCE) && refusal.is_met_by(&GAS));
        assert!(!refusal.is_met_by(&Error::NonceExhausted));
    }

    #[test]
    fn an_unknown_name_is_an_error() {
        assert!(
            Refusal::from_names("TransactionException.NO_SUCH_THING").unwrap_err().contains("NO_SUCH_THING")
        );
        assert!(Refusal::from_names("").is_err());
    }

    #[test]
    fn what_is_about_the_encoding_never_reaches_an_engine() {
        for name in ["TransactionException.RLP_INVALID_VALUE", "TR_RLP_WRONGVALUE", "INVALID_SIGNATURE_VRS"] {
            let refusal = Refusal::from_names(name).unwrap();
            assert!(refusal.is_of_encoding() && !refusal.is_met_by(&BALANCE), "{name}");
        }
        assert!(!Refusal::from_names("RLP_INVALID_VALUE|SENDER_NOT_EOA").unwrap().is_of_encoding());
    }

    #[test]
    fn no_name_stands_twice() {
        let mut names: Vec<&str> = TABLE.iter().flat_map(|row| row.names).copied().collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
