//! The fields of `TASK_STATUS`.

use serde::Serialize;
use serde_json::{Map, Value};
use tidemill_model::task::Counts;

#[derive(Default, Serialize)]
pub struct Wire<'a> {
    pub name: &'a str,
    pub project_id: &'a str,
    pub source: &'a str,
    pub completed: bool,
    pub state: u8,
    #[serde(rename = "startTime")]
    pub start_time: f64,
    #[serde(rename = "endTime")]
    pub end_time: f64,
    #[serde(rename = "debuggerAttached")]
    pub debugger_attached: bool,
    pub status: &'a str,
    pub warnings: &'a [String],
    pub errors: &'a [String],
    #[serde(rename = "currentObject")]
    pub current_object: &'a str,
    #[serde(rename = "currentSize")]
    pub current_size: u64,
    pub notes: &'a [String],
    #[serde(flatten)]
    pub counts: WireCounts,
    #[serde(rename = "serviceUp")]
    pub service_up: bool,
    #[serde(rename = "exitCode")]
    pub exit_code: Option<u8>,
    #[serde(rename = "exitMessage")]
    pub exit_message: &'a str,
    pub pipeflow: Pipeflow,
    pub metrics: Metrics,
    pub tokens: Tokens,
}

/// Objects and their bytes; rates are those of the whole time so far, per second.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WireCounts {
    pub total_size: u64,
    pub total_count: u64,
    pub completed_size: u64,
    pub completed_count: u64,
    pub failed_size: u64,
    pub failed_count: u64,
    pub words_size: u64,
    pub words_count: u64,
    pub rate_size: u64,
    pub rate_count: u64,
}

impl WireCounts {
    pub fn of(counts: Counts, seconds: f64) -> WireCounts {
        // A task that is younger than a second would have a rate beyond all it did.
        let rate = |count: u64| (count as f64 / seconds.max(1.0)).round() as u64;
        WireCounts {
            total_size: counts.total_size,
            total_count: counts.total_count,
            completed_size: counts.completed_size,
            completed_count: counts.completed_count,
            failed_size: counts.failed_size,
            failed_count: counts.failed_count,
            words_size: 0,
            words_count: 0,
            rate_size: rate(counts.completed_size.saturating_add(counts.failed_size)),
            rate_count: rate(counts.completed_count + counts.failed_count),
        }
    }
}

/// Objects that are in their way through the pipeline.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pipeflow {
    pub total_pipes: u64,
    pub by_pipe: Map<String, Value>,
}

#[derive(Default, Serialize)]
pub struct Metrics {
    pub cpu_percent: f64,
    pub cpu_memory_mb: f64,
    pub gpu_memory_mb: f64,
    pub peak_cpu_percent: f64,
    pub peak_cpu_memory_mb: f64,
    pub peak_gpu_memory_mb: f64,
    pub avg_cpu_percent: f64,
    pub avg_cpu_memory_mb: f64,
    pub avg_gpu_memory_mb: f64,
}

#[derive(Default, Serialize)]
pub struct Tokens {
    pub cpu_utilization: f64,
    pub cpu_memory: f64,
    pub gpu_memory: f64,
    pub gpu_inference: f64,
    pub custom: Map<String, Value>,
    pub total: f64,
}
