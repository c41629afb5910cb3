//! A caller who opens tasks and sends objects.

use serde_json::{Map, Value, json};
use std::num::NonZeroU64;
use std::sync::Arc;
use tidemill_model::ids::{KeyId, OwnerId};
use tidemill_model::key::Scope;
use tidemill_operations::answer::{TaskAnswer, TaskStatus};
use tidemill_operations::task::{
    self,
    pipe::{Pipe, Sent},
    send::Object,
};
use tidemill_operations::{Call, Error, Operation, Plane};
use tidemill_testing::{TestPlane, User};

pub struct Caller {
    pub plane: Arc<Plane>,
    owner: String,
    key: String,
}

/// An owner of the world with a key of all scopes.
pub async fn caller(world: &TestPlane, owner: &str) -> (Caller, User) {
    let user = world.user(owner).await;
    (Caller { plane: world.plane.clone(), owner: owner.to_owned(), key: user.key_id.clone() }, user)
}

impl Caller {
    /// The same caller before another process.
    pub fn at(&self, world: &TestPlane) -> Caller {
        Caller { plane: world.plane.clone(), owner: self.owner.clone(), key: self.key.clone() }
    }

    pub fn on(&self, plane: Arc<Plane>) -> Caller {
        Caller { plane, owner: self.owner.clone(), key: self.key.clone() }
    }

    fn call(&self) -> Call {
        Call {
            owner: OwnerId::parse(self.owner.as_str()).unwrap(),
            key: KeyId::parse(self.key.as_str()).unwrap(),
            scopes: Scope::ALL.to_vec(),
            now: self.plane.now(),
            idempotency: None,
        }
    }

    async fn run<O: Operation>(&self, input: Value) -> Result<O::Output, Error> {
        let input = serde_json::from_str(&input.to_string()).expect("the test's input is well formed");
        O::run(&self.plane, &self.call(), input).await
    }

    pub async fn open(&self, pipeline: Value) -> Result<TaskAnswer, Error> {
        self.open_with(json!({"pipeline": pipeline})).await
    }

    pub async fn open_with(&self, input: Value) -> Result<TaskAnswer, Error> {
        self.run::<task::Open>(input).await
    }

    pub async fn end(&self, token: &str) -> Result<TaskAnswer, Error> {
        self.run::<task::End>(json!({"token": token})).await
    }

    pub async fn restart(&self, token: &str, pipeline: Value) -> Result<TaskAnswer, Error> {
        self.run::<task::Restart>(json!({"token": token, "pipeline": pipeline})).await
    }

    pub async fn status(&self, token: &str) -> Result<TaskStatus, Error> {
        self.run::<task::Get>(json!({"token": token})).await
    }

    pub async fn tasks(&self) -> Vec<TaskStatus> {
        self.run::<task::List>(json!({})).await.unwrap().items
    }

    /// Starts to send a text.
    pub async fn pipe(&self, token: &str) -> Result<Pipe, Error> {
        let object = Object { mime: "text/plain".to_owned(), size: NonZeroU64::new(2), ..Object::default() };
        Ok(task::send::open(&self.plane, &self.call(), token, object).await?)
    }

    pub async fn send(&self, token: &str, text: &str) -> Result<Sent, Error> {
        let pipe = self.pipe(token).await?;
        pipe.write(text.to_owned().into()).await;
        pipe.close().await
    }
}

/// What a text gives that is echoed.
pub fn echoed(text: &str) -> Map<String, Value> {
    let result = json!({"text": [format!("{text}\n\n")], "result_types": {"text": "text"}});
    result.as_object().unwrap().clone()
}
