//! The trials of a config: listed one by one, or every combination of a sweep, or the one of the plain settings.

use std::collections::BTreeMap;

use crate::domain::ids::{NameError, PromptSetName};
use crate::domain::text::nearest;
use crate::domain::{Temperature, Trial};

use super::check::join;
use super::decoding::{Decoding, decodings, limits};
use super::error::{Fault, Place};
use super::file::Node;
use super::read::Reader;

/// The most trials of one run: beyond it a sweep is a slip of the pen.
const MAX_TRIALS: usize = 1000;

/// A text with where it was written.
#[derive(Debug, Clone)]
struct Word {
    text: String,
    at: Place,
    key: String,
}

/// Temperatures with their samples, and stop sequences.
#[derive(Debug, Clone)]
struct Sampling {
    temps: Vec<Temperature>,
    samples: Vec<u32>,
    stop: Vec<String>,
}

/// Trials that are known to be different.
struct Trials<'r, 'a> {
    reader: &'r mut Reader<'a>,
    by_folder: BTreeMap<String, String>,
    found: Vec<Trial>,
}

/// All trials, in the order of the file.
pub(super) fn read(reader: &mut Reader<'_>) -> Vec<Trial> {
    let mut trials = Trials {
        reader,
        by_folder: BTreeMap::new(),
        found: Vec::new(),
    };
    trials.check_names();
    let root = trials.reader.root;
    match root.get("trials").map(Node::items) {
        Some(listed) if listed.len() > MAX_TRIALS => trials.too_many("trials", listed.len()),
        Some(listed) if !listed.is_empty() => {
            for (i, node) in listed.iter().enumerate() {
                trials.listed(node, &format!("trials[{i}]"));
            }
            trials.check_some_left();
        }
        _ => trials.swept(),
    }
    trials.found
}

impl Trials<'_, '_> {
    fn known_sets(&self) -> Vec<String> {
        let sets = self.reader.root.get("prompt_sets");
        let entries = sets.map_or(&[][..], Node::entries);
        entries.iter().map(|entry| entry.key.clone()).collect()
    }

    /// Names of prompt sets that count even where no trial comes to use them.
    fn check_names(&mut self) {
        let default = self.reader.root.get("default_prompt_set");
        let default = default.map(|node| word(node, "default_prompt_set".to_owned()));
        for word in self.flag_sets().into_iter().chain(default) {
            self.prompt_set(&word);
        }
    }

    fn flag_sets(&self) -> Vec<Word> {
        let names = self.reader.ctx.overrides.prompt_sets.iter();
        let word = |text: &String| Word {
            text: text.clone(),
            at: Place::Flag("--prompt-sets"),
            key: "prompt_sets".to_owned(),
        };
        names.map(word).collect()
    }

    fn check_some_left(&mut self) {
        if self.found.is_empty() && self.reader.problems.is_empty() {
            let problem = "none of the listed trials uses these prompt sets".to_owned();
            let at = Place::Flag("--prompt-sets");
            self.reader
                .report(at, "trials", Fault::DoesNotFit { problem });
        }
    }

    fn too_many(&mut self, key: &str, count: usize) {
        let problem = format!("makes {count} trials; a run has at most {MAX_TRIALS}");
        let root = self.reader.root;
        let at = root.get(key).map_or(root.at, |node| node.at);
        self.reader.report(at, key, Fault::DoesNotFit { problem });
    }

    /// One explicit trial: its own keys over the plain settings.
    fn listed(&mut self, node: &Node, key: &str) {
        let root = self.reader.root;
        let own = |name: &str| node.get(name).map(|n| (n, join(key, name)));
        let plain = |name: &str| root.get(name).map(|n| (n, name.to_owned()));
        if let (Some((_, key)), Some((model, _))) = (own("model_id"), own("model")) {
            let other = "model";
            self.reader
                .report(model.at, &key, Fault::TwoNames { other });
        }
        let model = own("model")
            .or_else(|| own("model_id"))
            .or_else(|| plain("model_id"));
        let model = self.model(model.map(|(node, key)| word(node, key)));
        let set = own("prompt_set").map(|(node, key)| word(node, key));
        let set = set.or_else(|| self.default_set());
        let picked = &self.reader.ctx.overrides.prompt_sets;
        if let Some(set) = &set
            && !picked.is_empty()
            && !picked.contains(&set.text)
        {
            return;
        }
        let set = set.and_then(|set| self.prompt_set(&set));
        let either = |name: &str| own(name).or_else(|| plain(name));
        let decoding = Decoding {
            top_p: either("top_p").and_then(|(n, _)| n.number()).unwrap_or(1.0),
            top_k: either("top_k").and_then(|(n, _)| n.whole()),
            max_new_tokens: limits(either("max_new_tokens").map(|(n, _)| n)),
        };
        let sampling = self.sampling(either("temps"), either("samples_per_item"), either("stop"));
        if let (Some(model), Some(set)) = (model, set) {
            self.add(
                &Word {
                    text: model,
                    at: node.at,
                    key: key.to_owned(),
                },
                &set,
                decoding,
                &sampling,
            );
        }
    }

    /// Every combination of the sweep; without one, the plain settings.
    fn swept(&mut self) {
        let root = self.reader.root;
        let sweep = root.get("sweep");
        let own = |name: &str| {
            sweep
                .and_then(|s| s.get(name))
                .map(|n| (n, format!("sweep.{name}")))
        };
        let plain = |name: &str| root.get(name).map(|n| (n, name.to_owned()));
        let models = own("models").or_else(|| plain("models"));
        let models = models.map_or_else(
            || vec![plain("model_id").map(|(node, key)| word(node, key))],
            |(list, key)| words(list, &key).into_iter().map(Some).collect(),
        );
        let models: Vec<_> = models
            .into_iter()
            .filter_map(|m| {
                let (at, key) = m
                    .as_ref()
                    .map_or((root.at, "model_id".to_owned()), |m| (m.at, m.key.clone()));
                self.model(m).map(|text| Word { text, at, key })
            })
            .collect();
        let sets = match (self.flag_sets(), own("prompt_sets")) {
            // Unknown ones were reported when the flag was checked.
            (flag, _) if !flag.is_empty() => flag,
            (_, Some((list, key))) => words(list, &key),
            (_, None) => self.default_set().into_iter().collect(),
        };
        let sets: Vec<_> = sets.iter().filter_map(|set| self.prompt_set(set)).collect();
        let decodings = decodings(sweep, root);
        let sampling = self.sampling(
            own("temps").or_else(|| plain("temps")),
            plain("samples_per_item"),
            plain("stop"),
        );
        let count = models
            .len()
            .saturating_mul(sets.len())
            .saturating_mul(decodings.len());
        if count > MAX_TRIALS {
            self.too_many("sweep", count);
            return;
        }
        for model in &models {
            for set in &sets {
                for decoding in &decodings {
                    self.add(model, set, *decoding, &sampling);
                }
            }
        }
    }

    /// The full name of a model.
    fn model(&mut self, word: Option<Word>) -> Option<String> {
        let Some(word) = word else {
            let expected = "a model here, in sweep.models or in every trial".to_owned();
            self.reader
                .report(Place::WholeFile, "model_id", Fault::Missing { expected });
            return None;
        };
        let model = self.reader.model_of(&word.text).to_owned();
        if model.len() > 300 || model.chars().any(char::is_control) {
            let problem = "a model's name has at most 300 bytes and no control characters";
            self.reader
                .report(word.at, &word.key, Fault::Refused { problem });
            return None;
        }
        Some(model)
    }

    fn default_set(&self) -> Option<Word> {
        let root = self.reader.root;
        if let Some(node) = root.get("default_prompt_set") {
            return Some(word(node, "default_prompt_set".to_owned()));
        }
        let sets = root.get("prompt_sets")?;
        let first = sets.entries().iter().min_by(|a, b| a.key.cmp(&b.key))?;
        Some(Word {
            text: first.key.clone(),
            at: first.at,
            key: "prompt_sets".to_owned(),
        })
    }

    fn prompt_set(&mut self, word: &Word) -> Option<PromptSetName> {
        let known = self.known_sets();
        if !known.contains(&word.text) {
            let fault = Fault::UnknownPromptSet {
                name: word.text.clone(),
                near: nearest(&word.text, known.iter().map(String::as_str)).map(str::to_owned),
                known: known.join(", "),
            };
            self.reader.report(word.at, &word.key, fault);
            return None;
        }
        // A name that cannot be one is reported where it is defined.
        PromptSetName::new(&word.text).ok()
    }

    fn sampling(
        &mut self,
        temps: Option<(&Node, String)>,
        samples: Option<(&Node, String)>,
        stop: Option<(&Node, String)>,
    ) -> Sampling {
        let temps = temps.map_or_else(Vec::new, |(list, key)| self.temps(list, &key));
        let counts = samples.map(|(node, key)| self.samples(node, &key));
        let samples = temps.iter().map(|temp| match &counts {
            Some(Counts::Same(count)) => *count,
            Some(Counts::By(counts)) => counts.get(temp).copied().unwrap_or(1),
            None => 1,
        });
        let stop = stop.map_or(&[][..], |(list, _)| list.items());
        Sampling {
            samples: samples.collect(),
            temps,
            stop: stop
                .iter()
                .filter_map(|n| n.text())
                .map(str::to_owned)
                .collect(),
        }
    }

    fn temps(&mut self, list: &Node, key: &str) -> Vec<Temperature> {
        let mut temps: Vec<Temperature> = Vec::new();
        for (i, node) in list.items().iter().enumerate() {
            let Some(value) = node.number() else { continue };
            let key_here = format!("{key}[{i}]");
            let Some(temp) = Temperature::new(value) else {
                let expected = "a number from 0 to 2 with at most six decimals".to_owned();
                let found = value.to_string();
                self.reader
                    .report(node.at, &key_here, Fault::OutOfRange { expected, found });
                continue;
            };
            if let Some(first) = temps.iter().position(|t| *t == temp) {
                let fault = Fault::Repeated {
                    text: temp.to_string(),
                    first: format!("{key}[{first}]"),
                };
                self.reader.report(node.at, &key_here, fault);
                continue;
            }
            temps.push(temp);
        }
        temps
    }

    fn samples(&mut self, node: &Node, key: &str) -> Counts {
        if let Some(count) = node.whole() {
            return Counts::Same(count);
        }
        let mut counts = BTreeMap::new();
        for entry in node.entries() {
            let key_here = join(key, &entry.key);
            let temp = match entry.key.parse::<Temperature>() {
                Ok(temp) => temp,
                Err(error) => {
                    self.reader.report(entry.at, &key_here, Fault::Name(error));
                    continue;
                }
            };
            let count = entry.node.whole().unwrap_or(1);
            if counts.insert(temp, count).is_some() {
                let fault = Fault::Repeated {
                    text: format!("temperature {temp}"),
                    first: key.to_owned(),
                };
                self.reader.report(entry.at, &key_here, fault);
            }
        }
        Counts::By(counts)
    }

    /// Adds a trial unless its folder is taken.
    fn add(&mut self, model: &Word, set: &PromptSetName, decoding: Decoding, sampling: &Sampling) {
        let Decoding {
            top_p,
            top_k,
            max_new_tokens,
        } = decoding;
        let slug = match Trial::slug_of(&model.text, set, top_p, top_k, max_new_tokens) {
            Ok(slug) => slug,
            Err(NameError {
                kind,
                text,
                problem,
            }) => {
                let fault = Fault::Name(NameError {
                    kind,
                    text,
                    problem,
                });
                return self.reader.report(model.at, &model.key, fault);
            }
        };
        // Two folders that differ in case only are one folder on some file systems.
        let folder = slug.as_str().to_ascii_lowercase();
        if let Some(first) = self.by_folder.get(&folder) {
            let fault = Fault::SameFolder {
                first: first.clone(),
                slug,
            };
            return self.reader.report(model.at, &model.key, fault);
        }
        self.by_folder.insert(folder, model.key.clone());
        self.found.push(Trial {
            slug,
            model: model.text.clone(),
            prompt_set: set.clone(),
            temps: sampling.temps.clone(),
            samples: sampling.samples.clone(),
            top_p,
            top_k,
            max_new_tokens,
            stop: sampling.stop.clone(),
        });
    }
}

/// Samples per item.
enum Counts {
    Same(u32),
    By(BTreeMap<Temperature, u32>),
}

fn word(node: &Node, key: String) -> Word {
    Word {
        text: node.text().unwrap_or_default().to_owned(),
        at: node.at,
        key,
    }
}

fn words(list: &Node, key: &str) -> Vec<Word> {
    let items = list.items().iter().enumerate();
    items
        .map(|(i, node)| word(node, format!("{key}[{i}]")))
        .collect()
}
