//! Who may ask: somebody on this machine who has the token, and no other site in a browser that is open beside it.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use sha2::{Digest, Sha256};

/// What a request must bring.
pub(super) struct Guard {
    port: u16,
    /// Digests take the same time to compare, however much of a guess is right.
    token: [u8; 32],
}

impl Guard {
    pub(super) fn new(address: SocketAddr, token: &str) -> Self {
        Guard { port: address.port(), token: Sha256::digest(token).into() }
    }

    /// Why a request is turned away.
    fn refuses(&self, headers: &HeaderMap, query: &str) -> Option<&'static str> {
        let text = |name: HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
        if !text(header::HOST).is_some_and(|host| self.is_here(host)) {
            return Some("this page answers at 127.0.0.1 and localhost alone: another name leads here that should not");
        }
        let is_ours = |origin: &str| origin.strip_prefix("http://").is_some_and(|host| self.is_here(host));
        if text(header::ORIGIN).is_some_and(|origin| !is_ours(origin)) {
            return Some("a page of another site asks: only the control page itself may");
        }
        let bearer = text(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
        let in_query = || query.split('&').find_map(|pair| pair.strip_prefix("token="));
        match bearer.or_else(in_query) {
            None => Some(
                "a token is needed: open the page's address as it was printed, or send `Authorization: Bearer TOKEN` \
                 with BACKDRAFT_CONTROL_TOKEN",
            ),
            Some(token) if <[u8; 32]>::from(Sha256::digest(token)) != self.token => Some(
                "this token is another one's: each start has its own; take the address, or BACKDRAFT_CONTROL_TOKEN, that \
                 this one printed",
            ),
            Some(_) => None,
        }
    }

    fn is_here(&self, host: &str) -> bool {
        let port = host.strip_prefix("127.0.0.1:").or_else(|| host.strip_prefix("localhost:"));
        port.is_some_and(|port| port.parse() == Ok(self.port))
    }
}

/// Turns away who may not ask, and says of every answer that it is for nobody else.
pub(super) async fn check(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let refused = guard.refuses(request.headers(), request.uri().query().unwrap_or_default());
    let mut answer = match refused {
        Some(why) => (StatusCode::FORBIDDEN, format!("{why}\n")).into_response(),
        None => next.run(request).await,
    };
    let said = [
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        // The token stands in the page's address. The page itself still says where its forms come from.
        (header::REFERRER_POLICY, "same-origin"),
    ];
    answer.headers_mut().extend(said.map(|(name, value)| (name, HeaderValue::from_static(value))));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_has_the_token_may_ask_and_no_other_site() {
        let guard = Guard::new(([127, 0, 0, 1], 7000).into(), "right");
        let asks = |host: &str, origin: &str, bearer: &str, query: &str| {
            let named = [(header::HOST, host), (header::ORIGIN, origin), (header::AUTHORIZATION, bearer)];
            let given = named.into_iter().filter(|(_, value)| !value.is_empty());
            guard.refuses(&given.map(|(name, value)| (name, value.parse().unwrap())).collect(), query)
        };
        let here = "127.0.0.1:7000";
        assert_eq!(asks(here, "", "Bearer right", ""), None);
        assert_eq!(asks("localhost:7000", "http://localhost:7000", "", "a=b&token=right"), None);
        assert!(asks(here, "", "", "").unwrap().contains("a token is needed"));
        assert!(asks(here, "", "Bearer wrong", "token=right").unwrap().contains("another one's"));
        assert!(asks(here, "", "Bearer right2", "").is_some() && asks(here, "", "Bearer ", "").is_some());
        for origin in ["http://evil.example", "null", "https://127.0.0.1:7000", "http://127.0.0.1:7001"] {
            assert!(asks(here, origin, "Bearer right", "").unwrap().contains("another site"), "{origin}");
        }
        for host in ["evil.example:7000", "127.0.0.1.evil.example:7000", "127.0.0.1", "127.0.0.1:7001", ""] {
            assert!(asks(host, "", "Bearer right", "").unwrap().contains("another name"), "{host}");
        }
    }
}
