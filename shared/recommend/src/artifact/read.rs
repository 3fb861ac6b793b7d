//! Reading the artifact: everything is checked once, then cast.

use std::io::Read;
use std::ops::Range;

use super::{ALIGNMENT, Card, ENTRY, FORMAT, HEADER, Kind, LONGEST, MAGIC};
use crate::error::Error;
use crate::packed::Packed;

#[cfg(target_endian = "big")]
compile_error!("the artifact is cast in place, which needs a little-endian machine");

/// The file in memory, aligned, and where its sections lie.
#[derive(Debug)]
pub(crate) struct Sections {
    words: Vec<u64>,
    ranges: [Range<usize>; Kind::ALL.len()],
    films: usize,
    dims: usize,
    card: Card,
}

impl Sections {
    /// Reads and checks an artifact.
    pub(crate) fn read(mut from: impl Read) -> Result<Self, Error> {
        let read = |source| Error::Io { what: "the artifact", source };
        let mut head = Vec::with_capacity(HEADER);
        from.by_ref().take(HEADER as u64).read_to_end(&mut head).map_err(read)?;
        let length = declared_length(&head)?;
        let mut words = vec![0u64; length.div_ceil(8)];
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
        bytes[..HEADER].copy_from_slice(&head);
        let mut filled = HEADER;
        while filled < length {
            match from.read(&mut bytes[filled..length]) {
                Ok(0) => return Err(Error::Truncated { expected: length as u64, found: filled as u64 }),
                Ok(count) => filled += count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(read(error)),
            }
        }
        if from.read(&mut [0]).map_err(read)? != 0 {
            return Err(Error::Absurd { what: "there are bytes after its end" });
        }
        let bytes = &bytes[..length];
        if crc32fast::hash(&bytes[16..]) != number(bytes, 12) {
            return Err(Error::Checksum);
        }
        let ranges = ranges(bytes)?;
        let card: Card =
            serde_json::from_slice(&bytes[ranges[0].clone()]).map_err(|source| Error::Card { source })?;
        let (films, dims) = (number(bytes, 24) as usize, number(bytes, 28) as usize);
        let sections = Self { ranges, films, dims, card, words };
        sections.check()?;
        Ok(sections)
    }

    pub(crate) fn films(&self) -> usize {
        self.films
    }

    pub(crate) fn dims(&self) -> usize {
        self.dims
    }

    pub(crate) fn card(&self) -> &Card {
        &self.card
    }

    pub(crate) fn bytes(&self, kind: Kind) -> &[u8] {
        let bytes: &[u8] = bytemuck::cast_slice(&self.words);
        &bytes[self.ranges[kind as usize - 1].clone()]
    }

    pub(crate) fn u32s(&self, kind: Kind) -> &[u32] {
        bytemuck::cast_slice(self.bytes(kind))
    }

    pub(crate) fn f32s(&self, kind: Kind) -> &[f32] {
        bytemuck::cast_slice(self.bytes(kind))
    }

    pub(crate) fn factors(&self) -> &[i8] {
        bytemuck::cast_slice(self.bytes(Kind::Factors))
    }

    pub(crate) fn item(&self) -> Packed<'_> {
        self.packed(Kind::ItemOffsets, Kind::ItemScales, Kind::ItemCells)
    }

    pub(crate) fn content(&self) -> Packed<'_> {
        self.packed(Kind::ContentOffsets, Kind::ContentScales, Kind::ContentCells)
    }

    fn packed(&self, offsets: Kind, scales: Kind, cells: Kind) -> Packed<'_> {
        Packed {
            offsets: self.u32s(offsets),
            scales: self.f32s(scales),
            cells: bytemuck::cast_slice(self.bytes(cells)),
        }
    }

    /// Whether everything has the length, order and range that serving relies on.
    fn check(&self) -> Result<(), Error> {
        let (films, dims) = (self.films, self.dims);
        let claim =
            |holds: bool, what: &'static str| if holds { Ok(()) } else { Err(Error::Absurd { what }) };
        let settings = &self.card.settings;
        claim(settings.is_sound() && settings.dims == dims, "its settings are out of range")?;
        claim(
            self.u32s(Kind::Ids).len() == films && self.u32s(Kind::Ids).is_sorted_by(|a, b| a < b),
            "its film ids are not one per film, ascending",
        )?;
        let vectors = dims.checked_mul(films).is_some_and(|size| self.factors().len() == size);
        claim(vectors, "its film vectors have the wrong size")?;
        for (kind, len) in [
            (Kind::Prior, films),
            (Kind::FactorScales, films),
            (Kind::Gram, dims * dims),
            (Kind::FactorMean, dims),
            (Kind::ItemMeans, films),
            (Kind::ContentMeans, films),
        ] {
            let values = self.f32s(kind);
            claim(values.len() == len, "a section of numbers has the wrong length")?;
            claim(values.iter().all(|x| x.is_finite()), "a number is not finite")?;
        }
        for kind in [Kind::Likes, Kind::Genres] {
            claim(self.u32s(kind).len() == films, "a section of counts has the wrong length")?;
        }
        claim(self.u32s(Kind::GenreIds).len() <= 32, "it has more than 32 genres")?;
        for rows in [self.item(), self.content()] {
            claim(rows.offsets.len() == films + 1 && rows.is_sound(films), "its sparse rows are torn")?;
        }
        let (offsets, stand_ins) = (self.u32s(Kind::StandInOffsets), self.u32s(Kind::StandIns));
        claim(
            offsets.len() == films + 1
                && offsets[0] == 0
                && offsets.is_sorted()
                && offsets[films] as usize == stand_ins.len()
                && stand_ins.iter().all(|film| (*film as usize) < films),
            "its stand-ins are torn",
        )
    }
}

/// The length that the header declares, or why this is no artifact.
fn declared_length(head: &[u8]) -> Result<usize, Error> {
    if !head.starts_with(&MAGIC) {
        let cut_short = !head.is_empty() && head.len() < MAGIC.len() && MAGIC.starts_with(head);
        return Err(if cut_short {
            Error::Truncated { expected: HEADER as u64, found: head.len() as u64 }
        } else {
            Error::Foreign
        });
    }
    if head.len() < HEADER {
        return Err(Error::Truncated { expected: HEADER as u64, found: head.len() as u64 });
    }
    let format = number(head, 8);
    if format != FORMAT {
        return Err(Error::Format { found: format, known: FORMAT });
    }
    let length = long(head, 16);
    if length < HEADER as u64 || length > LONGEST {
        return Err(Error::Absurd { what: "its length is out of range" });
    }
    Ok(length as usize)
}

/// Where the sections lie, in the order of [`Kind::ALL`].
fn ranges(bytes: &[u8]) -> Result<[Range<usize>; Kind::ALL.len()], Error> {
    let torn = Error::Absurd { what: "its table of sections is torn" };
    let mut ranges = [const { 0..0 }; Kind::ALL.len()];
    if number(bytes, 32) as usize != Kind::ALL.len() || bytes.len() < HEADER + ENTRY * Kind::ALL.len() {
        return Err(torn);
    }
    for (k, (kind, element)) in Kind::ALL.into_iter().enumerate() {
        let entry = HEADER + ENTRY * k;
        let (offset, length) = (long(bytes, entry + 8), long(bytes, entry + 16));
        let end = offset.checked_add(length).filter(|end| *end <= bytes.len() as u64);
        let sound = number(bytes, entry) == kind as u32
            && number(bytes, entry + 4) as usize == element
            && offset % ALIGNMENT as u64 == 0
            && length % element as u64 == 0;
        let (true, Some(end)) = (sound, end) else { return Err(torn) };
        ranges[k] = offset as usize..end as usize;
    }
    Ok(ranges)
}

/// Little-endian `u32` at `at`; the callers have checked the length.
fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Little-endian `u64` at `at`; the callers have checked the length.
fn long(bytes: &[u8], at: usize) -> u64 {
    u64::from(number(bytes, at)) | u64::from(number(bytes, at + 4)) << 32
}
