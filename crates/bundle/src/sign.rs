//! Signatures in minisign's format: `minisign -V` accepts what [`sign`] writes, and the other way round.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

use minisign::{PublicKey, PublicKeyBox, SecretKey, SecretKeyBox, SignatureBox};

use crate::{BundleError, archive};

/// An unencrypted key pair in minisign's text form.
#[derive(Clone)]
pub struct KeyPair {
    /// Contents of the `.key` file. Whoever has it signs in your name.
    pub secret: String,
    /// Contents of the `.pub` file.
    pub public: String,
}

impl KeyPair {
    /// Draws a fresh pair from the operating system's randomness.
    pub fn generate() -> Result<Self, BundleError> {
        let pair = minisign::KeyPair::generate_unencrypted_keypair().map_err(signature)?;
        let secret = pair.sk.to_box(Some("Dianjing secret key")).map_err(signature)?.to_string();
        Ok(Self { secret, public: pair.pk.to_box().map_err(signature)?.to_string() })
    }
}

/// Signs a `.djm` file, or the zip that a bundle folder would be. Returns the text of the `.minisig` file.
pub fn sign(bundle: &Path, secret_key: &str) -> Result<String, BundleError> {
    let no_key = |error| BundleError::Signature { detail: format!("the file holds no secret key ({error})") };
    let key = SecretKeyBox::from_string(secret_key).map_err(no_key)?;
    let key = SecretKey::from_unencrypted_box(key).map_err(no_key)?;
    let signed = minisign::sign(None, &key, signed_bytes(bundle)?, Some("dianjing bundle"), None)
        .map_err(signature)?;
    Ok(signed.into_string())
}

/// Checks a signature made by [`sign`] or by minisign itself. `public_key` is a `.pub` file's text or its base64 line.
pub fn verify(bundle: &Path, signature_text: &str, public_key: &str) -> Result<(), BundleError> {
    let key = PublicKeyBox::from_string(public_key)
        .and_then(|text| text.into_public_key())
        .or_else(|_| PublicKey::from_base64(public_key.trim()))
        .map_err(|error| BundleError::Signature {
            detail: format!("the file holds no public key ({error})"),
        })?;
    let signed = SignatureBox::from_string(signature_text).map_err(signature)?;
    minisign::verify(&key, &signed, signed_bytes(bundle)?, true, false, false).map_err(|error| {
        BundleError::Signature {
            detail: format!("the signature does not fit `{}`: {error}", bundle.display()),
        }
    })
}

fn signed_bytes(bundle: &Path) -> Result<Cursor<Vec<u8>>, BundleError> {
    let failed = |source| BundleError::Read { path: bundle.to_owned(), source };
    let bytes = if bundle.is_dir() {
        archive::zip_bytes(&archive::read(bundle)?).map_err(failed)?
    } else {
        let mut bytes = Vec::new();
        File::open(bundle).and_then(|mut file| file.read_to_end(&mut bytes)).map_err(failed)?;
        bytes
    };
    Ok(Cursor::new(bytes))
}

fn signature(error: minisign::PError) -> BundleError {
    BundleError::Signature { detail: error.to_string() }
}
