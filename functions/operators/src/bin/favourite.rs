//! The Lambda binary of `favourite`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_operators::favourite::endpoint)
}
