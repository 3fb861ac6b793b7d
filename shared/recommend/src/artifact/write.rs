//! Writing the artifact.

use super::{ALIGNMENT, Card, ENTRY, FORMAT, HEADER, Kind, MAGIC};
use crate::error::Error;
use crate::packed::PackedRows;

/// Everything that goes into an artifact, by film index.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    pub card: Card,
    pub ids: Vec<u32>,
    pub prior: Vec<f32>,
    pub likes: Vec<u32>,
    pub genres: Vec<u32>,
    pub genre_ids: Vec<u32>,
    pub factors: Vec<i8>,
    pub factor_scales: Vec<f32>,
    pub gram: Vec<f32>,
    pub factor_mean: Vec<f32>,
    pub item: PackedRows,
    pub item_means: Vec<f32>,
    pub content: PackedRows,
    pub content_means: Vec<f32>,
    pub stand_in_offsets: Vec<u32>,
    pub stand_ins: Vec<u32>,
}

impl Parts {
    /// The file's bytes.
    pub(crate) fn bytes(&self) -> Result<Vec<u8>, Error> {
        let card = serde_json::to_vec(&self.card).map_err(|source| Error::Card { source })?;
        let mut table = Vec::new();
        let mut body = Vec::new();
        let start = (HEADER + ENTRY * Kind::ALL.len()).next_multiple_of(ALIGNMENT);
        for (kind, element) in Kind::ALL {
            body.resize(body.len().next_multiple_of(ALIGNMENT), 0);
            let content = self.section(kind, &card);
            table.extend((kind as u32).to_le_bytes());
            table.extend((element as u32).to_le_bytes());
            table.extend(((start + body.len()) as u64).to_le_bytes());
            table.extend((content.len() as u64).to_le_bytes());
            body.extend(content);
        }
        let mut file = Vec::with_capacity(start + body.len());
        file.extend(MAGIC);
        file.extend(FORMAT.to_le_bytes());
        file.extend([0; 4]);
        file.extend(((start + body.len()) as u64).to_le_bytes());
        file.extend((self.ids.len() as u32).to_le_bytes());
        file.extend((self.card.settings.dims as u32).to_le_bytes());
        file.extend((Kind::ALL.len() as u32).to_le_bytes());
        file.resize(HEADER, 0);
        file.extend(table);
        file.resize(start, 0);
        file.extend(body);
        let sum = crc32fast::hash(&file[16..]);
        file[12..16].copy_from_slice(&sum.to_le_bytes());
        Ok(file)
    }

    fn section<'a>(&'a self, kind: Kind, card: &'a [u8]) -> &'a [u8] {
        match kind {
            Kind::Card => card,
            Kind::Ids => bytemuck::cast_slice(&self.ids),
            Kind::Prior => bytemuck::cast_slice(&self.prior),
            Kind::Likes => bytemuck::cast_slice(&self.likes),
            Kind::Genres => bytemuck::cast_slice(&self.genres),
            Kind::GenreIds => bytemuck::cast_slice(&self.genre_ids),
            Kind::Factors => bytemuck::cast_slice(&self.factors),
            Kind::FactorScales => bytemuck::cast_slice(&self.factor_scales),
            Kind::Gram => bytemuck::cast_slice(&self.gram),
            Kind::FactorMean => bytemuck::cast_slice(&self.factor_mean),
            Kind::ItemOffsets => bytemuck::cast_slice(&self.item.offsets),
            Kind::ItemScales => bytemuck::cast_slice(&self.item.scales),
            Kind::ItemCells => bytemuck::cast_slice(&self.item.cells),
            Kind::ItemMeans => bytemuck::cast_slice(&self.item_means),
            Kind::ContentOffsets => bytemuck::cast_slice(&self.content.offsets),
            Kind::ContentScales => bytemuck::cast_slice(&self.content.scales),
            Kind::ContentCells => bytemuck::cast_slice(&self.content.cells),
            Kind::ContentMeans => bytemuck::cast_slice(&self.content_means),
            Kind::StandInOffsets => bytemuck::cast_slice(&self.stand_in_offsets),
            Kind::StandIns => bytemuck::cast_slice(&self.stand_ins),
        }
    }
}
