//! The daily export of all film ids: a gzip of one JSON object a line, more than a million of them, never held whole.

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;
use jiff::civil::Date;
use serde::Deserialize;
use tokio::time::{Instant, timeout};

use crate::{
    Client, Error,
    client::Attempt,
    decode::{Soft, measure},
    exchange::{Ask, Seen, broken, content_type, pause, send},
    film::MAX_TITLE,
    text::soft_line,
};

const ROUTE: &str = "/movie_ids_{date}.json.gz";

/// Bucket stores call a gzip what they like; a page of text is none of these.
const TYPES: [&str; 5] = [
    "application/gzip",
    "application/x-gzip",
    "application/octet-stream",
    "binary/octet-stream",
    "application/x-gunzip",
];

/// One film of an export.
#[derive(Clone, Debug, PartialEq)]
pub struct ExportLine {
    /// TMDb's id.
    pub id: u32,
    /// Title in the film's language.
    pub original_title: String,
    /// TMDb's popularity, from 0.
    pub popularity: f64,
    /// Whether it is pornography; `None` when TMDb does not say.
    pub adult: Option<bool>,
    /// Whether it is a video rather than a film.
    pub video: bool,
}

/// How an export went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExportSummary {
    /// Lines given out.
    pub lines: u64,
    /// Lines that could not be read and were left out.
    pub refused: u64,
    /// Bytes received.
    pub bytes: u64,
    /// Bytes after decompression.
    pub unpacked: u64,
}

#[derive(Deserialize)]
struct Wire {
    id: u32,
    #[serde(default)]
    original_title: Soft<String>,
    #[serde(default)]
    popularity: Soft<f64>,
    #[serde(default)]
    adult: Soft<bool>,
    #[serde(default)]
    video: Soft<bool>,
}

impl Client {
    /// Reads the export of a day and gives out its films as they arrive. No key is sent.
    ///
    /// A failed export is no export: after an error, what was given out must not be used to decide that a film is
    /// missing. Tries again only as long as nothing was given out.
    ///
    /// # Errors
    /// [`Error::ExportMissing`] when there is none for that day, [`Error::TooLarge`] past a cap,
    /// [`Error::Truncated`] when it ends early, [`Error::BadAnswer`] when it is no gzip, has no line at all, or more
    /// than one line in a hundred cannot be read.
    pub async fn export(
        &self,
        date: Date,
        mut each: impl FnMut(ExportLine) + Send,
    ) -> Result<ExportSummary, Error> {
        let ask = self.ask_export(date);
        let mut attempt = Attempt::first();
        loop {
            let leave = self.leave(&mut attempt).await?;
            let started = Instant::now();
            let mut seen = Seen::default();
            let mut lines = Lines::new(&self.shared.limits, &mut each);
            let streamed = self.stream(&ask, date, &mut lines, &mut seen);
            let result = timeout(self.shared.persistence.export_timeout, streamed)
                .await
                .unwrap_or(Err(Error::TimedOut { route: ROUTE }));
            let given_out = lines.summary.lines > 0;
            self.report(ROUTE, attempt.number, started.elapsed(), &seen, result.as_ref().err());
            leave.settle(result.as_ref().err());
            match result {
                Ok(summary) => return Ok(summary),
                Err(error) if given_out => return Err(error),
                Err(error) => self.recover(&mut attempt, error).await?,
            }
        }
    }

    fn ask_export(&self, date: Date) -> Ask {
        let mut url = self.shared.exports.clone();
        let file = format!("movie_ids_{:02}_{:02}_{:04}.json.gz", date.month(), date.day(), date.year());
        // `endpoint` accepted http and https only, and these have segments.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push(&file);
        }
        Ask { route: ROUTE, url, key: None, accept: "*/*", encoding: "identity" }
    }

    async fn stream(
        &self,
        ask: &Ask,
        date: Date,
        lines: &mut Lines<'_>,
        seen: &mut Seen,
    ) -> Result<ExportSummary, Error> {
        // The time-out of a normal answer is here the longest silence.
        let patience = self.shared.persistence.timeout;
        let late = |_| Error::TimedOut { route: ROUTE };
        let mut response = timeout(patience, send(&self.shared.http, ask, seen)).await.map_err(late)??;
        match seen.status {
            200 => content_type(ROUTE, &response, &TYPES)?,
            // The store answers 403 for a file that is not there.
            403 | 404 => return Err(Error::ExportMissing { date }),
            429 => return Err(Error::Throttled { retry_after: pause(&response) }),
            status @ (408 | 500..=599) => return Err(Error::Unavailable { route: ROUTE, status }),
            status => return Err(Error::Refused { route: ROUTE, status, code: None }),
        }
        let limit = self.shared.limits.export;
        let mut gzip = MultiGzDecoder::new(lines);
        while let Some(chunk) =
            timeout(patience, response.chunk()).await.map_err(late)?.map_err(|error| broken(ROUTE, error))?
        {
            if seen.bytes == 0 && !b"\x1f\x8b".starts_with(&chunk[..chunk.len().min(2)]) {
                return Err(Error::BadAnswer { route: ROUTE, why: "it is no gzip".to_owned() });
            }
            seen.bytes += chunk.len() as u64;
            if seen.bytes > limit {
                return Err(Error::TooLarge { route: ROUTE, limit });
            }
            if gzip.write_all(&chunk).is_err() {
                let broken = Error::BadAnswer { route: ROUTE, why: "its compression is broken".to_owned() };
                return Err(gzip.get_ref().too_large().unwrap_or(broken));
            }
        }
        if gzip.try_finish().is_err() {
            // A checksum that is missing and one that is wrong look the same here: what arrived is not what was sent.
            let early = Error::Truncated { route: ROUTE, source: None };
            return Err(gzip.get_ref().too_large().unwrap_or(early));
        }
        gzip.get_mut().finish(seen.bytes)
    }
}

/// Splits what comes out of the decompressor into lines and reads each.
struct Lines<'a> {
    each: &'a mut (dyn FnMut(ExportLine) + Send),
    /// A line that has begun.
    partial: Vec<u8>,
    longest: usize,
    limit: u64,
    summary: ExportSummary,
    /// The cap that was passed, in bytes.
    too_large: Option<u64>,
}

impl<'a> Lines<'a> {
    fn new(limits: &crate::Limits, each: &'a mut (dyn FnMut(ExportLine) + Send)) -> Self {
        let summary = ExportSummary { lines: 0, refused: 0, bytes: 0, unpacked: 0 };
        let (longest, limit) = (limits.export_line, limits.export_unpacked);
        Self { each, partial: Vec::new(), longest, limit, summary, too_large: None }
    }

    fn line(&mut self, line: &[u8]) {
        let line = line.trim_ascii();
        if line.is_empty() {
            return;
        }
        // Soft fields borrow, so the line is read as text.
        let wire = std::str::from_utf8(line).ok().and_then(|line| serde_json::from_str::<Wire>(line).ok());
        let Some(wire) = wire.filter(|wire| wire.id > 0) else {
            self.summary.refused += 1;
            return;
        };
        self.summary.lines += 1;
        (self.each)(ExportLine {
            id: wire.id,
            original_title: soft_line(wire.original_title, MAX_TITLE),
            popularity: measure(wire.popularity, 1e9),
            adult: wire.adult.0,
            video: wire.video.0.unwrap_or(false),
        });
    }

    fn finish(&mut self, bytes: u64) -> Result<ExportSummary, Error> {
        let last = std::mem::take(&mut self.partial);
        self.line(&last);
        self.summary.bytes = bytes;
        let ExportSummary { lines, refused, .. } = self.summary;
        let bad = |why: &str| Err(Error::BadAnswer { route: ROUTE, why: why.to_owned() });
        if lines == 0 {
            return bad("it has no line that can be read");
        }
        if refused > lines / 99 {
            return bad("more than one line in a hundred cannot be read");
        }
        Ok(self.summary)
    }

    /// The cap of ours that stopped the writing, if one did.
    fn too_large(&self) -> Option<Error> {
        self.too_large.map(|limit| Error::TooLarge { route: ROUTE, limit })
    }

    fn refuse(&mut self, limit: u64) -> io::Error {
        self.too_large = Some(limit);
        io::Error::other("past a cap")
    }
}

impl Write for Lines<'_> {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.summary.unpacked += data.len() as u64;
        if self.summary.unpacked > self.limit {
            return Err(self.refuse(self.limit));
        }
        let mut parts = data.split(|byte| *byte == b'\n');
        // `split` gives at least one part: the rest of the line that has begun.
        let mut open = parts.next().unwrap_or_default();
        for part in parts {
            let mut whole = std::mem::take(&mut self.partial);
            whole.extend_from_slice(open);
            if whole.len() > self.longest {
                return Err(self.refuse(self.longest as u64));
            }
            self.line(&whole);
            whole.clear();
            self.partial = whole;
            open = part;
        }
        self.partial.extend_from_slice(open);
        if self.partial.len() > self.longest {
            return Err(self.refuse(self.longest as u64));
        }
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
