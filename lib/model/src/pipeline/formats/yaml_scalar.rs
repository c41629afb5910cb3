//! What a plain scalar of YAML is by the core schema: <https://yaml.org/spec/1.2.2/#103-core-schema>.

/// A plain scalar.
#[derive(Debug, PartialEq)]
pub enum Scalar {
    Null,
    Bool(bool),
    /// As JSON writes it, with the digits that it had.
    Number(String),
    /// A number that JSON has not: infinity, or too large in another base.
    NoNumber,
    Text,
}

pub fn scalar(text: &str) -> Scalar {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Scalar::Null,
        "true" | "True" | "TRUE" => return Scalar::Bool(true),
        "false" | "False" | "FALSE" => return Scalar::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Scalar::NoNumber,
        _ => {}
    }
    for (prefix, base) in [("0o", 8), ("0x", 16)] {
        if let Some(digits) = text.strip_prefix(prefix)
            && !digits.is_empty()
            && digits.chars().all(|digit| digit.is_digit(base))
        {
            return u128::from_str_radix(digits, base).map_or(Scalar::NoNumber, |n| Scalar::Number(n.to_string()));
        }
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return Scalar::NoNumber;
    }
    match decimal(unsigned) {
        None => Scalar::Text,
        Some(number) => {
            let number = format!("{}{number}", if text.starts_with('-') { "-" } else { "" });
            match serde_json::from_str::<serde_json::Number>(&number) {
                Ok(_) => Scalar::Number(number),
                Err(_) => Scalar::NoNumber,
            }
        }
    }
}

/// `[0-9]+`, or `(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`, as JSON writes it.
fn decimal(text: &str) -> Option<String> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let all_digits = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if (whole.is_empty() && fraction.is_empty()) || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        digits => digits,
    };
    let mut number = whole.to_owned();
    if !fraction.is_empty() {
        number = format!("{number}.{fraction}");
    }
    if let Some(exponent) = exponent {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        if digits.is_empty() || !all_digits(digits) {
            return None;
        }
        number = format!("{number}e{exponent}");
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Scalar {
        Scalar::Number(text.to_owned())
    }

    #[test]
    fn what_yaml_1_1_took_for_a_truth_is_a_text() {
        for text in ["on", "no", "yes", "off", "y", "N", "1:30", "2026-01-01", "1_000", "0b1", "1e", "-", ".", "e5"] {
            assert_eq!(scalar(text), Scalar::Text, "{text}");
        }
    }

    #[test]
    fn numbers_keep_their_digits() {
        assert_eq!(scalar("123456789012345678901234567890"), number("123456789012345678901234567890"));
        assert_eq!(scalar("-1.50"), number("-1.50"));
        assert_eq!(scalar("+7"), number("7"));
        assert_eq!(scalar("007"), number("7"));
        assert_eq!(scalar(".5e3"), number("0.5e3"));
        assert_eq!(scalar("1."), number("1"));
        assert_eq!(scalar("0x1F"), number("31"));
        assert_eq!(scalar("0o17"), number("15"));
    }

    #[test]
    fn what_json_has_not_is_no_number() {
        for text in [".inf", "-.inf", ".nan", "1e999", "0xfffffffffffffffffffffffffffffffffffff"] {
            assert_eq!(scalar(text), Scalar::NoNumber, "{text}");
        }
    }
}
