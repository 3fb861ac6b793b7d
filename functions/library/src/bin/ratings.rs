//! The Lambda binary of `ratings`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_library::ratings::endpoint)
}
