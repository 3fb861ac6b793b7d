//! The Lambda binary of `password`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_accounts::password::endpoint)
}
