use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use super::*;

/// What is read next, whatever it takes until something is there.
async fn read(transport: &mut Transport, buffer: &mut [u8]) -> usize {
    loop {
        transport.readable().await.unwrap();
        match transport.try_read(buffer) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            read => return read.unwrap(),
        }
    }
}

#[tokio::test]
async fn what_comes_after_the_socket_was_read_empty_is_told_of_and_so_is_the_end() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut theirs = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let mut ours = Transport::tcp(listener.accept().await.unwrap().0).unwrap();
    let mut buffer = [0; 16];
    for _ in 0..3 {
        theirs.write_all(b"have").await.unwrap();
        let mut count = 0;
        while count < 4 {
            count += read(&mut ours, &mut buffer).await;
        }
        let empty = ours.try_read(&mut buffer).unwrap_err();
        assert_eq!((count, empty.kind()), (4, io::ErrorKind::WouldBlock));
    }
    theirs.write_all(&[7; 20]).await.unwrap();
    let mut count = 0;
    while count < 20 {
        count += read(&mut ours, &mut buffer).await;
    }
    theirs.write_all(b"bye").await.unwrap();
    drop(theirs);
    assert_eq!(read(&mut ours, &mut buffer).await, 3);
    assert_eq!(read(&mut ours, &mut buffer).await, 0);
}
