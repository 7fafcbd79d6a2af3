//! A table on its way out: read on one snapshot, batch by batch, and sent as it is read, so that no table ever stands in memory
//! whole. The reading has a thread of its own, and stops when nobody takes what it reads.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use actix_web::HttpResponse;
use actix_web::body::{BodySize, MessageBody};
use actix_web::http::header;
use actix_web::web::Bytes;
use chrono::{DateTime, NaiveDate, Utc};
use domain::access::Caller;
use domain::advice::Advice;
use domain::dossier::Dossier;
use persistence::advice::{After, Filter};
use persistence::{AnyConnection, StoreError, Stored, dossier};
use tokio::runtime::Handle;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::table::Row;
use crate::advice::{AdviceView, Showing};
use crate::app::Registry;
use crate::csv::{self, Style};
use crate::dossier::without_hidden_links;
use crate::incoming::Call;
use crate::paging::{self, to_value};
use crate::problem::ApiError;

/// How many items are read at a time.
const BATCH: i64 = 200;
/// How many batches may wait for the caller to take them.
const WAITING: usize = 2;
/// How long a batch waits for the caller; who takes none for so long is taken for gone.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a whole table may take: a caller who trickles keeps a connection no longer than this.
const LONGEST: Duration = Duration::from_secs(600);
/// How long a request waits for its turn.
const TURN: Duration = Duration::from_secs(10);

/// What a table is read for.
pub struct Reading<'a> {
    connection: &'a mut AnyConnection,
    caller: &'a Caller,
    registry: &'a Registry,
    on: NaiveDate,
    today: NaiveDate,
    since: Option<DateTime<Utc>>,
}

/// Why the reading ended before its end.
pub enum Stopped {
    /// It failed.
    Failed(ApiError),
    /// Nobody takes it any more.
    Unwanted,
}

impl From<ApiError> for Stopped {
    fn from(error: ApiError) -> Self {
        Self::Failed(error)
    }
}

impl From<StoreError> for Stopped {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

/// What travels from the reading to the body.
enum Piece {
    Bytes(Bytes),
    End,
    Failed(ApiError),
}

/// Where rows go as they are read.
pub struct Sink {
    pieces: Sender<Piece>,
    runtime: Handle,
    started: Instant,
    style: Option<Style>,
    /// What was rendered and is not sent: the head, until the first batch was read, so that what fails before it is a problem.
    ready: Vec<u8>,
    has_rows: bool,
}

impl Sink {
    fn begin<R: Row>(pieces: Sender<Piece>, runtime: Handle, style: Option<Style>) -> Result<Self, ApiError> {
        let ready = match style {
            Some(style) => csv::head(R::CSV, style)?,
            None => b"{\"items\":[".to_vec(),
        };
        Ok(Self { pieces, runtime, started: Instant::now(), style, ready, has_rows: false })
    }

    /// Sends rows.
    fn rows<R: Row>(&mut self, rows: &[R]) -> Result<(), Stopped> {
        match self.style {
            Some(style) => {
                let values = rows.iter().map(to_value).collect::<Result<Vec<_>, _>>()?;
                self.ready.extend(csv::body(R::CSV, &values, style)?);
            }
            None => {
                for row in rows {
                    if self.has_rows {
                        self.ready.push(b',');
                    }
                    self.has_rows = true;
                    serde_json::to_writer(&mut self.ready, row)
                        .map_err(|error| ApiError::Internal(error.to_string()))?;
                }
            }
        }
        let bytes = Bytes::from(std::mem::take(&mut self.ready));
        if bytes.is_empty() { Ok(()) } else { self.send(Piece::Bytes(bytes)) }
    }

    fn end(mut self) -> Result<(), Stopped> {
        if self.style.is_none() {
            self.ready.extend_from_slice(b"],\"next\":null}");
        }
        let bytes = Bytes::from(std::mem::take(&mut self.ready));
        if !bytes.is_empty() {
            self.send(Piece::Bytes(bytes))?;
        }
        self.send(Piece::End)
    }

    fn send(&self, piece: Piece) -> Result<(), Stopped> {
        if self.started.elapsed() > LONGEST {
            return Err(Stopped::Unwanted);
        }
        let sending = self.pieces.send_timeout(piece, PATIENCE);
        self.runtime.block_on(sending).map_err(|_| Stopped::Unwanted)
    }
}

/// The body of the answer. It ends only where the table does: what broke off in the middle breaks the connection off.
struct Body {
    first: Option<Bytes>,
    pieces: Receiver<Piece>,
    ended: bool,
}

/// The body stopped in the middle.
#[derive(Debug)]
struct BrokenOff;

impl fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the table could not be read to its end")
    }
}

impl std::error::Error for BrokenOff {}

impl MessageBody for Body {
    type Error = BrokenOff;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let body = self.get_mut();
        if let Some(first) = body.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        if body.ended {
            return Poll::Ready(None);
        }
        body.pieces.poll_recv(context).map(|piece| match piece {
            Some(Piece::Bytes(bytes)) => Some(Ok(bytes)),
            Some(Piece::End) => {
                body.ended = true;
                None
            }
            Some(Piece::Failed(_)) | None => Some(Err(BrokenOff)),
        })
    }
}

/// What a caller asks of a table.
pub struct Asked {
    /// The form.
    pub style: Option<Style>,
    /// The reference day.
    pub on: NaiveDate,
    /// Changed at or after this moment, as far as the caller sees.
    pub since: Option<DateTime<Utc>>,
}

/// Answers with a table. What goes wrong before the first batch is a problem as always.
pub async fn stream<R: Row>(
    call: Call,
    asked: Asked,
    walk: impl FnOnce(&mut Reading<'_>, &mut Sink) -> Result<(), Stopped> + Send + 'static,
) -> Result<HttpResponse, ApiError> {
    let busy = || ApiError::Unavailable("too many tables are being read".to_owned(), TURN.as_secs());
    let turn = tokio::time::timeout(TURN, call.app.streams.clone().acquire_owned());
    let turn = turn.await.map_err(|_| busy())?.map_err(|_| busy())?;
    let (sender, mut pieces) = channel(WAITING);
    let style = asked.style;
    start::<R>(&call, asked, sender, turn, walk)?;
    let first = match pieces.recv().await {
        Some(Piece::Bytes(bytes)) => bytes,
        Some(Piece::Failed(error)) => return Err(error),
        Some(Piece::End) | None => {
            return Err(ApiError::Internal("a table ended before it began".to_owned()));
        }
    };
    let mut response = HttpResponse::Ok();
    response.insert_header((header::VARY, "Accept, Authorization"));
    if call.caller.subject.is_none() {
        response.insert_header((header::CACHE_CONTROL, "public, max-age=0, must-revalidate"));
    }
    response.content_type(if style.is_some() { paging::CSV_TYPE } else { "application/json" });
    Ok(response.body(Body { first: Some(first), pieces, ended: false }))
}

/// Starts the reading on a thread of its own: those of the pool are for short work, and one that waits for a slow caller would
/// be missed there.
fn start<R: Row>(
    call: &Call,
    asked: Asked,
    sender: Sender<Piece>,
    turn: OwnedSemaphorePermit,
    walk: impl FnOnce(&mut Reading<'_>, &mut Sink) -> Result<(), Stopped> + Send + 'static,
) -> Result<(), ApiError> {
    let Asked { style, on, since } = asked;
    let (session, caller, today) = (call.app.clone(), call.caller.clone(), call.today());
    let runtime = Handle::current();
    let span = tracing::Span::current();
    let reading = move || {
        let _in_span = span.enter();
        let _turn = turn;
        let failures = sender.clone();
        let outcome = session.read_here(&runtime, |app, connection| {
            let registry = app.registry(connection)?;
            let mut sink = Sink::begin::<R>(sender, runtime.clone(), style)?;
            let mut reading = Reading { connection, caller: &caller, registry: &registry, on, today, since };
            walk(&mut reading, &mut sink)?;
            sink.end()
        });
        match outcome {
            Ok(()) => {}
            Err(Stopped::Unwanted) => tracing::info!("a table was not read to its end"),
            Err(Stopped::Failed(error)) => {
                tracing::error!(%error, "a table could not be read to its end");
                let _: Result<(), _> =
                    runtime.block_on(failures.send_timeout(Piece::Failed(error), PATIENCE));
            }
        }
    };
    let started = std::thread::Builder::new().name("table".to_owned()).spawn(reading);
    started.map(|_| ()).map_err(|error| ApiError::Unavailable(error.to_string(), TURN.as_secs()))
}

/// Rows of one item. In an increment an item that has none says so: it may have had some before.
fn take<R: Row>(rows: &mut Vec<R>, of_item: Vec<R>, id: R::Id, at: DateTime<Utc>, is_increment: bool) {
    if of_item.is_empty() && is_increment {
        rows.push(R::gone(id, at));
    }
    rows.extend(of_item);
}

/// Every advice that the caller may see, as he may see it; then, of an increment, what he lost.
pub fn advice<R: Row<Id = String>>(
    reading: &mut Reading<'_>,
    sink: &mut Sink,
    rows_of: fn(AdviceView, &Registry) -> Vec<R>,
) -> Result<(), Stopped> {
    let Reading { connection, caller, registry, on, today: _, since } = reading;
    let filter = Filter { modified_since: *since, ..Filter::default() };
    let mut after: Option<After> = None;
    loop {
        let listed = persistence::advice::list(connection, caller, &filter, *on, &[], after.as_ref(), BATCH)?;
        let Some(last) = listed.last() else { break };
        after = Some(After { values: Vec::new(), id: last.place.id.clone() });
        let named: Vec<&Advice> = listed.iter().map(|row| &row.advice.value).collect();
        let showing = Showing::of(connection, caller, registry, *on, &named)?;
        let mut rows = Vec::new();
        for row in &listed {
            let view = showing.show(&row.advice, row.view);
            let (id, at) = (view.id.to_string(), view.modified_at);
            take(&mut rows, rows_of(view, registry), id, at, since.is_some());
        }
        sink.rows(&rows)?;
    }
    let Some(since) = *since else { return Ok(()) };
    lost::<R>(sink, |after| persistence::advice::lost_since(connection, caller, since, after, BATCH))
}

/// Every item of a kind that is kept whole that the caller may see; then, of an increment, what he lost.
pub fn dossiers<D: Dossier, R: Row<Id = String>>(
    reading: &mut Reading<'_>,
    sink: &mut Sink,
    rows_of: fn(Stored<D>, NaiveDate) -> Vec<R>,
) -> Result<(), Stopped> {
    let Reading { connection, caller, registry: _, on, today: _, since } = reading;
    let filter = dossier::Filter { modified_since: *since, ..dossier::Filter::default() };
    let mut after: Option<String> = None;
    loop {
        let listed = dossier::list::<D>(connection, caller, &filter, after.as_deref(), BATCH)?;
        let Some(last) = listed.last() else { break };
        after = Some(last.value.id().to_string());
        let mut rows = Vec::new();
        for item in without_hidden_links(connection, caller, listed)? {
            let (id, at) = (item.value.id().to_string(), item.stamp.modified_at);
            take(&mut rows, rows_of(item, *on), id, at, since.is_some());
        }
        sink.rows(&rows)?;
    }
    let Some(since) = *since else { return Ok(()) };
    lost::<R>(sink, |after| dossier::lost_since::<D>(connection, caller, since, after, BATCH))
}

fn lost<R: Row<Id = String>>(
    sink: &mut Sink,
    mut next: impl FnMut(&str) -> Result<Vec<persistence::advice::Lost>, StoreError>,
) -> Result<(), Stopped> {
    let mut after = String::new();
    loop {
        let lost = next(&after)?;
        let Some(last) = lost.last() else { return Ok(()) };
        after = last.id.clone();
        let rows: Vec<R> = lost.into_iter().map(|lost| R::gone(lost.id, lost.at)).collect();
        sink.rows(&rows)?;
    }
}

/// A small table that is known whole.
pub fn whole<R: Row>(
    reading: &mut Reading<'_>,
    sink: &mut Sink,
    rows_of: fn(&Registry, NaiveDate) -> Vec<R>,
    modified_at: fn(&R) -> DateTime<Utc>,
) -> Result<(), Stopped> {
    let mut rows = rows_of(reading.registry, reading.today);
    rows.retain(|row| reading.since.is_none_or(|since| modified_at(row) >= since));
    for batch in rows.chunks(usize::try_from(BATCH).unwrap_or(1)) {
        sink.rows(batch)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(pieces: Vec<Piece>) -> Result<Bytes, actix_web::Error> {
        let (sender, receiver) = channel(8);
        for piece in pieces {
            assert!(sender.send(piece).await.is_ok());
        }
        drop(sender);
        let body = Body { first: Some(Bytes::from_static(b"head ")), pieces: receiver, ended: false };
        actix_web::body::to_bytes(body).await.map_err(actix_web::error::ErrorInternalServerError)
    }

    #[actix_web::test]
    async fn a_table_that_breaks_off_never_looks_whole() {
        let rows = || Piece::Bytes(Bytes::from_static(b"rows"));
        assert_eq!(read(vec![rows(), Piece::End]).await.unwrap(), "head rows");
        assert!(read(vec![rows()]).await.is_err());
        assert!(read(vec![rows(), Piece::Failed(ApiError::NotFound)]).await.is_err());
    }

    #[actix_web::test]
    async fn nobody_reads_on_for_a_caller_who_left() {
        let (sender, receiver) = channel(WAITING);
        let runtime = Handle::current();
        let ended = std::thread::spawn(move || {
            let mut sink = Sink::begin::<super::super::BiAreaRow>(sender, runtime, None).unwrap();
            let row = super::super::BiAreaRow::gone("x".to_owned(), DateTime::UNIX_EPOCH);
            (0..1000).find(|_| sink.rows(std::slice::from_ref(&row)).is_err())
        });
        let mut body = Body { first: None, pieces: receiver, ended: false };
        let first = std::future::poll_fn(|context| Pin::new(&mut body).poll_next(context)).await;
        assert!(first.unwrap().unwrap().starts_with(b"{\"items\":[{"));
        drop(body);
        let stopped_at = actix_web::web::block(move || ended.join().unwrap()).await.unwrap();
        assert!(stopped_at.is_some_and(|sent| sent <= WAITING + 2), "{stopped_at:?}");
    }
}
