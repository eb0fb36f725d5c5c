//! Regions in health.

use aws_sdk_s3::{
    primitives::ByteStream,
    types::{
        BucketVersioningStatus, ChecksumAlgorithm, ChecksumMode, CompletedMultipartUpload, CompletedPart,
        ObjectLockMode, VersioningConfiguration,
    },
};

use crate::world::{EU, US, World, bytes, client, why};

const BUCKET: &str = "eu-west-1-bucket";

#[tokio::test]
async fn an_object_comes_back_as_it_was_put_whole_and_in_ranges() {
    let world = World::new();
    let s3 = world.client(EU);
    let large = bytes(3 << 20);
    let put = s3.put_object().bucket(BUCKET).key("a b+c/백업").body(ByteStream::from(large.clone()));
    let put = put.content_type("application/gzip").content_encoding("gzip").metadata("seq", "17").send().await.unwrap();
    let get = || s3.get_object().bucket(BUCKET).key("a b+c/백업");
    let got = get().checksum_mode(ChecksumMode::Enabled).send().await.unwrap();
    assert_eq!(got.e_tag(), put.e_tag());
    assert_eq!((got.content_encoding(), got.content_type()), (Some("gzip"), Some("application/gzip")));
    assert_eq!(got.metadata().unwrap()["seq"], "17");
    assert_eq!(got.checksum_crc32(), put.checksum_crc32(), "the SDK's own checksum, sent behind the body");
    // The scenario's date, not the machine's.
    assert_eq!(got.last_modified().unwrap().to_string(), "2026-11-04T03:00:00Z");
    assert_eq!(got.body.collect().await.unwrap().into_bytes(), large);

    for (range, expected) in [
        ("bytes=0-0", &large[..1]),
        ("bytes=1048570-1048590", &large[1_048_570..1_048_591]),
        ("bytes=3145720-", &large[3_145_720..]),
        ("bytes=-10", &large[large.len() - 10..]),
    ] {
        let got = get().range(range).send().await.unwrap();
        assert_eq!(got.body.collect().await.unwrap().into_bytes(), expected, "{range}");
    }
    assert_eq!(why(get().range("bytes=3145728-").send().await), "InvalidRange");
    assert_eq!(why(get().if_match("\"0\"").send().await), "PreconditionFailed");
    assert_eq!(why(get().if_none_match(put.e_tag().unwrap()).send().await), "304");
}

#[tokio::test]
async fn a_listing_goes_on_page_by_page_through_odd_keys() {
    let world = World::new();
    let s3 = world.client(EU);
    let mut keys: Vec<String> = (0..7).map(|n| format!("d/{n} +%&<é🔥")).collect();
    keys.push("e/deep/key".to_owned());
    for key in &keys {
        s3.put_object().bucket(BUCKET).key(key).send().await.unwrap();
    }
    for encoding in [None, Some(aws_sdk_s3::types::EncodingType::Url)] {
        let mut pages = s3.list_objects_v2().bucket(BUCKET).set_encoding_type(encoding.clone()).max_keys(3);
        let mut found = Vec::new();
        loop {
            let page = pages.clone().send().await.unwrap();
            found.extend(page.contents().iter().map(|o| o.key().unwrap().to_owned()));
            match page.next_continuation_token() {
                Some(token) => pages = pages.continuation_token(token),
                None => break,
            }
        }
        if encoding.is_some() {
            assert!(found.iter().all(|key| key.is_ascii() && !key.contains(['+', ' '])), "{found:?}");
        } else {
            assert_eq!(found, keys);
        }
    }
    let folders = s3.list_objects_v2().bucket(BUCKET).delimiter("/").send().await.unwrap();
    let prefixes: Vec<_> = folders.common_prefixes().iter().filter_map(|p| p.prefix()).collect();
    assert_eq!((prefixes, folders.key_count()), (vec!["d/", "e/"], Some(2)));
    let none = s3.list_objects_v2().bucket(BUCKET).delimiter("").send().await.unwrap();
    assert_eq!(none.key_count(), Some(8), "an empty delimiter is none");
}

#[tokio::test]
async fn parts_become_an_object_and_a_wrong_digest_is_refused() {
    let world = World::new();
    let s3 = world.client(EU);
    let whole = bytes((5 << 20) + 1000);
    let created = s3.create_multipart_upload().bucket(BUCKET).key("m").checksum_algorithm(ChecksumAlgorithm::Crc32);
    let id = created.send().await.unwrap().upload_id().unwrap().to_owned();
    let mut parts = Vec::new();
    for (number, part) in (1..).zip(whole.chunks(5 << 20)) {
        let put = s3.upload_part().bucket(BUCKET).key("m").upload_id(&id).part_number(number);
        let put = put.checksum_algorithm(ChecksumAlgorithm::Crc32).body(ByteStream::from(part.to_vec()));
        let put = put.send().await.unwrap();
        let part = CompletedPart::builder().part_number(number).e_tag(put.e_tag().unwrap());
        parts.push(part.set_checksum_crc32(put.checksum_crc32().map(str::to_owned)).build());
    }
    let wrong = s3.upload_part().bucket(BUCKET).key("m").upload_id(&id).part_number(3).checksum_crc32("AAAAAA==");
    assert_eq!(why(wrong.body(ByteStream::from_static(b"x")).send().await), "BadDigest");
    assert_eq!(s3.list_parts().bucket(BUCKET).key("m").upload_id(&id).send().await.unwrap().parts().len(), 2);
    let all = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
    let complete = s3.complete_multipart_upload().bucket(BUCKET).key("m").upload_id(&id).multipart_upload(all);
    let done = complete.send().await.unwrap();
    assert!(done.e_tag().unwrap().ends_with("-2\""));
    let got = s3.get_object().bucket(BUCKET).key("m").send().await.unwrap();
    assert_eq!(got.body.collect().await.unwrap().into_bytes(), whole);
    let parts = s3.head_object().bucket(BUCKET).key("m").part_number(2).send().await.unwrap();
    assert_eq!((parts.content_length(), parts.parts_count()), (Some(1000), Some(2)));
}

#[tokio::test]
async fn versions_and_locks_hold_over_the_wire() {
    let world = World::new();
    let s3 = world.client(EU);
    let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    s3.put_bucket_versioning().bucket(BUCKET).versioning_configuration(enabled).send().await.unwrap();
    let put = s3.put_object().bucket(BUCKET).key("k").body(ByteStream::from_static(b"one")).send().await.unwrap();
    let gone = s3.delete_object().bucket(BUCKET).key("k").send().await.unwrap();
    assert_eq!(gone.delete_marker(), Some(true));
    assert_eq!(why(s3.get_object().bucket(BUCKET).key("k").send().await), "NoSuchKey");
    let old = s3.get_object().bucket(BUCKET).key("k").set_version_id(put.version_id().map(str::to_owned));
    assert_eq!(old.send().await.unwrap().body.collect().await.unwrap().into_bytes(), "one");
    let versions = s3.list_object_versions().bucket(BUCKET).send().await.unwrap();
    assert_eq!((versions.versions().len(), versions.delete_markers().len()), (1, 1));

    s3.create_bucket().bucket("locked-bucket").object_lock_enabled_for_bucket(true).send().await.unwrap();
    let until = aws_sdk_s3::primitives::DateTime::from_secs(1_800_000_000);
    let put = s3.put_object().bucket("locked-bucket").key("k").object_lock_mode(ObjectLockMode::Compliance);
    let version = put.object_lock_retain_until_date(until).send().await.unwrap().version_id().unwrap().to_owned();
    let delete = s3.delete_object().bucket("locked-bucket").key("k").version_id(&version);
    assert_eq!(why(delete.bypass_governance_retention(true).send().await), "AccessDenied");
    let kept = s3.get_object_retention().bucket("locked-bucket").key("k").send().await.unwrap();
    assert_eq!(kept.retention().unwrap().retain_until_date(), Some(&until));
}

#[tokio::test]
async fn a_signature_must_be_right_and_for_the_right_region() {
    let world = World::new();
    let own = world.gateway.region_url(EU).unwrap();
    let forged = client(&own, EU, "guessed");
    assert_eq!(why(forged.get_object().bucket(BUCKET).key("k").send().await), "SignatureDoesNotMatch");
    let lost = client(&own, US, "secret");
    let refused = lost.get_object().bucket(BUCKET).key("k").send().await.unwrap_err();
    let raw = refused.raw_response().unwrap();
    assert_eq!((raw.status().as_u16(), raw.headers().get("x-amz-bucket-region")), (400, Some(EU)));
    assert_eq!(why::<(), _>(Err(refused)), "AuthorizationHeaderMalformed");
    // The same at the address of all regions, where the bucket says which one is meant.
    let lost = world.shared_client(US);
    assert_eq!(why(lost.get_object().bucket(BUCKET).key("k").send().await), "AuthorizationHeaderMalformed");
    assert_eq!(
        lost.get_bucket_location().bucket(BUCKET).send().await.unwrap().location_constraint().unwrap().as_str(),
        EU,
        "where a bucket is, anyone may ask"
    );
}

#[tokio::test]
async fn one_address_serves_all_regions_and_copies_between_them() {
    let world = World::new();
    let (us, eu) = (world.shared_client(US), world.shared_client(EU));
    us.put_object().bucket("us-east-1-bucket").key("k").body(ByteStream::from_static(b"data")).send().await.unwrap();
    eu.copy_object().bucket(BUCKET).key("copy").copy_source("us-east-1-bucket/k").send().await.unwrap();
    assert_eq!(&*world.region(EU).objects().read_all(BUCKET, "copy").unwrap(), b"data");
    assert_eq!(us.list_buckets().send().await.unwrap().buckets().len(), 3);
    assert_eq!(world.client(EU).list_buckets().send().await.unwrap().buckets().len(), 1);
    eu.create_bucket().bucket("made-there").send().await.unwrap();
    assert!(world.region(EU).objects().has_bucket("made-there"));
}

#[tokio::test]
async fn large_bodies_stay_out_of_memory_and_nothing_is_left_after_the_world_ends() {
    let world = World::new();
    let s3 = world.client(EU);
    s3.put_object().bucket(BUCKET).key("k").body(ByteStream::from(bytes(2 << 20))).send().await.unwrap();
    let folder = world.scratch.path().join("regions").join(EU);
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    // A download that nobody finishes must not keep the world from ending.
    let unread = s3.get_object().bucket(BUCKET).key("k").send().await.unwrap();
    let World { regions, gateway, .. } = world;
    let address = gateway.region_url(EU).unwrap();
    gateway.shutdown().await;
    drop(regions);
    assert!(!folder.exists(), "the bodies are gone with the region");
    assert!(std::net::TcpStream::connect(address.trim_start_matches("http://")).is_err());
    drop(unread);
}

#[tokio::test]
async fn an_archived_object_is_refused_with_its_class_and_restored_as_s3_does() {
    use aws_sdk_s3::{
        error::SdkError,
        operation::get_object::GetObjectError,
        types::{OptionalObjectAttributes, RestoreRequest, StorageClass, Tier},
    };
    let world = World::new();
    let s3 = world.client(EU);
    let put = s3.put_object().bucket(BUCKET).key("k").storage_class(StorageClass::Glacier);
    put.body(ByteStream::from_static(b"cold")).send().await.unwrap();
    let get = || s3.get_object().bucket(BUCKET).key("k");
    // The SDK reads the class from an element of the body that says so.
    match get().send().await {
        Err(SdkError::ServiceError(error)) => match error.err() {
            GetObjectError::InvalidObjectState(state) => {
                assert_eq!(state.storage_class(), Some(&StorageClass::Glacier))
            }
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
    let restore = |tier| {
        let request = RestoreRequest::builder().days(1).tier(tier).build();
        s3.restore_object().bucket(BUCKET).key("k").restore_request(request).send()
    };
    restore(Tier::Bulk).await.unwrap();
    assert_eq!(why(restore(Tier::Bulk).await), "RestoreAlreadyInProgress");
    assert_eq!(why(get().send().await), "InvalidObjectState");
    let list = s3.list_objects_v2().bucket(BUCKET);
    let list = list.optional_object_attributes(OptionalObjectAttributes::RestoreStatus);
    let listed = list.send().await.unwrap();
    assert_eq!(listed.contents()[0].restore_status().unwrap().is_restore_in_progress(), Some(true));
    world.clock.set("2026-11-05T03:00:00Z".parse().unwrap());
    assert_eq!(get().send().await.unwrap().body.collect().await.unwrap().into_bytes(), "cold");
    let head = s3.head_object().bucket(BUCKET).key("k").send().await.unwrap();
    assert_eq!(head.restore(), Some("ongoing-request=\"false\", expiry-date=\"Fri, 06 Nov 2026 00:00:00 GMT\""));
}
