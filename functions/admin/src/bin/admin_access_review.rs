//! The Lambda binary of `admin_access_review`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_admin::admin_access_review::endpoint)
}
