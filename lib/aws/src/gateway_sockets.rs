//! The WebSockets that API Gateway holds: what is sent on them, and closing them.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html>

use crate::clients::Clients;
use crate::configuration::{Configuration, Variable};
use aws_sdk_apigatewaymanagement::error::{DisplayErrorContext, SdkError};
use aws_sdk_apigatewaymanagement::primitives::Blob;
use futures::future::BoxFuture;
use std::sync::Arc;
use tidemill_model::ids::ConnectionId;
use tidemill_operations::{Error, Reached, Sockets};

/// Sends by API Gateway.
pub struct ApiGatewaySockets {
    clients: Arc<Clients>,
    configuration: Arc<Configuration>,
}

impl ApiGatewaySockets {
    pub fn new(clients: Arc<Clients>, configuration: Arc<Configuration>) -> ApiGatewaySockets {
        ApiGatewaySockets { clients, configuration }
    }

    fn client(&self) -> Result<&aws_sdk_apigatewaymanagement::Client, Error> {
        Ok(self.clients.sockets(self.configuration.get(Variable::SocketsUrl)?))
    }
}

impl Sockets for ApiGatewaySockets {
    fn send<'a>(&'a self, connection: &'a ConnectionId, text: &'a str) -> BoxFuture<'a, Result<Reached, Error>> {
        Box::pin(async move {
            let data = Blob::new(text.as_bytes());
            match self.client()?.post_to_connection().connection_id(connection.as_str()).data(data).send().await {
                Ok(_) => Ok(Reached::Yes),
                Err(SdkError::ServiceError(error)) if error.err().is_gone_exception() => Ok(Reached::Gone),
                Err(error) => Err(Error::internal(DisplayErrorContext(error).to_string())),
            }
        })
    }

    fn close<'a>(&'a self, connection: &'a ConnectionId) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            match self.client()?.delete_connection().connection_id(connection.as_str()).send().await {
                Ok(_) => Ok(()),
                Err(SdkError::ServiceError(error)) if error.err().is_gone_exception() => Ok(()),
                Err(error) => Err(Error::internal(DisplayErrorContext(error).to_string())),
            }
        })
    }
}
