//! What must come later in a file than it is known, put aside on the disk.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::ExchangeError;

/// Values in a temporary file that goes away by itself, read back in order.
pub(crate) struct Spool<T> {
    out: BufWriter<File>,
    len: u64,
    kind: PhantomData<T>,
}

impl<T: Serialize + DeserializeOwned> Spool<T> {
    pub(crate) fn new() -> Result<Self, ExchangeError> {
        let file = tempfile::tempfile().map_err(ExchangeError::Write)?;
        Ok(Self { out: BufWriter::with_capacity(1 << 16, file), len: 0, kind: PhantomData })
    }

    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    pub(crate) fn push(&mut self, value: &T) -> Result<(), ExchangeError> {
        let failed = |error: serde_json::Error| ExchangeError::Write(error.into());
        serde_json::to_writer(&mut self.out, value).map_err(failed)?;
        self.len += 1;
        self.out.write_all(b"\n").map_err(ExchangeError::Write)
    }

    /// Gives every value to `take`, in the order in which they were put aside.
    pub(crate) fn each(
        self,
        mut take: impl FnMut(T) -> Result<(), ExchangeError>,
    ) -> Result<(), ExchangeError> {
        let mut file = self.out.into_inner().map_err(|error| ExchangeError::Write(error.into_error()))?;
        file.seek(SeekFrom::Start(0)).map_err(ExchangeError::Write)?;
        let mut lines = BufReader::with_capacity(1 << 16, file);
        let mut line = String::new();
        while lines.read_line(&mut line).map_err(ExchangeError::Write)? > 0 {
            take(serde_json::from_str(&line).map_err(|error| ExchangeError::Write(error.into()))?)?;
            line.clear();
        }
        Ok(())
    }
}
