use super::*;
use proptest::prelude::*;

fn field(model: &[bool]) -> Bitfield {
    let mut field = Bitfield::new(u32::try_from(model.len()).unwrap());
    for (index, &value) in (0..).zip(model) {
        assert_eq!(field.set(PieceIndex(index), value), value);
    }
    field
}

fn model() -> impl Strategy<Value = Vec<bool>> {
    // Dense, sparse and all lengths around the word's borders.
    (0usize..300, prop_oneof![Just(0.5), Just(0.02), Just(0.98)])
        .prop_flat_map(|(len, p)| prop::collection::vec(prop::bool::weighted(p), len))
}

fn places(model: &[bool], value: bool) -> Vec<PieceIndex> {
    (0..).zip(model).filter(|&(_, &bit)| bit == value).map(|(index, _)| PieceIndex(index)).collect()
}

proptest! {
    #[test]
    fn a_bitfield_is_a_vector_of_bools(model in model()) {
        let field = field(&model);
        let ones = model.iter().filter(|&&bit| bit).count();
        prop_assert_eq!(field.len() as usize, model.len());
        prop_assert_eq!(field.count_ones() as usize, ones);
        prop_assert_eq!(field.all(), ones == model.len());
        prop_assert_eq!(field.none(), ones == 0);
        prop_assert_eq!(field.iter_ones().collect::<Vec<_>>(), places(&model, true));
        prop_assert_eq!(field.iter_zeros().collect::<Vec<_>>(), places(&model, false));
        for (index, &bit) in (0..).zip(&model) {
            prop_assert_eq!(field.get(PieceIndex(index)), bit);
        }
        prop_assert_eq!(Bitfield::from_wire(field.as_bytes(), field.len()), Ok(field.clone()));
    }

    #[test]
    fn fields_of_any_two_lengths_compare_as_sets(a in model(), b in model()) {
        let has = |model: &[bool], index: usize| model.get(index).copied().unwrap_or(false);
        let both = (0..a.len()).filter(|&i| a[i] && has(&b, i)).count();
        let only = (0..a.len()).filter(|&i| a[i] && !has(&b, i)).count();
        let (a, b) = (field(&a), field(&b));
        prop_assert_eq!(a.count_and(&b) as usize, both);
        prop_assert_eq!(b.count_and(&a) as usize, both);
        prop_assert_eq!(a.count_and_not(&b) as usize, only);
        prop_assert_eq!(a.any_and_not(&b), only > 0);
    }

    #[test]
    fn clearing_restores_what_setting_changed(model in model(), index in 0u32..300) {
        let before = field(&model);
        let mut field = before.clone();
        let old = field.get(PieceIndex(index));
        prop_assert_eq!(field.set(PieceIndex(index), !old), (index as usize) < model.len());
        prop_assert_eq!(field.set(PieceIndex(index), old), (index as usize) < model.len());
        prop_assert_eq!(field, before);
    }
}

#[test]
fn the_high_bit_of_the_first_byte_is_piece_0() {
    let mut field = Bitfield::new(10);
    assert!(field.set(PieceIndex(0), true));
    assert!(field.set(PieceIndex(9), true));
    assert_eq!(field.as_bytes(), [0b1000_0000, 0b0100_0000]);
    assert!(!field.set(PieceIndex(9), true), "no news");
}

#[test]
fn a_full_field_has_zero_spare_bits() {
    for len in 0..130 {
        let field = Bitfield::full(len);
        assert!(field.all());
        assert_eq!(field.count_ones(), len);
        assert_eq!(field.iter_zeros().next(), None);
        assert_eq!(Bitfield::from_wire(field.as_bytes(), len), Ok(field));
    }
    assert_eq!(Bitfield::full(10).as_bytes(), [0xff, 0b1100_0000]);
}

#[test]
fn an_index_out_of_range_is_absent_and_stays_so() {
    let mut field = Bitfield::new(10);
    for index in [10, 15, 16, u32::MAX] {
        assert!(!field.set(PieceIndex(index), true));
        assert!(!field.get(PieceIndex(index)));
    }
    assert!(field.none());
}

#[test]
fn bytes_that_do_not_fit_the_torrent_are_refused() {
    assert_eq!(
        Bitfield::from_wire(&[0; 3], 10),
        Err(BitfieldError::WrongLength { length: 3, expected: 2, pieces: 10 })
    );
    assert!(Bitfield::from_wire(&[0; 1], 10).is_err());
    assert_eq!(
        Bitfield::from_wire(&[0xff, 0b1110_0000], 10),
        Err(BitfieldError::SpareBits { last_byte: 0b1110_0000, pieces: 10 })
    );
    assert!(
        Bitfield::from_wire(&[], 0)
            .is_ok_and(|field| field.is_empty() && field.all() && field.none())
    );
    assert!(Bitfield::from_wire(&[0xff], 8).is_ok_and(|field| field.all()));
}

#[test]
fn a_field_is_shown_as_two_numbers() {
    let field = Bitfield::from_wire(&[0b1010_0000], 3).unwrap();
    assert_eq!(format!("{field:?}"), "Bitfield(2 of 3)");
}
