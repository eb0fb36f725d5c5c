#!/usr/bin/env bash
# What backup tools must be able to do against the emulated regions, one function a tool. Run by tests/s3_tools.rs with
# ENDPOINT (all regions), ENDPOINT_EU (eu-west-1 alone), AWS keys and an empty HOME; `s3_tools.sh TOOL`.
set -euo pipefail

export AWS_DEFAULT_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true AWS_MAX_ATTEMPTS=2
tool=$1

fail() { echo "FAILED $tool: $*" >&2; exit 1; }
skip() { echo "SKIPPED $tool: $*"; exit 0; }
step() { echo "  $tool: $*"; }
same() { [[ $1 == "$2" ]] || fail "$3: expected [$2], got [$1]"; }
refused() { if "$@" >refused.log 2>&1; then fail "not refused: $*"; fi; }
usable() { # COMMAND…: installed, and not a shim that leads nowhere
  command -v "$1" >/dev/null || skip "not installed"
  "$@" >/dev/null 2>&1 || skip "installed at $(command -v "$1"), but \`$*\` fails"
}

scenario_time() { # MOMENT: sets the regions' clock
  printf '%s' "$1" >clock.new && mv clock.new clock
  while [[ -e clock ]]; do sleep 0.02; done
}

# A tree with what trips listings up: spaces, plus signs, other scripts, nothing at all, more than one part.
make_tree() {
  mkdir -p tree/sub/deep
  printf 'hello\n' >tree/plain.txt
  printf 'a+b\n' >'tree/a+b c.txt'
  printf '백업\n' >'tree/sub/백업-é.txt'
  : >tree/sub/empty
  head -c 20000000 /dev/urandom >tree/sub/deep/large.bin
}
digest() { (cd "$1" && find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum); }

prove_aws() {
  usable aws --version
  local s3="aws --endpoint-url $ENDPOINT s3" api="aws --endpoint-url $ENDPOINT s3api --output text"
  step "$(aws --version 2>&1)"
  $s3 mb s3://cli-us >/dev/null
  AWS_DEFAULT_REGION=eu-west-1 $s3 mb s3://cli-eu >/dev/null
  same "$($api get-bucket-location --bucket cli-eu)" eu-west-1 "location"
  same "$($s3 ls | wc -l)" 2 "buckets at the shared address"
  same "$(AWS_DEFAULT_REGION=eu-west-1 aws --endpoint-url "$ENDPOINT_EU" s3 ls | wc -l)" 1 "buckets of one region"

  step "sync there and back, $(find tree -type f | wc -l) files"
  $s3 sync tree s3://cli-us/tree --no-progress >/dev/null
  $s3 sync s3://cli-us/tree back --no-progress >/dev/null
  same "$(digest back)" "$(digest tree)" "tree after sync"
  # By size: the scenario's clock is behind the files' own dates.
  $s3 sync tree s3://cli-us/tree --no-progress --size-only >again.log
  same "$(wc -c <again.log)" 0 "a second sync copies nothing"
  same "$($s3 ls s3://cli-us/tree/ --recursive | wc -l)" 5 "listing"
  $s3 ls s3://cli-us/tree/plain.txt | grep -q '^2026-03-01' || fail "LastModified is not the scenario's"

  step "stream, empty objects, copy between regions, move"
  seq 1 1000000 | $s3 cp - s3://cli-us/stream
  same "$($s3 cp s3://cli-us/stream - | sha256sum)" "$(seq 1 1000000 | sha256sum)" "stream"
  for n in 1 2 3; do $api put-object --bucket cli-us --key "empty-$n" >/dev/null; done
  # Through the variable, for --endpoint-url is not that of the source.
  AWS_ENDPOINT_URL=$ENDPOINT AWS_DEFAULT_REGION=eu-west-1 aws s3 cp s3://cli-us/tree/sub/deep/large.bin \
    s3://cli-eu/large.bin --source-region us-east-1 --no-progress >/dev/null
  same "$(AWS_DEFAULT_REGION=eu-west-1 $s3 cp s3://cli-eu/large.bin - | sha256sum)" "$(sha256sum <tree/sub/deep/large.bin)" "copy between regions"
  $s3 mv s3://cli-us/stream 's3://cli-us/moved here+' --no-progress >/dev/null
  refused $s3 ls s3://cli-us/stream

  step "versions, delete markers, range, metadata, pages"
  $api put-bucket-versioning --bucket cli-us --versioning-configuration Status=Enabled
  printf one >v1; printf two >v2
  local first
  first=$($api put-object --bucket cli-us --key ver --body v1 --metadata who=me --query VersionId)
  $api put-object --bucket cli-us --key ver --body v2 >/dev/null
  $s3 rm s3://cli-us/ver >/dev/null
  refused $api head-object --bucket cli-us --key ver
  $api get-object --bucket cli-us --key ver --version-id "$first" --range bytes=1-2 got >/dev/null
  same "$(cat got)" ne "range of an old version"
  same "$($api head-object --bucket cli-us --key ver --version-id "$first" --query Metadata.who)" me "metadata"
  same "$($api list-object-versions --bucket cli-us --prefix ver --query 'length(DeleteMarkers)')" 1 "delete markers"
  same "$($api list-objects-v2 --bucket cli-us --page-size 2 --query 'length(Contents)' | tail -1)" 1 "last page"

  step "object lock, conditional writes, what must be refused"
  $api create-bucket --bucket cli-lock --object-lock-enabled-for-bucket >/dev/null
  local until=2026-06-01T00:00:00Z locked
  locked=$($api put-object --bucket cli-lock --key k --body v1 --object-lock-mode GOVERNANCE --object-lock-retain-until-date $until --query VersionId)
  refused $api delete-object --bucket cli-lock --key k --version-id "$locked"
  grep -q AccessDenied refused.log || fail "a locked version is refused with: $(cat refused.log)"
  $api delete-object --bucket cli-lock --key k --version-id "$locked" --bypass-governance-retention >/dev/null
  locked=$($api put-object --bucket cli-lock --key k --body v1 --object-lock-mode COMPLIANCE --object-lock-retain-until-date $until --query VersionId)
  refused $api delete-object --bucket cli-lock --key k --version-id "$locked" --bypass-governance-retention
  $api put-object-legal-hold --bucket cli-lock --key k --legal-hold Status=ON
  same "$($api get-object-legal-hold --bucket cli-lock --key k --query LegalHold.Status)" ON "legal hold"
  refused $api put-object --bucket cli-us --key tree/plain.txt --body v1 --if-none-match '*'
  refused $s3 rb s3://cli-us
  AWS_SECRET_ACCESS_KEY=wrong refused $s3 ls s3://cli-us

  step "storage classes, what is archived, restores"
  $s3 cp tree/plain.txt s3://cli-us/cold/plain.txt --storage-class GLACIER --no-progress >/dev/null
  $s3 sync tree s3://cli-us/ia --storage-class STANDARD_IA --no-progress >/dev/null
  same "$($api list-objects-v2 --bucket cli-us --prefix ia/ --query 'Contents[].StorageClass' | tr '\t' '\n' | uniq -c | xargs)" "5 STANDARD_IA" "classes, in one piece and in parts"
  local cold="--bucket cli-us --key cold/plain.txt"
  same "$($api head-object $cold --query '[StorageClass,Restore]' | xargs)" "GLACIER None" "an archived object"
  refused $api get-object $cold got
  grep -q InvalidObjectState refused.log || fail "an archived object is refused with: $(cat refused.log)"
  refused $s3 cp s3://cli-us/cold/plain.txt got
  refused $api copy-object --bucket cli-us --key warm --copy-source cli-us/cold/plain.txt
  $api restore-object $cold --restore-request 'Days=2,GlacierJobParameters={Tier=Standard}'
  same "$($api head-object $cold --query Restore)" 'ongoing-request="true"' "a restore on its way"
  refused $api restore-object $cold --restore-request Days=2
  grep -q RestoreAlreadyInProgress refused.log || fail "a second restore is refused with: $(cat refused.log)"
  refused $api get-object $cold got
  scenario_time 2026-03-01T08:00:00Z
  same "$($api head-object $cold --query Restore)" 'ongoing-request="false", expiry-date="Wed, 04 Mar 2026 00:00:00 GMT"' "a restored copy"
  $s3 cp s3://cli-us/cold/plain.txt got --no-progress >/dev/null
  same "$(cat got)" hello "what was archived"
  $api copy-object --bucket cli-us --key warm --copy-source cli-us/cold/plain.txt --storage-class STANDARD >/dev/null
  scenario_time 2026-03-04T00:00:00Z
  refused $api get-object $cold got
  same "$($s3 cp s3://cli-us/warm -)" hello "a copy with another class"
  refused $api put-object --bucket cli-us --key k --body v1 --storage-class FROZEN

  step "a bucket that locks what comes in"
  $api put-object-lock-configuration --bucket cli-lock --object-lock-configuration 'ObjectLockEnabled=Enabled,Rule={DefaultRetention={Mode=GOVERNANCE,Days=30}}'
  locked=$($api put-object --bucket cli-lock --key backup --body v1 --query VersionId)
  same "$($api get-object-retention --bucket cli-lock --key backup --query 'Retention.[Mode,RetainUntilDate]' | xargs | cut -c1-30)" "GOVERNANCE 2026-04-03T00:00:00" "the default retention"
  refused $api delete-object --bucket cli-lock --key backup --version-id "$locked"
  $s3 rm s3://cli-lock/backup >/dev/null
  refused $api head-object --bucket cli-lock --key backup
  $api get-object --bucket cli-lock --key backup --version-id "$locked" got >/dev/null
  same "$(cat got)" one "what is below a delete marker"

  step "a writer's and a reader's keys"
  local writer="env AWS_ACCESS_KEY_ID=AKIDwriter $api" reader="env AWS_ACCESS_KEY_ID=AKIDreader $api"
  denied() { refused "$@"; grep -q AccessDenied refused.log || fail "refused, but with: $(cat refused.log)"; }
  $writer put-object --bucket cli-lock --key backup --body v2 >/dev/null
  denied $writer delete-object --bucket cli-lock --key backup --version-id "$locked" --bypass-governance-retention
  denied $writer put-object-retention --bucket cli-lock --key backup --version-id "$locked" --retention Mode=GOVERNANCE,RetainUntilDate=2026-03-05T00:00:00Z
  denied $writer put-object --bucket cli-lock --key backup --body v2 --object-lock-legal-hold-status ON
  denied $writer put-bucket-versioning --bucket cli-us --versioning-configuration Status=Suspended
  denied $writer put-object-lock-configuration --bucket cli-lock --object-lock-configuration ObjectLockEnabled=Enabled
  denied $writer create-bucket --bucket cli-more
  env AWS_ACCESS_KEY_ID=AKIDwriter $s3 rm s3://cli-us/ia --recursive >/dev/null
  same "$($reader get-object --bucket cli-us --key warm got --query ContentLength)" 6 "what a reader reads"
  $reader list-objects-v2 --bucket cli-us >/dev/null
  denied $reader put-object --bucket cli-us --key warm --body tree/sub/deep/large.bin
  denied $reader delete-object --bucket cli-us --key warm
  denied $reader restore-object $cold --restore-request Days=2

  step "remove everything"
  $s3 rm s3://cli-eu --recursive --region eu-west-1 >/dev/null
  $s3 rb s3://cli-eu --region eu-west-1 >/dev/null
}

prove_boto3() {
  local python
  for python in python3 python; do "$python" -c 'import boto3' 2>/dev/null && break || python=; done
  [[ -n $python ]] || skip "not installed for python3"
  "$python" - <<'PYTHON'
import io, os, hashlib, urllib.request
import boto3, botocore
from botocore.config import Config
from botocore.exceptions import ClientError

print(f"  boto3: {boto3.__version__}")
config = Config(retries={"max_attempts": 1}, read_timeout=20)
s3 = boto3.client("s3", endpoint_url=os.environ["ENDPOINT"], config=config)
s3.create_bucket(Bucket="boto")

def code(call, **kw):
    try:
        call(**kw)
    except ClientError as e:
        return e.response["Error"]["Code"]
    return None

# Empty bodies with `Expect: 100-continue` one after the other: a connection must not be poisoned by them.
for n in range(30):
    s3.put_object(Bucket="boto", Key=f"empty/{n:02}", Body=b"")
keys = ["a b", "a+b", "a/b/c", "백업/é", "z%20", "tab\tkey", "<&>\"'"]
for key in keys:
    s3.put_object(Bucket="boto", Key="odd/" + key, Body=key.encode(), Metadata={"n": "1"})
pages = s3.get_paginator("list_objects_v2").paginate(Bucket="boto", Prefix="odd/", PaginationConfig={"PageSize": 2})
listed = [o["Key"][4:] for page in pages for o in page.get("Contents", [])]
assert sorted(listed, key=lambda k: k.encode()) == listed and set(listed) == set(keys), listed
for key in keys:
    assert s3.get_object(Bucket="boto", Key="odd/" + key)["Body"].read() == key.encode(), key
page = s3.list_objects(Bucket="boto", Prefix="odd/", Delimiter="/", MaxKeys=3)
assert page["IsTruncated"] and page["NextMarker"], page

for algorithm in ["CRC32", "CRC32C", "SHA1", "SHA256", "CRC64NVME"]:
    if algorithm in ("CRC32C", "CRC64NVME"):
        try:
            import awscrt
        except ImportError:
            continue
    s3.put_object(Bucket="boto", Key=algorithm, Body=b"sum", ChecksumAlgorithm=algorithm)
    got = s3.get_object(Bucket="boto", Key=algorithm, ChecksumMode="ENABLED")
    assert got["Body"].read() == b"sum" and got["Checksum" + algorithm], got
assert code(s3.put_object, Bucket="boto", Key="bad", Body=b"x", ContentMD5="AAAAAAAAAAAAAAAAAAAAAA==") == "BadDigest"
assert code(s3.put_object, Bucket="boto", Key="bad", Body=b"x", ChecksumSHA256="A" * 43 + "=") == "BadDigest"

large = os.urandom(18 << 20)
s3.upload_fileobj(io.BytesIO(large), "boto", "large")
head = s3.head_object(Bucket="boto", Key="large")
assert head["ETag"].endswith('-3"') and head["ContentLength"] == len(large), head
out = io.BytesIO(); s3.download_fileobj("boto", "large", out)
assert out.getvalue() == large
s3.copy({"Bucket": "boto", "Key": "large"}, "boto", "copied")
assert s3.get_object(Bucket="boto", Key="copied", Range="bytes=1000-1999")["Body"].read() == large[1000:2000]

url = s3.generate_presigned_url("get_object", Params={"Bucket": "boto", "Key": "odd/a+b"})
assert urllib.request.urlopen(url).read() == b"a+b"

# A client that believes the bucket is elsewhere is told the right region, and finds it.
eu = boto3.client("s3", endpoint_url=os.environ["ENDPOINT"], region_name="eu-west-1", config=config)
eu.create_bucket(Bucket="boto-eu", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
assert s3.get_bucket_location(Bucket="boto-eu")["LocationConstraint"] == "eu-west-1"
own = boto3.client("s3", endpoint_url=os.environ["ENDPOINT_EU"], region_name="ap-northeast-1", config=config)
own.meta.events.unregister("needs-retry.s3.GetObject")
assert code(own.get_object, Bucket="boto-eu", Key="x") in ("AuthorizationHeaderMalformed", "NoSuchKey")

assert code(s3.get_object, Bucket="boto", Key="none") == "NoSuchKey"
assert code(s3.get_object, Bucket="nobody", Key="none") == "NoSuchBucket"
assert code(s3.get_object, Bucket="boto", Key="large", Range="bytes=99999999-") == "InvalidRange"
assert code(s3.head_object, Bucket="boto", Key="large", IfNoneMatch=head["ETag"]) == "304"
assert code(s3.head_object, Bucket="boto", Key="large", IfMatch='"0"') == "412"
assert code(s3.delete_bucket, Bucket="boto") == "BucketNotEmpty"

s3.put_object_tagging(Bucket="boto", Key="large", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
assert s3.get_object_tagging(Bucket="boto", Key="large")["TagSet"] == [{"Key": "a", "Value": "b"}]
bucket = boto3.resource("s3", endpoint_url=os.environ["ENDPOINT"], config=config).Bucket("boto")
bucket.objects.all().delete()
s3.delete_bucket(Bucket="boto")
PYTHON
}

prove_rclone() {
  usable rclone version
  step "$(rclone version | head -1)"
  unset AWS_CA_BUNDLE
  export RCLONE_CONFIG_US_TYPE=s3 RCLONE_CONFIG_US_PROVIDER=Other RCLONE_CONFIG_US_ENV_AUTH=true
  export RCLONE_CONFIG_US_ENDPOINT=$ENDPOINT RCLONE_CONFIG_US_REGION=us-east-1
  export RCLONE_CONFIG_EU_TYPE=s3 RCLONE_CONFIG_EU_PROVIDER=Other RCLONE_CONFIG_EU_ENV_AUTH=true
  export RCLONE_CONFIG_EU_ENDPOINT=$ENDPOINT_EU RCLONE_CONFIG_EU_REGION=eu-west-1 RCLONE_CONFIG_EU_LOCATION_CONSTRAINT=eu-west-1
  local flags="--retries 1 --low-level-retries 2 --timeout 20s --contimeout 5s -q"
  rclone $flags mkdir us:rcl
  rclone $flags mkdir eu:rcl-eu
  step "sync, in parts of 5 MiB, and check"
  rclone $flags --s3-upload-cutoff 5M --s3-chunk-size 5M sync tree us:rcl/tree
  rclone $flags check --download tree us:rcl/tree
  rclone $flags sync us:rcl/tree back
  same "$(digest back)" "$(digest tree)" "tree after sync"
  step "from region to region"
  rclone $flags sync us:rcl/tree eu:rcl-eu/tree
  rclone $flags check us:rcl/tree eu:rcl-eu/tree
  same "$(rclone $flags lsf -R --files-only us:rcl/tree | wc -l)" 5 "listing"
  same "$(rclone $flags cat 'us:rcl/tree/a+b c.txt')" "a+b" "odd name"
  seq 1 2000000 | rclone $flags rcat us:rcl/stream
  same "$(rclone $flags cat us:rcl/stream | sha256sum)" "$(seq 1 2000000 | sha256sum)" "stream"
  step "modification time, move, purge"
  touch -d 2020-02-02T02:02:02Z tree/plain.txt
  rclone $flags sync tree us:rcl/tree
  rclone $flags lsl us:rcl/tree/plain.txt | grep -q 2020-02-02 || fail "modification time is lost"
  rclone $flags moveto us:rcl/tree/plain.txt us:rcl/moved.txt
  rclone $flags purge us:rcl
  refused rclone $flags lsf us:rcl
}

prove_restic() {
  usable restic version
  step "$(restic version)"
  export RESTIC_PASSWORD=fire RESTIC_PROGRESS_FPS=1
  AWS_DEFAULT_REGION=us-east-1
  local repo="restic -q --no-cache -r s3:$ENDPOINT/restic-us/repo"
  $repo init
  step "two backups, check, forget and prune, restore"
  $repo backup tree
  printf 'changed\n' >tree/plain.txt
  $repo backup tree
  $repo check --read-data
  $repo forget --keep-last 1 --prune
  $repo check
  $repo restore latest --target back
  local restored
  restored=$(find back -type d -name tree | head -1)
  same "$(digest "$restored")" "$(digest tree)" "tree after restore"
  same "$($repo snapshots --json | grep -o '"short_id"' | wc -l)" 1 "snapshots"
  step "a second region at its own address"
  AWS_DEFAULT_REGION=eu-west-1 restic -q --no-cache -r "s3:$ENDPOINT_EU/restic-eu" init
  AWS_DEFAULT_REGION=eu-west-1 restic -q --no-cache -r "s3:$ENDPOINT_EU/restic-eu" backup tree/plain.txt
}

prove_s5cmd() {
  usable s5cmd version
  step "$(s5cmd version)"
  local s5="s5cmd --endpoint-url $ENDPOINT --retry-count 1"
  $s5 mb s3://five >/dev/null
  step "copy there and back, in parts, listing, pipe, removal"
  $s5 cp -p 5 'tree/*' s3://five/tree/ >/dev/null
  $s5 cp 's3://five/tree/*' back/ >/dev/null
  same "$(digest back)" "$(digest tree)" "tree after cp"
  same "$($s5 ls 's3://five/tree/*' | grep -vc DIR)" 5 "listing"
  same "$($s5 cat 's3://five/tree/a+b c.txt')" "a+b" "odd name"
  $s5 sync tree/ s3://five/synced/ >/dev/null
  same "$($s5 du 's3://five/synced/*' | grep -o 'in [0-9]* objects')" "in 5 objects" "du"
  $s5 mv s3://five/tree/plain.txt s3://five/moved.txt >/dev/null
  refused $s5 cat s3://five/tree/plain.txt
  $s5 rm 's3://five/*' >/dev/null
  $s5 rb s3://five >/dev/null
}

make_tree
"prove_$tool"
echo "PASSED $tool"
