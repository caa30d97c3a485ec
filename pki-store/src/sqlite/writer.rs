//! The writer thread: what is waiting becomes one transaction (group commit).

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::fault::{Fault, sql_error};
use super::session::Session;
use crate::batch::{Batch, Committed};
use crate::error::StoreError;

/// No transaction gathers more batches, so that the first of them does not wait too long for the last.
const GROUP: usize = 512;

/// A thread that commits, and the way to it.
pub(crate) struct Writer {
    /// `None` only while the thread is being ended.
    queue: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
    file: PathBuf,
}

struct Job {
    batch: Batch,
    reply: Arc<Slot>,
}

/// Where an answer is put, and who waits for it.
#[derive(Default)]
struct Slot(Mutex<SlotState>);

#[derive(Default)]
struct SlotState {
    answer: Option<Result<Committed, StoreError>>,
    waker: Option<Waker>,
}

/// The answer to come.
pub(crate) struct Reply(Arc<Slot>);

impl Writer {
    pub(crate) fn start(session: Session, file: PathBuf, waited: Duration) -> Result<Self, StoreError> {
        let (queue, jobs) = channel();
        let path = file.clone();
        let thread = thread::Builder::new()
            .name("store writer".into())
            .spawn(move || write_all(session, &jobs, &path, waited))
            .map_err(|source| StoreError::Io { act: "start a thread for", path: file.clone(), source })?;
        Ok(Self { queue: Some(queue), thread: Some(thread), file })
    }

    pub(crate) fn commit(&self, batch: Batch) -> Reply {
        let reply = Arc::new(Slot::default());
        let job = Job { batch, reply: Arc::clone(&reply) };
        if self.queue.as_ref().is_none_or(|queue| queue.send(job).is_err()) {
            // Nobody waits yet.
            drop(reply.put(Err(StoreError::Io {
                act: "reach the writer of",
                path: self.file.clone(),
                source: io::Error::other("its thread has ended"),
            })));
        }
        Reply(reply)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // The thread ends when the queue is empty and closed: what was taken is committed.
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Slot {
    /// Who is to be woken.
    fn put(&self, answer: Result<Committed, StoreError>) -> Option<Waker> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.answer = Some(answer);
        state.waker.take()
    }
}

impl Future for Reply {
    type Output = Result<Committed, StoreError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        match state.answer.take() {
            Some(answer) => Poll::Ready(answer),
            None => {
                state.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

fn write_all(mut session: Session, jobs: &Receiver<Job>, file: &std::path::Path, waited: Duration) {
    while let Ok(first) = jobs.recv() {
        let mut group = vec![first];
        while group.len() < GROUP
            && let Ok(next) = jobs.try_recv()
        {
            group.push(next);
        }
        let answers = commit(&mut session, group.iter().map(|job| &job.batch).collect(), file, waited);
        // All answers are there before anybody wakes: who waits for many of them wakes once.
        let wakers: Vec<Waker> =
            group.iter().zip(answers).filter_map(|(job, answer)| job.reply.put(answer)).collect();
        for waker in wakers {
            waker.wake();
        }
    }
    session.shorten_log();
}

/// Commits the group; if that fails for a reason that may lie in one of them, each by itself.
pub(crate) fn commit(
    session: &mut Session,
    group: Vec<&Batch>,
    file: &std::path::Path,
    waited: Duration,
) -> Vec<Result<Committed, StoreError>> {
    match session.commit_group(&group) {
        Ok(answers) => {
            answers.into_iter().map(|answer| answer.map_err(|fault| fault.into_error(file, waited))).collect()
        }
        Err(fault) if group.len() == 1 => vec![Err(fault.into_error(file, waited))],
        Err(Fault::Sql(error)) if Fault::concerns_all(&error) => {
            group.iter().map(|_| Err(sql_error(&error, file, waited))).collect()
        }
        Err(_) => group.into_iter().flat_map(|batch| commit(session, vec![batch], file, waited)).collect(),
    }
}
