//! Percent-encoding (RFC 3986, section 2).

use crate::hex;

/// Whether a byte stands for itself anywhere in a URL.
pub(crate) fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

/// The text with every byte that is not unreserved as `%XX`.
pub(crate) fn encode(text: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if is_unreserved(byte) {
            out.push(char::from(byte));
        } else {
            let digit = |value: u8| char::from(DIGITS[usize::from(value)]);
            out.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    out
}

/// The bytes that the text stands for; else the position of a `%` without two digits behind it.
pub(crate) fn decode(text: &str) -> Result<Vec<u8>, usize> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        if byte == b'%' {
            let mut digit = || bytes.next().and_then(|(_, digit)| hex::value(digit));
            let (Some(high), Some(low)) = (digit(), digit()) else { return Err(at) };
            out.push(high << 4 | low);
        } else {
            out.push(byte);
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_survives_encoding() {
        let text: String = ('\0'..='\u{ff}').chain(['€', '🧲']).collect();
        let encoded = encode(&text);
        assert!(encoded.bytes().all(|byte| is_unreserved(byte) || byte == b'%'));
        assert_eq!(decode(&encoded).as_deref(), Ok(text.as_bytes()));
    }

    #[test]
    fn digits_may_have_either_case_and_are_written_in_upper_case() {
        assert_eq!(decode("a%2fb%2Fc").as_deref(), Ok(&b"a/b/c"[..]));
        assert_eq!(encode("a/é"), "a%2F%C3%A9");
    }

    #[test]
    fn a_percent_sign_without_digits_is_found() {
        for (text, at) in [("%", 0), ("ab%2", 2), ("%41%zz", 3), ("%2é", 0), ("100%", 3)] {
            assert_eq!(decode(text), Err(at), "{text}");
        }
    }
}
