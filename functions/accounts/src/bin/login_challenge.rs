//! The Lambda binary of `login_challenge`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_accounts::login_challenge::endpoint)
}
