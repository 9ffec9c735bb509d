//! Finding where a value ends, and checking it on the way.

use super::{BencodeError, DEPTH_LIMIT};

/// The kinds of the open containers, innermost in the low bit: 1 is a dictionary.
#[derive(Default)]
struct Open {
    kinds: u64,
    depth: u32,
}

impl Open {
    fn push(&mut self, dict: bool, at: usize) -> Result<(), BencodeError> {
        if self.depth == DEPTH_LIMIT {
            return Err(BencodeError::TooDeep { at, limit: DEPTH_LIMIT });
        }
        self.kinds = self.kinds << 1 | u64::from(dict);
        self.depth += 1;
        Ok(())
    }

    fn pop(&mut self) {
        self.kinds >>= 1;
        self.depth -= 1;
    }

    fn in_dict(&self) -> bool {
        self.depth > 0 && self.kinds & 1 == 1
    }
}

// One bit per level.
const _: () = assert!(DEPTH_LIMIT <= u64::BITS);

/// The offset behind the value that begins at `at`.
pub(super) fn value(input: &[u8], mut at: usize) -> Result<usize, BencodeError> {
    let mut open = Open::default();
    loop {
        let closes = open.depth > 0 && byte(input, at)? == b'e';
        if closes {
            open.pop();
            at += 1;
        } else {
            if open.in_dict() {
                at = string(input, at)?.1;
            }
            at = match byte(input, at)? {
                b'l' => {
                    open.push(false, at)?;
                    at + 1
                }
                b'd' => {
                    open.push(true, at)?;
                    at + 1
                }
                b'i' => integer(input, at)?.1,
                _ => string(input, at)?.1,
            };
        }
        if open.depth == 0 {
            return Ok(at);
        }
    }
}

/// The number that begins (with its `i`) at `at`, and the offset behind it.
pub(super) fn integer(input: &[u8], at: usize) -> Result<(i64, usize), BencodeError> {
    let negative = byte(input, at + 1)? == b'-';
    let first = at + 1 + usize::from(negative);
    let mut end = first;
    let mut number = Some(0i64);
    loop {
        match byte(input, end)? {
            digit @ b'0'..=b'9' => {
                let digit = i64::from(digit - b'0');
                let digit = if negative { -digit } else { digit };
                number = number.and_then(|n| n.checked_mul(10)?.checked_add(digit));
                end += 1;
            }
            b'e' => break,
            found => return Err(BencodeError::UnexpectedByte { at: end, found }),
        }
    }
    let digits = &input[first..end];
    let bad = match digits {
        [] => true,
        [b'0'] => negative,
        [b'0', ..] => true,
        _ => false,
    };
    if bad {
        return Err(BencodeError::BadInteger { at });
    }
    Ok((number.ok_or(BencodeError::IntegerOverflow { at })?, end + 1))
}

/// The string that begins (with its length) at `at`, and the offset behind it.
pub(super) fn string(input: &[u8], at: usize) -> Result<(&[u8], usize), BencodeError> {
    let mut end = at;
    let mut length = 0u64;
    loop {
        match byte(input, end)? {
            digit @ b'0'..=b'9' => {
                length = length.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
                end += 1;
            }
            b':' if end > at => break,
            found => return Err(BencodeError::UnexpectedByte { at: end, found }),
        }
    }
    if input[at] == b'0' && end > at + 1 {
        return Err(BencodeError::BadLength { at });
    }
    let rest = &input[end + 1..];
    let text = usize::try_from(length).ok().and_then(|length| rest.get(..length));
    let text = text.ok_or(BencodeError::StringTooLong { at, length, remaining: rest.len() })?;
    Ok((text, end + 1 + text.len()))
}

fn byte(input: &[u8], at: usize) -> Result<u8, BencodeError> {
    input.get(at).copied().ok_or(BencodeError::UnexpectedEnd { at: input.len() })
}
