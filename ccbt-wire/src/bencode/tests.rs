use super::*;
use proptest::prelude::*;

fn error(input: &[u8]) -> BencodeError {
    Value::parse(input).unwrap_err()
}

#[test]
fn values_of_each_kind_are_read() {
    let value = Value::parse(b"d3:keyli-42e0:4:spamee").unwrap();
    let dict = value.as_dict().unwrap();
    let list = dict.get("key").unwrap();
    assert_eq!(list.raw(), b"li-42e0:4:spame");
    let items: Vec<_> = list.as_list().unwrap().iter().collect();
    assert_eq!(items[0].as_int(), Some(-42));
    assert_eq!(items[1].as_bytes(), Some(&b""[..]));
    assert_eq!(items[2].as_str(), Some("spam"));
    assert_eq!(items[2].raw(), b"4:spam");
    assert_eq!(
        (items[2].as_int(), items[0].as_bytes(), value.as_list(), list.as_dict()),
        (None, None, None, None)
    );
    assert_eq!(dict.get("other"), None);
    assert_eq!(Value::parse(b"2:\xff\xfe").unwrap().as_str(), None);
}

#[test]
fn unsorted_and_double_keys_are_accepted_and_the_first_counts() {
    let dict = Value::parse(b"d1:bi1e1:ai2e1:bi3ee").unwrap().as_dict().unwrap();
    assert_eq!(dict.get("b").and_then(|value| value.as_int()), Some(1));
    let keys: Vec<_> = dict.iter().map(|(key, _)| key).collect();
    assert_eq!(keys, [b"b", b"a", b"b"]);
}

#[test]
fn each_fault_has_its_error_and_its_place() {
    use BencodeError as E;
    for (input, expected) in [
        (&b""[..], E::UnexpectedEnd { at: 0 }),
        (b"l", E::UnexpectedEnd { at: 1 }),
        (b"i5", E::UnexpectedEnd { at: 2 }),
        (b"5", E::UnexpectedEnd { at: 1 }),
        (b"d1:a", E::UnexpectedEnd { at: 4 }),
        (b"e", E::UnexpectedByte { at: 0, found: b'e' }),
        (b"x", E::UnexpectedByte { at: 0, found: b'x' }),
        (b":", E::UnexpectedByte { at: 0, found: b':' }),
        (b"-1:a", E::UnexpectedByte { at: 0, found: b'-' }),
        (b"i 5e", E::UnexpectedByte { at: 1, found: b' ' }),
        (b"i+5e", E::UnexpectedByte { at: 1, found: b'+' }),
        (b"i--5e", E::UnexpectedByte { at: 2, found: b'-' }),
        (b"di1ei2ee", E::UnexpectedByte { at: 1, found: b'i' }),
        (b"d1:ae", E::UnexpectedByte { at: 4, found: b'e' }),
        (b"lie", E::BadInteger { at: 1 }),
        (b"i-e", E::BadInteger { at: 0 }),
        (b"i-0e", E::BadInteger { at: 0 }),
        (b"i007e", E::BadInteger { at: 0 }),
        (b"i-07e", E::BadInteger { at: 0 }),
        (b"i00e", E::BadInteger { at: 0 }),
        (b"i9223372036854775808e", E::IntegerOverflow { at: 0 }),
        (b"i-9223372036854775809e", E::IntegerOverflow { at: 0 }),
        (b"l03:abce", E::BadLength { at: 1 }),
        (b"00:", E::BadLength { at: 0 }),
        (b"l5:abce", E::StringTooLong { at: 1, length: 5, remaining: 4 }),
        // The string takes the list's own end.
        (b"l4:abce", E::UnexpectedEnd { at: 7 }),
        (b"99999999999:abc", E::StringTooLong { at: 0, length: 99_999_999_999, remaining: 3 }),
        (
            b"99999999999999999999999:abc",
            E::StringTooLong { at: 0, length: u64::MAX, remaining: 3 },
        ),
        (b"i1ei2e", E::TrailingBytes { at: 3, count: 3 }),
    ] {
        assert_eq!(error(input), expected, "{}", input.escape_ascii());
    }
}

#[test]
fn the_greatest_numbers_fit() {
    for number in [0, 1, -1, i64::MAX, i64::MIN] {
        let bytes = format!("i{number}e");
        assert_eq!(Value::parse(bytes.as_bytes()).unwrap().as_int(), Some(number));
    }
}

#[test]
fn depth_is_limited_and_costs_no_stack() {
    let nested = |depth: usize| ["l".repeat(depth), "e".repeat(depth)].concat();
    let limit = DEPTH_LIMIT as usize;
    assert!(Value::parse(nested(limit).as_bytes()).is_ok());
    let too_deep = BencodeError::TooDeep { at: limit, limit: DEPTH_LIMIT };
    assert_eq!(error(nested(limit + 1).as_bytes()), too_deep);
    assert_eq!(error(nested(200_000).as_bytes()), too_deep);
    assert_eq!(error("l".repeat(200_000).as_bytes()), too_deep);
    assert_eq!(
        error("d1:x".repeat(200_000).as_bytes()),
        BencodeError::TooDeep { at: limit * 4, limit: DEPTH_LIMIT }
    );
    // Mixed: the kinds of all open levels are remembered.
    let mixed = ["ld1:x".repeat(limit / 2), "0:".into(), "ee".repeat(limit / 2)].concat();
    assert!(Value::parse(mixed.as_bytes()).is_ok());
}

#[test]
fn a_million_elements_are_walked_in_place() {
    let input = ["l".to_owned(), "i7e".repeat(1_000_000), "e".into()].concat();
    let list = Value::parse(input.as_bytes()).unwrap().as_list().unwrap();
    assert_eq!(list.iter().filter_map(|value| value.as_int()).sum::<i64>(), 7_000_000);
}

#[test]
fn a_prefix_leaves_what_follows() {
    let (value, rest) = Value::parse_prefix(b"d8:msg_typei1eePAYLOAD").unwrap();
    assert_eq!(value.raw(), b"d8:msg_typei1ee");
    assert_eq!(rest, b"PAYLOAD");
}

#[test]
fn a_writer_sorts_keys_and_keeps_raw_bytes() {
    let value = Owned::dict([
        ("z", Owned::Raw(b"d1:bi1e1:ai2ee".to_vec())),
        ("a", [Owned::from(-1i64), "x".into()].into_iter().collect()),
    ]);
    assert_eq!(value.encode(), b"d1:ali-1e1:xe1:zd1:bi1e1:ai2eee");
}

#[test]
fn a_long_value_is_shown_in_short() {
    let input = format!("100:{}", "\x1b".repeat(100));
    let shown = format!("{:?}", Value::parse(input.as_bytes()).unwrap());
    assert!(shown.len() < 300 && shown.ends_with("...)"), "{shown}");
}

fn owned() -> impl Strategy<Value = Owned> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..12);
    let leaf = prop_oneof![any::<i64>().prop_map(Owned::Int), bytes().prop_map(Owned::Bytes)];
    leaf.prop_recursive(6, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Owned::List),
            prop::collection::btree_map(bytes(), inner, 0..6).prop_map(Owned::Dict),
        ]
    })
}

/// What was read, as what would be written.
fn copied(value: Value<'_>) -> Owned {
    if let Some(list) = value.as_list() {
        list.iter().map(copied).collect()
    } else if let Some(dict) = value.as_dict() {
        Owned::dict(dict.iter().map(|(key, value)| (key, copied(value))))
    } else if let Some(number) = value.as_int() {
        Owned::Int(number)
    } else {
        Owned::Bytes(value.as_bytes().unwrap().to_vec())
    }
}

proptest! {
    #[test]
    fn what_was_written_is_read_again(value in owned()) {
        let bytes = value.encode();
        prop_assert_eq!(copied(Value::parse(&bytes).unwrap()), value);
    }

    #[test]
    fn a_cut_input_is_an_error(value in owned(), cut in any::<prop::sample::Index>()) {
        let bytes = value.encode();
        prop_assert!(Value::parse(&bytes[..cut.index(bytes.len())]).is_err());
    }

    #[test]
    fn no_bytes_crash_the_reader(bytes in prop::collection::vec(prop::sample::select(&b"idle0123456789:-x"[..]), 0..64)) {
        if let Ok((value, rest)) = Value::parse_prefix(&bytes) {
            prop_assert_eq!(value.raw().len() + rest.len(), bytes.len());
            copied(value);
        }
    }
}
