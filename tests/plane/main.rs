//! What users see: one file per operation, each against a whole plane.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod borders;
mod broken_pipelines;
mod caller_get;
mod checkly;
mod conflicts;
mod dap;
mod deployment;
mod environment;
mod errors_of_the_description;
mod every_call;
mod examples;
mod fields_of_answers;
mod front_door;
mod given;
mod group;
mod hang_up;
mod hook_receive;
mod isolation;
mod key;
mod lookers;
mod lost_answers;
mod modules;
mod permissions;
mod pipeline_formats;
mod pipeline_validate;
mod plane;
mod provider_list;
mod refusals;
mod rocketride_http;
mod rollout;
mod run;
mod sam;
mod schedule_preview;
mod schema_get;
mod secret;
mod security_page;
mod socket;
mod table;
mod task;
mod template;
mod tick;
mod version;
mod warnings;
