//! The Lambda binary of `history_entry`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_library::history_entry::endpoint)
}
