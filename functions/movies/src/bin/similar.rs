//! The Lambda binary of `similar`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_movies::similar::endpoint)
}
