//! Buckets and what is set on them and on objects: versioning, object lock, tags.

use http::StatusCode;
use s3s::{S3Error, S3ErrorCode, S3Response, S3Result, dto};

use super::{
    Face,
    convert::{date, lock_mode, lock_mode_name, retention},
    read::hold_name,
};
use crate::emulator::s3::{
    archive::{RestoreAnswer, Tier},
    buckets::{BucketOptions, Versioning},
    lock::DefaultRetention,
    refusal::Refusal,
    rights::{Action, Principal},
};

impl Face {
    pub(super) fn create_bucket(&self, input: &dto::CreateBucketInput) -> S3Result<dto::CreateBucketOutput> {
        let asked = input.create_bucket_configuration.as_ref().and_then(|c| c.location_constraint.as_ref());
        let region = match asked.map(dto::BucketLocationConstraint::as_str).filter(|name| !name.is_empty()) {
            None => &self.home,
            Some(name) => self.visible().find(|r| r.name() == name).ok_or_else(|| {
                S3Error::with_message(
                    S3ErrorCode::IllegalLocationConstraintException,
                    format!(
                        "The {name} location constraint is incompatible with the region that this request was sent to"
                    ),
                )
            })?,
        };
        let options = BucketOptions {
            object_lock: input.object_lock_enabled_for_bucket.unwrap_or_default(),
            ..Default::default()
        };
        region.objects().create_bucket(&input.bucket, options)?;
        Ok(dto::CreateBucketOutput { location: Some(format!("/{}", input.bucket)) })
    }

    pub(super) fn list_buckets(&self, input: &dto::ListBucketsInput) -> dto::ListBucketsOutput {
        let prefix = input.prefix.clone().unwrap_or_default();
        let in_region = |name: &str| input.bucket_region.as_ref().is_none_or(|wanted| *wanted == name);
        let mut buckets = Vec::new();
        for region in self.visible().filter(|r| in_region(r.name())) {
            for bucket in region.objects().buckets().into_iter().filter(|b| b.name.starts_with(&prefix)) {
                buckets.push(dto::Bucket {
                    bucket_region: Some(region.name().to_owned()),
                    creation_date: Some(date(bucket.created)),
                    name: Some(bucket.name),
                });
            }
        }
        buckets.sort_by(|a, b| a.name.cmp(&b.name));
        dto::ListBucketsOutput {
            buckets: Some(buckets),
            owner: Some(super::owner()),
            prefix: input.prefix.clone(),
            ..Default::default()
        }
    }

    /// Fails where there is no such bucket.
    pub(super) fn require_bucket(&self, bucket: &str) -> S3Result<()> {
        if self.objects().has_bucket(bucket) { Ok(()) } else { Err(Refusal::NoSuchBucket(bucket.to_owned()).into()) }
    }

    pub(super) fn bucket_versioning(&self, bucket: &str) -> S3Result<dto::GetBucketVersioningOutput> {
        let status = match self.objects().versioning(bucket)? {
            Versioning::Off => None,
            Versioning::Enabled => Some(dto::BucketVersioningStatus::ENABLED),
            Versioning::Suspended => Some(dto::BucketVersioningStatus::SUSPENDED),
        };
        let status = status.map(dto::BucketVersioningStatus::from_static);
        Ok(dto::GetBucketVersioningOutput { mfa_delete: None, status })
    }

    pub(super) fn set_bucket_versioning(&self, input: &dto::PutBucketVersioningInput) -> S3Result<()> {
        let to = match input.versioning_configuration.status.as_ref().map(dto::BucketVersioningStatus::as_str) {
            Some(dto::BucketVersioningStatus::ENABLED) => Versioning::Enabled,
            Some(dto::BucketVersioningStatus::SUSPENDED) => Versioning::Suspended,
            _ => return Err(S3Error::new(S3ErrorCode::MalformedXML)),
        };
        Ok(self.objects().set_versioning(&input.bucket, to)?)
    }

    pub(super) fn lock_configuration(&self, bucket: &str) -> S3Result<dto::GetObjectLockConfigurationOutput> {
        let default = self.objects().lock_configuration(bucket)?.map(|d| dto::DefaultRetention {
            days: (!d.in_years).then_some(d.days as i32),
            mode: Some(dto::ObjectLockRetentionMode::from_static(lock_mode_name(d.mode))),
            years: d.in_years.then_some((d.days / 365) as i32),
        });
        let configuration = dto::ObjectLockConfiguration {
            object_lock_enabled: Some(dto::ObjectLockEnabled::from_static(dto::ObjectLockEnabled::ENABLED)),
            rule: default.map(|d| dto::ObjectLockRule { default_retention: Some(d) }),
        };
        Ok(dto::GetObjectLockConfigurationOutput { object_lock_configuration: Some(configuration) })
    }

    pub(super) fn set_lock_configuration(&self, input: dto::PutObjectLockConfigurationInput) -> S3Result<()> {
        let rule = input.object_lock_configuration.and_then(|c| c.rule).and_then(|r| r.default_retention);
        let default = match rule {
            None => None,
            Some(rule) => {
                let malformed = || S3Error::new(S3ErrorCode::MalformedXML);
                let (count, in_years) = match (rule.days, rule.years) {
                    (Some(days), None) => (days, false),
                    (None, Some(years)) => (years, true),
                    _ => return Err(malformed()),
                };
                let count = u32::try_from(count).ok().filter(|n| *n <= 36_500).ok_or_else(malformed)?;
                let days = if in_years { count * 365 } else { count };
                let mode = lock_mode(rule.mode.as_ref().map_or("", dto::ObjectLockRetentionMode::as_str))?;
                Some(DefaultRetention { mode, days, in_years })
            }
        };
        Ok(self.objects().set_lock_configuration(&input.bucket, default)?)
    }

    pub(super) fn retention(&self, input: &dto::GetObjectRetentionInput) -> S3Result<dto::GetObjectRetentionOutput> {
        let meta = self.objects().head(&input.bucket, &input.key, input.version_id.as_deref())?;
        let held = meta.locks.retention.ok_or(Refusal::NoObjectLock)?;
        Ok(dto::GetObjectRetentionOutput {
            retention: Some(dto::ObjectLockRetention {
                mode: Some(dto::ObjectLockRetentionMode::from_static(lock_mode_name(held.mode))),
                retain_until_date: Some(date(held.until)),
            }),
        })
    }

    pub(super) fn set_retention(&self, who: Principal, input: &dto::PutObjectRetentionInput) -> S3Result<()> {
        let asked = input.retention.clone().unwrap_or_default();
        let mode = asked.mode.as_ref().map(dto::ObjectLockRetentionMode::as_str);
        let wanted = retention(mode, asked.retain_until_date.as_ref())?;
        let bypass = input.bypass_governance_retention.unwrap_or_default();
        if bypass {
            who.permit(Action::BypassGovernance)?;
        }
        let version = input.version_id.as_deref();
        Ok(self.objects().set_retention(&input.bucket, &input.key, version, wanted, bypass)?)
    }

    pub(super) fn legal_hold(&self, input: &dto::GetObjectLegalHoldInput) -> S3Result<dto::GetObjectLegalHoldOutput> {
        let meta = self.objects().head(&input.bucket, &input.key, input.version_id.as_deref())?;
        let on = meta.locks.legal_hold.ok_or(Refusal::NoObjectLock)?;
        let status = Some(dto::ObjectLockLegalHoldStatus::from_static(hold_name(on)));
        Ok(dto::GetObjectLegalHoldOutput { legal_hold: Some(dto::ObjectLockLegalHold { status }) })
    }

    pub(super) fn set_legal_hold(&self, input: &dto::PutObjectLegalHoldInput) -> S3Result<()> {
        let status = input.legal_hold.as_ref().and_then(|hold| hold.status.as_ref());
        let on = match status.map(dto::ObjectLockLegalHoldStatus::as_str) {
            Some(dto::ObjectLockLegalHoldStatus::ON) => true,
            Some(dto::ObjectLockLegalHoldStatus::OFF) => false,
            _ => return Err(S3Error::new(S3ErrorCode::MalformedXML)),
        };
        Ok(self.objects().set_legal_hold(&input.bucket, &input.key, input.version_id.as_deref(), on)?)
    }

    pub(super) fn tags(&self, input: &dto::GetObjectTaggingInput) -> S3Result<dto::GetObjectTaggingOutput> {
        let meta = self.objects().head(&input.bucket, &input.key, input.version_id.as_deref())?;
        let tag = |(key, value): (&String, &String)| dto::Tag { key: Some(key.clone()), value: Some(value.clone()) };
        Ok(dto::GetObjectTaggingOutput {
            tag_set: meta.attributes.tags.iter().map(tag).collect(),
            version_id: meta.version.clone(),
        })
    }

    pub(super) fn set_tags(&self, input: dto::PutObjectTaggingInput) -> S3Result<dto::PutObjectTaggingOutput> {
        let tags = input.tagging.tag_set.into_iter();
        let tags = tags.map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default())).collect();
        self.objects().set_tags(&input.bucket, &input.key, input.version_id.as_deref(), tags)?;
        Ok(dto::PutObjectTaggingOutput { version_id: input.version_id })
    }

    pub(super) fn restore(&self, input: dto::RestoreObjectInput) -> S3Result<S3Response<dto::RestoreObjectOutput>> {
        let asked = input.restore_request.ok_or_else(|| S3Error::new(S3ErrorCode::MalformedXML))?;
        if asked.select_parameters.is_some() || asked.output_location.is_some() {
            return Err(S3Error::with_message(S3ErrorCode::NotImplemented, "Only restores in place are emulated"));
        }
        // The older place of the tier is within the job's parameters.
        let tier = asked.tier.or(asked.glacier_job_parameters.map(|job| job.tier));
        let tier = tier.map_or(Ok(Tier::default()), |tier| tier.as_str().parse())?;
        let days = asked.days.and_then(|days| u32::try_from(days).ok());
        let days = days.ok_or_else(|| S3Error::new(S3ErrorCode::MalformedXML))?;
        let answer =
            self.objects().request_restore(&input.bucket, &input.key, input.version_id.as_deref(), tier, days)?;
        let status = match answer {
            RestoreAnswer::Begun => StatusCode::ACCEPTED,
            RestoreAnswer::Extended => StatusCode::OK,
        };
        Ok(S3Response::with_status(dto::RestoreObjectOutput::default(), status))
    }
}
