//! The Lambda binary of `profile_export_status`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_profile::profile_export_status::endpoint)
}
