//! The project that was probably meant by a name that does not exist.

use crate::api::client::{self, Client, Path};
use crate::api::pages::{List, PAGE_LIMIT};
use crate::failure::{Exit, Failure};
use crate::output::table::plain;
use crate::session::Session;
use serde::Deserialize;
use tidemill_model::pipeline::nearest::nearest;

/// Pages of names that are looked through.
const PAGES: usize = 10;

#[derive(Deserialize)]
struct Named {
    project: String,
}

/// Adds the project that was probably meant, if the failure is that a project does not exist. What goes wrong on the way
/// leaves the failure as it is.
pub async fn with_suggestion(session: &Session, failure: Failure) -> Failure {
    let Some(project) = failure.project.as_deref().filter(|_| failure.exit == Exit::NotFound) else { return failure };
    let Ok(client) = session.client() else { return failure };
    let Ok(names) = names(&client).await else { return failure };
    if names.iter().any(|name| name == project) {
        return failure;
    }
    match nearest(project, names.iter().map(String::as_str)) {
        Some(name) => failure.hint(format!("did you mean `{}`?", plain(name))),
        None => failure,
    }
}

async fn names(client: &Client) -> Result<Vec<String>, Failure> {
    let (mut names, mut cursor) = (Vec::new(), None);
    for _ in 0..PAGES {
        let path = Path::new(&["deployments"]).with("limit", PAGE_LIMIT).with_some("cursor", cursor);
        let page: List = client.get(&path).await?.read()?;
        for item in &page.items {
            names.push(client::read::<Named>(item.get())?.project);
        }
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    Ok(names)
}
