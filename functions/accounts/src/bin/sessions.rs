//! The Lambda binary of `sessions`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_accounts::sessions::endpoint)
}
