//! The Unix socket, whose other end the system names.

use std::{
    fs, io,
    os::unix::fs::{FileTypeExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use tokio::net::{UnixListener, UnixStream};

/// Everybody may connect: who they are decides what they may do.
const FOR_ALL: u32 = 0o666;

/// A Unix socket that is listened on; its file goes with it.
#[derive(Debug)]
pub(crate) struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    /// Listens at a path. A socket that a daemon left there which is gone is replaced; anything else is left alone.
    pub(crate) async fn bind(path: &Path) -> io::Result<Self> {
        let is_socket = fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
        if is_socket {
            match UnixStream::connect(path).await {
                Err(err) if err.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path)?,
                _ => return Err(io::ErrorKind::AddrInUse.into()),
            }
        }
        let listener = UnixListener::bind(path)?;
        let socket = Self { listener, path: path.to_owned() };
        fs::set_permissions(path, fs::Permissions::from_mode(FOR_ALL))?;
        Ok(socket)
    }

    /// Waits for the next connection and says which user it is of; where there is no socket, this waits for ever.
    pub(super) async fn accept(socket: Option<&Self>) -> io::Result<(UnixStream, u32)> {
        let Some(Self { listener, .. }) = socket else { return std::future::pending().await };
        let (stream, _) = listener.accept().await?;
        let uid = stream.peer_cred()?.uid();
        Ok((stream, uid))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = fs::remove_file(&self.path);
    }
}
