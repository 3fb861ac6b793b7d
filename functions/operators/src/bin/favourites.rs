//! The Lambda binary of `favourites`.

fn main() -> std::process::ExitCode {
    screensort_runtime::serve(screensort_operators::favourites::endpoint)
}
