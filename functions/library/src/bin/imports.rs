//! The Lambda binary of `imports`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_library::imports::endpoint)
}
