//! `dianjing sign` and `dianjing verify`: who made this bundle, and is it whole?

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use bundle::{Bundle, KeyPair};
use pipeline::Lang;

use super::read_text;
use crate::args::{SignArguments, VerifyArguments};
use crate::exit::Usage;

pub(super) fn sign(verb: &SignArguments, lang: Lang) -> anyhow::Result<ExitCode> {
    Bundle::open(&verb.bundle)?;
    let secret = if verb.key.exists() { read_text(&verb.key)? } else { new_key(&verb.key, lang)? };
    let signature = bundle::sign(&verb.bundle, &secret)?;
    let path = signature_path(&verb.bundle);
    store::write_atomic(&path, |out| out.write_all(signature.as_bytes()))?;
    eprintln!("{}", lang.pick(format!("Signed: {}", path.display()), format!("已签名：{}", path.display())));
    Ok(ExitCode::SUCCESS)
}

/// Makes a key pair; the secret half is readable by its owner only.
fn new_key(path: &Path, lang: Lang) -> anyhow::Result<String> {
    let pair = KeyPair::generate()?;
    let public = path.with_extension("pub");
    if public.exists() {
        let (secret, public) = (path.display(), public.display());
        return Err(Usage(format!(
            "there is no secret key `{secret}`, but `{public}` exists; correct --key, or name a new one"
        ))
        .into());
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).with_context(|| format!("cannot write `{}`", path.display()))?;
    file.write_all(pair.secret.as_bytes())?;
    store::write_atomic(&public, |out| out.write_all(pair.public.as_bytes()))?;
    eprintln!(
        "{}",
        lang.pick(
            format!(
                "Made a new key: keep `{}` secret, give `{}` to those who check",
                path.display(),
                public.display()
            ),
            format!("已生成新密钥：请妥善保管“{}”，把“{}”交给验证者", path.display(), public.display()),
        )
    );
    Ok(pair.secret)
}

pub(super) fn verify(verb: &VerifyArguments, lang: Lang) -> anyhow::Result<ExitCode> {
    let bundle = Bundle::open(&verb.bundle)?;
    let identity = bundle.identity();
    eprintln!(
        "{}",
        lang.pick(format!("Every byte is as it was written ({identity})"), format!("内容完整（{identity}）"))
    );
    if let Some(key) = &verb.key {
        let signature = read_text(&signature_path(&verb.bundle))?;
        bundle::verify(&verb.bundle, &signature, &read_text(key)?)?;
        eprintln!("{}", lang.pick("The signature fits the key", "签名与公钥相符"));
    }
    Ok(ExitCode::SUCCESS)
}

/// `parts.djm` is signed in `parts.djm.minisig`.
fn signature_path(bundle: &Path) -> PathBuf {
    let mut name = bundle.as_os_str().to_owned();
    name.push(".minisig");
    PathBuf::from(name)
}
