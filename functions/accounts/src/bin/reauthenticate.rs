//! The Lambda binary of `reauthenticate`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_accounts::reauthenticate::endpoint)
}
