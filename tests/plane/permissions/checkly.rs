//! The routes of Checkly's clients, each called in all the ways that reach other items. `permissions.rs` compares what
//! their functions do with what the template allows.

use crate::given::checkly::{deployment, envelope, post, project};
use crate::given::echo;
use crate::permissions::{Seen, ana};
use serde_json::{Value, json};

const DEPLOY: &str = "dryRun=false&scheduleOnDeploy=true";
const PREVIEW: &str = "dryRun=true&scheduleOnDeploy=true";

pub async fn checkly(seen: &mut Seen) {
    let world = seen.world().await;
    let first = envelope("etl", [("one", echo("p-1")), ("two", echo("p-2"))]);
    let next = envelope("etl", [("one", echo("p-1"))]);
    let user = ana(&world).await;
    let begun = seen.note("rollout_start", &world, post(&user, DEPLOY, &first)).await.ok();
    for path in ["/next/accounts/7", "/v1/runtimes", "/next/projects", "/next/projects/etl"] {
        let function = match path {
            "/next/accounts/7" => "plane_status",
            "/v1/runtimes" => "provider_list",
            "/next/projects" => "group_list",
            _ => "group_get",
        };
        let user = ana(&world).await;
        seen.note(function, &world, user.get(path)).await.ok();
    }
    let user = ana(&world).await;
    let added = json!({"logicalId": "new", "name": "New"});
    seen.note("group_add", &world, user.post("/next/projects", added)).await.ok();
    let path = deployment("etl", begun["id"].as_str().unwrap());
    for is_final in [false, true] {
        if is_final {
            world.settle().await;
            let user = ana(&world).await;
            seen.note("rollout_follow", &world, follow(&user, &format!("{path}/events"))).await;
        }
        let user = ana(&world).await;
        seen.note("rollout_start", &world, post(&user, PREVIEW, &next)).await.ok();
        let user = ana(&world).await;
        seen.note("rollout_get", &world, user.get(&path)).await.ok();
        let user = ana(&world).await;
        let completion = format!("{path}/completion?maxWaitSeconds=0");
        let status = if is_final { 200 } else { 408 };
        assert_eq!(seen.note("rollout_wait", &world, user.get(&completion)).await.status, status);
        let user = ana(&world).await;
        seen.note("rollout_list", &world, user.get(&format!("{}/deployments", project("etl")))).await.ok();
    }
    let user = ana(&world).await;
    seen.note("rollout_cancel", &world, user.post(&format!("{path}/cancel"), Value::Null)).await.ok();
    let user = ana(&world).await;
    seen.note("group_remove", &world, user.delete(&project("nothing"))).await.ok();
    let user = ana(&world).await;
    seen.note("group_remove", &world, user.delete(&project("etl"))).await.ok();
}

async fn follow(user: &tidemill_testing::User, path: &str) {
    user.follow(path, &[]).await.rest().await;
}
