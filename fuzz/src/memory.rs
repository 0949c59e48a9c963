//! An allocator that refuses single huge requests, so that a forged length shows as a death and not as a slow machine.

use std::alloc::{GlobalAlloc, Layout, System};

/// One allocation above this, in bytes, ends the process. No seed needs a thousandth of it.
pub(crate) const LARGEST: usize = 1 << 30;

struct Capped;

#[global_allocator]
static ALLOCATOR: Capped = Capped;

// SAFETY: every request is passed on to the system's allocator unchanged, or answered with null, which the contract allows.
unsafe impl GlobalAlloc for Capped {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.size() > LARGEST {
            return std::ptr::null_mut();
        }
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if layout.size() > LARGEST {
            return std::ptr::null_mut();
        }
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from `System` with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if size > LARGEST {
            return std::ptr::null_mut();
        }
        // SAFETY: the pointer came from `System` with this layout, and the caller keeps the contract of `realloc`.
        unsafe { System.realloc(pointer, layout, size) }
    }
}
