//! A region's S3 face: the protocol, as crate s3s reads and writes it, over the object model. Which request reaches
//! which region, and whether it does, is the gateway's business; bodies go over the region's link here.

use std::sync::Arc;

use s3s::{S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result, dto};

use super::{
    Region,
    gateway::Key,
    objects::Objects,
    rights::{Action, Principal},
};

pub(super) mod convert;
mod list;
mod multipart;
mod read;
mod settings;
mod write;

/// One region as an S3 service.
#[derive(Debug, Clone)]
pub struct Face {
    home: Arc<Region>,
    world: Arc<[Arc<Region>]>,
    shared: bool,
    keys: Arc<[Key]>,
}

impl Face {
    /// A region's face. `world` is all regions there are, for copies between them; with `shared` they are all seen at
    /// this address: its buckets are listed, and new ones made, in each. `keys` say who signed a request.
    pub fn new(home: Arc<Region>, world: Arc<[Arc<Region>]>, shared: bool, keys: Arc<[Key]>) -> Self {
        Face { home, world, shared, keys }
    }

    /// Who signed a request.
    fn who<T>(&self, request: &S3Request<T>) -> S3Result<Principal> {
        let signed = request.credentials.as_ref().map(|signed| &signed.access_key);
        let key = self.keys.iter().find(|key| Some(&key.credentials.access_key) == signed);
        key.map(|key| key.principal).ok_or_else(|| S3Error::new(S3ErrorCode::AccessDenied))
    }

    fn objects(&self) -> &Objects {
        self.home.objects()
    }

    /// The regions that are seen at this address.
    fn visible(&self) -> impl Iterator<Item = &Arc<Region>> {
        self.world.iter().filter(|region| self.shared || region.name() == self.home.name())
    }

    /// Whose bucket that is: this region's before another's, and this region's where there is none.
    fn owner(&self, bucket: &str) -> &Arc<Region> {
        let own = std::iter::once(&self.home).chain(self.world.iter());
        own.into_iter().find(|region| region.objects().has_bucket(bucket)).unwrap_or(&self.home)
    }
}

/// Everything belongs to one account.
fn owner() -> dto::Owner {
    dto::Owner { display_name: Some("backdraft".to_owned()), id: Some("backdraft".to_owned()) }
}

fn ok<T>(output: T) -> S3Result<S3Response<T>> {
    Ok(S3Response::new(output))
}

/// Writes the trait's methods: each needs the rights named in brackets, and is the face's method of the name given. One
/// without rights asks for them itself: once it has read the body, or knows what is to be deleted.
macro_rules! operations {
    ($($name:ident[$($action:ident),*]($request:ident: $input:ident) -> $output:ident = |$face:ident| $work:expr;)*) => {
        #[async_trait::async_trait]
        impl S3 for Face {
            $(async fn $name(&self, $request: S3Request<dto::$input>) -> S3Result<S3Response<dto::$output>> {
                $(self.who(&$request)?.permit(Action::$action)?;)*
                let $face = self;
                ok($work)
            })*

            async fn restore_object(
                &self,
                request: S3Request<dto::RestoreObjectInput>,
            ) -> S3Result<S3Response<dto::RestoreObjectOutput>> {
                self.who(&request)?.permit(Action::Restore)?;
                self.restore(request.input)
            }
        }
    };
}

operations! {
    create_bucket[Administer](r: CreateBucketInput) -> CreateBucketOutput = |face| face.create_bucket(&r.input)?;
    delete_bucket[Administer](r: DeleteBucketInput) -> DeleteBucketOutput = |face| {
        face.objects().delete_bucket(&r.input.bucket)?;
        dto::DeleteBucketOutput::default()
    };
    head_bucket[List](r: HeadBucketInput) -> HeadBucketOutput = |face| {
        face.require_bucket(&r.input.bucket)?;
        dto::HeadBucketOutput { bucket_region: Some(face.home.name().to_owned()), ..Default::default() }
    };
    list_buckets[List](r: ListBucketsInput) -> ListBucketsOutput = |face| face.list_buckets(&r.input);
    get_bucket_location[List](r: GetBucketLocationInput) -> GetBucketLocationOutput = |face| {
        face.require_bucket(&r.input.bucket)?;
        // The oldest region is named by saying nothing.
        let name = Some(face.home.name()).filter(|name| *name != "us-east-1");
        dto::GetBucketLocationOutput { location_constraint: name.map(|name| name.to_owned().into()) }
    };
    get_bucket_versioning[List](r: GetBucketVersioningInput) -> GetBucketVersioningOutput = |face| {
        face.bucket_versioning(&r.input.bucket)?
    };
    put_bucket_versioning[Administer](r: PutBucketVersioningInput) -> PutBucketVersioningOutput = |face| {
        face.set_bucket_versioning(&r.input)?;
        dto::PutBucketVersioningOutput::default()
    };
    get_object_lock_configuration[List](r: GetObjectLockConfigurationInput) -> GetObjectLockConfigurationOutput = |face| {
        face.lock_configuration(&r.input.bucket)?
    };
    put_object_lock_configuration[Administer](r: PutObjectLockConfigurationInput) -> PutObjectLockConfigurationOutput = |face| {
        face.set_lock_configuration(r.input)?;
        dto::PutObjectLockConfigurationOutput::default()
    };

    put_object[](r: PutObjectInput) -> PutObjectOutput = |face| face.put(r).await?;
    get_object[Read](r: GetObjectInput) -> GetObjectOutput = |face| face.get(r.input)?;
    head_object[Read](r: HeadObjectInput) -> HeadObjectOutput = |face| face.head(r.input)?;
    get_object_attributes[Read](r: GetObjectAttributesInput) -> GetObjectAttributesOutput = |face| face.attributes(r.input)?;
    copy_object[Read, Write](r: CopyObjectInput) -> CopyObjectOutput = |face| face.copy(face.who(&r)?, r.input).await?;
    delete_object[](r: DeleteObjectInput) -> DeleteObjectOutput = |face| face.delete(face.who(&r)?, &r.input)?;
    delete_objects[](r: DeleteObjectsInput) -> DeleteObjectsOutput = |face| face.delete_many(face.who(&r)?, r.input)?;

    list_objects[List](r: ListObjectsInput) -> ListObjectsOutput = |face| face.list_v1(r.input)?;
    list_objects_v2[List](r: ListObjectsV2Input) -> ListObjectsV2Output = |face| face.list_v2(r.input)?;
    list_object_versions[List](r: ListObjectVersionsInput) -> ListObjectVersionsOutput = |face| face.list_versions(r.input)?;

    create_multipart_upload[Write](r: CreateMultipartUploadInput) -> CreateMultipartUploadOutput = |face| {
        face.create_upload(face.who(&r)?, r.input)?
    };
    upload_part[](r: UploadPartInput) -> UploadPartOutput = |face| face.put_part(r).await?;
    upload_part_copy[Read, Write](r: UploadPartCopyInput) -> UploadPartCopyOutput = |face| face.copy_part(r.input).await?;
    complete_multipart_upload[Write](r: CompleteMultipartUploadInput) -> CompleteMultipartUploadOutput = |face| {
        face.complete_upload(r.input)?
    };
    abort_multipart_upload[Abort](r: AbortMultipartUploadInput) -> AbortMultipartUploadOutput = |face| {
        face.objects().abort_upload(&r.input.bucket, &r.input.key, &r.input.upload_id)?;
        dto::AbortMultipartUploadOutput::default()
    };
    list_parts[List](r: ListPartsInput) -> ListPartsOutput = |face| face.list_parts(r.input)?;
    list_multipart_uploads[List](r: ListMultipartUploadsInput) -> ListMultipartUploadsOutput = |face| {
        face.list_uploads(r.input)?
    };

    get_object_retention[Read](r: GetObjectRetentionInput) -> GetObjectRetentionOutput = |face| face.retention(&r.input)?;
    put_object_retention[Lock](r: PutObjectRetentionInput) -> PutObjectRetentionOutput = |face| {
        face.set_retention(face.who(&r)?, &r.input)?;
        dto::PutObjectRetentionOutput::default()
    };
    get_object_legal_hold[Read](r: GetObjectLegalHoldInput) -> GetObjectLegalHoldOutput = |face| face.legal_hold(&r.input)?;
    put_object_legal_hold[Lock](r: PutObjectLegalHoldInput) -> PutObjectLegalHoldOutput = |face| {
        face.set_legal_hold(&r.input)?;
        dto::PutObjectLegalHoldOutput::default()
    };
    get_object_tagging[Read](r: GetObjectTaggingInput) -> GetObjectTaggingOutput = |face| face.tags(&r.input)?;
    put_object_tagging[Write](r: PutObjectTaggingInput) -> PutObjectTaggingOutput = |face| face.set_tags(r.input)?;
}
