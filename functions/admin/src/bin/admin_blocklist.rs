//! The Lambda binary of `admin_blocklist`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_admin::admin_blocklist::endpoint)
}
