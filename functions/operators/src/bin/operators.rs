//! The Lambda binary of `operators`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_operators::operators::endpoint)
}
