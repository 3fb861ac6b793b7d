//! Every call of an AWS service in the log, at debug, and in the trace where there is one: which, how it ended, how
//! long it took. Never what it said: no key, no name, no item.

use std::time::Instant;

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};

use crate::spans::{self, Callee};

/// Logs each attempt of a client.
#[derive(Debug)]
pub(crate) struct Logged;

#[derive(Debug)]
struct Began(Instant);

impl Storable for Began {
    type Storer = StoreReplace<Self>;
}

impl Intercept for Logged {
    fn name(&self) -> &'static str {
        "Logged"
    }

    fn read_before_attempt(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if tracing::enabled!(tracing::Level::DEBUG) || spans::are_gathered() {
            bag.interceptor_state().store_put(Began(Instant::now()));
        }
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(Began(began)) = bag.load::<Began>() else { return Ok(()) };
        let duration_ms = began.elapsed().as_secs_f64() * 1000.0;
        let status = context.response().map_or(0, |response| response.status().as_u16());
        let (service, operation) =
            bag.load::<Metadata>().map_or(("", ""), |metadata| (metadata.service(), metadata.name()));
        tracing::debug!(
            name: "aws.request", service, operation, status, duration_ms,
            "aws.request {service} {operation} answered {status}"
        );
        if spans::are_gathered() {
            let failure = match status {
                200..400 => None,
                0 => Some("no_answer".to_owned()),
                _ => Some(status.to_string()),
            };
            spans::note(Callee::Aws(service.to_owned(), operation.to_owned()), status, failure, *began);
        }
        Ok(())
    }
}
