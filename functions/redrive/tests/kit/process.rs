//! The function's own program, so that a test can kill it.

use std::time::Duration;

use robnu_testkit::{LambdaProcess, function_environment};
use serde_json::json;

use super::World;

/// Starts the function on the world's queues and database.
pub async fn start(world: &World) -> LambdaProcess {
    let dead = json!({"AJIO": [world.lanes_dead, world.parallel_dead], "LANE_REQUESTS": [world.requests_dead],
        "EXPORTS": [world.exports_dead]});
    let mut environment = function_environment(&world.test.config("robnu_redrive"));
    environment.extend([
        ("RUST_LOG", "info".to_owned()),
        ("STAGE", "test".to_owned()),
        ("DEAD_LETTER_QUEUES", dead.to_string()),
        ("PARALLEL_QUEUES", json!({"AJIO": world.parallel}).to_string()),
        ("LANE_REQUESTS_QUEUE_URL", world.context.queues.lane_requests.clone()),
        ("EXPORTS_QUEUE_URL", world.context.queues.exports.clone()),
    ]);
    LambdaProcess::start(env!("CARGO_BIN_EXE_redrive"), &environment, Duration::from_mins(2)).await
}
