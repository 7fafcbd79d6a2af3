//! A connection whose other side must keep up. The framework watches only the first head that a connection sends; a second
//! one that drips in, a body that nobody reads any more, and a caller who takes his answer byte by byte it would wait for
//! without end.

use std::cell::Cell;
use std::future::Future;
use std::io::{Error, ErrorKind};
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::rt::net::TcpStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use crate::telemetry;

/// What a caller must take of an answer within the time for it.
const LEAST_TAKEN: usize = 16 * 1024;
/// The framework closes what is idle in its own way; this comes after it.
const AFTER_THE_FRAMEWORK: Duration = Duration::from_secs(1);

/// How fast the other side must be.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// The time for the head of a request, from its first byte.
    pub head: Duration,
    /// The time between two requests.
    pub keep_alive: Duration,
    /// The time in which at least 16 KiB of an answer must be taken.
    pub write: Duration,
}

/// What the wire tells the connection under it: that a request is being worked on. In the data of the connection.
#[derive(Debug, Clone, Default)]
pub struct Line(Rc<LineState>);

#[derive(Debug, Default)]
struct LineState {
    running: Cell<u32>,
    begun: Cell<u64>,
}

/// A request that is being worked on, until dropped.
pub struct Working(Rc<LineState>);

impl Line {
    /// A request begins.
    pub fn begin(&self) -> Working {
        self.0.running.set(self.0.running.get() + 1);
        self.0.begun.set(self.0.begun.get() + 1);
        Working(self.0.clone())
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.0.running.set(self.0.running.get() - 1);
    }
}

/// A connection under watch.
pub struct Paced {
    stream: TcpStream,
    pace: Pace,
    line: Line,
    /// How many requests had begun when this was last looked at.
    begun: u64,
    /// When what is awaited should be there: the rest of a head that began, or the next request.
    awaited: Pin<Box<Sleep>>,
    has_begun_a_head: bool,
    writing: Option<Writing>,
    _open: telemetry::Open,
}

/// An answer that the other side does not take as fast as it is given.
struct Writing {
    until: Pin<Box<Sleep>>,
    taken: usize,
}

impl Paced {
    /// Watches a connection.
    pub fn new(stream: TcpStream, pace: Pace) -> Self {
        let awaited = Box::pin(sleep(pace.head + AFTER_THE_FRAMEWORK));
        Self {
            stream,
            pace,
            line: Line::default(),
            begun: 0,
            awaited,
            has_begun_a_head: false,
            writing: None,
            _open: telemetry::Open::connection(),
        }
    }

    /// What the wire tells it by.
    pub fn line(&self) -> &Line {
        &self.line
    }

    /// Who is on the other side.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.stream.peer_addr().ok()
    }

    /// Something went on: there is time for a next request.
    fn start_waiting(&mut self) {
        self.has_begun_a_head = false;
        self.awaited.as_mut().reset(Instant::now() + self.pace.keep_alive + AFTER_THE_FRAMEWORK);
    }

    fn is_overdue(&mut self, context: &mut Context<'_>) -> bool {
        let waits_for_us = self.line.0.running.get() > 0 || self.writing.is_some();
        !waits_for_us && self.awaited.as_mut().poll(context).is_ready()
    }

    /// The other side takes nothing at the moment.
    fn wait_to_write(&mut self, context: &mut Context<'_>) -> Poll<Error> {
        let time = self.pace.write;
        let writing = self.writing.get_or_insert_with(|| Writing { until: Box::pin(sleep(time)), taken: 0 });
        while writing.until.as_mut().poll(context).is_ready() {
            if writing.taken < LEAST_TAKEN {
                return Poll::Ready(too_slow("write"));
            }
            writing.taken = 0;
            writing.until.as_mut().reset(Instant::now() + time);
        }
        Poll::Pending
    }
}

fn too_slow(what: &'static str) -> Error {
    telemetry::METRICS.cut_off(what);
    Error::new(ErrorKind::TimedOut, "the other side is too slow")
}

impl AsyncRead for Paced {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let paced = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut paced.stream).poll_read(context, buffer);
        let begun = paced.line.0.begun.get();
        if begun != paced.begun {
            paced.begun = begun;
            paced.start_waiting();
        }
        if buffer.filled().len() > before && !paced.has_begun_a_head {
            paced.has_begun_a_head = true;
            paced.awaited.as_mut().reset(Instant::now() + paced.pace.head);
        }
        if paced.is_overdue(context) {
            return Poll::Ready(Err(too_slow("read")));
        }
        read
    }
}

impl AsyncWrite for Paced {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let paced = self.get_mut();
        match Pin::new(&mut paced.stream).poll_write(context, bytes) {
            Poll::Ready(Ok(taken)) => {
                if let Some(writing) = &mut paced.writing {
                    writing.taken += taken;
                }
                paced.start_waiting();
                // Asked only so that it wakes us: after the last byte of an answer nobody reads before something comes.
                paced.is_overdue(context);
                Poll::Ready(Ok(taken))
            }
            Poll::Pending => paced.wait_to_write(context).map(Err),
            failed => failed,
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        let paced = self.get_mut();
        // The framework flushes once all was taken.
        paced.writing = None;
        Pin::new(&mut paced.stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
