//! The Lambda binary of `profile_export`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_profile::profile_export::endpoint)
}
