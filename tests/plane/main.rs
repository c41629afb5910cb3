//! What users see: one file per operation, each against a whole plane.

mod borders;
mod deployment_add;
mod deployment_get;
mod deployment_list;
mod deployment_pause;
mod deployment_remove;
mod deployment_resume;
mod deployment_tick;
mod deployment_update;
mod given;
mod hook_receive;
mod isolation;
mod key_create;
mod key_list;
mod key_revoke;
mod run_cancel;
mod run_execute;
mod run_get;
mod run_list;
mod run_logs;
mod run_start;
mod run_takeover;
mod secret_list;
mod secret_remove;
mod secret_set;
mod table;
