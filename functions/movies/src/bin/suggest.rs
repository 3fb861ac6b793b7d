//! The Lambda binary of `suggest`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_movies::suggest::endpoint)
}
