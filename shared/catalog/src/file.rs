//! The file: magic, lengths, columns, search index. Its SHA-256 is checked by who fetches it; what is checked
//! here is that even a file with a right checksum and wrong contents cannot make the reader panic.

use bytes::Bytes;
use screensort_search::Index;

use crate::columns::Columns;
use crate::{Catalog, Contents, build};

const MAGIC: &[u8; 8] = b"SSCAT\0\0\x01";
const HEAD: usize = 24;

/// Why a catalogue file was refused or could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not a catalogue file, or of another format version.
    #[error("not a catalogue file of this version")]
    Foreign,
    /// Its lengths do not add up.
    #[error("the catalogue file is cut off or padded")]
    Length,
    /// The columns cannot be read.
    #[error("the catalogue's columns cannot be read")]
    Columns(#[source] postcard::Error),
    /// The columns contradict each other.
    #[error("the catalogue's columns contradict each other")]
    Unsound,
    /// The search index was refused, or could not be built.
    #[error("the catalogue's search index is unusable")]
    Search(#[source] screensort_search::Error),
    /// The search index is of another catalogue.
    #[error("the catalogue and its search index are not of one kind")]
    Mismatch,
}

impl Catalog {
    /// Builds a catalogue and its file.
    ///
    /// # Errors
    /// Only if a part of it outgrows the format.
    pub fn make(contents: Contents) -> Result<(Self, Vec<u8>), Error> {
        let (columns, index) = build(contents)?;
        let packed = postcard::to_stdvec(&columns).map_err(Error::Columns)?;
        let searchable = index.to_bytes();
        let mut file = Vec::with_capacity(HEAD + packed.len() + searchable.len());
        file.extend_from_slice(MAGIC);
        file.extend_from_slice(&(packed.len() as u64).to_le_bytes());
        file.extend_from_slice(&(searchable.len() as u64).to_le_bytes());
        file.extend_from_slice(&packed);
        file.extend_from_slice(&searchable);
        Ok((Self::over(columns, index)?, file))
    }

    /// Reads a file.
    ///
    /// # Errors
    /// If it is not a sound catalogue file of this version.
    pub fn read(file: Bytes) -> Result<Self, Error> {
        let head = file.get(..HEAD).ok_or(Error::Foreign)?;
        if &head[..8] != MAGIC {
            return Err(Error::Foreign);
        }
        let length = |at: usize| {
            let bytes: [u8; 8] = head[at..at + 8].try_into().map_err(|_| Error::Length)?;
            usize::try_from(u64::from_le_bytes(bytes)).map_err(|_| Error::Length)
        };
        let (columns, search) = (length(8)?, length(16)?);
        let middle = HEAD.checked_add(columns).ok_or(Error::Length)?;
        if middle.checked_add(search) != Some(file.len()) {
            return Err(Error::Length);
        }
        let columns: Columns = postcard::from_bytes(&file[HEAD..middle]).map_err(Error::Columns)?;
        let index = Index::from_bytes(file.slice(middle..)).map_err(Error::Search)?;
        Self::over(columns, index)
    }

    fn over(columns: Columns, index: Index) -> Result<Self, Error> {
        if !columns.is_sound() {
            return Err(Error::Unsound);
        }
        let entries = columns.ids.len() + columns.person_ids.len() + columns.operators.len();
        if index.len() != entries {
            return Err(Error::Mismatch);
        }
        Ok(Self::new(columns, index))
    }
}
