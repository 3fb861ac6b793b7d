//! The Lambda binary of `search`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_movies::search::endpoint)
}
