//! THE table of the network's response codes that the services give.

use std::fmt;

macro_rules! response_codes {
    ($( $(#[doc = $doc:literal])+ $Name:ident $NAME:ident = $number:literal; )*) => {
        /// Response codes of the network (`ResponseCodeEnum` of Hedera's protobufs), those that the services here give.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u16)]
        pub enum ResponseCode { $( $(#[doc = $doc])+ $Name = $number, )* }

        impl ResponseCode {
            /// All of them.
            pub const ALL: &[ResponseCode] = &[$( ResponseCode::$Name, )*];

            /// The name that the network gives the code.
            pub const fn name(self) -> &'static str {
                match self { $( ResponseCode::$Name => stringify!($NAME), )* }
            }
        }
    };
}

response_codes! {
    /// The key that the change needs does not act.
    InvalidSignature INVALID_SIGNATURE = 7;
    /// The memo has more bytes than are allowed.
    MemoTooLong MEMO_TOO_LONG = 8;
    /// The service does not exist here.
    NotSupported NOT_SUPPORTED = 13;
    /// The address names no account.
    InvalidAccountId INVALID_ACCOUNT_ID = 15;
    /// Done.
    Success SUCCESS = 22;
    /// No entity number is left nearby.
    FailInvalid FAIL_INVALID = 23;
    /// Parameters do not decode.
    BadEncoding BAD_ENCODING = 27;
    /// Amounts do not fit or do not add up to zero.
    InvalidAccountAmounts INVALID_ACCOUNT_AMOUNTS = 48;
    /// A list of transfers names an account twice.
    AccountRepeatedInAccountAmounts ACCOUNT_REPEATED_IN_ACCOUNT_AMOUNTS = 74;
    /// The address names no topic.
    InvalidTopicId INVALID_TOPIC_ID = 150;
    /// The topic has no admin key.
    Unauthorized UNAUTHORIZED = 157;
    /// The message is empty.
    InvalidTopicMessage INVALID_TOPIC_MESSAGE = 158;
    /// The account can't move this token now.
    AccountFrozenForToken ACCOUNT_FROZEN_FOR_TOKEN = 165;
    /// The address names no token.
    InvalidTokenId INVALID_TOKEN_ID = 167;
    /// The decimals are out of range.
    InvalidTokenDecimals INVALID_TOKEN_DECIMALS = 168;
    /// The initial supply is out of range.
    InvalidTokenInitialSupply INVALID_TOKEN_INITIAL_SUPPLY = 169;
    /// The treasury is no account, or did not allow it.
    InvalidTreasuryAccountForToken INVALID_TREASURY_ACCOUNT_FOR_TOKEN = 170;
    /// The token can't be frozen.
    TokenHasNoFreezeKey TOKEN_HAS_NO_FREEZE_KEY = 172;
    /// The symbol is empty.
    MissingTokenSymbol MISSING_TOKEN_SYMBOL = 174;
    /// The symbol has more bytes than are allowed.
    TokenSymbolTooLong TOKEN_SYMBOL_TOO_LONG = 175;
    /// The account is not known well enough for this token.
    AccountKycNotGrantedForToken ACCOUNT_KYC_NOT_GRANTED_FOR_TOKEN = 176;
    /// The token asks for no KYC.
    TokenHasNoKycKey TOKEN_HAS_NO_KYC_KEY = 177;
    /// The account has fewer units.
    InsufficientTokenBalance INSUFFICIENT_TOKEN_BALANCE = 178;
    /// The token was deleted.
    TokenWasDeleted TOKEN_WAS_DELETED = 179;
    /// The supply can't change.
    TokenHasNoSupplyKey TOKEN_HAS_NO_SUPPLY_KEY = 180;
    /// Units can't be wiped.
    TokenHasNoWipeKey TOKEN_HAS_NO_WIPE_KEY = 181;
    /// The supply would be out of range.
    InvalidTokenMintAmount INVALID_TOKEN_MINT_AMOUNT = 182;
    /// There are fewer units.
    InvalidTokenBurnAmount INVALID_TOKEN_BURN_AMOUNT = 183;
    /// The account does not hold this token.
    TokenNotAssociatedToAccount TOKEN_NOT_ASSOCIATED_TO_ACCOUNT = 184;
    /// The treasury's units are burned, not wiped.
    CannotWipeTokenTreasuryAccount CANNOT_WIPE_TOKEN_TREASURY_ACCOUNT = 185;
    /// The name is empty.
    MissingTokenName MISSING_TOKEN_NAME = 190;
    /// The name has more bytes than are allowed.
    TokenNameTooLong TOKEN_NAME_TOO_LONG = 191;
    /// The account has fewer units than are to be wiped.
    InvalidWipingAmount INVALID_WIPING_AMOUNT = 192;
    /// The token has no admin key.
    TokenIsImmutable TOKEN_IS_IMMUTABLE = 193;
    /// The account holds this token already.
    TokenAlreadyAssociatedToAccount TOKEN_ALREADY_ASSOCIATED_TO_ACCOUNT = 194;
    /// The account still has units.
    TransactionRequiresZeroTokenBalances TRANSACTION_REQUIRES_ZERO_TOKEN_BALANCES = 195;
    /// The account is the token's treasury.
    AccountIsTreasury ACCOUNT_IS_TREASURY = 196;
    /// A text contains a zero byte.
    InvalidZeroByteInString INVALID_ZERO_BYTE_IN_STRING = 211;
    /// The message has more bytes than are allowed.
    MessageSizeTooLarge MESSAGE_SIZE_TOO_LARGE = 214;
    /// The maximum supply is out of range.
    InvalidTokenMaxSupply INVALID_TOKEN_MAX_SUPPLY = 224;
    /// The token has as many units as it may.
    TokenMaxSupplyReached TOKEN_MAX_SUPPLY_REACHED = 236;
    /// Nobody may change the custom fees.
    TokenHasNoFeeScheduleKey TOKEN_HAS_NO_FEE_SCHEDULE_KEY = 240;
    /// The token is paused.
    TokenIsPaused TOKEN_IS_PAUSED = 265;
    /// The token can't be paused.
    TokenHasNoPauseKey TOKEN_HAS_NO_PAUSE_KEY = 266;
    /// An account allows itself nothing.
    SpenderAccountSameAsOwner SPENDER_ACCOUNT_SAME_AS_OWNER = 288;
    /// More is allowed than the token can have.
    AmountExceedsTokenMaxSupply AMOUNT_EXCEEDS_TOKEN_MAX_SUPPLY = 289;
    /// The amount can't be allowed.
    NegativeAllowanceAmount NEGATIVE_ALLOWANCE_AMOUNT = 290;
    /// The owner allows the acting account nothing.
    SpenderDoesNotHaveAllowance SPENDER_DOES_NOT_HAVE_ALLOWANCE = 292;
    /// The owner allows less.
    AmountExceedsAllowance AMOUNT_EXCEEDS_ALLOWANCE = 293;
    /// The spender is no account.
    InvalidAllowanceSpenderId INVALID_ALLOWANCE_SPENDER_ID = 301;
}

impl ResponseCode {
    /// The network's number.
    pub const fn number(self) -> u16 {
        self as u16
    }

    /// The code with that number.
    pub fn from_number(number: u16) -> Option<ResponseCode> {
        ResponseCode::ALL.iter().copied().find(|code| code.number() == number)
    }
}

impl fmt::Display for ResponseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
