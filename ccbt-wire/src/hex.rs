//! Hashes as hexadecimal digits.

/// Why digits are no hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HexError {
    /// The text does not have twice as many bytes as the hash; it has so many.
    Length(usize),
    /// The byte at this position is no digit.
    Digit(usize),
}

/// Reads `2 * N` digits of either case.
pub(crate) fn decode<const N: usize>(text: &str) -> Result<[u8; N], HexError> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return Err(HexError::Length(digits.len()));
    }
    let mut bytes = [0; N];
    for (at, &digit) in digits.iter().enumerate() {
        let value = value(digit).ok_or(HexError::Digit(at))?;
        bytes[at / 2] = bytes[at / 2] << 4 | value;
    }
    Ok(bytes)
}

/// What a digit is worth.
pub(crate) fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
