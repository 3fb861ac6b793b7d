//! The Lambda binary of `admin_user_change`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_admin::admin_user_change::endpoint)
}
