//! The condition that a lease is as it was read. Each save of a holder renews its lease, so a copy of the record that was
//! read before the save is stale by this alone.

use crate::item::text;
use aws_sdk_dynamodb::types::AttributeValue;
use std::collections::HashMap;
use tidemill_model::lease::Lease;

/// What must hold, with the names and values that it uses.
pub(crate) struct AsRead {
    pub when: &'static str,
    pub names: HashMap<String, String>,
    pub values: HashMap<String, AttributeValue>,
}

/// That a lease was not taken, renewed or given back since it was read as `seen`.
pub(crate) fn as_read(seen: Option<&Lease>) -> AsRead {
    let Some(lease) = seen else {
        return AsRead { when: "attribute_not_exists(lease)", names: HashMap::new(), values: HashMap::new() };
    };
    AsRead {
        when: "lease.holder = :holder AND lease.#until = :until",
        names: HashMap::from([("#until".to_owned(), "until".to_owned())]),
        values: HashMap::from([
            (":holder".to_owned(), text(&lease.holder)),
            (":until".to_owned(), text(lease.until.to_string())),
        ]),
    }
}
