use super::*;
use crate::providers::testing::{run, run_with};

fn eval(code: &str, input: &str) -> Result<Vec<String>, Fault> {
    let program = Program::compile("program", code, &run())?;
    let value = Value::Json(json::parse(input.as_bytes()).unwrap());
    let object = Object::new("file.ndjson:7");
    program.run(&value, &object, &run())?.iter().map(json::to_compact).collect()
}

#[test]
fn programs_of_every_kind_still_mean_what_jq_means() {
    for (code, input, expected) in [
        (".a", r#"{"a":1}"#, "1"),
        ("[.[] | select(. > 1) | . * 2]", "[1,2,3]", "[4,6]"),
        (".items |= map(.n += 1)", r#"{"items":[{"n":1}]}"#, r#"{"items":[{"n":2}]}"#),
        ("[range(3)] + [range(5; 0; -2)]", "null", "[0,1,2,5,3,1]"),
        ("def fac: if . <= 1 then 1 else . * (. - 1 | fac) end; fac", "10", "3628800"),
        ("[recurse(if . < 3 then . + 1 else empty end)]", "0", "[0,1,2,3]"),
        ("[paths]", r#"{"a":[1]}"#, r#"[["a"],["a",0]]"#),
        ("del(.[] | select(. == 2))", "[1,2,3]", "[1,3]"),
        ("[.[] as [$a, $b] | {a: $a, ($b): 1}]", r#"[[1,"x"]]"#, r#"[{"a":1,"x":1}]"#),
        (r#""\(.a) and \(1 + 1)""#, r#"{"a":"b"}"#, r#""b and 2""#),
        (r#"[@json "\t\(.[])-\(1, 2)!"] | join(";")"#, r#"["a",3]"#, r#""\t\"a\"-1!;\t\"a\"-2!;\t3-1!;\t3-2!""#),
        ("reduce .[] as $x (0; . + $x)", "[1,2,3]", "6"),
        ("[limit(3; repeat(1))]", "null", "[1,1,1]"),
        ("with_entries(.value += 1)", r#"{"a":1}"#, r#"{"a":2}"#),
        ("[splits(\", *\")] | join(\"-\")", r#""a, b,c""#, r#""a-b-c""#),
        ("try error(\"x\") catch .", "null", r#""x""#),
        (".a as $x | [.b[] | . + $x]", r#"{"a":1,"b":[1,2]}"#, "[2,3]"),
        ("\"ab\" * 3", "null", r#""ababab""#),
        ("fromjson.a", r#""{\"a\":5}""#, "5"),
        ("[.. | numbers]", "[1,[2]]", "[1,2]"),
        ("$object.id, $run.project", "null", r#""file.ndjson:7" "proj""#),
        (
            ". + 1, -., tostring, @json, \"\\(.)\", ([., 1] | max), . - 1",
            "15878708649682983132",
            "15878708649682983133 -15878708649682983132 \"15878708649682983132\" \"15878708649682983132\" \"15878708649682983132\" 15878708649682983132 15878708649682983131",
        ),
        ("tojson | fromjson", "[123456789012345678901234567890]", "[123456789012345678901234567890]"),
        ("\"2026-01-02T03:04:05Z\" | fromdateiso8601 | todate", "null", r#""2026-01-02T03:04:05Z""#),
    ] {
        assert_eq!(eval(code, input).unwrap().join(" "), expected, "{code}");
    }
}

#[test]
fn runaway_programs_end_with_an_error() {
    for code in [
        "def f: f; f",
        "def f: 1 + f; f",
        "[range(0; infinite)] | length",
        "last(range(1000000000000))",
        "[repeat(1)] | length",
        "reduce range(60) as $i (\"x\"; . + .)",
        "reduce range(60) as $i (\"x\"; \"\\(.)\\(.)\")",
        "reduce range(60) as $i (\"x\"; @json \"\\(.) and \\(.)\")",
        "\"x\" * 100000000000",
        "[limit(100; range(10))] | [., ., ., ., ., ., ., ., ., ., ., .] | [combinations] | length",
        "def f: try f catch f; f",
        "until(false; .)",
        "[recurse(.)] | length",
        "reduce range(40) as $i ([1]; . + .)",
        // Values so deep that dropping them would overflow the stack.
        "reduce range(100000) as $i (0; [.]) | 1",
        "reduce range(100000) as $i ({}; {i: {$i}, next: .}) | 1",
        "last(foreach range(100000) as $i ({}; .x = .)) | 1",
        "def f: if . == 1 then . else [.] | f end; 0 | f",
        "last(limit(100000; 0 | repeat([.]) | [.])) | [recurse([.])] | 1",
    ] {
        let fault = eval(code, "null").unwrap_err();

        assert!(fault.message.starts_with("`program` "), "{code}: {}", fault.message);
    }
}

#[test]
fn too_many_outputs_are_refused_with_the_limit() {
    assert!(eval("range(10001)", "null").unwrap_err().message.contains("more than 10000 values"));
    assert_eq!(eval("range(10000)", "null").unwrap().len(), 10_000);
}

#[test]
fn errors_name_the_object_and_the_place() {
    assert_eq!(
        eval(".a.b", r#"{"a":[1]}"#).unwrap_err().message,
        r#"`program` failed at the object `file.ndjson:7` for the value `{"a":[1]}`: cannot index [1] with "b""#
    );
    assert!(
        Program::compile("where", ".a |", &run())
            .err()
            .unwrap()
            .message
            .contains("`where` is not a jq program: expected")
    );
    assert!(
        Program::compile("where", "nope(1)", &run())
            .err()
            .unwrap()
            .message
            .contains("the filter `nope` is not defined")
    );
}

#[test]
fn the_process_cannot_be_seen() {
    for code in ["env", "$ENV", "input", "inputs", "include \"x\"; .", "input_filename", "$__loc__"] {
        assert!(Program::compile("program", code, &run()).is_err(), "{code}");
    }
}

#[test]
fn a_program_that_is_nested_as_deep_as_is_allowed_compiles_and_runs_on_a_small_stack() {
    let ways = [
        ("(", "1", ")"),
        ("-", "1", ""),
        (".a|", "{}", ""),
        ("1+", "1", ""),
        ("if 1 then ", "1", " end"),
        ("def f: ", "1", "; 1"),
        ("try ", "1", ""),
        (". as $x|", ".", ""),
        ("[", "1", "]"),
        ("{a:", "1", "}"),
        ("\"\\(", "1", ")\""),
        ("1,", "1", ""),
        ("reduce . as $x (", ".", ";1)"),
    ];
    for (before, middle, after) in ways {
        let program = |levels: usize| format!("{}{middle}{}", before.repeat(levels), after.repeat(levels));
        let deepest =
            (1..=DEPTH_LIMIT).rev().map(program).find(|code| nesting::deeper_than(code, DEPTH_LIMIT).is_none());
        let deepest = deepest.unwrap();
        let small = std::thread::Builder::new().stack_size(2 << 20);
        let ran = small.spawn(move || eval(&deepest, "null").map(drop)).unwrap().join().unwrap();
        let refused = Program::parse(&program(60_000 / (before.len() + after.len())));

        let fault = ran.err().filter(|fault| !fault.message.contains("cannot index"));
        assert!(fault.is_none_or(|fault| fault.message.contains("too deeply")), "{before}");
        assert!(refused.err().unwrap().message.contains("nested deeper"), "{before}");
    }
}

#[test]
fn a_program_is_refused_with_the_place_at_which_it_goes_wrong() {
    for (code, problem, at) in [
        (".a |", "expected term", 4),
        (".a | nope(1)", "the filter `nope` is not defined", 5),
        ("[.a, $x]", "the variable `$x` is not defined", 5),
        (".a ]", "expected", 3),
        ("\"a", "expected closing quote", 2),
    ] {
        let refused = check(code).unwrap_err();

        assert!(refused.message.contains(problem), "{code}: {}", refused.message);
        assert_eq!(refused.offset, Some(at), "{code}: {}", refused.message);
    }
    assert_eq!(check("import \"a\" as a; .").unwrap_err().offset, None);
}

#[test]
fn regular_expressions_are_those_of_jq() {
    assert_eq!(check_regex("^a(b|c)+$"), Ok(()));
    assert!(check_regex("a(").is_err() && check_regex("[").is_err());
}

#[test]
fn a_constant_regular_expression_that_is_none_is_refused_where_it_stands() {
    for (code, problem, at) in [
        (".a | test(\"(\")", "calls `test` with what is not a regular expression: found open group", 11),
        ("select(.a | match(\"a)\"; \"i\"))", "`match`", 19),
        ("[.[] | capture(\"(?<n>[\")]", "`capture`", 16),
        ("if . then scan(\"*\") else . end", "`scan`", 16),
        ("split(\"[\"; null | \"\") | split(\"[\"; \"g\")", "`split`", 31),
        ("def f: sub(\"a{2\"; \"b\"); f", "`sub`", 12),
        ("{a: gsub(\"\\\\q\"; .b)}", "`gsub`", 4),
        ("\"\\(splits(\"(\"))\"", "`splits`", 11),
        ("test(\"a\"; \"q\")", "invalid regex flag: q", 6),
    ] {
        let refused = check(code).expect_err(code);

        assert!(refused.message.contains(problem), "{code}: {}", refused.message);
        assert_eq!(refused.offset, Some(at), "{code}: {}", refused.message);
        assert!(Program::parse(code).is_ok(), "what is deployed already still runs as far as it does: {code}");
    }
}

#[test]
fn a_program_whose_regular_expressions_may_be_some_passes() {
    for code in [
        "test(\"^a(b|c)+$\"; \"ix\")",
        "test(.pattern)",
        "test(\"(\" + .rest)",
        "test(\"\\(.a)(\")",
        "test(\"(\"; .flags)",
        "split(\"(\") | contains([\"(\"])",
        "try test(\"(\") catch false",
        "(test(\"(\"))?",
        "def test(x): x; test(\"(\")",
        "sub(\"a\"; \"(\")",
    ] {
        assert_eq!(check(code), Ok(()), "{code}");
    }
}

fn eval_with(secret: &str, code: &str, input: &str) -> Result<Vec<String>, Fault> {
    let run = run_with("S", secret);
    let value = Value::Json(json::parse(input.as_bytes()).unwrap());
    let program = Program::compile("program", code, &run)?;
    program.run(&value, &Object::new("one"), &run)?.iter().map(json::to_compact).collect()
}

#[test]
fn a_secret_is_bound_and_never_read_as_a_part_of_a_program() {
    for secret in ["\" + env.HOME + \"", "\\(1 + 1)", "$__prog__", "a\nb # c", "$__bound_0_", "${S}", "]", ""] {
        let quoted = serde_json::json!(secret).to_string();
        let inner = &quoted[1..quoted.len() - 1];
        for (code, expected) in [
            ("${S}", quoted.clone()),
            ("\"<${S}>\"", format!("\"<{inner}>\"")),
            ("\"${S}${S}\"", format!("\"{inner}{inner}\"")),
            ("\"\\(\"${S}\" | length)\"", format!("\"{}\"", secret.chars().count())),
            ("@uri \"?${S}\"", format!("\"?{inner}\"")),
            ("{\"a${S}\": 1}", format!("{{\"a{inner}\":1}}")),
            (".[\"${S}\"]", "null".to_owned()),
            ("def f: \"${S}\"; . as {a: $a} | [f, $a]", format!("[{quoted},7]")),
            ("[1, 2][${S} | length - length:] # ${S}", "[1,2]".to_owned()),
        ] {
            assert_eq!(eval_with(secret, code, r#"{"a":7}"#).unwrap(), [expected], "{code} {secret}");
        }
    }
}

#[test]
fn a_secret_that_stands_by_itself_may_be_a_number() {
    assert_eq!(eval_with("5", ".n > ${S}, ${S} + 1, \"${S}\"", r#"{"n":7}"#).unwrap(), ["true", "6", "\"5\""]);
    assert_eq!(eval_with("-5", "${S}, ${S} * 2", "null").unwrap(), ["-5", "-10"]);
    assert_eq!(eval_with("true", "if ${S} then 1 else 2 end", "null").unwrap(), ["1"]);
}

#[test]
fn a_refusal_names_a_placeholder_and_no_mark() {
    assert!(check("${S}5").unwrap_err().message.ends_with("the variable `${S}5` is not defined"));
    let problem = check(".${S}").unwrap_err();
    assert!(!problem.message.contains("bound") && problem.hint.contains(r#"`.["${NAME}"]`"#), "{problem:?}");
}
