//! Files of one person: what they export, and what they import. They rest in a bucket of their own, under the
//! person's id, and expire there.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use screensort_http::{Code, Problem};

/// How long a link lives.
const LINK: Duration = Duration::from_secs(15 * 60);

/// The bucket.
#[derive(Debug, Clone)]
pub struct Parcels {
    client: Client,
    bucket: String,
}

fn unavailable<E: std::error::Error + Send + Sync + 'static>(error: E) -> Problem {
    Problem::new(Code::Unavailable).caused_by(error)
}

impl Parcels {
    pub(crate) fn new(client: Client, bucket: String) -> Self {
        Self { client, bucket }
    }

    /// Keeps a file.
    ///
    /// # Errors
    /// 503 if it cannot be kept.
    pub async fn put(&self, name: &str, kind: &str, bytes: Vec<u8>) -> Result<(), Problem> {
        let put = self.client.put_object().bucket(&self.bucket).key(name).content_type(kind);
        put.body(ByteStream::from(bytes)).send().await.map_err(unavailable)?;
        Ok(())
    }

    /// A file's bytes; `None` if there is no such file.
    ///
    /// # Errors
    /// 503 if it cannot be read.
    pub async fn get(&self, name: &str) -> Result<Option<Vec<u8>>, Problem> {
        match self.client.get_object().bucket(&self.bucket).key(name).send().await {
            Ok(out) => Ok(Some(out.body.collect().await.map_err(unavailable)?.to_vec())),
            Err(error) if error.as_service_error().is_some_and(|e| e.is_no_such_key()) => Ok(None),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// An address at which the file can be fetched for 15 minutes, by whoever has the address.
    ///
    /// # Errors
    /// 503 if it cannot be signed.
    pub async fn link(&self, name: &str) -> Result<String, Problem> {
        let life = PresigningConfig::expires_in(LINK).map_err(unavailable)?;
        let signed = self.client.get_object().bucket(&self.bucket).key(name).presigned(life).await;
        Ok(signed.map_err(unavailable)?.uri().to_owned())
    }

    /// Deletes every file whose name begins with `prefix`.
    ///
    /// # Errors
    /// 503 if one cannot be deleted; doing it again goes on.
    pub async fn delete_all(&self, prefix: &str) -> Result<(), Problem> {
        loop {
            let list = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix).send().await;
            let list = list.map_err(unavailable)?;
            let names: Vec<&str> = list.contents().iter().filter_map(|object| object.key()).collect();
            if names.is_empty() {
                return Ok(());
            }
            for name in names {
                let delete = self.client.delete_object().bucket(&self.bucket).key(name);
                delete.send().await.map_err(unavailable)?;
            }
        }
    }
}
