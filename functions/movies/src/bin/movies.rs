//! The Lambda binary of `movies`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_movies::movies::endpoint)
}
