//! A cursor over untrusted bytes.

use super::Fault;

/// Reads little-endian values and never past the end.
#[derive(Debug, Clone)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    pub(super) fn position(&self) -> usize {
        self.position
    }

    /// True at the end.
    pub(super) fn is_empty(&self) -> bool {
        self.position == self.bytes.len()
    }

    pub(super) fn take(&mut self, len: usize, what: &'static str) -> Result<&'a [u8], Fault> {
        let rest = &self.bytes[self.position..];
        let taken = rest.get(..len).ok_or(Fault::Truncated { what })?;
        self.position += len;
        Ok(taken)
    }

    /// Takes `count` pieces of `width` bytes.
    pub(super) fn take_many(
        &mut self,
        count: usize,
        width: usize,
        what: &'static str,
    ) -> Result<&'a [u8], Fault> {
        self.take(count.checked_mul(width).ok_or(Fault::Truncated { what })?, what)
    }

    pub(super) fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Fault> {
        Ok(self.take(N, what)?.try_into().expect("`take` gives the length asked for"))
    }

    /// The text up to the next line feed, which is taken too.
    pub(super) fn line(&mut self, what: &'static str) -> Result<&'a str, Fault> {
        let rest = &self.bytes[self.position..];
        let len = rest.iter().position(|&byte| byte == b'\n').ok_or(Fault::Truncated { what })?;
        let line = utf8(self.take(len, what)?)?;
        self.position += 1;
        Ok(line)
    }

    pub(super) fn u8(&mut self, what: &'static str) -> Result<u8, Fault> {
        Ok(u8::from_le_bytes(self.array(what)?))
    }

    pub(super) fn u16(&mut self, what: &'static str) -> Result<u16, Fault> {
        Ok(u16::from_le_bytes(self.array(what)?))
    }

    pub(super) fn u32(&mut self, what: &'static str) -> Result<u32, Fault> {
        Ok(u32::from_le_bytes(self.array(what)?))
    }

    pub(super) fn u64(&mut self, what: &'static str) -> Result<u64, Fault> {
        Ok(u64::from_le_bytes(self.array(what)?))
    }

    pub(super) fn i32(&mut self, what: &'static str) -> Result<i32, Fault> {
        Ok(i32::from_le_bytes(self.array(what)?))
    }

    pub(super) fn f32(&mut self, what: &'static str) -> Result<f32, Fault> {
        Ok(f32::from_le_bytes(self.array(what)?))
    }
}

pub(super) fn utf8(bytes: &[u8]) -> Result<&str, Fault> {
    std::str::from_utf8(bytes).map_err(|_| Fault::malformed("text that is not UTF-8"))
}
