//! Objects and secrets that jobs write besides the catalogue: reports, and the trail as it is shipped.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use screensort_http::{Code, Problem};

use crate::Stack;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// The most bytes that are read of an object.
const LARGEST: i64 = 64 << 20;

/// The last access review, for programs: where the job writes it and the endpoint reads it.
pub const ACCESS_REVIEW: &str = "reports/access_review.json";

/// Why a bucket cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the bucket {bucket} cannot be used")]
pub struct Error {
    bucket: String,
    #[source]
    cause: Cause,
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::new(Code::Unavailable).caused_by(error)
    }
}

/// A bucket.
#[derive(Debug, Clone)]
pub struct Objects {
    s3: Client,
    bucket: String,
}

impl Objects {
    /// Puts an object, in the place of what was there.
    ///
    /// # Errors
    /// If the bucket refuses.
    pub async fn put(&self, key: &str, content_type: &str, body: impl Into<Bytes>) -> Result<(), Error> {
        let body = ByteStream::from(body.into());
        let put = self.s3.put_object().bucket(&self.bucket).key(key).content_type(content_type).body(body);
        put.send().await.map(drop).map_err(|e| self.failed(e))
    }

    /// Puts an object if there is none of this key; says whether it did.
    ///
    /// # Errors
    /// If the bucket refuses.
    pub async fn put_new(
        &self,
        key: &str,
        content_type: &str,
        body: impl Into<Bytes>,
    ) -> Result<bool, Error> {
        let body = ByteStream::from(body.into());
        let put = self.s3.put_object().bucket(&self.bucket).key(key).content_type(content_type).body(body);
        match put.if_none_match("*").send().await {
            Ok(_) => Ok(true),
            Err(e)
                if e.as_service_error().and_then(ProvideErrorMetadata::code)
                    == Some("PreconditionFailed") =>
            {
                Ok(false)
            }
            Err(e) => Err(self.failed(e)),
        }
    }

    /// An object, or `None` if there is none.
    ///
    /// # Errors
    /// If the bucket refuses, or the object is larger than anything that is written here.
    pub async fn get(&self, key: &str) -> Result<Option<Bytes>, Error> {
        let out = match self.s3.get_object().bucket(&self.bucket).key(key).send().await {
            Ok(out) => out,
            Err(error) if error.as_service_error().is_some_and(|e| e.is_no_such_key()) => return Ok(None),
            Err(error) => return Err(self.failed(error)),
        };
        let other = |cause: Cause| Error { bucket: self.bucket.clone(), cause };
        if out.content_length().unwrap_or(0) > LARGEST {
            return Err(other("an object is too large".into()));
        }
        let body = out.body.collect().await.map_err(|e| other(Box::new(e)))?;
        Ok(Some(body.into_bytes()))
    }

    /// Takes an object away; one that is not there is no trouble.
    ///
    /// # Errors
    /// If the bucket refuses.
    pub async fn delete(&self, key: &str) -> Result<(), Error> {
        let delete = self.s3.delete_object().bucket(&self.bucket).key(key);
        delete.send().await.map(drop).map_err(|e| self.failed(e))
    }

    /// The keys that begin with `prefix`, in their order.
    ///
    /// # Errors
    /// If the bucket refuses.
    pub async fn list(&self, prefix: &str) -> Result<Vec<String>, Error> {
        let (mut keys, mut after) = (Vec::new(), None);
        loop {
            let list = self.s3.list_objects_v2().bucket(&self.bucket).prefix(prefix);
            let out = list.set_continuation_token(after).send().await.map_err(|e| self.failed(e))?;
            keys.extend(out.contents().iter().filter_map(|object| object.key().map(str::to_owned)));
            after = out.next_continuation_token().map(str::to_owned);
            if after.is_none() {
                keys.sort_unstable();
                return Ok(keys);
            }
        }
    }

    fn failed<E, R>(&self, error: SdkError<E, R>) -> Error
    where
        E: std::error::Error + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        Error { bucket: self.bucket.clone(), cause: Box::new(error) }
    }
}

impl Stack {
    /// Where reports are written: the artifacts' bucket.
    pub fn reports(&self) -> Objects {
        Objects { s3: self.s3().clone(), bucket: self.settings().artifacts_bucket.clone() }
    }

    /// Where the trail is shipped to.
    pub fn shipped(&self) -> Objects {
        Objects { s3: self.s3().clone(), bucket: self.settings().audit_bucket.clone() }
    }

    /// Where Lambda leaves what a stream's function failed on again and again: people's bucket, since it may hold
    /// what people keep.
    pub fn letters(&self) -> Objects {
        Objects { s3: self.s3().clone(), bucket: self.settings().exports_bucket.clone() }
    }

    /// Writes a new version of a secret.
    ///
    /// # Errors
    /// 503 if it cannot be written.
    pub async fn put_secret(&self, name: &str, text: &str) -> Result<(), Problem> {
        let put = self.secrets().put_secret_value().secret_id(name).secret_string(text);
        put.send().await.map(drop).map_err(|e| Problem::new(Code::Unavailable).caused_by(e))
    }
}
