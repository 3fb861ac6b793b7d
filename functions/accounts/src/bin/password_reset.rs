//! The Lambda binary of `password_reset`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_accounts::password_reset::endpoint)
}
