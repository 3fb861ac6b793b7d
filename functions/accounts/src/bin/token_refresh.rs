//! The Lambda binary of `token_refresh`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_accounts::token_refresh::endpoint)
}
