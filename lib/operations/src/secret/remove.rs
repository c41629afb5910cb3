//! Deletes a secret. Runs that name it fail from then on, and say so.

use crate::answer::Done;
use crate::error::Error;
use crate::hint::Noun;
use crate::plane::{Call, Plane};
use serde::Deserialize;
use tidemill_model::ids::SecretName;
use tidemill_model::key::Scope;

pub struct Remove;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub name: SecretName,
}

impl crate::Operation for Remove {
    const NAME: &'static str = "secret_remove";
    const SCOPE: Option<Scope> = Some(Scope::Admin);
    type Input = Input;
    type Output = Done;

    async fn run(plane: &Plane, call: &Call, input: Input) -> Result<Done, Error> {
        match plane.store.remove_secret(&call.owner, &input.name).await? {
            true => Ok(Done {}),
            false => Err(Error::not_found(Noun::Secret, &input.name)),
        }
    }
}
