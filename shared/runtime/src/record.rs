//! One record a request: the log line and its metrics in one, in CloudWatch's embedded metric format.

use serde_json::json;

use crate::config;

/// What is known of a request once it is answered. It holds no body, no query, no credentials.
#[derive(Debug, Clone)]
pub struct Record {
    /// The gateway's id.
    pub request_id: String,
    /// X-Ray's name of the whole exchange that it belongs to, if there is one.
    pub trace_id: Option<String>,
    /// The binary.
    pub endpoint: &'static str,
    /// The method.
    pub method: String,
    /// The path as the route table writes it; never what the caller typed.
    pub route: &'static str,
    /// The caller's address.
    pub source: String,
    /// The HTTP status.
    pub status: u16,
    /// The problem's code, if it was one.
    pub problem: Option<&'static str>,
    /// Why, for the log only.
    pub cause: Option<String>,
    /// From the event's arrival to the answer.
    pub duration_ms: f64,
    /// Requests to the store.
    pub store_requests: u32,
    /// The longest chain of them that had to wait for one another.
    pub store_steps: u32,
    /// Capacity units that they consumed.
    pub store_units: f64,
    /// Bytes of the answer's body.
    pub bytes: usize,
    /// Whether this was the process's first.
    pub cold_start: bool,
    /// When it was answered, in milliseconds since 1970.
    pub at_ms: i64,
}

impl Record {
    /// As one line of JSON with embedded metrics (CloudWatch EMF).
    pub fn json(&self) -> String {
        let failed = u8::from(self.status >= 500);
        let refused = u8::from((400..500).contains(&self.status));
        let metric = |name: &str, unit: &str| json!({"Name": name, "Unit": unit});
        json!({
            "_aws": {
                "Timestamp": self.at_ms,
                "CloudWatchMetrics": [{
                    "Namespace": config::metrics(),
                    "Dimensions": [["endpoint"]],
                    "Metrics": [
                        metric("Requests", "Count"), metric("Errors", "Count"), metric("Refusals", "Count"),
                        metric("DurationMs", "Milliseconds"), metric("ColdStarts", "Count"),
                        metric("StoreRequests", "Count"), metric("StoreUnits", "Count"),
                    ],
                }],
            },
            "event": "request.answered",
            "level": if failed == 1 { "ERROR" } else { "INFO" },
            "message": format!("{} {} answered {}", self.method, self.route, self.status),
            "endpoint": self.endpoint,
            "request_id": self.request_id,
            "trace_id": self.trace_id,
            "method": self.method,
            "route": self.route,
            "source": self.source,
            "status": self.status,
            "problem": self.problem,
            "cause": self.cause,
            "bytes": self.bytes,
            "Requests": 1,
            "Errors": failed,
            "Refusals": refused,
            "DurationMs": (self.duration_ms * 1000.0).round() / 1000.0,
            "ColdStarts": u8::from(self.cold_start),
            "StoreRequests": self.store_requests,
            "store_steps": self.store_steps,
            "StoreUnits": self.store_units,
        })
        .to_string()
    }
}
