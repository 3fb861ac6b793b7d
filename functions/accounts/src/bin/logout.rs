//! The Lambda binary of `logout`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_accounts::logout::endpoint)
}
