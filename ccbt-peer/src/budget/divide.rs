//! Fair shares, as arithmetic.

/// Divides `whole` so that nobody gets more than it wishes, and who gets less than it wishes gets no less than
/// anybody else, but for one (max-min fairness). Where that does not come out even, the first ones get less.
pub(super) fn divide(whole: u32, wishes: &[u32]) -> Vec<u32> {
    let mut by_wish: Vec<usize> = (0..wishes.len()).collect();
    by_wish.sort_by_key(|&index| wishes[index]);
    let (mut shares, mut rest) = (vec![0; wishes.len()], whole);
    for (index, left) in by_wish.into_iter().zip((1..=wishes.len()).rev()) {
        let even = rest / u32::try_from(left).unwrap_or(u32::MAX);
        shares[index] = wishes[index].min(even);
        rest -= shares[index];
    }
    shares
}

/// The same; what is left when all wishes are met is lent in equal parts, up to `most` in all for each.
pub(super) fn divide_and_lend(whole: u32, wishes: &[u32], most: &[u32]) -> Vec<u32> {
    let mut shares = divide(whole, wishes);
    let rest = whole - shares.iter().sum::<u32>();
    let room: Vec<u32> =
        shares.iter().zip(most).map(|(share, most)| most.saturating_sub(*share)).collect();
    for (share, lent) in shares.iter_mut().zip(divide(rest, &room)) {
        *share += lent;
    }
    shares
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn small_wishes_are_met_and_the_others_share_alike() {
        for (whole, wishes, shares) in [
            (30, &[10, 10, 10][..], &[10, 10, 10][..]),
            (30, &[2, 100, 100], &[2, 14, 14]),
            (30, &[100, 2, 100], &[14, 2, 14]),
            (31, &[2, 100, 100], &[2, 14, 15]),
            (30, &[0, 0, 5], &[0, 0, 5]),
            (2, &[9, 9, 9], &[0, 1, 1]),
            (0, &[9], &[0]),
            (9, &[], &[]),
        ] {
            assert_eq!(divide(whole, wishes), shares, "{whole} {wishes:?}");
        }
    }

    #[test]
    fn what_nobody_wishes_is_lent_up_to_what_each_can_use() {
        assert_eq!(divide_and_lend(100, &[10, 20], &[320, 320]), [45, 55]);
        assert_eq!(divide_and_lend(100, &[10, 20], &[20, 320]), [20, 80]);
        assert_eq!(divide_and_lend(1_000, &[10, 20], &[30, 40]), [30, 40]);
        assert_eq!(divide_and_lend(10, &[10, 20], &[320, 320]), [5, 5]);
    }

    proptest! {
        #[test]
        fn shares_are_fair(whole in 0..1_000_u32, wishes in prop::collection::vec(0..400_u32, 0..20)) {
            let shares = divide(whole, &wishes);
            let sum: u32 = shares.iter().sum();
            prop_assert_eq!(sum, whole.min(wishes.iter().sum()), "nothing is left that somebody wants");
            for (share, wish) in shares.iter().zip(&wishes) {
                prop_assert!(share <= wish);
                prop_assert!(share == wish || shares.iter().all(|other| *other <= share + 1));
            }
        }
    }
}
