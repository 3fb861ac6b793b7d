//! The Lambda binary of `genres`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_movies::genres::endpoint)
}
