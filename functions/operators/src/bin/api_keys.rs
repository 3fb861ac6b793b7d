//! The Lambda binary of `api_keys`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_operators::api_keys::endpoint)
}
