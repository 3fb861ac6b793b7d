//! The Lambda binary of `about`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_system::about::endpoint)
}
