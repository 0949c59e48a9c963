//! Addresses of e-mail, as they are compared.

/// Longest address (RFC 5321, section 4.5.3.1.3).
const LENGTH: usize = 254;

/// An address in small letters; `None` for what is none, or has letters outside ASCII: some of those become others when they are made
/// small. Whether anything arrives there is not asked.
pub(crate) fn email_of(text: &str) -> Option<String> {
    let email = text.trim().to_ascii_lowercase();
    let (name, domain) = email.rsplit_once('@')?;
    let odd = |letter: char| letter.is_whitespace() || letter.is_control() || letter == '@';
    let plain = email.is_ascii() && !name.is_empty() && domain.contains('.') && email.len() <= LENGTH;
    (plain && !name.chars().chain(domain.chars()).any(odd)).then_some(email)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_compared_in_small_letters() {
        assert_eq!(email_of(" Ann.Lee@Example.COM ").as_deref(), Some("ann.lee@example.com"));
        for odd in [
            "",
            "ann",
            "@example.com",
            "ann@",
            "ann@host",
            "a@b@c.d",
            "a b@c.d",
            "a\u{0}@c.d",
            "\u{212a}ate@example.com",
        ] {
            assert_eq!(email_of(odd), None, "{odd}");
        }
        assert_eq!(email_of(&format!("{}@example.com", "x".repeat(300))), None);
    }
}
