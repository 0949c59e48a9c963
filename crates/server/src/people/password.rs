//! Passwords, kept as argon2id hashes.

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Argon2, PasswordHash};

/// The hash to keep. Takes some tens of milliseconds, on purpose.
pub(crate) fn hash_password(password: &str) -> Option<String> {
    Argon2::default().hash_password(password.as_bytes()).ok().map(|hash| hash.to_string())
}

/// Whether this is the password that was hashed. Takes as long for nobody's password as for a wrong one, so that nobody learns
/// from the clock who has an account.
pub(crate) fn password_fits(password: &str, kept: Option<&str>) -> bool {
    /// Of a password that nobody has.
    const NOBODYS: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let Ok(hash) = PasswordHash::new(kept.unwrap_or(NOBODYS)) else { return false };
    Argon2::default().verify_password(password.as_bytes(), &hash).is_ok() && kept.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_fits() {
        let kept = hash_password("correct horse");
        assert!(password_fits("correct horse", kept.as_deref()));
        assert!(!password_fits("Correct horse", kept.as_deref()));
        assert!(!password_fits("correct horse", None));
        assert!(!password_fits("correct horse", Some("no hash")));
        assert_ne!(kept, hash_password("correct horse"), "each has its own salt");
    }
}
