//! Looks up the names of emulated regions, as their links let it: they stand in no real directory.

use std::{net::Ipv4Addr, sync::Arc};

use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};

use crate::emulator::link::Link;

/// The name of an emulated region's host, in the domain that is nobody's.
pub(super) fn host(region: &str) -> String {
    format!("{region}.s3.backdraft.test")
}

/// A directory in which one region stands, on loopback.
#[derive(Debug, Clone)]
pub(super) struct Names(pub(super) Arc<Link>);

impl ResolveDns for Names {
    fn resolve_dns<'a>(&'a self, _: &'a str) -> DnsFuture<'a> {
        let found = self.0.look_up().map(|()| vec![Ipv4Addr::LOCALHOST.into()]);
        DnsFuture::ready(found.map_err(ResolveDnsError::new))
    }
}
