//! Emulated S3 regions: a versioned object model, its S3 face, and the gateway with its faulty links.
