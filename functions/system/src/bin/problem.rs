//! The Lambda binary of `problem`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_system::problem::endpoint)
}
