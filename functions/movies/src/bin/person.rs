//! The Lambda binary of `person`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_movies::person::endpoint)
}
