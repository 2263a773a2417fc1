//! The service that runs the jobs: its name, address and account, and the embedded provider's settings.
//!
//! No secret passes here: keys are named by their variable, and an address that carries one is refused unread.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::domain::Condition;

use super::check::join;
use super::error::{Fault, Place};
use super::file::Node;
use super::overrides::service_key;
use super::read::{Origin, Reader, number, text, whole};
use super::settings::{PromptSet, ProviderName, ProviderSettings, SimAnswers, SimSettings};

/// The service, and what of it is recorded.
pub(super) struct Service {
    /// The settings.
    pub(super) settings: ProviderSettings,
    /// The address as the file has it; one from the environment is not part of the effective config.
    pub(super) written_base_url: Option<String>,
}

impl ProviderName {
    /// The service's name in configs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sim => "sim",
            Self::Fireworks => "fireworks",
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::Chat => "chat",
            Self::Slurm => "slurm",
        }
    }

    /// The service of a name in a config. `local` is the predecessor's word for `chat`.
    fn of(word: &str) -> Self {
        match word {
            "sim" => Self::Sim,
            "openai" => Self::OpenAi,
            "anthropic" => Self::Anthropic,
            "chat" | "local" => Self::Chat,
            "slurm" => Self::Slurm,
            _ => Self::Fireworks,
        }
    }

    /// Environment variables that name the service's server, the first that is set wins.
    fn address_variables(self) -> &'static [&'static str] {
        match self {
            Self::Fireworks => &["FIREWORKS_BASE_URL", "FIREWORKS_API_BASE"],
            Self::OpenAi | Self::Chat => &["OPENAI_BASE_URL", "OPENAI_API_BASE"],
            Self::Anthropic => &["ANTHROPIC_BASE_URL", "ANTHROPIC_API_BASE"],
            Self::Sim | Self::Slurm => &[],
        }
    }
}

/// Reads the service.
pub(super) fn read(reader: &mut Reader<'_>, prompt_sets: &[PromptSet]) -> Service {
    let root = reader.root;
    let key = service_key(root);
    let node = root.get(key);
    if let (Some(backend), "provider") = (root.get("backend"), key) {
        let other = "provider";
        reader.report(backend.at, "backend", Fault::TwoNames { other });
    }
    let name = ProviderName::of(&text(node, "name"));
    let written_base_url = node.and_then(|n| n.get("base_url")).and_then(|url| {
        let address = url.text()?;
        checked_address(reader, name, address, (url.at, &join(key, "base_url")))
    });
    let settings = ProviderSettings {
        name,
        base_url: address_from_environment(reader, name, key).or_else(|| written_base_url.clone()),
        account_id: account(reader, name, node),
        api_key_env: key_variable(reader, node, key),
        sim: sim(reader, node.and_then(|n| n.get("sim"))),
    };
    if name == ProviderName::Sim && settings.sim.answers == SimAnswers::Replay {
        check_recorded_answers(reader, &settings.sim, node, prompt_sets);
    }
    Service {
        settings,
        written_base_url,
    }
}

fn address_from_environment(
    reader: &mut Reader<'_>,
    name: ProviderName,
    key: &str,
) -> Option<String> {
    let env = reader.ctx.env;
    let set = name
        .address_variables()
        .iter()
        .find_map(|variable| Some((*variable, env.get(variable)?)));
    let (variable, address) = set?;
    checked_address(
        reader,
        name,
        address,
        (Place::Variable(variable), &join(key, "base_url")),
    )
}

fn checked_address(
    reader: &mut Reader<'_>,
    name: ProviderName,
    address: &str,
    (at, key): (Place, &str),
) -> Option<String> {
    match address_problem(address, name) {
        Some(problem) => {
            reader.report(at, key, Fault::Refused { problem });
            None
        }
        None => Some(address.trim_end_matches('/').to_owned()),
    }
}

/// What is wrong with a server's address. The address itself may hold a secret and is never repeated.
fn address_problem(address: &str, name: ProviderName) -> Option<&'static str> {
    let (secure, rest) = match (
        address.strip_prefix("https://"),
        address.strip_prefix("http://"),
    ) {
        (Some(rest), _) => (true, rest),
        (None, Some(rest)) => (false, rest),
        (None, None) => return Some("must start with https:// (or http:// on loopback)"),
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if authority.contains('@') {
        return Some("must not hold a user name or password; give the key in its variable");
    }
    if path.contains(['?', '#']) {
        return Some("must not hold a query or fragment");
    }
    let plain =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    let path_is_plain = path
        .chars()
        .all(|c| c.is_ascii_graphic() && !matches!(c, '\\' | '@'));
    let host = host_of(authority);
    if host.is_empty() || !authority.chars().all(plain) || !path_is_plain {
        return Some("is not the address of a server");
    }
    // Chat servers inside a cluster rarely have certificates; the others get a key with every call.
    if !secure && !is_loopback(host) && name != ProviderName::Chat {
        return Some("must be https, because a key is sent to it (http is for loopback)");
    }
    None
}

fn host_of(authority: &str) -> &str {
    match authority
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
    {
        Some((host, _)) => host,
        None => authority.split(':').next().unwrap_or(authority),
    }
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
        || host.parse::<Ipv6Addr>().is_ok_and(|ip| ip.is_loopback())
}

/// The account: the flag, then the environment, then the file. `accounts/<slug>` means the slug.
fn account(reader: &Reader<'_>, name: ProviderName, node: Option<&Node>) -> Option<String> {
    let written = node.and_then(|n| n.get("account_id"));
    let flagged = written.filter(|n| matches!(n.at, Place::Flag(_)));
    let variable = reader.ctx.env.get("FIREWORKS_ACCOUNT_ID");
    let variable = variable.filter(|_| name == ProviderName::Fireworks);
    let account = flagged
        .and_then(Node::text)
        .or(variable)
        .or_else(|| written.and_then(Node::text))?
        .trim();
    Some(
        account
            .strip_prefix("accounts/")
            .unwrap_or(account)
            .to_owned(),
    )
}

/// The name of the key's variable. A text that is no such name may be the key itself and is not repeated.
fn key_variable(reader: &mut Reader<'_>, node: Option<&Node>, key: &str) -> Option<String> {
    let node = node.and_then(|n| n.get("api_key_env"))?;
    let name = node.text()?;
    let starts_well = name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_');
    let plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    if starts_well && name.len() <= 100 && name.chars().all(plain) {
        return Some(name.to_owned());
    }
    let problem =
        "must name an environment variable, like OPENAI_API_KEY; never write a key into a config";
    reader.report(
        node.at,
        &join(key, "api_key_env"),
        Fault::Refused { problem },
    );
    None
}

fn sim(reader: &Reader<'_>, node: Option<&Node>) -> SimSettings {
    let accuracy = node.and_then(|n| n.get("accuracy"));
    let models = accuracy.and_then(|a| a.get("models"));
    let by_model: BTreeMap<_, _> = models
        .map_or(&[][..], Node::entries)
        .iter()
        .map(|entry| {
            let shares = Some(&entry.node);
            let shares = (number(shares, "control"), number(shares, "treatment"));
            (reader.model_of(&entry.key).to_owned(), shares)
        })
        .collect();
    let word = |key| {
        node.and_then(|n| n.get(key))
            .and_then(Node::text)
            .map(str::to_owned)
    };
    SimSettings {
        answers: match word("answers").as_deref() {
            Some("replay") => SimAnswers::Replay,
            _ => SimAnswers::Oracle,
        },
        replay_dir: word("replay_dir"),
        accuracy_control: number(accuracy, "control"),
        accuracy_treatment: number(accuracy, "treatment"),
        accuracy_by_model: by_model,
        seconds_per_job: number(node, "seconds_per_job"),
        row_error_rate: number(node, "row_error_rate"),
        seed: whole(node, "seed"),
        state_dir: word("state_dir"),
    }
}

/// Replay needs a recorded answer file for each condition of each prompt set.
fn check_recorded_answers(
    reader: &mut Reader<'_>,
    sim: &SimSettings,
    node: Option<&Node>,
    prompt_sets: &[PromptSet],
) {
    let settings = node.and_then(|n| n.get("sim"));
    let place = |key| {
        settings
            .and_then(|s| s.get(key))
            .map_or(Place::WholeFile, |n| n.at)
    };
    let Some(folder) = &sim.replay_dir else {
        let expected = "the folder of recorded answers, because answers is replay".to_owned();
        let at = place("answers");
        return reader.report(at, "provider.sim.replay_dir", Fault::Missing { expected });
    };
    if reader.ctx.origin != Origin::Fresh {
        return;
    }
    for set in prompt_sets {
        for condition in Condition::ALL {
            let path = format!(
                "{}/{}.{condition}.jsonl",
                folder.trim_end_matches('/'),
                set.name
            );
            if let Err(error) = reader.open(&path) {
                let reason = error.to_string();
                let fault = Fault::FileUnreadable { path, reason };
                reader.report(place("replay_dir"), "provider.sim.replay_dir", fault);
            }
        }
    }
}
