//! The Lambda binary of `api_key`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_operators::api_key::endpoint)
}
