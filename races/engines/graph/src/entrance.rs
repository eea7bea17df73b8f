//! What a choice says of entering a section: for each waiter that is of interest, how many of its waits come after.

/// In a choice, so many bits say how many of one waiter's waits come after a section that is entered.
const BITS: usize = 3;

/// A choice for entering a section that comes after all but so many of the waits that have begun, in their order.
pub(super) fn choice(unseen: impl Iterator<Item = usize>) -> u16 {
    let most = (1 << BITS) - 1;
    let places = (0..16 / BITS).zip(unseen);
    places.fold(0, |choice, (place, unseen)| {
        choice | (unseen.min(most) as u16) << (place * BITS)
    })
}

/// The same of the waiter at this place.
pub(super) fn unseen(choice: u16, place: usize) -> usize {
    usize::from(choice >> (place * BITS).min(15)) & ((1 << BITS) - 1)
}
