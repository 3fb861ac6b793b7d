//! The Lambda binary of `logins`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_accounts::logins::endpoint)
}
