//! Any bytes on a connection: an HTTP answer or none, and the server serves on.

use std::cell::RefCell;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use crate::house::House;

/// Longer than every deadline of the server.
const PATIENCE: Duration = Duration::from_mins(1);
/// So often it is looked whether the server still serves.
const LOOK: u32 = 32;

struct Stand {
    runtime: Runtime,
    house: House,
    runs: u32,
}

pub fn run(data: &[u8]) {
    thread_local! {
        static STAND: RefCell<Option<Stand>> = const { RefCell::new(None) };
    }
    STAND.with(|stand| {
        let mut stand = stand.borrow_mut();
        stand.get_or_insert_with(Stand::new).send(data);
    });
}

impl Stand {
    fn new() -> Self {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let mut house = runtime.block_on(async { House::open() });
        // A reload is refused at once.
        house.reloads.close();
        Self {
            runtime,
            house,
            runs: 0,
        }
    }

    fn send(&mut self, data: &[u8]) {
        let house = &self.house;
        let answer = self
            .runtime
            .block_on(async { timeout(PATIENCE, exchanged(house, data)).await });
        check(&answer.expect("an end of the connection"));
        self.runs += 1;
        if self.runs % LOOK == 1 {
            let healthy = self.runtime.block_on(house.get("/-/healthy"));
            assert_eq!(healthy.status(), 200);
        }
    }
}

/// Sends bytes and their end, and reads what comes.
async fn exchanged(house: &House, data: &[u8]) -> Vec<u8> {
    let (mut read, mut write) = house.connect().await.into_split();
    let sent = async move {
        let _ = write.write_all(data).await;
        let _ = write.shutdown().await;
    };
    let mut answer = Vec::new();
    let ((), _) = tokio::join!(sent, read.read_to_end(&mut answer));
    answer
}

fn check(answer: &[u8]) {
    if answer.is_empty() {
        return;
    }
    let line = answer
        .split(|byte| *byte == b'\r')
        .next()
        .unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let status = line
        .strip_prefix("HTTP/1.1 ")
        .or(line.strip_prefix("HTTP/1.0 "));
    let status = status.and_then(|rest| rest.split(' ').next()?.parse::<u16>().ok());
    let known = [
        200, 304, 400, 403, 404, 405, 408, 411, 413, 414, 417, 429, 431, 500, 501, 503, 505,
    ];
    assert!(
        status.is_some_and(|status| known.contains(&status)),
        "{line}"
    );
}
