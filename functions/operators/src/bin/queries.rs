//! The Lambda binary of `queries`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_operators::queries::endpoint)
}
