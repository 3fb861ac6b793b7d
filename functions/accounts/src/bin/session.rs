//! The Lambda binary of `session`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_accounts::session::endpoint)
}
