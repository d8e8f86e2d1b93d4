//! A secret on its way from the request to the host's hasher.

use std::fmt;

/// A password as a client sent it. It cannot be printed, serialised or cloned, and its text is overwritten when it goes.
///
/// It is never part of a document: [`Resource::secret`](crate::Resource::secret) hands it to the store beside it.
#[derive(PartialEq, Eq)]
pub struct Password(Vec<u8>);

impl Password {
    /// Takes a password over.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into().into_bytes())
    }

    /// The text: for the host's hasher and for nothing else. Do not store it, log it, or compare it with `==`.
    pub fn reveal(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl Drop for Password {
    fn drop(&mut self) {
        self.0.fill(0);
        std::hint::black_box(&self.0);
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_does_not_show_itself() {
        let password = Password::new("hunter2");
        assert_eq!(format!("{password:?}"), "[redacted]");
        assert_eq!(password.reveal(), "hunter2");
    }
}
