//! `GET /operators`: the operator directory.

use screensort_auth::may;
use screensort_http::{Caller, Endpoint, Input, Opening, Page, PageAsk, Problem, Reply, Text};
use screensort_model::{Kind, Listing, ModeId, Region};
use screensort_routes::OPERATORS;
use screensort_runtime::Stack;

use crate::asked::Asked;
use crate::form::{Either, Form};
use crate::hypercat::{self, Catalogue, Search};
use crate::shown::OperatorShown;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("operators").route(OPERATORS, operators)
}

struct Ask {
    form: Form,
    mode: Option<ModeId>,
    region: Option<Region>,
    kind: Option<Kind>,
    text: Option<String>,
    search: Search,
    asked: Asked,
    page: PageAsk,
}

impl Input for Ask {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let form = Form::open(o);
        let mode = o.query("mode", "Has this mode: an id or a code of /modes.");
        let region = o.query("region", "Works in this region.");
        let kind = o.query("kind", "Does this.");
        let text = o.query::<Text<100>>("q", "Has this in its name or description.");
        let search = Search::open(o);
        let asked = Asked::of(o.request());
        let page = PageAsk::open(o);
        let text = text.map(|Text(text)| text.to_lowercase());
        Some(Self { form: form?, mode, region, kind, text, search, asked, page: page? })
    }
}

impl Ask {
    fn fits(&self, listing: &Listing) -> bool {
        let has = |text: &String| {
            listing.name.to_lowercase().contains(text) || listing.description.to_lowercase().contains(text)
        };
        self.mode.is_none_or(|mode| listing.modes.contains(&mode))
            && self.region.is_none_or(|region| listing.regions.contains(&region))
            && self.kind.is_none_or(|kind| listing.kind == kind)
            && self.text.as_ref().is_none_or(has)
            && (!self.search.is_given() || self.search.fits(&hypercat::operator(listing)))
    }
}

async fn operators(
    Caller { who, .. }: Caller<may::OperatorsRead>,
    ask: Ask,
    stack: Stack,
) -> Result<Reply<Either<Page<OperatorShown>, Catalogue>>, Problem> {
    ask.form.check()?;
    let cursors = stack.cursors().await?;
    let after: Option<(String, String)> = ask.page.start(&cursors, who.id())?;
    let (directory, keep) = ask.asked.directory(&stack, &who).await?;
    let fitting: Vec<&Listing> = directory.listings.iter().filter(|listing| ask.fits(listing)).collect();
    let from = after.map_or(0, |after| fitting.partition_point(|listing| listing.place() <= after));
    let page = &fitting[from..fitting.len().min(from + ask.page.limit)];
    let more = from + page.len() < fitting.len();
    let next = page.last().filter(|_| more).map(|listing| listing.place());
    if keep {
        ask.asked.keep(&stack, &who, fitting.len()).await?;
    }
    let shown = page.iter().map(|listing| OperatorShown::of(listing)).collect();
    let reply = ask.page.reply(&cursors, who.id(), shown, next.as_ref())?;
    Ok(ask.form.reply(reply, || {
        let items = page.iter().map(|listing| hypercat::operator(listing)).collect();
        Catalogue::of("Operators: who shows films or moves people.", items)
    }))
}
