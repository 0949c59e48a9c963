//! What is freed goes back to the system.

/// Tells the allocator of glibc to keep little for later. A server opens thousands of bundles on many threads; left alone, what each
/// opening freed stays in a pool of its thread, and a thousand bundles of half a megabyte hold two gigabytes.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub(crate) fn give_back_early() {
    /// Larger pieces have pages of their own, which go back when they are freed.
    const OWN_PAGES: libc::c_int = 128 << 10;
    for (parameter, value) in [
        (libc::M_MMAP_THRESHOLD, OWN_PAGES),
        (libc::M_TRIM_THRESHOLD, OWN_PAGES),
        // Few pools for all threads: they wait for each other less than they waste.
        (libc::M_ARENA_MAX, 2),
    ] {
        // SAFETY: `mallopt` takes two numbers, may be called at any time, and says by its result what it did not take.
        if unsafe { libc::mallopt(parameter, value) } != 1 {
            tracing::warn!(parameter, "the allocator could not be told to give memory back early");
        }
    }
}

/// Other allocators do as they do.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub(crate) fn give_back_early() {}
