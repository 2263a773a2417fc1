//! Colours by role, and the two sets of glyphs. No screen names a colour; colour never carries a meaning alone.

use std::str::FromStr;

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier, Style};

use crate::domain::{Decision, LogLevel, PhaseStatus, WorkStatus};
use crate::engine::Standing;

/// Which colours to use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ThemeName {
    /// For dark backgrounds; falls back to the terminal's own colours where it has fewer than 256.
    #[default]
    Dark,
    /// For light backgrounds; falls back likewise.
    Light,
    /// The terminal's own 16 colours.
    Ansi16,
    /// No colour: bold, faint and reverse only. What `NO_COLOR` asks for.
    Mono,
}

/// Which characters to draw with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GlyphSet {
    /// Single-width symbols and blocks.
    #[default]
    Unicode,
    /// Nothing outside ASCII.
    Ascii,
}

/// A word that names no theme or glyph set; displays the allowed ones.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {kind} {given:?}; allowed are {allowed}")]
pub struct UnknownLook {
    kind: &'static str,
    given: String,
    allowed: &'static str,
}

impl FromStr for ThemeName {
    type Err = UnknownLook;
    fn from_str(text: &str) -> Result<Self, UnknownLook> {
        match text {
            "dark" => Ok(Self::Dark),
            "light" => Ok(Self::Light),
            "16" => Ok(Self::Ansi16),
            "mono" => Ok(Self::Mono),
            _ => Err(UnknownLook {
                kind: "theme",
                given: text.chars().take(40).collect(),
                allowed: "dark, light, 16, mono",
            }),
        }
    }
}

impl FromStr for GlyphSet {
    type Err = UnknownLook;
    fn from_str(text: &str) -> Result<Self, UnknownLook> {
        match text {
            "unicode" => Ok(Self::Unicode),
            "ascii" => Ok(Self::Ascii),
            _ => Err(UnknownLook {
                kind: "glyph set",
                given: text.chars().take(40).collect(),
                allowed: "unicode, ascii",
            }),
        }
    }
}

/// A style for each role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    /// Ordinary text.
    pub text: Style,
    /// What matters most on a line.
    pub strong: Style,
    /// Labels and what matters less.
    pub dim: Style,
    /// Lines and what is only there to guide the eye.
    pub rule: Style,
    /// Where one is: title, keys, focus.
    pub accent: Style,
    /// Done, well.
    pub ok: Style,
    /// Under way.
    pub run: Style,
    /// Waiting.
    pub wait: Style,
    /// Needs a look.
    pub warn: Style,
    /// Failed.
    pub fail: Style,
    /// The selected row of the focused pane; laid over the row.
    pub selection: Style,
    /// The selected row of a pane without focus; laid over the row.
    pub selection_idle: Style,
}

/// Colours as (dark, light, named), each tuned for its background.
struct Swatch(u32, u32, Color);

const DIM: Swatch = Swatch(0x0084_8d9c, 0x0060_6876, Color::Gray);
const RULE: Swatch = Swatch(0x004b_5363, 0x00b4_bac4, Color::DarkGray);
const ACCENT: Swatch = Swatch(0x007a_b4f5, 0x001a_5fb4, Color::Cyan);
const OK: Swatch = Swatch(0x0084_c98b, 0x0026_7a3a, Color::Green);
const RUN: Swatch = Swatch(0x005f_c9d8, 0x0000_7382, Color::LightCyan);
const WAIT: Swatch = Swatch(0x0070_7a8c, 0x0086_8e9b, Color::DarkGray);
const WARN: Swatch = Swatch(0x00e3_b96a, 0x0098_6100, Color::Yellow);
const FAIL: Swatch = Swatch(0x00f2_7a7a, 0x00b8_2525, Color::LightRed);
const SELECTION: Swatch = Swatch(0x002a_3a52, 0x00d3_e2f8, Color::Blue);
const SELECTION_IDLE: Swatch = Swatch(0x0023_2934, 0x00e9_ecf1, Color::DarkGray);

impl Theme {
    /// The styles of a theme on a terminal with that many colours.
    pub fn new(name: ThemeName, colours: u16) -> Self {
        let name = match name {
            ThemeName::Dark | ThemeName::Light if colours < 256 => ThemeName::Ansi16,
            ThemeName::Dark | ThemeName::Light | ThemeName::Ansi16 | ThemeName::Mono => name,
        };
        if name == ThemeName::Mono {
            return Self::mono();
        }
        let pick = |swatch: &Swatch| match name {
            ThemeName::Dark => rgb(swatch.0, colours),
            ThemeName::Light => rgb(swatch.1, colours),
            ThemeName::Ansi16 | ThemeName::Mono => swatch.2,
        };
        let fg = |swatch: &Swatch| Style::new().fg(pick(swatch));
        let bold = |style: Style| style.add_modifier(Modifier::BOLD);
        let selection = Style::new().bg(pick(&SELECTION));
        // The terminal's own colour has to be named, or text would keep the colour of what was drawn there before.
        let own = Style::new().fg(Color::Reset);
        Self {
            text: own,
            strong: bold(own),
            dim: fg(&DIM),
            rule: fg(&RULE),
            accent: fg(&ACCENT),
            ok: fg(&OK),
            run: fg(&RUN),
            wait: fg(&WAIT),
            warn: fg(&WARN),
            fail: bold(fg(&FAIL)),
            // A dark grey on blue could not be read: with 16 colours the selected row gets one colour.
            selection: if name == ThemeName::Ansi16 {
                selection.fg(Color::White)
            } else {
                selection
            },
            selection_idle: if name == ThemeName::Ansi16 {
                Style::new().add_modifier(Modifier::BOLD)
            } else {
                Style::new().bg(pick(&SELECTION_IDLE))
            },
        }
    }

    fn mono() -> Self {
        let plain = Style::new();
        let bold = plain.add_modifier(Modifier::BOLD);
        let faint = plain.add_modifier(Modifier::DIM);
        Self {
            text: plain,
            strong: bold,
            dim: plain,
            rule: faint,
            accent: bold,
            ok: plain,
            run: bold,
            wait: faint,
            warn: bold,
            fail: bold,
            selection: plain.add_modifier(Modifier::REVERSED),
            selection_idle: plain.add_modifier(Modifier::UNDERLINED),
        }
    }

    /// Glyph, style of a part's state.
    pub fn work(&self, status: WorkStatus) -> (&'static str, Style) {
        match status {
            WorkStatus::Pending => ("░", self.wait),
            WorkStatus::InDoubt => ("?", self.warn),
            WorkStatus::Submitted => ("▒", self.run),
            WorkStatus::Running => ("▓", self.run),
            WorkStatus::Completed => ("▓", self.ok),
            WorkStatus::Downloaded => ("█", self.ok),
            WorkStatus::Failed => ("✗", self.fail),
            WorkStatus::Expired => ("◷", self.warn),
        }
    }

    /// Glyph and style of a run's standing.
    pub fn standing(&self, standing: Standing) -> (&'static str, Style) {
        match standing {
            Standing::Driving => ("►", self.run),
            Standing::Watched => ("◉", self.run),
            Standing::Orphan => ("◆", self.warn),
            Standing::Failed | Standing::Unreadable => ("✗", self.fail),
            Standing::NeedsDecision => ("?", self.warn),
            Standing::Stopped => ("■", self.warn),
            Standing::Done => ("✓", self.ok),
            Standing::Paused => ("○", self.dim),
        }
    }

    /// Glyph and style of a phase's status.
    pub fn phase(&self, status: PhaseStatus) -> (&'static str, Style) {
        match status {
            PhaseStatus::NotStarted => ("·", self.dim),
            PhaseStatus::InProgress => ("►", self.run),
            PhaseStatus::Completed => ("✓", self.ok),
            PhaseStatus::Failed => ("✗", self.fail),
            PhaseStatus::Stopped => ("■", self.warn),
        }
    }

    /// The style of a decision's word.
    pub fn decision(&self, decision: Decision) -> Style {
        match decision {
            Decision::Skip => self.ok,
            Decision::Repair => self.warn,
            Decision::Execute => self.run,
            Decision::Blocked => self.fail,
            Decision::Outside | Decision::NotAsked => self.dim,
        }
    }

    /// The style of a log line's message.
    pub fn level(&self, level: LogLevel) -> Style {
        match level {
            LogLevel::Info => self.text,
            LogLevel::Warn => self.warn,
            LogLevel::Error => self.fail,
        }
    }
}

/// The steps of a channel in the 6x6x6 cube of 256-colour terminals (xterm, `256colres.pl`).
const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// A colour as it is, or the nearest one of the cube and the grey ramp of 256-colour terminals.
fn rgb(value: u32, colours: u16) -> Color {
    let [_, red, green, blue] = value.to_be_bytes();
    let wanted = [red, green, blue];
    if colours > 256 {
        return Color::Rgb(red, green, blue);
    }
    let distance = |colour: [u8; 3]| -> u32 {
        let channels = colour.iter().zip(wanted);
        channels.map(|(c, w)| u32::from(c.abs_diff(w)).pow(2)).sum()
    };
    let step = |channel: u8| {
        (0_u8..6)
            .min_by_key(|i| CUBE[usize::from(*i)].abs_diff(channel))
            .unwrap_or(0)
    };
    let steps = wanted.map(step);
    let cube = distance(steps.map(|i| CUBE[usize::from(i)]));
    let grey = |i: u8| distance([8 + 10 * i; 3]);
    match (0_u8..24).min_by_key(|i| grey(*i)) {
        Some(i) if grey(i) < cube => Color::Indexed(232 + i),
        _ => Color::Indexed(16 + 36 * steps[0] + 6 * steps[1] + steps[2]),
    }
}

/// Replaces the symbols of the unicode set by their ASCII twins, in place. Letters of texts stay.
pub fn to_ascii(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        let twin = match cell.symbol() {
            "✓" | "↓" => "v",
            "✗" | "×" => "x",
            "►" | "▸" | "╸" | "▲" | "→" => ">",
            "◀" => "<",
            "■" | "█" | "▇" => "#",
            "◆" => "*",
            "◉" => "@",
            "○" | "◷" => "o",
            "▓" | "▆" => "%",
            "▒" | "▅" | "┌" | "┐" | "└" | "┘" => "+",
            "░" | "·" | "╌" | "▂" => ".",
            "▄" | "━" => "=",
            "▃" | "─" | "–" => "-",
            "▌" | "┃" | "│" | "▏" => "|",
            "▁" => "_",
            "…" | "⋮" | "≈" => "~",
            "↑" => "^",
            _ => continue,
        };
        cell.set_symbol(twin);
    }
}
