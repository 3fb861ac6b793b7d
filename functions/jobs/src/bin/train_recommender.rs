//! The Lambda binary of the job `train_recommender`.

fn main() -> std::process::ExitCode {
    screensort_runtime::job(screensort_jobs::train_recommender::job)
}
