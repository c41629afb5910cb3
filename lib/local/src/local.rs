//! Starts and stops a local plane.

use crate::cipher::KeyFileCipher;
use crate::door;
use crate::engine::{Processes, Program};
use crate::folder::{FIRST_OWNER, Folder, StartError};
use crate::hosts::Hosts;
use crate::queue::{LocalQueue, ROLLOUT_WORKERS, RUN_WORKERS, TICK_WORKERS};
use crate::table::TABLE;
use crate::timers::LocalTimers;
use crate::workers::{expire, keep_time, sweep, until, work};
use std::collections::HashSet;
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tidemill_engine::{Folders, Host, NetworkPolicy, Outbound};
use tidemill_model::calendar::Calendar;
use tidemill_model::ids::OwnerId;
use tidemill_model::key::{Scope, Token};
use tidemill_operations::bell::QueueKind;
use tidemill_operations::plane::{Memory, Workers};
use tidemill_operations::{Ambient, Plane, SystemAmbient, key};
use tidemill_store::{LAYOUT, LayoutChange, Store};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How long a stop waits for runs to save what they have, and for answers to be sent.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// How a plane is to be started.
#[derive(Clone, Debug)]
pub struct Options {
    /// What its engine processes are.
    pub program: Program,
    pub listen: SocketAddr,
    /// A name that the plane answers to, beside those of this machine.
    pub host: Option<String>,
    pub data: PathBuf,
    /// How long a schedule's minute lasts: 0.1 s to 60 s. `None` is a real minute.
    pub minute: Option<Duration>,
    /// Lets pipelines call addresses of the local network.
    pub allow_private_network: bool,
    /// Folders that pipelines may read files from.
    pub readable: Vec<PathBuf>,
    /// More of them, which stay readable at later starts: those of what is deployed.
    pub readable_from_now: Vec<PathBuf>,
}

/// A plane that is running.
pub struct Local {
    address: SocketAddr,
    key: String,
    plane: Arc<Plane>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
    _lock: File,
}

impl Local {
    /// Starts a plane and answers once its front door is open. What the table says is due is taken up behind it.
    pub async fn start(options: Options) -> Result<Local, StartError> {
        let folder = Folder::open(&options.data)?;
        let lock = folder.lock()?;
        let table = folder.table()?;
        let (listener, address) = door::listen(options.listen).await?;
        let ambient: Arc<dyn Ambient> = Arc::new(SystemAmbient);
        let calendar = calendar(options.minute)?;
        let queue = Arc::new(LocalQueue::new(ambient.clone()));
        let timers = Arc::new(LocalTimers::new(calendar));
        let plane = Arc::new(Plane {
            store: Store::new(table.client(), TABLE),
            timers: timers.clone(),
            queue: queue.clone(),
            cipher: Arc::new(KeyFileCipher::new(&folder.secrets_key(ambient.as_ref())?, ambient.clone())),
            sockets: None,
            ambient: ambient.clone(),
            calendar,
            engine: Arc::new(Processes::start(options.program)),
            host: Arc::new(host(&folder, &options)?),
            kind: tidemill_model::key::KeyKind::Local,
            workers: Workers { me: ambient.run_id().to_string(), since: ambient.now(), alone: true },
            memory: Memory::default(),
        });
        folder.must_not_be_emptied(plane.store.create_table().await?)?;
        adopt_layout(&plane.store).await?;
        let key = dev_key(&folder, &plane).await?;
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        tasks.spawn(door::serve(plane.clone(), listener, Hosts::of(address, options.host), stopped.clone()));
        for _ in 0..TICK_WORKERS {
            tasks.spawn(until(stopped.clone(), work(plane.clone(), queue.clone(), QueueKind::Ticks)));
        }
        for _ in 0..RUN_WORKERS {
            // A run is not cut off: it notices by itself that the plane stops.
            tasks.spawn(work(plane.clone(), queue.clone(), QueueKind::Runs));
        }
        for _ in 0..ROLLOUT_WORKERS {
            tasks.spawn(work(plane.clone(), queue.clone(), QueueKind::Rollouts));
        }
        tasks.spawn(until(stopped.clone(), keep_time(timers, queue, ambient)));
        tasks.spawn(until(stopped.clone(), sweep(plane.clone())));
        tasks.spawn(until(stopped, expire(plane.clone())));
        Ok(Local { address, key, plane, stop, tasks, _lock: lock })
    }

    /// Where it answers, e.g. `http://127.0.0.1:5565`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The key of the owner `dev`, which may do everything of that owner.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Stops: no new work is taken, what is in hand is saved, and what is left goes on at the next start.
    pub async fn stop(mut self) {
        self.plane.memory.stopping.store(true, Ordering::Relaxed);
        // No receiver is left if every task has ended by itself.
        let _ = self.stop.send(true);
        let all = async {
            while self.tasks.join_next().await.is_some() {}
            // Each open WebSocket and each stream holds a receiver.
            self.stop.closed().await;
        };
        if tokio::time::timeout(STOP_LIMIT, all).await.is_err() {
            tracing::warn!("some work did not end in time; it goes on at the next start");
            self.tasks.shutdown().await;
        }
    }
}

/// Opens the table of a data folder, beside a running plane or without one.
pub async fn open_store(data: &Path) -> Result<Store, StartError> {
    let folder = Folder::open(data)?;
    let store = Store::new(folder.table()?.client(), TABLE);
    folder.must_not_be_emptied(store.create_table().await?)?;
    if store.layout().await?.is_none() {
        // The table of a running plane is not to be rewritten under it.
        let _lock = folder.lock()?;
        adopt_layout(&store).await?;
        return Ok(store);
    }
    adopt_layout(&store).await?;
    Ok(store)
}

/// Where the first owner's pipelines write in a data folder, with a plane or without one.
pub fn outputs(data: &Path) -> Result<PathBuf, StartError> {
    Ok(Folder::open(data)?.files()?.join(FIRST_OWNER))
}

/// Carries an older table over, and refuses one that is too new to read.
async fn adopt_layout(store: &Store) -> Result<(), StartError> {
    match store.adopt_layout().await? {
        LayoutChange::None => Ok(()),
        LayoutChange::CarriedOver { items } => {
            tracing::info!(items, layout = LAYOUT, "carried the table over from an older version");
            Ok(())
        }
        LayoutChange::TooNew(layout) => Err(StartError::new(
            layout.to_string(),
            "start a newer version of `tidemill`, or give another folder with `--data`",
        )),
    }
}

fn calendar(minute: Option<Duration>) -> Result<Calendar, StartError> {
    let Some(minute) = minute else { return Ok(Calendar::default()) };
    Calendar::with_minute(minute).ok_or_else(|| {
        StartError::new(
            format!("a schedule minute of {} s is outside 0.1 to 60 s", minute.as_secs_f64()),
            "give e.g. `--minute 1`",
        )
    })
}

fn host(folder: &Folder, options: &Options) -> Result<Host, StartError> {
    let mut readable = found(&options.readable_from_now)?;
    let before = folder.readable(&readable)?;
    readable.extend(found(&options.readable)?);
    readable.extend(before.into_iter().filter(|path| path.is_dir()));
    let mut seen = HashSet::new();
    readable.retain(|path| seen.insert(path.clone()));
    for path in &readable {
        tracing::info!("pipelines may read files below `{}`", path.display());
    }
    let folders = Folders { readable, writable: folder.files()?, private: Some(options.data.clone()) };
    let policy = if options.allow_private_network { NetworkPolicy::AllowPrivate } else { NetworkPolicy::Public };
    let outbound = Outbound::new(policy)
        .map_err(|error| StartError::new(error.to_string(), "look whether the machine has its root certificates"))?;
    Ok(Host { folders: Some(folders), outbound })
}

/// The folders as they are called everywhere.
fn found(folders: &[PathBuf]) -> Result<Vec<PathBuf>, StartError> {
    let found = folders.iter().map(|path| {
        std::fs::canonicalize(path).map_err(|error| {
            StartError::new(format!("the folder `{}` cannot be found: {error}", path.display()), "check its name")
        })
    });
    found.collect()
}

/// The key in the data folder, or a new one where it is missing or not of this table.
async fn dev_key(folder: &Folder, plane: &Plane) -> Result<String, StartError> {
    if let Some(token) = folder.dev_key().and_then(|text| Token::parse(&text))
        && let Some(key) = plane.store.key_by_hash(&token.hash()).await?
        && key.is_live(plane.now())
    {
        return Ok(token.expose().to_owned());
    }
    let owner = OwnerId::parse(FIRST_OWNER).expect("it is a name");
    let input =
        key::create::Input { scopes: Some(Scope::ALL.to_vec()), name: Some("first start".into()), expires_at: None };
    let (_, token) = key::create::make(&plane.store, plane.ambient.as_ref(), plane.kind, owner, input).await?;
    folder.write_dev_key(token.expose())?;
    Ok(token.expose().to_owned())
}
