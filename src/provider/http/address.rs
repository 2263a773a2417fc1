//! Which addresses may be called: https, or http on loopback (guarantees, G23), without a user name in them.

use std::net::IpAddr;

use super::{HeaderMap, HeaderValue, ProviderError, Url, rejected};

/// How far away a server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// This machine, over http.
    Loopback,
    /// Anywhere, over https.
    Secure,
}

/// Reads the configured address.
///
/// The endings `/v1` and `/inference/v1` of addresses meant for chat clients are dropped, for paths here begin with
/// the version.
pub(super) fn base(text: &str) -> Result<(Url, Reach), ProviderError> {
    let fail = |problem: &'static str| {
        let shown = crate::domain::text::printable(text);
        // What looks like a password is not repeated.
        let shown = if text.contains('@') {
            "it".into()
        } else {
            shown
        };
        rejected(
            "open provider",
            format!("the base address: {shown} {problem}"),
        )
    };
    let mut url = Url::parse(text.trim()).map_err(|_cause| fail("is not an address"))?;
    let reach = reach(&url).map_err(fail)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(fail("has a query or a fragment"));
    }
    let path = url.path().trim_end_matches('/');
    let path = path.strip_suffix("/v1").unwrap_or(path);
    let path = path.strip_suffix("/inference").unwrap_or(path).to_owned();
    url.set_path(&path);
    Ok((url, reach))
}

/// Reads a signed address that the server gave. An API out in the world cannot make us call this machine.
pub(super) fn signed(text: &str, api: Reach) -> Result<(Url, Reach), &'static str> {
    let url =
        Url::parse(text).map_err(|_cause| "the storage address is not an absolute address")?;
    match (reach(&url), api) {
        (Ok(Reach::Loopback), Reach::Secure) => {
            Err("the storage address points to this machine, and the service is elsewhere")
        }
        (Ok(reach), _) => Ok((url, reach)),
        (Err(_), _) => Err("the storage address is neither https nor loopback, or has a user name"),
    }
}

fn reach(url: &Url) -> Result<Reach, &'static str> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err("has a user name or password in it");
    }
    match url.scheme() {
        "https" => Ok(Reach::Secure),
        "http" if is_loopback(url) => Ok(Reach::Loopback),
        "http" => Err("is not https, and the key would be readable on the way"),
        _ => Err("is neither https nor loopback http"),
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The headers that a signed upload address asks for, named in its `X-Goog-SignedHeaders` or `X-Amz-SignedHeaders`.
///
/// Others would break the signature. `Err` names one that cannot be given.
pub(super) fn signed_headers(url: &Url, bytes: u64) -> Result<HeaderMap, String> {
    let names = url
        .query_pairs()
        .find(|(name, _)| {
            name.eq_ignore_ascii_case("X-Goog-SignedHeaders")
                || name.eq_ignore_ascii_case("X-Amz-SignedHeaders")
        })
        .map_or_else(
            || "content-type".to_owned(),
            |(_, value)| value.to_lowercase(),
        );
    let mut headers = HeaderMap::new();
    // Without it the body would be sent in chunks, which storage services refuse.
    headers.insert("content-length", HeaderValue::from(bytes));
    for name in names.split(';').filter(|name| !name.is_empty()) {
        match name {
            "host" | "content-length" => {}
            "content-type" => {
                let value = HeaderValue::from_static("application/octet-stream");
                headers.insert("content-type", value);
            }
            "x-goog-content-length-range" => {
                let value = HeaderValue::from_str(&format!("{bytes},{bytes}"))
                    .map_err(|_cause| name.to_owned())?;
                headers.insert("x-goog-content-length-range", value);
            }
            "x-amz-content-sha256" => {
                let value = HeaderValue::from_static("UNSIGNED-PAYLOAD");
                headers.insert("x-amz-content-sha256", value);
            }
            other => return Err(other.chars().take(80).collect()),
        }
    }
    Ok(headers)
}
