//! A zip that is written from front to back, never held whole.

use std::io::{self, BufWriter, Read, Write};
use std::path::Path;

use zip::write::{SimpleFileOptions, StreamWriter};
use zip::{CompressionMethod, ZipWriter};

use crate::spool::Spool;
use crate::{Content, ExchangeError, Item};

/// From this size on a member needs the long form of sizes.
const LARGE: u64 = 0xF000_0000;

/// The archive that an export goes into.
pub(crate) struct Archive<'o> {
    zip: ZipWriter<StreamWriter<&'o mut dyn Write>>,
}

impl<'o> Archive<'o> {
    pub(crate) fn new(out: &'o mut dyn Write) -> Self {
        Self { zip: ZipWriter::new_stream(out) }
    }

    /// Adds a small document, packed.
    pub(crate) fn text(&mut self, name: &str, text: &str) -> Result<(), ExchangeError> {
        self.start(name, CompressionMethod::Deflated, text.len() as u64)?;
        self.zip.write_all(text.as_bytes()).map_err(ExchangeError::Write)
    }

    /// Adds bytes that are packed already.
    pub(crate) fn stored(&mut self, name: &str, bytes: &[u8]) -> Result<(), ExchangeError> {
        self.start(name, CompressionMethod::Stored, bytes.len() as u64)?;
        self.zip.write_all(bytes).map_err(ExchangeError::Write)
    }

    /// Adds what an item is: its file as it is, or its text.
    pub(crate) fn content(&mut self, name: &str, item: &Item) -> Result<(), ExchangeError> {
        match &item.content {
            Content::Text(text) => self.text(name, text),
            Content::File(path) => self.file(name, path, &item.name),
            Content::Senses(_) => unreachable!("only tables hold several senses, a file at a time"),
        }
    }

    /// Adds a file as it is; `of` is whose it is.
    pub(crate) fn file(&mut self, name: &str, path: &Path, of: &str) -> Result<(), ExchangeError> {
        let failed = |source| ExchangeError::Content { name: of.to_owned(), source };
        let mut file = std::fs::File::open(path).map_err(failed)?;
        let size = file.metadata().map_err(failed)?.len();
        self.start(name, CompressionMethod::Stored, size)?;
        let mut buffer = vec![0; 1 << 16];
        loop {
            // Reading and writing fail for different reasons, so they are told apart here.
            match file.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(length) => self.zip.write_all(&buffer[..length]).map_err(ExchangeError::Write)?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
        }
    }

    /// Adds a document of unknown length, packed, as `write` gives it.
    pub(crate) fn document(
        &mut self,
        name: &str,
        write: impl FnOnce(&mut dyn Write) -> Result<(), ExchangeError>,
    ) -> Result<(), ExchangeError> {
        self.start(name, CompressionMethod::Deflated, LARGE)?;
        let mut out = BufWriter::with_capacity(1 << 16, &mut self.zip);
        write(&mut out)?;
        out.flush().map_err(ExchangeError::Write)
    }

    /// Adds what was put aside line by line, as a document of its own.
    pub(crate) fn lines(&mut self, name: &str, lines: Spool<String>) -> Result<(), ExchangeError> {
        self.document(name, |out| lines.each(|line| writeln!(out, "{line}").map_err(ExchangeError::Write)))
    }

    pub(crate) fn finish(self) -> Result<(), ExchangeError> {
        let mut stream = self.zip.finish().map_err(|error| ExchangeError::Write(error.into()))?;
        stream.flush().map_err(ExchangeError::Write)
    }

    fn start(&mut self, name: &str, method: CompressionMethod, size: u64) -> Result<(), ExchangeError> {
        let options = SimpleFileOptions::default().compression_method(method).large_file(size >= LARGE);
        self.zip.start_file(name, options).map_err(|error| ExchangeError::Write(error.into()))
    }
}
