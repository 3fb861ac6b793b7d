//! What a function does between an answer and the next event.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use lambda_runtime::LambdaInvocation;
use lambda_runtime::tower::{Layer, Service};

use crate::Stack;

/// Around what answers an event and hands the answer to Lambda. What is done here is done after the answer has left,
/// and before Lambda is asked for the next event: until then it lets the process run, and afterwards it may freeze it.
#[derive(Clone, Copy)]
pub(crate) struct After(pub(crate) &'static Stack);

/// See [`After`].
pub(crate) struct Answering<S> {
    inner: S,
    stack: &'static Stack,
}

impl<S> Layer<S> for After {
    type Service = Answering<S>;

    fn layer(&self, inner: S) -> Answering<S> {
        Answering { inner, stack: self.0 }
    }
}

impl<S> Service<LambdaInvocation> for Answering<S>
where
    S: Service<LambdaInvocation>,
    S::Future: 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, event: LambdaInvocation) -> Self::Future {
        let (answering, stack) = (self.inner.call(event), self.stack);
        Box::pin(async move {
            let answered = answering.await;
            stack.export_spans().await;
            answered
        })
    }
}
