//! What a connection that does nothing costs all the time. A limit may be raised by whoever knows what for.

use crate::driver::connection::Connection;
use crate::driver::mailbox::Mailbox;

/// Bytes of what `make` gives.
fn bytes_of<T, U>(_make: impl Fn(T) -> U) -> usize {
    size_of::<U>()
}

#[test]
fn an_idle_connection_is_small() {
    // 784 where the compiler optimises; with the hundred that the runtime adds these are 896, and one more
    // would be 1,024.
    let task = bytes_of(Connection::run);
    assert!(task <= 816, "{task} bytes");
    let mailbox = size_of::<Mailbox>();
    assert!(mailbox <= 64, "{mailbox} bytes");
}
