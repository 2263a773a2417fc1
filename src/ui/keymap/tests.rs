//! The table keeps its promises.

use super::*;
use std::collections::{HashMap, HashSet};

fn typed(c: char) -> Chord {
    Chord {
        code: KeyCode::Char(c),
        ctrl: false,
        twice: false,
    }
}

const SCREENS: [Context; 5] = [
    Context::Runs,
    Context::Cockpit,
    Context::Plan,
    Context::Queue,
    Context::Log,
];

#[test]
fn no_key_is_bound_twice_in_one_context() {
    for context in SCREENS
        .into_iter()
        .chain([Context::Confirm, Context::Panel])
    {
        let mut seen = HashSet::new();
        for binding in of_screen(context) {
            for chord in binding.chords {
                assert!(
                    seen.insert(*chord),
                    "{} twice in {context:?}",
                    chord.label()
                );
            }
        }
    }
}

#[test]
fn no_letter_means_two_things_on_two_screens() {
    let mut meaning: HashMap<Chord, Action> = HashMap::new();
    for binding in SCREENS.into_iter().flat_map(of_screen) {
        for chord in binding
            .chords
            .iter()
            .filter(|c| matches!(c.code, KeyCode::Char(_)))
        {
            let first = *meaning.entry(*chord).or_insert(binding.action);
            assert_eq!(first, binding.action, "{}", chord.label());
        }
    }
}

#[test]
fn nothing_reserved_is_bound() {
    for binding in BINDINGS {
        for chord in binding.chords.iter().filter(|c| c.ctrl) {
            let KeyCode::Char(c) = chord.code else {
                continue;
            };
            assert!(!"agnopqsthijm[".contains(c), "{}", chord.label());
        }
    }
}

#[test]
fn every_binding_is_explained_and_can_be_typed() {
    for binding in BINDINGS {
        assert!(
            !binding.help.is_empty() && !binding.chords.is_empty(),
            "{binding:?}"
        );
        for chord in binding.chords {
            let everywhere = binding.context == Context::Everywhere;
            let context = if everywhere {
                Context::Runs
            } else {
                binding.context
            };
            let half = chord.code.as_char().filter(|_| chord.twice);
            let typed = Chord {
                twice: false,
                ..*chord
            };
            assert_eq!(
                lookup(context, typed, half),
                Lookup::Does(binding.action),
                "{}",
                chord.label()
            );
        }
    }
}

#[test]
fn half_of_a_double_letter_does_nothing_yet() {
    assert_eq!(lookup(Context::Runs, typed('g'), None), Lookup::Half('g'));
    assert_eq!(
        lookup(Context::Runs, typed('g'), Some('g')),
        Lookup::Does(Action::Top)
    );
    assert_eq!(lookup(Context::Confirm, typed('j'), None), Lookup::Nothing);
}
