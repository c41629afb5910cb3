//! The template: every queue has its dead-letter queue, an alarm rings when one is not empty, and no policy is wider than it
//! must be. `cargo xtask generate` writes the part of the functions; what they may do is compared with what they do in
//! `permissions`.

use crate::given::{deaf, queued};
use crate::sam::{Function, Statement, Template, each, read, resource_of, text, yaml};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use tidemill_protocols::functions::{self, On, named};
use tidemill_testing::{TestPlane, minutes, pipeline};
use tracing::instrument::WithSubscriber;

/// The schedules of deployments. No other group may be touched.
const SCHEDULES: &str = "arn:${AWS::Partition}:scheduler:${AWS::Region}:${AWS::AccountId}:schedule/${ScheduleGroup}/*";
/// The WebSockets of one API, whatever they are called.
const CONNECTIONS: &str = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${SocketApi}/${StageName}/METHOD/@connections/*";
/// What AWS checks `ListSchedules` against, whatever group is asked for.
const LISTED: &str = "arn:${AWS::Partition}:scheduler:${AWS::Region}:${AWS::AccountId}:schedule/*/*";

fn set<const N: usize>(items: [&str; N]) -> BTreeSet<String> {
    items.into_iter().map(str::to_owned).collect()
}

/// Every statement of every policy, with the name of the resource that it stands in.
fn all_statements(template: &Template) -> Vec<(String, Statement)> {
    fn walk(name: &str, value: &Value, found: &mut Vec<(String, Statement)>) {
        match value {
            Value::Object(entries) if entries.contains_key("Effect") => {
                found.push((name.to_owned(), Statement::read(value)));
            }
            Value::Object(entries) => entries.values().for_each(|value| walk(name, value, found)),
            Value::Array(items) => items.iter().for_each(|value| walk(name, value, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    for (name, resource) in template.resources() {
        walk(name, resource, &mut found);
    }
    found
}

#[test]
fn every_function_is_there_and_all_of_them_are_one_build() {
    let template = Template::read();
    let handlers: BTreeSet<_> = template.functions().iter().map(|function| function.name.to_owned()).collect();
    assert_eq!(handlers, functions::all().map(|function| function.name.to_owned()).collect());
    // SAM builds functions once that differ in nothing but their handlers.
    let builds = template.functions().into_iter().map(|function| {
        let metadata = &template.resource(function.resource)["Metadata"];
        format!("{:?} {metadata}", function.properties.get("CodeUri"))
    });
    let builds: BTreeSet<_> = builds.collect();
    assert_eq!(builds.len(), 1, "{builds:?}");
}

#[test]
fn no_policy_is_for_all_resources_or_all_actions() {
    for (name, statement) in all_statements(&Template::read()) {
        // In the policy of a key, `*` is this key: https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html
        if name == "Key" {
            continue;
        }
        for resource in &statement.resources {
            let is_listing = resource == LISTED && statement.actions == set(["scheduler:ListSchedules"]);
            let is_connection = ["POST", "DELETE"].iter().any(|it| *resource == CONNECTIONS.replace("METHOD", it));
            let is_named = !resource.contains('*') || resource == SCHEDULES || is_listing || is_connection;
            assert!(is_named || resource == "null", "`{name}` has the resource `{resource}`: {statement:?}");
        }
        let is_trust = statement.actions == set(["sts:AssumeRole"]);
        assert_eq!(statement.resources == ["null"], is_trust, "`{name}`: {statement:?}");
        assert!(!statement.actions.iter().any(|action| action.contains('*')), "`{name}`: {statement:?}");
    }
}

/// API Gateway does not say for which account it takes the role of an integration. With a condition it cannot take it:
/// <https://github.com/aws-solutions-library-samples/accelerated-intelligent-document-processing-on-aws/pull/479>
const ROLES_OF_API_GATEWAY: [&str; 3] = ["ApiRole", "SocketApiRole", "AccessLogRole"];

#[test]
fn every_role_is_assumed_by_one_service_for_this_account() {
    for (name, role) in Template::read().of_type("AWS::IAM::Role") {
        for statement in role["Properties"]["AssumeRolePolicyDocument"]["Statement"].as_array().unwrap() {
            let service = statement["Principal"]["Service"].as_str();
            assert!(service.is_some(), "{name}");
            let is_unconditional = ROLES_OF_API_GATEWAY.contains(&name);
            assert_eq!(service == Some("apigateway.amazonaws.com"), is_unconditional, "{name}");
            let condition = &statement["Condition"];
            match is_unconditional {
                true => assert!(condition.is_null(), "{name}: {condition}"),
                false => assert_eq!(text(&condition["StringEquals"]["aws:SourceAccount"]), "AWS::AccountId", "{name}"),
            }
        }
    }
}

#[test]
fn schedules_may_ring_for_ticks_and_nothing_else() {
    let template = Template::read();
    let role = &template.resource("SchedulerRole")["Properties"];
    let trust = &role["AssumeRolePolicyDocument"]["Statement"][0];
    assert_eq!(text(&trust["Condition"]["StringEquals"]["aws:SourceArn"]), "ScheduleGroup.Arn");
    let statements = role["Policies"][0]["PolicyDocument"]["Statement"].as_array().unwrap();
    let sends: BTreeSet<_> = statements
        .iter()
        .map(Statement::read)
        .filter(|statement| statement.allows("sqs:SendMessage"))
        .flat_map(|statement| statement.resources)
        .collect();
    assert_eq!(sends, set(["TicksQueue.Arn", "SchedulesDeadLetterQueue.Arn"]));

    // Scheduler gives no deduplication id, and takes no FIFO queue for what it could not deliver.
    assert_eq!(template.resource("TicksQueue")["Properties"]["ContentBasedDeduplication"], true);
    assert!(template.resource("SchedulesDeadLetterQueue")["Properties"].get("FifoQueue").is_none());
    // The sweep deletes what it finds in the group and no deployment asks for.
    for function in template.functions() {
        for event in function.events().filter(|event| event["Type"] == "ScheduleV2") {
            assert!(event["Properties"].get("GroupName").is_none(), "{}", function.name);
        }
    }
}

#[test]
fn no_function_may_take_messages_of_all_queues() {
    for function in Template::read().functions() {
        // For those SAM attaches AWSLambdaSQSQueueExecutionRole, which is for every queue of the account.
        assert!(function.events().all(|event| event["Type"] != "SQS"), "{}", function.name);
    }
}

#[test]
fn what_may_run_at_once_is_bounded() {
    let template = Template::read();
    for (queue, bound) in
        [("TicksQueue", "TicksAtOnce"), ("RunsQueue", "RunsAtOnce"), ("RolloutsQueue", "RolloutsAtOnce")]
    {
        let bells = queue.trim_end_matches("Queue");
        let functions = template.functions();
        let (_, mapping) = functions
            .iter()
            .filter_map(|it| it.queue(&template))
            .find(|(of, _)| of == queue)
            .expect("a function takes it");
        assert_eq!(text(&mapping["ScalingConfig"]["MaximumConcurrency"]), bound);
        let of_size = &mapping["ScalingConfig"]["MaximumConcurrency"]["Fn::If"][2]["Fn::FindInMap"];
        assert_eq!(of_size, &json!(["AtOnce", {"Ref": "AccountSize"}, bells]));
        assert_eq!(template.0["Parameters"][bound]["Default"], "", "{bound} is what the account's size says");
    }
    for (size, most) in [("small", 10), ("large", 1000)] {
        let together = template.0["Mappings"]["AtOnce"][size].as_object().unwrap().values();
        // Something is left for the API.
        assert!(together.map(|count| count.as_u64().unwrap()).max() <= Some(most / 2), "{size}");
    }
    let reserving = |function: &&Function<'_>| !function.properties["ReservedConcurrentExecutions"].is_null();
    let reserve: BTreeSet<_> = template.functions().iter().filter(reserving).map(|it| it.name.to_owned()).collect();
    assert_eq!(reserve, set(["hook_receive", "rollout_follow", "rollout_wait", "task_send"]));
    for (name, parameter) in template.0["Parameters"].as_object().unwrap() {
        // An account that is new has nothing to reserve.
        assert!(!name.starts_with("ReservedFor") || parameter["Default"] == 0, "{name}");
    }
}

#[test]
fn two_stacks_can_stand_side_by_side() {
    let template = Template::read();
    for function in template.functions() {
        // Else SAM names it after the function, the same for every stack.
        for event in function.events().filter(|event| event["Type"] == "ScheduleV2") {
            assert_eq!(event["Properties"]["OmitName"], true, "{}", function.name);
        }
    }
}

#[test]
fn the_stage_of_the_websocket_api_is_deployed_with_its_routes() {
    let template = Template::read();
    let routes = template.of_type("AWS::ApiGatewayV2::Route").map(|(name, _)| name.to_owned());
    let waits_for = each(&template.resource("SocketStage")["DependsOn"]);
    assert_eq!(waits_for.into_iter().collect::<BTreeSet<_>>(), routes.collect());
}

#[test]
fn a_message_is_hidden_for_six_times_as_long_as_its_function_may_take() {
    let template = Template::read();
    let takers: Vec<_> = template
        .functions()
        .into_iter()
        .filter_map(|function| Some((function.queue(&template)?.0, function)))
        .collect();
    assert_eq!(takers.len(), 4, "ticks, runs, rollouts and those who watch have a queue each");
    for (queue, function) in takers {
        let hidden = template.resource(&queue)["Properties"]["VisibilityTimeout"].as_u64().unwrap();
        assert!(hidden >= 6 * function.timeout(&template), "`{queue}` hides messages for {hidden} s");
        let (_, mapping) = function.queue(&template).unwrap();
        assert_eq!(each(&mapping["FunctionResponseTypes"]), ["ReportBatchItemFailures"], "{}", function.name);
        let takes = function.statements().into_iter().find(|statement| statement.allows("sqs:ReceiveMessage"));
        assert_eq!(takes.expect("it may take messages").resources, [format!("{queue}.Arn")]);
    }
}

#[test]
fn every_queue_has_a_dead_letter_queue_of_its_kind() {
    let template = Template::read();
    for function in template.functions() {
        let Some((queue, _)) = function.queue(&template) else { continue };
        let properties = &template.resource(&queue)["Properties"];
        let dead = resource_of(&text(&properties["RedrivePolicy"]["deadLetterTargetArn"]));
        assert_eq!(template.resource(&dead)["Properties"]["FifoQueue"], properties["FifoQueue"], "{queue}");
        assert!(properties["RedrivePolicy"]["maxReceiveCount"].as_u64().unwrap() >= 1, "{queue}");
    }
    for (name, queue) in template.of_type("AWS::SQS::Queue") {
        assert_eq!(text(&queue["Properties"]["KmsMasterKeyId"]), "Key.Arn", "`{name}` is not encrypted with the key");
    }
}

/// The alarms' metrics, with what they are about.
fn alarms(template: &Template) -> BTreeSet<(String, String)> {
    let alarms = template.of_type("AWS::CloudWatch::Alarm").map(|(_, alarm)| {
        let properties = &alarm["Properties"];
        let about = properties["Dimensions"][0]["Value"].clone();
        (text(&properties["MetricName"]), if about.is_null() { String::new() } else { resource_of(&text(&about)) })
    });
    alarms.collect()
}

#[test]
fn an_alarm_rings_for_all_that_an_operator_should_look_at() {
    let template = Template::read();
    let alarms = alarms(&template);
    let rings = |metric: &str, about: &str| {
        assert!(alarms.contains(&(metric.to_owned(), about.to_owned())), "no alarm for {metric} of `{about}`");
    };
    for (queue, _) in template.of_type("AWS::SQS::Queue") {
        match queue.contains("DeadLetter") {
            true => rings("ApproximateNumberOfMessagesVisible", queue),
            false => rings("ApproximateAgeOfOldestMessage", queue),
        }
    }
    rings("SweepFound", "");
    rings("OldestRun", "");
    rings("Invocations", "PlaneSweepFunction");
    rings("Errors", "");
    rings("Throttles", "");
    for (name, alarm) in template.of_type("AWS::CloudWatch::Alarm") {
        let actions = alarm["Properties"]["AlarmActions"].to_string();
        assert!(actions.contains("AlarmTopicArn") && actions.contains("IsMailed"), "`{name}` has no recipient");
        assert_eq!(alarm["Condition"], "HasAlarms", "`{name}` costs, also where no one sees it");
    }
}

/// Takes log lines as the functions on AWS write them.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The log of a sweep.
async fn swept(world: &TestPlane) -> Vec<Value> {
    let On::Minute(sweep) = &named("plane_sweep").unwrap().on else { panic!("it looks every minute") };
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().json().flatten_event(true).with_writer(move || writer.clone()).finish();
    sweep(&world.plane).with_subscriber(subscriber).await.unwrap();
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    log.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

#[tokio::test]
async fn what_the_sweep_finds_is_what_its_alarm_counts() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "manual").await.ok();
    queued(&ana.at(&deaf(&world)), "p").await;
    world.sleep(minutes(2));

    let lines = swept(&world).await;

    let found: Vec<&Value> = lines.iter().filter(|line| !line["found"].is_null()).collect();
    let [line] = found.as_slice() else { panic!("one line says how much was found: {lines:?}") };
    assert_eq!((&line["level"], &line["found"]), (&json!("WARN"), &json!(1)), "{line}");
    let filter = &Template::read().resource("PlaneSweepFound")["Properties"].clone();
    assert_eq!(filter["FilterPattern"], "{ $.found > 0 }");
    assert_eq!(filter["MetricTransformations"][0]["MetricValue"], "$.found");
    assert_eq!(text(&filter["LogGroupName"]), "PlaneSweepLogs");
}

#[tokio::test]
async fn the_age_of_a_run_that_takes_long_is_what_its_alarm_compares() {
    let world = TestPlane::new().await;
    let ana = world.user("ana").await;
    ana.deploy(pipeline("p"), "manual").await.ok();
    queued(&ana.at(&deaf(&world)), "p").await;

    world.sleep(minutes(14));
    assert!(swept(&world).await.iter().all(|line| line["oldest_run"].is_null()), "it is not old yet");
    world.sleep(minutes(6));
    let lines = swept(&world).await;

    let line = lines.iter().find(|line| !line["oldest_run"].is_null()).expect("its age is logged");
    assert_eq!((&line["level"], &line["oldest_run"]), (&json!("WARN"), &json!(20 * 60)), "{line}");
    let template = Template::read();
    let filter = &template.resource("PlaneSweepOldestRun")["Properties"];
    assert_eq!(filter["FilterPattern"], "{ $.oldest_run > 0 }");
    assert_eq!(filter["MetricTransformations"][0]["MetricValue"], "$.oldest_run");
    assert_eq!(text(&filter["LogGroupName"]), "PlaneSweepLogs");
    assert_eq!(template.0["Parameters"]["LongestRunSeconds"]["MinValue"], 15 * 60, "younger runs are not logged");
}

#[test]
fn traces_hold_no_urls_with_tokens() {
    assert!(Template::read().resource("Api")["Properties"].get("TracingEnabled").is_none());
}

/// `$context.path` and the like hold tokens of tasks and hooks; an error's message may hold a part of a header.
#[test]
fn access_logs_hold_no_tokens() {
    let template = Template::read();
    let logged = |settings: &Value| settings["Fn::If"][1]["Format"].as_str().expect("it has a format").to_owned();
    let of_api = logged(&template.resource("Api")["Properties"]["AccessLogSetting"]);
    let of_sockets = logged(&template.resource("SocketStage")["Properties"]["AccessLogSettings"]);
    for format in [of_api, of_sockets] {
        assert!(serde_json::from_str::<Value>(&format).is_ok(), "a line is JSON: {format}");
        let variables: BTreeSet<_> = format.split("$context.").skip(1).filter_map(|it| it.split('"').next()).collect();
        let harmless = [
            "error.responseType",
            "eventType",
            "httpMethod",
            "identity.sourceIp",
            "integrationLatency",
            "requestId",
            "requestTime",
            "resourcePath",
            "responseLatency",
            "responseLength",
            "routeKey",
            "status",
        ];
        assert!(variables.is_subset(&harmless.into()), "{variables:?}");
        assert!(variables.contains("requestId"), "AWS asks for it");
    }
}

/// API Gateway answers 403 by itself to what has a header `Authorization`.
#[test]
fn what_no_function_takes_is_refused_with_what_is_allowed() {
    let paths = yaml("infra/api-gateway.yaml")["paths"].as_object().unwrap().clone();
    for (path, item) in &paths {
        let any = &item["x-amazon-apigateway-any-method"]["x-amazon-apigateway-integration"];
        assert_eq!(any["type"], "mock", "{path}");
        let answer = &any["responses"]["default"];
        let methods = item.as_object().unwrap().keys().filter(|name| !name.starts_with("x-"));
        let methods: BTreeSet<_> = methods.map(|method| method.to_uppercase()).collect();
        let status = if methods.is_empty() { "404" } else { "405" };
        assert_eq!(answer["statusCode"], status, "{path}");
        assert_eq!(any["requestTemplates"]["application/json"], format!("{{\"statusCode\": {status}}}"), "{path}");
        let allow = answer["responseParameters"]["method.response.header.Allow"].as_str().unwrap_or("''");
        let allow = allow.trim_matches('\'').split(", ").filter(|it| !it.is_empty()).map(str::to_owned);
        assert_eq!(allow.collect::<BTreeSet<_>>(), methods, "{path}");
        let body = answer["responseTemplates"]["application/json"].as_str().unwrap();
        let body: Value = serde_json::from_str(body).expect("it is JSON");
        let is_checklys = ["/next", "/v1/projects", "/v1/runtimes"].iter().any(|place| path.starts_with(place));
        assert_eq!(body["statusCode"].is_number(), is_checklys || path.contains("checks") || path.contains("private-"));
    }
    for path in ["/", "/{proxy+}", "/next/{proxy+}", "/v1/projects", "/v1/projects/{project}/{proxy+}"] {
        assert!(paths.contains_key(path), "{path}");
    }
    for path in paths.keys() {
        // API Gateway refuses two variable parts side by side.
        let (parent, part) = path.rsplit_once('/').unwrap();
        let rival = paths.keys().find(|other| {
            let same = other.strip_prefix(parent).and_then(|rest| rest.strip_prefix('/'));
            let other = same.and_then(|rest| rest.split('/').next()).unwrap_or_default();
            part.starts_with('{') && other.starts_with('{') && other != part
        });
        assert_eq!(rival, None, "beside {path}");
    }
}

#[test]
fn the_websocket_api_may_call_the_functions_of_its_routes_and_no_others() {
    let template = Template::read();
    let called: BTreeSet<_> = template
        .of_type("AWS::ApiGatewayV2::Integration")
        .map(|(_, integration)| text(&integration["Properties"]["IntegrationUri"]))
        .filter_map(|uri| Some(uri.split("functions/${").nth(1)?.split('}').next()?.to_owned()))
        .collect();
    let role = &template.resource("SocketApiRole")["Properties"]["Policies"][0];
    assert_eq!(called, each(&role["PolicyDocument"]["Statement"][0]["Resource"]).into_iter().collect());

    let answer = functions::all().filter(|function| matches!(function.on, On::Socket(_))).map(|function| function.name);
    let functions = template.functions();
    let resource_of = |name| functions.iter().find(|function| function.name == name).expect("it is there").resource;
    assert_eq!(called, answer.map(|name| format!("{}.Arn", resource_of(name))).collect());
}

#[test]
fn the_dashboard_shows_every_alarm_and_nothing_that_is_not_there() {
    let template = Template::read();
    let dashboard = yaml("infra/dashboard.yaml");
    let body = dashboard["Fn::Sub"][0].as_str().expect("it is a text of JSON");
    let body: Value = serde_json::from_str(body).expect("it is JSON, whatever is put in for its names");
    let shown = each(&body["widgets"][0]["properties"]["alarms"]);
    let alarms = template.of_type("AWS::CloudWatch::Alarm").map(|(name, _)| format!("${{{name}.Arn}}"));
    assert_eq!(shown.into_iter().collect::<BTreeSet<_>>(), alarms.collect());

    for name in body.to_string().split("${").skip(1).filter_map(|rest| rest.split(['}', '.']).next()) {
        let is_given = dashboard["Fn::Sub"][1].get(name).is_some();
        let is_there = ["Resources", "Parameters"].iter().any(|section| template.0[section].get(name).is_some());
        let is_there = is_there || is_given;
        assert!(is_there || name.starts_with("AWS::"), "there is no `{name}`");
    }
    for widget in body["widgets"].as_array().unwrap() {
        let right = widget["x"].as_u64().unwrap() + widget["width"].as_u64().unwrap();
        assert!(right <= 24, "a dashboard has 24 columns: {widget}");
    }
}

#[test]
fn nothing_in_the_template_is_of_some_account() {
    for file in ["template.yaml", "infra/api-gateway.yaml", "infra/dashboard.yaml", "samconfig.toml"] {
        let text = read(file);
        let account = text.split(|c: char| !c.is_ascii_digit()).find(|digits| digits.len() == 12);
        assert_eq!(account, None, "{file}");
        assert!(!text.contains("arn:aws:"), "{file} names a partition");
    }
}

#[test]
fn every_parameter_alarm_and_output_is_explained() {
    let template = Template::read();
    let page = read("docs/aws.md");
    let names = ["Parameters", "Outputs"].map(|section| template.0[section].as_object().unwrap().keys());
    let alarms: Vec<_> = template.of_type("AWS::CloudWatch::Alarm").map(|(name, _)| name.to_owned()).collect();
    for name in names.into_iter().flatten().chain(&alarms) {
        assert!(page.contains(&format!("| `{name}` |")), "docs/aws.md does not explain `{name}`");
    }
}

/// A null is refused anywhere in a template, also in what it includes:
/// <https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1378>
#[test]
fn the_template_and_what_it_includes_hold_no_null() {
    fn nulls(value: &Value, path: &str, found: &mut Vec<String>) {
        match value {
            Value::Null => found.push(path.to_owned()),
            Value::Object(entries) => {
                entries.iter().for_each(|(name, value)| nulls(value, &format!("{path}/{name}"), found))
            }
            Value::Array(items) => items.iter().for_each(|value| nulls(value, path, found)),
            _ => {}
        }
    }
    for file in ["template.yaml", "infra/api-gateway.yaml", "infra/dashboard.yaml"] {
        let mut found = Vec::new();
        nulls(&yaml(file), file, &mut found);
        assert_eq!(found, Vec::<String>::new());
    }
}

#[test]
fn every_file_that_follows_from_the_table_of_functions_is_up_to_date() {
    for file in xtask::generate::files() {
        assert_eq!(file.difference(), None, "run `cargo xtask generate`");
    }
}
