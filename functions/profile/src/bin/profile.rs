//! The Lambda binary of `profile`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_profile::profile::endpoint)
}
