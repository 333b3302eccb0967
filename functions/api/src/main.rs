//! The HTTP API's Lambda function: wiring only.

use api::context::Context;
use api::handler::Handler;
use api::router::router;
use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use serde_json::value::RawValue;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    robnu_observe::init();
    let context = Context::from_environment().await.inspect_err(|error| {
        tracing::error!(error = robnu_observe::chain(error.as_ref()), "the api cannot start");
    })?;
    let handler = &Handler::new(router(context));
    // Events are received as text, because reading them may fail and must then give an HTTP response.
    let handle = |event: LambdaEvent<Box<RawValue>>| async move {
        Ok::<_, Diagnostic>(handler.handle(event.payload.get(), &event.context.request_id).await)
    };
    lambda_runtime::run(service_fn(handle)).await
}
