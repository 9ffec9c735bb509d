use ccbt_wire::bencode::{DEPTH_LIMIT, Owned, Value};

/// What was read is read again from what is written of it, and spans lie where they say.
pub fn bencode(input: &[u8]) {
    let (value, rest) = match Value::parse_prefix(input) {
        Ok(read) => read,
        Err(error) => return super::assert_shows_well(&error.to_string()),
    };
    assert_eq!([value.raw(), rest].concat(), input);
    assert_eq!(Value::parse(value.raw()), Ok(value));
    assert_eq!(Value::parse(input).is_ok(), rest.is_empty());

    let mut depth = 0;
    let owned = own(value, 0, &mut depth);
    assert!(depth <= DEPTH_LIMIT);
    let canonical = owned.encode();
    let again = Value::parse(&canonical).expect("what we write is bencode");
    assert_eq!(own(again, 0, &mut depth), owned);
    // Keys that were there twice are gone, so nothing can have grown.
    assert!(canonical.len() <= value.raw().len());
}

fn own(value: Value<'_>, level: u32, depth: &mut u32) -> Owned {
    let inner = level + 1;
    if let Some(number) = value.as_int() {
        Owned::Int(number)
    } else if let Some(bytes) = value.as_bytes() {
        Owned::Bytes(bytes.to_vec())
    } else if let Some(list) = value.as_list() {
        *depth = inner.max(*depth);
        list.iter().map(|value| own(value, inner, depth)).collect()
    } else {
        let dict = value.as_dict().expect("a value is one of four");
        *depth = inner.max(*depth);
        for (key, value) in dict {
            let first = dict.get(key).expect("a key that was just there");
            // The first of equal keys lies nowhere behind this one.
            assert!(first.raw().as_ptr() <= value.raw().as_ptr());
        }
        Owned::dict(dict.iter().map(|(key, value)| (key, own(value, inner, depth))))
    }
}
