//! The table itself: made by the local plane and by tests; in the cloud the template makes it.

use crate::Store;
use crate::error::Error;
use crate::keys::{EXPIRES, PARTITION, RUN_OWNER, RUNS_BY_OWNER, SORT};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
    ScalarAttributeType, TimeToLiveSpecification, TimeToLiveStatus,
};

impl Store {
    /// Makes the table and its index, or leaves them as they are, and has it delete what has expired. Gives whether nothing is in
    /// the table.
    pub async fn create_table(&self) -> Result<bool, Error> {
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
            Ok(_) => {}
            Err(error) if error.as_service_error().is_some_and(|e| e.is_resource_in_use_exception()) => {}
            Err(error) => return Err(error.into()),
        }
        self.let_items_expire().await?;
        self.is_empty().await
    }

    async fn is_empty(&self) -> Result<bool, Error> {
        let first = self.client.scan().table_name(&self.table).consistent_read(true).limit(1).send().await?;
        Ok(first.items().is_empty())
    }

    /// Has the table delete what has expired, as the template says it of the cloud's.
    async fn let_items_expire(&self) -> Result<(), Error> {
        let known = self.client.describe_time_to_live().table_name(&self.table).send().await?;
        let status = known.time_to_live_description().and_then(|known| known.time_to_live_status());
        if matches!(status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)) {
            return Ok(());
        }
        let specification = TimeToLiveSpecification::builder().attribute_name(EXPIRES).enabled(true).build();
        let specification = specification.expect("attribute and switch are set");
        self.client
            .update_time_to_live()
            .table_name(&self.table)
            .time_to_live_specification(specification)
            .send()
            .await?;
        Ok(())
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
