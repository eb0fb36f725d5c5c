//! Who may do what in a region: one table. The S3 face asks it about the key that signed a request, the store in process
//! about the principal that it acts as.

use std::fmt;

use super::refusal::Refusal;

/// Somebody with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Principal {
    /// The account's owner: may do everything.
    #[default]
    Owner,
    /// What a backup job should have at the most: reads, writes and deletes objects, versions included.
    Writer,
    /// What a monitor should have: reads and lists.
    Reader,
}

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// To read an object, or what is known of it.
    Read,
    /// To list buckets, objects, versions, uploads, parts, or to look at a bucket's settings.
    List,
    /// To write an object, also by copying or in parts, or its tags.
    Write,
    /// To give up an upload.
    Abort,
    /// To delete an object: with versions, to put a delete marker on it.
    Delete,
    /// To delete a version for good.
    DeleteVersion,
    /// To have an archived object restored for a while.
    Restore,
    /// To delete or loosen against a retention in governance mode.
    BypassGovernance,
    /// To set retention and legal hold of objects.
    Lock,
    /// To make and remove buckets and to change their settings, versioning and object lock included.
    Administer,
}

impl Principal {
    /// All of them.
    pub const ALL: [Principal; 3] = [Principal::Owner, Principal::Writer, Principal::Reader];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Principal::Owner => "owner",
            Principal::Writer => "writer",
            Principal::Reader => "reader",
        }
    }

    /// Whether it has the right.
    pub const fn may(self, action: Action) -> bool {
        match action {
            Action::Read | Action::List => true,
            Action::Write | Action::Abort | Action::Delete | Action::DeleteVersion | Action::Restore => {
                !matches!(self, Principal::Reader)
            }
            Action::BypassGovernance | Action::Lock | Action::Administer => matches!(self, Principal::Owner),
        }
    }

    /// Fails where it does not have the right.
    pub fn permit(self, action: Action) -> Result<(), Refusal> {
        if self.may(action) { Ok(()) } else { Err(Refusal::Forbidden(self)) }
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
