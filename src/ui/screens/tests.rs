//! Frames of the screens, in every state and at the sizes that matter; and that no size is too small.

use std::sync::Arc;
use std::time::Instant;

use crossterm::event::{
    Event as Input, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use ratatui::layout::Size;

use crate::domain::{Event as Fact, PartKey, Phase, PhaseStatus, Recorded, WorkKey};
use crate::engine::Standing;
use crate::sys::random;
use crate::ui::event::Event;
use crate::ui::keymap::{BINDINGS, Context};
use crate::ui::model::{QueueFilter, RunPicture};
use crate::ui::shots::Stage;
use crate::ui::shots::world::{self, Scene};
use crate::ui::widgets::hints;
use crate::ui::{ConsoleOptions, GlyphSet, ThemeName};

const BIG: Size = Size {
    width: 120,
    height: 36,
};
const SMALL: Size = Size {
    width: 80,
    height: 24,
};

fn text(stage: &mut Stage) -> String {
    let buffer = stage.draw();
    let rows = buffer.content.chunks(usize::from(buffer.area.width).max(1));
    let row = |row: &[ratatui::buffer::Cell]| {
        let line: String = row.iter().map(ratatui::buffer::Cell::symbol).collect();
        line.trim_end().to_owned()
    };
    rows.map(row).collect::<Vec<_>>().join("\n")
}

fn snapshot(name: &str, scene: Scene, keys: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../../tests/it/snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for size in [BIG, SMALL] {
        let mut stage = Stage::new(size, scene, &ConsoleOptions::default());
        stage.keys(keys);
        let frame = text(&mut stage);
        settings.bind(|| {
            insta::assert_snapshot!(
                format!("console_{name}_{}x{}", size.width, size.height),
                frame
            );
        });
    }
}

#[test]
fn runs_frames() {
    snapshot("runs_empty", Scene::Nothing, "");
    snapshot("runs_running", Scene::Running, "");
    snapshot("runs_failed", Scene::Failed, "");
    snapshot("runs_finished", Scene::Finished, "");
}

#[test]
fn cockpit_frames() {
    snapshot("cockpit_empty", Scene::Empty, "\n");
    snapshot("cockpit_running", Scene::Running, "\n");
    snapshot("cockpit_failed", Scene::Failed, "\n");
    snapshot("cockpit_finished", Scene::Finished, "\n");
    snapshot("cockpit_trials", Scene::Running, "\n\t\tz");
    snapshot("cockpit_attention", Scene::Running, "\n!");
}

#[test]
fn plan_frames() {
    snapshot("plan_stopped", Scene::Stopped, "\nr");
    snapshot("plan_gated", Scene::Stopped, "\nrlfllt\t");
    snapshot("plan_new_run", Scene::Running, "a\n");
}

#[test]
fn queue_and_log_frames() {
    snapshot("queue_running", Scene::Running, "\n3");
    snapshot("queue_finished", Scene::Finished, "\n3");
    snapshot("log_running", Scene::Running, "\n7gg");
    snapshot("log_failed", Scene::Failed, "\n7!");
}

#[test]
fn dialog_frames() {
    snapshot("dialog_stop", Scene::Running, "\ns");
    snapshot("dialog_stop_now", Scene::Running, "\nS51");
    snapshot("dialog_start", Scene::Stopped, "\nr\n");
    snapshot("dialog_new_run", Scene::Running, "a");
    snapshot("dialog_help", Scene::Running, "\n?");
    snapshot("dialog_palette", Scene::Running, "\n:st");
}

#[test]
fn sixty_by_fifteen_still_says_how_far_it_is_and_how_to_stop() {
    let size = Size {
        width: 60,
        height: 15,
    };
    let mut stage = Stage::new(size, Scene::Running, &ConsoleOptions::default());
    stage.keys("\n");
    let frame = text(&mut stage);
    for word in ["62 %", "s stop", "? help", "q back", "failed"] {
        assert!(frame.contains(word), "{word}:\n{frame}");
    }
}

#[test]
fn ascii_glyphs_leave_nothing_outside_ascii() {
    let options = ConsoleOptions {
        glyphs: GlyphSet::Ascii,
        ..ConsoleOptions::default()
    };
    for keys in ["", "\n", "\n\t\t", "\n3", "\n7", "\ns", "\n?", "\n:", "\np"] {
        let mut stage = Stage::new(BIG, Scene::Running, &options);
        stage.keys(keys);
        let frame = text(&mut stage);
        let strange: String = frame.chars().filter(|c| !c.is_ascii()).collect();
        assert!(strange.is_empty(), "{keys:?}: {strange}");
    }
}

#[test]
fn without_colour_the_selected_row_is_still_seen() {
    let options = ConsoleOptions {
        theme: ThemeName::Mono,
        ..ConsoleOptions::default()
    };
    let mut stage = Stage::new(BIG, Scene::Running, &options);
    let buffer = stage.draw();
    let reversed =
        |c: &&ratatui::buffer::Cell| c.modifier.contains(ratatui::style::Modifier::REVERSED);
    assert_eq!(buffer.content.iter().filter(reversed).count(), 120);
    assert!(
        buffer
            .content
            .iter()
            .all(|c| matches!(c.fg, ratatui::style::Color::Reset))
    );
}

#[test]
fn the_hints_of_the_run_and_the_way_back_fit_eighty_columns() {
    for context in [
        Context::Runs,
        Context::Cockpit,
        Context::Plan,
        Context::Queue,
        Context::Log,
    ] {
        let run: usize = hints::of(context, |_| true)
            .take(6)
            .map(|(key, word)| key.len() + word.len() + 3)
            .sum();
        assert!(run + 18 <= 80, "{context:?}: {run}");
    }
}

/// A key of the table or a letter, by a number.
fn any_key(n: u64) -> KeyEvent {
    let chords: Vec<_> = BINDINGS.iter().flat_map(|b| b.chords).collect();
    let index = usize::try_from(n).unwrap_or(0) % (chords.len() + 8);
    match chords.get(index) {
        Some(chord) => {
            let control = if chord.ctrl {
                KeyModifiers::CONTROL
            } else {
                KeyModifiers::NONE
            };
            KeyEvent::new(chord.code, control)
        }
        None => KeyEvent::new(
            KeyCode::Char(char::from(b'a' + (n % 26) as u8)),
            KeyModifiers::NONE,
        ),
    }
}

#[test]
fn no_size_and_no_key_makes_it_panic_or_draw_outside() {
    use rand::Rng as _;
    let mut rng = random::rng([7; 32]);
    let scenes = [
        Scene::Nothing,
        Scene::Empty,
        Scene::Running,
        Scene::Stopped,
        Scene::Failed,
        Scene::Finished,
    ];
    for round in 0..60_u64 {
        let scene = scenes[usize::try_from(round).unwrap_or(0) % scenes.len()];
        let tiny = round % 3 == 0;
        let mut size = || Size {
            width: if tiny {
                1 + (rng.next_u32() % 12) as u16
            } else {
                1 + (rng.next_u32() % 220) as u16
            },
            height: if tiny {
                1 + (rng.next_u32() % 6) as u16
            } else {
                1 + (rng.next_u32() % 60) as u16
            },
        };
        let first = size();
        let mut stage = Stage::new(first, scene, &ConsoleOptions::default());
        for step in 0..40 {
            let n = step * 7919 + round * 104_729;
            let event = match step % 9 {
                7 => {
                    let s = Size {
                        width: 1 + (n % 150) as u16,
                        height: 1 + (n % 45) as u16,
                    };
                    Input::Resize(s.width, s.height)
                }
                8 => Input::Mouse(MouseEvent {
                    kind: if n % 2 == 0 {
                        MouseEventKind::Down(MouseButton::Left)
                    } else {
                        MouseEventKind::ScrollDown
                    },
                    column: (n % 200) as u16,
                    row: (n % 50) as u16,
                    modifiers: KeyModifiers::NONE,
                }),
                _ => Input::Key(any_key(n)),
            };
            stage.event(Event::Input(event));
            let buffer = stage.draw();
            assert_eq!(buffer.area.width, stage.app.size.width);
        }
    }
}

#[test]
fn one_by_one_is_drawn() {
    for (width, height) in [(1, 1), (2, 1), (1, 2), (3, 3), (60, 1), (1, 60)] {
        for keys in ["", "\n", "\ns", "\np", "\n?", "\n:", "a", "@"] {
            let mut stage = Stage::new(
                Size { width, height },
                Scene::Running,
                &ConsoleOptions::default(),
            );
            stage.keys(keys);
        }
    }
}

#[test]
fn a_frame_of_a_hundred_thousand_parts_costs_no_more_than_what_is_on_screen() {
    let mut view = world::run(Scene::Running);
    let slug = view.trials[0].trial.slug.clone();
    let parts = (1..=100_000_u32)
        .map(|number| {
            let digest = crate::domain::Digest::of(&number.to_le_bytes());
            crate::domain::event::PlannedPart {
                key: PartKey {
                    temp: crate::domain::Temperature::default(),
                    condition: crate::domain::Condition::Control,
                    number,
                },
                work: WorkKey(digest),
                input: String::new(),
                rows: 10,
                bytes: 1,
                sha256: digest,
            }
        })
        .collect();
    let at = world::now(Scene::Running);
    let planned = Recorded {
        seq: view.seq + 1,
        at,
        event: Fact::PartsPlanned {
            trial: slug,
            first: true,
            parts,
        },
    };
    view.apply(&planned).expect("fits");
    let mut stage = Stage::new(BIG, Scene::Running, &ConsoleOptions::default());
    stage.keys("\n");
    let picture = RunPicture::of(&Arc::new(view), Standing::Driving, &QueueFilter::default());
    stage.event(Event::Picture(Arc::new(picture)));
    stage.keys("3");
    let rows = stage
        .app
        .picture
        .as_ref()
        .map_or(0, |p| stage.app.queue.rows(&p.queue));
    assert!(rows < 100, "waiting parts are folded into one line");
    stage.keys("G\n");
    stage.keys("gg");
    let start = Instant::now();
    for _ in 0..20 {
        stage.keys("j");
    }
    // Debug build on a busy machine: the plain table takes half a second for each.
    let each = start.elapsed() / 20;
    eprintln!("key and frame with 100,000 parts: {each:?}");
    assert!(each.as_millis() < 100, "{each:?}");
}

#[test]
fn a_watched_failure_names_its_phase_and_reason() {
    let mut stage = Stage::new(BIG, Scene::Failed, &ConsoleOptions::default());
    stage.keys("\n");
    let frame = text(&mut stage);
    assert!(
        frame.contains("score: gold answers are missing for 3 items of nq_open"),
        "{frame}"
    );
    let status = world::run(Scene::Failed).phase(Phase::Score).status;
    assert_eq!(status, PhaseStatus::Failed);
}

#[test]
fn the_end_is_not_guessed_before_three_jobs_are_done() {
    let mut stage = Stage::new(BIG, Scene::Running, &ConsoleOptions::default());
    stage.keys("\n");
    assert!(text(&mut stage).contains("(p50-p90)"));
    let mut view = world::run(Scene::Running);
    view.pace.truncate(2);
    let picture = RunPicture::of(&Arc::new(view), Standing::Driving, &QueueFilter::default());
    stage.event(Event::Picture(Arc::new(picture)));
    assert!(text(&mut stage).contains("too early"));
}
