//! A run's buffers cut at file borders.

use std::io::{IoSlice, IoSliceMut};
use std::slice;

/// Takes the buffers of a write apart from front to back.
pub(super) struct Cut<'a> {
    buffers: slice::Iter<'a, IoSlice<'a>>,
    current: &'a [u8],
}

impl<'a> Cut<'a> {
    pub(super) fn new(buffers: &'a [IoSlice<'a>]) -> Self {
        Self { buffers: buffers.iter(), current: &[] }
    }

    /// The next `length` bytes, or what is left.
    pub(super) fn take(&mut self, mut length: usize) -> Vec<IoSlice<'a>> {
        let mut taken = Vec::new();
        while length > 0 {
            if self.current.is_empty() {
                let Some(next) = self.buffers.next() else {
                    break;
                };
                self.current = next;
                continue;
            }
            let (head, tail) = self.current.split_at(length.min(self.current.len()));
            taken.push(IoSlice::new(head));
            self.current = tail;
            length -= head.len();
        }
        taken
    }
}

/// Takes the buffers of a read apart from front to back.
pub(super) struct CutMut<'a, 'b> {
    buffers: slice::IterMut<'a, IoSliceMut<'b>>,
    current: &'a mut [u8],
}

impl<'a, 'b> CutMut<'a, 'b> {
    pub(super) fn new(buffers: &'a mut [IoSliceMut<'b>]) -> Self {
        Self { buffers: buffers.iter_mut(), current: &mut [] }
    }

    /// The next `length` bytes, or what is left.
    pub(super) fn take(&mut self, mut length: usize) -> Vec<IoSliceMut<'a>> {
        let mut taken = Vec::new();
        while length > 0 {
            if self.current.is_empty() {
                let Some(next) = self.buffers.next() else {
                    break;
                };
                self.current = next;
                continue;
            }
            let current = std::mem::take(&mut self.current);
            let (head, tail) = current.split_at_mut(length.min(current.len()));
            length -= head.len();
            taken.push(IoSliceMut::new(head));
            self.current = tail;
        }
        taken
    }
}
