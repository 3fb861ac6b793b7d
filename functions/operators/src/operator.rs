//! `GET /operators/{id}`: one operator.

use http::header::ETAG;
use screensort_auth::may;
use screensort_http::{Caller, Code, Endpoint, Input, Opening, Problem, Reply, tag};
use screensort_model::OperatorId;
use screensort_routes::OPERATOR;
use screensort_runtime::Stack;

use crate::asked::Asked;
use crate::form::{Either, Form};
use crate::hypercat::{self, Catalogue};
use crate::shown::OperatorShown;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("operator").route(OPERATOR, operator)
}

struct Ask {
    id: OperatorId,
    form: Form,
    asked: Asked,
}

impl Input for Ask {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let id = o.path("id", "The operator.");
        let form = Form::open(o);
        let asked = Asked::of(o.request());
        Some(Self { id: id?, form: form?, asked })
    }
}

async fn operator(
    Caller { who, .. }: Caller<may::OperatorsRead>,
    ask: Ask,
    stack: Stack,
) -> Result<Reply<Either<OperatorShown, Catalogue>>, Problem> {
    ask.form.check()?;
    let (directory, keep) = ask.asked.directory(&stack, &who).await?;
    let listing = directory.get(ask.id);
    if keep {
        ask.asked.keep(&stack, &who, usize::from(listing.is_some())).await?;
    }
    let listing = listing
        .ok_or_else(|| Problem::new(Code::NotFound).with_detail("There is no operator with this id."))?;
    let reply = Reply::ok(OperatorShown::of(listing))
        // What an edit gives back as If-Match.
        .with_header(ETAG, &tag(listing.revision));
    Ok(ask.form.reply(reply, || Catalogue::of(&listing.name, vec![hypercat::operator(listing)])))
}
