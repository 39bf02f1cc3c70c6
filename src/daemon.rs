//! The daemon: binds, serves, reloads and stops. What it serves is the engine's snapshot.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, oneshot};

use crate::config::Config;
use crate::engine::{Engine, Surroundings};
use crate::web::{Listener, ReloadRequest, Server, WebSettings};

/// Requests to reload that may wait; they are answered together.
const RELOADS_WAITING: usize = 16;
