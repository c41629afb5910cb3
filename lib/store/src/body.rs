//! Bodies: pipelines, plans, inputs and results, compressed, named by their content and cut into chunks. A body is
//! written before the transaction that refers to it; one that nothing came to refer to does no harm. Those of runs expire.

use crate::error::Error;
use crate::item::{Item, expiring, number, text_of};
use crate::page::{Order, Range};
use crate::{Store, keys};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, PutRequest, WriteRequest};
use flate2::Compression;
use flate2::read::{GzDecoder, GzEncoder};
use jiff::Timestamp;
use std::collections::HashMap;
use std::io::Read;
use std::time::Duration;
use tidemill_model::ids::{OwnerId, ProjectId};
use tidemill_model::version::sha256;

/// Bytes of a body in one item: under the 400 KB of an item with room for its keys.
pub(crate) const CHUNK: usize = 350 * 1024;
/// Items of one batch write, by DynamoDB's limit.
pub(crate) const BATCH: usize = 25;
/// Largest body when it is not compressed, in bytes: the largest request for a rollout.
pub const BODY_LIMIT: usize = 32 * 1024 * 1024;
/// Waits for capacity before a batch write gives up.
const BATCH_TRIES: u32 = 8;

impl Store {
    /// Stores some bodies of a project and gives their names back, in order.
    pub async fn put_bodies(
        &self,
        owner: &OwnerId,
        project: &ProjectId,
        bodies: &[&[u8]],
    ) -> Result<Vec<String>, Error> {
        self.put_bodies_at(keys::project_partition(owner, project), keys::BODIES, bodies, None).await
    }

    /// Stores what a run takes or gives until about `expires`, or longer if a later run takes or gives the same. Gives
    /// its name.
    pub async fn put_run_body(
        &self,
        owner: &OwnerId,
        project: &ProjectId,
        body: &[u8],
        expires: Timestamp,
    ) -> Result<String, Error> {
        let partition = keys::project_partition(owner, project);
        let names = self.put_bodies_at(partition, keys::RUN_BODIES, &[body], Some(expires)).await?;
        Ok(names.into_iter().next().expect("a body has a name"))
    }

    /// Stores some bodies in a partition, for ever or until about `expires`.
    pub(crate) async fn put_bodies_at(
        &self,
        partition: String,
        kind: &str,
        bodies: &[&[u8]],
        expires: Option<Timestamp>,
    ) -> Result<Vec<String>, Error> {
        let names: Vec<String> = bodies.iter().map(|body| sha256(body)).collect();
        let mut requests = Vec::new();
        for (name, body) in names.iter().zip(bodies) {
            requests.extend(chunks(&partition, kind, name, body, expires)?);
        }
        // A batch must not hold an item twice: equal bodies have equal names.
        requests.sort_by(|(a, _), (b, _)| a.cmp(b));
        requests.dedup_by(|(a, _), (b, _)| a == b);
        self.write_batches(requests.into_iter().map(|(_, item)| put_request(item)).collect()).await?;
        Ok(names)
    }

    /// Stores one body in a partition until about `expires`.
    pub(crate) async fn put_body_at(
        &self,
        partition: String,
        kind: &str,
        body: &[u8],
        expires: Timestamp,
    ) -> Result<StoredBody, Error> {
        let name = sha256(body);
        let items = chunks(&partition, kind, &name, body, Some(expires))?;
        let chunks = items.len() as u32;
        self.write_batches(items.into_iter().map(|(_, item)| put_request(item)).collect()).await?;
        Ok(StoredBody { name, chunks })
    }

    /// Sends any number of writes.
    pub(crate) async fn write_batches(&self, requests: Vec<WriteRequest>) -> Result<(), Error> {
        for batch in requests.chunks(BATCH) {
            self.write_batch(batch.to_vec()).await?;
        }
        Ok(())
    }

    /// Sends some writes, at most [`BATCH`], until the table has taken all of them.
    pub(crate) async fn write_batch(&self, mut requests: Vec<WriteRequest>) -> Result<(), Error> {
        for attempt in 1..=BATCH_TRIES {
            let sent = self.client.batch_write_item().request_items(&self.table, requests).send().await?;
            requests = sent.unprocessed_items.and_then(|mut left| left.remove(&self.table)).unwrap_or_default();
            if requests.is_empty() {
                return Ok(());
            }
            self.jitter.spread(Duration::from_millis(50 << attempt)).await;
        }
        Err(Error::Unavailable("the table did not take a batch in time".into()))
    }

    /// Reads bodies back by project and name: those of one chunk all together, larger ones one by one.
    pub async fn bodies(
        &self,
        owner: &OwnerId,
        wanted: &[(ProjectId, String)],
    ) -> Result<HashMap<(ProjectId, String), Vec<u8>>, Error> {
        let first = |(project, name): &(ProjectId, String)| {
            keys::body_chunk(keys::project_partition(owner, project), keys::BODIES, name, 0)
        };
        let mut by_key: HashMap<_, _> = HashMap::new();
        for one in wanted {
            by_key.insert(first(one), one);
        }
        let items = self.batch(by_key.keys().map(keys::Key::attributes).collect()).await?;
        let mut bodies = HashMap::new();
        for item in &items {
            let key = keys::Key { partition: text_of(item, keys::PARTITION), sort: text_of(item, keys::SORT) };
            let Some(one) = by_key.get(&key) else { continue };
            let body = match (chunk_count(item), chunk_bytes(item)) {
                (Some(1), Some(packed)) => Some(unpack(packed)?),
                _ => self.body(owner, &one.0, &one.1).await?,
            };
            bodies.extend(body.map(|body| ((*one).clone(), body)));
        }
        Ok(bodies)
    }

    /// Reads a body back, or `None` if it was never stored.
    pub async fn body(&self, owner: &OwnerId, project: &ProjectId, name: &str) -> Result<Option<Vec<u8>>, Error> {
        self.body_at(keys::project_partition(owner, project), keys::BODIES, name).await
    }

    /// Reads back what a run took or gave, or `None` if it was never stored or has expired.
    pub async fn run_body(&self, owner: &OwnerId, project: &ProjectId, name: &str) -> Result<Option<Vec<u8>>, Error> {
        match self.body_at(keys::project_partition(owner, project), keys::RUN_BODIES, name).await? {
            // Runs of version 0.1 have theirs beside the pipelines.
            None => self.body(owner, project, name).await,
            found => Ok(found),
        }
    }

    /// Reads a body of a partition back, or `None` if it was never stored.
    pub(crate) async fn body_at(&self, partition: String, kind: &str, name: &str) -> Result<Option<Vec<u8>>, Error> {
        let items = self.all(Range::prefix(partition, &keys::body_chunks(kind, name), Order::Ascending)).await?;
        let Some(count) = items.first().and_then(chunk_count) else { return Ok(None) };
        if items.len() != count {
            return Err(Error::Corrupt(format!("body `{name}` has {} of {count} chunks", items.len())));
        }
        let packed: Vec<u8> = items.iter().filter_map(chunk_bytes).flatten().copied().collect();
        unpack(&packed).map(Some)
    }
}

pub(crate) fn put_request(item: Item) -> WriteRequest {
    let put = PutRequest::builder().set_item(Some(item)).build().expect("the item is set");
    WriteRequest::builder().put_request(put).build()
}

pub(crate) fn delete_request(key: &keys::Key) -> WriteRequest {
    let delete = DeleteRequest::builder().set_key(Some(key.attributes())).build().expect("the key is set");
    WriteRequest::builder().delete_request(delete).build()
}

/// A body that was stored.
pub(crate) struct StoredBody {
    pub name: String,
    pub chunks: u32,
}

fn chunks(
    partition: &str,
    kind: &str,
    name: &str,
    body: &[u8],
    expires: Option<Timestamp>,
) -> Result<Vec<(String, Item)>, Error> {
    if body.len() > BODY_LIMIT {
        return Err(Error::TooLarge(format!("a body has {} bytes, the limit is {BODY_LIMIT}", body.len())));
    }
    let packed = pack(body)?;
    let parts: Vec<&[u8]> = packed.chunks(CHUNK).collect();
    let count = parts.len();
    parts
        .into_iter()
        .enumerate()
        .map(|(index, part)| {
            let key = keys::body_chunk(partition.to_owned(), kind, name, index);
            let mut item = key.attributes();
            if let Some(at) = expires {
                item = expiring(item, at);
            }
            item.insert("z".into(), AttributeValue::B(Blob::new(part)));
            item.insert("n".into(), number(count));
            Ok((key.sort, item))
        })
        .collect()
}

fn chunk_count(item: &Item) -> Option<usize> {
    item.get("n")?.as_n().ok()?.parse().ok()
}

fn chunk_bytes(item: &Item) -> Option<&[u8]> {
    item.get("z")?.as_b().ok().map(|blob| blob.as_ref())
}

/// Compresses with gzip.
pub(crate) fn pack(body: &[u8]) -> Result<Vec<u8>, Error> {
    let mut packed = Vec::new();
    GzEncoder::new(body, Compression::default())
        .read_to_end(&mut packed)
        .map_err(|e| Error::Corrupt(format!("a body cannot be compressed: {e}")))?;
    Ok(packed)
}

/// Reads what [`pack`] made, up to the limit of a body.
pub(crate) fn unpack(packed: &[u8]) -> Result<Vec<u8>, Error> {
    let mut body = Vec::new();
    GzDecoder::new(packed)
        .take(BODY_LIMIT as u64 + 1)
        .read_to_end(&mut body)
        .map_err(|e| Error::Corrupt(format!("a body cannot be read: {e}")))?;
    if body.len() > BODY_LIMIT {
        return Err(Error::Corrupt(format!("a body is larger than {BODY_LIMIT} bytes")));
    }
    Ok(body)
}

/// A small packed blob as an attribute.
pub(crate) fn packed_attribute(body: &[u8]) -> Result<AttributeValue, Error> {
    let packed = pack(body)?;
    if packed.len() > CHUNK {
        let message = format!("{} bytes are left after compression, an item holds {CHUNK}", packed.len());
        return Err(Error::TooLarge(message));
    }
    Ok(AttributeValue::B(Blob::new(packed)))
}

pub(crate) fn unpacked_attribute(item: &Item, name: &str) -> Result<Vec<u8>, Error> {
    let blob = item.get(name).and_then(|value| value.as_b().ok());
    unpack(blob.ok_or_else(|| Error::Corrupt(format!("an item has no `{name}`")))?.as_ref())
}
