//! `POST /password/forgot`: ask for a mail with which to set a new password.

use screensort_auth::event::Event;
use screensort_http::{Anyone, Endpoint, Problem, Reply};
use screensort_routes::PASSWORD_FORGOT;
use screensort_runtime::Stack;

use crate::ask::Ask;
use crate::mailed::{Asked, EmailBody, ask_for};

/// The endpoint.
pub fn endpoint() -> Endpoint<Stack> {
    Endpoint::new("password_forgot").accepting(PASSWORD_FORGOT, forgot)
}

async fn forgot(_: Anyone, ask: Ask<EmailBody>, stack: Stack) -> Result<Reply<Asked>, Problem> {
    // Whom it concerns is looked up by the mailer only.
    let trail = ask.whence.trail(Event::PasswordForgotten, None, None, stack.clock().now())?;
    ask_for(&stack, "reset", &ask.body.email, &ask.whence, Some(&trail)).await
}
