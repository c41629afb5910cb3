//! Reads a rollout's request, checks its pipelines as far as it can be done, and lines up what is to be done.

use crate::error::{Code, Error};
use crate::plane::Plane;
use crate::rollout::apply::{ResourcePlace, ResourceTask, ResourceTurn};
use crate::rollout::gone::gone;
use crate::rollout::problems::{RESOURCE_LIMIT, ROLLOUT_LIMIT, cannot_run, failure};
use crate::rollout::request::{Request, ResourceName};
use crate::rollout::standing::Standing;
use std::collections::{BTreeMap, HashMap, HashSet};
use tidemill_model::ids::LogicalId;
use tidemill_model::rollout::{Failure, Member, Resource, Rollout, Work};

/// A rollout's request, read and checked.
pub(crate) struct Preparation {
    pub request: Request,
    pub places: Vec<ResourcePlace>,
    /// The turn of each resource, by its index; empty where `failure` says that none has one.
    turns: Vec<ResourceTurn>,
    /// How many of them are brought live; the rest are gone, and go after all that is to be there is there.
    wanted: u32,
    pub members: HashMap<LogicalId, Member>,
    /// Why it must not go on.
    pub failure: Option<Failure>,
    /// What is wrong with which resource.
    pub wrong: BTreeMap<u32, String>,
}

impl Preparation {
    pub async fn read(plane: &Plane, rollout: &Rollout, settled: &[Resource]) -> Result<Preparation, Error> {
        let request = request(plane, rollout).await?;
        let named = request.named()?;
        let members = members(plane, rollout, &named).await?;
        let gone = gone(&request, &named, &members);
        let places = places(&named, &gone);
        let (checked, problems) = match request.checked(plane, &named) {
            Ok(checked) => (checked, refusals(plane, rollout, &request, &named, &members, settled).await?),
            Err(problems) => (Vec::new(), problems),
        };
        let failure = why_not(plane, rollout, &named, &problems).await?;
        let todos = checked.into_iter().map(|checked| ResourceTask::Deploy(Box::new(checked)));
        let todos = todos.chain(gone.into_iter().map(|(_, todo)| todo));
        let turns = match failure {
            None => places.iter().cloned().zip(todos).map(|(place, todo)| ResourceTurn { place, todo }).collect(),
            Some(_) => Vec::new(),
        };
        let wanted = named.len() as u32;
        let members = members.into_iter().map(|member| (member.logical_id.clone(), member)).collect();
        let wrong = problems.into_iter().map(|(index, error)| (index, error.in_lines(RESOURCE_LIMIT))).collect();
        Ok(Preparation { request, places, turns, wanted, members, failure, wrong })
    }

    /// What the worker decides by.
    pub fn work(&self, settled: Vec<Resource>) -> Work {
        Work {
            wanted: self.wanted,
            total: self.places.len() as u32,
            is_valid: self.failure.is_none(),
            settled: settled.into_iter().map(|resource| (resource.index, resource)).collect(),
        }
    }

    pub fn turn(&self, index: u32) -> &ResourceTurn {
        &self.turns[index as usize]
    }
}

/// Why a rollout must not go on, if so.
async fn why_not(
    plane: &Plane,
    rollout: &Rollout,
    named: &[ResourceName],
    problems: &[(u32, Error)],
) -> Result<Option<Failure>, Error> {
    let key = plane.store.key(&rollout.owner, &rollout.key).await?;
    if !key.is_some_and(|key| key.is_live(plane.now())) {
        let message = "the key that asked for the rollout has been revoked or has expired";
        return Ok(Some(failure("key_revoked", message)));
    }
    if problems.is_empty() {
        return Ok(None);
    }
    let error = cannot_run(named, problems);
    Ok(Some(failure(failure_code(problems), error.in_lines(ROLLOUT_LIMIT))))
}

fn failure_code(problems: &[(u32, Error)]) -> &'static str {
    match problems {
        _ if problems.iter().any(|(_, error)| error.code == Code::InvalidArgument) => "invalid_pipeline",
        _ if problems.iter().any(|(_, error)| error.code == Code::AlreadyExists) => "already_exists",
        _ => "conflict",
    }
}

/// What the deployments that there are do not let be brought live. Asked before anything changes, and again when it is
/// each one's turn; those that are settled are as the rollout made them.
async fn refusals(
    plane: &Plane,
    rollout: &Rollout,
    request: &Request,
    named: &[ResourceName],
    members: &[Member],
    settled: &[Resource],
) -> Result<Vec<(u32, Error)>, Error> {
    let settled: HashSet<u32> = settled.iter().map(|resource| resource.index).collect();
    let standing = Standing::read(plane, &rollout.owner, &rollout.group, request, named, members).await?;
    let left = (0..).zip(named).filter(|(index, _)| !settled.contains(index));
    Ok(left.filter_map(|(index, one)| Some((index, standing.refuses(one)?))).collect())
}

/// The members of the group as they were before the rollout, as far as they matter to it: those that it has taken out
/// already are among them, so that what is gone has the same places for every worker.
async fn members(plane: &Plane, rollout: &Rollout, named: &[ResourceName]) -> Result<Vec<Member>, Error> {
    let mut members = plane.store.members(&rollout.owner, &rollout.group).await?;
    // Read after the members: one that is taken out in between is found by both.
    let taken_out = plane.store.resources(&rollout.id, named.len() as u32).await?;
    for Resource { logical_id, kind, project, .. } in taken_out {
        if members.iter().all(|member| member.logical_id != logical_id) {
            members.push(Member { group: rollout.group.clone(), logical_id, kind, project });
        }
    }
    Ok(members)
}

async fn request(plane: &Plane, rollout: &Rollout) -> Result<Request, Error> {
    let body = plane.store.rollout_request(rollout).await?;
    let body = body.ok_or_else(|| Error::internal("the request of a rollout is not there"))?;
    serde_json::from_slice(&body).map_err(Error::internal)
}

/// The resources by their names alone, for a rollout that nothing more is done of.
pub(crate) async fn places_by_name(plane: &Plane, rollout: &Rollout) -> Result<Vec<ResourcePlace>, Error> {
    let request = match request(plane, rollout).await {
        Ok(request) => request,
        // No worker could read it, so none was reached and none can be.
        Err(error) if error.code == Code::Internal => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let named = request.named()?;
    let gone = gone(&request, &named, &members(plane, rollout, &named).await?);
    Ok(places(&named, &gone))
}

/// Every resource, in order: those that are wanted, then those that are gone.
fn places(named: &[ResourceName], gone: &[(ResourceName, ResourceTask)]) -> Vec<ResourcePlace> {
    let all = named.iter().chain(gone.iter().map(|(named, _)| named));
    all.cloned().enumerate().map(|(index, named)| ResourcePlace { index: index as u32, named }).collect()
}
