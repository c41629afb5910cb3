//! The arrows between the modules of a crate: those of the operations and of the command form no circle.
//!
//! A module is a file. It knows another one if a path of its code leads there, also through a `use` of the module's
//! folder or through what a folder or the crate re-exports. That a folder lists its own files is no arrow.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The crates without circles.
const CRATES: [&str; 2] = ["lib/operations/src", "cli/src"];

type Arrows = BTreeMap<String, BTreeSet<String>>;

/// The code of each file, by the path of its module; the crate's own is empty.
type Modules = BTreeMap<String, String>;

fn read(folder: &Path, module: &str, modules: &mut Modules) {
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("an entry can be read").path();
        let name = path.file_stem().expect("a file has a name").to_string_lossy().into_owned();
        match path.is_dir() {
            true => read(&path, &joined(module, &name), modules),
            false if ["mod", "lib", "main"].contains(&name.as_str()) => {
                let code = code(&path);
                modules.entry(module.to_owned()).and_modify(|known| known.push_str(&code)).or_insert(code);
            }
            false => drop(modules.insert(joined(module, &name), code(&path))),
        }
    }
}

/// A file without its comments.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("a file of ours is text");
    let lines = text.lines().map(|line| if line.trim_start().starts_with("//") { "" } else { line });
    lines.collect::<Vec<_>>().join("\n")
}

fn joined(module: &str, name: &str) -> String {
    if module.is_empty() { name.to_owned() } else { format!("{module}::{name}") }
}

/// A `use`: what its name stands for in the file, and whether the file re-exports it.
struct Import {
    path: String,
    name: String,
    is_public: bool,
}

fn imports(code: &str) -> Vec<Import> {
    let mut imports = Vec::new();
    for (start, _) in code.match_indices("use ") {
        let line = code[..start].rsplit('\n').next().unwrap_or_default();
        let Some(end) = code[start..].find(';').filter(|_| line.trim().is_empty() || line.trim() == "pub") else {
            continue;
        };
        let tree: String = code[start + 4..start + end].split_whitespace().collect::<Vec<_>>().join(" ");
        expand("", &tree, line.trim() == "pub", &mut imports);
    }
    imports
}

/// Takes `a::{b, c::{d, e as f}}` apart.
fn expand(prefix: &str, tree: &str, is_public: bool, imports: &mut Vec<Import>) {
    let (mut depth, mut start) = (0, 0);
    let mut branches = Vec::new();
    for (at, letter) in tree.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                branches.push(&tree[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    branches.push(&tree[start..]);
    for branch in branches.into_iter().map(str::trim).filter(|branch| !branch.is_empty()) {
        if let Some((path, inner)) = branch.split_once('{') {
            let inner = inner.trim_end().strip_suffix('}').expect("a brace is closed");
            expand(&format!("{prefix}{}", path.trim()), inner, is_public, imports);
            continue;
        }
        let (path, alias) = branch.split_once(" as ").map_or((branch, None), |(path, alias)| (path, Some(alias)));
        let path = format!("{prefix}{path}");
        let path = path.strip_suffix("::self").unwrap_or(&path).to_owned();
        let name = alias.map_or_else(|| path.rsplit("::").next().expect("a path has a name").to_owned(), str::to_owned);
        imports.push(Import { path, name, is_public });
    }
}

/// Makes a path begin at the crate: `None` if it leads out of it.
fn from_crate(path: &str, module: &str, modules: &Modules) -> Option<String> {
    let (head, rest) = path.split_once("::").unwrap_or((path, ""));
    match head {
        "crate" => Some(rest.to_owned()),
        "self" => Some(joined(module, rest)),
        "super" => Some(joined(module.rsplit_once("::").map_or("", |(parent, _)| parent), rest)),
        // A folder's list names its files as they are.
        _ if modules.contains_key(&joined(module, head)) => Some(joined(module, path)),
        _ => None,
    }
}

/// The file in which a path of the crate ends, once what folders re-export is followed.
fn file_of(path: &str, modules: &Modules) -> Option<String> {
    let mut parts: Vec<&str> = path.split("::").filter(|part| !part.is_empty()).collect();
    let mut rest = Vec::new();
    loop {
        let module = parts.join("::");
        if let Some(code) = modules.get(&module) {
            let next: Option<&&str> = rest.last();
            let exported = imports(code).into_iter().find(|import| import.is_public && next == Some(&&*import.name));
            let led = exported.and_then(|import| from_crate(&import.path, &module, modules));
            return led.and_then(|path| file_of(&path, modules)).or(Some(module));
        }
        rest.push(parts.pop()?);
    }
}

/// The paths of a code that begin with a name.
fn paths_of<'a>(code: &'a str, name: &str) -> Vec<&'a str> {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let path = format!("{name}::");
    let begins = code.match_indices(path.as_str()).map(|(start, _)| start).filter(|start| {
        let before = &code[..*start];
        !before.ends_with(is_word) && !before.ends_with("::")
    });
    begins.map(|start| code[start..].split(|letter| !is_word(letter) && letter != ':').next().unwrap_or("")).collect()
}

fn arrows(modules: &Modules) -> Arrows {
    let mut arrows = Arrows::new();
    for (module, code) in modules {
        let mut paths: Vec<String> = paths_of(code, "crate").into_iter().map(str::to_owned).collect();
        for Import { path, name, .. } in imports(code) {
            let is_list = !path.starts_with("crate") && !path.starts_with("super") && !path.starts_with("self");
            if is_list {
                continue;
            }
            paths.extend(paths_of(code, &name).into_iter().map(|used| path.clone() + &used[name.len()..]));
            paths.push(path);
        }
        let known = paths.iter().filter_map(|path| file_of(&from_crate(path, module, modules)?, modules));
        // A folder is a list, unless it has code of its own; the crate itself is one.
        let known = known.filter(|known| known != module && !known.is_empty());
        arrows.insert(module.clone(), known.collect());
    }
    arrows
}

/// A way from a module back to itself.
fn circle(arrows: &Arrows) -> Option<Vec<String>> {
    let mut open: BTreeMap<&String, BTreeSet<&String>> =
        arrows.iter().map(|(module, known)| (module, known.iter().collect())).collect();
    // What knows no module that is left is on no circle.
    loop {
        let left: BTreeSet<&String> = open.keys().copied().collect();
        let before = open.len();
        open.retain(|_, known| known.iter().any(|known| left.contains(*known)));
        if open.len() == before {
            break;
        }
    }
    let mut way = vec![(*open.keys().next()?).clone()];
    loop {
        let last = way.last().expect("a way has a start");
        let next = open[last].iter().find(|known| open.contains_key(**known)).expect("it knows one that is left");
        if let Some(start) = way.iter().position(|module| module == *next) {
            way.push((*next).clone());
            return Some(way.split_off(start));
        }
        way.push((**next).clone());
    }
}

#[test]
fn modules_of_a_crate_form_no_circle() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace is above");
    for krate in CRATES {
        let mut modules = Modules::new();
        read(&root.join(krate), "", &mut modules);
        let arrows = arrows(&modules);

        assert!(arrows.values().map(BTreeSet::len).sum::<usize>() > 50, "the imports of `{krate}` are found");
        if let Some(way) = circle(&arrows) {
            panic!("modules of `{krate}` know each other in a circle: {}", way.join(" -> "));
        }
    }
}

#[test]
fn a_circle_of_modules_is_found_also_through_a_folder() {
    let files = [
        ("", "pub mod plane;\npub mod task;\npub use plane::Plane;\n"),
        ("plane", "use crate::task;\npub struct Plane;\nfn f() { task::watching::ring() }\n"),
        ("task", "pub mod watching;\n"),
        ("task::watching", "use crate::Plane;\npub fn ring() {}\n"),
    ];
    let modules = files.map(|(module, code)| (module.to_owned(), code.to_owned())).into();

    let way = circle(&arrows(&modules));

    assert_eq!(way.map(|way| way.join(" -> ")).as_deref(), Some("plane -> task::watching -> plane"));
}
