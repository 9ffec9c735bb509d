//! Descriptors: a process may have more than it is given at first.

/// Enough for all connections that make sense.
#[cfg(unix)]
const ENOUGH: u64 = 1 << 16;

/// Takes as many as the system allows. Every connection needs one, and many systems give a process 1,024 unless
/// it asks.
pub(crate) fn raise() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
        let wanted = maximum.map_or(ENOUGH, |maximum| maximum.min(ENOUGH));
        if current.is_some_and(|current| current < wanted) {
            // Where that is refused there is no harm in what there was.
            let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
        }
    }
}
