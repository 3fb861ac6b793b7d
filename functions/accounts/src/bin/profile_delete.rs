//! The Lambda binary of `profile_delete`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_accounts::profile_delete::endpoint)
}
