//! Text that strangers sent, made fit to be shown.

/// The bytes as text of at most `max` characters, without anything that moves a cursor or turns a line.
///
/// Bytes that are no UTF-8 become U+FFFD.
pub(crate) fn printable(bytes: &[u8], max: usize) -> String {
    // Four bytes per character at most: the rest need not be looked at.
    let bytes = &bytes[..bytes.len().min(max.saturating_mul(8))];
    String::from_utf8_lossy(bytes).chars().filter(|&c| !is_unprintable(c)).take(max).collect()
}

/// Control characters, and the marks that hide text or reverse its direction.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_and_direction_marks_are_left_out() {
        assert_eq!(printable(b"a\x1b[2Jb\r\n\0c", 64), "a[2Jbc");
        assert_eq!(printable("x\u{202e}y\u{feff}\u{85}z".as_bytes(), 64), "xyz");
    }

    #[test]
    fn a_text_is_cut_at_characters() {
        assert_eq!(printable("ééé".as_bytes(), 2), "éé");
        assert_eq!(printable(&[b'a'; 1000], 3), "aaa");
        assert_eq!(printable(b"\xff\xfe", 64), "\u{fffd}\u{fffd}");
        assert_eq!(printable(b"abc", 0), "");
    }
}
