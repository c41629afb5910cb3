//! The functions' part of `template.yaml`, between two markers: the API's role, and for each function its Lambda, its log,
//! the count of its errors, and what calls it.

use super::{camel, roles};
use serde_yaml_ng::Value;
use std::fmt::Write;
use tidemill_protocols::functions::{self, Function, On, QueueKind};

const BEGIN: &str =
    "  # From here on `cargo xtask generate` writes, from the table of functions in lib/protocols/src/functions.\n";
const END: &str = "  # As far as here.\n";

/// The template with its functions' part as it should be.
pub fn text(template: &str, description: &Value) -> String {
    let (before, rest) = template.split_once(BEGIN).expect("template.yaml marks where functions begin");
    let (_, after) = rest.split_once(END).expect("template.yaml marks where functions end");
    let written: String = functions::all().map(|function| resources(function, description)).collect();
    format!("{before}{BEGIN}\n{}{written}{END}{after}", api_role())
}

/// API Gateway does not say for which account it assumes the role of an integration, so no condition may ask for that.
fn api_role() -> String {
    let called = functions::all().filter(|function| function.endpoints().next().is_some());
    let called: String =
        called.map(|it| format!("                  - !GetAtt {}Function.Arn\n", camel(it.name))).collect();
    format!(
        "  # API Gateway does not say for which account it assumes the role of an integration, so no condition may ask for that:
  # https://github.com/aws-solutions-library-samples/accelerated-intelligent-document-processing-on-aws/pull/479
  ApiRole:
    Type: AWS::IAM::Role
    Properties:
      Description: What the API may call.
      PermissionsBoundary: !If [HasBoundary, !Ref PermissionsBoundaryArn, !Ref AWS::NoValue]
      AssumeRolePolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Effect: Allow
            Principal:
              Service: apigateway.amazonaws.com
            Action: sts:AssumeRole
      Policies:
        - PolicyName: call
          PolicyDocument:
            Version: '2012-10-17'
            Statement:
              - Sid: CallFunctions
                Effect: Allow
                Action: lambda:InvokeFunction
                Resource:
{called}
"
    )
}

fn resources(function: &Function, description: &Value) -> String {
    let mut text = lambda(function, description);
    text.push_str(&mapping(function).unwrap_or_default());
    text.push_str(&log(function));
    text
}

fn lambda(function: &Function, description: &Value) -> String {
    let (name, resource) = (function.name, camel(function.name));
    let mut text = format!(
        "  {resource}Function:
    Type: AWS::Serverless::Function
    Metadata:
      BuildMethod: rust-cargolambda
      BuildProperties:
        Binary: tidemill-functions
    Properties:
      Description: {}.
      Handler: {name}
",
        summary(function, description)
    );
    let mut line = |line: String| writeln!(text, "      {line}").expect("a text takes more text");
    line(format!("MemorySize: {}", function.memory));
    line(format!("Timeout: {}", timeout(function)));
    if let Some(parameter) = function.reserve {
        line(format!("ReservedConcurrentExecutions: !If [Has{parameter}, !Ref {parameter}, !Ref AWS::NoValue]"));
    }
    line("LoggingConfig:".to_owned());
    line(format!("  LogGroup: !Ref {resource}Logs"));
    line("Environment:".to_owned());
    line("  Variables:".to_owned());
    roles::variables(function).into_iter().for_each(|(name, value)| line(format!("    {name}: {value}")));
    let statements = roles::statements(function);
    if !statements.is_empty() {
        line("Policies:".to_owned());
        // Without it the language is that of 2008.
        line("  - Version: '2012-10-17'".to_owned());
        line("    Statement:".to_owned());
        statements.into_iter().for_each(|statement| line(format!("      {statement}")));
    }
    if matches!(function.on, On::Minute(_)) {
        text.push_str(EVERY_MINUTE);
    }
    text.push('\n');
    text
}

/// The next minute's call looks again. CloudFormation names the schedule: SAM would give it the same name in every stack.
const EVERY_MINUTE: &str = "      EventInvokeConfig:
        MaximumRetryAttempts: 0
        MaximumEventAgeInSeconds: 60
      Events:
        Minute:
          Type: ScheduleV2
          Properties:
            Description: Calls the sweep every minute.
            OmitName: true
            PermissionsBoundary: !If [HasBoundary, !Ref PermissionsBoundaryArn, !Ref AWS::NoValue]
            ScheduleExpression: rate(1 minute)
            RetryPolicy:
              MaximumRetryAttempts: 0
";

/// What the function does: the summary of its route, or its own.
fn summary(function: &Function, description: &Value) -> String {
    let of_route = match &function.on {
        On::Http { route, .. } => {
            description["paths"][route.path][route.method.as_str().to_lowercase().as_str()]["summary"].as_str()
        }
        _ => function.summary,
    };
    let summary =
        of_route.unwrap_or_else(|| panic!("`{}` has no summary in infra/openapi.yaml or the table", function.name));
    summary.to_owned()
}

/// Seconds after which Lambda ends it: as long as its caller waits.
fn timeout(function: &Function) -> u32 {
    match function.on {
        On::Bell(QueueKind::Runs | QueueKind::Rollouts, _) => 900,
        On::Minute(_) => 300,
        // A message whose function died is hidden for six times as long, and its deployment waits.
        On::Bell(QueueKind::Ticks, _) => 20,
        On::Bell(QueueKind::Sockets, _) => 60,
        _ if function.streams() => 900,
        // API Gateway waits no longer.
        _ => 29,
    }
}

/// Not an event of the function: for those SAM lets the role take messages from every queue of the account.
fn mapping(function: &Function) -> Option<String> {
    let (queue, is_bounded) = roles::queue(function)?;
    let resource = camel(function.name);
    let most = match function.on {
        // Each message of a batch is another deployment's, but for those that are late.
        On::Bell(QueueKind::Ticks, _) => 10,
        _ => 1,
    };
    let scaling = match is_bounded {
        true => format!(
            "      ScalingConfig:
        MaximumConcurrency: !If [Has{queue}AtOnce, !Ref {queue}AtOnce, !FindInMap [AtOnce, !Ref AccountSize, {queue}]]
"
        ),
        false => String::new(),
    };
    Some(format!(
        "  # Not an event of the function: for those SAM lets the role take messages from every queue of the account.
  {resource}FunctionBells:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      FunctionName: !Ref {resource}Function
      EventSourceArn: !GetAtt {queue}Queue.Arn
      BatchSize: {most}
      FunctionResponseTypes: [ReportBatchItemFailures]
{scaling}
"
    ))
}

fn log(function: &Function) -> String {
    let (name, resource) = (function.name, camel(function.name));
    format!(
        r#"  {resource}Logs:
    Type: AWS::Logs::LogGroup
    DeletionPolicy: Delete
    UpdateReplacePolicy: Delete
    Properties:
      LogGroupName: !Sub /tidemill/${{AWS::StackName}}/{name}
      RetentionInDays: !Ref LogRetention
      KmsKeyId: {}

  {resource}Errors:
    Type: AWS::Logs::MetricFilter
    Properties:
      LogGroupName: !Ref {resource}Logs
      FilterPattern: '{{ ($.level = "ERROR") || ($.type = "platform.report" && $.record.status != "success") }}'
      MetricTransformations:
        - MetricNamespace: !Sub Tidemill/${{AWS::StackName}}
          MetricName: Errors
          MetricValue: '1'

"#,
        roles::KEY_ARN
    )
}
