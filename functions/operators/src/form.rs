//! In which form the directory is wanted: content negotiation (RFC 9110, 12.5.1).

use http::header::ACCEPT;
use screensort_http::{Code, Input, Opening, Problem, Reply};
use serde::Serialize;

use crate::hypercat;

/// What a caller accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Our own JSON.
    Json,
    /// A Hypercat catalogue.
    Hypercat,
    /// Nothing that there is.
    Other,
}

impl Input for Form {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        let values = o.request().headers.get_all(ACCEPT).iter();
        let texts: Vec<&str> = values.filter_map(|value| value.to_str().ok()).collect();
        Some(if texts.is_empty() { Self::Json } else { best(&texts.join(",")) })
    }
}

impl Form {
    /// Goes on if there is such a form.
    ///
    /// # Errors
    /// 406 `not_acceptable`.
    pub(crate) fn check(self) -> Result<(), Problem> {
        if self == Self::Other { Err(Problem::new(Code::NotAcceptable)) } else { Ok(()) }
    }

    /// The answer in this form.
    pub(crate) fn reply<J, H>(self, reply: Reply<J>, catalogue: impl FnOnce() -> H) -> Reply<Either<J, H>> {
        if self == Self::Hypercat {
            return reply.map(|_| Either::Hypercat(catalogue())).with_content_type(hypercat::MEDIA_TYPE);
        }
        reply.map(Either::Json)
    }
}

/// An answer in one of its two forms.
#[derive(Debug, Serialize, schemars::JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "{J}Or{H}")]
pub(crate) enum Either<J, H> {
    /// As JSON of ours.
    Json(J),
    /// As a Hypercat catalogue.
    Hypercat(H),
}

/// The form with the highest quality; of two alike, the more exactly named one, and then JSON.
fn best(accept: &str) -> Form {
    let mut best = (Form::Other, 0, 0);
    for range in accept.split(',') {
        let mut parts = range.split(';').map(str::trim);
        let media = parts.next().unwrap_or_default().to_ascii_lowercase();
        let (form, exactness) = match media.as_str() {
            "*/*" => (Form::Json, 1),
            "application/*" => (Form::Json, 2),
            "application/json" => (Form::Json, 3),
            "application/vnd.hypercat.catalogue+json" => (Form::Hypercat, 3),
            _ => continue,
        };
        let quality = parts.find_map(|part| part.strip_prefix("q=")).map_or(1_000, thousandths);
        let better = (quality, exactness) > (best.1, best.2)
            || ((quality, exactness) == (best.1, best.2) && form == Form::Json);
        if quality > 0 && better {
            best = (form, quality, exactness);
        }
    }
    best.0
}

/// A quality value: 0 to 1 with at most three decimals. What is none counts as 0.
fn thousandths(text: &str) -> u32 {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let digits = rest.len() <= 3 && rest.bytes().all(|byte| byte.is_ascii_digit());
    match (whole, digits) {
        ("1", true) if rest.bytes().all(|byte| byte == b'0') => 1_000,
        ("0", true) => format!("{rest:0<3}").parse().unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_form_that_there_is_is_given() {
        let hypercat = "application/vnd.hypercat.catalogue+json";
        for (accept, form) in [
            ("*/*", Form::Json),
            ("application/*", Form::Json),
            ("Application/JSON; charset=utf-8", Form::Json),
            (hypercat, Form::Hypercat),
            (&format!("{hypercat}, */*"), Form::Hypercat),
            (&format!("{hypercat};q=0.5, application/json"), Form::Json),
            (&format!("{hypercat};q=0.8, application/json;q=0.7"), Form::Hypercat),
            (&format!("{hypercat}, application/json"), Form::Json),
            (&format!("{hypercat};q=0"), Form::Other),
            ("text/html, application/xml;q=0.9", Form::Other),
            ("application/json;q=2", Form::Other),
            ("application/json;q=0.0001", Form::Other),
            ("", Form::Other),
        ] {
            assert_eq!(best(accept), form, "{accept}");
        }
    }
}
