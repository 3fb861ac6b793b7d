//! The Lambda binary of `admin_audit`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_admin::admin_audit::endpoint)
}
