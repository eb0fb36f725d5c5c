//! A region over real HTTP, through aws-sdk-s3.
