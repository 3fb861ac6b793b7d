//! The Lambda binary of `jwks`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_accounts::jwks::endpoint)
}
