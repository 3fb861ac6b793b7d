//! The Lambda binary of the endpoint `admin_recommendations`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_recommendations::admin_recommendations::endpoint)
}
