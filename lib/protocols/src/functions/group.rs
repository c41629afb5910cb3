//! Groups of pipelines that are deployed together.

use super::{Function, LIST_OF_OWNER, OWNER, PAGE};
use crate::checkly;
use crate::rest::Query;
use crate::rights::Partition::*;
use crate::rights::Right::*;
use crate::route::Route;
use tidemill_operations::group;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::of::<group::Add>(Route::post("/v1/groups").success(201))
        .may(OWNER)
        .also_at(&checkly::routes::PROJECT_ADD),
    Function::of::<group::List>(Route::get("/v1/groups").query(&PAGE))
        .may(LIST_OF_OWNER)
        .also_at(&checkly::routes::PROJECTS),
    Function::of::<group::Get>(Route::get("/v1/groups/{group}"))
        .may(&[Get(&[Keys, Owners]), List(&[Owners]), GetMany(&[Owners]), Put(&[Keys, Owners])])
        .also_at(&checkly::routes::PROJECT),
    Function::once::<group::Remove, _>(Route::delete("/v1/groups/{group}").query(&[Query::flag("keep")]).success(202))
        .may(&[Get(&[Keys, Owners]), Put(&[Keys, Owners]), PutMany(&[Rollouts]), RingRollouts])
        .also_at(&checkly::routes::DESTROY),
];
