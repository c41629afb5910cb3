//! `tidemill keys`: the API keys of an owner, over the API, or of any owner in the table of a data folder.

use crate::api::beginning;
use crate::api::client::{self, Client, Path};
use crate::api::pages::{List, PAGE_LIMIT, PageOptions};
use crate::api::views;
use crate::completion::names;
use crate::failure::{Exit, Failure};
use crate::output::table::{self, Table, or_dash, plain, state};
use crate::output::times::{self, Given, relative};
use crate::session::Session;
use comfy_table::Cell;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use tidemill_local::open_store;
use tidemill_model::ids::{KeyId, OwnerId};
use tidemill_model::key::{KeyKind, Scope};
use tidemill_operations::answer::KeyAnswer;
use tidemill_operations::{Clock, SystemAmbient, key};

/// Create, list and revoke API keys
///
/// With --owner a command works on the table in the data folder (--data), with or without a running plane: that is for
/// the operator. Without it, the command works on your own keys, over the API.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  tidemill keys create --owner ana --scope task.control --scope task.monitor
  tidemill keys create --name ci --expires 90d
  tidemill keys list
  tidemill keys revoke 01JD7Z8K3M4N5P6Q7R8S9T0V1W")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Create a key and print it, which happens only once
    #[command(after_help = "Example:\n  tidemill keys create --owner ana --expires 90d --data .tidemill")]
    Create(Create),
    /// List keys, oldest first, without the keys themselves
    #[command(visible_alias = "ls", after_help = "Example:\n  tidemill keys list --owner ana")]
    List {
        /// The owner, in the table of the data folder [default: your own keys, over the API]
        #[arg(long, value_name = "NAME", value_parser = owner)]
        owner: Option<OwnerId>,
        #[command(flatten)]
        wanted: PageOptions,
    },
    /// Revoke a key at once; what was deployed with it stops at its next tick
    #[command(after_help = "Example:\n  tidemill keys revoke 01JD7Z8K3M4N5P6Q7R8S9T0V1W")]
    Revoke {
        /// The id that `keys list` shows, or the beginning of it
        #[arg(add = names::keys())]
        id: String,
        /// The owner, in the table of the data folder [default: your own keys, over the API]
        #[arg(long, value_name = "NAME", value_parser = owner)]
        owner: Option<OwnerId>,
    },
}

#[derive(clap::Args)]
struct Create {
    /// The owner, in the table of the data folder [default: your own keys, over the API]
    #[arg(long, value_name = "NAME", value_parser = owner)]
    owner: Option<OwnerId>,
    /// What the key may do: task.control, task.monitor, task.data or admin [default: all but admin]
    #[arg(long = "scope", value_name = "SCOPE", value_parser = scope)]
    scopes: Vec<Scope>,
    /// The purpose of the key [default: none]
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// When it expires: `90d` from now, `2027-01-31`, or RFC 3339 [default: never]
    #[arg(long, value_name = "TIME", value_parser = times::future)]
    expires: Option<Given>,
}

fn owner(text: &str) -> Result<OwnerId, String> {
    OwnerId::parse(text).map_err(|invalid| format!("{}; {}", invalid.message, invalid.hint))
}

fn scope(text: &str) -> Result<Scope, String> {
    Scope::parse(text).map_err(|invalid| format!("{}; {}", invalid.message, invalid.hint))
}

pub async fn run(session: &Session, args: Args) -> Result<Exit, Failure> {
    match args.command {
        Command::Create(create) => {
            let text = match create.owner.clone() {
                Some(owner) => create_in_table(session, owner, create).await?,
                None => create_over_api(&session.client()?, create).await?,
            };
            let key: views::Key = client::read(&text)?;
            session.output.done(&text, key.key.unwrap_or_default());
        }
        Command::List { owner: Some(owner), wanted } => {
            print(session, &list_in_table(session, &owner, &wanted).await?)?;
        }
        Command::List { owner: None, wanted } => {
            print(session, &wanted.fetch(&session.client()?, &Path::new(&["keys"])).await?)?;
        }
        Command::Revoke { id, owner } => {
            let (text, id) = match owner {
                Some(owner) => {
                    let id = found(&id, async |cursor| key_page(session, &owner, PAGE_LIMIT, cursor).await).await?;
                    (revoke_in_table(session, &owner, &id).await?, id)
                }
                None => {
                    // What is no id is refused before the plane is asked.
                    beginning::check(&id, KeyId::parse)?;
                    let client = session.client()?;
                    let id = found(&id, async |cursor| page_of(&client, cursor).await).await?;
                    (client.delete(&Path::new(&["keys", id.as_str()])).await?.text, id)
                }
            };
            session.output.done(&text, format_args!("key `{id}` is revoked"));
        }
    }
    Ok(Exit::Done)
}

fn expires(create: &Create) -> Result<Option<Timestamp>, Failure> {
    create.expires.as_ref().map(Given::instant).transpose()
}

async fn create_over_api(client: &Client, create: Create) -> Result<String, Failure> {
    let expires = expires(&create)?;
    let scopes = (!create.scopes.is_empty()).then_some(create.scopes);
    let body = json!({ "scopes": scopes, "name": create.name, "expiresAt": expires });
    Ok(client.post(&Path::new(&["keys"]), Some(body.to_string())).await?.text)
}

async fn create_in_table(session: &Session, owner: OwnerId, create: Create) -> Result<String, Failure> {
    let expires_at = expires(&create)?;
    let store = open_store(&session.global.data).await?;
    let scopes = (!create.scopes.is_empty()).then_some(create.scopes);
    let input = key::create::Input { scopes, name: create.name, expires_at };
    let (key, token) = key::create::make(&store, &SystemAmbient, KeyKind::Local, owner, input).await?;
    Ok(text(&KeyAnswer { key: Some(token.expose().to_owned()), ..KeyAnswer::of(key, SystemAmbient.now()) }))
}

async fn list_in_table(session: &Session, owner: &OwnerId, wanted: &PageOptions) -> Result<List, Failure> {
    wanted.fetch_from(async |limit, cursor: Option<&str>| key_page(session, owner, limit, cursor).await).await
}

async fn key_page(session: &Session, owner: &OwnerId, limit: usize, cursor: Option<&str>) -> Result<List, Failure> {
    let store = open_store(&session.global.data).await?;
    let input = key::list::Input { limit: Some(limit as u32), cursor: cursor.map(str::to_owned) };
    client::read(&text(&key::list::list(&store, owner, input, SystemAmbient.now()).await?))
}

async fn page_of(client: &Client, cursor: Option<&str>) -> Result<List, Failure> {
    client.get(&Path::new(&["keys"]).with("limit", PAGE_LIMIT).with_some("cursor", cursor)).await?.read()
}

/// The key with this id, or the only one whose id begins so. A whole id is not looked up.
async fn found(given: &str, page: impl AsyncFn(Option<&str>) -> Result<List, Failure>) -> Result<KeyId, Failure> {
    beginning::check(given, KeyId::parse)?;
    if let Ok(id) = KeyId::parse(given.to_ascii_uppercase()) {
        return Ok(id);
    }
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let list: List = page(cursor.as_deref()).await?;
        for item in &list.items {
            let id = client::read::<views::Key>(item.get())?.id;
            if beginning::begins(&id, given) {
                found.push((id.clone(), id));
            }
        }
        cursor = list.next;
        if cursor.is_none() {
            break;
        }
    }
    match beginning::only("key", given, found, false)? {
        Some(id) => Ok(KeyId::parse(id)?),
        None => Err(Failure::new("not_found", format!("no key's id begins with `{}`", plain(given)))
            .hint("`tidemill keys list` lists them")
            .exit(Exit::NotFound)),
    }
}

async fn revoke_in_table(session: &Session, owner: &OwnerId, id: &KeyId) -> Result<String, Failure> {
    let store = open_store(&session.global.data).await?;
    let key = key::revoke::revoke(&store, owner, id, SystemAmbient.now()).await?;
    Ok(text(&KeyAnswer::of(key, SystemAmbient.now())))
}

fn text(answer: &impl Serialize) -> String {
    serde_json::to_string(answer).expect("answers are JSON")
}

fn print(session: &Session, list: &List) -> Result<(), Failure> {
    let now = crate::output::times::now();
    let columns = table::new(&["KEY", "NAME", "STATE", "SCOPES", "MADE", "EXPIRES", "USED"])
        .gives_up(&["MADE", "SCOPES", "USED", "EXPIRES", "NAME"]);
    list.print(session, "there are no keys", columns, |table: &mut Table, key: views::Key| {
        table.add_row([
            Cell::new(key.id),
            or_dash(key.name.as_deref().map(plain)),
            state(&key.state),
            Cell::new(key.scopes.join(" ")),
            Cell::new(relative(key.created_at, now)),
            or_dash(key.expires_at.map(|at| relative(at, now))),
            or_dash(key.last_used_at.map(|at| relative(at, now))),
        ]);
    })
}
