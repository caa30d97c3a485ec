//! Servers that are none: what they send is bounded, and so is what they make us compute.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use db_creds::database::{Database, DatabaseError, DatabaseFault};
use db_creds::password::Password;
use db_creds::postgres::{ConnectionUrl, PostgresConfig, PostgresDatabase, Timeouts};

const PATIENCE: Timeouts = Timeouts {
    connect: Duration::from_secs(2),
    statement: Duration::from_secs(2),
    lock: Duration::from_secs(1),
};

/// A message of the protocol: its letter, its length, its body.
fn message(letter: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap();
    [&[letter], length.to_be_bytes().as_slice(), body].concat()
}

fn ready() -> Vec<u8> {
    [message(b'R', &[0; 4]), message(b'Z', b"I")].concat()
}

/// What the driver makes of a server that behaves like this after the start of a connection.
async fn meet(server: fn(&mut TcpStream)) -> DatabaseError {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut start = [0; 1024];
            let _ = connection.read(&mut start);
            server(&mut connection);
        }
    });
    let url = format!("postgresql://{{{{username}}}}:{{{{password}}}}@127.0.0.1:{port}/x?sslmode=disable");
    let config = PostgresConfig {
        timeouts: PATIENCE,
        ..PostgresConfig::new(ConnectionUrl::parse(&url).unwrap(), "root")
    };
    let driver = PostgresDatabase::new(config, Password::new("s3cret".into())).unwrap();
    let begin = Instant::now();
    let error = driver.list_users("v-").await.unwrap_err();
    assert!(begin.elapsed() < Duration::from_secs(8), "{error}");
    assert!(!format!("{error:?}").contains("s3cret"));
    error
}

fn query(connection: &mut TcpStream) {
    let mut text = [0; 4096];
    let _ = connection.read(&mut text);
}

#[tokio::test]
async fn rows_without_an_end() {
    let error = meet(|connection| {
        let _ = connection.write_all(&ready());
        query(connection);
        let column = [b"c\0".as_slice(), &[0; 18]].concat();
        let _ = connection.write_all(&message(b'T', &[&[0, 1], column.as_slice()].concat()));
        let row = message(b'D', &[0, 1, 0, 0, 0, 1, b'x']).repeat(1_000);
        while connection.write_all(&row).is_ok() {}
    })
    .await;
    assert!(matches!(error.fault, DatabaseFault::Hostile { .. }), "{error:?}");
}

#[tokio::test]
async fn results_without_an_end() {
    let error = meet(|connection| {
        let _ = connection.write_all(&ready());
        query(connection);
        let done = message(b'C', b"SET\0").repeat(1_000);
        while connection.write_all(&done).is_ok() {}
    })
    .await;
    assert!(matches!(error.fault, DatabaseFault::Hostile { .. }), "{error:?}");
}

#[tokio::test]
async fn a_message_without_an_end() {
    let error = meet(|connection| {
        let _ = connection.write_all(&ready());
        query(connection);
        let _ = connection.write_all(&[b'D', 0x7f, 0xff, 0xff, 0xff]);
        while connection.write_all(&[0; 65_536]).is_ok() {}
    })
    .await;
    assert_eq!(error.fault, DatabaseFault::Hostile { problem: "it sends more than was asked for" });
}

#[tokio::test]
async fn notices_without_an_end() {
    let error = meet(|connection| {
        let _ = connection.write_all(&ready());
        query(connection);
        let notice = message(b'N', b"SNOTICE\0C00000\0Mhello\0\0").repeat(1_000);
        while connection.write_all(&notice).is_ok() {}
    })
    .await;
    assert_eq!(error.fault, DatabaseFault::Hostile { problem: "it sends more than was asked for" });
}

#[tokio::test]
async fn iterations_without_an_end() {
    let error = meet(|connection| {
        let mechanisms = [&10_u32.to_be_bytes(), b"SCRAM-SHA-256\0\0".as_slice()].concat();
        let _ = connection.write_all(&message(b'R', &mechanisms));
        let mut first = [0; 1024];
        let read = connection.read(&mut first).unwrap_or(0);
        let text = String::from_utf8_lossy(&first[..read]).into_owned();
        let nonce = text.rsplit("r=").next().unwrap_or_default();
        let challenge = format!("r={nonce}server,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4294967295");
        let _ = connection.write_all(&message(b'R', &[&11_u32.to_be_bytes(), challenge.as_bytes()].concat()));
        query(connection);
    })
    .await;
    assert!(error.to_string().contains("iteration"), "{error:?}");
}

#[tokio::test]
async fn silence() {
    let error = meet(|connection| {
        let mut rest = Vec::new();
        let _ = connection.read_to_end(&mut rest);
    })
    .await;
    assert_eq!(error.fault, DatabaseFault::Timeout);
}

#[tokio::test]
async fn noise() {
    for server in [
        |connection: &mut TcpStream| drop(connection.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")),
        |connection: &mut TcpStream| drop(connection.write_all(&[0; 64])),
        |connection: &mut TcpStream| drop(connection.write_all(&message(b'R', &[0, 0, 0, 99]))),
        |connection: &mut TcpStream| drop(connection.write_all(&message(b'E', b"SERROR\0C\0M\0\0"))),
    ] {
        let error = meet(server).await;
        assert!(!error.to_string().is_empty());
    }
}

/// A server that says nothing but yes has no version and no users.
#[tokio::test]
async fn empty_answers() {
    let error = meet(|connection| {
        let _ = connection.write_all(&ready());
        loop {
            let mut text = [0; 4096];
            if connection.read(&mut text).unwrap_or(0) == 0 {
                return;
            }
            let _ = connection.write_all(&[message(b'C', b"SET\0"), message(b'Z', b"I")].concat());
        }
    })
    .await;
    assert!(matches!(error.fault, DatabaseFault::Hostile { .. }), "{error:?}");
}
