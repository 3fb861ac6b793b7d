//! `POST /register/resend`: send the verification mail again.

use screensort_http::{Anyone, Endpoint, Problem, Reply};
use screensort_routes::REGISTER_RESEND;
use screensort_runtime::Stack;

use crate::ask::Ask;
use crate::mailed::{Asked, EmailBody, ask_for};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("register_resend").accepting(REGISTER_RESEND, resend)
}

async fn resend(_: Anyone, ask: Ask<EmailBody>, stack: Stack) -> Result<Reply<Asked>, Problem> {
    ask_for(&stack, "verify", &ask.body.email, &ask.whence, None).await
}
