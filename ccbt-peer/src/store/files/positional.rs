//! Positional reads and writes of many buffers: one system call each where the system has one.

use std::fs::File;
use std::io::{self, ErrorKind, IoSlice, IoSliceMut};

/// Writes all of `buffers`, one behind the other, from `offset` on.
pub(super) fn write_all_at(file: &File, buffers: &[IoSlice<'_>], offset: u64) -> io::Result<()> {
    system::write_all_at(file, buffers, offset)
}

/// Fills all of `buffers`, one behind the other, from `offset` on.
///
/// # Errors
/// `UnexpectedEof` if the file ends before.
pub(super) fn read_exact_at(
    file: &File,
    buffers: &mut [IoSliceMut<'_>],
    offset: u64,
) -> io::Result<()> {
    system::read_exact_at(file, buffers, offset)
}

/// As [`read_exact_at`], but only if all of it is in memory and the system can tell.
#[cfg(target_os = "linux")]
pub(super) fn read_cached(file: &File, buffers: &mut [IoSliceMut<'_>], offset: u64) -> bool {
    use rustix::io::{Errno, ReadWriteFlags, preadv, preadv2};
    let all: usize = buffers.iter().map(|buffer| buffer.len()).sum();
    let read = match preadv2(file, buffers, offset, ReadWriteFlags::NOWAIT) {
        // Where all is in memory there is no such question.
        Err(Errno::OPNOTSUPP) if is_in_memory(file) => preadv(file, buffers, offset),
        read => read,
    };
    // More buffers than the system takes are an error, and an error is for `read_exact_at` to tell.
    read.is_ok_and(|read| read == all)
}

/// Whether the file lies in a file system without a disk: tmpfs.
#[cfg(target_os = "linux")]
fn is_in_memory(file: &File) -> bool {
    /// `TMPFS_MAGIC` of Linux.
    const TMPFS: u64 = 0x0102_1994;
    // Its type is another one on every processor.
    rustix::fs::fstatfs(file).is_ok_and(|about| u64::try_from(about.f_type) == Ok(TMPFS))
}

#[cfg(not(target_os = "linux"))]
pub(super) fn read_cached(_: &File, _: &mut [IoSliceMut<'_>], _: u64) -> bool {
    false
}

/// Reads into `buffer` from `offset` on; less than all only at the end of the file.
pub(super) fn read_at_most(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match system::read_at(file, rest, offset + filled as u64) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(error) if error.kind() == ErrorKind::Interrupted => (),
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
mod system {
    use std::fs::File;
    use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
    use std::ops::Deref;
    pub(super) use std::os::unix::fs::FileExt;

    /// `IOV_MAX` of the systems here.
    const MOST_BUFFERS: usize = 1024;

    pub(super) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        file.read_at(buffer, offset)
    }

    pub(super) fn write_all_at(
        file: &File,
        mut buffers: &[IoSlice<'_>],
        mut offset: u64,
    ) -> io::Result<()> {
        while !buffers.is_empty() {
            let now = &buffers[..buffers.len().min(MOST_BUFFERS)];
            let written = match rustix::io::pwritev(file, now, offset) {
                Err(rustix::io::Errno::INTR) => continue,
                result => result?,
            };
            offset += written as u64;
            let (whole, part) = consumed(now, written);
            buffers = &buffers[whole..];
            if part > 0 {
                let rest = &buffers[0][part..];
                file.write_all_at(rest, offset)?;
                offset += rest.len() as u64;
                buffers = &buffers[1..];
            } else if whole == 0 {
                return Err(ErrorKind::WriteZero.into());
            }
        }
        Ok(())
    }

    pub(super) fn read_exact_at(
        file: &File,
        mut buffers: &mut [IoSliceMut<'_>],
        mut offset: u64,
    ) -> io::Result<()> {
        while !buffers.is_empty() {
            let most = buffers.len().min(MOST_BUFFERS);
            let read = match rustix::io::preadv(file, &mut buffers[..most], offset) {
                Err(rustix::io::Errno::INTR) => continue,
                result => result?,
            };
            offset += read as u64;
            let (whole, part) = consumed(&buffers[..most], read);
            buffers = &mut buffers[whole..];
            if part > 0 {
                let rest = &mut buffers[0][part..];
                file.read_exact_at(rest, offset)?;
                offset += rest.len() as u64;
                buffers = &mut buffers[1..];
            } else if whole == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(())
    }

    /// How many buffers `bytes` fill wholly, and how many bytes of the next.
    fn consumed<B: Deref<Target = [u8]>>(buffers: &[B], bytes: usize) -> (usize, usize) {
        let mut rest = bytes;
        for (whole, buffer) in buffers.iter().enumerate() {
            if rest < buffer.len() {
                return (whole, rest);
            }
            rest -= buffer.len();
        }
        (buffers.len(), 0)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_short_transfer_is_taken_up_in_the_right_buffer() {
            let buffers = [IoSlice::new(b"ab"), IoSlice::new(b""), IoSlice::new(b"cde")];
            assert_eq!(consumed(&buffers, 0), (0, 0));
            assert_eq!(consumed(&buffers, 1), (0, 1));
            assert_eq!(consumed(&buffers, 2), (2, 0));
            assert_eq!(consumed(&buffers, 4), (2, 2));
            assert_eq!(consumed(&buffers, 5), (3, 0));
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
mod system {
    use std::fs::File;
    use std::io::{self, ErrorKind, IoSlice, IoSliceMut};

    #[cfg(unix)]
    pub(super) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(file, buffer, offset)
    }

    #[cfg(windows)]
    pub(super) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match std::os::windows::fs::FileExt::seek_read(file, buffer, offset) {
            // ERROR_HANDLE_EOF: the position is behind the end.
            Err(error) if error.raw_os_error() == Some(38) => Ok(0),
            result => result,
        }
    }

    #[cfg(unix)]
    fn write_at(file: &File, buffer: &[u8], offset: u64) -> io::Result<usize> {
        std::os::unix::fs::FileExt::write_at(file, buffer, offset)
    }

    #[cfg(windows)]
    fn write_at(file: &File, buffer: &[u8], offset: u64) -> io::Result<usize> {
        std::os::windows::fs::FileExt::seek_write(file, buffer, offset)
    }

    pub(super) fn write_all_at(
        file: &File,
        buffers: &[IoSlice<'_>],
        mut offset: u64,
    ) -> io::Result<()> {
        for buffer in buffers {
            let mut rest: &[u8] = buffer;
            while !rest.is_empty() {
                match write_at(file, rest, offset) {
                    Ok(0) => return Err(ErrorKind::WriteZero.into()),
                    Ok(written) => {
                        offset += written as u64;
                        rest = &rest[written..];
                    }
                    Err(error) if error.kind() == ErrorKind::Interrupted => (),
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    pub(super) fn read_exact_at(
        file: &File,
        buffers: &mut [IoSliceMut<'_>],
        mut offset: u64,
    ) -> io::Result<()> {
        for buffer in buffers {
            if super::read_at_most(file, buffer, offset)? < buffer.len() {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            offset += buffer.len() as u64;
        }
        Ok(())
    }
}
