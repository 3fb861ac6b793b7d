//! The Lambda binary of `login`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_accounts::login::endpoint)
}
