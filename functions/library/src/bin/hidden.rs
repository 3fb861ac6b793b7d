//! The Lambda binary of `hidden`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_library::hidden::endpoint)
}
