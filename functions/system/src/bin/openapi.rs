//! The Lambda binary of `openapi`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_system::openapi::endpoint)
}
