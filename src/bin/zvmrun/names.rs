//! Names for addresses: `@caller`, `@contract`, `@zero`, and a made-up account for every other name.

use std::collections::BTreeMap;

use alloy_primitives::{Address, keccak256};

/// The sender unless `--from` says otherwise.
const CALLER: &str = "caller";
/// The contract that was deployed.
const CONTRACT: &str = "contract";
/// Address zero.
const ZERO: &str = "zero";

/// The names in use, both ways.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    contract: Option<Address>,
    labels: BTreeMap<Address, String>,
}

impl Names {
    /// Only `@caller` and `@zero` are known.
    pub(crate) fn new() -> Names {
        let mut names = Names::default();
        names.labels.insert(made_up(CALLER), CALLER.into());
        names
    }

    /// From here on `@contract` is that address.
    pub(crate) fn set_contract(&mut self, address: Address) {
        self.contract = Some(address);
        self.labels.insert(address, CONTRACT.into());
    }

    /// Reads an address: 0x and 40 digits, or a name. A name that is used gets its label.
    pub(crate) fn address(&mut self, text: &str) -> Result<Address, String> {
        let Some(name) = text.strip_prefix('@') else { return parse_hex(text) };
        let is_name_char = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(is_name_char) {
            return Err("a name is @ and letters, digits or `_`".into());
        }
        match name {
            ZERO => Ok(Address::ZERO),
            CONTRACT => self.contract.ok_or_else(|| "@contract has no address before it is deployed".into()),
            _ => {
                let address = made_up(name);
                self.labels.insert(address, name.into());
                Ok(address)
            }
        }
    }

    /// The address in full, with its name if it has one.
    pub(crate) fn show(&self, address: &Address) -> String {
        match self.label(address) {
            Some(label) => format!("{address} (@{label})"),
            None => address.to_string(),
        }
    }

    /// The name of an address, without `@`.
    pub(crate) fn label(&self, address: &Address) -> Option<&str> {
        self.labels.get(address).map(String::as_str)
    }
}

/// Where code goes that is put in place without a deployment.
pub(crate) fn address_without_deployment() -> Address {
    made_up(CONTRACT)
}

/// The low 20 bytes of the name's Keccak-256.
fn made_up(name: &str) -> Address {
    Address::from_word(keccak256(name))
}

/// Reads 0x and 40 digits. Mixed case must be the right checksum (EIP-55), so that a typing error shows.
fn parse_hex(text: &str) -> Result<Address, String> {
    let digits =
        text.strip_prefix("0x").ok_or("an address is 0x and 40 hex digits, or a name such as @caller")?;
    if digits.len() != 40 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(format!("an address is 0x and 40 hex digits, here are {}", digits.chars().count()));
    }
    let address: Address = text.parse().map_err(|error| format!("not an address: {error}"))?;
    let is_mixed =
        digits.bytes().any(|b| b.is_ascii_lowercase()) && digits.bytes().any(|b| b.is_ascii_uppercase());
    if is_mixed && address.to_checksum(None) != text {
        return Err(format!("the checksum is wrong; if the digits are right, write {address}"));
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_stable_and_shown() {
        let mut names = Names::new();
        let alice = names.address("@alice").unwrap();
        assert_eq!(alice, Address::from_word(keccak256("alice")));
        assert_eq!(names.show(&alice), format!("{alice} (@alice)"));
        assert_eq!(names.address("@zero"), Ok(Address::ZERO));
        assert!(names.address("@contract").unwrap_err().contains("before it is deployed"));
        names.set_contract(alice);
        assert_eq!(names.address("@contract"), Ok(alice));
    }

    #[test]
    fn addresses_in_hex_are_checked() {
        let mut names = Names::new();
        let good = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed";
        assert!(names.address(good).is_ok());
        assert!(names.address(&good.to_lowercase()).is_ok());
        for bad in ["0x5AAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0x12", "5aAeb6", "", "@", "@a b", "0xé"] {
            assert!(names.address(bad).is_err(), "{bad}");
        }
    }
}
