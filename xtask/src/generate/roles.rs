//! What follows from a function's rights: the statements of its role's policy, and its variables.

use std::collections::BTreeSet;
use tidemill_protocols::functions::{Function, On, QueueKind};
use tidemill_protocols::rights::{Partition, Right};

const SCHEDULES: &str = "arn:${AWS::Partition}:scheduler:${AWS::Region}:${AWS::AccountId}:schedule";
const CONNECTIONS: &str =
    "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${SocketApi}/${StageName}";

/// The table that the stack makes, or the one that it is given.
const TABLE: &str = "!If [MakesTable, !Ref Table, !Ref ExistingTable]";
const TABLE_ARN: &str = "!If [MakesTable, !GetAtt Table.Arn, !Sub 'arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${ExistingTable}']";
const INDEX_ARN: &str = "!If [MakesTable, !Sub '${Table.Arn}/index/runs-by-owner', !Sub 'arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${ExistingTable}/index/runs-by-owner']";
/// The key that the stack makes, or the one that it is given.
pub const KEY_ARN: &str = "!If [MakesKey, !GetAtt Key.Arn, !Ref ExistingKeyArn]";

const SOCKETS_URL: &str = "!Sub https://${SocketApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}/${StageName}";

/// The queue that a function's messages come from, and whether it is bounded how many of them are worked on at once.
pub fn queue(function: &Function) -> Option<(&'static str, bool)> {
    match function.on {
        On::Bell(QueueKind::Ticks, _) => Some(("Ticks", true)),
        On::Bell(QueueKind::Runs, _) => Some(("Runs", true)),
        On::Bell(QueueKind::Rollouts, _) => Some(("Rollouts", true)),
        On::Bell(QueueKind::Sockets, _) => Some(("Sockets", false)),
        _ => None,
    }
}

/// The queue that a right lets ring.
pub fn rung(right: &Right) -> Option<&'static str> {
    match right {
        Right::RingTicks => Some("Ticks"),
        Right::RingRuns => Some("Runs"),
        Right::RingRollouts => Some("Rollouts"),
        Right::RingSockets => Some("Sockets"),
        _ => None,
    }
}

fn sets_timers(function: &Function) -> bool {
    function.may.contains(&Right::FollowTimers)
}

fn handles_timers(function: &Function) -> bool {
    sets_timers(function) || function.may.contains(&Right::DeleteTimers)
}

fn has_any(function: &Function, rights: [Right; 2]) -> bool {
    rights.iter().any(|right| function.may.contains(right))
}

/// A function's variables, and where the template takes their values from. A test of lib/aws compares their names with
/// those that functions read.
pub fn variables(function: &Function) -> Vec<(&'static str, &'static str)> {
    let rings = function.may.iter().filter_map(rung);
    let queues: Vec<_> = rings.chain(queue(function).map(|(queue, _)| queue)).collect();
    let sets = sets_timers(function);
    let variables = [
        (true, "TIDEMILL_TABLE", TABLE),
        (queues.contains(&"Ticks"), "TIDEMILL_TICKS_QUEUE", "!Ref TicksQueue"),
        (queues.contains(&"Runs"), "TIDEMILL_RUNS_QUEUE", "!Ref RunsQueue"),
        (queues.contains(&"Rollouts"), "TIDEMILL_ROLLOUTS_QUEUE", "!Ref RolloutsQueue"),
        (queues.contains(&"Sockets"), "TIDEMILL_SOCKETS_QUEUE", "!Ref SocketsQueue"),
        (handles_timers(function), "TIDEMILL_SCHEDULE_GROUP", "!Ref ScheduleGroup"),
        (sets, "TIDEMILL_SCHEDULER_ROLE", "!GetAtt SchedulerRole.Arn"),
        (sets, "TIDEMILL_TICKS_QUEUE_ARN", "!GetAtt TicksQueue.Arn"),
        (sets, "TIDEMILL_SCHEDULES_DEAD_LETTER_QUEUE_ARN", "!GetAtt SchedulesDeadLetterQueue.Arn"),
        (has_any(function, [Right::Seal, Right::Open]), "TIDEMILL_KMS_KEY", KEY_ARN),
        (has_any(function, [Right::SendFrames, Right::CloseSockets]), "TIDEMILL_SOCKETS_URL", SOCKETS_URL),
    ];
    variables.into_iter().filter(|(is_given, ..)| *is_given).map(|(_, name, value)| (name, value)).collect()
}

/// One statement of a policy, as lines without indentation.
fn statement(name: &str, actions: &[&str], resource: &str, condition: &[&str]) -> Vec<String> {
    let mut lines = vec![
        format!("- Sid: {name}"),
        "  Effect: Allow".to_owned(),
        format!("  Action: [{}]", actions.join(", ")),
        format!("  Resource: {resource}"),
    ];
    if !condition.is_empty() {
        lines.push("  Condition:".to_owned());
        lines.extend(condition.iter().map(|line| format!("    {line}")));
    }
    lines
}

/// The statements of a function's policy.
pub fn statements(function: &Function) -> Vec<String> {
    let mut lines = of_table(function);
    lines.extend(layout());
    for right in function.may {
        lines.extend(beside_table(right));
        if let Some(queue) = rung(right) {
            let name = format!("Ring{queue}");
            lines.extend(statement(&name, &["sqs:SendMessage"], &format!("!GetAtt {queue}Queue.Arn"), &[]));
        }
    }
    if let Some((queue, _)) = queue(function) {
        let actions =
            ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"];
        lines.extend(statement(&format!("Take{queue}"), &actions, &format!("!GetAtt {queue}Queue.Arn"), &[]));
    }
    lines.extend(encryption(function));
    lines
}

/// The rights on some partitions: the word of each, and its action.
type Group = (BTreeSet<Partition>, Vec<(String, String)>);

/// The rights on the table, those for the same partitions in one statement.
fn of_table(function: &Function) -> Vec<String> {
    let mut groups: Vec<Group> = Vec::new();
    for right in function.may {
        let Some((action, partitions)) = right.of_table() else { continue };
        let partitions: BTreeSet<_> = partitions.iter().copied().collect();
        let word = format!("{right:?}").split('(').next().unwrap_or_default().to_owned();
        let part = (word, format!("dynamodb:{action}"));
        match groups.iter_mut().find(|(of, _)| *of == partitions) {
            Some((_, parts)) => parts.push(part),
            None => groups.push((partitions, vec![part])),
        }
    }
    let of_group = |(partitions, parts): Group| {
        let words: String = parts.iter().map(|(word, _)| word.as_str()).collect();
        let name: String = words + &partitions.iter().map(|partition| format!("{partition:?}")).collect::<String>();
        let actions: Vec<&str> = parts.iter().map(|(_, action)| action.as_str()).collect();
        let patterns: Vec<_> = partitions.iter().map(|partition| format!("'{}'", partition.pattern())).collect();
        let keys = format!("  dynamodb:LeadingKeys: [{}]", patterns.join(", "));
        statement(&name, &actions, TABLE_ARN, &["ForAllValues:StringLike:", &keys])
    };
    groups.into_iter().flat_map(of_group).collect()
}

/// Each function reads the layout of the table when it starts.
fn layout() -> Vec<String> {
    let keys = format!("  dynamodb:LeadingKeys: ['{}']", Partition::Layout.pattern());
    statement("ReadLayout", &["dynamodb:GetItem"], TABLE_ARN, &["ForAllValues:StringLike:", &keys])
}

fn beside_table(right: &Right) -> Vec<String> {
    let secrets = [
        "ForAllValues:StringEquals:",
        "  kms:EncryptionContextKeys: [owner, name]",
        "'Null':",
        "  kms:EncryptionContext:owner: 'false'",
    ];
    let delete = "scheduler:DeleteSchedule";
    match right {
        Right::FindRuns => statement("FindRuns", &["dynamodb:Query"], INDEX_ARN, &[]),
        Right::FollowTimers => {
            let mut lines = timers(&["scheduler:CreateSchedule", "scheduler:UpdateSchedule", delete]);
            let condition = ["StringEquals:", "  iam:PassedToService: scheduler.amazonaws.com"];
            lines.extend(statement("LetTimersRing", &["iam:PassRole"], "!GetAtt SchedulerRole.Arn", &condition));
            lines
        }
        Right::DeleteTimers => timers(&[delete]),
        Right::Seal => statement("SealSecrets", &["kms:Encrypt"], KEY_ARN, &secrets),
        Right::Open => statement("OpenSecrets", &["kms:Decrypt"], KEY_ARN, &secrets),
        Right::SendFrames => connections("SendFrames", "POST"),
        Right::CloseSockets => connections("CloseSockets", "DELETE"),
        _ => Vec::new(),
    }
}

fn timers(actions: &[&str]) -> Vec<String> {
    let mut lines = statement("Timers", actions, &format!("!Sub '{SCHEDULES}/${{ScheduleGroup}}/*'"), &[]);
    let listed = format!("!Sub '{SCHEDULES}/*/*'");
    lines.extend(statement("ListTimers", &["scheduler:ListSchedules"], &listed, &[]));
    lines
}

fn connections(name: &str, method: &str) -> Vec<String> {
    let resource = format!("!Sub '{CONNECTIONS}/{method}/@connections/*'");
    statement(name, &["execute-api:ManageConnections"], &resource, &[])
}

/// The key, by way of the table and of the queues.
fn encryption(function: &Function) -> Vec<String> {
    let has_queue = queue(function).is_some() || function.may.iter().any(|right| rung(right).is_some());
    let services: &[&str] = if has_queue { &["dynamodb", "sqs"] } else { &["dynamodb"] };
    let via = services.iter().map(|service| format!("    - !Sub '{service}.${{AWS::Region}}.amazonaws.com'"));
    let condition: Vec<String> =
        ["StringEquals:".to_owned(), "  kms:ViaService:".to_owned()].into_iter().chain(via).collect();
    let condition: Vec<&str> = condition.iter().map(String::as_str).collect();
    statement("Encryption", &["kms:Decrypt", "kms:GenerateDataKey"], KEY_ARN, &condition)
}
