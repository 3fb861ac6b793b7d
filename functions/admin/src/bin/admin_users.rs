//! The Lambda binary of `admin_users`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_admin::admin_users::endpoint)
}
