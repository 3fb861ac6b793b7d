//! The Lambda binary of `session_end`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_accounts::session_end::endpoint)
}
