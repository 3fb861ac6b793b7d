//! The Lambda binary of `movie`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_movies::movie::endpoint)
}
