//! What `dedupe` and `changed` remember during a trial: it starts empty, and is thrown away.

use futures::future::BoxFuture;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use tidemill_engine::{HostError, NewKey, SeenKeys};

#[derive(Default)]
pub struct Memory(Mutex<HashMap<(String, String), String>>);

impl Memory {
    pub fn remember(&self, keys: Vec<NewKey>) {
        let keys = keys.into_iter().map(|new| ((new.component, new.key), new.value));
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(keys);
    }
}

impl SeenKeys for Memory {
    fn seen<'a>(
        &'a self,
        component: &'a str,
        keys: &'a [String],
    ) -> BoxFuture<'a, Result<Vec<Option<String>>, HostError>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let find = |key: &String| known.get(&(component.to_owned(), key.clone())).cloned();
        let found = keys.iter().map(find).collect();
        Box::pin(std::future::ready(Ok(found)))
    }
}
