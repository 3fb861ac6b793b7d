//! The Lambda binary of `admin_operator`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_admin::admin_operator::endpoint)
}
