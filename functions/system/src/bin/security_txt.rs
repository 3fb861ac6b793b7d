//! The Lambda binary of `security_txt`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_system::security_txt::endpoint)
}
