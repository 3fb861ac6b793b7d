//! The Lambda binary of `preferences`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_profile::preferences::endpoint)
}
