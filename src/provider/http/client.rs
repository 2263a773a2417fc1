//! The one way to make a client.

use std::time::Duration;

use reqwest::header::{self, HeaderMap, HeaderValue};
use reqwest::{Client, ClientBuilder};

use super::address::Reach;
use super::{Limits, ProviderError, rejected};

/// Makes a client that follows nothing, repeats nothing and unpacks nothing.
pub(super) fn client(reach: Reach, limits: Limits) -> Result<Client, ProviderError> {
    // Fails only where a provider is installed already, which is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    let mut headers = HeaderMap::new();
    headers.insert(
        header::ACCEPT_ENCODING,
        HeaderValue::from_static("identity"),
    );
    let builder = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .user_agent(concat!("evaltui/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers)
        .connect_timeout(Duration::from_secs(15))
        .read_timeout(limits.idle);
    let builder: ClientBuilder = match reach {
        // No proxy could reach it, and no certificate is needed, which a bare container would not have.
        Reach::Loopback => builder.no_proxy().tls_certs_only([]),
        Reach::Secure => builder.https_only(true),
    };
    builder.build().map_err(|error| ProviderError {
        source: Some(Box::new(error)),
        ..rejected(
            "open provider",
            "the HTTP client cannot be made; are the machine's certificates installed?",
        )
    })
}
