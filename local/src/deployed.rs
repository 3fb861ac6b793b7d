//! Commands on a deployment in AWS: what the environment names is what they work on.

use screensort_runtime::{Settings, Stack, clock};

use crate::command::Failure;

/// The context over the services that the environment names.
///
/// # Errors
/// Names the variable that is missing or unusable.
pub(crate) fn stack() -> Result<Stack, Failure> {
    Ok(Stack::new(Settings::from_environment()?, clock()))
}

/// Makes the first administrator; refuses where there is one.
///
/// # Errors
/// If there is an administrator, or the name or address is somebody's, or a service fails.
pub(crate) async fn first_admin(stack: &Stack, username: &str, email: &str) -> Result<String, Failure> {
    let made = screensort_accounts::first_admin(stack, username, email).await.map_err(|problem| {
        Failure::new(&problem.causes().unwrap_or_else(|| problem.code().title().to_owned()))
    })?;
    let made = made.ok_or_else(|| {
        Failure::new("there is an administrator already; they give the role (PATCH /admin/users/{id})")
    })?;
    Ok(format!(
        "Made once and shown once. Put the link into an authenticator, sign in, change the password.\n\
         email     {}\npassword  {}\nlink      {}",
        made.email, made.password, made.otpauth_uri
    ))
}
