//! What AWS says of how tables, buckets and keys are protected: read, never changed.

use aws_sdk_dynamodb::types::{
    ContinuousBackupsStatus, PointInTimeRecoveryStatus, SseStatus, TimeToLiveStatus,
};
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::types::{BucketVersioningStatus, ObjectLockEnabled};

use crate::Stack;

/// Whether something is protected in one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protection {
    /// What, such as `table screensort-auth`.
    pub what: String,
    /// In which way, such as `point-in-time recovery`.
    pub how: &'static str,
    /// Whether it is; `None` if that cannot be read here.
    pub holds: Option<bool>,
    /// What was read, or why nothing was.
    pub detail: String,
}

fn said(what: &str, how: &'static str, holds: bool, detail: impl Into<String>) -> Protection {
    Protection { what: what.to_owned(), how, holds: Some(holds), detail: detail.into() }
}

fn unread<E, R>(what: &str, how: &'static str, error: &SdkError<E, R>) -> Protection
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug,
{
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code).map(str::to_owned);
    let detail = code.unwrap_or_else(|| DisplayErrorContext(error).to_string());
    let detail = format!("not readable here: {}", detail.chars().take(120).collect::<String>());
    Protection { what: what.to_owned(), how, holds: None, detail }
}

impl Stack {
    /// How everything that keeps data is protected, as far as this function may read it and the services say it.
    pub async fn protections(&self) -> Vec<Protection> {
        let tables = &self.settings().tables;
        let mut found = Vec::new();
        for table in [&tables.catalog, &tables.auth, &tables.library, &tables.audit] {
            found.extend(self.table(table).await);
        }
        let settings = self.settings();
        for bucket in [&settings.artifacts_bucket, &settings.exports_bucket, &settings.audit_bucket] {
            found.extend(self.bucket(bucket, *bucket == settings.audit_bucket).await);
        }
        found.extend(self.key("data key", &settings.data_key, true).await);
        found.extend(self.key("pepper", &settings.pepper_key, false).await);
        found
    }

    async fn table(&self, table: &str) -> Vec<Protection> {
        let (client, what) = (self.dynamodb(), format!("table {table}"));
        let mut found = Vec::new();
        match client.describe_table().table_name(table).send().await {
            Ok(out) => {
                let of = out.table();
                let sse = of.and_then(|of| of.sse_description());
                let own = sse.and_then(|sse| sse.status()) == Some(&SseStatus::Enabled);
                let detail = if own { "with a key of our own" } else { "with a key that AWS owns" };
                found.push(said(&what, "encryption with a key of our own", own, detail));
                let protected = of.and_then(|of| of.deletion_protection_enabled()).unwrap_or(false);
                found.push(said(
                    &what,
                    "deletion protection",
                    protected,
                    if protected { "on" } else { "off" },
                ));
            }
            Err(error) => found.push(unread(&what, "encryption and deletion protection", &error)),
        }
        match client.describe_continuous_backups().table_name(table).send().await {
            Ok(out) => {
                let of = out.continuous_backups_description();
                let backed =
                    of.is_some_and(|of| *of.continuous_backups_status() == ContinuousBackupsStatus::Enabled);
                let status = of.and_then(|of| of.point_in_time_recovery_description());
                let status = status.and_then(|status| status.point_in_time_recovery_status());
                let holds = backed && status == Some(&PointInTimeRecoveryStatus::Enabled);
                found.push(said(&what, "point-in-time recovery", holds, if holds { "on" } else { "off" }));
            }
            Err(error) => found.push(unread(&what, "point-in-time recovery", &error)),
        }
        match client.describe_time_to_live().table_name(table).send().await {
            Ok(out) => {
                let status = out.time_to_live_description().and_then(|of| of.time_to_live_status());
                let holds = status == Some(&TimeToLiveStatus::Enabled);
                found.push(said(&what, "expiry", holds, if holds { "on" } else { "off" }));
            }
            Err(error) => found.push(unread(&what, "expiry", &error)),
        }
        found
    }

    async fn bucket(&self, bucket: &str, locked: bool) -> Vec<Protection> {
        let (client, what) = (self.s3(), format!("bucket {bucket}"));
        let mut found = Vec::new();
        found.push(match client.get_bucket_encryption().bucket(bucket).send().await {
            Ok(out) => {
                let rules =
                    out.server_side_encryption_configuration().map(|of| of.rules()).unwrap_or_default();
                let rule = rules.iter().find_map(|rule| rule.apply_server_side_encryption_by_default());
                let own = rule.and_then(|rule| rule.kms_master_key_id()).is_some();
                let by = rule.map_or("none", |rule| rule.sse_algorithm().as_str());
                said(&what, "encryption with a key of our own", own, by)
            }
            Err(error) => unread(&what, "encryption with a key of our own", &error),
        });
        found.push(match client.get_public_access_block().bucket(bucket).send().await {
            Ok(out) => {
                let of = out.public_access_block_configuration();
                let closed = of.is_some_and(|of| {
                    [of.block_public_acls(), of.block_public_policy(), of.ignore_public_acls()]
                        .into_iter()
                        .chain([of.restrict_public_buckets()])
                        .all(|is| is == Some(true))
                });
                said(&what, "no public access", closed, if closed { "blocked" } else { "open" })
            }
            Err(error) => unread(&what, "no public access", &error),
        });
        found.push(match client.get_bucket_versioning().bucket(bucket).send().await {
            Ok(out) => {
                let on = out.status() == Some(&BucketVersioningStatus::Enabled);
                said(&what, "versions", on, if on { "kept" } else { "not kept" })
            }
            Err(error) => unread(&what, "versions", &error),
        });
        if locked {
            found.push(match client.get_object_lock_configuration().bucket(bucket).send().await {
                Ok(out) => {
                    let of = out.object_lock_configuration();
                    let on = of.and_then(|of| of.object_lock_enabled()) == Some(&ObjectLockEnabled::Enabled);
                    said(&what, "object lock", on, if on { "on" } else { "off" })
                }
                Err(error) => unread(&what, "object lock", &error),
            });
        }
        found
    }

    async fn key(&self, name: &str, key: &str, rotates: bool) -> Vec<Protection> {
        let (client, what) = (self.kms_client(), format!("{name} {key}"));
        let mut found = Vec::new();
        let described = match client.describe_key().key_id(key).send().await {
            Ok(out) => out,
            Err(error) => return vec![unread(&what, "a key that works", &error)],
        };
        let of = described.key_metadata();
        let works = of.is_some_and(|of| of.enabled() && of.deletion_date().is_none());
        found.push(said(
            &what,
            "a key that works",
            works,
            if works { "enabled" } else { "disabled or to be deleted" },
        ));
        if rotates {
            let id = of.map(|of| of.key_id().to_owned()).unwrap_or_default();
            found.push(match client.get_key_rotation_status().key_id(id).send().await {
                Ok(out) => {
                    let on = out.key_rotation_enabled();
                    let days = out.rotation_period_in_days().unwrap_or(365);
                    let detail = if on { format!("every {days} days") } else { "off".into() };
                    said(&what, "rotation", on, detail)
                }
                Err(error) => unread(&what, "rotation", &error),
            });
        }
        found
    }
}
