//! `GET /problems/{code}`: what a problem document's `type` means.

use schemars::JsonSchema;
use screensort_http::{Anyone, Code, Endpoint, Input, Opening, Problem, Reply, Text};
use screensort_routes::PROBLEM;
use screensort_runtime::Stack;
use serde::Serialize;

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("problem").route(PROBLEM, problem)
}

struct Ask {
    code: String,
}

impl Input for Ask {
    fn open(o: &mut Opening<'_>) -> Option<Self> {
        Some(Self { code: o.path::<Text<60>>("code", "The problem's code.")?.0 })
    }
}

/// A kind of problem.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ProblemType")]
struct Answer {
    code: &'static str,
    status: u16,
    title: &'static str,
    /// What to do about it.
    advice: &'static str,
}

async fn problem(_: Anyone, ask: Ask, _: Stack) -> Result<Reply<Answer>, Problem> {
    let code = Code::ALL
        .iter()
        .find(|code| code.word() == ask.code)
        .ok_or_else(|| Problem::new(Code::NotFound).with_detail("There is no problem with this code."))?;
    Ok(Reply::ok(Answer {
        code: code.word(),
        status: code.status().as_u16(),
        title: code.title(),
        advice: code.advice(),
    }))
}
