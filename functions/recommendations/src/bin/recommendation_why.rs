//! The Lambda binary of the endpoint `recommendation_why`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_recommendations::recommendation_why::endpoint)
}
