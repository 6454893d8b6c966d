//! From what the user wrote to a function of the ABI, and from argument texts to call data.

use alloy_dyn_abi::DynSolValue;
use alloy_primitives::hex;

use super::{Abi, Function, Param, list_params};
use crate::failure::Failure;
use crate::names::Names;
use crate::status::Status;
use crate::values::parse_value;

impl Abi {
    /// Finds a function by name, by signature (canonical or Kalix's), or by selector in hex.
    pub(crate) fn function(&self, wanted: &str) -> Result<&Function, Failure> {
        let selector: Option<[u8; 4]> =
            wanted.strip_prefix("0x").and_then(|digits| hex::decode_to_array(digits).ok());
        let without_spaces: String = wanted.chars().filter(|c| !c.is_whitespace()).collect();
        let is_wanted = |function: &&Function| {
            function.name == wanted
                || function.signature == without_spaces
                || function.kalix_signature() == without_spaces
                || Some(function.selector) == selector
        };
        self.functions.iter().find(is_wanted).ok_or_else(|| self.unknown(wanted))
    }

    /// The function that call data is for.
    pub(crate) fn function_of_calldata(&self, data: &[u8]) -> Option<&Function> {
        let selector = data.first_chunk::<4>()?;
        self.functions.iter().find(|function| function.selector == *selector)
    }

    fn unknown(&self, wanted: &str) -> Failure {
        let mut help = String::new();
        if let Some(name) = nearest(wanted, self.functions.iter().map(|function| function.name.as_str())) {
            help.push_str(&format!("did you mean `{name}`?\n"));
        }
        match self.functions.is_empty() {
            true => help.push_str("the contract has no callable function; --calldata sends raw data"),
            false => help.push_str("its functions are:"),
        }
        for function in &self.functions {
            help.push_str(&format!("\n  {}", function.typed_signature()));
        }
        let message = format!("`{}` has no function `{wanted}`", self.contract);
        Failure::new(Status::UnknownFunction, message).help(help)
    }
}

impl Function {
    /// Selector and arguments, encoded.
    pub(crate) fn calldata(&self, arguments: &[String], names: &mut Names) -> Result<Vec<u8>, Failure> {
        let arguments = encode(&format!("`{}`", self.name), &self.inputs, arguments, names)?;
        Ok([&self.selector[..], &arguments].concat())
    }
}

/// Encodes arguments for `callee`, which error messages name.
pub(crate) fn encode(
    callee: &str,
    params: &[Param],
    arguments: &[String],
    names: &mut Names,
) -> Result<Vec<u8>, Failure> {
    let usage = match params {
        [] => format!("{callee} takes no arguments"),
        _ => format!("{callee} takes ({})", list_params(params)),
    };
    let wrong = |message: String| Failure::new(Status::Argument, message).help(usage.clone());
    if params.len() != arguments.len() {
        let plural = if params.len() == 1 { "" } else { "s" };
        let message =
            format!("{callee} takes {} argument{plural}, here are {}", params.len(), arguments.len());
        return Err(wrong(message));
    }
    let mut values = Vec::with_capacity(params.len());
    for (index, (param, text)) in params.iter().zip(arguments).enumerate() {
        let value = parse_value(text, &param.ty, names).map_err(|error| {
            let name = if param.name.is_empty() { String::new() } else { format!(" `{}`", param.name) };
            wrong(format!(
                "argument {}{name} of {callee}: `{text}` is not a {}: {error}",
                index + 1,
                param.ty
            ))
        })?;
        values.push(value);
    }
    Ok(DynSolValue::Tuple(values).abi_encode_params())
}

/// The candidate nearest to a word, if it is near enough to be meant.
fn nearest<'c>(wanted: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    // The signature or a long text isn't a typing error of a name.
    let wanted: Vec<char> = wanted.split('(').next()?.to_lowercase().chars().take(64).collect();
    let near =
        |candidate: &&str| edit_distance(&wanted, &candidate.to_lowercase().chars().collect::<Vec<_>>());
    let best = candidates.min_by_key(near)?;
    (near(&best) <= 1 + wanted.len() / 3).then_some(best)
}

/// Insertions, deletions and replacements between two words.
fn edit_distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::abi::tests::VAULT;

    fn vault() -> Abi {
        Abi::read(VAULT).unwrap().unwrap()
    }

    fn strings(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| text.to_string()).collect()
    }

    #[test]
    fn a_function_has_four_spellings() {
        let abi = vault();
        for text in
            ["deposit", "deposit(uint256)", "deposit(u64)", "deposit( u64 )", "0xb6b55f25", "0xB6B55F25"]
        {
            assert_eq!(abi.function(text).unwrap().name, "deposit", "{text}");
        }
        assert_eq!(abi.function_of_calldata(&hex::decode("b6b55f2500").unwrap()).unwrap().name, "deposit");
        assert!(abi.function_of_calldata(&[0xb6, 0xb5]).is_none());
    }

    #[test]
    fn an_unknown_function_gets_a_suggestion_and_the_list() {
        let failure = vault().function("balanceOf").unwrap_err();
        assert_eq!(failure.status, Status::UnknownFunction);
        assert_eq!(failure.message, "`TokenVault` has no function `balanceOf`");
        let help = failure.help.unwrap();
        assert!(help.starts_with("did you mean `balance_of`?\n"), "{help}");
        assert!(help.contains("\n  withdraw(amount: u64)\n"), "{help}");
        assert!(!vault().function("x_is_far_from_all").unwrap_err().help.unwrap().contains("did you mean"));
    }

    #[test]
    fn calldata_is_selector_and_arguments() {
        let abi = vault();
        let data = abi.function("deposit").unwrap().calldata(&strings(&["100"]), &mut Names::new()).unwrap();
        assert_eq!(hex::encode(data), format!("b6b55f25{:064x}", 100));
    }

    #[test]
    fn a_wrong_argument_names_itself_its_type_and_the_range() {
        let abi = vault();
        let deposit = abi.function("deposit").unwrap();
        let failure = deposit.calldata(&strings(&["-1"]), &mut Names::new()).unwrap_err();
        assert_eq!(failure.status, Status::Argument);
        assert_eq!(
            failure.message,
            "argument 1 `amount` of `deposit`: `-1` is not a u64: -1 is out of the range 0..=18446744073709551615"
        );
        assert_eq!(failure.help.as_deref(), Some("`deposit` takes (amount: u64)"));
        let failure = deposit.calldata(&strings(&["1", "2"]), &mut Names::new()).unwrap_err();
        assert_eq!(failure.message, "`deposit` takes 1 argument, here are 2");
    }

    #[test]
    fn edits_are_counted() {
        let distance =
            |a: &str, b: &str| edit_distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>());
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("same", "same"), 0);
    }
}
