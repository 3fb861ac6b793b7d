//! The Lambda binary of `register_verify`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_accounts::register_verify::endpoint)
}
