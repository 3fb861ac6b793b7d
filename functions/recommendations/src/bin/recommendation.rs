//! The Lambda binary of the endpoint `recommendation`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_recommendations::recommendation::endpoint)
}
