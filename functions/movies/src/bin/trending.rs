//! The Lambda binary of `trending`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_movies::trending::endpoint)
}
