//! Descriptors for sockets are not without end, and some of them are for files.

use std::io;

/// Connections leave an eighth of the descriptors to whatever else needs some, within these bounds.
const LEFT: std::ops::RangeInclusive<u64> = 8..=80;

/// Whether enough descriptors are left besides this socket. They are given out from the smallest on, so its
/// number tells how many there are.
#[cfg(unix)]
pub(super) fn is_left(socket: &impl std::os::fd::AsRawFd) -> bool {
    let most = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    let number = u64::try_from(socket.as_raw_fd()).unwrap_or(0);
    most.is_none_or(|most| number < connections(most))
}

/// Elsewhere nobody has to count.
#[cfg(not(unix))]
pub(super) fn is_left<T>(_: &T) -> bool {
    true
}

/// Of so many descriptors: those that connections may take.
#[cfg(unix)]
fn connections(most: u64) -> u64 {
    most.saturating_sub(kept(most))
}

/// Of so many descriptors: those that connections leave.
pub(super) fn kept(most: u64) -> u64 {
    (most / 8).clamp(*LEFT.start(), *LEFT.end())
}

/// What the system says when there are no more, for those that are left to others.
pub(super) fn none_left() -> io::Error {
    io::Error::from_raw_os_error(CODES[0])
}

/// Whether the system, or this process, has no more descriptors.
pub(crate) fn is_lack(error: &io::Error) -> bool {
    error.raw_os_error().is_some_and(|code| CODES.contains(&code))
}

#[cfg(unix)]
const CODES: [i32; 2] =
    [rustix::io::Errno::MFILE.raw_os_error(), rustix::io::Errno::NFILE.raw_os_error()];
// WSAEMFILE.
#[cfg(not(unix))]
const CODES: [i32; 1] = [10_024];

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_an_eighth_to_files_but_no_fewer_than_8_and_no_more_than_80() {
        let of = [(20, 12), (64, 56), (256, 224), (1024, 944), (20_000, 19_920)];
        for (all, taken) in of {
            assert_eq!(connections(all), taken, "of {all}");
        }
    }

    #[test]
    fn the_error_of_a_reserve_is_that_of_the_system() {
        assert!(is_lack(&none_left()));
        assert!(!is_lack(&io::Error::from(io::ErrorKind::ConnectionRefused)));
    }
}
