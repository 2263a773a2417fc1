//! From the validated settings and the environment to a provider. The only place that knows which adapters exist and
//! which environment variables they read.

use std::sync::Arc;

use secrecy::SecretString;

use super::fireworks::{Fireworks, FireworksSettings};
use super::{Provider, ProviderError, ProviderErrorKind};
use crate::config::settings::{ProviderName, ProviderSettings};
use crate::sys::{Clock, Environment};

/// The account under which the embedded provider keeps its jobs.
pub const SIM_ACCOUNT: &str = "sim";

/// The variable of the Fireworks key.
const FIREWORKS_KEY: &str = "FIREWORKS_API_KEY";
/// The variable of the Fireworks account.
const FIREWORKS_ACCOUNT: &str = "FIREWORKS_ACCOUNT_ID";
/// The variables of the Fireworks address; the second is the predecessor's.
const FIREWORKS_BASES: [&str; 2] = ["FIREWORKS_BASE_URL", "FIREWORKS_API_BASE"];

/// Opens the service that the settings name. Sends nothing.
///
/// Fireworks takes its key from the variable that `api_key_env` names (or `FIREWORKS_API_KEY`), its account from the
/// settings or `FIREWORKS_ACCOUNT_ID`, its address from the settings, `FIREWORKS_BASE_URL` or `FIREWORKS_API_BASE`.
/// The names `openai`, `anthropic`, `chat` and `slurm` have no adapter in this version. The embedded provider is opened with
/// [`open_sim`] by whoever started it.
///
/// # Errors
/// `Account` where the key or the account is missing or cannot be one, `Rejected` where the address cannot be used or
/// the service has no adapter.
pub fn open(
    settings: &ProviderSettings,
    env: &Environment,
    clock: Arc<dyn Clock>,
) -> Result<Arc<dyn Provider>, ProviderError> {
    match settings.name {
        ProviderName::Fireworks => fireworks(settings, env, clock),
        ProviderName::Sim => Err(refused(
            "the embedded provider has no address yet; it is started first",
        )),
        ProviderName::OpenAi => Err(absent("openai")),
        ProviderName::Anthropic => Err(absent("anthropic")),
        ProviderName::Chat => Err(absent("chat")),
        ProviderName::Slurm => Err(absent("slurm")),
    }
}

/// Opens the embedded provider, which speaks the Fireworks dialect on loopback.
///
/// `min_poll_ms` is the shortest sensible time between two looks, which follows from its pace.
pub fn open_sim(
    base_url: &str,
    api_key: SecretString,
    min_poll_ms: u64,
    clock: Arc<dyn Clock>,
) -> Result<Arc<dyn Provider>, ProviderError> {
    let mut settings = FireworksSettings::new(base_url, SIM_ACCOUNT, api_key, clock);
    "sim".clone_into(&mut settings.name);
    settings.min_poll_ms = min_poll_ms;
    Ok(Arc::new(Fireworks::new(settings)?))
}

fn fireworks(
    settings: &ProviderSettings,
    env: &Environment,
    clock: Arc<dyn Clock>,
) -> Result<Arc<dyn Provider>, ProviderError> {
    let variable = settings.api_key_env.as_deref().unwrap_or(FIREWORKS_KEY);
    let key = env
        .get(variable)
        .ok_or_else(|| missing(&format!("{variable} is not set")))?;
    let account = settings
        .account_id
        .as_deref()
        .or_else(|| env.get(FIREWORKS_ACCOUNT))
        .ok_or_else(|| {
            missing(&format!(
                "neither provider.account_id nor {FIREWORKS_ACCOUNT} is set"
            ))
        })?;
    let base = settings
        .base_url
        .as_deref()
        .or_else(|| FIREWORKS_BASES.iter().find_map(|name| env.get(name)))
        .unwrap_or(super::fireworks::BASE_URL);
    let settings = FireworksSettings::new(base, account, SecretString::from(key), clock);
    Ok(Arc::new(Fireworks::new(settings)?))
}

fn missing(message: &str) -> ProviderError {
    ProviderError::new(ProviderErrorKind::Account, "open fireworks", message)
}

fn refused(message: &str) -> ProviderError {
    ProviderError::new(ProviderErrorKind::Rejected, "open provider", message)
}

fn absent(name: &str) -> ProviderError {
    refused(&format!(
        "{name} is not available in this version; available: sim, fireworks"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::settings::{SimAnswers, SimSettings};
    use crate::sys::FixedClock;

    fn settings(name: ProviderName) -> ProviderSettings {
        ProviderSettings {
            name,
            base_url: None,
            account_id: None,
            api_key_env: None,
            sim: SimSettings {
                answers: SimAnswers::Oracle,
                replay_dir: None,
                accuracy_control: 0.5,
                accuracy_treatment: 0.5,
                accuracy_by_model: std::collections::BTreeMap::default(),
                seconds_per_job: 0.0,
                row_error_rate: 0.0,
                seed: 1,
                state_dir: None,
            },
        }
    }

    fn clock() -> Arc<dyn Clock> {
        Arc::new(FixedClock::new(jiff::Timestamp::UNIX_EPOCH))
    }

    fn opened(
        settings: &ProviderSettings,
        env: &[(&str, &str)],
    ) -> Result<Arc<dyn Provider>, ProviderError> {
        let env = Environment::from_pairs(env.iter().copied());
        open(settings, &env, clock())
    }

    #[test]
    fn fireworks_is_opened_from_its_usual_variables_or_the_named_one() {
        let usual = [
            ("FIREWORKS_API_KEY", "fw_k"),
            ("FIREWORKS_ACCOUNT_ID", "acme"),
        ];
        let mut settings = settings(ProviderName::Fireworks);
        let provider = opened(&settings, &usual).unwrap();
        assert_eq!(provider.capabilities().name, "fireworks");
        assert!(format!("{provider:?}").contains("https://api.fireworks.ai"));

        settings.api_key_env = Some("MY_KEY".to_owned());
        settings.account_id = Some("accounts/beta".to_owned());
        let error = opened(&settings, &usual).unwrap_err();
        assert!(error.message.contains("MY_KEY"), "{error}");
        let provider = opened(&settings, &[("MY_KEY", "fw_k")]).unwrap();
        assert!(format!("{provider:?}").contains("beta"));
    }

    #[test]
    fn the_address_comes_from_the_settings_then_the_environment() {
        let env = [
            ("FIREWORKS_API_KEY", "fw_k"),
            ("FIREWORKS_ACCOUNT_ID", "acme"),
            ("FIREWORKS_API_BASE", "http://127.0.0.1:7"),
        ];
        let mut settings = settings(ProviderName::Fireworks);
        let shown = |s: &ProviderSettings| format!("{:?}", opened(s, &env).unwrap());
        assert!(shown(&settings).contains("127.0.0.1:7"));
        settings.base_url = Some("http://127.0.0.1:8".to_owned());
        assert!(shown(&settings).contains("127.0.0.1:8"));
    }

    #[test]
    fn what_is_missing_is_named() {
        let settings = settings(ProviderName::Fireworks);
        let error = opened(&settings, &[]).unwrap_err();
        assert_eq!(error.kind, ProviderErrorKind::Account);
        assert!(error.message.contains(FIREWORKS_KEY));
        let error = opened(&settings, &[(FIREWORKS_KEY, "fw_k")]).unwrap_err();
        assert!(error.message.contains(FIREWORKS_ACCOUNT));
    }

    #[test]
    fn services_without_an_adapter_say_so() {
        for name in [
            ProviderName::OpenAi,
            ProviderName::Anthropic,
            ProviderName::Chat,
            ProviderName::Slurm,
        ] {
            let error = opened(&settings(name), &[]).unwrap_err();
            assert_eq!(error.kind, ProviderErrorKind::Rejected);
            assert!(error.message.contains("not available in this version"));
        }
        let key = SecretString::from("sim");
        let sim = open_sim("http://127.0.0.1:9", key, 50, clock()).unwrap();
        assert_eq!(sim.capabilities().name, "sim");
        assert_eq!(sim.capabilities().min_poll_ms, 50);
    }
}
