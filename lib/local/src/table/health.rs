//! Whether the table's file is whole and the disk has room, as SQLite says it.

use dynoxide::DynoxideError;

/// What was logged of the file.
#[derive(Default)]
pub struct Health {
    /// Whether the last write found no room.
    is_full: bool,
    /// Whether something could not be read.
    is_damaged: bool,
}

impl Health {
    /// Logs once that the file is damaged or the disk is full, and once that the disk has room again.
    pub fn follow<T>(&mut self, is_write: bool, answered: &Result<T, DynoxideError>) {
        match answered {
            Err(error) if !self.is_damaged && is_damaged(error) => {
                self.is_damaged = true;
                tracing::error!("the table's file is damaged; stop the plane, and restore it from a backup");
            }
            Err(error) if !self.is_full && is_full(error) => {
                self.is_full = true;
                tracing::error!("the disk is full; make room for the data folder: ticks and runs wait for it");
            }
            Ok(_) if is_write && self.is_full => {
                self.is_full = false;
                tracing::info!("the disk has room again");
            }
            _ => {}
        }
    }
}

/// SQLite's own words, which are all that is left of its code here. <https://www.sqlite.org/rescode.html#full>
pub fn is_full(error: &DynoxideError) -> bool {
    error.status_code() == 500 && error.to_string().contains("disk is full")
}

/// A page that was torn by a crash of the machine, or by what else writes there. <https://www.sqlite.org/rescode.html#corrupt>
pub fn is_damaged(error: &DynoxideError) -> bool {
    error.status_code() == 500
        && ["is malformed", "is not a database"].iter().any(|words| error.to_string().contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_and_a_damaged_file_are_told_from_other_failures() {
        let failed = |text: &str| DynoxideError::InternalServerError(text.to_owned());

        assert!(is_full(&failed("backend: database or disk is full")));
        assert!(is_damaged(&failed("backend: database disk image is malformed")));
        assert!(is_damaged(&failed("backend: file is not a database")));
        assert!(
            !is_full(&failed("backend: database is locked")) && !is_damaged(&failed("backend: database is locked"))
        );
        assert!(!is_full(&DynoxideError::ValidationException("the disk is full".to_owned())));
    }
}
