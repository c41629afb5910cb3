//! API keys.

use super::{Function, LIST_OF_OWNER, OWNER, On, PAGE};
use crate::invoke;
use crate::rights::Partition::*;
use crate::rights::Right::*;
use crate::route::Route;
use tidemill_operations::key;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::once::<key::Create, _>(Route::post("/v1/keys").success(201)).may(&[
        Get(&[Keys, Owners]),
        Put(&[Keys, Owners, OwnerList]),
        Seal,
        Open,
    ]),
    Function::of::<key::List>(Route::get("/v1/keys").query(&PAGE)).may(LIST_OF_OWNER),
    Function::of::<key::Revoke>(Route::delete("/v1/keys/{id}")).may(OWNER),
    Function::on("key_issue", On::Invoke(invoke::key_issue))
        .summary("Issues an API key to callers with AWS credentials; no route leads here")
        .may(&[Put(&[Keys, Owners, OwnerList, Layout])]),
];
