//! Flows as tables: what each event does and asks for.

use std::path::PathBuf;
use std::sync::Arc;

use crossterm::event::{Event as Input, KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Size;

use super::{App, Place};
use crate::domain::{ExitCode, Gate, Phase, RunId, StopLevel};
use crate::engine::{FleetError, Standing};
use crate::ui::ConsoleOptions;
use crate::ui::dialogs::Dialog;
use crate::ui::event::{Effect, Event, Signal, Target};
use crate::ui::model::{QueueFilter, RunPicture};
use crate::ui::shots::Stage;
use crate::ui::shots::world::{self, Scene};

const SIZE: Size = Size {
    width: 120,
    height: 36,
};

fn stage(scene: Scene) -> Stage {
    Stage::new(SIZE, scene, &ConsoleOptions::default())
}

fn run() -> RunId {
    world::run_id()
}

fn ctrl(stage: &mut Stage, c: char) -> Vec<Effect> {
    let key = KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL);
    stage.event(Event::Input(Input::Key(key)))
}

fn soft() -> Effect {
    Effect::Stop(run(), StopLevel::Soft)
}

fn now() -> Effect {
    Effect::Stop(run(), StopLevel::Now)
}

fn newest_notice(app: &App) -> &str {
    app.notices.back().map_or("", |n| &n.text)
}

fn text(stage: &mut Stage) -> String {
    let buffer = stage.draw();
    let width = usize::from(buffer.area.width);
    let rows = buffer.content.chunks(width);
    rows.map(|row| {
        row.iter()
            .map(ratatui::buffer::Cell::symbol)
            .collect::<String>()
            + "\n"
    })
    .collect()
}

#[test]
fn a_stop_is_asked_for_only_after_the_user_agreed() {
    for (keys, effects) in [
        ("\nsy", vec![soft()]),
        ("\ns\t\n", vec![soft()]),
        ("\ns\n", vec![]),
        ("\nsn", vec![]),
        ("\ns\u{1b}", vec![]),
        ("sy", vec![soft()]),
        // The sharper stop wants the end of the run id typed.
        ("\nSy\n", vec![]),
        ("\nS512Z\n", vec![now()]),
        ("\nsS512Z\n", vec![now()]),
        ("\nS512X\n", vec![]),
    ] {
        let got = stage(Scene::Running).keys(keys);
        let got: Vec<Effect> = got
            .into_iter()
            .filter(|e| !matches!(e, Effect::Watch(..)))
            .collect();
        assert_eq!(got, effects, "{keys:?}");
    }
}

#[test]
fn a_run_that_nobody_drives_cannot_be_stopped_and_the_key_says_why() {
    let mut stage = stage(Scene::Finished);
    assert_eq!(stage.keys("\ns"), vec![]);
    assert!(stage.app.dialog.is_none());
    assert!(
        newest_notice(&stage.app).contains("nobody drives"),
        "{:?}",
        stage.app.notices
    );
    stage.keys("r");
    assert!(newest_notice(&stage.app).contains("nothing to resume"));
}

#[test]
fn a_question_about_a_run_that_moved_on_cannot_be_agreed_to() {
    let mut stage = stage(Scene::Running);
    stage.keys("\ns");
    let stopped = RunPicture::of(
        &Arc::new(world::run(Scene::Stopped)),
        Standing::Stopped,
        &QueueFilter::default(),
    );
    stage.event(Event::Picture(Arc::new(stopped)));
    assert!(text(&mut stage).contains("nothing to stop"));
    assert_eq!(stage.keys("y"), vec![]);
    assert!(stage.app.dialog.is_some());
}

#[test]
fn resume_shows_the_whole_plan_and_starts_after_a_question() {
    let mut stage = stage(Scene::Stopped);
    stage.keys("\nr");
    assert_eq!(stage.app.place(), Place::Plan);
    stage.keys("\n");
    assert!(matches!(stage.app.dialog, Some(Dialog::Confirm(_))));
    let effects = stage.keys("y");
    let [Effect::Launch(launch)] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(
        (launch.run_id.clone(), launch.gate, launch.force),
        (Some(run()), Gate::default(), false)
    );
    stage.event(Event::Launched(Ok(run())));
    assert_eq!(stage.app.place(), Place::Cockpit);
    assert!(stage.app.driving.contains(&run()));
}

#[test]
fn the_gate_follows_its_four_keys() {
    let only = Gate::only;
    let gate = |from, to| Gate::new(from, to).expect("in order");
    for (keys, wanted) in [
        ("", Gate::default()),
        ("o", only(Phase::Submit)),
        ("t", gate(Phase::Prepare, Phase::Submit)),
        ("f", gate(Phase::Submit, Phase::Report)),
        ("lflt", gate(Phase::Poll, Phase::Parse)),
        ("f*", Gate::default()),
        // Beyond the other end, the other end comes along.
        ("ollllf", only(Phase::Stats)),
        ("ohht", only(Phase::Prepare)),
        ("llllllllllllo", only(Phase::Archive)),
    ] {
        let mut stage = stage(Scene::Stopped);
        stage.keys("\np");
        stage.keys(keys);
        let plan = stage.app.plan.as_ref().expect("open");
        assert_eq!(plan.gate, wanted, "{keys}");
        let Some(Ok(answer)) = &plan.answer else {
            panic!("no plan")
        };
        assert_eq!(
            answer.gate, wanted,
            "the plan on screen is the gate's: {keys}"
        );
        assert_eq!(
            plan.command_line(),
            format!("evaltui resume {}{}", run(), wanted.flags())
        );
    }
}

#[test]
fn a_late_answer_does_not_replace_a_newer_plan() {
    let mut stage = stage(Scene::Stopped);
    stage.keys("\npo");
    let late = world::plan(Gate::default());
    stage.event(Event::Planned(1, Ok(late)));
    let plan = stage.app.plan.as_ref().and_then(|p| p.answer.clone());
    assert_eq!(
        plan.and_then(Result::ok).map(|p| p.gate),
        Some(Gate::only(Phase::Submit))
    );
}

#[test]
fn drift_needs_the_run_id_and_is_passed_on_as_force() {
    let mut stage = stage(Scene::Stopped);
    stage.keys("\nr");
    let mut plan = world::plan(Gate::default());
    plan.drift = vec!["temps: [0.0] -> [0.0, 0.7]".to_owned()];
    let asked = stage.app.plan.as_ref().map_or(0, |p| p.asked);
    stage.event(Event::Planned(asked, Ok(plan)));
    assert!(text(&mut stage).contains("temps: [0.0] -> [0.0, 0.7]"));
    assert_eq!(stage.keys("\ny\n"), vec![], "y alone is not enough");
    let effects = stage.keys("\u{1b}\n512Z\n");
    let [Effect::Launch(launch)] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert!(launch.force);
}

#[test]
fn a_new_run_is_planned_before_it_is_started() {
    let mut stage = stage(Scene::Running);
    let effects = stage.keys("a\n");
    assert_eq!(stage.app.place(), Place::Plan);
    assert!(
        effects.is_empty(),
        "the fixed world answered the plan: {effects:?}"
    );
    let target = stage.app.plan.as_ref().map(|p| p.target.clone());
    assert_eq!(
        target,
        Some(Target::New(PathBuf::from("config/eval_config.yaml")))
    );
    let effects = stage.keys("\ny");
    let [Effect::Launch(launch)] = &effects[..] else {
        panic!("{effects:?}")
    };
    assert_eq!(
        (launch.run_id.clone(), launch.config.clone()),
        (None, Some(PathBuf::from("config/eval_config.yaml")))
    );
}

#[test]
fn problems_of_a_config_are_shown_in_full_and_nothing_can_be_started() {
    let mut stage = stage(Scene::Running);
    stage.keys("a\n");
    let error = FleetError {
        message: "config/eval_config.yaml has 2 problems\nline 4: trails is no key, did you mean trials?\nline 9: temps 3.0 is above 2".to_owned(),
        exit: ExitCode::Usage,
    };
    let asked = stage.app.plan.as_ref().map_or(0, |p| p.asked);
    stage.event(Event::Planned(asked, Err(error)));
    let screen = text(&mut stage);
    assert!(
        screen.contains("did you mean trials?") && screen.contains("temps 3.0 is above 2"),
        "{screen}"
    );
    assert_eq!(stage.keys("\n"), vec![]);
    assert!(stage.app.dialog.is_none());
}

#[test]
fn quitting_while_nothing_is_driven_quits() {
    let mut stage = stage(Scene::Finished);
    assert_eq!(stage.keys("q"), vec![Effect::AskToLeave]);
    assert_eq!(
        stage.event(Event::Driving(vec![])),
        vec![Effect::Quit(ExitCode::Done)]
    );
}

#[test]
fn quitting_while_driving_asks_and_leaves_when_the_run_has_settled() {
    let mut stage = stage(Scene::Running);
    stage.keys("q");
    assert_eq!(stage.event(Event::Driving(vec![run()])), vec![]);
    assert!(text(&mut stage).contains("1 run is driven here"));
    assert_eq!(stage.keys("y"), vec![soft(), Effect::AwaitSettled]);
    assert!(text(&mut stage).contains("leaving when the jobs"));
    assert_eq!(
        stage.event(Event::Settled),
        vec![Effect::Quit(ExitCode::Stopped)]
    );
}

#[test]
fn a_question_about_leaving_can_be_declined() {
    let mut stage = stage(Scene::Running);
    stage.keys("q");
    stage.event(Event::Driving(vec![run()]));
    assert_eq!(stage.keys("n"), vec![]);
    assert!(stage.app.leaving.is_none() && stage.app.dialog.is_none());
}

#[test]
fn ctrl_c_gets_sharper_each_time() {
    let mut stage = stage(Scene::Running);
    assert_eq!(ctrl(&mut stage, 'c'), vec![Effect::AskToLeave]);
    stage.event(Event::Driving(vec![run()]));
    assert_eq!(ctrl(&mut stage, 'c'), vec![soft(), Effect::AwaitSettled]);
    assert_eq!(ctrl(&mut stage, 'c'), vec![now()]);
    assert_eq!(
        ctrl(&mut stage, 'c'),
        vec![Effect::Quit(ExitCode::Interrupted)]
    );
}

#[test]
fn the_first_signal_stops_softly_and_the_second_one_now() {
    let mut stage = stage(Scene::Running);
    let signal = |stage: &mut Stage, s| stage.event(Event::Signal(s));
    assert_eq!(signal(&mut stage, Signal::Leave), vec![Effect::AskToLeave]);
    assert_eq!(
        stage.event(Event::Driving(vec![run()])),
        vec![soft(), Effect::AwaitSettled]
    );
    assert_eq!(signal(&mut stage, Signal::Leave), vec![now()]);
    assert_eq!(
        stage.event(Event::Settled),
        vec![Effect::Quit(ExitCode::Interrupted)]
    );
}

#[test]
fn a_lost_terminal_stops_softly_however_often_it_is_told() {
    let mut stage = stage(Scene::Running);
    let hang_up = |stage: &mut Stage| stage.event(Event::Signal(Signal::HangUp));
    assert_eq!(hang_up(&mut stage), vec![Effect::AskToLeave]);
    assert_eq!(hang_up(&mut stage), vec![]);
    assert_eq!(
        stage.event(Event::Driving(vec![run()])),
        vec![soft(), Effect::AwaitSettled]
    );
    assert_eq!(hang_up(&mut stage), vec![]);
}

#[test]
fn suspending_a_driver_asks_first() {
    let mut driving = stage(Scene::Running);
    assert_eq!(ctrl(&mut driving, 'z'), vec![]);
    assert_eq!(driving.keys("y"), vec![Effect::Suspend]);
    let mut idle = stage(Scene::Finished);
    assert_eq!(ctrl(&mut idle, 'z'), vec![Effect::Suspend]);
    assert_eq!(
        idle.event(Event::Signal(Signal::Suspend)),
        vec![Effect::Suspend]
    );
}

#[test]
fn only_the_run_on_screen_is_watched() {
    let mut app = stage(Scene::Running).app;
    let at = world::now(Scene::Running);
    let mut press = |c: KeyCode| {
        app.update(
            at,
            Event::Input(Input::Key(KeyEvent::new(c, KeyModifiers::NONE))),
        )
    };
    let filter = QueueFilter::default();
    assert_eq!(
        press(KeyCode::Enter),
        vec![Effect::Watch(Some(run()), filter.clone())]
    );
    assert_eq!(press(KeyCode::Char('3')), vec![]);
    assert_eq!(press(KeyCode::Char('0')), vec![Effect::Watch(None, filter)]);
}

#[test]
fn a_filter_narrows_while_it_is_typed_and_esc_clears_it() {
    let mut stage = stage(Scene::Running);
    stage.keys("\n3/state:failed");
    assert_eq!(
        stage
            .app
            .picture
            .as_ref()
            .map(|p| p.queue.sections.iter().map(Vec::len).sum::<usize>()),
        Some(2)
    );
    stage.keys("\n");
    assert_eq!(stage.app.queue.filter.text, "state:failed");
    stage.keys("\u{1b}");
    assert!(stage.app.queue.filter.is_empty());
    assert_eq!(
        stage.app.place(),
        Place::Queue,
        "Esc clears first and goes back only then"
    );
    stage.keys("\u{1b}");
    assert_ne!(stage.app.place(), Place::Queue);
}

#[test]
fn pasted_text_reaches_a_field_as_one_clean_line() {
    let mut stage = stage(Scene::Running);
    stage.keys("/");
    stage.event(Event::Input(Input::Paste(
        "dri\u{1b}[31mving\nrm -rf".to_owned(),
    )));
    assert_eq!(stage.app.runs.filter, "dri<U+001B>[31mving");
    stage.keys("\u{1b}");
    stage.event(Event::Input(Input::Paste("q".to_owned())));
    assert!(
        stage.app.runs.filter.is_empty(),
        "without a field pasted letters are no keys"
    );
}

#[test]
fn a_failed_task_is_a_notice_and_not_the_end() {
    let mut stage = stage(Scene::Running);
    assert_eq!(stage.event(Event::TaskDied("boom".to_owned())), vec![]);
    assert!(text(&mut stage).contains("boom"));
}

#[test]
fn no_control_character_of_a_run_reaches_the_screen() {
    let mut stage = stage(Scene::Running);
    let (mut runs, driving) = world::catalogue(Scene::Running);
    for run in &mut runs {
        run.note = "\u{1b}]52;c;evil\u{7}\u{202e}".to_owned();
        run.driver = Some("1@\u{1b}[2J".to_owned());
    }
    stage.event(Event::Catalogue {
        runs: runs.into(),
        driving,
    });
    let buffer = stage.draw();
    assert!(buffer.content.iter().all(|c| {
        c.symbol()
            .chars()
            .all(|c| !c.is_control() && c != '\u{202e}')
    }));
}

#[test]
fn the_cursor_stays_on_its_run_when_the_list_changes() {
    let mut stage = stage(Scene::Running);
    let (mut runs, driving) = world::catalogue(Scene::Running);
    runs.insert(0, runs[3].clone());
    runs[0].run_id = RunId::new("newcomer").expect("plain");
    runs[0].standing = Standing::Failed;
    stage.event(Event::Catalogue {
        runs: runs.into(),
        driving,
    });
    assert_eq!(stage.app.current(), Some(run()));
}

#[test]
fn the_palette_runs_what_it_finds() {
    let mut stage = stage(Scene::Running);
    stage.keys("\n:stop soft\n");
    assert!(matches!(stage.app.dialog, Some(Dialog::Confirm(_))));
    let mut off = self::stage(Scene::Finished);
    off.keys("\n:stop soft\n");
    assert!(
        matches!(off.app.dialog, Some(Dialog::Palette(_))),
        "what cannot be done stays with its reason"
    );
    assert!(text(&mut off).contains("nobody drives this run"));
}
