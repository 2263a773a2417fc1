//! The place in a list. It holds on to a thing, not to a number, so that it stays with its row when rows move.

use super::keymap::Action;

/// A place in a list of things known by `I`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor<I> {
    /// The row.
    pub index: usize,
    /// What is on it; `None` before the user has moved or anything was there.
    pub id: Option<I>,
}

impl<I> Default for Cursor<I> {
    fn default() -> Self {
        Self { index: 0, id: None }
    }
}

impl<I: Clone + PartialEq> Cursor<I> {
    /// Finds its row again after the list changed; where the thing is gone, the row number stays.
    pub fn settle(
        &mut self,
        rows: usize,
        find: impl Fn(&I) -> Option<usize>,
        at: impl Fn(usize) -> Option<I>,
    ) {
        if let Some(index) = self.id.as_ref().and_then(find) {
            self.index = index;
        }
        self.put(self.index, rows, at);
    }

    /// Goes to a row.
    pub fn put(&mut self, index: usize, rows: usize, at: impl Fn(usize) -> Option<I>) {
        self.index = index.min(rows.saturating_sub(1));
        self.id = at(self.index);
    }

    /// The row, where there are any.
    pub fn row(&self, rows: usize) -> Option<usize> {
        (rows > 0).then(|| self.index.min(rows - 1))
    }
}

/// Where a movement leads from a row; `None` where the action is no movement.
pub fn step(action: Action, index: usize, (rows, page): (usize, usize)) -> Option<usize> {
    let page = page.max(1);
    let last = rows.saturating_sub(1);
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all other actions do not move"
    )]
    let to = match action {
        Action::Up => index.saturating_sub(1),
        Action::Down => index + 1,
        Action::HalfUp => index.saturating_sub((page / 2).max(1)),
        Action::HalfDown => index + (page / 2).max(1),
        Action::PageUp => index.saturating_sub(page),
        Action::PageDown => index + page,
        Action::Top => 0,
        Action::Bottom => last,
        _ => return None,
    };
    Some(to.min(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_follows_its_thing() {
        let before = ["a", "b", "c"];
        let after = ["x", "a", "y", "b", "c"];
        let mut cursor = Cursor::default();
        cursor.put(1, 3, |i| before.get(i).copied());
        cursor.settle(
            5,
            |id| after.iter().position(|x| x == id),
            |i| after.get(i).copied(),
        );
        assert_eq!((cursor.index, cursor.id), (3, Some("b")));
        let gone = ["x", "y"];
        cursor.settle(
            2,
            |id| gone.iter().position(|x| x == id),
            |i| gone.get(i).copied(),
        );
        assert_eq!((cursor.index, cursor.id), (1, Some("y")));
        cursor.settle(0, |_| None, |_| None);
        assert_eq!((cursor.row(0), cursor.id), (None, None));
    }

    #[test]
    fn movements_stay_inside() {
        for action in [
            Action::Up,
            Action::Down,
            Action::PageDown,
            Action::PageUp,
            Action::Top,
            Action::Bottom,
            Action::HalfDown,
            Action::HalfUp,
        ] {
            for rows in 0..4 {
                let to = step(action, 0, (rows, 0)).unwrap_or(0);
                assert!(to == 0 || to < rows, "{action:?} {rows}");
            }
        }
        assert_eq!(step(Action::Help, 0, (1, 1)), None);
    }
}
