//! Files behind signed addresses: put and fetched with clients that know no key.

use super::address::{self, Reach};
use super::{
    Cargo, Client, Effect, Http, Limits, ProviderError, ProviderErrorKind, Response, Url, client,
    local, open, rejected, said,
};
use crate::provider::landing::{Landing, Rows};
use tokio::sync::OnceCell;

/// Clients without credentials. Made when first needed: the secure one reads the machine's certificates.
pub(super) struct Storage {
    /// How the API is reached; an API out in the world cannot send us to loopback.
    api: Reach,
    loopback: OnceCell<Client>,
    secure: OnceCell<Client>,
}

impl Storage {
    pub(super) fn new(api: Reach) -> Self {
        Self {
            api,
            loopback: OnceCell::new(),
            secure: OnceCell::new(),
        }
    }

    async fn client(&self, reach: Reach, limits: Limits) -> Result<&Client, ProviderError> {
        let cell = match reach {
            Reach::Loopback => &self.loopback,
            Reach::Secure => &self.secure,
        };
        cell.get_or_try_init(async || client(reach, limits)).await
    }
}

impl Http {
    /// Puts a file to a signed address, once, with the headers that the address has signed and no credentials.
    pub async fn put_signed(
        &self,
        url: &str,
        cargo: Cargo<'_>,
        what: &str,
    ) -> Result<(), ProviderError> {
        let (client, url) = self.storage(url, what).await?;
        let headers = address::signed_headers(&url, cargo.bytes)
            .map_err(|name| rejected(what, format!("the upload address asks for the header {name:?}, which this version cannot send")))?;
        let request = client
            .put(url)
            .headers(headers)
            .body(open(cargo, what).await?);
        let response = self
            .send(
                request.timeout(self.limits.transfer),
                Effect::Repeatable,
                what,
            )
            .await?;
        if response.status().is_success() {
            return Ok(());
        }
        Err(self.refused_by_storage(&response, what))
    }

    /// Downloads a signed address once into a landing, without credentials, as one shard that was checked to be whole.
    pub async fn download(
        &self,
        url: &str,
        (landing, rows): (&mut Landing, Rows),
        what: &str,
    ) -> Result<(), ProviderError> {
        let (client, url) = self.storage(url, what).await?;
        let request = client.get(url).timeout(self.limits.transfer);
        let mut response = self.send(request, Effect::Repeatable, what).await?;
        if !response.status().is_success() {
            return Err(self.refused_by_storage(&response, what));
        }
        Self::check_encoding(&response, Effect::Repeatable, what)?;
        let limit = self.limits.file_bytes;
        let mut left = limit;
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|e| self.broken(e, Effect::Repeatable, what))?
        {
            left = left
                .checked_sub(chunk.len() as u64)
                .ok_or_else(|| rejected(what, format!("the file is larger than {limit} bytes")))?;
            landing
                .write(&chunk)
                .await
                .map_err(|e| local(what, "cannot write the download", e))?;
        }
        let checked = landing
            .end_shard(rows)
            .await
            .map_err(|e| local(what, "cannot write the download", e))?;
        checked.map_err(|damage| {
            ProviderError::new(ProviderErrorKind::Transient, what, damage.to_string())
        })
    }

    /// The client for a signed address, once the address has been found to be one that may be called.
    async fn storage(&self, url: &str, what: &str) -> Result<(&Client, Url), ProviderError> {
        let (url, reach) =
            address::signed(url, self.storage.api).map_err(|problem| rejected(what, problem))?;
        Ok((self.storage.client(reach, self.limits).await?, url))
    }

    /// What a signed address refused: always worth another, fresh address, for they expire within minutes.
    fn refused_by_storage(&self, response: &Response, what: &str) -> ProviderError {
        let status = response.status().as_u16();
        let kind = match status {
            400..=499 => ProviderErrorKind::Transient,
            other => Effect::Repeatable.of_status(other, ""),
        };
        let retry_after = self.retry_after(response);
        // Not the body: storage services print the signed request into it.
        let mut error = ProviderError::new(kind, what, format!("the storage {}", said(status, "")));
        error.status = Some(status);
        error.retry_after = retry_after;
        error
    }
}
