//! The Lambda binary of `health`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_system::health::endpoint)
}
