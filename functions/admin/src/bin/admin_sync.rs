//! The Lambda binary of `admin_sync`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_admin::admin_sync::endpoint)
}
