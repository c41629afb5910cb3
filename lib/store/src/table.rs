//! The table itself: made by the local plane and by tests; in the cloud the template makes it.

use crate::Store;
use crate::error::Error;
use crate::keys::{PARTITION, RUN_OWNER, RUNS_BY_OWNER, SORT};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType,
};

impl Store {
    /// Makes the table and its index, or leaves them as they are.
    pub async fn create_table(&self) -> Result<(), Error> {
        let runs_by_owner = GlobalSecondaryIndex::builder()
            .index_name(RUNS_BY_OWNER)
            .set_key_schema(Some(vec![key(RUN_OWNER, KeyType::Hash), key(SORT, KeyType::Range)]))
            .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build())
            .build()
            .expect("name, schema and projection are set");
        let made = self
            .client
            .create_table()
            .table_name(&self.table)
            .billing_mode(BillingMode::PayPerRequest)
            .set_attribute_definitions(Some([PARTITION, SORT, RUN_OWNER].map(attribute).to_vec()))
            .set_key_schema(Some(vec![key(PARTITION, KeyType::Hash), key(SORT, KeyType::Range)]))
            .global_secondary_indexes(runs_by_owner)
            .send()
            .await;
        match made {
            Ok(_) => Ok(()),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_resource_in_use_exception()) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

fn attribute(name: &str) -> AttributeDefinition {
    AttributeDefinition::builder()
        .attribute_name(name)
        .attribute_type(ScalarAttributeType::S)
        .build()
        .expect("name and type are set")
}

fn key(name: &str, kind: KeyType) -> KeySchemaElement {
    KeySchemaElement::builder().attribute_name(name).key_type(kind).build().expect("name and kind are set")
}
