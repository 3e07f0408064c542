// SPDX-License-Identifier: MIT

//! Bytes: the test pattern, stdin and stdout, and a reader that distinguishes a reset from an end.

use std::io::{Read, Write};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    sync::mpsc,
    task::block_in_place,
};

use crate::exit::{Die, LOCAL, RESET};

pub const BUFFER: usize = 256 << 10;

/// The pattern's byte i is the low byte of i*2654435761 >> 13, so it repeats every 2^21.
const PERIOD: u64 = 1 << 21;

pub fn pattern() -> Vec<u8> {
    (0..PERIOD)
        .map(|i| (i.wrapping_mul(2654435761) >> 13) as u8)
        .collect()
}

pub async fn write_pattern(w: &mut (impl AsyncWrite + Unpin), n: u64) -> std::io::Result<()> {
    let pattern = pattern();
    let mut i = 0;
    while i < n {
        let at = i % PERIOD;
        let len = (BUFFER as u64).min(PERIOD - at).min(n - i);
        w.write_all(&pattern[at as usize..(at + len) as usize])
            .await?;
        i += len;
    }
    w.flush().await
}

pub fn reset(e: impl std::fmt::Display) -> Die {
    Die(RESET, format!("the stream was reset: {e}"))
}

/// Hands the stream to `take` up to its end.
pub async fn each(
    r: &mut (impl AsyncRead + Unpin),
    mut take: impl FnMut(&[u8]) -> Result<(), Die>,
) -> Result<(), Die> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let n = r.read(&mut buffer).await.map_err(reset)?;
        if n == 0 {
            return Ok(());
        }
        take(&buffer[..n])?;
    }
}

pub fn write_stdout(bytes: &[u8]) -> Result<(), Die> {
    block_in_place(|| {
        let mut out = std::mem::ManuallyDrop::new(unsafe {
            <std::fs::File as std::os::fd::FromRawFd>::from_raw_fd(1) // Stdout would be line-buffered
        });
        out.write_all(bytes)
            .map_err(|e| Die(LOCAL, format!("stdout: {e}")))
    })
}

/// stdin, from a thread of its own.
pub fn stdin() -> mpsc::Receiver<std::io::Result<Vec<u8>>> {
    let (tx, rx) = mpsc::channel(4);
    std::thread::spawn(move || {
        let mut input = std::mem::ManuallyDrop::new(unsafe {
            <std::fs::File as std::os::fd::FromRawFd>::from_raw_fd(0)
        });
        loop {
            let mut buffer = vec![0; BUFFER];
            let got = match input.read(&mut buffer) {
                Ok(0) => return,
                Ok(n) => {
                    buffer.truncate(n);
                    Ok(buffer)
                }
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(e) => Err(e),
            };
            let last = got.is_err();
            if tx.blocking_send(got).is_err() || last {
                return;
            }
        }
    });
    rx
}
