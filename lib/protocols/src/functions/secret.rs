//! Secrets.

use super::{Function, LIST_OF_OWNER, PAGE};
use crate::rights::Partition::*;
use crate::rights::Right::*;
use crate::route::Route;
use tidemill_operations::secret;

pub(super) static FUNCTIONS: &[Function] = &[
    Function::of::<secret::List>(Route::get("/v1/secrets").query(&PAGE)).may(LIST_OF_OWNER),
    Function::once::<secret::Set, _>(Route::put("/v1/secrets/{name}")).may(&[
        Get(&[Keys, Owners]),
        Put(&[Keys, Owners]),
        Seal,
    ]),
    Function::of::<secret::Remove>(Route::delete("/v1/secrets/{name}")).may(&[
        Get(&[Keys]),
        Put(&[Keys, Owners]),
        Delete(&[Owners]),
    ]),
];
