//! A lane with a process of its own, which can be held back between two messages.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use robnu_testkit::{Answer, LambdaProcess};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::function::Program;
use crate::source;

/// Longer than a slice and a call that hangs.
const TIMEOUT: Duration = Duration::from_mins(1);
const WAIT_SECONDS: i32 = 2;

/// The lane.
pub struct Lane {
    is_open: watch::Sender<bool>,
    is_busy: watch::Sender<bool>,
    pid: Option<u32>,
}

impl Lane {
    /// Starts the process, and waits for the lane to be opened. It ends with `tasks`.
    pub async fn start(
        sqs: aws_sdk_sqs::Client,
        queue: String,
        program: Program,
        tasks: &mut JoinSet<()>,
    ) -> Arc<Self> {
        let process = LambdaProcess::start(&program.file, &program.environment, TIMEOUT).await;
        let lane = Arc::new(Self {
            is_open: watch::Sender::new(false),
            is_busy: watch::Sender::new(false),
            pid: process.id(),
        });
        let working = Arc::clone(&lane);
        tasks.spawn(async move {
            let mut opened = working.is_open.subscribe();
            while opened.wait_for(|is_open| *is_open).await.is_ok() {
                working.take(&sqs, &queue, &process).await;
            }
        });
        lane
    }

    /// Handles the next message, if one comes.
    async fn take(&self, sqs: &aws_sdk_sqs::Client, queue: &str, process: &LambdaProcess) {
        let receive = sqs.receive_message().queue_url(queue).max_number_of_messages(1);
        let Ok(answer) = receive.wait_time_seconds(WAIT_SECONDS).visibility_timeout(120).send().await else {
            sleep(Duration::from_millis(100)).await;
            return;
        };
        for message in answer.messages() {
            self.is_busy.send_replace(true);
            let event = source::event(queue, std::slice::from_ref(message));
            let answer = process.send(event).await.await;
            if let Ok(Answer::Response(response)) = answer
                && source::failed(&response).is_empty()
            {
                let delete = sqs.delete_message().queue_url(queue);
                // What is not deleted comes again, and the run's row knows that it is done.
                drop(delete.set_receipt_handle(message.receipt_handle.clone()).send().await);
            }
            self.is_busy.send_replace(false);
        }
    }

    /// Lets messages through, or holds them back.
    pub fn open(&self, is_open: bool) {
        self.is_open.send_replace(is_open);
    }

    /// Gives its process the lowest priority, or the usual one.
    pub fn nice(&self, is_lowest: bool) {
        if let Some(pid) = self.pid {
            let (nice, pid) = (if is_lowest { "19" } else { "0" }, pid.to_string());
            drop(Command::new("renice").args(["-n", nice, "-p", &pid]).output());
        }
    }

    /// Waits until a message is being handled.
    pub async fn until_busy(&self) {
        drop(self.is_busy.subscribe().wait_for(|is_busy| *is_busy).await);
    }

    /// Waits until no message is being handled.
    pub async fn until_idle(&self) {
        drop(self.is_busy.subscribe().wait_for(|is_busy| !*is_busy).await);
    }
}
