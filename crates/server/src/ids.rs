//! Random names for things, and secrets.

/// Letters that cannot be mistaken for each other.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A new name with 128 random bits: it says nothing and cannot be guessed.
pub(crate) fn new_id() -> String {
    letters(&random::<16>())
}

/// A new secret with 256 random bits.
pub(crate) fn new_secret() -> String {
    letters(&random::<32>())
}

/// What is kept of a secret: enough to know it again, useless to whoever reads it. A secret of 256 random bits needs no salt.
pub(crate) fn fingerprint(secret: &str) -> String {
    store::Hash::of(secret.as_bytes()).to_string()
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    bytes
}

/// Five bits a letter, the last ones padded with zeros.
fn letters(bytes: &[u8]) -> String {
    let bit = |at: usize| bytes.get(at / 8).map_or(0, |byte| byte >> (7 - at % 8) & 1);
    let letter = |at: usize| (0..5).fold(0, |value, place| value << 1 | bit(5 * at + place));
    (0..(8 * bytes.len()).div_ceil(5)).map(|at| char::from(LETTERS[usize::from(letter(at))])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_become_letters() {
        assert_eq!(letters(&[0, 0, 0, 0, 0]), "00000000");
        assert_eq!(letters(&[0xff]), "zw");
        assert_eq!(letters(&[0x08, 0x86, 0x42, 0x98, 0xe8]), "12345678", "1, 2, 3 … in five bits each");
    }

    #[test]
    fn names_differ() {
        assert_ne!(new_id(), new_id());
        assert_eq!((new_id().len(), new_secret().len()), (26, 52));
    }
}
