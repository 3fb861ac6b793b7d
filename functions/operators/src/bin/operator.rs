//! The Lambda binary of `operator`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_operators::operator::endpoint)
}
